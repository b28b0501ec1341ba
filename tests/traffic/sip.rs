//! SIP: registrations, calls by UDP and by TCP, the calls that a registrar sends on, and the media.
//!
//! Few phones with few ports talk to few servers, so that several flows ask for the same, and what one asks for as a
//! medium another asks for as a call.

use std::net::IpAddr;

use super::flow::{ACK, Rng, Side, Step, Tcp, anybody, hosts, one_in, pick};
use super::packet::{End, udp, unreachable};
use super::sip_message::{Message, text};

/// A phone and a server talk for a while; one in four phones goes on by another flow.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (phone, server) = hosts(rng, 35);
    let mut steps = Vec::new();
    loop {
        let port = pick(rng, &[5060, 5060, 5062, 40000, 40001]);
        let phone = End {
            address: phone,
            port,
        };
        let server = End {
            address: server,
            port: 5060,
        };
        steps.extend(talk(rng, phone, server));
        if !one_in(rng, 4) {
            return steps;
        }
    }
}

/// The flow that messages go by.
enum Wire {
    Datagrams { ends: [End; 2], steps: Vec<Step> },
    Stream(Tcp),
}

impl Wire {
    fn steps(&mut self) -> &mut Vec<Step> {
        match self {
            Self::Datagrams { steps, .. } => steps,
            Self::Stream(tcp) => &mut tcp.steps,
        }
    }

    /// Sends texts; a stream may have several in one segment, or one in several.
    fn say(&mut self, rng: &mut Rng, side: Side, texts: &[Vec<u8>]) {
        match self {
            Self::Datagrams { ends, steps } => {
                let (from, to) = (ends[side as usize], ends[side.other() as usize]);
                for text in texts {
                    steps.push(Step::Packet(udp(from, to, text)));
                }
                match rng.u8(..60) {
                    0 => steps.push(Step::Packet(udp(from, to, b""))),
                    1 => steps.push(Step::Packet(udp(from, to, b"\r\n\r\n"))),
                    2 => steps.push(Step::Packet(udp(
                        from,
                        to,
                        &texts[0][..texts[0].len().min(rng.usize(..24))],
                    ))),
                    3 => steps.push(Step::Packet(unreachable(
                        &udp(to, from, &texts[0]),
                        from,
                        to,
                    ))),
                    _ => {}
                }
            }
            Self::Stream(tcp) => {
                let joined = texts.concat();
                match rng.u8(..30) {
                    0 if joined.len() > 1 => {
                        let (first, rest) = joined.split_at(rng.usize(1..joined.len()));
                        tcp.say(side, first);
                        tcp.say(side, rest);
                    }
                    1 => {
                        tcp.say(side, &joined);
                        tcp.repeat();
                    }
                    2 => {
                        let away = pick(rng, &[1, u32::MAX, 200_000, 1 << 31]);
                        tcp.send_at(side, tcp.next(side).wrapping_add(away), ACK, &joined);
                    }
                    3 => tcp.say(side, &[&joined, &b"INVITE sip:x SIP/2.0\r\n"[..]].concat()),
                    4..=20 => tcp.say(side, &joined),
                    _ => {
                        for text in texts {
                            tcp.say(side, text);
                        }
                    }
                }
            }
        }
    }
}

/// The two ends of a flow, and its protocol.
#[derive(Clone, Copy)]
struct Ends {
    phone: End,
    server: End,
    transport: &'static str,
    /// It was not expected itself; one that was begets no further ones.
    is_first: bool,
}

fn talk(rng: &mut Rng, phone: End, server: End) -> Vec<Step> {
    let by = |transport| Ends {
        phone,
        server,
        transport,
        is_first: true,
    };
    if one_in(rng, 3) {
        let mut tcp = Tcp::new(rng, phone, server);
        if !tcp.open(rng) {
            return tcp.steps;
        }
        let mut wire = Wire::Stream(tcp);
        dialogues(rng, &mut wire, by("TCP"));
        let Wire::Stream(mut tcp) = wire else {
            return Vec::new();
        };
        tcp.close(rng);
        return tcp.steps;
    }
    let ends = [phone, server];
    let mut wire = Wire::Datagrams {
        ends,
        steps: Vec::new(),
    };
    dialogues(rng, &mut wire, by("UDP"));
    std::mem::take(wire.steps())
}

fn dialogues(rng: &mut Rng, wire: &mut Wire, ends: Ends) {
    let mut cseq = rng.u32(..4);
    for _ in 0..rng.usize(1..6) {
        cseq += rng.u32(..2);
        match rng.u8(..10) {
            0..4 => register(rng, wire, ends, cseq),
            4..9 => call(rng, wire, ends, cseq),
            _ => anything(rng, wire, ends, cseq),
        }
    }
}

