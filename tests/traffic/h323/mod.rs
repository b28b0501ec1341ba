//! H.323: registrations, calls, channels, and those who come for them.
//!
//! A session is a gatekeeper's (RAS) or a call (Q.931). What either expects leads to calls, and to control connections
//! (H.245) with media of their own. Messages are well formed more often than not; the others had octets changed, so
//! that the kernel's decoder loses its way in as many places as it has.

mod channel;
mod parts;
mod ras;
mod signal;

use std::net::IpAddr;

use super::flow::{ACK, Rng, Side, Step, Tcp, anybody, hosts, offered_port, one_in, pick};
use super::packet::{End, udp};
use super::per::Per;
use channel::{Channel, control, open};
use ras::{Ras, ras};
use signal::{Body, Signal, user_information};

pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 40);
    let port = 40000 + rng.u16(..12);
    let client = End {
        address: client,
        port,
    };
    if one_in(rng, 3) {
        let client = if one_in(rng, 2) {
            End {
                port: 1719,
                ..client
            }
        } else {
            client
        };
        let gatekeeper = End {
            address: server,
            port: 1719,
        };
        registration(rng, client, gatekeeper, 2)
    } else {
        let server = End {
            address: server,
            port: 1720,
        };
        call(rng, client, server, 2)
    }
}

/// Where the speaker says that it listens; now and then it speaks of somebody else, or of no port.
fn listener(rng: &mut Rng, speaker: IpAddr) -> End {
    let address = if one_in(rng, 14) {
        anybody(rng, speaker)
    } else {
        speaker
    };
    End {
        address,
        port: offered_port(rng),
    }
}

/// Whoever comes to an end that was named, from where it is meant to be or not.
fn visitor(rng: &mut Rng, meant_for: IpAddr) -> End {
    let address = if one_in(rng, 12) {
        anybody(rng, meant_for)
    } else {
        meant_for
    };
    End {
        address,
        port: 41000 + rng.u16(..60),
    }
}

/// A message as it is sent: with some octets changed, with its end cut off or a piece doubled, or as it is.
fn sent(rng: &mut Rng, mut message: Vec<u8>) -> Vec<u8> {
    if message.is_empty() || !one_in(rng, 4) {
        return message;
    }
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..message.len());
        match rng.u8(..10) {
            0..4 => message[at] ^= 1 << rng.u8(..8),
            4 => message[at] = rng.u8(..),
            5 => message[at] = pick(rng, &[0, 1, 0x7f, 0x80, 0x81, 0xbf, 0xff]),
            6 => message.insert(at, rng.u8(..)),
            7 if message.len() > 1 => drop(message.remove(at)),
            8 => {
                let piece = message[at..].to_vec();
                message.extend(piece);
            }
            _ => message.truncate(at.max(1)),
        }
    }
    message
}

/// An endpoint and its gatekeeper.
pub fn registration(rng: &mut Rng, client: End, gatekeeper: End, depth: u8) -> Vec<Step> {
    let mut steps = Vec::new();
    let in_order = rng.bool();
    for turn in 0..rng.usize(2..8) {
        // A request and its answer begin a flow in full view: the answer's time-out is told of.
        let (by_client, kind) = match turn {
            0 if in_order => (true, REQUEST),
            1 if in_order => (false, CONFIRM),
            _ => (rng.bool(), rng.u8(..20)),
        };
        let (from, to) = if by_client {
            (client, gatekeeper)
        } else {
            (gatekeeper, client)
        };
        let (message, leads_to) = ras_message(rng, kind, from, to, depth);
        let message = ras(rng, &message);
        let message = sent(rng, message);
        steps.push(Step::Packet(udp(from, to, &message)));
        if one_in(rng, 12) {
            steps.extend(steps.last().cloned());
        }
        steps.extend(leads_to);
    }
    steps
}

const REQUEST: u8 = 0;
const CONFIRM: u8 = 7;

