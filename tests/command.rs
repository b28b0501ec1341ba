//! The program as its user meets it.

mod captures;
mod config;
mod links;
mod merge;
mod rules;
mod screens;
mod shell;
mod tunnels;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use polars::prelude::{CsvReadOptions, ParquetReader, SerReader};

use crate::findings::{end, talk};
use crate::support::{project, read};
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::packet::udp;

pub fn ctaudit(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ctaudit").unwrap();
    command
        .args(arguments)
        .env("COLUMNS", "100")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

pub fn stdout(arguments: &[&str]) -> String {
    let output = ctaudit(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What a terminal shows, without the line breaks within an item of a list.
fn unbroken(text: &str) -> String {
    text.replace("\n  ", " ")
}

/// The texts in `reports/` are what the program prints. With BLESS set they are written anew, to be read in review.
#[test]
fn the_reports_are_what_the_program_prints() {
    for (arguments, report) in [
        (&["analyse", "samples/office.pcapng"][..], "office.txt"),
        (&["helpers"], "helpers.txt"),
        (&["kernels"], "kernels.txt"),
        (&["findings"], "findings.txt"),
        (
            &[
                "analyse",
                "--add-assign",
                "tcp 2121 ftp",
                "samples/helper/ftp/port-2121.pcap",
            ],
            "ftp-port-2121.txt",
        ),
        (
            &["analyse", "samples/helper/sip/registered.pcap"],
            "sip-registered.txt",
        ),
        (
            &[
                "analyse",
                "--what-if",
                "nf_conntrack_sip.sip_direct_media=0",
                "--what-if",
                "helper=none",
                "samples/helper/sip/registered.pcap",
            ],
            "sip-what-if.txt",
        ),
        (
            &["analyse", "samples/helper/h323/gatekeeper.pcap"],
            "h323-gatekeeper.txt",
        ),
        (
            &["analyse", "samples/helper/pptp/two-clients.pcap"],
            "pptp-two-clients.txt",
        ),
        (
            &[
                "analyse",
                "--local",
                "192.0.2.1/24",
                "samples/helper/snmp/printers.pcap",
            ],
            "snmp-printers.txt",
        ),
        (
            &[
                "analyse",
                "--userspace",
                "--add-assign",
                "tcp 1900 ssdp",
                "samples/helper/ssdp/events.pcap",
            ],
            "ssdp-events.txt",
        ),
        (
            &["events", "samples/helper/tftp/read.pcap"],
            "tftp-read-events.txt",
        ),
        (
            &["explain", "samples/office.pcapng", "245"],
            "office-frame-245.txt",
        ),
        (&["rules", "samples/office.pcapng"], "office.nft"),
        (
            &["rules", "--for", "nft-json", "samples/office.pcapng"],
            "office.json",
        ),
        (
            &["rules", "--for", "iptables", "samples/office.pcapng"],
            "office.iptables",
        ),
        (
            &["rules", "--for", "ip6tables", "samples/office.pcapng"],
            "office.ip6tables",
        ),
        (
            &[
                "prove",
                "samples/office.pcapng",
                "--rules",
                "reports/office.iptables",
                "--rules",
                "reports/office.ip6tables",
            ],
            "office-prove.txt",
        ),
    ] {
        let path = project("reports").join(report);
        let printed = stdout(arguments);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        assert_eq!(
            printed,
            fs::read_to_string(&path).unwrap(),
            "{report} is out of date: run with BLESS=1 and read the change"
        );
    }
}

/// What the README shows of it is real.
#[test]
fn the_readme_shows_the_report() {
    let readme = fs::read_to_string(project("README.md")).unwrap();
    let report = fs::read_to_string(project("reports/office.txt")).unwrap();
    let block = readme
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let known: Vec<&str> = report.lines().collect();
    let shown: Vec<&str> = block
        .lines()
        .filter(|line| !["", "…"].contains(line))
        .collect();
    assert!(shown.len() > 20, "only {} lines", shown.len());
    for line in shown {
        assert!(
            known.contains(&line),
            "reports/office.txt has no line {line:?}"
        );
    }
}

#[test]
fn standard_input_is_a_capture() {
    let path = "samples/helper/ftp/passive.pcap";
    let piped = ctaudit(&["analyse", "-"])
        .write_stdin(read(&project(path)))
        .output()
        .unwrap();
    assert!(piped.status.success());
    assert_eq!(
        String::from_utf8(piped.stdout).unwrap(),
        stdout(&["analyse", path])
    );
}

#[test]
fn several_captures_are_one_stream() {
    let text = stdout(&[
        "analyse",
        "samples/helper/ftp/passive.pcap",
        "samples/helper/ftp/active.pcap",
    ]);
    let frames = |path: &str| -> u64 {
        let text = stdout(&["analyse", path]);
        text.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let both = frames("samples/helper/ftp/passive.pcap") + frames("samples/helper/ftp/active.pcap");
    assert!(
        text.contains(&format!("\nPackets: {both} frames")),
        "{text}"
    );
}

/// Each as if it had been analysed alone, in the order in which they are named; what cannot be read ends nothing but itself.
#[test]
fn jobs_keep_captures_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let captures = [
        ("samples/helper/ftp/passive.pcap", "ftp/read.pcap"),
        ("README.md", "README.md"),
        ("samples/office.pcapng", "office.pcapng"),
        ("samples/helper/ftp/active.pcap", "ftp/active.pcap"),
        ("samples/helper/tftp/read.pcap", "tftp/read.pcap"),
    ];
    let paths = captures.map(|(sample, name)| {
        let path = at(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::copy(project(sample), &path).unwrap();
        path
    });
    let tables = at("tables");
    for jobs in ["1", "2", "9"] {
        let mut arguments = vec!["analyse", "--jobs", jobs, "--csv", &tables];
        arguments.extend(paths.iter().map(String::as_str));
        let output = ctaudit(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            errors.matches("README.md: not a pcap").count(),
            1,
            "{errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
        let alone = paths.iter().map(|path| {
            let output = ctaudit(&["analyse", path]).output().unwrap();
            let report = String::from_utf8(output.stdout).unwrap();
            format!("==> {path} <==\n{report}")
        });
        let alone: Vec<String> = alone.collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), alone.join("\n"));
    }
    let alone = at("alone");
    stdout(&["analyse", "--csv", &alone, &paths[2]]);
    for table in ["conntracks.csv", "verdicts.csv", "forged.csv"] {
        let of = |folder: &str| fs::read(Path::new(folder).join(table)).unwrap();
        assert_eq!(of(&at("tables/office.pcapng")), of(&alone), "{table}");
    }
    for name in ["ftp/read.pcap", "tftp/read.pcap", "active.pcap"] {
        assert_eq!(
            names(&folder.path().join("tables").join(name)),
            20,
            "{name}"
        );
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["analyse"][..],
        &["analyze", "x.pcap"],
        &["analyse", "--add-assign", "tcp 21 nothing", "x.pcap"],
        &["analyse", "--add-assign", "udp 21 ftp", "x.pcap"],
        &["analyse", "--module", "nf_conntrack_ftp.loose=2", "x.pcap"],
        &["analyse", "--sysctl", "net.ipv4.ip_forward=1", "x.pcap"],
        &["analyse", "--kernel", "2.4", "x.pcap"],
        &["analyse", "--local", "192.0.2.256/24", "x.pcap"],
        &["events", "--clock", "sundial", "x.pcap"],
        &["analyse", "--what-if", "loose", "x.pcap"],
        &["analyse", "--what-if", "ftp.loose=1", "x.pcap"],
        &["analyse", "--what-if", "gopher=none", "x.pcap"],
        &["analyse", "--what-if", "kernel=2.4", "x.pcap"],
        &["analyse", "--fail-on", "terrible", "x.pcap"],
        &["explain", "x.pcap"],
        &["explain", "x.pcap", "0"],
        &["explain", "x.pcap", "first"],
        &["analyse", "--decapsulate", "gre,l2tp", "x.pcap"],
        &["analyse", "--jobs", "0", "x.pcap"],
        &["analyse", "--jobs", "2", "--merge", "x.pcap"],
        &["analyse", "--jobs", "2", "x.pcap", "x.pcap"],
    ] {
        let output = ctaudit(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// Linux 7.3 has no ports= any more: neither it nor a comparison with it may pass over that.
#[test]
fn what_a_kernel_does_not_have_is_not_passed_over() {
    let (ports, sample) = (
        "nf_conntrack_ftp.ports=21,2121",
        "samples/helper/ftp/port-2121.pcap",
    );
    for (kernel, there, expected) in [("6.1", "7.2", 0), ("7.3", "6.18", 2), ("6.18", "7.3", 2)] {
        let arguments = [
            "analyse",
            "--module",
            ports,
            "--kernel",
            kernel,
            "--compare-kernel",
            there,
            sample,
        ];
        let output = ctaudit(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{kernel} and {there}");
    }
}

#[test]
fn what_cannot_be_read_ends_with_1_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let none = folder.path().join("none");
    fs::create_dir(&none).unwrap();
    for (path, message) in [
        (
            folder
                .path()
                .join("missing.pcap")
                .to_str()
                .unwrap()
                .to_owned(),
            "missing.pcap",
        ),
        (file("empty.pcap", b""), "empty"),
        (file("text.pcap", b"hello, world"), "not a pcap"),
        (file("packed.pcap", b"\x1f\x8b\x08\0\0\0"), "unexpected end"),
        (
            none.to_str().unwrap().to_owned(),
            "directory without a capture",
        ),
    ] {
        let output = ctaudit(&["analyse", &path]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{path}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(message), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_damaged_capture_is_analysed_up_to_the_damage_and_ends_with_4() {
    let whole = read(&project("samples/helper/ftp/passive.pcap"));
    let output = ctaudit(&["analyse", "-"])
        .write_stdin(&whole[..whole.len() - 5])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(
        error.contains("packet ") && error.contains("at byte ") && error.contains("cut off"),
        "{error}"
    );
    assert!(String::from_utf8(output.stdout).unwrap().contains("needed"));
}

/// What opensvp sends: a server's 227 that nobody asked for.
#[test]
fn fail_on_ends_with_3_where_something_is_as_bad() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (
            Server,
            b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
        ),
    ];
    let packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 21), &said);
    let capture = at_seconds((0..).zip(packets));
    for (severity, status) in [("low", 3), ("medium", 3), ("high", 0)] {
        let output = ctaudit(&["analyse", "--fail-on", severity, "-"])
            .write_stdin(&capture[..])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{severity}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("ftp-unasked-passive"), "{text}");
    }
    let ordinary = "samples/helper/ftp/passive.pcap";
    stdout(&["analyse", "--fail-on", "low", ordinary]);
}

/// A passive port is announced a minute before ten, and nobody comes for five minutes.
#[test]
fn hours_are_listed_where_there_is_more_than_one() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"PASV\r\n"),
        (
            Server,
            b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
        ),
    ];
    let mut packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 21), &said);
    packets.push(udp(end("192.0.2.12", 9), end("192.0.2.13", 9), b"x"));
    let second = |at: u32| if at < 6 { 35_940 } else { 39_600 };
    let capture = at_seconds((0..).map(second).zip(packets));
    let output = ctaudit(&["analyse", "-"])
        .write_stdin(&capture[..])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for row in [
        r"1970-01-01T09:00:00\.000000Z +1 +0 +60\.000 +0\.000",
        r"1970-01-01T10:00:00\.000000Z +0 +0 +240\.000 +0\.000",
    ] {
        assert!(regex::Regex::new(row).unwrap().is_match(&text), "{text}");
    }
}

