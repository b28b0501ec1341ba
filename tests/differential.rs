//! Our record of a capture against the kernel's, packet by packet.
//!
//! The records beside the samples and in `tests/recorded` were taken from running kernels; how, their READMEs say.
//! Compared are verdict, expectations and conntracks as ctnetlink told of them; not what time caused, because the
//! kernel collects when it finds time to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ctaudit::conntrack::config::{Assignment, Config};
use ctaudit::helper::Modules;
use ctaudit::replay::Clock;
use serde_json::{Map, Value};

use crate::support::{files_below, firewall_with, project, read, record, variants};
use crate::traffic;

/// The firewall's own address in the records that have `.local.` in their names.
const LOCAL: &str = "192.0.2.1/24";

/// Differences that are the record's: its name, the packets, and the reason.
const KNOWN: &[(&str, &[u64], &str)] = &[(
    "video-tcp-ipv6.pcap.6.12.jsonl.gz",
    &[237, 240, 242, 290],
    "the emulated machine was some 15 to 30 ms late with the first packets of a capture that begins with twenty in \
     6 ms, so the two seconds after which a UDP flow is ASSURED began later for it",
)];

/// The firewall that a record was taken of, as its name says.
fn firewall_of(series: &str, name: &str) -> Config {
    let modules = if name.contains(".variants.") {
        variants()
    } else {
        Modules::default()
    };
    let mut config = firewall_with(series, modules, name.contains(".add-assign."));
    if name.contains(".local.") {
        config.local.push(LOCAL.parse().unwrap());
    }
    if name.contains(".userspace") {
        for helper in ["dhcpv6", "mdns", "slp", "ssdp", "rpc", "tns"] {
            let policy = format!("{helper}=8/300");
            config.modules.set_policy(&policy).unwrap();
        }
        let userspace = Assignment::userspace(&config.modules);
        config.assignments.extend(userspace);
    }
    if name.contains("ssdp-tcp.") {
        let ssdp = Assignment::parse("tcp 1900 ssdp", &config.modules).unwrap();
        config.assignments.push(ssdp);
    }
    if name.contains(".close-120.") {
        let sysctl = "net.netfilter.nf_conntrack_tcp_timeout_close=120";
        config.sysctls.set(sysctl).unwrap();
    }
    if name.contains(".direct-media-0.") {
        let module = "nf_conntrack_sip.sip_direct_media=0";
        config.modules.set(module).unwrap();
    }
    config
}

#[test]
fn every_sample_says_what_the_kernel_said() {
    let compared = compare_all(&project("samples"));
    assert!(
        compared >= 190,
        "only {compared} records were found beside the samples"
    );
}

#[test]
fn recorded_random_traffic_says_what_the_kernel_said() {
    let compared = compare_all(&project("tests/recorded"));
    assert!(compared >= 66, "only {compared} records were found");
}

/// For whoever is root and has kernel-replay: names the program in KERNEL_REPLAY, and in SEEDS how many runs of
/// 5,000 packets each helper gets.
#[test]
#[ignore = "needs root, a kernel with conntrack, and KERNEL_REPLAY"]
fn new_random_traffic_says_what_the_kernel_says() {
    let program = std::env::var("KERNEL_REPLAY").expect("KERNEL_REPLAY names the program");
    let seeds: u64 = std::env::var("SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for protocol in traffic::Protocol::ALL {
        let local = protocol == traffic::Protocol::Broadcast;
        for seed in 1000..1000 + seeds {
            let path = folder.path().join(format!("{protocol:?}-{seed}.pcap"));
            traffic::write_pcap(&path, &traffic::generate(protocol, seed, 5000)).unwrap();
            let mut command = std::process::Command::new(&program);
            if local {
                command.args(["--local", LOCAL]);
            }
            let kernel = command.arg(&path).output().unwrap();
            assert!(
                kernel.status.success(),
                "{}",
                String::from_utf8_lossy(&kernel.stderr)
            );
            let config = firewall_of("6.18", if local { ".local." } else { "" });
            let ours = record(read(&path), config, Clock::Still);
            let differences = differences(&parse(&kernel.stdout), &parse(&ours));
            assert!(
                differences.is_empty(),
                "{protocol:?} seed {seed}:\n{}",
                texts(&differences)
            );
        }
    }
}

