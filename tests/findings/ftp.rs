//! FTP: sessions in which something is wrong, and those that differ from them in the one thing that matters.

use super::{Case, end, findings, firewall, open, packets, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::flow::{ACK, PSH, SYN, Tcp};
use crate::traffic::packet::{End, is_v4, seal};

pub const CASES: &[Case] = &[
    Case {
        entry: "ftp-bounce",
        // A mail server beyond, and the client's own address.
        shows: || session(&[(Client, b"PORT 198,51,100,25,0,25\r\n")]),
        passes: || session(&[(Client, b"PORT 192,0,2,11,156,64\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-bounce-opened",
        shows: || session(&[(Client, b"PORT 198,51,100,25,156,64\r\n")]),
        passes: || session(&[(Client, b"PORT 192,168,1,7,156,64\r\n")]),
        modules: &["nf_conntrack_ftp.loose=1"],
    },
    Case {
        entry: "ftp-private-address",
        shows: || session(&[(Client, b"PORT 192,168,1,7,156,64\r\n")]),
        passes: || session(&[(Client, b"PORT 192,0,2,11,156,64\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-passive-elsewhere",
        shows: || passive(b"227 Entering Passive Mode (198,51,100,25,156,64)\r\n"),
        passes: || passive(b"227 Entering Passive Mode (10,1,2,3,156,64)\r\n"),
        modules: &[],
    },
    Case {
        entry: "ftp-service-port",
        shows: || session(&[(Client, b"PORT 192,0,2,11,1,189\r\n")]),
        // Active, so the data comes from port 20.
        passes: || {
            let mut packets = session(&[(Client, b"PORT 192,0,2,11,156,64\r\n")]);
            let (server, client) = (end("203.0.113.21", 20), end("192.0.2.11", 40_000));
            packets.extend(self::packets(open(server, client)));
            packets
        },
        modules: &[],
    },
    Case {
        entry: "ftp-unasked-passive",
        // opensvp speaks right behind the greeting.
        shows: || ftp(&[(Server, b"227 Entering Passive Mode (203,0,113,21,0,22)\r\n")]),
        passes: || passive(OWN_PASSIVE),
        modules: &[],
    },
    Case {
        entry: "ftp-injected-reply",
        shows: || injected(61),
        passes: || injected(64),
        modules: &[],
    },
    Case {
        entry: "ftp-echoed-passive",
        // What the server says to NLST comes in two segments, as the client acknowledged the first four bytes only.
        shows: || {
            session(&[
                (
                    Client,
                    b"NLST 227 Entering Passive Mode (203,0,113,21,0,23)\r\n",
                ),
                (Server, b"550 "),
                (
                    Server,
                    b"227 Entering Passive Mode (203,0,113,21,0,23): no such file\r\n",
                ),
            ])
        },
        passes: || {
            session(&[
                (
                    Client,
                    b"NLST 227 Entering Passive Mode (203,0,113,21,0,23)\r\n",
                ),
                (
                    Server,
                    b"550 227 Entering Passive Mode (203,0,113,21,0,23): no such file\r\n",
                ),
            ])
        },
        modules: &[],
    },
    Case {
        entry: "ftp-hijacked-passive",
        shows: || visited("198.51.100.66"),
        passes: || visited("192.0.2.11"),
        modules: &[],
    },
    Case {
        entry: "ftp-passive-scan",
        shows: || announced(&[]),
        passes: || announced(&[(Client, b"LIST\r\n"), (Server, b"150 Here it comes\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-from-browser",
        shows: || {
            ftp(&[
                (Client, b"POST / HTTP/1.1\r\nHost: 203.0.113.21:21\r\n\r\n"),
                (Server, b"500 What?\r\n"),
                (Client, b"PORT 192,0,2,11,13,61\r\n"),
            ])
        },
        passes: || {
            ftp(&[
                (Client, b"GET / HTTP/1.1\r\nHost: 203.0.113.21:21\r\n\r\n"),
                (Server, b"500 What?\r\n"),
            ])
        },
        modules: &[],
    },
    Case {
        entry: "ftp-injected-command",
        // ftp://a%0d%0aPORT%20...:b@203.0.113.21/
        shows: || ftp(&[(Client, b"USER a\r\nPORT 192,0,2,11,156,64\r\n")]),
        passes: || session(&[(Client, b"CWD /pub\r\nPORT 192,0,2,11,156,64\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-split-command",
        shows: || session(&[(Client, b"PORT 192,0,2,"), (Client, b"11,156,64\r\n")]),
        passes: || session(&[(Client, b"PORT 192,0,2,11,156,64\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-number-tricks",
        // 65536 + 22
        shows: || session(&[(Client, b"PORT 192,0,2,11,256,22\r\n")]),
        passes: || session(&[(Client, b"PORT 192,0,2,11,255,22\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-other-family",
        shows: || session(&[(Client, b"EPRT |2|2001:db8::11|40000|\r\n")]),
        passes: || session(&[(Client, b"EPRT |1|192.0.2.11|40000|\r\n")]),
        modules: &[],
    },
    Case {
        entry: "ftp-rewritten",
        shows: || repeated(b"NOOP\r\nPORT 192,0,2,11,1,189\r\n"),
        passes: || repeated(b"NOOP\r\nPORT 192,0,2,11,156,64\r\n"),
        modules: &[],
    },
    Case {
        entry: "ftp-encrypted",
        shows: || {
            ftp(&[
                (Client, b"AUTH TLS\r\n"),
                (Server, b"234 Proceed with negotiation.\r\n"),
            ])
        },
        passes: || {
            ftp(&[
                (Client, b"AUTH TLS\r\n"),
                (Server, b"502 Command not implemented.\r\n"),
            ])
        },
        modules: &[],
    },
    Case {
        entry: "ftp-not-ftp",
        shows: || talk(CLIENT(), SERVER(), &[(Server, b"SSH-2.0-OpenSSH_10.0\r\n")]),
        passes: || ftp(&[]),
        modules: &[],
    },
];

const CLIENT: fn() -> End = || end("192.0.2.11", 40_000);
const SERVER: fn() -> End = || end("203.0.113.21", 21);

const GREETING: (Side, &[u8]) = (Server, b"220 ready\r\n");
const LOGIN: [(Side, &[u8]); 4] = [
    (Client, b"USER anonymous\r\n"),
    (Server, b"331 Your address, please\r\n"),
    (Client, b"PASS somebody@example.net\r\n"),
    (Server, b"230 Welcome\r\n"),
];
const OWN_PASSIVE: &[u8] = b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n";

/// From the greeting on.
fn ftp(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    talk(CLIENT(), SERVER(), &[&[GREETING], said].concat())
}

/// From the login on.
fn session(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    ftp(&[&LOGIN, said].concat())
}

fn passive(answer: &[u8]) -> Vec<Vec<u8>> {
    session(&[(Client, b"PASV\r\n"), (Server, answer)])
}

/// A connection after its greeting.
fn greeted() -> Tcp {
    let mut connection = open(CLIENT(), SERVER());
    connection.say(GREETING.0, GREETING.1);
    connection.send(Client, ACK, &[]);
    connection
}

/// An unasked 227 with this hop limit.
fn injected(hop_limit: u8) -> Vec<Vec<u8>> {
    let mut connection = greeted();
    connection.say(Server, b"227 Entering Passive Mode (203,0,113,21,0,22)\r\n");
    let mut packets = packets(connection);
    let last = packets.last_mut().unwrap();
    assert!(is_v4(last));
    last[8] = hop_limit;
    seal(&mut last[..20]);
    packets
}

/// Somebody connects to the port that was announced.
fn visited(visitor: &str) -> Vec<Vec<u8>> {
    let mut packets = passive(OWN_PASSIVE);
    let mut connection = Tcp::new(
        &mut crate::traffic::flow::Rng::with_seed(2),
        end(visitor, 50_000),
        end("203.0.113.21", 40_000),
    );
    connection.send(Client, SYN, &[]);
    packets.extend(self::packets(connection));
    packets
}

/// Twenty-five ports, and nobody comes.
fn announced(then: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let mut connection = greeted();
    for (side, text) in LOGIN {
        connection.say(side, text);
    }
    for port in 0..25 {
        connection.say(Client, b"PASV\r\n");
        let answer = format!("227 Entering Passive Mode (203,0,113,21,156,{port})\r\n");
        connection.say(Server, answer.as_bytes());
        for (side, text) in then {
            connection.say(*side, text);
        }
    }
    packets(connection)
}

/// Two commands in a segment, which comes once more with these.
fn repeated(again: &[u8]) -> Vec<Vec<u8>> {
    let mut connection = greeted();
    for (side, text) in LOGIN {
        connection.say(side, text);
    }
    let sequence = connection.next(Client);
    connection.say(Client, b"NOOP\r\nPORT 192,0,2,11,156,64\r\n");
    connection.send_at(Client, sequence, PSH | ACK, again);
    packets(connection)
}

/// What is found, in its order.
fn found(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let found = findings(packets, firewall(&[]));
    found.iter().map(|finding| finding.entry.id).collect()
}

fn detail(packets: Vec<Vec<u8>>, entry: &str) -> String {
    let found = findings(packets, firewall(&[]));
    let found = found.into_iter().find(|finding| finding.entry.id == entry);
    found.unwrap().evidence.detail
}

#[test]
fn an_ordinary_session_shows_nothing() {
    assert!(found(passive(OWN_PASSIVE)).is_empty());
    assert!(found(visited("192.0.2.11")).is_empty());
}

#[test]
fn a_bounce_into_the_servers_own_network_is_no_translation() {
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 10,0,0,7,0,25\r\n")],
    ]
    .concat();
    let client = end("192.0.2.11", 40_000);
    assert_eq!(
        found(talk(client, end("10.0.0.21", 21), &said)),
        ["ftp-bounce"]
    );
    assert_eq!(
        found(talk(client, end("10.9.0.21", 21), &said)),
        ["ftp-private-address"]
    );
}

#[test]
fn a_bounce_to_the_server_itself_and_to_its_loopback() {
    for command in [
        &b"PORT 203,0,113,21,0,25\r\n"[..],
        b"EPRT |1|127.0.0.1|25|\r\n",
    ] {
        assert_eq!(found(session(&[(Client, command)])), ["ftp-bounce"]);
    }
}

#[test]
fn a_client_behind_a_translation_may_know_its_public_address() {
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 198,51,100,9,200,1\r\n")],
    ]
    .concat();
    let packets = talk(end("192.168.1.5", 40_000), SERVER(), &said);
    assert_eq!(found(packets), ["ftp-private-address"]);
}

#[test]
fn a_server_that_does_not_know_its_address_is_a_note() {
    for own in ["10,1,2,3", "127,0,0,1", "0,0,0,0"] {
        let answer = format!("227 Entering Passive Mode ({own},156,64)\r\n");
        assert_eq!(found(passive(answer.as_bytes())), ["ftp-private-address"]);
    }
}

#[test]
fn a_client_that_counts_its_ports_comes_to_a_services_port() {
    // 13 * 256 + 61 = 3389
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 192,0,2,11,13,61\r\n")],
    ]
    .concat();
    assert!(found(talk(end("192.0.2.11", 3380), SERVER(), &said)).is_empty());
    assert_eq!(found(talk(CLIENT(), SERVER(), &said)), ["ftp-service-port"]);
}

#[test]
fn a_service_may_be_announced_in_any_of_the_ways() {
    for (asked, answer) in [
        (&b"PASV\r\n"[..], &b"227 =203,0,113,21,0,22\r\n"[..]),
        (
            b"EPSV\r\n",
            b"229 Entering Extended Passive Mode (|||22|)\r\n",
        ),
    ] {
        let said = [(Client, asked), (Server, answer)];
        assert_eq!(found(session(&said)), ["ftp-service-port"]);
    }
    let command = (Client, &b"EPRT |1|192.0.2.11|22|\r\n"[..]);
    assert_eq!(found(session(&[command])), ["ftp-service-port"]);
}

#[test]
fn one_reply_too_many_is_no_answer_to_a_passive_command() {
    let said = [
        (Client, &b"PASV\r\n"[..]),
        (Server, b"226 Transfer complete\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert!(found(session(&said)).is_empty());
}

#[test]
fn a_refused_passive_command_waits_for_nothing() {
    let said = [
        (Client, &b"PASV\r\n"[..]),
        (Server, b"502 No\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert_eq!(found(session(&said)), ["ftp-unasked-passive"]);
}

#[test]
fn the_true_servers_bytes_give_an_injected_reply_away() {
    let mut connection = greeted();
    let sequence = connection.next(Server);
    connection.say(Server, b"227 Entering Passive Mode (203,0,113,21,0,22)\r\n");
    connection.say(Client, b"USER anonymous\r\n");
    connection.send_at(Server, sequence, PSH | ACK, b"331 Password\r\n");
    let found = found(packets(connection));
    assert!(found.contains(&"ftp-injected-reply"), "{found:?}");
}

#[test]
fn a_balancer_sends_from_everywhere() {
    let mut packets = injected(61);
    // Not the one packet, but one among several.
    let greeting = &mut packets[3];
    greeting[8] = 61;
    seal(&mut greeting[..20]);
    assert_eq!(found(packets), ["ftp-service-port", "ftp-unasked-passive"]);
}

#[test]
fn a_file_name_within_a_listing_is_no_reply() {
    let name = b"227 Entering Passive Mode (203,0,113,21,0,23)\r\n";
    let said = [
        (Client, &b"STAT drop\r\n"[..]),
        (Server, b"213-Status follows:\r\n"),
        (Server, name),
        (Server, b"213 End of status\r\n"),
    ];
    assert!(found(session(&said)).contains(&"ftp-echoed-passive"));
    // In one segment the helper sees nothing of it.
    let reply = [said[1].1, name, said[3].1].concat();
    assert!(found(session(&[said[0], (Server, &reply)])).is_empty());
}

#[test]
fn a_reply_without_its_end_does_not_hide_an_ordinary_answer() {
    let said = [
        (Client, &b"USER a\r\n"[..]),
        (Server, b"230-Welcome\r\n"),
        (Client, b"PASV\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert!(found(ftp(&said)).is_empty());
}

#[test]
fn a_stranger_elsewhere_is_nobodys_concern() {
    let mut packets = passive(OWN_PASSIVE);
    let mut connection = Tcp::new(
        &mut crate::traffic::flow::Rng::with_seed(2),
        end("198.51.100.66", 50_000),
        end("203.0.113.21", 40_001),
    );
    connection.send(Client, SYN, &[]);
    packets.extend(self::packets(connection));
    assert!(found(packets).is_empty());
}

#[test]
fn a_login_without_a_password_is_one() {
    let said = [
        (Client, &b"USER a\r\n"[..]),
        (Server, b"230 Welcome\r\n"),
        (Client, b"PORT 192,0,2,11,156,64\r\n"),
    ];
    assert!(found(ftp(&said)).is_empty());
}

#[test]
fn numbers_and_how_they_are_read() {
    let entry = "ftp-number-tricks";
    let said = |command: &'static [u8]| session(&[(Client, command)]);
    let read = detail(said(b"PORT 192,0,2,11,256,22\r\n"), entry);
    assert!(read.contains("256") && read.contains("port 22 "), "{read}");
    // 65558 - 65536
    let read = detail(said(b"EPRT |1|192.0.2.11|65558|\r\n"), entry);
    assert!(
        read.contains("65558") && read.contains("port 22 "),
        "{read}"
    );
    let read = detail(said(b"PORT 192,0,2,010,156,64\r\n"), entry);
    assert!(read.contains("reads 10") && read.contains("is 8"), "{read}");
    let read = detail(said(b"PORT 192,0,2,11,,22\r\n"), entry);
    assert!(read.contains("empty"), "{read}");
    let read = detail(said(b"PORT 192,0,2,11,156,64,1\r\n"), entry);
    assert!(read.starts_with("PORT: 7 numbers"), "{read}");
}

#[test]
fn numbers_that_are_merely_filled_up() {
    let command = (Client, &b"PORT 192,000,002,011,156,064\r\n"[..]);
    assert!(found(session(&[command])).is_empty());
    // 001 is 1 to everybody.
    let command = (Client, &b"PORT 192,0,02,11,156,64\r\n"[..]);
    assert!(found(session(&[command])).is_empty());
}

#[test]
fn a_keep_alive_probe_rewrites_nothing() {
    let mut connection = greeted();
    let before = connection.next(Server).wrapping_sub(1);
    connection.send_at(Server, before, ACK, b"\0");
    assert!(found(packets(connection)).is_empty());
}

#[test]
fn tls_from_the_first_byte_on_is_encrypted_and_no_other_protocol() {
    let hello = (Client, &b"\x16\x03\x01\x00\x05\x01\0\0\x01\0"[..]);
    let answer = (Server, &b"\x16\x03\x03\x00\x05\x02\0\0\x01\0"[..]);
    let found = found(talk(CLIENT(), SERVER(), &[hello, answer]));
    assert_eq!(found, ["ftp-encrypted"]);
}

#[test]
fn what_is_encrypted_is_not_read() {
    let said = [
        (Client, &b"AUTH TLS\r\n"[..]),
        (Server, b"234 Proceed\r\n"),
        (Client, b"PORT 198,51,100,25,256,25\r\n"),
    ];
    assert_eq!(found(ftp(&said)), ["ftp-encrypted"]);
}
