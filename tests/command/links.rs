//! What `analyse` says of link types, and of the rules that logged an NFLOG capture.

use std::fs;

use super::{stdout, unbroken};
use crate::traffic::at_seconds;

/// A capture of this link type and these frames.
fn capture(link: u32, frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = at_seconds((0..).zip(frames));
    bytes[20..24].copy_from_slice(&link.to_le_bytes());
    bytes
}

/// An IPv4 packet without anything, that a rule at FORWARD logged.
fn logged(prefix: &[u8], mark: u32) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0];
    let mut add = |kind: u16, value: &[u8]| {
        frame.extend((value.len() as u16 + 4).to_le_bytes());
        frame.extend(kind.to_le_bytes());
        frame.extend(value);
        frame.resize(frame.len().next_multiple_of(4), 0);
    };
    add(1, &[8, 0, 2, 0]);
    add(2, &mark.to_be_bytes());
    add(10, &[prefix, b"\0"].concat());
    add(9, &[0x45]);
    frame
}

/// Standard output, and the tables of these names as CSV.
fn analysed(capture: &[u8], tables: [&str; 2]) -> (String, [String; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.pcap");
    fs::write(&path, capture).unwrap();
    let csv = folder.path().join("csv");
    let arguments = [
        "analyse",
        "--csv",
        csv.to_str().unwrap(),
        path.to_str().unwrap(),
    ];
    let printed = stdout(&arguments);
    let read = |table| fs::read_to_string(csv.join(format!("{table}.csv"))).unwrap();
    (printed, tables.map(read))
}

#[test]
fn a_link_type_that_is_not_read_is_refused_by_name() {
    let capture = capture(220, [vec![0; 64], vec![0; 64]]);
    let (printed, [links, _]) = analysed(&capture, ["links", "nflog"]);
    let row: Vec<&str> = lines_with(&printed, "220  ")
        .flat_map(str::split_whitespace)
        .collect();
    assert!(
        row.ends_with(&["220", "2", "0", "2", "link", "type", "not", "read"]),
        "{row:?}"
    );
    let refused = "- 2 frames of USB with padded Linux header (LINKTYPE_USB_LINUX_MMAPPED 220), in which IP is not looked for";
    assert!(unbroken(&printed).contains(refused), "{printed}");
    assert_eq!(
        links,
        "link_type,name,found,frames\n\
         220,USB with padded Linux header,IP,0\n\
         220,USB with padded Linux header,link type not read,2\n"
    );
}

#[test]
fn usual_ethernet_needs_no_table_of_links() {
    let mut arp = vec![0; 60];
    arp[12..14].copy_from_slice(&[8, 6]);
    let (printed, _) = analysed(&capture(1, [arp]), ["links", "nflog"]);
    assert!(!printed.contains("Links"), "{printed}");
    assert!(
        printed.contains("- 1 frame without an IP packet"),
        "{printed}"
    );
}

/// A prefix is anybody's bytes: neither terminal nor spreadsheet does what it says.
#[test]
fn the_rules_of_an_nflog_capture_are_told() {
    let frames = [
        logged(b"ssh in: ", 0x2a),
        logged(b"=cmd|' /C calc'!A0", 0),
        logged(b"\x1b[2J\xff", 0),
        logged(b"ssh in: ", 0x2a),
        logged(b"-1", 0),
    ];
    let (printed, [nflog, links]) = analysed(&capture(239, frames), ["nflog", "links"]);
    let row: Vec<&str> = lines_with(&printed, "ssh in")
        .flat_map(str::split_whitespace)
        .collect();
    assert_eq!(row, ["forward", "ssh", "in:", "0x2a", "2", "1"]);
    assert!(printed.contains(r"\u{1b}[2J"), "{printed}");
    assert!(!printed.contains('\x1b'), "{printed:?}");
    assert_eq!(
        nflog,
        "hook,prefix,mark,packets,first_frame\n\
         forward,\\u{1b}[2J\u{fffd},0,1,3\n\
         forward,'-1,0,1,5\n\
         forward,'=cmd|\\' /C calc\\'!A0,0,1,2\n\
         forward,ssh in: ,42,2,1\n"
    );
    assert!(links.contains("239,NFLOG,IP,5\n"), "{links}");
}

#[test]
fn rules_beyond_the_most_are_counted_together() {
    let frames = (0..300).map(|mark| logged(b"all", mark));
    let (printed, [nflog, _]) = analysed(&capture(239, frames), ["nflog", "links"]);
    assert!(
        printed.contains("and 44 packets of other rules\n"),
        "{printed}"
    );
    assert_eq!(nflog.lines().count(), 1 + 256 + 1);
    assert_eq!(nflog.lines().last(), Some(",,,44,"));
}

fn lines_with<'t>(text: &'t str, part: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().filter(move |line| line.contains(part))
}