/// For whoever is root and has kernel-vm: names the program in KERNEL_VM, and in SEEDS how many runs of 3,000 packets
/// each of conntrackd's helpers gets. On a machine that is busy with something else the packets come back too late.
#[test]
#[ignore = "needs root, an emulator, conntrackd, and KERNEL_VM"]
fn new_random_traffic_says_what_conntrackd_says() {
    let program = std::env::var("KERNEL_VM").expect("KERNEL_VM names the program");
    let seeds: u64 = std::env::var("SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut captures = Vec::new();
    for protocol in traffic::Protocol::OF_CONNTRACKD {
        for seed in 1000..1000 + seeds {
            let path = folder.path().join(format!("{protocol:?}-{seed}.pcap"));
            let packets = traffic::generate(protocol, seed, 3000);
            traffic::write_pcap(&path, &traffic::through_a_queue(packets)).unwrap();
            captures.push(path);
        }
    }
    let run = std::process::Command::new(&program)
        .arg("6.12")
        .arg(folder.path())
        .args(["--", "--userspace"])
        .args([
            "--sysctl",
            "net.netfilter.nf_conntrack_tcp_timeout_close=120",
        ])
        .args(&captures)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    for path in captures {
        let record_of = path.with_extension("pcap.jsonl");
        let config = firewall_of("6.12", ".userspace.close-120.");
        let ours = record(read(&path), config, Clock::Capture);
        let differences = differences(&parse(&read(&record_of)), &parse(&ours));
        assert!(
            differences.is_empty(),
            "{}:\n{}",
            path.display(),
            texts(&differences)
        );
    }
}

/// Writes one run to PCAP: the seed in SEED, the protocol by its name in PROTOCOL; with QUEUE, as slow as conntrackd's
/// queues want it. For recording and for hunting.
#[test]
#[ignore = "writes a file"]
fn write_random_traffic() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let protocol = (traffic::Protocol::ALL.into_iter())
        .chain(traffic::Protocol::OF_CONNTRACKD)
        .find(|protocol| format!("{protocol:?}").eq_ignore_ascii_case(&variable("PROTOCOL")))
        .expect("PROTOCOL names one of traffic::Protocol");
    let mut packets = traffic::generate(protocol, variable("SEED").parse().unwrap(), 3000);
    if std::env::var("QUEUE").is_ok() {
        packets = traffic::through_a_queue(packets);
    }
    traffic::write_pcap(Path::new(&variable("PCAP")), &packets).unwrap();
}

/// Compares every record below a folder with our own of the capture beside it; how many there were.
fn compare_all(folder: &Path) -> usize {
    let records: Vec<PathBuf> = files_below(folder)
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".jsonl.gz"))
        .collect();
    for path in &records {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (series, clock) = if name.contains(".6.1.") {
            ("6.1", Clock::Capture)
        } else if name.contains(".6.12.") {
            ("6.12", Clock::Capture)
        } else {
            ("6.18", Clock::Still)
        };
        let capture = capture_of(path, &name, series);
        let ours = record(read(&capture), firewall_of(series, &name), clock);
        let differences = differences(&parse(&read(path)), &parse(&ours));
        let known = KNOWN.iter().find(|(record, _, _)| *record == name);
        let known = known.map_or(&[][..], |(_, packets, _)| packets);
        let found: Vec<u64> = differences.iter().map(|(packet, _)| *packet).collect();
        assert_eq!(found, known, "{}:\n{}", path.display(), texts(&differences));
    }
    records.len()
}

/// `x.pcap.6.18.jsonl.gz` records `x.pcap`; `x.6.18.jsonl.gz` records `x.pcap.gz`.
fn capture_of(record: &Path, name: &str, series: &str) -> PathBuf {
    let stem = &name[..name
        .find(&format!(".{series}."))
        .unwrap_or_else(|| panic!("{name} names no kernel"))];
    let beside = [
        stem.to_owned(),
        format!("{stem}.pcap.gz"),
        format!("{stem}.pcap"),
    ];
    let mut candidates = beside.iter().map(|name| record.with_file_name(name));
    candidates
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} has no capture beside it"))
}

fn parse(lines: &[u8]) -> BTreeMap<u64, Value> {
    let line = |line: &str| -> (u64, Value) {
        let value: Value = serde_json::from_str(line).unwrap();
        (value["n"].as_u64().unwrap(), value)
    };
    std::str::from_utf8(lines)
        .unwrap()
        .lines()
        .map(line)
        .collect()
}

