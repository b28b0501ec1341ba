//! FTP: sessions in which something is wrong, and those that differ from them in the one thing that matters.

mod address;
mod command;
mod passive;

use super::{Case, end, findings, firewall, open, packets, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::flow::{ACK, PSH, Rng, SYN, Tcp};
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
        shows: || visited("198.51.100.66", 40_000),
        passes: || visited("192.0.2.11", 40_000),
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
        shows: || talk(client(), server(), &[(Server, b"SSH-2.0-OpenSSH_10.0\r\n")]),
        passes: || ftp(&[]),
        modules: &[],
    },
];

fn client() -> End {
    end("192.0.2.11", 40_000)
}

fn server() -> End {
    end("203.0.113.21", 21)
}

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
    talk(client(), server(), &[&[GREETING], said].concat())
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
    let mut connection = open(client(), server());
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

/// Port 40000 is announced, and somebody connects to this one.
fn visited(visitor: &str, port: u16) -> Vec<Vec<u8>> {
    let mut packets = passive(OWN_PASSIVE);
    let mut connection = Tcp::new(
        &mut Rng::with_seed(2),
        end(visitor, 50_000),
        end("203.0.113.21", port),
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
