//! `ctaudit explain`: one packet, held against the sample's own bytes, sums that can be done by hand, and what the other
//! commands say of it.

use std::fs;

use assert_cmd::Command;
use ctaudit::conntrack::config::Config;
use ctaudit::explain::Explanation;
use ctaudit::replay::{Clock, Replay};
use ctaudit::report::{sections, terminal};
use serde_json::Value;

use crate::conntrack::{End, Segment, segment, tcp};
use crate::findings::{end, talk};
use crate::support::{capture, firewall, lines, project, read, record, samples};
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};

fn explained(bytes: Vec<u8>, config: Config, frame: u64) -> String {
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture).examine(frame);
    let mut explanation = Explanation::of(frame);
    while let Some(passage) = replay.advance().unwrap() {
        explanation.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        explanation.finish(&step);
    }
    let frame = explanation.frame.as_ref().unwrap();
    let page = sections::explanation(&explanation, frame, replay.examined());
    let mut text = Vec::new();
    let look = terminal::Look {
        width: 200,
        is_coloured: false,
    };
    terminal::page(&mut text, &page, look).unwrap();
    String::from_utf8(text).unwrap()
}

fn of_office(frame: u64) -> String {
    let office = read(&project("samples/office.pcapng"));
    explained(office, firewall("6.18", false), frame)
}

/// The cells of the row that begins with this one.
fn row(text: &str, first: &str) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split("  ").map(|cell| cell.trim().to_owned());
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let mut rows = text.lines().map(cells);
    let found = rows.find(|cells| cells.first().is_some_and(|cell| cell == first));
    found.unwrap_or_else(|| panic!("no row {first}: {text}"))
}

/// The bytes above marks: their letters, and what their numbers are the letters of.
fn marked(text: &str) -> (String, String) {
    let (mut letters, mut numbers) = (String::new(), String::new());
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let [bytes, marks] = [pair[0], pair[1]].map(|line| line.as_bytes());
        if !marks.contains(&b'^') || !pair[1].trim_matches(['^', ' ']).is_empty() {
            continue;
        }
        let (hex, ascii) = (7..54, 56..72);
        for at in hex.step_by(3).filter(|&at| marks.get(at) == Some(&b'^')) {
            let number = u8::from_str_radix(&pair[0][at..at + 2], 16).unwrap();
            numbers.push(char::from(number));
        }
        for at in ascii.filter(|&at| marks.get(at) == Some(&b'^')) {
            letters.push(char::from(bytes[at]));
        }
    }
    (letters, numbers)
}

/// `PORT 192,0,2,11,194,153`, whose flow comes four frames later.
#[test]
fn a_command_is_shown_with_the_bytes_that_became_the_port() {
    let text = of_office(245);
    assert!(text.contains("\nVerdict: established\n"));
    assert!(text.contains("\nWhat ftp reads: 25 bytes, numbered from 0; ^ marks"));
    assert!(text.contains("  PORT 192,0,2,11,\n"));
    assert_eq!(marked(&text), ("194,153".to_owned(), "194,153".to_owned()));
    assert!(text.contains(&format!("dst port  {}", 194 * 256 + 153)));
    assert!(text.contains("bytes 16-22"));
    // The 25 bytes of the command, and 52 of headers.
    assert_eq!(
        row(&text, "original packets")[1..],
        ["12, 669 bytes", "13, 746 bytes"]
    );
    assert_eq!(746 - 669, 25 + 52);
    let fate = row(&text, "1");
    assert!(fate[3].starts_with("used at 249, "), "{fate:?}");
    // As `analyse` has it of the related flow.
    let flow = row(&text, "28");
    assert_eq!(
        flow[1..4],
        ["tcp 198.51.100.21:20 to 192.0.2.11:49817", "8", "632"]
    );
    assert!(flow[5].contains("came for expectation 1 at 249; timed out"));
}

/// `(198,51,100,21,160,196)`, and nobody connected before the capture ended.
#[test]
fn an_answer_whose_expectation_is_still_open() {
    let text = of_office(1404);
    assert_eq!(marked(&text), ("160,196".to_owned(), "160,196".to_owned()));
    assert!(text.contains(&format!("198.51.100.21:{}", 160 * 256 + 196)));
    assert!(text.contains("still open at the end of the capture\n\nconntrack"));
}

