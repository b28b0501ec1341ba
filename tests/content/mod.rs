//! What payloads look like: each control protocol, what is close to one, and every sample.

mod examples;

use std::path::Path;

use ctaudit::capture::{Capture, Reading};
use ctaudit::content::{self, Browser, Content};
use ctaudit::helper;
use ctaudit::packet::Decoder;
use ctaudit::tuple::Protocol;

use crate::support::{project, samples};
use examples::examples;

const TCP: Protocol = Protocol::TCP;
const UDP: Protocol = Protocol::UDP;

#[test]
fn every_kind_is_recognised() {
    for (kind, protocol, payload) in examples() {
        let shown = String::from_utf8_lossy(&payload);
        assert_eq!(content::of(protocol, &payload), Some(kind), "{shown:?}");
        assert_eq!(content::of(Protocol::SCTP, &payload), None);
    }
}

/// What is recognised is called as its helper is, over a protocol that the helper reads; and no helper is forgotten but
/// the one that no rule can assign.
#[test]
fn kinds_are_helpers() {
    let examples = examples();
    for (kind, protocol, _) in &examples {
        let Content::Control(name) = kind else {
            continue;
        };
        assert_eq!(kind.name(), *name);
        let mut named = helper::all().filter(|spec| spec.called() == *name);
        assert!(
            named.any(|spec| spec.reads(*protocol, false) || spec.reads(*protocol, true)),
            "no helper {name} for {protocol}"
        );
    }
    for spec in helper::all().filter(|spec| spec.name != "H.245") {
        let kind = Content::Control(spec.called());
        assert!(
            examples.iter().any(|(known, ..)| *known == kind),
            "{} is not recognised",
            spec.called()
        );
    }
}

#[test]
fn a_message_cut_off_anywhere_is_no_other() {
    for (kind, protocol, payload) in examples() {
        for length in 0..payload.len() {
            let found = content::of(protocol, &payload[..length]);
            assert!(
                found.is_none_or(|found| found == kind),
                "{kind:?} cut at {length} is {found:?}"
            );
        }
    }
}

/// Bytes changed one by one: nothing panics.
#[test]
fn no_changed_byte_ends_in_a_panic() {
    for (_, protocol, payload) in examples() {
        let mut changed = payload.clone();
        for at in 0..payload.len() {
            for value in [0, 1, 0x20, 0x7f, 0x80, 0xff, payload[at].wrapping_add(1)] {
                changed[at] = value;
                content::of(protocol, &changed);
            }
            changed[at] = payload[at];
        }
    }
}

#[test]
fn near_misses_are_nothing() {
    let over_tcp: &[&[u8]] = &[
        b"220 mail.example.net ready\r\n",
        b"220 0 <1@example.net>\r\nSubject: FTP\r\n",
        b"230 Login successful.\r\n",
        b"227 Entering Passive Mode\r\n",
        b"227 Entering Passive Mode (192,0,2,1,4)\r\n",
        b"227 Entering Passive Mode (192,0,2,1,4,256)\r\n",
        b"229 Entering Extended Passive Mode (|||x|)\r\n",
        b"229 items (of many)\r\n",
        b"PORT 192,0,2,1,4,1",
        b"PORT 192,0,2,1,4,1,5\r\n",
        b"PORT 3306\r\n",
        b"PASV mode\r\n",
        b"EPRT |1|2001:db8::1|6275|\r\n",
        // POP3, NNTP and a user of FTP
        b"+OK POP3 ready\r\n",
        b"USER alice\r\n",
        b"USER alice\r\nPASS sample\r\n",
        b"PASS sample\r\n",
        b"200 news.example.net ready\r\n",
        b"GROUP alt.irc\r\n",
        // IRC without its form
        b"NICK alice\r\n",
        b"PRIVMSG bob :DCC SEND a.txt 3221225985 1025\r\n",
        b":irc.example.net 372 alice :- Message of the day\r\n",
        b":1000\r\n",
        // What looks like SIP
        b"OPTIONS rtsp://example.net/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"SIP/2.0 200 ok\r\nHTTP/1.1 200 ok\r\n\r\n",
        b"INVITE sip:bob@example.net\r\n\r\n",
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n",
        // HTTP/2; HTTP without a version
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n",
        // TPKT: of RDP, a connection request and data; of H.245, terminalCapabilitySet; Q.931 without a user-user element
        // and with that of another protocol.
        &[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0],
        &[3, 0, 0, 12, 2, 0xf0, 0x80, 0x68, 0, 1, 3, 0xeb],
        &[3, 0, 0, 12, 2, 0x70, 0, 1, 6, 0, 8, 0x81],
        &[3, 0, 0, 12, 8, 2, 0, 1, 5, 4, 1, 0x88],
        &[3, 0, 0, 13, 8, 2, 0, 1, 5, 0x7e, 0, 1, 4],
        &[3, 0, 0, 13, 8, 2, 0, 1, 0x5a, 0x7e, 0, 1, 5],
        // A TLS record of data, an alert; SMB; SANE's answer, and what is not of its protocol.
        &[0x17, 3, 3, 0, 4, 1, 2, 3, 4],
        &[0x15, 3, 3, 0, 2, 1, 0],
        b"\x00\x00\x00\x2f\xffSMBr\0\0\0\0",
        &[0, 0, 0, 0, 1, 1, 0, 3],
        &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        // NFS over TCP: a call of another program.
        &[
            0x80, 0, 0, 24, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa3, 0, 0, 0, 3, 0, 0,
            0, 0,
        ],
        &[0; 64],
        &[0xff; 64],
    ];
    let over_udp: &[&[u8]] = &[
        // Plex and BitTorrent search in the same way; an answer to SSDP is for the port that asked.
        b"M-SEARCH * HTTP/1.1\r\n\r\n",
        b"BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: ssdp:all\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"Amanda backs up.\n",
        // TFTP: data and an acknowledgement; STUN.
        b"\0\x03\0\x01octet\0",
        b"\0\x04\0\x01",
        b"\0\x01\0octet\0",
        &[
            0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        ],
        // DNS: a question to a server of a domain that is called local, one server's to another, an answer.
        b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x05_ldap\x04_tcp\x05local\0\0\x21\0\x01",
        b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x04corp\x05local\0\0\x06\0\x01",
        b"\0\0\x84\0\0\x01\0\0\0\0\0\0\x04pc12\x05local\0\0\x01\0\x01",
        b"\0\0\0\0\0\x01\0\0\0\0\0\0\x07example\x03net\0\0\x01\0\x01",
        // NetBIOS: an answer.
        b"\x12\x34\x85\0\0\x01\0\0\0\0\0\0\x20FHEPFCELEHFCEPFFFACACACACACACABN\0\0\x20\0\x01",
        // LDAP over UDP; SNMP: a response and a trap, and lengths that disagree.
        b"\x30\x0c\x02\x01\x01\x63\x07\x04\x00\x0a\x01\x00\x0a\x00",
        b"\x30\x1a\x02\x01\x01\x04\x06public\xa2\x0d\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00",
        b"\x30\x1a\x02\x01\x01\x04\x06public\xa7\x0d\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00",
        b"\x30\x1b\x02\x01\x01\x04\x06public\xa0\x0d\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00",
        // DHCPv6: what a server sends, and options that overrun. DHCP.
        &[2, 1, 2, 3, 0, 1, 0, 4, 0, 3, 0, 1],
        &[1, 1, 2, 3, 0, 1, 0, 9, 0, 3, 0, 1],
        &[1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0],
        // SLP: an answer, version 1.
        &[2, 2, 0, 0, 16, 0, 0, 0, 0, 0, 0, 9, 0, 2, b'e', b'n'],
        &[1, 6, 0, 16, 0, 0, b'e', b'n', 0, 3, 0, 0, 0, 0, 0, 0],
        // RAS: gatekeeperConfirm, and admissionRequest, which names no version. RTP.
        b"\x04\x00\x00\x00\x06\x00\x08\x91\x4a\x00\x04\x00",
        b"\x26\x90\x00\x02\x01\x40\x03\x00\x61\x00\x62\x00",
        b"\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78abcdefgh",
        &[0; 64],
        &[0xff; 64],
    ];
    for (protocol, payloads) in [(TCP, over_tcp), (UDP, over_udp)] {
        for payload in payloads {
            let shown = String::from_utf8_lossy(payload);
            assert_eq!(content::of(protocol, payload), None, "{protocol} {shown:?}");
        }
    }
}

