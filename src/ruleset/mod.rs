//! What a rule set says, be it in nft's words or in those of iptables-save, and what it does to a packet.
//!
//! One model serves both languages: base chains at hooks, chains that they jump to, rules of conditions. A file a
//! language reads and writes it; `evaluate` takes a packet through it. What decides nothing about helpers and states
//! (counters, logs, marks, addresses to translate) is not kept; what might decide something, and is not understood, is
//! kept as `Match::Unknown`, and listed as unread.

mod evaluate;
mod hooks;
pub mod iptables;
pub mod nftables;

pub use evaluate::{Passing, Ruling, Seen};
pub use hooks::Hooks;

use std::net::IpAddr;
use std::ops::{Deref, RangeInclusive};

use crate::conntrack::State;
use crate::conntrack::event::Status;
use crate::helper::Families;
use crate::packet::route::Kind;
use crate::tuple::{Direction, Protocol};

/// The rules of one file or of several, in one kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// File by file; verdicts name them by their place here.
    pub chains: Vec<Chain>,
    /// What the files say and the simulation cannot do, in their order.
    pub unread: Vec<Unread>,
}

/// Something that might decide, and that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it stands.
    pub place: Place,
    /// The words that are meant.
    pub text: String,
    /// Without a full stop.
    pub why: &'static str,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which of the files, from 0.
    pub file: usize,
    /// From 1.
    pub line: usize,
}

/// Rules one behind the other, called at a hook or by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The packets that it sees.
    pub family: Family,
    /// The table that it stands in.
    pub table: String,
    /// Within the table.
    pub name: String,
    /// `None` for one that others jump to.
    pub base: Option<Base>,
    /// Asked from the first to the last.
    pub rules: Vec<Rule>,
}

/// The packets that a table sees, or a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// nft's `ip`, iptables.
    Ipv4,
    /// nft's `ip6`, ip6tables.
    Ipv6,
    /// Both: nft's `inet`.
    Inet,
}

/// Where a chain is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// Where on a packet's way.
    pub hook: Hook,
    /// Chains of a hook run from the lowest to the highest, of those of one priority the last first. Conntrack is at
    /// -200.
    pub priority: i32,
    /// Whether it lets pass what none of its rules decides.
    pub accepts: bool,
}

/// A place on a packet's way (`enum nf_inet_hooks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Whatever comes in.
    Prerouting,
    /// What the firewall takes in itself.
    Input,
    /// What goes through.
    Forward,
    /// What the firewall sends itself.
    Output,
    /// Whatever goes out.
    Postrouting,
}

/// One rule: where all conditions hold, the effect takes place, and then the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Where it was read; of a proposed one, its number.
    pub place: Place,
    /// All have to hold.
    pub conditions: Vec<Condition>,
    /// What it does to the flow.
    pub effect: Option<Effect>,
    /// What it does to the packet.
    pub verdict: Option<Verdict>,
    /// The words for people.
    pub comment: Option<String>,
}

/// What a rule does to a packet's flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// nft's `ct helper set`: for the flow that conntrack found. Before conntrack it does nothing.
    Help(Helper),
    /// iptables' `-j CT --helper`: for a flow that conntrack is going to make.
    Template(Helper),
    /// `notrack`, `-j CT --notrack`.
    Untrack,
}

/// The helper that a rule attaches: nft's object, without its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Helper {
    /// As the kernel has it registered: nft's `type`.
    pub name: String,
    /// The one that it is attached for.
    pub protocol: Protocol,
    /// nft's `l3proto`.
    pub family: Family,
}

/// The end of a rule; without one, the next rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The chain's hook lets it pass; chains of a higher priority may still drop it.
    Accept,
    /// Also `reject`.
    Drop,
    /// Index of the chain in its rule set.
    Jump(usize),
    /// The same, without a way back.
    Goto(usize),
    /// Back to the chain that jumped here.
    Return,
}

/// A match, or its opposite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What the packet is held against.
    pub matches: Match,
    /// It holds where the match does not. What a packet does not have (a port, a flow) neither matches nor holds so.
    pub negated: bool,
}

/// What a packet is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// `ct state`, any of these.
    State(Vec<State>),
    /// `ct status`, any of these bits.
    Status(Status),
    /// `ct direction`
    Direction(Direction),
    /// The helper of the flow's master: nft's `ct helper`.
    Helper(String),
    /// xt_helper compares no more than the length of the flow's helper's name, and takes an empty name for any.
    HelperBegins(String),
    /// Any of these names: `iifname`, `oifname`, `-i`, `-o`.
    Interface(Way, Vec<Name>),
    /// `ip saddr`, `ip6 daddr`, `-s`, `-d`
    Address(End, Addresses),
    /// What the address is to the firewall, any of these: `fib daddr type`, `-m addrtype`.
    Kind(End, Vec<Kind>),
    /// Of whatever has ports there; `Protocol` stands beside it.
    Port(End, Vec<RangeInclusive<u16>>),
    /// `meta l4proto`, `-p`
    Protocol(Vec<RangeInclusive<u8>>),
    /// `meta nfproto`
    Family(Family),
    /// Of this family's ICMP; `Protocol` stands beside it.
    IcmpType(Family, Vec<RangeInclusive<u8>>),
    /// Likewise, of its codes.
    IcmpCode(Family, Vec<RangeInclusive<u8>>),
    /// Of the flags of `mask`, those of `set` and no others; `Protocol` stands beside it.
    TcpFlags {
        /// Those that are looked at.
        mask: u8,
        /// Those of them that have to be set.
        set: u8,
    },
    /// Where all conditions of any of these hold: a set of concatenations, or what iptables says in one word.
    Any(Vec<Vec<Condition>>),
    /// Something that the simulation does not know; the words.
    Unknown(String),
}

