//! The language of iptables-save, held against iptables-extensions(8) and iptables itself.

mod files;
mod options;
mod packets;
mod restore;
mod round_trip;
mod written;

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::Status;
use ctaudit::packet::{Packet, ip};
use ctaudit::ruleset::{Effect, Hook, Hooks, Passing, Ruleset, Seen, iptables};
use ctaudit::tuple::Direction;

use crate::traffic::packet::ip as datagram;

/// A packet with what is known of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub datagram: Vec<u8>,
    pub seen: Option<Seen>,
    pub input: Option<&'static str>,
    pub output: Option<&'static str>,
}

/// What the chains of a hook come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub dropped: bool,
    pub undecided: bool,
    pub untracked: bool,
    pub helpers: Vec<String>,
}

impl Case {
    /// From one address to another, with the first bytes behind the IP header.
    pub fn new(from: &str, to: &str, protocol: u8, head: [u8; 4]) -> Self {
        let mut segment = head.to_vec();
        segment.resize(20, 0);
        // A TCP header of its smallest size.
        segment[12] = 0x50;
        let datagram = datagram(
            from.parse().unwrap(),
            to.parse().unwrap(),
            protocol,
            segment,
        );
        Self {
            datagram,
            seen: Some(seen(State::New)),
            input: Some("eth0"),
            output: Some("eth1"),
        }
    }

    pub fn tcp(from: &str, to: &str, port: u16) -> Self {
        let [high, low] = port.to_be_bytes();
        Self::new(from, to, 6, [0xc0, 0x01, high, low])
    }

    pub fn udp(from: &str, to: &str, port: u16) -> Self {
        let [high, low] = port.to_be_bytes();
        Self::new(from, to, 17, [0xc0, 0x01, high, low])
    }

    pub fn in_state(mut self, state: State) -> Self {
        self.seen = Some(seen(state));
        self
    }

    /// An expected flow, whose master has that helper.
    pub fn helped(mut self, helper: &'static str) -> Self {
        self.seen = Some(Seen {
            helper: Some(helper),
            ..seen(State::Related)
        });
        self
    }

    pub fn by(mut self, input: &'static str, output: &'static str) -> Self {
        (self.input, self.output) = (Some(input), Some(output));
        self
    }

    pub fn at(&self, rules: &Ruleset, hook: Hook) -> Outcome {
        let own = ["198.51.100.1/24".parse().unwrap()];
        let passing = Passing {
            packet: &packet(&self.datagram),
            seen: self.seen,
            input: self.input,
            output: self.output,
            local: &own,
        };
        let ruling = rules.decide(&Hooks::of(rules), hook, &passing, None);
        let mut outcome = Outcome {
            dropped: ruling.dropped,
            undecided: !ruling.undecided.is_empty(),
            ..Outcome::default()
        };
        for id in ruling.effects {
            match &rules.rule(id).unwrap().effect {
                Some(Effect::Untrack) => outcome.untracked = true,
                // Conntrack takes no notice of the helper of another protocol or family.
                Some(Effect::Template(helper)) => {
                    let is_ipv6 = passing.packet.src.is_ipv6();
                    let protocol = passing.packet.transport.map(|(protocol, _)| protocol);
                    if helper.family.has(is_ipv6) && Some(helper.protocol) == protocol {
                        outcome.helpers.push(helper.name.clone());
                    }
                }
                Some(Effect::Help(_)) | None => {}
            }
        }
        outcome.helpers.dedup();
        outcome
    }

    /// Before conntrack.
    pub fn early(&self, rules: &Ruleset) -> Outcome {
        let mut case = self.clone();
        case.seen = None;
        case.at(rules, Hook::Prerouting)
    }
}

pub fn seen(state: State) -> Seen {
    let has_flow = !matches!(state, State::Invalid | State::Untracked);
    let mut status = Status::default();
    if state == State::Related {
        status.set(Status::EXPECTED);
    }
    Seen {
        state,
        direction: has_flow.then_some(Direction::Original),
        status,
        helper: None,
    }
}

fn packet(datagram: &[u8]) -> Packet<'_> {
    let header = ip::Header::parse(datagram).unwrap();
    Packet {
        number: 1,
        src: header.src,
        dst: header.dst,
        hop_limit: 64,
        datagram,
        transport: ip::transport(&header, datagram),
        captured: datagram.len(),
        fragmented: false,
        tunnel: None,
        key: None,
    }
}

/// A file that must be understood in full.
pub fn understood(text: &str) -> Ruleset {
    let rules = iptables::read(text, 0);
    assert_eq!(rules.unread, [], "{text}");
    rules
}

/// What of a file was not understood.
pub fn unread(text: &str) -> Vec<(usize, String)> {
    let unread = iptables::read(text, 0).unread.into_iter();
    unread.map(|of| (of.place.line, of.text)).collect()
}