fn texts(differences: &[(u64, String)]) -> String {
    let texts: Vec<&str> = differences.iter().map(|(_, text)| text.as_str()).collect();
    texts.join("\n")
}

/// Where two records of one capture disagree, the first few packets.
fn differences(kernel: &BTreeMap<u64, Value>, ours: &BTreeMap<u64, Value>) -> Vec<(u64, String)> {
    let mut found: Vec<(u64, String)> = Vec::new();
    for (n, theirs) in kernel {
        let Some(own) = ours.get(n) else {
            if theirs["state"] != "none" {
                let text = format!(
                    "packet {n}: {} in the kernel, no line of ours",
                    theirs["state"]
                );
                found.push((*n, text));
            }
            continue;
        };
        for field in ["state", "dir", "helper", "dropped"] {
            let judged = field != "dropped" || !theirs[field].is_null();
            if judged && theirs[field] != own[field] {
                let text = format!(
                    "packet {n}: {field} is {} in the kernel, {} here",
                    theirs[field], own[field]
                );
                found.push((*n, text));
            }
        }
        for kinds in [["exp_new", "exp_destroy"], ["ct_new", "ct_update"]] {
            let (a, b) = (events(theirs, kinds), events(own, kinds));
            if a.len() != b.len() || !a.iter().zip(&b).all(|(a, b)| same(a, b)) {
                found.push((*n, format!("packet {n}:\n  kernel {a:?}\n  ours   {b:?}")));
            }
        }
        if found.len() > 5 {
            break;
        }
    }
    // What the kernel does not tell of never came to its rules.
    for (n, own) in ours {
        if !kernel.contains_key(n) {
            found.push((
                *n,
                format!("packet {n}: {} here, no line of the kernel's", own["state"]),
            ));
        }
    }
    found
}

fn events<'v>(line: &'v Value, kinds: [&str; 2]) -> Vec<&'v Value> {
    let events = line["events"].as_array().map_or(&[][..], |events| events);
    events
        .iter()
        .filter(|event| kinds.contains(&event["ev"].as_str().unwrap_or("")))
        .collect()
}

/// Equal, but for time-outs that differ by a second, the order of status names, and fields without a value.
fn same(a: &Value, b: &Value) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else {
        return a == b;
    };
    let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter().all(|key| {
        let (a, b) = (value(a, key), value(b, key));
        match key.as_str() {
            "timeout" => match (a.and_then(Value::as_i64), b.and_then(Value::as_i64)) {
                (Some(a), Some(b)) => (a - b).abs() <= 1,
                _ => true,
            },
            "status" => names(a) == names(b),
            _ => match (a, b) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                _ => false,
            },
        }
    })
}

fn value<'m>(object: &'m Map<String, Value>, key: &str) -> Option<&'m Value> {
    object
        .get(key)
        .filter(|value| !value.is_null() && value.as_str() != Some(""))
}

fn names(value: Option<&Value>) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// The comparison itself must be able to fail.
#[test]
fn the_comparison_finds_what_differs() {
    let line = |text: &str| parse(text.as_bytes());
    let kernel = line(
        r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":false,"events":[{"ev":"ct_new","timeout":30,"status":["A","B"]}]}"#,
    );
    let cases = [
        (
            r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":false,"events":[{"ev":"ct_new","timeout":29,"status":["B","A"]}]}"#,
            true,
        ),
        (
            r#"{"n":1,"state":"invalid","dir":"original","helper":null,"dropped":false,"events":[{"ev":"ct_new","timeout":30,"status":["A","B"]}]}"#,
            false,
        ),
        (
            r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":true,"events":[{"ev":"ct_new","timeout":30,"status":["A","B"]}]}"#,
            false,
        ),
        (
            r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":false,"events":[{"ev":"ct_new","timeout":28,"status":["A","B"]}]}"#,
            false,
        ),
        (
            r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":false,"events":[{"ev":"ct_new","timeout":30,"status":["A"]}]}"#,
            false,
        ),
        (
            r#"{"n":1,"state":"new","dir":"original","helper":null,"dropped":false,"events":[]}"#,
            false,
        ),
        (
            r#"{"n":2,"state":"new","dir":"original","helper":null,"dropped":false,"events":[]}"#,
            false,
        ),
    ];
    for (ours, equal) in cases {
        assert_eq!(
            differences(&kernel, &line(ours)).is_empty(),
            equal,
            "{ours}"
        );
    }
}
