//! What several tests need: samples, replays in memory.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use ctaudit::capture::Capture;
use ctaudit::conntrack::config::{Assignment, Config};
use ctaudit::exposure::Exposure;
use ctaudit::helper::{self, Modules};
use ctaudit::kernel::Kernel;
use ctaudit::proof::Proof;
use ctaudit::proposal::{Proposal, Wishes};
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::report::json;
use ctaudit::ruleset::Ruleset;
use flate2::read::GzDecoder;

/// A path below the project's top.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every file below a folder, in the order of the names.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The samples that are captures.
pub fn samples() -> Vec<PathBuf> {
    let is_capture = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "pcap" || extension == "pcapng")
    };
    let samples: Vec<PathBuf> = files_below(&project("samples"))
        .into_iter()
        .filter(is_capture)
        .collect();
    assert!(
        samples.len() >= 10,
        "only {} samples were found",
        samples.len()
    );
    samples
}

/// A file, unpacked where its name ends in `.gz`.
pub fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    unpacked
}

/// A firewall of this series; if asked for, with the further assignments of the records named `.add-assign.`.
pub fn firewall(series: &str, add_assign: bool) -> Config {
    firewall_with(series, Modules::default(), add_assign)
}

/// Modules without the helpers that conntrackd has, too, which then runs them.
pub fn variants() -> Modules {
    let mut modules = Modules::default();
    helper::all()
        .filter(|spec| spec.replaces_a_module())
        .for_each(|spec| modules.replace(spec));
    modules
}

pub fn firewall_with(series: &str, modules: Modules, add_assign: bool) -> Config {
    let mut config = Config::new(Kernel::of(series).unwrap(), modules);
    if add_assign {
        let further = ["tcp 2121 ftp", "udp 5070 sip"];
        let further = further.map(|text| Assignment::parse(text, &config.modules).unwrap());
        config.assignments.extend(further);
    }
    config
}

/// A firewall that has all there is: further ports, the helpers of conntrackd, and the address that asks in the captures
/// of broadcasts.
pub fn every_helper(modules: Modules) -> Config {
    let mut config = firewall_with("6.18", modules, true);
    let userspace = Assignment::userspace(&config.modules);
    config.assignments.extend(userspace);
    let ssdp = Assignment::parse("tcp 1900 ssdp", &config.modules).unwrap();
    config.assignments.push(ssdp);
    config.local.push("192.0.2.1/24".parse().unwrap());
    config
}

pub fn capture(bytes: Vec<u8>) -> Capture {
    Capture::from_reader("a test's capture", Box::new(Cursor::new(bytes)))
}

/// The lines that `ctaudit events --json` would print.
pub fn record(bytes: Vec<u8>, config: Config, clock: Clock) -> Vec<u8> {
    let kernel = config.kernel;
    lines(Replay::new(capture(bytes), config, clock), &kernel)
}

/// The same of any replay.
pub fn lines(mut replay: Replay, kernel: &Kernel) -> Vec<u8> {
    let mut lines = Vec::new();
    loop {
        let passage = match replay.advance() {
            Ok(Some(passage)) => passage,
            Ok(None) => break,
            Err(error) if error.is_damage() => continue,
            Err(_) => break,
        };
        let (tunnel, step) = match passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => continue,
            Arrival::Unseen(_, step) => (None, step),
            Arrival::Packet(packet, step) => (packet.tunnel, step),
        };
        json::write(&mut lines, passage.number, tunnel.copied(), &step, kernel).unwrap();
    }
    lines
}

pub fn exposure(bytes: Vec<u8>, config: &Config) -> Exposure {
    let mut exposure = Exposure::new(config);
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        exposure.finish(&step);
    }
    exposure
}

/// The rules for what this capture needs.
pub fn proposal(bytes: Vec<u8>, config: &Config, wishes: &Wishes) -> Proposal {
    let exposure = exposure(bytes, config);
    Proposal::of(&exposure, &config.modules, &config.local, wishes.clone())
}

/// A capture against rules.
pub fn proof(bytes: Vec<u8>, config: &Config, rules: Ruleset, wishes: &Wishes) -> Proof {
    let mut proof = Proof::new(config, rules, &wishes.bypass, wishes.topology.as_ref());
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        proof.observe(&passage);
    }
    proof
}