fn ras_message(rng: &mut Rng, kind: u8, from: End, to: End, depth: u8) -> (Ras, Vec<Step>) {
    let ttl = |rng: &mut Rng| {
        pick(
            rng,
            &[
                None,
                None,
                None,
                Some(60),
                Some(300),
                Some(255),
                Some(65_537),
                Some(86_400),
            ],
        )
    };
    let several = |rng: &mut Rng, address| -> Vec<End> {
        let number = pick(rng, &[0, 1, 1, 1, 1, 2, 3, 9, 10, 11, 12]);
        (0..number).map(|_| listener(rng, address)).collect()
    };
    let mut steps = Vec::new();
    let message = match kind {
        REQUEST..CONFIRM => {
            let calls = several(rng, from.address);
            if let Some(&listening) = calls.first() {
                steps = visits(rng, to.address, listening, depth, called);
            }
            let ras = several(rng, from.address);
            Ras::RegistrationRequest {
                calls,
                ras,
                ttl: ttl(rng),
            }
        }
        CONFIRM..11 => Ras::RegistrationConfirm {
            calls: several(rng, from.address),
            ttl: ttl(rng),
        },
        11..13 => Ras::UnregistrationRequest(several(rng, from.address)),
        13..15 => {
            let named = if one_in(rng, 4) {
                from
            } else {
                listener(rng, from.address)
            };
            let port = if one_in(rng, 4) { 1719 } else { named.port };
            let named = End { port, ..named };
            if depth > 0 {
                let endpoint = visitor(rng, to.address);
                steps.push(Step::Fork(registration(rng, endpoint, named, depth - 1)));
            }
            Ras::GatekeeperConfirm(named)
        }
        15..17 => {
            let near = if one_in(rng, 4) {
                to.address
            } else {
                anybody(rng, from.address)
            };
            let callee = listener(rng, near);
            steps = visits(rng, to.address, callee, depth, called);
            Ras::AdmissionConfirm(callee)
        }
        17 => {
            let near = anybody(rng, from.address);
            let callee = listener(rng, near);
            steps = visits(rng, to.address, callee, depth, called);
            Ras::LocationConfirm {
                call: callee,
                ras: listener(rng, near),
            }
        }
        _ => Ras::Other(rng.u32(..32)),
    };
    (message, steps)
}

/// Those who come to a port that was named: mostly one.
fn visits(
    rng: &mut Rng,
    meant_for: IpAddr,
    listening: End,
    depth: u8,
    visit: fn(&mut Rng, End, End, u8) -> Vec<Step>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    if depth > 0 {
        for _ in 0..pick(rng, &[1, 1, 1, 1, 2, 0, 0]) {
            let from = visitor(rng, meant_for);
            steps.push(Step::Fork(visit(rng, from, listening, depth - 1)));
        }
    }
    steps
}

/// A call; but for one in three it does not get far, as there are so many.
fn called(rng: &mut Rng, from: End, to: End, depth: u8) -> Vec<Step> {
    if one_in(rng, 3) {
        return call(rng, from, to, depth);
    }
    let mut connection = Tcp::new(rng, from, to);
    connection.open(rng);
    connection.close(rng);
    connection.steps
}

/// A connection for Q.931.
pub fn call(rng: &mut Rng, client: End, server: End, depth: u8) -> Vec<Step> {
    talk(rng, client, server, |rng, speaker, listener| {
        let (signal, body, steps) = signal(rng, speaker, listener, depth);
        let information = user_information(rng, body, &signal);
        (q931(rng, &information), steps)
    })
}

/// A connection for H.245.
fn control_connection(rng: &mut Rng, client: End, server: End, depth: u8) -> Vec<Step> {
    talk(rng, client, server, |rng, speaker, listener| {
        let (channel, steps) = channel(rng, speaker, listener, depth);
        (control(rng, &channel), steps)
    })
}