fn blank(speaker: IpAddr, cseq: u32, method: &'static str, transport: &'static str) -> Message {
    Message {
        first: String::new(),
        speaker,
        contact_port: 5060,
        expires: None,
        cseq,
        method,
        media: Vec::new(),
        transport,
    }
}

fn request(message: Message, to: IpAddr) -> Message {
    let first = format!("{} sip:b@{to} SIP/2.0", message.method);
    Message { first, ..message }
}

fn response(code: u32, message: Message) -> Message {
    let first = format!("SIP/2.0 {code} Because");
    Message { first, ..message }
}

/// A registration, its answer, and calls that come for it.
fn register(rng: &mut Rng, wire: &mut Wire, ends: Ends, cseq: u32) {
    let phone = ends.phone;
    let speaker = if one_in(rng, 30) {
        anybody(rng, phone.address)
    } else {
        phone.address
    };
    let contact_port = match rng.u8(..8) {
        0 => phone.port,
        1 => 50000 + 7 * rng.u16(..4),
        2 => 5062,
        _ => 5060,
    };
    let expires = pick(
        rng,
        &[
            None,
            Some(0),
            Some(60),
            Some(60),
            Some(1800),
            Some(3600),
            Some(3600),
        ],
    );
    let registration = Message {
        contact_port,
        expires,
        ..blank(speaker, cseq, "REGISTER", ends.transport)
    };
    let from = if one_in(rng, 20) {
        Side::Server
    } else {
        Side::Client
    };
    let asked = text(rng, &request(registration.clone(), ends.server.address));
    wire.say(rng, from, &[asked]);
    if one_in(rng, 5) {
        wire.steps().extend(called(rng, ends, contact_port));
    }
    for _ in 0..pick(rng, &[0, 1, 1, 1, 1, 2]) {
        let code = pick(
            rng,
            &[100, 200, 200, 200, 200, 200, 200, 200, 299, 300, 401, 99, 1],
        );
        let answer = Message {
            cseq: cseq + u32::from(one_in(rng, 12)),
            expires: if one_in(rng, 4) {
                pick(rng, &[Some(0), Some(30), None])
            } else {
                expires
            },
            contact_port: if one_in(rng, 10) { 5062 } else { contact_port },
            ..registration.clone()
        };
        let answer = text(rng, &response(code, answer));
        wire.say(rng, from.other(), &[answer]);
    }
    for _ in 0..pick(rng, &[0, 1, 1, 2]) {
        wire.steps().extend(called(rng, ends, contact_port));
    }
}

/// A flow from the registrar, or from somebody else, to where a phone said that it is to be called.
fn called(rng: &mut Rng, ends: Ends, port: u16) -> Vec<Step> {
    if !ends.is_first {
        return Vec::new();
    }
    let phone = End { port, ..ends.phone };
    let caller = End {
        address: if one_in(rng, 8) {
            anybody(rng, phone.address)
        } else {
            ends.server.address
        },
        port: pick(rng, &[5060, 5060, 33000, 33001]),
    };
    let transport = match (one_in(rng, 15), ends.transport) {
        (false, same) => same,
        (true, "UDP") => "TCP",
        (true, _) => "UDP",
    };
    let mut wire = if transport == "TCP" {
        let mut tcp = Tcp::new(rng, caller, phone);
        if !tcp.open(rng) {
            return vec![Step::Fork(tcp.steps)];
        }
        Wire::Stream(tcp)
    } else {
        Wire::Datagrams {
            ends: [caller, phone],
            steps: Vec::new(),
        }
    };
    let expected = Ends {
        phone: caller,
        server: phone,
        transport,
        is_first: false,
    };
    dialogues(rng, &mut wire, expected);
    vec![Step::Fork(std::mem::take(wire.steps()))]
}

fn media(rng: &mut Rng) -> Vec<(&'static str, u16)> {
    let mut media = Vec::new();
    for _ in 0..pick(rng, &[0, 1, 1, 1, 1, 2, 2, 3, 4, 5]) {
        let kind = pick(rng, &["audio", "audio", "audio", "video", "image"]);
        let port = match rng.u8(..16) {
            0 => pick(rng, &[0, 1023, 1024, 5060, 5062, 65534, 65535]),
            1 => rng.u16(..),
            _ => 50000 + rng.u16(..24),
        };
        media.push((kind, port));
    }
    media
}