#[test]
fn what_a_page_has_a_browser_begin_with() {
    let long = [b"GET /", &[b'x'; 1400][..]].concat();
    for page in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"options /a?b HTTP/1.1\r\n",
        b"X!Y /cut",
        &long,
    ] {
        assert_eq!(Browser::of(page), Some(Browser::Http));
    }
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42";
    assert_eq!(Browser::of(stun), Some(Browser::Stun));
    for other in [
        &b""[..],
        b"USER anonymous\r\n",
        b"CWD /pub\r\n",
        b"JOIN /a /b\r\n",
        b"REGISTER sip:example.net SIP/2.0\r\n",
        b"\x03\0\0\x0b\x08\x02\0\x01",
        b"\0\x01\0\0\x21\x12\xa4",
    ] {
        assert_eq!(
            Browser::of(other),
            None,
            "{}",
            String::from_utf8_lossy(other)
        );
    }
}

/// The kinds that the packets of a capture look like.
fn kinds_in(path: &Path) -> Vec<Content> {
    let mut capture = Capture::open(&[path.to_owned()], Reading::default()).unwrap();
    let mut decoder = Decoder::default();
    let mut kinds = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        let decoded = decoder.decode(frame.at, frame.number, frame.link, frame.data);
        let Ok(Ok(packet)) = decoded else {
            continue;
        };
        let transport = packet.transport_bytes();
        let (protocol, header) = match packet.transport {
            Some((TCP, _)) => (TCP, usize::from(transport[12] >> 4) * 4),
            Some((UDP, _)) => (UDP, 8),
            _ => continue,
        };
        kinds.extend(content::of(protocol, &transport[header..]));
    }
    kinds
}

/// Each sample of a helper shows its control protocol, and no other one.
#[test]
fn samples_are_what_they_are_samples_of() {
    // All that these say is encrypted, asked of a portmapper by another call than GETPORT, or an ordinary question of DNS.
    let silent = [
        "sip/tls.pcap",
        "rpc/getaddr.pcap",
        "mdns/direct.pcap",
        "mdns/legacy.pcap",
    ];
    let folder = project("samples/helper");
    for path in samples() {
        let Ok(sample) = path.strip_prefix(&folder) else {
            continue;
        };
        let helper = sample.iter().next().unwrap().to_str().unwrap();
        let is_own = |name: &str| match helper {
            "h323" => ["RAS", "Q.931"].contains(&name),
            _ => name == helper,
        };
        let kinds = kinds_in(&path);
        let mut controls = kinds
            .iter()
            .filter(|kind| matches!(kind, Content::Control(_)));
        assert_eq!(
            controls.clone().next().is_none(),
            silent.iter().any(|silent| Path::new(silent) == sample),
            "{}: {kinds:?}",
            sample.display()
        );
        assert!(
            controls.all(|kind| is_own(kind.name())),
            "{}: {kinds:?}",
            sample.display()
        );
    }
}
