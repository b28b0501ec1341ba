use super::{Case, cooked, end, findings, firewall, open, packets, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::flow::{ACK, PSH, RST, Rng, SYN, Tcp};
use crate::traffic::packet::{End, ends, seal, udp};

pub const CASES: &[Case] = &[
    Case {
        entry: "expectation-local-target",
        shows: || {
            ftp(&[
                PASV,
                (Server, b"227 Entering Passive Mode (127,0,0,1,156,64)\r\n"),
            ])
        },
        passes: || {
            ftp(&[
                PASV,
                (
                    Server,
                    b"227 Entering Passive Mode (203,0,113,99,156,64)\r\n",
                ),
            ])
        },
        modules: &["nf_conntrack_ftp.loose=1"],
    },
    Case {
        entry: "expectation-own-address",
        shows: || {
            ftp(&[
                PASV,
                (Server, b"227 Entering Passive Mode (192,0,2,1,0,22)\r\n"),
            ])
        },
        passes: || {
            ftp(&[
                PASV,
                (Server, b"227 Entering Passive Mode (192,0,2,1,156,64)\r\n"),
            ])
        },
        modules: &["nf_conntrack_ftp.loose=1"],
    },
    Case {
        entry: "expectation-evicted",
        shows: || ftp(&[PASV, passive(1), PASV, passive(2)]),
        // The same again is refreshed.
        passes: || ftp(&[PASV, passive(1), PASV, passive(1)]),
        modules: &[],
    },
    Case {
        entry: "expectation-missed",
        shows: || two_announced_and_one_visited(1),
        passes: || two_announced_and_one_visited(2),
        modules: &[],
    },
    Case {
        entry: "expectation-evicted-many",
        shows: || ftp(&(0..11).flat_map(|n| [PASV, passive(n)]).collect::<Vec<_>>()),
        passes: || {
            let file = |n| [PASV, passive(n), (Client, &b"RETR file\r\n"[..])];
            ftp(&(0..11).flat_map(file).collect::<Vec<_>>())
        },
        modules: &[],
    },
    Case {
        entry: "expectation-flood",
        shows: || (0..16).map(|n| request("192.0.2.11", n)).collect(),
        passes: || {
            let two = |n| request(["192.0.2.11", "192.0.2.12"][usize::from(n % 2)], n);
            (0..16).map(two).collect()
        },
        modules: &["net.netfilter.nf_conntrack_expect_max=64"],
    },
    Case {
        entry: "expectation-no-room",
        shows: || vec![search(50001), search(50002)],
        // The same search once more takes the place of the first.
        passes: || vec![search(50001), search(50001)],
        modules: &["net.netfilter.nf_conntrack_expect_max=1"],
    },
    Case {
        entry: "expectation-kept-open",
        shows: || ftp(&[PORT; 12]),
        passes: || ftp(&[PORT, (Client, b"LIST\r\n")].repeat(12)),
        modules: &[],
    },
    Case {
        entry: "master-picked-up-reset",
        shows: || {
            let mut forged = picked_up();
            // Of an end's first segment the helper learns where a line begins.
            forged.say(Client, b"NOOP\r\n");
            forged.say(Client, PORT.1);
            forged.send(Server, RST, &[]);
            packets(forged)
        },
        // The same behind a few commands and their answers.
        passes: || {
            let mut session = picked_up();
            for text in [b"200 ok\r\n", b"226 ok\r\n"] {
                session.say(Client, b"NOOP\r\n");
                session.say(Server, text);
            }
            session.say(Client, PORT.1);
            session.send(Server, RST, &[]);
            packets(session)
        },
        modules: &[],
    },
    Case {
        entry: "state-out-of-window-command",
        shows: || packets(answered_ahead(1 << 29)),
        passes: || packets(answered_ahead(10)),
        modules: &[],
    },
    Case {
        entry: "state-conntrack-flood",
        shows: || vec![request("192.0.2.11", 1), request("192.0.2.11", 2)],
        passes: || vec![request("192.0.2.11", 1), request("192.0.2.11", 1)],
        modules: &["net.netfilter.nf_conntrack_max=1"],
    },
    Case {
        entry: "spoofed-source",
        shows: || last_by(1, 66),
        // Of a forged and of every other packet, what comes in and what goes out.
        passes: || {
            let twice = |ip: Vec<u8>| [framed(ip.clone()), cooked(3, 3, ip)];
            passive_session().into_iter().flat_map(twice).collect()
        },
        modules: &[],
    },
    Case {
        entry: "spoofed-source-link",
        shows: || last_by(2, 66),
        passes: || last_by(2, 21),
        modules: &[],
    },
    Case {
        entry: "hop-limit-jump",
        shows: || {
            let mut packets = passive_session();
            let last = packets.len() - 1;
            with_hop_limit(&mut packets[last], 57);
            packets
        },
        // Somebody else answered the SYN for the server.
        passes: || {
            let mut packets = passive_session();
            with_hop_limit(&mut packets[1], 57);
            packets
        },
        modules: &[],
    },
];

const PASV: (Side, &[u8]) = (Client, b"PASV\r\n");
const PORT: (Side, &[u8]) = (Client, b"PORT 192,0,2,11,156,64\r\n");

/// The server names port 40000 and so many more.
fn passive(beyond: u8) -> (Side, &'static [u8]) {
    let port = 64 + beyond;
    let text = format!("227 Entering Passive Mode (203,0,113,21,156,{port})\r\n");
    (Server, text.leak().as_bytes())
}

/// Of two passive ports the helper expects the newer alone.
fn two_announced_and_one_visited(which: u8) -> Vec<Vec<u8>> {
    let control = ftp(&[PASV, passive(1), PASV, passive(2)]);
    let (client, server) = ftp_ends();
    let port = 156 * 256 + 64 + u16::from(which);
    let data = open(
        End {
            port: 40001,
            ..client
        },
        End { port, ..server },
    );
    [control, packets(data)].concat()
}

fn ftp_ends() -> (End, End) {
    (end("192.0.2.11", 40000), end("203.0.113.21", 21))
}

/// A session, from the greeting on.
fn ftp(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let (client, server) = ftp_ends();
    let greeting = [(Server, &b"220 ready\r\n"[..])];
    talk(client, server, &[&greeting, said].concat())
}

fn passive_session() -> Vec<Vec<u8>> {
    ftp(&[PASV, passive(0)])
}

/// A connection of which both ends have sent an acknowledgement, and no SYN.
fn picked_up() -> Tcp {
    let (client, server) = ftp_ends();
    let mut connection = Tcp::new(&mut Rng::with_seed(1), client, server);
    connection.send(Client, ACK, &[]);
    connection.send(Server, ACK, &[]);
    connection
}

/// The answer to a PASV stands so far ahead of where it belongs.
fn answered_ahead(bytes: u32) -> Tcp {
    let (client, server) = ftp_ends();
    let mut connection = open(client, server);
    connection.say(Server, b"220 ready\r\n");
    connection.say(Client, PASV.1);
    let sequence = connection.next(Server).wrapping_add(bytes);
    connection.send_at(Server, sequence, PSH | ACK, passive(0).1);
    connection
}

/// A TFTP request.
fn request(client: &str, number: u16) -> Vec<u8> {
    let (client, server) = (end(client, 40000 + number), end("203.0.113.69", 69));
    udp(client, server, b"\0\x01file\0octet\0")
}

/// A search for services.
fn search(port: u16) -> Vec<u8> {
    let search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\
        MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
    udp(
        end("192.0.2.11", port),
        end("239.255.255.250", 1900),
        search,
    )
}

/// The client is behind interface 1, the server behind interface 2.
fn framed(ip: Vec<u8>) -> Vec<u8> {
    let from_client = ends(&ip).0 == ftp_ends().0.address;
    let (interface, neighbour) = if from_client { (1, 11) } else { (2, 21) };
    cooked(interface, neighbour, ip)
}

/// The server's passive port comes this way, all the rest as usual.
fn last_by(interface: u8, neighbour: u8) -> Vec<Vec<u8>> {
    let mut packets = passive_session();
    let last = packets.pop().map(|ip| cooked(interface, neighbour, ip));
    packets.into_iter().map(framed).chain(last).collect()
}

fn with_hop_limit(packet: &mut [u8], hop_limit: u8) {
    packet[8] = hop_limit;
    seal(&mut packet[..20]);
}

fn found(packets: Vec<Vec<u8>>, parameters: &[&str], entry: &str) -> usize {
    let found = findings(packets, firewall(parameters));
    found
        .iter()
        .filter(|finding| finding.entry.id == entry)
        .count()
}

/// Of what tells of a run or a connection as a whole.
#[test]
fn what_goes_on_is_told_once() {
    let ports: Vec<_> = (0..40).flat_map(|n| [PASV, passive(n)]).collect();
    assert_eq!(found(ftp(&ports), &[], "expectation-evicted"), 1);
    assert_eq!(found(ftp(&ports), &[], "expectation-evicted-many"), 1);
    assert_eq!(found(ftp(&[PORT; 40]), &[], "expectation-kept-open"), 1);
    let requests = || (0..40).map(|n| request("192.0.2.11", n)).collect();
    let room = ["net.netfilter.nf_conntrack_expect_max=64"];
    assert_eq!(found(requests(), &room, "expectation-flood"), 1);
    let full = ["net.netfilter.nf_conntrack_max=9"];
    assert_eq!(found(requests(), &full, "state-conntrack-flood"), 1);
}

#[test]
fn a_capture_of_the_loopback_device_is_local_throughout() {
    let (client, server) = (end("127.0.0.1", 40000), end("127.0.0.1", 21));
    let said: [(Side, &[u8]); 2] = [
        PASV,
        (Server, b"227 Entering Passive Mode (127,0,0,1,156,64)\r\n"),
    ];
    let loose = ["nf_conntrack_ftp.loose=1"];
    let packets = talk(client, server, &said);
    assert_eq!(found(packets, &loose, "expectation-local-target"), 0);
}

/// RFC 3264, 8.4: what a telephone on hold used to name.
#[test]
fn a_call_on_hold_leads_nowhere() {
    let invite = |address: &str| {
        let sdp = format!(
            "v=0\r\no=a 1 1 IN IP4 192.0.2.11\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio 40000 RTP/AVP 0\r\n"
        );
        let text = format!(
            "INVITE sip:b@203.0.113.60 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bK1\r\n\
             From: <sip:a@192.0.2.11>;tag=1\r\nTo: <sip:b@203.0.113.60>\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.11:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let (from, to) = (end("192.0.2.11", 5060), end("203.0.113.60", 5060));
        vec![udp(from, to, text.as_bytes())]
    };
    let anywhere = ["nf_conntrack_sip.sip_direct_media=0"];
    let found = |address| found(invite(address), &anywhere, "expectation-local-target");
    // Once for a message, which expects two flows.
    assert_eq!(found("127.0.0.1"), 1);
    assert_eq!(found("0.0.0.0"), 0);
    assert_eq!(found("233.252.0.1"), 0);
}

/// The server's answer was lost, so that what the client acknowledges was never seen.
#[test]
fn after_a_loss_a_command_outside_the_window_is_no_wonder() {
    let mut connection = answered_ahead(0);
    connection.steps.pop();
    connection.send(Client, ACK, &[]);
    let lost = |side: &mut Tcp| side.steps.pop();
    connection.say(Server, b"200 this one\r\n");
    lost(&mut connection);
    connection.say(Client, b"NOOP\r\n");
    let ahead = connection.next(Server).wrapping_add(1 << 29);
    connection.send_at(Server, ahead, PSH | ACK, passive(0).1);
    let entry = "state-out-of-window-command";
    assert_eq!(found(packets(connection), &[], entry), 0);
}

/// After a SYN that nobody answered, another with a later number.
#[test]
fn the_syn_that_is_answered_counts() {
    let (client, server) = ftp_ends();
    for before in [0, 1, 1 << 30] {
        let mut connection = Tcp::new(&mut Rng::with_seed(1), client, server);
        let sequence = connection.next(Client).wrapping_sub(before);
        connection.send_at(Client, sequence, SYN, &[]);
        connection.handshake();
        connection.say(Server, b"220 ready\r\n");
        connection.say(Server, passive(0).1);
        // Were anything missing, the PASV might be among it.
        let unasked = found(packets(connection), &[], "ftp-unasked-passive");
        assert_eq!(unasked, 1, "{before}");
    }
}
