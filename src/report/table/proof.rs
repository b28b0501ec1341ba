//! `ctaudit prove`: what rules let in, lose and are for.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::proof::{Frames, Proof};
use crate::report::layout::{self, finish, heading};
use crate::ruleset::{Place, RuleId, Verdict, nftables};
use crate::verdict::counted;

/// What the rules come to, and of each what would be lost without it.
pub fn proof(out: &mut dyn Write, proof: &Proof, files: &[PathBuf], width: u16) -> io::Result<()> {
    let needed = proof.accepted + proof.lost.times;
    heading(out, "Proof", verdict(proof))?;
    let lines = [
        format!(
            "{} of {} that are needed: accepted",
            proof.accepted,
            counted(needed, "related packet")
        ),
        listed("needed and lost", &proof.lost),
        listed("accepted and not needed", &proof.others),
        listed("dropped in all", &proof.dropped),
    ];
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "- {line}"))?;
    writeln!(out)?;
    rules(out, proof, files, width)?;
    unread(out, proof, files)
}

/// In one sentence.
pub fn verdict(proof: &Proof) -> &'static str {
    if proof.holds() {
        "proved: the rules let in every related packet that is needed, and no other"
    } else if !proof.rules().unread.is_empty() || !proof.undecided.is_empty() {
        "not proved: not all of the rules could be evaluated"
    } else {
        "not proved"
    }
}

fn listed(what: &str, frames: &Frames) -> String {
    let first: Vec<String> = frames.first.iter().map(u64::to_string).collect();
    let packets = counted(frames.times, "packet");
    match frames.times {
        0 => format!("no packet {what}"),
        1 => format!("{packets} {what}: frame {}", first.join(", ")),
        times if times > frames.first.len() as u64 => {
            format!("{packets} {what}: frames {}, ...", first.join(", "))
        }
        _ => format!("{packets} {what}: frames {}", first.join(", ")),
    }
}

fn rules(out: &mut dyn Write, proof: &Proof, files: &[PathBuf], width: u16) -> io::Result<()> {
    let mut table = layout::table(
        width,
        &["line", "rule", "needed packets lost without it"],
        &[2],
    );
    let accepts = |id: &RuleId| {
        let rule = proof.rules().rule(*id);
        rule.is_some_and(|rule| rule.effect.is_some() || rule.verdict == Some(Verdict::Accept))
    };
    for (id, rule) in proof.rules().rules().filter(|(id, _)| accepts(id)) {
        table.add_row([
            place(rule.place, files),
            nftables::statement(rule),
            proof.needs.get(&id).copied().unwrap_or(0).to_string(),
        ]);
    }
    if table.row_count() == 0 {
        return Ok(());
    }
    finish(out, table)
}

/// The line; with its file, where there are several.
fn place(place: Place, files: &[PathBuf]) -> String {
    match files.get(place.file) {
        Some(file) if files.len() > 1 => format!("{}:{}", file.display(), place.line),
        _ => place.line.to_string(),
    }
}

fn unread(out: &mut dyn Write, proof: &Proof, files: &[PathBuf]) -> io::Result<()> {
    let set = proof.rules();
    if set.unread.is_empty() && proof.undecided.is_empty() {
        return Ok(());
    }
    heading(out, "Not evaluated", "so nothing is proved")?;
    for unread in &set.unread {
        let line = place(unread.place, files);
        writeln!(
            out,
            "- line {line}: {}: {}",
            unread.text.escape_debug(),
            unread.why
        )?;
    }
    for (id, packets) in &proof.undecided {
        let Some(rule) = set.rule(*id) else { continue };
        let line = place(rule.place, files);
        let packets = counted(*packets, "packet");
        writeln!(
            out,
            "- line {line}: whether it holds is not known of {packets}"
        )?;
    }
    writeln!(out)
}
