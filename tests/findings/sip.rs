use super::{Case, end, findings, firewall, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::packet::{End, seal, udp};

pub const CASES: &[Case] = &[
    Case {
        entry: "sip-slipstream-tcp",
        // A form so long that the next segment of the browser's begins where the request does.
        shows: || {
            stream(&[
                (Client, &[POST, &[b'x'; 1000]].concat()),
                (Client, &register("TCP", PHONE, "3306", "")),
            ])
        },
        passes: || stream(&[(Client, POST), (Client, b"text=INVITE%20me\r\n")]),
        modules: &[],
    },
    Case {
        entry: "sip-slipstream-udp",
        // TURN asks for an address on behalf of a user with a long name.
        shows: || pieces(&[&allocate(1472)[..], &register("UDP", PHONE, "3306", "")].concat()),
        // A report to a collector, with a request in it.
        passes: || {
            pieces(
                &[
                    &[b'H'; 80][..],
                    &register("UDP", PHONE, "5060", ""),
                    &[b'x'; 1400],
                ]
                .concat(),
            )
        },
        modules: &[],
    },
    Case {
        entry: "sip-foreign-contact",
        shows: || said(&register("UDP", "192.0.2.99", "5060", "")),
        // It has been at another address, and takes that back.
        passes: || said(&register("UDP", "192.0.2.99", "5060", ";expires=0")),
        modules: &[],
    },
    Case {
        entry: "sip-translated-contact",
        shows: || said(&register("UDP", "192.168.1.2", "5060", "")),
        passes: || said(&register("UDP", PHONE, "5060", "")),
        modules: &[],
    },
    Case {
        entry: "sip-service-port",
        shows: || stream(&[(Client, &register("TCP", PHONE, "3306", ""))]),
        // A stream over UDP to where PostgreSQL takes connections.
        passes: || said(&invite(PHONE, "m=audio 5432 RTP/AVP 0\r\n")),
        modules: &[],
    },
    Case {
        entry: "sip-foreign-media",
        shows: || said(&invite("192.0.2.99", "m=audio 5004 RTP/AVP 0\r\n")),
        passes: || said(&invite(PHONE, "m=audio 5004 RTP/AVP 0\r\n")),
        modules: &[],
    },
    Case {
        entry: "sip-via-port",
        // A telephone of Cisco's sends from any port.
        shows: || {
            let phone = End {
                port: 49152,
                ..phone()
            };
            vec![udp(phone, server(), &register("UDP", PHONE, "5060", ""))]
        },
        passes: || said(&register("UDP", PHONE, "5060", "")),
        modules: &[],
    },
    Case {
        entry: "sip-scanner",
        shows: || said(&options("friendly-scanner")),
        passes: || said(&options("Linphone/3.6.1")),
        modules: &[],
    },
    Case {
        entry: "sip-long-registration",
        shows: || registered(86400),
        passes: || registered(3600),
        modules: &[],
    },
    Case {
        entry: "sip-content-length",
        // 4294967328 - 4294967296 = 32, and behind these a second message.
        shows: || stream(&[(Client, &with_length("4294967328"))]),
        // The rest comes later.
        passes: || stream(&[(Client, &with_length("2000"))]),
        modules: &[],
    },
    Case {
        entry: "sip-port-digits",
        shows: || said(&register("UDP", PHONE, "005060", "")),
        passes: || said(&register("UDP", PHONE, "05060", "")),
        modules: &[],
    },
    Case {
        entry: "sip-many-contacts",
        shows: || stream(&[(Client, &with_contacts(40))]),
        passes: || stream(&[(Client, &with_contacts(8))]),
        modules: &[],
    },
    Case {
        entry: "sip-media-none",
        shows: || {
            said(&invite(
                PHONE,
                "m=audio 0 RTP/AVP 0\r\nm=message 5010 TCP/MSRP *\r\n",
            ))
        },
        passes: || {
            said(&invite(
                PHONE,
                "m=audio 0 RTP/AVP 0\r\nm=video 5006 RTP/AVP 31\r\n",
            ))
        },
        modules: &[],
    },
];

const PHONE: &str = "192.0.2.11";
const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: 203.0.113.21:5060\r\nContent-Length: 2000\r\n\r\n";

fn phone() -> End {
    end(PHONE, 5060)
}

fn server() -> End {
    end("203.0.113.21", 5060)
}

/// A datagram of the phone's.
fn said(text: &[u8]) -> Vec<Vec<u8>> {
    vec![udp(phone(), server(), text)]
}

fn stream(talked: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let phone = End {
        port: 40000,
        ..phone()
    };
    talk(phone, server(), talked)
}

/// What every message has.
fn head(first: &str, transport: &str, more: &str) -> String {
    let method = first.split(' ').next().unwrap();
    format!(
        "{first}\r\nVia: SIP/2.0/{transport} {PHONE}:5060;branch=z9hG4bK1\r\nFrom: <sip:a@example.org>;tag=1\r\n\
         To: <sip:a@example.org>\r\nCall-ID: 1@{PHONE}\r\nCSeq: 1 {method}\r\n{more}"
    )
}

fn register(transport: &str, address: &str, port: &str, parameters: &str) -> Vec<u8> {
    let more = format!(
        "Contact: <sip:a@{address}:{port}>{parameters}\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    );
    head("REGISTER sip:example.org SIP/2.0", transport, &more).into_bytes()
}

fn options(agent: &str) -> Vec<u8> {
    let more = format!("User-Agent: {agent}\r\nContent-Length: 0\r\n\r\n");
    head("OPTIONS sip:100@203.0.113.21 SIP/2.0", "UDP", &more).into_bytes()
}

fn invite(address: &str, media: &str) -> Vec<u8> {
    let body =
        format!("v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n{media}");
    let more = format!(
        "Contact: <sip:a@{PHONE}>\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    head("INVITE sip:b@example.org SIP/2.0", "UDP", &more).into_bytes()
}

fn registered(seconds: u32) -> Vec<Vec<u8>> {
    let more =
        format!("Contact: <sip:a@{PHONE}:5060>;expires={seconds}\r\nContent-Length: 0\r\n\r\n");
    let answer =
        head("SIP/2.0 200 OK", "UDP", &more).replace("CSeq: 1 SIP/2.0", "CSeq: 1 REGISTER");
    let mut packets = said(&register("UDP", PHONE, "5060", ""));
    packets.push(udp(server(), phone(), answer.as_bytes()));
    packets
}

fn with_length(length: &str) -> Vec<u8> {
    let more = format!("Content-Length: {length}\r\n\r\n{}", "x".repeat(32));
    let first = head("MESSAGE sip:b@example.org SIP/2.0", "TCP", &more);
    [
        first.into_bytes(),
        invite(PHONE, "m=audio 5004 RTP/AVP 0\r\n"),
    ]
    .concat()
}

fn with_contacts(count: usize) -> Vec<u8> {
    let contacts = vec![format!("<sip:a@{PHONE}>"); count].join(",");
    let more = format!("Contact: {contacts}\r\nContent-Length: 0\r\n\r\n");
    head("REGISTER sip:example.org SIP/2.0", "TCP", &more).into_bytes()
}

/// The beginning of an Allocate request (RFC 8656), so long that what follows comes in the next fragment.
fn allocate(length: usize) -> Vec<u8> {
    let mut request = vec![0, 3, 0x05, 0xac, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    request.extend([0, 6, 0x05, 0xa8]);
    request.resize(length, b'x');
    request
}

/// A datagram to a TURN server, in two fragments of which the first one fills a frame of Ethernet.
fn pieces(payload: &[u8]) -> Vec<Vec<u8>> {
    let server = End {
        port: 3478,
        ..server()
    };
    let whole = udp(phone(), server, payload);
    let (header, data) = whole.split_at(20);
    let (first, rest) = data.split_at(1480);
    let piece = |data: &[u8], field: u16| {
        let mut packet = [header, data].concat();
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        packet[4..6].copy_from_slice(&[0, 7]);
        packet[6..8].copy_from_slice(&field.to_be_bytes());
        seal(&mut packet[..20]);
        packet
    };
    vec![piece(first, 0x2000), piece(rest, 1480 / 8)]
}

fn ids(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let found = findings(packets, firewall(&[]));
    found.iter().map(|finding| finding.entry.id).collect()
}

#[test]
fn a_phone_behind_others_is_no_foreign_one() {
    let plain = String::from_utf8(register("UDP", "192.0.2.99", "5060", "")).unwrap();
    assert!(ids(said(plain.as_bytes())).contains(&"sip-foreign-contact"));
    // A proxy passed it on; an address translation hides where it was sent; the phone is known by a name.
    for alike in [
        plain.replace(
            "From:",
            "Via: SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bK0\r\nFrom:",
        ),
        plain.replace("UDP 192.0.2.11", "UDP 192.0.2.99"),
        plain.replace("UDP 192.0.2.11", "UDP phone.example.org"),
        plain.replace("a@192.0.2.99", "a@phone.example.org"),
        plain.replace("Expires: 3600", "Expires: 0"),
        // Scanners name the registrar itself.
        plain.replace("a@192.0.2.99", "a@203.0.113.21"),
    ] {
        let found = ids(said(alike.as_bytes()));
        assert!(found.is_empty(), "{alike}: {found:?}");
    }
}

#[test]
fn only_a_datagram_ends_in_the_digits_of_a_port() {
    let cut = b"REGISTER sip:203.0.113.21:5060";
    // A helper drops it, so there is no flow unless one began before.
    let began = |cut: &[u8]| [said(&options("Linphone/3.6.1")), said(cut)].concat();
    assert_eq!(ids(began(cut)), ["sip-port-digits"]);
    assert!(ids(stream(&[(Client, cut)])).is_empty());
    // Text that somebody wrote is no header.
    let more = "Content-Length: 23\r\n\r\ncall sip:192.0.2.9:5060";
    let message = head("MESSAGE sip:b@example.org SIP/2.0", "UDP", more);
    assert!(ids(began(message.as_bytes())).is_empty());
}

/// Of several descriptions in a segment, and several media in one.
#[test]
fn media_are_of_the_address_that_stands_for_them() {
    let foreign = |text: &str| {
        let found = findings(stream(&[(Client, text.as_bytes())]), firewall(&[]));
        let details = found.into_iter().filter_map(|finding| {
            (finding.entry.id == "sip-foreign-media").then_some(finding.evidence.detail)
        });
        details.collect::<Vec<_>>()
    };
    let text = |address, media| String::from_utf8(invite(address, media)).unwrap();
    let first = text(PHONE, "m=audio 5004 RTP/AVP 0\r\nc=IN IP4 192.0.2.98\r\n");
    let second = text("192.0.2.99", "m=audio 5004 RTP/AVP 0\r\n");
    let details = foreign(&(first + &second));
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(details[0].ends_with("192.0.2.98") && details[1].ends_with("192.0.2.99"));
}

/// The helper takes a CR alone for the end of a line.
#[test]
fn a_header_may_stand_behind_a_cr() {
    let hidden = with_length("1\r\nX: y\rContent-Length: -1");
    assert_eq!(ids(stream(&[(Client, &hidden)])), ["sip-content-length"]);
}

#[test]
fn a_second_message_in_a_segment_is_read_as_well() {
    let both = [options("Linphone/3.6.1"), with_length("-1")].concat();
    assert_eq!(ids(stream(&[(Client, &both)])), ["sip-content-length"]);
}

#[test]
fn media_streams_may_have_any_port_of_a_service_over_tcp() {
    for (port, expected) in [
        ("10250", None),
        ("27016", None),
        // RTCP comes to 11211.
        ("11210", None),
        ("11211", Some("sip-service-port")),
    ] {
        let found = ids(said(&invite(
            PHONE,
            &format!("m=audio {port} RTP/AVP 0\r\n"),
        )));
        assert_eq!(found.first().copied(), expected, "{port}");
    }
}

/// What a page can write, and what the helper reads as a request.
#[test]
fn a_slipstream_needs_neither_a_short_target_nor_capitals() {
    let long = [b"POST /", &[b'x'; 1400][..]].concat();
    let allocate = allocate(1000);
    for first in [&long[..], b"Any / HTTP/1.1\r\n\r\n", &allocate] {
        for request in [&b"register a\r\n"[..], b"InViTe sip:a SIP/2.0\r\n"] {
            let found = ids(stream(&[(Client, first), (Client, request)]));
            assert!(found.contains(&"sip-slipstream-tcp"), "{found:?}");
        }
    }
}

#[test]
fn a_browser_is_told_from_a_server() {
    let found = ids(stream(&[
        (Client, POST),
        (Server, &register("TCP", "203.0.113.21", "5060", "")),
    ]));
    assert!(!found.contains(&"sip-slipstream-tcp"), "{found:?}");
}
