//! The running kernel as the judge of variants, for whoever is root and has kernel-replay: names it in KERNEL_REPLAY.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ctaudit::conntrack::config::Config;
use ctaudit::firewall::Firewall;
use ctaudit::forgery::{Variant, verdict};
use ctaudit::replay::Clock;
use serde_json::Value;

use super::{long_dialogues, modules, variants};
use crate::support::{firewall_with, read, record, samples};
use crate::traffic::{Packet, Protocol, generate, pcap, write_pcap};

#[test]
#[ignore = "needs root, a kernel with conntrack, and KERNEL_REPLAY"]
fn the_kernel_says_the_same_of_variants_of_samples() {
    for parameters in [&[][..], OPEN] {
        let config = kernels_helpers(parameters);
        let captures = samples().iter().map(|path| read(path)).collect::<Vec<_>>();
        let captures = captures.into_iter().chain(long_dialogues());
        let variants: Vec<Variant> = captures
            .flat_map(|bytes| variants(bytes, &config))
            .collect();
        for variant in &variants {
            let probe = verdict(variant, Firewall::new(config.clone())).unwrap();
            let ours = ours(variant, &config);
            assert_eq!(ours.last().unwrap().0, probe.state.name());
        }
        assert!(variants.len() > 400, "only {} variants", variants.len());
        compare(&variants, &config, parameters);
    }
}

/// Random traffic is full of what no program sends. Timers would fire in it, which the kernel is not given the time for.
#[test]
#[ignore = "needs root, a kernel with conntrack, and KERNEL_REPLAY"]
fn the_kernel_says_the_same_of_variants_of_random_traffic() {
    let mut config = kernels_helpers(&[]);
    // Of the firewall's own packets kernel-replay cannot tell those that a helper drops from those that were never sent.
    config.local.clear();
    let variants: Vec<Variant> = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| {
            let bytes = pcap(&generate(protocol, 11, 2000)).unwrap();
            variants(bytes, &config).into_iter().step_by(3).take(40)
        })
        .collect();
    assert!(variants.len() > 150, "only {} variants", variants.len());
    compare(&variants, &config, &[]);
}

/// Every packet of every variant.
fn compare(variants: &[Variant], config: &Config, parameters: &[&str]) {
    let program = std::env::var("KERNEL_REPLAY").expect("KERNEL_REPLAY names the program");
    let folder = tempfile::tempdir().unwrap();
    let path = |index: usize| folder.path().join(format!("{index}.pcap"));
    let paths: Vec<PathBuf> = (0..variants.len()).map(path).collect();
    for (path, variant) in paths.iter().zip(variants) {
        write_pcap(path, &packets(variant)).unwrap();
    }
    let mut command = Command::new(&program);
    command.arg("--out").arg(folder.path());
    command.args(options(config, parameters));
    let run = command.args(&paths).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    let mut compared: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut differences = Vec::new();
    for (path, variant) in paths.iter().zip(variants) {
        let kernels = met(&fs::read(path.with_extension("pcap.jsonl")).unwrap());
        let ours = ours(variant, config);
        *compared
            .entry((variant.helper, variant.kind.name()))
            .or_default() += 1;
        if kernels != ours {
            let (helper, kind) = (variant.helper, variant.kind);
            let frame = variant.frame;
            differences.push(format!(
                "{helper} {kind:?} frame {frame}: kernel {kernels:?}, ours {ours:?}"
            ));
        }
    }
    let [all, different] = [variants.len(), differences.len()];
    println!("{all} variants compared, {different} differ: {compared:#?}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What has kernel-replay set up the same firewall.
pub fn options(config: &Config, parameters: &[&str]) -> Vec<String> {
    let local = config.local.iter().map(|own| ("--local", own.to_string()));
    let further = FURTHER.map(|assignment| ("--add-assign", assignment.to_owned()));
    let parameters = parameters
        .iter()
        .map(|parameter| ("--module", (*parameter).to_owned()));
    local
        .chain(further)
        .chain(parameters)
        .flat_map(|(option, value)| [option.to_owned(), value])
        .collect()
}

/// What packets met: state, helper of the master, and whether they were dropped.
type Met = Vec<(String, Option<String>, Option<bool>)>;

fn ours(variant: &Variant, config: &Config) -> Met {
    let bytes = pcap(&packets(variant)).unwrap();
    met(&record(bytes, config.clone(), Clock::Still))
}

/// As the lines of a record say it, ours or the kernel's.
fn met(record: &[u8]) -> Met {
    let lines = std::str::from_utf8(record).unwrap().lines();
    lines
        .map(|line| {
            let said: Value = serde_json::from_str(line).unwrap();
            (
                said["state"].as_str().unwrap().to_owned(),
                said["helper"].as_str().map(str::to_owned),
                said["dropped"].as_bool(),
            )
        })
        .collect()
}

/// A firewall with the helpers that the kernel has, and the address of its own that asks in the captures of broadcasts.
pub fn kernels_helpers(parameters: &[&str]) -> Config {
    let mut config = firewall_with("6.18", modules(parameters), true);
    config.local.push(LOCAL.parse().unwrap());
    config
}

pub fn packets(variant: &Variant) -> Vec<Packet> {
    let datagrams = variant.datagrams.iter();
    datagrams
        .map(|datagram| Packet {
            at_micros: u64::try_from(datagram.at.nanos() / 1000).unwrap(),
            ip: datagram.bytes.clone(),
        })
        .collect()
}

const LOCAL: &str = "192.0.2.1/24";
/// As `firewall_with` assigns them.
const FURTHER: [&str; 2] = ["tcp 2121 ftp", "udp 5070 sip"];
/// What helpers can be told to check less.
const OPEN: &[&str] = &[
    "nf_conntrack_ftp.loose=1",
    "nf_conntrack_sip.sip_direct_media=0",
    "nf_conntrack_sip.sip_direct_signalling=0",
    "nf_conntrack_h323.gkrouted_only=0",
];
