//! `--decapsulate`, through every command that replays.

use std::fs;
use std::path::Path;

use super::{ctaudit, stdout, unbroken};
use crate::packet::tunnel::sessions::ip_packets;
use crate::support::project;
use crate::traffic::tunnel::ALL;
use crate::traffic::{Packet, pcap};

/// A session of FTP as it is, and in VXLAN.
fn captures(folder: &Path) -> [String; 2] {
    let plain = ip_packets(&project("samples/helper/ftp/passive.pcap"));
    let vxlan = ALL
        .iter()
        .find(|wrapping| wrapping.name == "VXLAN")
        .unwrap();
    let around = |Packet { at_micros, ip }: &Packet| Packet {
        at_micros: *at_micros,
        ip: if ip.is_empty() {
            Vec::new()
        } else {
            vxlan.around(ip)
        },
    };
    let wrapped = plain.iter().map(around).collect();
    [("plain.pcap", plain), ("vxlan.pcap", wrapped)].map(|(name, packets)| {
        let path = folder.join(name);
        fs::write(&path, pcap(&packets).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

/// The analysis, its proof, the rules and what is said of them: all are about what is inside.
#[test]
fn every_command_sees_what_is_inside() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, vxlan] = captures(folder.path());
    let rules = stdout(&["rules", &plain]);
    assert_eq!(stdout(&["rules", "--decapsulate", "vxlan", &vxlan]), rules);
    let file = folder.path().join("rules.nft");
    fs::write(&file, rules).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(
        stdout(&["prove", "--rules", file, "--decapsulate", "all", &vxlan]),
        stdout(&["prove", "--rules", file, &plain])
    );
    let other = ["--what-if", "helper=none", "--compare-kernel", "6.1"];
    let analyse =
        |path: &str, more: &[&str]| stdout(&[&["analyse"], &other[..], more, &[path]].concat());
    let inside = analyse(&vxlan, &["--decapsulate", "gre,vxlan"]);
    let (before, section) = inside.split_once("Tunnels: ").unwrap();
    let (section, behind) = section.split_once("\n\n").unwrap();
    assert_eq!(format!("{before}{behind}"), analyse(&plain, &[]));
    let row = section.lines().last().unwrap();
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row, ["vxlan", &PACKETS.to_string(), "1", "1"]);
    assert!(inside.contains("Proof: proved"), "{inside}");
}

#[test]
fn what_was_not_looked_into_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, vxlan] = captures(folder.path());
    let line = format!("- {PACKETS} packets with another inside");
    for arguments in [
        &["analyse", &vxlan][..],
        &["analyse", "--decapsulate", "gre", &vxlan],
    ] {
        let text = stdout(arguments);
        let unbroken = unbroken(&text);
        let said = unbroken.lines().find(|said| said.starts_with(&line));
        assert!(
            said.unwrap().contains("--decapsulate vxlan looks inside"),
            "{text}"
        );
        assert!(!text.contains("Tunnels: "), "{text}");
    }
    for arguments in [
        &["analyse", &plain][..],
        &["analyse", "--decapsulate", "all", &vxlan],
    ] {
        assert!(!stdout(arguments).contains("decapsulate"));
    }
}

#[test]
fn tables_name_the_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, vxlan] = captures(folder.path());
    let tables = folder.path().join("tables");
    let directory = tables.to_str().unwrap();
    for (path, end) in [
        (&vxlan, ",vxlan,42,203.0.113.1,203.0.113.2"),
        (&plain, ",,,,"),
    ] {
        stdout(&["analyse", "--csv", directory, "--decapsulate", "all", path]);
        for table in ["conntracks", "expectations", "related_flows", "refusals"] {
            let text = fs::read_to_string(tables.join(format!("{table}.csv"))).unwrap();
            let header = text.lines().next().unwrap();
            let names = "tunnel,tunnel_id,tunnel_src,tunnel_dst";
            assert!(header.contains(names), "{table}: {header}");
            let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
            let at = fields(header)
                .iter()
                .position(|name| name == "tunnel")
                .unwrap();
            let mut rows = text.lines().skip(1).peekable();
            assert!(table == "refusals" || rows.peek().is_some(), "{table}");
            for row in rows {
                let found = fields(row)[at..at + 4].join(",");
                assert_eq!(format!(",{found}"), end, "{table}");
            }
        }
    }
}

#[test]
fn events_name_the_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let [_, vxlan] = captures(folder.path());
    let text = stdout(&["events", "--json", "--decapsulate", "vxlan", &vxlan]);
    let tunnel = r#""tunnel":{"kind":"vxlan","id":42,"src":"203.0.113.1","dst":"203.0.113.2"}"#;
    assert!(text.lines().all(|line| line.contains(tunnel)), "{text}");
    assert!(!stdout(&["events", "--json", &vxlan]).contains("tunnel"));
    let wrong = ctaudit(&["events", "--decapsulate", "l2tp", &vxlan])
        .output()
        .unwrap();
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        error.contains("no such tunnel; there are gre, vxlan,"),
        "{error}"
    );
}

/// IP packets of the session, as capinfos counts its frames, without two of ARP.
const PACKETS: usize = 77;
