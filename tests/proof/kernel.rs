//! The proposals of the samples, loaded by the programs that they are for, and judged by the running kernel.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ctaudit::conntrack::config::Config;
use ctaudit::firewall::Firewall;
use ctaudit::proposal::{What, Wishes};
use ctaudit::replay::{Clock, Replay};
use ctaudit::ruleset::Ruleset;
use serde_json::Value;

use super::{Case, together};
use crate::namespace::{has_iptables, has_nft, must_run};
use crate::support::{capture, firewall, lines, read, samples};

/// With the helpers that a kernel has; on the router of the samples too, which asks the lan.
fn of_the_kernel() -> impl Iterator<Item = Case> {
    samples().into_iter().flat_map(|path| {
        let between = firewall("6.18", true);
        let mut router = between.clone();
        router.local.push(LOCAL.parse().unwrap());
        let name = path.display().to_string();
        [between, router].map(|config| Case::new(&name, read(&path), config, Wishes::default()))
    })
}

/// Once each, however many captures come to the same.
fn texts(form: usize, file: usize) -> BTreeSet<String> {
    of_the_kernel()
        .map(|case| case.written()[form][file].clone())
        .collect()
}

#[test]
fn nft_takes_what_is_proposed() {
    if !has_nft() {
        return;
    }
    for (form, command) in [(0, "nft -c -f -"), (1, "nft -j -c -f -")] {
        let texts = texts(form, 0);
        assert!(texts.len() > 30, "only {} texts", texts.len());
        for text in texts {
            must_run(command, &text);
        }
    }
}

#[test]
fn iptables_takes_what_is_proposed() {
    if !has_iptables() {
        return;
    }
    for (file, program) in ["iptables-restore", "ip6tables-restore"].iter().enumerate() {
        let texts = texts(2, file);
        assert!(texts.len() > 30, "only {} texts", texts.len());
        for text in texts {
            must_run(&format!("{program} --test --noflush"), &text);
        }
    }
}

/// Every packet of every sample: its state, the helper of its master, and whether it was dropped. With the proposal, and
/// with one that lacks its first acceptance, which drops what somebody needed.
#[test]
#[ignore = "needs root, a kernel with conntrack, nft, iptables, and KERNEL_REPLAY"]
fn the_kernel_does_the_same_with_the_rules() {
    let (mut packets, mut dropped, mut runs) = (0, 0, 0);
    let mut differences = Vec::new();
    for case in of_the_kernel() {
        let mut fewer = case.proposal.clone();
        let first = fewer
            .rules
            .iter()
            .position(|rule| matches!(rule.what, What::Accept(_)));
        let fewer = first.map(|first| {
            fewer.rules.remove(first);
            fewer
        });
        for proposal in [case.proposal.clone()].into_iter().chain(fewer) {
            let [nftables, _, iptables, ..] = case.write(&proposal);
            for files in [nftables, iptables] {
                let ours = ours(&case, together(&files));
                let kernels = kernels(&case, &files);
                assert_eq!(ours.len(), kernels.len(), "{}", case.name);
                runs += 1;
                for (ours, kernel) in ours.iter().zip(&kernels) {
                    packets += 1;
                    dropped += u32::from(kernel.dropped == Some(true));
                    let agree = (ours.number, &ours.state, &ours.helper)
                        == (kernel.number, &kernel.state, &kernel.helper)
                        && (kernel.dropped.is_none() || kernel.dropped == ours.dropped);
                    if !agree {
                        let local = !case.config.local.is_empty();
                        differences.push(format!(
                            "{} (local: {local}): kernel {kernel:?}, ours {ours:?}",
                            case.name
                        ));
                    }
                }
            }
        }
    }
    let different = differences.len();
    println!(
        "{runs} runs, {packets} packets compared, {dropped} dropped by the kernel, {different} differ"
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(dropped > 100, "only {dropped} packets were dropped");
}

/// What a packet met.
#[derive(Debug, PartialEq, Eq)]
struct Met {
    number: u64,
    state: String,
    helper: Option<String>,
    /// `None` where it does not leave the firewall, or would not have left it anyway.
    dropped: Option<bool>,
}

fn ours(case: &Case, rules: Ruleset) -> Vec<Met> {
    assert_eq!(rules.unread, []);
    let config = Config {
        assignments: Vec::new(),
        ..case.config.clone()
    };
    let kernel = config.kernel;
    let firewall = Firewall::with_rules(config, rules, None);
    // kernel-replay does not wait between packets.
    let replay = Replay::through(firewall, capture(case.bytes.clone()), Clock::Still);
    met(&lines(replay, &kernel))
}

fn kernels(case: &Case, files: &[String]) -> Vec<Met> {
    let program = std::env::var("KERNEL_REPLAY").expect("KERNEL_REPLAY names the program");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&program);
    command.args(["--assign", "none"]);
    for own in &case.config.local {
        command.args(["--local", &own.to_string()]);
    }
    for (index, text) in files.iter().enumerate() {
        let path = folder.path().join(format!("rules-{index}"));
        // By its first line it knows ip6tables' files from those of iptables.
        let head = if index == 1 { "# ip6tables\n" } else { "" };
        fs::write(&path, format!("{head}{text}")).unwrap();
        command.arg("--rules").arg(&path);
    }
    let sample = Path::new(&case.name).file_name().unwrap();
    let sample = folder.path().join(sample);
    fs::write(&sample, &case.bytes).unwrap();
    let run = command.arg(&sample).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}: {errors}", case.name);
    met(&run.stdout)
}

/// As the lines of a record say it, ours or the kernel's.
fn met(record: &[u8]) -> Vec<Met> {
    let lines = std::str::from_utf8(record).unwrap().lines();
    lines
        .map(|line| {
            let said: Value = serde_json::from_str(line).unwrap();
            Met {
                number: said["n"].as_u64().unwrap(),
                state: said["state"].as_str().unwrap().to_owned(),
                helper: said["helper"].as_str().map(str::to_owned),
                dropped: said["dropped"].as_bool(),
            }
        })
        .collect()
}

const LOCAL: &str = "192.0.2.1/24";
