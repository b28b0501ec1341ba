//! What helpers read, and next to nothing else: control connections that offer one port after the other, to which
//! nobody comes.

use super::script::{DCC, READ, close, logged_in, packets, registered, tcp};
use super::stage::{CONTROL, Script, client, server};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::flow::{Rng, Step, Tcp};
use crate::traffic::packet::{End, TCP, ends, udp, words};
use crate::traffic::{h323, pptp};

/// All helpers of the kernel's. Those of broadcast read what the firewall itself asks: `--local` has to name `OWN`.
pub fn helpers() -> Vec<Script> {
    let ftp = [
        (Client, &b"PORT 100,111,111,111,100,102\r\n"[..]),
        (Server, b"200 PORT command successful\r\n"),
        (Client, b"EPRT |1|100.111.111.111|25702|\r\n"),
        (Server, b"200 EPRT command successful\r\n"),
        (Client, b"PASV\r\n"),
        (Server, PASSIVE),
        (Client, b"EPSV\r\n"),
        (
            Server,
            b"229 Entering Extended Passive Mode (|||25702|)\r\n",
        ),
    ];
    let start = words(&[7, 0]);
    let named = words(&[0, 25702, 0x1234, 0]);
    let sane = [(Client, &start[..]), (Server, &named)];
    let answer =
        b"Amanda 2.6 REP HANDLE 000-00000000 SEQ 1\nCONNECT DATA 25700 MESG 25701 INDEX 25702\n";
    let amanda = [
        (Client, &b"Amanda 2.6 REQ HANDLE 000-00000000 SEQ 1\n"[..]),
        (Server, answer),
    ];
    let pptp = [
        (Client, pptp::message(7, &[1, 1])),
        (Server, pptp::message(8, &[2, 1, 1 << 8])),
        (Client, pptp::message(12, &[1])),
        (Server, pptp::message(13, &[2, 1 << 8])),
    ];
    let mut scripts = vec![
        connection(logged_in(), &ftp),
        connection(registered(), &[(Client, DCC)]),
        connection(tcp(client(CONTROL), server(6566)), &sane),
        connection(dialled_in(), &borrowed(&pptp)),
        datagrams(client(CONTROL), server(69), &[(Client, READ)]),
        datagrams(client(CONTROL), server(10080), &amanda),
        datagrams(client(CONTROL), server(5060), &borrowed(&sip())),
        datagrams(
            own(CONTROL, 99),
            own(137, 255),
            &[(Client, b"\x80\x94\x01\x10")],
        ),
        datagrams(
            own(CONTROL, 99),
            own(161, 255),
            &[(Client, b"0\x82\x01\x02")],
        ),
    ];
    // Calls and gatekeepers, as chance has them: most of what they say is well formed.
    let rng = &mut Rng::with_seed(1);
    for _ in 0..4 {
        let (caller, called) = (client(CONTROL), server(1720));
        let call = said(h323::call(rng, caller, called, 0));
        scripts.push(connection(tcp(caller, called), &borrowed(&call)));
        let (endpoint, gatekeeper) = (client(CONTROL), server(1719));
        let registration = said(h323::registration(rng, endpoint, gatekeeper, 0));
        scripts.push(datagrams(endpoint, gatekeeper, &borrowed(&registration)));
    }
    scripts
}

/// How often something is said, over all that belongs together, until the next client comes.
const SAID: u32 = 100;

fn connection(mut opened: Tcp, said: &[(Side, &[u8])]) -> Script {
    let open = opened.steps.len();
    for (side, text) in said {
        opened.say(*side, text);
    }
    let part = open..opened.steps.len();
    close(&mut opened);
    Script::new(1, 50, packets(opened)).again(part, SAID / said.len() as u32)
}

fn datagrams(from: End, to: End, said: &[(Side, &[u8])]) -> Script {
    let packet = |(side, text): &(Side, &[u8])| match side {
        Client => udp(from, to, text),
        Server => udp(to, from, text),
    };
    let packets = said.iter().map(packet).collect();
    Script::new(1, 50, packets).again(0..said.len(), SAID / said.len() as u32)
}

/// What two ends say to each other, without the connection around it and those who come for an offer.
fn said(steps: Vec<Step>) -> Vec<(Side, Vec<u8>)> {
    let from_client = |packet: &[u8]| ends(packet).0 == client(0).address;
    let said = steps.into_iter().filter_map(|step| match step {
        Step::Packet(packet) => {
            let side = if from_client(&packet) { Client } else { Server };
            let header = match packet[9] {
                TCP => 20 + usize::from(packet[32] >> 4) * 4,
                _ => 28,
            };
            Some((side, packet[header..].to_vec()))
        }
        Step::Fork(_) => None,
    });
    said.filter(|(_, text)| !text.is_empty()).collect()
}

fn borrowed<T: AsRef<[u8]>>(said: &[(Side, T)]) -> Vec<(Side, &[u8])> {
    said.iter()
        .map(|(side, text)| (*side, text.as_ref()))
        .collect()
}

fn dialled_in() -> Tcp {
    let mut control = tcp(client(CONTROL), server(1723));
    control.say(Client, &pptp::message(1, &[1 << 8, 0, 0]));
    control.say(Server, &pptp::message(2, &[1 << 8, 1 << 8]));
    control
}

/// A phone that registers, calls, and hangs up.
fn sip() -> Vec<(Side, String)> {
    let message = |first: &str, cseq: &str, body: &str| {
        let length = body.len();
        format!(
            "{first}\r\n\
             Via: SIP/2.0/UDP 100.111.111.111:25700;branch=z9hG4bK776asdhds;rport\r\n\
             Max-Forwards: 70\r\n\
             From: \"Alice\" <sip:alice@example.org>;tag=1928301774\r\n\
             To: \"Bob\" <sip:bob@example.org>\r\n\
             Call-ID: a84b4c76e66710@100.111.111.111\r\n\
             CSeq: {cseq}\r\n\
             Contact: <sip:alice@100.111.111.111:25702>;expires=3600\r\n\
             User-Agent: a phone\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let media = |host: &str| {
        format!(
            "v=0\r\no=a 2890844526 2890844526 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n\
             m=audio 25702 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
        )
    };
    let [offered, agreed] = ["100.111.111.111", "198.122.122.122"].map(media);
    let to = "sip:bob@example.org SIP/2.0";
    vec![
        (
            Client,
            message("REGISTER sip:example.org SIP/2.0", "1 REGISTER", ""),
        ),
        (Server, message("SIP/2.0 200 OK", "1 REGISTER", "")),
        (
            Client,
            message(&format!("INVITE {to}"), "2 INVITE", &offered),
        ),
        (Server, message("SIP/2.0 180 Ringing", "2 INVITE", "")),
        (Server, message("SIP/2.0 200 OK", "2 INVITE", &agreed)),
        (Client, message(&format!("ACK {to}"), "2 ACK", "")),
        (Client, message(&format!("BYE {to}"), "3 BYE", "")),
        (Server, message("SIP/2.0 200 OK", "3 BYE", "")),
    ]
}

/// On the firewall's own network.
fn own(port: u16, host: u8) -> End {
    End {
        address: [100, 99, 99, host].into(),
        port,
    }
}

const PASSIVE: &[u8] = b"227 Entering Passive Mode (198,122,122,122,100,102)\r\n";
