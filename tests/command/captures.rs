//! What `ctaudit` says of captures that come in pieces, compressed, damaged, twice or without end.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;

use super::{ctaudit, stdout};
use crate::support::{capture, project, read};
use crate::traffic::{self, Protocol};
use crate::wrap::{self, CONTAINERS, LINKS, Packet};

const SAMPLE: &str = "samples/helper/ftp/passive.pcap";

fn packets() -> Vec<Packet> {
    wrap::packets(capture(read(&project(SAMPLE))))
}

/// A file in nanoseconds of Ethernet frames.
fn pcap(packets: &[Packet]) -> Vec<u8> {
    wrap::file(&CONTAINERS[2], &LINKS[0], packets)
}

fn events(arguments: &[&str]) -> String {
    stdout(&[&["events", "--json"], arguments].concat())
}

fn written<'p>(folder: &'p Path, name: &str, bytes: &[u8]) -> &'p str {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned().leak()
}

#[test]
fn two_points_that_are_merged_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for (number, packet) in packets().into_iter().enumerate() {
        match number % 3 {
            0 => here.push(packet),
            _ => there.push(packet),
        }
    }
    let here = written(folder.path(), "here.pcap", &pcap(&here));
    let there = written(folder.path(), "there.pcap", &pcap(&there));
    let whole = events(&[SAMPLE]);
    assert_eq!(events(&["--merge", there, here]), whole);
    assert_ne!(events(&[there, here]), whole);
    let report = stdout(&["analyse", there, here]);
    let overlap = "- 1 of them begins before an earlier one ends: --merge reads them side by side";
    assert!(report.contains(overlap), "{report}");
    let report = stdout(&["analyse", "--merge", there, here]);
    assert!(report.contains("Captures: side by side, in the order of time"));
    assert!(!report.contains("before an earlier one ends"), "{report}");
}

/// As `tcpdump -i any` on a router shows it: each packet comes, and goes with one hop less.
#[test]
fn what_was_captured_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let twice = packets().into_iter().flat_map(|packet| {
        let mut gone = packet.clone();
        gone.at += 100_000;
        if let Some(hops) = gone.ip.get_mut(8) {
            *hops = hops.wrapping_sub(1);
        }
        [packet, gone]
    });
    let twice: Vec<Packet> = twice.collect();
    let path = written(folder.path(), "any.pcap", &pcap(&twice));
    let whole = events(&[SAMPLE]);
    // But for the numbers: each is the first of its two.
    let renumbered: String = events(&["--dedup", path])
        .lines()
        .map(|line| {
            let (_, rest) = line.split_once(',').unwrap();
            let number = line["{\"n\":".len()..].split(',').next().unwrap();
            let number: u64 = number.trim().parse().unwrap();
            format!("{{\"n\":{},{rest}\n", number.div_ceil(2))
        })
        .collect();
    assert_eq!(renumbered, whole.replace("{\"n\": ", "{\"n\":"));
    // Within too short a time none of them is the same.
    let lines = |text: String| text.lines().count();
    assert_eq!(
        lines(events(&["--dedup=0", path])),
        2 * whole.lines().count()
    );
    let report = stdout(&["analyse", "--dedup", path]);
    let told = format!(
        "- {} packets had been captured before, the same but for the hop count, and count once",
        whole.lines().count()
    );
    assert!(report.contains(&told), "{report}");
}

#[test]
fn a_directory_is_one_stream() {
    let folder = tempfile::tempdir().unwrap();
    let packets = packets();
    let (first, rest) = packets.split_at(packets.len() / 2);
    // What comes first in the alphabet is later.
    let (_, zstd) = wrap::COMPRESSIONS[1];
    written(folder.path(), "b.pcap", &pcap(first));
    written(folder.path(), "a.pcap.zst", &zstd(&pcap(rest)));
    written(folder.path(), "README", b"of the sensor");
    let directory = folder.path().to_str().unwrap();
    assert_eq!(events(&[directory]), events(&[SAMPLE]));
    let report = stdout(&["analyse", directory]);
    for told in [
        "pcap with nanoseconds, zstd",
        "- they were named in another order than that in which they begin",
        "- 1 file in the directories that are no captures",
    ] {
        assert!(report.contains(told), "{told}: {report}");
    }
}