/// A call of either end, from INVITE to BYE or so far as it comes, and its media.
fn call(rng: &mut Rng, wire: &mut Wire, ends: Ends, cseq: u32) {
    let caller = if one_in(rng, 4) {
        Side::Server
    } else {
        Side::Client
    };
    let address = |side| match side {
        Side::Client => ends.phone.address,
        Side::Server => ends.server.address,
    };
    let callee = caller.other();
    let (asks, answers) = (media(rng), media(rng));
    let of = |side, method, media: &[_]| Message {
        media: media.to_vec(),
        ..blank(address(side), cseq, method, ends.transport)
    };
    let invite = text(rng, &request(of(caller, "INVITE", &asks), address(callee)));
    wire.say(rng, caller, &[invite]);
    wire.steps()
        .extend(streams(rng, address(callee), address(caller), &asks));
    let mut answer = Vec::new();
    if one_in(rng, 2) {
        let provisional = if one_in(rng, 3) { &answers[..] } else { &[] };
        answer.push(text(rng, &response(180, of(callee, "INVITE", provisional))));
        if one_in(rng, 4) {
            wire.say(rng, callee, &answer);
            answer.clear();
            let method = pick(rng, &["PRACK", "UPDATE"]);
            let media = if one_in(rng, 2) {
                media(rng)
            } else {
                Vec::new()
            };
            let more = text(rng, &request(of(caller, method, &media), address(callee)));
            wire.say(rng, caller, &[more]);
            let code = pick(rng, &[200, 200, 481]);
            answer.push(text(rng, &response(code, of(callee, method, &answers))));
        }
    }
    let code = pick(rng, &[200, 200, 200, 200, 200, 200, 486, 300, 99, 0]);
    let final_answer = Message {
        cseq: cseq + u32::from(one_in(rng, 12)),
        ..of(callee, "INVITE", &answers)
    };
    answer.push(text(rng, &response(code, final_answer)));
    wire.say(rng, callee, &answer);
    wire.steps()
        .extend(streams(rng, address(caller), address(callee), &answers));
    let mut rest = Vec::new();
    if !one_in(rng, 4) {
        let late = if one_in(rng, 6) {
            media(rng)
        } else {
            Vec::new()
        };
        rest.push(text(
            rng,
            &request(of(caller, "ACK", &late), address(callee)),
        ));
    }
    if one_in(rng, 2) {
        rest.push(text(rng, &request(of(caller, "BYE", &[]), address(callee))));
    }
    if !rest.is_empty() {
        wire.say(rng, caller, &rest);
    }
}

/// Other methods, and what only looks like one of those that count.
fn anything(rng: &mut Rng, wire: &mut Wire, ends: Ends, cseq: u32) {
    let message = Message {
        media: media(rng),
        ..blank(ends.phone.address, cseq, "INVITE", ends.transport)
    };
    let to = ends.server.address;
    let first = match rng.u8(..14) {
        0 => format!("OPTIONS sip:{to} SIP/2.0"),
        1 => format!("MESSAGE sip:{to} SIP/2.0"),
        2 => format!("INVITES sip:{to} SIP/2.0"),
        3 => "INVITE".to_owned(),
        4 => format!("INVITE  sip:{to} SIP/2.0"),
        5 => format!("invite sip:{to} SIP/2.0"),
        6 => format!("INVITE <sip:{to}> SIP/2.0"),
        7 => format!(" INVITE sip:{to} SIP/2.0"),
        8 => "SIP/2.0  200 OK".to_owned(),
        9 => "sip/2.0 200 OK".to_owned(),
        10 => "SIP/3.0 200 OK".to_owned(),
        11 => "SIP/2.0 200000000000".to_owned(),
        12 => "SIP/2.0 x".to_owned(),
        _ => format!("UPDATE tel:+1 {}", "x".repeat(rng.usize(..9))),
    };
    let side = if rng.bool() {
        Side::Client
    } else {
        Side::Server
    };
    let text = text(rng, &Message { first, ..message });
    wire.say(rng, side, &[text]);
}

/// Datagrams to the ports that media were offered at: RTP to the even one, RTCP to the next.
fn streams(rng: &mut Rng, from: IpAddr, to: IpAddr, media: &[(&str, u16)]) -> Vec<Step> {
    let mut forks = Vec::new();
    for &(_, port) in media {
        if one_in(rng, 3) {
            continue;
        }
        let address = if one_in(rng, 10) {
            anybody(rng, from)
        } else {
            from
        };
        let port = match rng.u8(..6) {
            0..3 => port & !1,
            3..5 => port | 1,
            _ => port.wrapping_add(2),
        };
        let from = End {
            address,
            port: 50000 + rng.u16(..24),
        };
        let to = End { address: to, port };
        let mut packets = vec![udp(from, to, b"\x80\0 stream")];
        if one_in(rng, 3) {
            packets.push(udp(to, from, b"\x80\0 back"));
        }
        if one_in(rng, 4) {
            packets.push(packets[0].clone());
        }
        if one_in(rng, 20) {
            packets.push(unreachable(&packets[0], to, from));
        }
        forks.push(Step::Fork(packets.into_iter().map(Step::Packet).collect()));
    }
    forks
}
