//! Amanda, a network backup: the server asks a client over UDP, and fetches from it over TCP.
//!
//! Why other connections: the answer to a request holds a line `CONNECT DATA 11001 MESG 11002 INDEX 11003`; whoever
//! asked connects to these ports. Answers come late, so the connection's time-out is made longer with each.
//!
//! Only what comes back is read, and only the first such line of it. Not checked: whether anything was asked,
//! whether the line starts where a line does, and the range of any port.
//!
//! Source: net/netfilter/nf_conntrack_amanda.c `amanda_help()`.

use std::ops::Range;
use std::time::Duration;

use super::reasons::SAID_BY_ASKER;
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, MOST_SECONDS, Master, Message,
    Parameter, Policy, Spec, text,
};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "amanda",
    source: "net/netfilter/nf_conntrack_amanda.c",
    ports: &[(Protocol::UDP, Some(10080))],
    families: Families::Both,
    home: Home::Module(Instances::One),
    why: "what is backed up travels over TCP, to ports that the backed-up host names in a datagram",
    policies: |_| {
        vec![Policy {
            max_expected: 4,
            timeout: Duration::from_secs(180),
        }]
    },
    parameters: &[Parameter {
        name: MASTER_TIMEOUT,
        default: 300,
        range: 0..=MOST_SECONDS,
        meaning: "seconds that an Amanda conversation may be silent after an answer",
    }],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Fixed,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[],
    start: |modules, _| {
        Box::new(Amanda {
            timeout: Duration::from_secs(modules.get(MASTER_TIMEOUT).into()),
        })
    },
}];

struct Amanda {
    timeout: Duration,
}

impl Helper for Amanda {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.direction == Direction::Original {
            if let Some(line) = named(message.payload) {
                master.decline(SAID_BY_ASKER, line);
            }
            return Ok(());
        }
        // An empty answer is an answer, too.
        master.refresh(self.timeout);
        let Some(at) = find(message.payload, CONNECT) else {
            return Ok(());
        };
        let rest = &message.payload[at..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            master.decline("a CONNECT line without its end", at..message.payload.len());
            return Ok(());
        };
        connect(message, at..at + length, master)
    }
}

/// Expects a connection for each service of the line. One that cannot be expected costs the datagram, but not the
/// others.
fn connect(
    message: &Message<'_>,
    line: Range<usize>,
    master: &mut dyn Master,
) -> Result<(), Dropped> {
    let asker = message.tuples[Direction::Original.index()];
    let mut result = Ok(());
    for service in SERVICES {
        let Some(at) = find(&message.payload[line.clone()], service) else {
            continue;
        };
        let at = line.start + at;
        let (port, digits) = text::decimal(&message.payload[at..line.end.min(at + MAX_DIGITS)]);
        let port = port as u16;
        if port == 0 {
            master.decline("names no port, or port 0, on a CONNECT line", line);
            break;
        }
        let expectation = Expectation::new(
            Protocol::TCP,
            Some(Sourced::conntrack(asker.src.into(), Direction::Original)),
            Sourced::conntrack(asker.dst, Direction::Original),
            Sourced::command(port, message.packet, at..at + digits),
        );
        if let Err(refused) = master.expect(expectation) {
            result = Err(refused.into());
        }
    }
    result
}

/// The first CONNECT line, if it is whole and has a service.
fn named(text: &[u8]) -> Option<Range<usize>> {
    let start = find(text, CONNECT)?;
    let length = text[start..].iter().position(|&byte| byte == b'\n')?;
    let line = start..start + length;
    let has = |service: &&[u8]| find(&text[line.clone()], service).is_some();
    SERVICES.iter().any(has).then_some(line)
}

/// Where the first one of these words ends.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let at = text.windows(word.len()).position(|window| window == word)?;
    Some(at + word.len())
}

const CONNECT: &[u8] = b"CONNECT ";
const SERVICES: [&[u8]; 4] = [b"DATA ", b"MESG ", b"INDEX ", b"STATE "];
/// How much of a number is looked at; the lower 16 bits of it count.
const MAX_DIGITS: usize = 5;
const MASTER_TIMEOUT: &str = "nf_conntrack_amanda.master_timeout";
