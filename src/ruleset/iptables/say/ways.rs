//! Conditions as ways in which they may hold: lists taken apart, and what the other family's packets have left out.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::super::values::{self, MOST_PORTS};
use super::super::write::Unsayable;
use super::unsayable;
use crate::conntrack::State;
use crate::ruleset::{Condition, Family, Match};
use crate::tuple::Protocol;

/// All conditions of one of these hold where the given ones do: none where they never hold.
type Ways = Vec<Vec<Condition>>;

/// The ways of several conditions, each with one value of what iptables has one of.
pub(super) fn all(conditions: &[Condition], ipv6: bool) -> Result<Ways, Unsayable> {
    let mut all = always();
    for condition in conditions {
        let next = of(condition, ipv6)?;
        if all.len() * next.len() > MOST_RULES {
            return Err(unsayable("in less than a thousand rules"));
        }
        let both = |way: &Vec<Condition>| {
            let way = way.clone();
            let joined = next.iter().map(move |more| [&way[..], more].concat());
            joined.collect::<Ways>()
        };
        all = all.iter().flat_map(both).collect();
    }
    Ok(all)
}

fn of(condition: &Condition, ipv6: bool) -> Result<Ways, Unsayable> {
    let negated = condition.negated;
    Ok(match &condition.matches {
        Match::Any(_) if negated => return Err(unsayable("that none of several ways holds")),
        Match::Any(ways) => {
            let ways = ways.iter().map(|way| all(way, ipv6));
            ways.collect::<Result<Vec<_>, _>>()?.concat()
        }
        Match::Family(family) => whether(family.has(ipv6) != negated),
        Match::State(states) => {
            let states = states.iter().filter(|state| **state != State::None);
            let states: Vec<State> = states.copied().collect();
            if states.is_empty() {
                whether(negated)
            } else {
                one(Match::State(states), negated)
            }
        }
        Match::Address(end, ranges) => addresses(ranges, negated, ipv6, |range| {
            Match::addresses(*end, vec![range])
        }),
        Match::Interface(way, names) => {
            let names = names.iter().cloned();
            each(names, negated, |name| Match::Interface(*way, vec![name]))
        }
        Match::Port(end, ranges) => {
            if negated && ranges.contains(&(0..=u16::MAX)) {
                return Ok(Vec::new());
            }
            let sets = sets_of_ports(ranges).into_iter();
            each(sets, negated, |set| Match::Port(*end, set))
        }
        Match::IcmpType(family, _) | Match::IcmpCode(family, _)
            if (*family == Family::Ipv6) != ipv6 =>
        {
            Vec::new()
        }
        Match::IcmpType(_, ranges) if ranges.contains(&(0..=u8::MAX)) => {
            if negated {
                return Ok(Vec::new());
            }
            let protocol = icmp(ipv6);
            one(Match::Protocol(vec![protocol.0..=protocol.0]), false)
        }
        Match::IcmpType(family, ranges) => {
            let types = ranges.iter().cloned().flatten();
            each(types, negated, |is| Match::IcmpType(*family, vec![is..=is]))
        }
        Match::IcmpCode(family, ranges) => {
            let codes = ranges.iter().cloned().flatten();
            each(codes, negated, |is| Match::IcmpCode(*family, vec![is..=is]))
        }
        other => one(other.clone(), negated),
    })
}

/// A packet of the other family has no address to be compared, denied or not.
fn addresses(
    ranges: &[RangeInclusive<IpAddr>],
    negated: bool,
    ipv6: bool,
    of: impl Fn(RangeInclusive<IpAddr>) -> Match,
) -> Ways {
    let is_foreign = |range: &&RangeInclusive<IpAddr>| range.start().is_ipv6() != ipv6;
    if ranges.first().as_ref().is_some_and(is_foreign) {
        return Vec::new();
    }
    let own = ranges.iter().filter(|range| !is_foreign(range));
    let mut own = own.filter(|range| !range.is_empty()).cloned();
    if own.clone().any(|range| values::is_everywhere(&range)) {
        return whether(!negated);
    }
    each(own.by_ref(), negated, of)
}

/// As multiport takes them.
fn sets_of_ports(ranges: &[RangeInclusive<u16>]) -> Vec<Vec<RangeInclusive<u16>>> {
    let (mut sets, mut room) = (Vec::new(), 0);
    for range in ranges.iter().filter(|range| !range.is_empty()) {
        let takes = if range.start() == range.end() { 1 } else { 2 };
        if room < takes {
            sets.push(Vec::new());
            room = MOST_PORTS;
        }
        room -= takes;
        if let Some(set) = sets.last_mut() {
            set.push(range.clone());
        }
    }
    sets
}

/// Any of these, or none of them.
fn each<T>(values: impl Iterator<Item = T>, negated: bool, of: impl Fn(T) -> Match) -> Ways {
    let conditions = values.map(|value| Condition {
        matches: of(value),
        negated,
    });
    if negated {
        vec![conditions.collect()]
    } else {
        conditions.map(|condition| vec![condition]).collect()
    }
}

fn one(matches: Match, negated: bool) -> Ways {
    vec![vec![Condition { matches, negated }]]
}

fn whether(holds: bool) -> Ways {
    if holds { always() } else { Vec::new() }
}

fn always() -> Ways {
    vec![Vec::new()]
}

/// Of a family's packets.
pub(super) fn icmp(ipv6: bool) -> Protocol {
    if ipv6 {
        Protocol::ICMPV6
    } else {
        Protocol::ICMP
    }
}

/// More rules than that nobody wants in place of one.
const MOST_RULES: usize = 1000;
