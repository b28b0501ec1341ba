//! Amanda, as conntrackd reads it: the ports that an answer names are looked for, and another one is opened.
//!
//! The port that the answer went to takes the place of the port that it named (`cthelper_get_port_src` into `port`), and
//! of several ports on the line the last alone is sent to the kernel. So what is expected is a TCP connection to the
//! asker's own UDP port, which Amanda does not make, and the connections that it does make are new ones.
//!
//! Services are looked for in the order DATA, MESG, INDEX, each behind the one before. A number is C's `strtoul`: spaces and
//! a sign may precede it.
//!
//! Source: src/helpers/amanda.c `amanda_helper_cb()`.

use std::time::Duration;

use super::super::reasons::SAID_BY_ASKER;
use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, c_string, decimal, find, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "conntrackd:amanda",
    source: "src/helpers/amanda.c",
    ports: &[(Protocol::UDP, Some(10080))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.3",
        private: 0,
    },
    why: "what is backed up travels over TCP, to ports that the backed-up host names in a datagram; the port opened is \
          another one",
    policies: |_| policy(3, 180),
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Fixed,
        Field::Packet,
        Protocol::TCP,
    )],
    defects: &[
        "the ports that an answer names stay closed; what opens is the TCP port with the number of the UDP port that was asked from",
        "of several ports one alone is expected",
    ],
    start: |_, _| Box::new(Amanda),
}];

struct Amanda;

impl Helper for Amanda {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let is_answer = message.direction == Direction::Reply;
        if is_answer {
            master.refresh(TIMEOUT);
        }
        let text = c_string(message.payload);
        let Some(at) = find(text, b"CONNECT ") else {
            return Ok(());
        };
        let start = at + b"CONNECT ".len();
        let line = &text[start..];
        let length = line.iter().position(|&byte| byte == b'\n');
        let line = &line[..length.unwrap_or(line.len())];
        let reason = match (is_answer, names_a_port(line)) {
            (true, true) => None,
            (true, false) => Some(NO_PORT),
            (false, true) => Some(SAID_BY_ASKER),
            (false, false) => return Ok(()),
        };
        if let Some(reason) = reason {
            master.decline(reason, start..start + line.len());
            return Ok(());
        }
        let asker = message.tuples[Direction::Original.index()];
        let expectation = Expectation::new(
            Protocol::TCP,
            Some(Sourced::conntrack(asker.src.into(), Direction::Original)),
            Sourced::conntrack(asker.dst, Direction::Original),
            Sourced::conntrack(message.same().dport, Direction::Reply),
        );
        attach(master, expectation);
        Ok(())
    }
}

/// Whether some service comes with a port before one that does not.
fn names_a_port(line: &[u8]) -> bool {
    let mut rest = line;
    let mut named = false;
    for service in SERVICES {
        let Some(at) = find(rest, service) else {
            continue;
        };
        rest = &rest[at + service.len()..];
        let (port, length) = strtoul(rest);
        rest = &rest[length..];
        if port == 0 || length as u16 > MAX_DIGITS {
            break;
        }
        named = true;
    }
    named
}

/// The lower 16 bits of what strtoul(3) makes of a text, and how many bytes it took.
fn strtoul(text: &[u8]) -> (u16, usize) {
    let (number, length) = decimal(text);
    let is_too_large = number.unsigned_abs() > u128::from(u64::MAX);
    (
        if is_too_large {
            u16::MAX
        } else {
            number as u16
        },
        length,
    )
}

const NO_PORT: &str =
    "names no port, port 0, or one of more than five characters, on a CONNECT line";
const SERVICES: [&[u8]; 3] = [b"DATA ", b"MESG ", b"INDEX "];
const MAX_DIGITS: u16 = 5;
const TIMEOUT: Duration = Duration::from_secs(300);
