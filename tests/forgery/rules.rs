//! What forged variants of the samples get through, by the kernel's word: where all that is RELATED is accepted, and
//! with the rules that are proposed for their capture. For whoever is root and has kernel-replay, named in KERNEL_REPLAY.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ctaudit::conntrack::config::Config;
use ctaudit::exposure::Exposure;
use ctaudit::firewall::Firewall;
use ctaudit::forgery::{Kind, Variant, passes};
use ctaudit::proposal::{Proposal, Target, Wishes};
use ctaudit::replay::{Clock, Replay};
use ctaudit::ruleset::{Ruleset, nftables};
use serde_json::Value;

use super::kernel::{kernels_helpers, options, packets};
use super::variants;
use crate::support::{capture, read, samples};
use crate::traffic::write_pcap;

#[test]
#[ignore = "needs root, a kernel with conntrack, and KERNEL_REPLAY"]
fn the_kernel_lets_through_of_forged_variants_what_we_say() {
    let bare = kernels_helpers(&[]);
    let ruled = bare.unassigned();
    // By helper: variants, and those that pass, without rules and with them.
    let mut table: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
    for sample in samples() {
        let variants: Vec<Variant> = variants(read(&sample), &bare)
            .into_iter()
            .filter(|variant| variant.kind != Kind::Genuine)
            .collect();
        if variants.is_empty() {
            continue;
        }
        let text = proposed(&sample, &bare);
        let rules = Ruleset::read(&text, 0);
        let without = let_through(&variants, &options(&bare, &[]));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.nft");
        fs::write(&file, text).unwrap();
        let with = ["--assign", "none", "--rules", file.to_str().unwrap()];
        let with = [&local(&bare)[..], &with.map(str::to_owned)].concat();
        let with = let_through(&variants, &with);
        for ((variant, without), with) in variants.iter().zip(without).zip(with) {
            let firewall = Firewall::with_rules(ruled.clone(), rules.clone(), None);
            let ours = [
                passes(variant, Firewall::new(bare.clone())),
                passes(variant, firewall),
            ];
            let at = (sample.display(), variant.helper, variant.kind);
            assert_eq!(ours, [without, with], "{at:?} frame {}", variant.frame);
            let row = table.entry(variant.helper).or_default();
            row[0] += 1;
            row[1] += u32::from(without);
            row[2] += u32::from(with);
        }
    }
    println!(
        "| helper | variants | through bare `ct state related` | through the proposed rules |"
    );
    println!("|---|---:|---:|---:|");
    for (helper, [all, bare, ours]) in &table {
        println!("| {helper} | {all} | {bare} | {ours} |");
    }
    let sum = |column: usize| table.values().map(|row| row[column]).sum::<u32>();
    println!("| all | {} | {} | {} |", sum(0), sum(1), sum(2));
    assert!(sum(2) < sum(1) && table.len() >= 10);
}

/// The rules proposed for a capture, as `ctaudit rules` writes them.
fn proposed(sample: &Path, config: &Config) -> String {
    let mut exposure = Exposure::new(config);
    let mut replay = Replay::new(capture(read(sample)), config.clone(), Clock::Capture);
    while let Ok(Some(passage)) = replay.advance() {
        exposure.observe(&passage);
    }
    let proposal = Proposal::of(&exposure, &config.modules, &config.local, Wishes::default());
    nftables::write(&proposal.ruleset(Target::Nftables)).unwrap()
}

/// Of each variant, whether its last packet comes through the kernel as RELATED.
fn let_through(variants: &[Variant], options: &[String]) -> Vec<bool> {
    let program = std::env::var("KERNEL_REPLAY").expect("KERNEL_REPLAY names the program");
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..variants.len())
        .map(|index| folder.path().join(format!("{index}.pcap")))
        .collect();
    for (path, variant) in paths.iter().zip(variants) {
        write_pcap(path, &packets(variant)).unwrap();
    }
    let mut command = Command::new(&program);
    command.arg("--out").arg(folder.path()).args(options);
    let run = command.args(&paths).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    let records = paths.iter().map(|path| path.with_extension("pcap.jsonl"));
    let records = records.map(|record| fs::read_to_string(record).unwrap());
    records.map(|record| is_let_in(&record)).collect()
}

fn is_let_in(record: &str) -> bool {
    let last = record.lines().last().unwrap_or("{}");
    let probe: Value = serde_json::from_str(last).unwrap();
    probe["state"] == "related" && probe["dropped"] != true
}

fn local(config: &Config) -> Vec<String> {
    let own = config.local.iter();
    own.flat_map(|own| [String::from("--local"), own.to_string()])
        .collect()
}