#[test]
fn what_is_passed_over_is_told_and_what_is_behind_it_read() {
    let folder = tempfile::tempdir().unwrap();
    let packets = packets();
    let (first, rest) = packets.split_at(10);
    let (first, rest) = (pcap(first), pcap(rest));
    let damaged = [
        &first[..],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &rest[24..],
    ]
    .concat();
    let path = written(folder.path(), "damaged.pcap", &damaged);
    let csv = folder.path().join("csv");
    let output = ctaudit(&["analyse", "--csv", csv.to_str().unwrap(), path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let error = String::from_utf8(output.stderr).unwrap();
    let place = format!("damaged.pcap: packet 11 at byte {}: ", first.len());
    assert!(error.contains(&place), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    let report = String::from_utf8(output.stdout).unwrap();
    let told = "- damaged at 1 place: 27 bytes are no record, and were passed over";
    assert!(report.contains(told) && report.contains(&place), "{report}");
    let table = fs::read_to_string(csv.join("damage.csv")).unwrap();
    let row = format!(",11,{},27,", first.len());
    assert!(table.contains(&row), "{table}");
    let output = ctaudit(&["events", "--json", path]).output().unwrap();
    let whole = events(&[SAMPLE]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), whole);
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::cargo_bin("ctaudit").unwrap();
    command
        .args(arguments)
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn interrupt(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    // The shell's own: a small system has no program of that name.
    let kill = ["-c", r#"kill "$0" "$1""#, signal, &pid];
    let killed = Command::new("sh").args(kill).status().unwrap();
    assert!(killed.success());
}

#[test]
fn a_file_that_grows_is_followed_until_somebody_interrupts() {
    let folder = tempfile::tempdir().unwrap();
    let whole = pcap(&packets());
    let (first, rest) = whole.split_at(whole.len() / 2);
    let path = written(folder.path(), "growing.pcap", first);
    let mut child = start(&["events", "--json", "--follow", path]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first_line = lines.next().unwrap().unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(rest).unwrap();
    let expected = events(&[SAMPLE]);
    let expected: Vec<&str> = expected.lines().collect();
    let mut seen = vec![first_line];
    while seen.len() < expected.len() {
        seen.push(lines.next().unwrap().unwrap());
    }
    assert_eq!(seen, expected);
    interrupt(&child, "-INT");
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// What a proof is shown waits in a temporary file, once it is much.
#[test]
fn without_room_for_its_packets_nothing_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = traffic::pcap(&traffic::generate(Protocol::Ftp, 1, 12_000)).unwrap();
    let path = written(folder.path(), "ftp.pcap", &bytes);
    let report = |directory: &Path| {
        let mut analyse = ctaudit(&["analyse", path]);
        let output = analyse.env("TMPDIR", directory).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let (room, none) = (report(folder.path()), report(&folder.path().join("none")));
    let why = "the rules are not proved, because";
    assert!(room.contains("Proof: ") && !room.contains(why), "{room}");
    assert!(!none.contains("Proof: ") && none.contains(why), "{none}");
}

/// Somebody stops ctaudit, and not tcpdump: what was read is analysed, and the tables are whole.
#[test]
fn an_interrupted_pipe_is_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("csv");
    for signal in ["-INT", "-TERM"] {
        let mut child = start(&["analyse", "--csv", csv.to_str().unwrap(), "-"]);
        let mut stdin = child.stdin.take().unwrap();
        let sample = read(&project(SAMPLE));
        stdin.write_all(&sample).unwrap();
        wait_until_read(&child, sample.len());
        interrupt(&child, signal);
        let mut report = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut report)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(
            report.contains("- interrupted: what was read up to then"),
            "{report}"
        );
        assert!(
            report.contains("needed") && report.contains("Proof: proved"),
            "{report}"
        );
        let table = fs::read_to_string(csv.join("related_flows.csv")).unwrap();
        assert!(table.lines().count() > 1, "{table}");
        drop(stdin);
    }
}

/// Ctrl-C reaches tcpdump and ctaudit at once, and tcpdump has yet to write what it holds.
#[test]
fn what_a_pipe_s_writer_leaves_behind_is_read() {
    let mut child = start(&["events", "--json", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let sample = read(&project(SAMPLE));
    let (first, rest) = sample.split_at(sample.len() / 2);
    stdin.write_all(first).unwrap();
    wait_until_read(&child, first.len());
    interrupt(&child, "-STOP");
    stdin.write_all(rest).unwrap();
    interrupt(&child, "-INT");
    interrupt(&child, "-CONT");
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(text, events(&[SAMPLE]));
}

/// The kernel counts what a process has read; with what it is loaded from, that is a little more.
fn wait_until_read(child: &Child, bytes: usize) {
    let path = format!("/proc/{}/io", child.id());
    let mut before = 0;
    for _ in 0..200 {
        let counts = fs::read_to_string(&path).unwrap();
        let read = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
        let read: usize = read.unwrap().parse().unwrap();
        if read >= bytes && read == before {
            return;
        }
        before = read;
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{bytes} bytes were not read");
}