/// Two ends that send messages in turns, cut into TPKTs and segments in the ways there are.
fn talk(
    rng: &mut Rng,
    client: End,
    server: End,
    mut message: impl FnMut(&mut Rng, IpAddr, IpAddr) -> (Vec<u8>, Vec<Step>),
) -> Vec<Step> {
    let mut connection = Tcp::new(rng, client, server);
    if !connection.open(rng) {
        return connection.steps;
    }
    for _ in 0..rng.usize(1..7) {
        let (side, speaker, listener) = if rng.bool() {
            (Side::Client, client.address, server.address)
        } else {
            (Side::Server, server.address, client.address)
        };
        let mut leads_to = Vec::new();
        let mut next = |rng: &mut Rng| {
            let (message, steps) = message(rng, speaker, listener);
            leads_to.extend(steps);
            tpkt(rng, message)
        };
        match rng.u8(..20) {
            0..2 => {
                let both = [next(rng), next(rng)].concat();
                connection.say(side, &both);
            }
            2 => {
                let three = [next(rng), next(rng), vec![3, 0, 0], next(rng)].concat();
                connection.say(side, &three);
            }
            3..5 => {
                // The header by itself, as NetMeeting does.
                let whole = next(rng);
                let at = if one_in(rng, 6) {
                    rng.usize(..whole.len())
                } else {
                    4.min(whole.len())
                };
                connection.say(side, &whole[..at]);
                match rng.u8(..12) {
                    0 => connection.send(side, ACK, &[]),
                    1 => {
                        let other = next(rng);
                        connection.say(side.other(), &other);
                    }
                    _ => {}
                }
                let rest = match rng.u8(..8) {
                    0 => [&whole[at..], &next(rng)].concat(),
                    1 => whole[at..whole.len().saturating_sub(1).max(at)].to_vec(),
                    2 => whole.clone(),
                    _ => whole[at..].to_vec(),
                };
                connection.say(side, &rest);
            }
            5 => {
                let whole = next(rng);
                let at = rng.usize(..whole.len());
                connection.say(side, &whole[..at]);
                connection.say(side, &whole[at..]);
            }
            _ => {
                let one = next(rng);
                connection.say(side, &one);
                if one_in(rng, 10) {
                    connection.repeat();
                }
            }
        }
        connection.steps.extend(leads_to);
    }
    connection.close(rng);
    connection.steps
}

fn tpkt(rng: &mut Rng, message: Vec<u8>) -> Vec<u8> {
    let message = sent(rng, message);
    let mut length = message.len() as u16 + 4;
    let mut header = [3, 0];
    match rng.u8(..60) {
        0 => length = length.wrapping_add_signed(pick(rng, &[-1, 1, 4, -5])),
        1 => length = rng.u16(..6),
        2 => header = pick(rng, &[[3, 1], [2, 0], [0, 3]]),
        _ => {}
    }
    [&header[..], &length.to_be_bytes(), &message].concat()
}

/// The Q.931 message around a user-user element.
fn q931(rng: &mut Rng, information: &[u8]) -> Vec<u8> {
    let mut message = vec![8];
    let reference = pick(rng, &[0, 1, 2, 2, 2, 2]);
    message.push(reference);
    message.extend(vec![0x13; usize::from(reference)]);
    message.push(pick(rng, &[5, 2, 7, 1, 0x62, 3, 0x5a]));
    if one_in(rng, 20) {
        message.push(0x80);
    }
    for _ in 0..rng.usize(..3) {
        message.extend(match rng.u8(..8) {
            0 => vec![0xa1], // of one octet, which the kernel does not know
            1..4 => vec![4, 3, 0x88, 0x93, 0xa5],
            4 => vec![0x28, 0],
            _ => [&[0x28, 6][..], b"nobody"].concat(),
        });
    }
    if one_in(rng, 40) {
        return message;
    }
    message.push(0x7e);
    message.extend((information.len() as u16 + 1).to_be_bytes());
    message.push(5);
    message.extend_from_slice(information);
    if one_in(rng, 12) {
        message.extend([4, 1, 0x88]);
    }
    message
}

