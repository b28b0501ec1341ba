use super::{Case, end, findings, firewall, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::packet::{End, udp};
use crate::traffic::per::{Per, per};

pub const CASES: &[Case] = &[
    Case {
        entry: "h323-slipstream",
        // A browser opens the attacker's page, which has it ask a TURN server at port 1720. The user name is so long
        // that the segment after the first begins within it.
        shows: || {
            signalling(&[
                (Client, &allocate()),
                (Client, &q931(&forward(INSIDE, 445))),
            ])
        },
        passes: || {
            let late = [&b"aa"[..], &q931(&forward(INSIDE, 445))].concat();
            signalling(&[(Client, &allocate()), (Client, &late)])
        },
        modules: &[],
    },
    Case {
        entry: "h323-third-host",
        shows: || signalling(&[(Client, &q931(&forward(INSIDE, 445)))]),
        passes: || signalling(&[(Client, &q931(&forward(CLIENT, 1721)))]),
        modules: &[],
    },
    Case {
        entry: "h323-forwarded",
        shows: || signalling(&[(Server, &q931(&forward(ELSEWHERE, 1720)))]),
        passes: || signalling(&[(Server, &q931(&forward(SERVER, 1721)))]),
        modules: &[],
    },
    Case {
        entry: "h323-service-port",
        shows: || signalling(&[(Client, &q931(&forward(CLIENT, 445)))]),
        passes: || signalling(&[(Client, &q931(&forward(CLIENT, 1720)))]),
        modules: &[],
    },
    Case {
        entry: "ras-unasked",
        shows: || ras(&[(Client, request(9, 7)), (Server, admission(8, ELSEWHERE))]),
        passes: || {
            let confirm = admission(7, ELSEWHERE);
            ras(&[
                (Client, request(9, 7)),
                (Server, confirm.clone()),
                (Server, confirm),
            ])
        },
        modules: &[],
    },
    Case {
        entry: "ras-foreign-signalling",
        shows: || ras(&[(Client, request(9, 7)), (Server, admission(7, ELSEWHERE))]),
        passes: || ras(&[(Client, request(9, 7)), (Server, admission(7, SERVER))]),
        modules: &[],
    },
    Case {
        entry: "h323-empty-user-user",
        shows: || signalling(&[(Client, &tpkt(&[8, 2, 0, 1, 5, 0x7e, 0, 0]))]),
        // One octet: that ASN.1 follows, and none does.
        passes: || signalling(&[(Client, &tpkt(&[8, 2, 0, 1, 5, 0x7e, 0, 1, 5]))]),
        modules: &[],
    },
    Case {
        entry: "h323-short-open-type",
        shows: || signalling(&[(Client, &q931(&[0x08, 0x00]))]),
        // An alternative of the root, cut.
        passes: || signalling(&[(Client, &q931(&[0x00, 0x00]))]),
        modules: &[],
    },
    Case {
        entry: "h323-long-bitmap",
        shows: || ras(&[(Client, gatekeeper(7, 33))]),
        passes: || ras(&[(Client, gatekeeper(7, 32))]),
        modules: &[],
    },
    Case {
        entry: "ras-short-integer",
        // Four octets, and a message that ends before them; or after them and as many again, which the kernel skips.
        shows: || ras(&[(Client, registration(&[0xc0]))]),
        passes: || ras(&[(Client, registration(&[0xc0, 0, 1, 0, 0, 0, 0, 0, 0]))]),
        modules: &[],
    },
];

#[test]
fn a_page_may_begin_with_http_as_well() {
    let post = b"POST / HTTP/1.1\r\nHost: 203.0.113.66:1720\r\n\r\naaaaaaaa";
    let forward = q931(&forward(INSIDE, 445));
    let found = found(signalling(&[(Client, post), (Client, &forward)]));
    assert!(found.contains(&"h323-slipstream"), "{found:?}");
    assert!(found.contains(&"h323-third-host"), "{found:?}");
    assert!(found.contains(&"h323-service-port"), "{found:?}");
}

#[test]
fn a_call_is_no_slipstream() {
    let call = q931(&forward(SERVER, 1721));
    assert_eq!(
        found(signalling(&[(Client, &call), (Client, &call)])),
        [""; 0]
    );
}

/// A capture that began between request and confirmation shows the confirmation first.
#[test]
fn a_flow_that_begins_with_a_confirmation_was_asked_for_before() {
    let confirm = admission(7, ELSEWHERE);
    for confirms in [vec![(Server, confirm.clone())], vec![(Client, confirm); 2]] {
        assert!(!found(ras(&confirms)).contains(&"ras-unasked"));
    }
}

/// Of one kind, and by the other end.
#[test]
fn a_request_has_its_own_confirmation() {
    let other_kind = [(Client, request(0, 7)), (Server, admission(7, ELSEWHERE))];
    assert!(found(ras(&other_kind)).contains(&"ras-unasked"));
    let own = [(Client, request(9, 7)), (Client, admission(7, ELSEWHERE))];
    assert!(found(ras(&own)).contains(&"ras-unasked"));
}

#[test]
fn a_map_of_extensions_is_found_behind_a_name_and_in_a_registration() {
    let named = |per: &mut Per| {
        per.choice(1, 5).bits(0b101, 3).word(6).counted(&VERSION);
        name(per);
        address(per, SERVER, 1719);
    };
    for message in [per(named), per(registered)] {
        let mut message = message;
        message.extensions(&vec![None; 76]);
        let found = found(ras(&[(Client, message.finish())]));
        assert!(found.contains(&"h323-long-bitmap"), "{found:?}");
    }
}

fn found(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let findings = findings(packets, firewall(&[]));
    findings.iter().map(|finding| finding.entry.id).collect()
}

const CLIENT: [u8; 4] = [192, 0, 2, 11];
/// Behind the same firewall as the client.
const INSIDE: [u8; 4] = [192, 0, 2, 99];
const SERVER: [u8; 4] = [203, 0, 113, 66];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 9];
/// Version 4 of H.225.0.
const VERSION: [u8; 6] = [0, 8, 0x91, 0x4a, 0, 4];

