//! `ctaudit prove`: what rules let in, lose and are for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::endpoint;
use crate::forgery::Kind;
use crate::proof::{Forged, Frames, Proof};
use crate::report;
use crate::report::page::{Page, Table};
use crate::ruleset::{Place, Rule, RuleId, Verdict, nftables};
use crate::verdict::counted;

/// A file of rules that somebody wrote.
pub struct RuleFile {
    /// As it was named.
    pub path: PathBuf,
    /// What it says, for the lines that are shown.
    pub text: String,
}

impl RuleFile {
    fn is_json(&self) -> bool {
        self.text.trim_start().starts_with('{')
    }
}

/// What the rules in these files come to, and of each what would be lost without it.
pub fn proof(proof: &Proof, files: &[RuleFile]) -> Page {
    let mut page = Page::default();
    balance(&mut page, proof);
    rules(&mut page, proof, files);
    unread(&mut page, proof, files);
    attacks(&mut page, proof);
    page
}

/// The same of rules that are shown elsewhere.
pub(super) fn outcome(page: &mut Page, proof: &Proof) {
    balance(page, proof);
    unread(page, proof, &[]);
    attacks(page, proof);
}

fn attacks(page: &mut Page, proof: &Proof) {
    reach(page, proof);
    forged(page, proof);
}

fn balance(page: &mut Page, proof: &Proof) {
    let needed = proof.accepted + proof.lost.times;
    page.heading("Proof", verdict(proof));
    let lines = [
        format!(
            "{} of {} that are needed accepted",
            proof.accepted,
            counted(needed, "related packet")
        ),
        listed("needed and lost", &proof.lost),
        listed("accepted and not needed", &proof.others),
        listed("dropped, be they RELATED or not", &proof.dropped),
    ];
    page.list(lines);
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
    let first = report::listed(&frames.first);
    let more = match frames.times > frames.first.len() as u64 {
        true => ", ...",
        false => "",
    };
    match frames.times {
        0 => format!("{what}: none"),
        1 => format!("{what}: 1, frame {first}"),
        times => format!("{what}: {times}, frames {first}{more}"),
    }
}

fn rules(page: &mut Page, proof: &Proof, files: &[RuleFile]) {
    let mut table = Table::new(&["line", "rule", "needed packets lost without it"], &[2]);
    let accepts = |id: &RuleId| {
        let rule = proof.rules().rule(*id);
        rule.is_some_and(|rule| rule.effect.is_some() || rule.verdict == Some(Verdict::Accept))
    };
    for (id, rule) in proof.rules().rules().filter(|(id, _)| accepts(id)) {
        table.row([
            place(rule.place, files),
            text(rule, files),
            proof.needs.get(&id).copied().unwrap_or(0).to_string(),
        ]);
    }
    if table.rows.is_empty() {
        return;
    }
    page.table(table);
}

/// As its file says it; nft's JSON has no lines.
fn text(rule: &Rule, files: &[RuleFile]) -> String {
    let file = files.get(rule.place.file).filter(|file| !file.is_json());
    let line = file.and_then(|file| file.text.lines().nth(rule.place.line.checked_sub(1)?));
    match line {
        Some(line) => line.trim().escape_debug().to_string().replace("\\\"", "\""),
        None => nftables::write_rule(rule).unwrap_or_default(),
    }
}

/// The line; with its file, where there are several.
fn place(place: Place, files: &[RuleFile]) -> String {
    match files.get(place.file) {
        Some(file) if files.len() > 1 => format!("{}:{}", file.path.display(), place.line),
        _ => place.line.to_string(),
    }
}

fn unread(page: &mut Page, proof: &Proof, files: &[RuleFile]) {
    let set = proof.rules();
    if set.unread.is_empty() && proof.undecided.is_empty() {
        return;
    }
    page.heading("Not evaluated", "so nothing is proved");
    let unread = set.unread.iter().map(|unread| {
        let line = place(unread.place, files);
        format!(
            "line {line}: {}: {}",
            unread.text.escape_debug(),
            unread.why
        )
    });
    let undecided = proof.undecided.iter().filter_map(|(id, packets)| {
        let line = place(set.rule(*id)?.place, files);
        let packets = counted(*packets, "packet");
        Some(format!(
            "line {line}: whether it holds is not known of {packets}"
        ))
    });
    page.list(unread.chain(undecided));
}

fn reach(page: &mut Page, proof: &Proof) {
    let reach = proof.reach();
    if reach.is_empty() {
        return;
    }
    page.heading(
        "What a forger could open",
        "pairs of address and port, by whoever writes the control connections seen",
    );
    let headers = ["helper", "with bare ct state related", "with these rules"];
    let mut table = Table::new(&headers, &[1, 2]);
    for (helper, (before, after)) in reach {
        table.row([(*helper).to_owned(), pairs(*before), pairs(*after)]);
    }
    page.table(table);
    let omitted = proof.reach_omitted();
    if omitted > 0 {
        page.text(format!(
            "{} more not counted",
            counted(omitted, "expectation")
        ));
    }
}

/// In full; `u128::MAX` stands for more than can be counted.
pub fn pairs(number: u128) -> String {
    if number == u128::MAX {
        String::from("2^128 or more")
    } else {
        number.to_string()
    }
}

fn forged(page: &mut Page, proof: &Proof) {
    let forged = proof.forged();
    let is_forged = |forged: &&Forged| forged.variant.kind != Kind::Genuine;
    if forged.is_empty() {
        return;
    }
    page.heading(
        "Forged variants",
        "of the capture's own control traffic, and how many holes they open",
    );
    let headers = [
        "helper",
        "variants",
        "through bare ct state related",
        "through these rules",
    ];
    let mut table = Table::new(&headers, &[1, 2, 3]);
    let mut by_helper: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for one in forged.iter().filter(is_forged) {
        let [all, bare, rules] = by_helper.entry(one.variant.helper).or_default();
        *all += 1;
        *bare += u64::from(one.through_bare);
        *rules += u64::from(one.through_rules);
    }
    for (helper, counts) in by_helper {
        let [all, bare, rules] = counts.map(|count| count.to_string());
        table.row([helper.to_owned(), all, bare, rules]);
    }
    page.table(table);
    let mut table = Table::new(&["frame", "helper", "what still passes", "to"], &[0]);
    for one in forged
        .iter()
        .filter(is_forged)
        .filter(|one| one.through_rules)
    {
        let probe = one.variant.probe;
        table.row([
            one.variant.frame.to_string(),
            one.variant.helper.to_owned(),
            one.variant.kind.name().to_owned(),
            format!("{} {}", probe.protocol, endpoint(probe.dst, probe.dport)),
        ]);
    }
    if table.rows.is_empty() {
        return;
    }
    page.table(table);
}
