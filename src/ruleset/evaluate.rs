//! A packet on its way through the chains of a hook.
//!
//! Sources: `nf_hook_slow` (net/netfilter/core.c), `nft_do_chain` (nf_tables_core.c), `ipt_do_table` (ip_tables.c),
//! `nft_ct_get_eval` (nft_ct.c), `helper_mt` (xt_helper.c).

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::{
    Addresses, Condition, Effect, End, Family, Helper, Hook, Hooks, Match, Name, Rule, RuleId,
    Ruleset, Verdict, Way,
};
use crate::conntrack::State;
use crate::conntrack::event::Status;
use crate::packet::route::Kind;
use crate::packet::{Packet, ip};
use crate::tuple::{Direction, Protocol};

/// A packet as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'p> {
    /// As it stands in PREROUTING.
    pub packet: &'p Packet<'p>,
    /// `None` before conntrack.
    pub seen: Option<Seen>,
    /// The interfaces that it comes and goes by, where they are known.
    pub input: Option<&'p str>,
    /// The interface by which it goes out.
    pub output: Option<&'p str>,
    /// The firewall's own addresses.
    pub local: &'p [IpNet],
}

/// What conntrack says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What `ct state` matches.
    pub state: State,
    /// What `ct direction` matches.
    pub direction: Option<Direction>,
    /// What `ct status` matches.
    pub status: Status,
    /// The master's.
    pub helper: Option<&'static str>,
}

/// What a hook's chains come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// A rule or a policy drops it.
    pub dropped: bool,
    /// The rules that ended a chain, and those with an effect, in their order.
    pub by: Vec<RuleId>,
    /// Those of them with an effect.
    pub effects: Vec<RuleId>,
    /// Rules that may have held or not: something that they ask is not known.
    pub undecided: Vec<RuleId>,
}

/// How a chain ended.
enum Walked {
    Accepted(Option<RuleId>),
    Dropped(Option<RuleId>),
    /// Its last rule was passed, or one returned.
    Ran,
}

impl Ruleset {
    /// The packet at a hook, before conntrack or behind it as it was seen or not; with one rule left out, where one is
    /// named.
    pub fn decide(
        &self,
        hooks: &Hooks,
        hook: Hook,
        passing: &Passing<'_>,
        without: Option<RuleId>,
    ) -> Ruling {
        let mut ruling = Ruling::default();
        let state = state_of(passing.seen);
        if !hooks.matter(hook, passing.seen.is_some(), state) {
            return ruling;
        }
        let mut walk = Walk {
            rules: self,
            passing,
            seen: passing.seen,
            hooks,
            ipv6: passing.packet.src.is_ipv6(),
            protocol: ip::protocol_in_rules(passing.packet.datagram),
            without,
            steps: MOST_STEPS,
            ruling: &mut ruling,
        };
        for &index in hooks.chains(hook, passing.seen.is_some()) {
            if walk.base(index) {
                ruling.dropped = true;
                break;
            }
        }
        ruling
    }
}

struct Walk<'w> {
    rules: &'w Ruleset,
    passing: &'w Passing<'w>,
    /// As the rules passed so far have left it.
    seen: Option<Seen>,
    hooks: &'w Hooks,
    ipv6: bool,
    protocol: Option<u8>,
    without: Option<RuleId>,
    /// Rules that may still be looked at: chains that jump to others many times multiply.
    steps: u32,
    ruling: &'w mut Ruling,
}