fn signalling(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    talk(end("192.0.2.11", 40000), end("203.0.113.66", 1720), said)
}

fn ras(said: &[(Side, Vec<u8>)]) -> Vec<Vec<u8>> {
    let (client, server): (End, End) = (end("192.0.2.11", 1719), end("203.0.113.66", 1719));
    let datagram = |(side, message): &(Side, Vec<u8>)| match side {
        Client => udp(client, server, message),
        Server => udp(server, client, message),
    };
    said.iter().map(datagram).collect()
}

/// TURN over TCP: the head of an Allocate and of a USERNAME of which no end is to be seen (RFC 8656, RFC 8489).
fn allocate() -> Vec<u8> {
    let mut message = vec![0, 3, 0x10, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([7; 12]);
    message.extend([0, 6, 0x0f, 0xfc]);
    message.extend([b'a'; 400]);
    message
}

/// A Q.931 message, FACILITY, with a user-user element alone.
fn q931(information: &[u8]) -> Vec<u8> {
    let [high, low] = (information.len() as u16 + 1).to_be_bytes();
    let elements = [8, 2, 0, 1, 0x62, 0x7e, high, low, 5];
    tpkt(&[&elements[..], information].concat())
}

fn tpkt(message: &[u8]) -> Vec<u8> {
    let [high, low] = (message.len() as u16 + 4).to_be_bytes();
    [&[3, 0, high, low], message].concat()
}

/// Facility-UUIE: alternative address, callForwarded.
fn forward(ip: [u8; 4], port: u16) -> Vec<u8> {
    per(|per| {
        per.bits(0, 4).choice(6, 3);
        per.bit(false).bits(0b100, 3).counted(&VERSION);
        address(per, ip, port);
        per.choice(1, 2);
    })
    .finish()
}

/// A request as far as its number, with no optional component; 0: GRQ, 9: ARQ.
fn request(kind: u32, number: u16) -> Vec<u8> {
    let optional = if kind == 9 { 7 } else { 4 };
    per(|per| {
        per.choice(kind, 5).bits(0, 1 + optional).word(number - 1);
    })
    .finish()
}

fn admission(number: u16, ip: [u8; 4]) -> Vec<u8> {
    per(|per| {
        per.choice(10, 5).bits(0, 3).word(number - 1);
        per.number(1280).choice(0, 1);
        address(per, ip, 1720);
    })
    .finish()
}

/// A GatekeeperConfirm with so many bits for extensions.
fn gatekeeper(number: u16, extensions: usize) -> Vec<u8> {
    per(|per| {
        per.choice(1, 5).bits(0b100, 3).word(number - 1);
        per.counted(&VERSION);
        address(per, SERVER, 1719);
        per.extensions(&vec![None; extensions]);
    })
    .finish()
}

/// A RegistrationConfirm as far as its extensions.
fn registered(per: &mut Per) {
    per.choice(4, 5).bits(0b1001, 4).word(6).counted(&VERSION);
    per.length(2);
    address(per, CLIENT, 1720);
    address(per, CLIENT, 1721);
    name(per);
    name(per);
}

/// One whose timeToLive is this.
fn registration(time_to_live: &[u8]) -> Vec<u8> {
    let mut extension = Per::default();
    extension.octets(time_to_live);
    let mut message = per(registered);
    message.extensions(&[None, Some(extension)]);
    message.finish()
}

fn address(per: &mut Per, ip: [u8; 4], port: u16) {
    per.choice(0, 3).octets(&ip).word(port);
}

/// A BMPString of one to 128 characters.
fn name(per: &mut Per) {
    per.bits(1, 7).octets(&[0, b'g', 0, b'k']);
}