impl Match {
    /// Any of these addresses, which are of one family.
    pub fn addresses(end: End, ranges: Vec<RangeInclusive<IpAddr>>) -> Self {
        let before =
            |one: &RangeInclusive<IpAddr>, other: &RangeInclusive<_>| one.end() < other.start();
        let in_order = ranges.is_sorted_by(before);
        Self::Address(end, Addresses { ranges, in_order })
    }
}

/// Addresses of a set, in the order of its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    ranges: Vec<RangeInclusive<IpAddr>>,
    /// From the lowest to the highest, none of them twice.
    in_order: bool,
}

impl Addresses {
    /// Sets of clients are long, and packets many.
    pub fn contains(&self, address: IpAddr) -> bool {
        if !self.in_order {
            return self.ranges.iter().any(|range| range.contains(&address));
        }
        let not_behind = self.ranges.partition_point(|range| *range.end() < address);
        let next = self.ranges.get(not_behind);
        next.is_some_and(|range| *range.start() <= address)
    }
}

impl Deref for Addresses {
    type Target = [RangeInclusive<IpAddr>];

    fn deref(&self) -> &Self::Target {
        &self.ranges
    }
}

/// Which of a packet's two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// By which it came.
    In,
    /// By which it leaves.
    Out,
}

/// Which of a packet's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Who sends it.
    Src,
    /// To whom.
    Dst,
}

/// An interface's name, or how it begins (nft's `eth*`, iptables' `eth+`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Without the mark of a beginning.
    pub text: String,
    /// Whatever begins so.
    pub begins: bool,
}

/// A rule of a rule set, by the places of its chain and of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// Index in `Ruleset::chains`.
    pub chain: usize,
    /// Index in `Chain::rules`.
    pub rule: usize,
}

impl Ruleset {
    /// What a file says, in whichever of the languages it is written. `file` is its place among several.
    pub fn read(text: &str, file: usize) -> Self {
        if text.trim_start().starts_with('{') {
            nftables::read_json(text, file)
        } else if text.lines().any(|line| line.starts_with('*')) {
            iptables::read(text, file)
        } else {
            nftables::read(text, file)
        }
    }

    /// `None` where there is none at that place.
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.chains.get(id.chain)?.rules.get(id.rule)
    }

    /// Every rule, chain by chain.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.chains.iter().enumerate().flat_map(|(chain, of)| {
            let rules = of.rules.iter().enumerate();
            rules.map(move |(rule, is)| (RuleId { chain, rule }, is))
        })
    }

    /// Lists as unread what attaches a helper that does not exist: the kernel takes no such rule set.
    pub fn check_helpers(&mut self, exists: impl Fn(&str) -> bool) {
        let missing = self.rules().filter_map(|(_, rule)| match &rule.effect {
            Some(Effect::Help(helper) | Effect::Template(helper)) if !exists(&helper.name) => {
                Some(Unread {
                    place: rule.place,
                    text: helper.name.clone(),
                    why: "no helper has that name, so this does not load",
                })
            }
            _ => None,
        });
        let missing: Vec<Unread> = missing.collect();
        self.unread.extend(missing);
    }

    /// Adds what another file says.
    pub fn append(&mut self, mut other: Self) {
        let before = self.chains.len();
        let verdicts = other
            .chains
            .iter_mut()
            .flat_map(|chain| &mut chain.rules)
            .filter_map(|rule| rule.verdict.as_mut());
        for verdict in verdicts {
            if let Verdict::Jump(chain) | Verdict::Goto(chain) = verdict {
                *chain += before;
            }
        }
        self.chains.append(&mut other.chains);
        self.unread.append(&mut other.unread);
    }
}

impl Condition {
    /// Holds where the match does.
    pub fn is(matches: Match) -> Self {
        Self {
            matches,
            negated: false,
        }
    }

    /// Holds where the match does not.
    pub fn not(matches: Match) -> Self {
        Self {
            matches,
            negated: true,
        }
    }
}

impl From<Families> for Family {
    fn from(read: Families) -> Self {
        match read {
            Families::Ipv4 => Self::Ipv4,
            Families::Ipv6 => Self::Ipv6,
            Families::Both => Self::Inet,
        }
    }
}

impl Family {
    /// Its own ICMP; of both together, IPv4's.
    pub fn icmp(self) -> Protocol {
        match self {
            Self::Ipv6 => Protocol::ICMPV6,
            Self::Ipv4 | Self::Inet => Protocol::ICMP,
        }
    }

    /// Whether packets with such addresses belong to it.
    pub fn has(self, ipv6: bool) -> bool {
        match self {
            Self::Ipv4 => !ipv6,
            Self::Ipv6 => ipv6,
            Self::Inet => true,
        }
    }
}

/// Why a rule that translates is not read.
const TRANSLATION: &str = "address translation is not simulated";