/// The request is sent at 0, 5 and 10 s (frames 1035, 1152 and 1267); its conntrack lasts 30 s longer.
#[test]
fn a_request_that_nobody_answers() {
    let text = of_office(1035);
    assert!(text.contains("\nVerdict: new\n"));
    assert!(text.contains("which this packet opens"));
    assert!(text.contains("..readme.txt.oct\n"));
    assert_eq!(marked(&text).0, "");
    // tshark has the last request 10.000260 s behind the first.
    let fate = row(&text, "18");
    assert_eq!(fate[2], "40.000260 s");
    assert_eq!(
        fate[3],
        "made again at 1152, 1267; master gone, 40.000260 s later"
    );
}

/// Every row of `analyse` that says what became of an expectation.
#[test]
fn fates_are_those_of_the_analysis() {
    let report = fs::read_to_string(project("reports/office.txt")).unwrap();
    let section = report.split("\nExpectations:").nth(1).unwrap();
    let section = section.split("\n\n").next().unwrap();
    let mut checked = 0;
    for line in section.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [frame, "ftp", .., outcome, "at", by] = words[..] else {
            continue;
        };
        let text = of_office(frame.parse().unwrap());
        assert!(
            text.contains(&format!("; {outcome} at {by}"))
                || text.contains(&format!("  {outcome} at {by}")),
            "{text}"
        );
        checked += 1;
    }
    assert!(checked > 5, "only {checked} rows");
}

#[test]
fn frames_without_a_packet_say_why() {
    assert!(of_office(3).contains("It holds no IP packet: another protocol."));
    assert!(of_office(143).contains("never comes to the rules: fragment, waiting for the rest."));
    let whole = of_office(145);
    assert!(whole.contains("put together from fragments, of which this frame brought the last"));
    // tshark: the last fragment begins at 2960 and has 68 bytes less its header of 20.
    assert_eq!(row(&whole, "IP")[1], "3028 bytes, hop limit 64");
}

/// The client's call is 20032, says frame 10 (0x4e40, N@); the server's answer in frame 11 opens the tunnel.
#[test]
fn a_word_that_a_later_packet_makes_something_of() {
    let sample = read(&project("samples/helper/pptp/session.pcap"));
    let text = explained(sample, firewall("6.18", false), 10);
    assert_eq!(marked(&text).0, "N@");
    assert_eq!(0x4e40, 20032);
    assert!(text.contains("expectation 1 of frame 11  src port  20032"));
    assert!(text.contains("\nCaused: nothing"), "{text}");
    assert!(text.contains("used at 13, "));
}

const CLIENT: End = ("192.0.2.11", 40000);
const SERVER: End = ("198.51.100.80", 80);

/// What is said of a segment of the client's behind a handshake in which both ends offer 8192 bytes: their next numbers are
/// 1001 and 5001.
fn behind_a_handshake(last: Segment<'_>) -> String {
    let packets = [
        tcp(CLIENT, SERVER, segment("S", 1000, 0)),
        tcp(SERVER, CLIENT, segment("SA", 5000, 1001)),
        tcp(CLIENT, SERVER, segment("A", 1001, 5001)),
        tcp(CLIENT, SERVER, last),
    ];
    explained(at_seconds((0..).zip(packets)), firewall("6.18", false), 4)
}

