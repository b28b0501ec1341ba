//! RFC 3261 (SIP), RFC 4566 (SDP), and where the kernel's reading is laxer or stricter than they are.
//!
//! What is said of the kernel was tried on a 6.18.44; the comments name the function of nf_conntrack_sip.c.

mod media;
mod message;
mod registration;

use std::ops::Range;

use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original};
use ctaudit::tuple::Protocol;

use super::{Bench, Effect};

const PHONE: &str = "192.0.2.11";
const SERVER: &str = "198.51.100.60";
const PHONE_V6: &str = "2001:db8::11";
const SERVER_V6: &str = "2001:db8:2::60";

fn modules(options: &[&str]) -> Modules {
    let mut modules = Modules::default();
    for option in options {
        modules.set(&format!("nf_conntrack_sip.{option}")).unwrap();
    }
    modules
}

fn bench() -> Bench {
    Bench::new("sip", PHONE, SERVER, 5060, &modules(&[]))
}

fn bench_v6() -> Bench {
    Bench::new("sip", PHONE_V6, SERVER_V6, 5060, &modules(&[]))
}

fn stream() -> Bench {
    Bench::by("sip", Protocol::TCP, PHONE, SERVER, 5060, &modules(&[]))
}

/// What a message did, but for the time-out that each sets.
fn say(bench: &mut Bench, direction: Direction, text: &str) -> Vec<Effect> {
    say_bytes(bench, direction, text.as_bytes())
}

fn say_bytes(bench: &mut Bench, direction: Direction, text: &[u8]) -> Vec<Effect> {
    let mut effects = bench.say(direction, 0, text);
    effects.retain(|effect| !matches!(effect, Effect::Refresh(_)));
    effects
}

fn made(effects: &[Effect]) -> Vec<&Expectation> {
    fn of(effect: &Effect) -> Option<&Expectation> {
        match effect {
            Effect::Expect(expectation) => Some(expectation),
            _ => None,
        }
    }
    effects.iter().filter_map(of).collect()
}

fn ports(effects: &[Effect]) -> Vec<u16> {
    let made = made(effects).into_iter();
    made.map(|expectation| expectation.dst_port.value).collect()
}

fn dropped(effects: &[Effect]) -> Option<&'static str> {
    match effects.last() {
        Some(Effect::Drop(reason)) => Some(reason),
        _ => None,
    }
}

fn declined(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Decline { .. }])
}

/// RFC 3261, 24.2, with the description of RFC 4566, 5.
fn invite(description: &str) -> String {
    format!(
        "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PHONE}:5060;branch=z9hG4bK74bf9\r\n\
         CSeq: 314159 INVITE\r\n\
         Contact: <sip:alice@{PHONE}>\r\n\
         Content-Length: {}\r\n\r\n{description}",
        description.len()
    )
}

fn sdp(media: &str) -> String {
    format!("v=0\r\no=alice 1 1 IN IP4 {PHONE}\r\ns=-\r\nc=IN IP4 {PHONE}\r\nt=0 0\r\n{media}")
}

/// The ports that a phone's INVITE with such a description opens.
fn opened(description: &str) -> Vec<u16> {
    ports(&say(&mut bench(), Original, &invite(description)))
}

fn said(origin: &Origin) -> Range<usize> {
    match origin {
        Origin::Command { packet: 1, bytes } => bytes.start as usize..bytes.end as usize,
        other => panic!("{other:?}"),
    }
}

fn register(contact: &str, more: &str) -> String {
    format!(
        "REGISTER sip:registrar.example SIP/2.0\r\nCSeq: 1826 REGISTER\r\nContact: {contact}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn registered(cseq: u32, contact: &str, more: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\nCSeq: {cseq} REGISTER\r\nContact: {contact}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

/// The port of the one call that such a registration asks for.
fn registers(contact: &str, more: &str) -> Option<u16> {
    match ports(&say(&mut bench(), Original, &register(contact, more)))[..] {
        [] => None,
        [port] => Some(port),
        ref more => panic!("{more:?}"),
    }
}