fn signal(rng: &mut Rng, speaker: IpAddr, other: IpAddr, depth: u8) -> (Signal, Body, Vec<Step>) {
    let body = pick(
        rng,
        &[
            Body::Setup,
            Body::Setup,
            Body::CallProceeding,
            Body::Connect,
            Body::Alerting,
            Body::Information,
            Body::ReleaseComplete,
            Body::Facility,
            Body::Facility,
            Body::Progress,
            Body::Progress,
            Body::Other,
        ],
    );
    let mut signal = Signal::default();
    let mut steps = Vec::new();
    if one_in(rng, 2) {
        let listening = listener(rng, speaker);
        steps.extend(visits(rng, other, listening, depth, control_connection));
        signal.h245 = Some(listening);
    }
    if one_in(rng, 3) {
        let number = pick(rng, &[0, 1, 1, 2, 2, 4, 29, 31]);
        let channels = (0..number).map(|_| {
            let (channel, visits) =
                channel(rng, speaker, other, if number > 4 { 0 } else { depth });
            steps.extend(visits);
            let channel = open(rng, &channel);
            cut(rng, channel)
        });
        signal.fast_start = Some(channels.collect());
    }
    if one_in(rng, 4) {
        let number = pick(rng, &[0, 1, 1, 1, 2, 4, 5, 6]);
        let messages = (0..number).map(|_| {
            let (channel, visits) = channel(rng, speaker, other, depth);
            steps.extend(visits);
            control(rng, &channel)
        });
        signal.tunnelled = Some(messages.collect());
    }
    if body == Body::Facility {
        signal.reason = pick(rng, &[0, 1, 1, 1, 1, 2, 3, 4, 5, 9]);
        if !one_in(rng, 4) {
            let third = anybody(rng, other);
            let near = pick(rng, &[speaker, other, other, third]);
            let callee = listener(rng, near);
            steps.extend(visits(rng, other, callee, depth, called));
            signal.alternative = Some(callee);
        }
    }
    (signal, body, steps)
}

/// An element whose length says less than there is, rarely.
fn cut(rng: &mut Rng, value: Per) -> Per {
    let mut cut = Per::default();
    let octets = value.finish();
    let length = if one_in(rng, 30) {
        rng.usize(..octets.len())
    } else {
        octets.len()
    };
    cut.octets(&octets[..length]);
    cut
}

/// A channel of the speaker's, and who sends to it.
fn channel(rng: &mut Rng, speaker: IpAddr, other: IpAddr, depth: u8) -> (Channel, Vec<Step>) {
    let mut steps = Vec::new();
    let mut pair = |rng: &mut Rng| {
        let media = listener(rng, speaker);
        let control = match rng.u8(..4) {
            0 => listener(rng, speaker),
            _ => End {
                port: media.port | 1,
                ..media
            },
        };
        if depth > 0 {
            for _ in 0..pick(rng, &[0, 1, 1, 2]) {
                let from = visitor(rng, other);
                let port = pick(rng, &[media.port & !1, media.port | 1, control.port]);
                let stream = udp(from, End { port, ..media }, b"\x80\x08 voice");
                steps.push(Step::Fork(vec![Step::Packet(stream); rng.usize(1..3)]));
            }
        }
        [
            (!one_in(rng, 3)).then_some(media),
            (!one_in(rng, 3)).then_some(control),
        ]
    };
    let forward = pair(rng);
    let reverse = one_in(rng, 3).then(|| pair(rng));
    let mut stack = None;
    if one_in(rng, 5) {
        let listening = listener(rng, speaker);
        stack = Some(listening);
        steps.extend(visits(rng, other, listening, depth, called));
    }
    (
        Channel {
            forward,
            reverse,
            stack,
        },
        steps,
    )
}