/// `ctaudit events | head` ends without a word.
#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_ctaudit"))
        .args(["events", "--json", "samples/office.pcapng"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Taken with `conntrack -E -o timestamp` and `conntrack -E expect` (1.4.7) while a 6.18.44 saw such packets; addresses,
/// ports and time are this sample's.
#[test]
fn events_look_like_those_of_conntrack() {
    let text = stdout(&["events", "samples/helper/ftp/passive.pcap"]);
    let number = r"\d+";
    let address = r"[0-9.]+";
    for pattern in [
        format!(
            r"(?m)^\[\d+\.\d{{6}}\]\t    \[NEW\] tcp      6 120 SYN_SENT src={address} dst={address} sport={number} dport=21 \[UNREPLIED\] src={address} dst={address} sport=21 dport={number} helper=ftp$"
        ),
        format!(
            r"(?m)^\[\d+\.\d{{6}}\]\t \[UPDATE\] tcp      6 60 SYN_RECV src={address} dst={address} sport={number} dport=21 src={address} dst={address} sport=21 dport={number} helper=ftp$"
        ),
        format!(
            r"(?m)^\[\d+\.\d{{6}}\]\t \[UPDATE\] tcp      6 432000 ESTABLISHED src={address} dst={address} sport={number} dport=21 src={address} dst={address} sport=21 dport={number} \[ASSURED\] helper=ftp$"
        ),
        format!(
            r"(?m)^\[\d+\.\d{{6}}\]\t    \[NEW\] 300 proto=6 src={address} dst={address} sport=0 dport={number} mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src={address} master-dst={address} sport={number} dport=21 class=0 helper=ftp$"
        ),
    ] {
        assert!(
            regex::Regex::new(&pattern).unwrap().is_match(&text),
            "nothing matches {pattern} in\n{text}"
        );
    }
}

#[test]
fn csv_and_parquet_hold_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, parquet) = (folder.path().join("csv"), folder.path().join("parquet"));
    let directories = [csv.to_str().unwrap(), parquet.to_str().unwrap()];
    stdout(&[
        "analyse",
        "--csv",
        directories[0],
        "--parquet",
        directories[1],
        "--what-if",
        "irc=none",
        "samples/office.pcapng",
    ]);
    let schema = fs::read_to_string(csv.join("schema.csv")).unwrap();
    for table in [
        "captures",
        "packets",
        "links",
        "conntracks",
        "expectations",
        "related_flows",
        "verdicts",
        "exposure",
        "refusals",
        "findings",
        "control_protocols",
        "what_if",
        "rules",
        "reach",
        "forged",
    ] {
        let from_csv = CsvReadOptions::default()
            .try_into_reader_with_file_path(Some(csv.join(format!("{table}.csv"))))
            .unwrap()
            .finish()
            .unwrap();
        let file = fs::File::open(parquet.join(format!("{table}.parquet"))).unwrap();
        let from_parquet = ParquetReader::new(file).finish().unwrap();
        assert!(from_csv.height() > 0, "{table} is empty");
        assert_eq!(from_csv.height(), from_parquet.height(), "{table}");
        assert_eq!(
            from_csv.get_column_names(),
            from_parquet.get_column_names(),
            "{table}"
        );
        for column in from_parquet.columns() {
            let documented = format!("5,{table},{},{},", column.name(), column.dtype());
            assert!(
                schema.contains(&documented),
                "schema.csv lacks {documented}"
            );
        }
    }
    // With schema.csv, and what merge reads.
    assert_eq!(names(&csv), 20);
    assert_eq!(names(&parquet), 20);
}

/// What an interrupted run leaves: nothing that looks whole, nothing beside it.
#[test]
fn a_failed_run_leaves_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.pcap");
    fs::write(&text, b"hello, world").unwrap();
    let tables = folder.path().join("tables");
    let output = ctaudit(&[
        "analyse",
        "--csv",
        tables.to_str().unwrap(),
        text.to_str().unwrap(),
    ])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(names(&tables), 0);
}

fn names(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.count())
}