impl Walk<'_> {
    /// Whether the base chain drops it.
    fn base(&mut self, index: usize) -> bool {
        let Some(chain) = self.rules.chains.get(index) else {
            return false;
        };
        if !chain.family.has(self.ipv6) {
            return false;
        }
        match self.chain(index, 0) {
            Walked::Accepted(by) => {
                self.ruling.by.extend(by);
                false
            }
            Walked::Dropped(by) => {
                self.ruling.by.extend(by);
                true
            }
            Walked::Ran => chain.base.is_some_and(|base| !base.accepts),
        }
    }

    fn chain(&mut self, index: usize, depth: usize) -> Walked {
        let Some(chain) = self.rules.chains.get(index) else {
            return Walked::Ran;
        };
        if !self.hooks.may_hold(index, self.state()) {
            return Walked::Ran;
        }
        for (at, rule) in chain.rules.iter().enumerate() {
            let id = RuleId {
                chain: index,
                rule: at,
            };
            if self.without == Some(id) {
                continue;
            }
            let Some(steps) = self.steps.checked_sub(1) else {
                self.ruling.undecided.push(id);
                return Walked::Ran;
            };
            self.steps = steps;
            match self.holds(rule) {
                Some(false) => continue,
                None => {
                    self.ruling.undecided.push(id);
                    continue;
                }
                Some(true) => {}
            }
            if let Some(effect) = &rule.effect {
                self.ruling.effects.push(id);
                self.seen = self.seen_behind(effect);
            }
            match rule.verdict {
                None => {}
                Some(Verdict::Accept) => return Walked::Accepted(Some(id)),
                Some(Verdict::Drop) => return Walked::Dropped(Some(id)),
                Some(Verdict::Return) => return Walked::Ran,
                // The kernel refuses rule sets that jump deeper, or in circles.
                Some(Verdict::Jump(_) | Verdict::Goto(_)) if depth >= DEEPEST => {}
                Some(Verdict::Goto(to)) => return self.chain(to, depth + 1),
                Some(Verdict::Jump(to)) => match self.chain(to, depth + 1) {
                    Walked::Ran => {}
                    ended => return ended,
                },
            }
        }
        Walked::Ran
    }

    /// What rules see of the packet behind one with this effect. What has a flow, or none on purpose, is left alone
    /// (`nft_notrack_eval`, `xt_ct_target`). A template looks like a new flow, a confirmed one (`xt_ct_tg_check`).
    fn seen_behind(&self, effect: &Effect) -> Option<Seen> {
        let untracked = Seen {
            state: State::Untracked,
            direction: None,
            status: Status::default(),
            helper: None,
        };
        let is_for = |helper: &Helper| {
            self.protocol == Some(helper.protocol.0) && helper.family.has(self.ipv6)
        };
        match (effect, self.seen) {
            (Effect::Untrack, None) => Some(untracked),
            (Effect::Untrack, Some(seen)) if seen.state == State::Invalid => Some(untracked),
            (Effect::Template(helper), None) if is_for(helper) => Some(Seen {
                state: State::New,
                direction: Some(Direction::Original),
                status: Status::CONFIRMED,
                helper: None,
            }),
            (_, seen) => seen,
        }
    }

    fn state(&self) -> State {
        state_of(self.seen)
    }

    /// `None` where that depends on something that is not known.
    fn holds(&self, rule: &Rule) -> Option<bool> {
        self.all(&rule.conditions)
    }

    fn all(&self, conditions: &[Condition]) -> Option<bool> {
        let mut all = Some(true);
        for condition in conditions {
            match self.condition(condition) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    fn condition(&self, condition: &Condition) -> Option<bool> {
        Some(match self.matches(&condition.matches)? {
            Matched::Yes => !condition.negated,
            Matched::No => condition.negated,
            Matched::Absent => false,
        })
    }

    fn matches(&self, what: &Match) -> Option<Matched> {
        let Passing {
            packet,
            input,
            output,
            local,
            ..
        } = self.passing;
        let seen = self.seen;
        Some(match what {
            Match::State(states) => Matched::of(states.contains(&self.state())),
            Match::Status(bits) => match seen {
                Some(seen) if seen.direction.is_some() => {
                    let is_set = seen.status.has_any(*bits);
                    if !is_set && self.hooks.unknown.has_any(*bits) {
                        return None;
                    }
                    Matched::of(is_set)
                }
                _ => Matched::Absent,
            },
            Match::Direction(direction) => match seen.and_then(|seen| seen.direction) {
                Some(is) => Matched::of(is == *direction),
                None => Matched::Absent,
            },
            Match::Helper(name) => match seen.and_then(|seen| seen.helper) {
                Some(helper) => Matched::of(helper == name),
                None => Matched::Absent,
            },
            // `helper_mt` answers 'no' where there is none, and negates that, too.
            Match::HelperBegins(name) => match seen.and_then(|seen| seen.helper) {
                Some(helper) => Matched::of(name.is_empty() || name.starts_with(helper)),
                None => Matched::No,
            },
            Match::Interface(way, names) => {
                let (name, end) = match way {
                    Way::In => (input, End::Src),
                    Way::Out => (output, End::Dst),
                };
                match name {
                    Some(name) => Matched::of(names.iter().any(|pattern| pattern.covers(name))),
                    None if self.is_elsewhere(end) && names.iter().all(Name::is_loopback) => {
                        Matched::No
                    }
                    None => return None,
                }
            }
            Match::Address(end, ranges) => Matched::address(self.address(*end), ranges),
            Match::Kind(end, kinds) => {
                Matched::of(kinds.contains(&Kind::of(self.address(*end), local)))
            }
            Match::Port(end, ranges) => {
                let at = match end {
                    End::Src => 0,
                    End::Dst => 2,
                };
                let bytes = packet.transport_bytes().get(at..);
                match bytes.and_then(<[u8]>::first_chunk) {
                    Some(port) => Matched::within(&u16::from_be_bytes(*port), ranges),
                    None => Matched::Absent,
                }
            }
            Match::Protocol(ranges) => match self.protocol {
                Some(protocol) => Matched::within(&protocol, ranges),
                None => Matched::Absent,
            },
            Match::Family(family) => Matched::of(family.has(self.ipv6)),
            Match::IcmpType(family, ranges) => self.icmp(*family, 0, ranges),
            Match::IcmpCode(family, ranges) => self.icmp(*family, 1, ranges),
            Match::TcpFlags { mask, set } => {
                let flags = packet.transport_bytes().get(TCP_FLAGS);
                match flags.filter(|_| self.protocol == Some(Protocol::TCP.0)) {
                    Some(flags) => Matched::of(flags & mask == *set),
                    None => Matched::Absent,
                }
            }
            Match::Any(ways) => {
                let mut any = Some(Matched::No);
                for way in ways {
                    match self.all(way) {
                        Some(true) => return Some(Matched::Yes),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any?
            }
            Match::Unknown(_) => return None,
        })
    }

    /// The loopback device carries what is the firewall's own, and that alone.
    fn is_elsewhere(&self, end: End) -> bool {
        Kind::of(self.address(end), self.passing.local) != Kind::Local
    }

    fn address(&self, end: End) -> IpAddr {
        match end {
            End::Src => self.passing.packet.src,
            End::Dst => self.passing.packet.dst,
        }
    }

    fn icmp(&self, family: Family, at: usize, ranges: &[RangeInclusive<u8>]) -> Matched {
        let has_it = self.protocol == Some(family.icmp().0) && family.has(self.ipv6);
        let byte = self.passing.packet.transport_bytes().get(at);
        match byte.filter(|_| has_it) {
            Some(byte) => Matched::within(byte, ranges),
            None => Matched::Absent,
        }
    }
}

/// Without a flow, a packet is INVALID to both languages, also where conntrack has not yet looked.
fn state_of(seen: Option<Seen>) -> State {
    seen.map_or(State::Invalid, |seen| seen.state)
}

/// How a packet stands to a match.
enum Matched {
    Yes,
    No,
    /// It has nothing to be compared: the rule does not hold, negated or not.
    Absent,
}

impl Matched {
    fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    fn within<T: PartialOrd>(value: &T, ranges: &[RangeInclusive<T>]) -> Self {
        Self::of(ranges.iter().any(|range| range.contains(value)))
    }

    /// An address of the other family is none at all.
    fn address(address: IpAddr, set: &Addresses) -> Self {
        let is_comparable = set
            .first()
            .is_none_or(|range| range.start().is_ipv6() == address.is_ipv6());
        if is_comparable {
            Self::of(set.contains(address))
        } else {
            Self::Absent
        }
    }
}

impl Name {
    fn is_loopback(&self) -> bool {
        !self.begins && self.text == "lo"
    }

    fn covers(&self, name: &str) -> bool {
        if self.begins {
            name.starts_with(&self.text)
        } else {
            name == self.text
        }
    }
}

/// Of a TCP header, the byte with the flags.
const TCP_FLAGS: usize = 13;
/// Of real rule sets, the largest have some tens of thousands of rules in all.
const MOST_STEPS: u32 = 100_000;
/// `NFT_JUMP_STACK_SIZE`
const DEEPEST: usize = 16;