#[test]
fn a_segment_is_shown_with_the_bound_that_it_misses() {
    // The server allows up to 1001 + 8192, and as many bytes again pass without being believed.
    let wrapped = |number: i64| number.rem_euclid(1 << 32) as u32;
    let floors = [wrapped(1001 - 8192 - 1), wrapped(5001 - 66_000 - 1)];
    let cases = [
        (
            9193 + 9000,
            5001,
            "I",
            "seq 18193",
            "before 9194",
            "no, by 9000",
            "is INVALID",
        ),
        (
            9193 + 100,
            5001,
            "I",
            "seq 9293",
            "before 9194",
            "no, by 100",
            "is ignored",
        ),
        (
            1001,
            5501,
            "III",
            "ack 5501",
            "before 5002",
            "no, by 500",
            "is INVALID",
        ),
        (
            floors[0] - 9,
            5001,
            "II",
            &format!("end {}", floors[0] - 9),
            &format!("after {}", floors[0]),
            "no, by 10",
            "is ignored",
        ),
        (
            1001,
            floors[1] - 5,
            "IV",
            &format!("ack {}", floors[1] - 5),
            &format!("after {}", floors[1]),
            "no, by 6",
            "is ignored",
        ),
    ];
    for (seq, ack, bound, held, limit, holds, outcome) in cases {
        let text = behind_a_handshake(segment("A", seq, ack));
        let row = row(&text, bound);
        assert_eq!([&row[1], &row[2], &row[4]], [held, limit, holds], "{text}");
        let heading = format!("\nWindow: the segment misses bound {bound}, and {outcome}");
        assert!(text.contains(&heading), "{text}");
        let is_invalid = outcome == "is INVALID";
        assert_eq!(text.contains("\nVerdict: invalid\n"), is_invalid, "{text}");
        // An INVALID one is not counted.
        let packets = self::row(&text, "original packets");
        let after = if is_invalid {
            "2, 80 bytes"
        } else {
            "3, 120 bytes"
        };
        assert_eq!(packets[1..], ["2, 80 bytes", after]);
    }
}

#[test]
fn a_segment_within_the_window_moves_it() {
    let text = behind_a_handshake(Segment {
        payload: b"ten bytes.",
        ..segment("A", 1001, 5001)
    });
    assert!(text.contains("\nWindow: the segment lies within it\n"));
    assert_eq!(row(&text, "I")[4], "yes, with 8192 to spare");
    assert_eq!(row(&text, "III")[4], "yes, with 0 to spare");
    let window = row(&text, "original window");
    assert!(window[1].starts_with("end 1001, maxend 9193, maxwin 8192"));
    assert!(window[2].starts_with("end 1011, maxend 9193, maxwin 8192"));
    assert_eq!(row(&text, "state")[1..], ["ESTABLISHED", "ESTABLISHED"]);
}

#[test]
fn options_make_another_firewall_of_it() {
    let sample = || read(&project("samples/helper/ftp/port-2121.pcap"));
    let record = record(sample(), firewall("6.18", true), Clock::Capture);
    let record = String::from_utf8(record).unwrap();
    let made = record
        .lines()
        .find(|line| line.contains("exp_new"))
        .unwrap();
    let made: Value = serde_json::from_str(made).unwrap();
    let frame = made["n"].as_u64().unwrap();
    let with = explained(sample(), firewall("6.18", true), frame);
    assert!(with.contains("\nWhat ftp reads: "), "{with}");
    let without = explained(sample(), firewall("6.18", false), frame);
    assert!(without.contains("\nPayload: no helper reads this flow\n"));
    assert!(without.contains("\nCaused: nothing"), "{without}");
}

/// The first packet of each sample that made an expectation, and the last of all: nothing of a capture is more than letters,
/// and the verdict is the one that `events` has.
#[test]
fn what_is_said_of_samples_is_what_events_say() {
    let mut made = 0;
    for path in samples() {
        let record = record(read(&path), firewall("6.18", true), Clock::Capture);
        let record = String::from_utf8(record).unwrap();
        let first = record.lines().find(|line| line.contains("exp_new"));
        made += usize::from(first.is_some());
        for line in first.into_iter().chain(record.lines().last()) {
            let line: Value = serde_json::from_str(line).unwrap();
            let frame = line["n"].as_u64().unwrap();
            let text = explained(read(&path), firewall("6.18", true), frame);
            let name = path.display();
            assert!(is_printable(&text), "{name}: {text:?}");
            if line["reason"].is_null() {
                let verdict = format!("\nVerdict: {}\n", line["state"].as_str().unwrap());
                assert!(text.contains(&verdict), "{name}: {text}");
            }
            for event in line["events"].as_array().unwrap() {
                if event["ev"] == "exp_new" {
                    let port = format!(":{}", event["dport"]);
                    assert!(text.contains(&port), "{name}: {text}");
                }
            }
        }
    }
    assert!(made > 20, "only {made} samples make an expectation");
}

fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|letter| letter == '\n' || !letter.is_control())
}

#[test]
fn nothing_of_a_capture_speaks_to_the_terminal() {
    let payload = b"PORT \x1b[31m\x9b2J\xe2\x80\xae\x07,1,1\r\n";
    let packets = talk(
        end("192.0.2.11", 40000),
        end("198.51.100.21", 21),
        &[(Server, b"220 ready\r\n"), (Client, payload)],
    );
    let at = packets.iter().position(|packet| packet.ends_with(payload));
    let ip = &packets[at.unwrap()];
    let text = explained(
        at_seconds((0..).zip(packets.clone())),
        firewall("6.18", false),
        at.unwrap() as u64 + 1,
    );
    assert!(is_printable(&text), "{text:?}");
    assert!(text.contains("  PORT .[31m.2J...\n"), "{text}");
    // And as frame 1 of an interface whose name is no better.
    let text = explained(named(b"\x1b]0;x\x07", ip), firewall("6.18", false), 1);
    assert!(is_printable(&text), "{text:?}");
    assert!(text.contains("]0;x"));
}

/// A pcapng file of one IP packet.
fn named(interface: &[u8], ip: &[u8]) -> Vec<u8> {
    let padded = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let block = |kind: u32, body: &[u8]| {
        let length = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let section = [&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]];
    let name = [&[2, 0, interface.len() as u8, 0][..], &padded(interface)].concat();
    // 101: raw IP
    let described = [&[101, 0, 0, 0, 0, 0, 0, 0][..], &name, &[0; 4]];
    let length = (ip.len() as u32).to_le_bytes();
    let packet = [&[0; 12][..], &length, &length, &padded(ip)];
    [
        block(0x0a0d_0d0a, &section.concat()),
        block(1, &described.concat()),
        block(6, &packet.concat()),
    ]
    .concat()
}

/// Of 2,048 bytes the last few are marked, or none.
#[test]
fn long_payloads_are_shown_in_part() {
    let told = |said: &[u8]| {
        let (client, server) = (end("192.0.2.11", 40000), end("198.51.100.21", 21));
        let packets = talk(
            client,
            server,
            &[(Server, b"220 ready\r\n"), (Server, said)],
        );
        let at = packets.iter().position(|packet| packet.ends_with(said));
        let bytes = at_seconds((0..).zip(packets));
        explained(bytes, firewall("6.18", false), at.unwrap() as u64 + 1)
    };
    let offer = b"(198,51,100,21,160,196).\r\n";
    let filler = vec![b'x'; 2048 - 4 - offer.len()];
    let text = told(&[&b"227 "[..], &filler, offer].concat());
    assert_eq!(marked(&text).0, "160,196", "{text}");
    // The port ends 4 bytes before the end, in the last line of 16, from 2032 on; with it two lines around it are shown.
    let left_out = format!("bytes 0-{} left out", 2032 - 2 * 16 - 1);
    assert!(text.contains(&left_out), "{text}");
    let text = told(&[b'x'; 2048]);
    let left_out = format!("bytes {}-2047 left out", 64 * 16);
    assert!(text.contains(&left_out), "{text}");
    assert!(!text.contains('^'), "{text}");
}

/// Whoever looks changes nothing, be it read on another thread.
#[test]
fn an_examined_replay_is_the_same() {
    let config = firewall("6.18", false);
    let replay = || {
        let office = read(&project("samples/office.pcapng"));
        Replay::new(capture(office), config.clone(), Clock::Capture)
    };
    let plain = lines(replay(), &config.kernel);
    // The first frame, one without a packet, one behind what timed out, and the last.
    for frame in [1, 3, 245, 1035, 1818] {
        let examined = replay().examine(frame);
        assert!(lines(examined, &config.kernel) == plain, "{frame}");
        let examined = replay().read_ahead().examine(frame);
        assert!(lines(examined, &config.kernel) == plain, "{frame}");
    }
}

#[test]
fn a_frame_that_there_is_not() {
    let mut command = Command::cargo_bin("ctaudit").unwrap();
    let output = command
        .args(["explain", "samples/office.pcapng", "1819"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "ctaudit: there is no frame 1819: the captures have 1818\n"
    );
}
