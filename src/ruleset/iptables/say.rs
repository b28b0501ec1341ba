//! Conditions in the words of iptables: as many rules as it takes, for it has no sets.

mod icmp;
mod ways;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::rule;
use super::values::{self, LONGEST_INTERFACE};
use super::write::Unsayable;
use crate::conntrack::State;
use crate::conntrack::event::Status;
use crate::packet::route::Kind;
use crate::ruleset::{Condition, End, Match, Name, Way};
use crate::tuple::Protocol;
use icmp::Icmp;

/// The options of every rule that it takes to say these conditions; none where they never hold in this family. A helper
/// that is to be attached asks for its own protocol.
pub(super) fn options(
    conditions: &[Condition],
    ipv6: bool,
    only: Option<Protocol>,
) -> Result<Vec<String>, Unsayable> {
    let mut all = Vec::new();
    for way in ways::all(conditions, ipv6)? {
        let mut said = Said::new(ipv6);
        if let Some(only) = only {
            said.protocols.retain(|protocol| *protocol == only.0);
        }
        for condition in &way {
            said.condition(condition)?;
        }
        all.append(&mut said.finish()?);
    }
    Ok(all)
}

/// One rule, or one for each of its protocols.
struct Said {
    ipv6: bool,
    /// Those that it may have.
    protocols: Vec<u8>,
    has_ports: bool,
    /// `-s`, `-d`, `-i` and `-o`, of which a rule has one each.
    ends: [Option<String>; 2],
    interfaces: [Option<String>; 2],
    /// Of a port and its range, which each protocol has an own word for.
    ports: [Option<String>; 2],
    icmp: Icmp,
    matches: Vec<String>,
}

impl Said {
    fn new(ipv6: bool) -> Self {
        Self {
            ipv6,
            protocols: (0..=u8::MAX).collect(),
            has_ports: false,
            ends: Default::default(),
            interfaces: Default::default(),
            ports: Default::default(),
            icmp: Icmp::default(),
            matches: Vec::new(),
        }
    }

    /// A condition as `ways` leaves it: of one value, but for states and ports.
    fn condition(&mut self, condition: &Condition) -> Result<(), Unsayable> {
        let negated = condition.negated;
        let not = if negated { "! " } else { "" };
        match &condition.matches {
            Match::State(states) => {
                let states = states_in_words(states);
                self.add(format!("-m conntrack {not}--ctstate {states}"));
            }
            Match::Status(bits) => {
                let status = status_in_words(*bits)?;
                self.add(format!("-m conntrack {not}--ctstatus {status}"));
            }
            Match::Direction(direction) => {
                let direction = if negated { !*direction } else { *direction };
                let name = direction.name().to_ascii_uppercase();
                self.add(format!("-m conntrack --ctdir {name}"));
            }
            Match::Helper(name) => {
                self.helper(name)?;
                if negated {
                    // To xt_helper, having none is not having this one.
                    self.add("-m helper --helper \"\"".to_owned());
                }
                self.add(format!("-m helper {not}--helper {name}"));
            }
            Match::HelperBegins(name) if name.is_empty() => {
                self.add(format!("-m helper {not}--helper \"\""));
            }
            Match::HelperBegins(name) => {
                plain(name)?;
                self.add(format!("-m helper {not}--helper {name}"));
            }
            Match::Interface(way, names) => self.interface(*way, names, not)?,
            Match::Address(end, ranges) => {
                ranges
                    .iter()
                    .for_each(|range| self.address(*end, range, not));
            }
            Match::Port(end, ranges) => self.several_ports(*end, ranges, not),
            Match::Protocol(ranges) => {
                let within = |number: &u8| ranges.iter().any(|range| range.contains(number));
                self.protocols.retain(|number| within(number) != negated);
            }
            Match::IcmpType(_, types) => self.icmp.types(types, negated),
            Match::IcmpCode(_, codes) => self.icmp.codes(codes, negated),
            Match::Kind(end, kinds) => {
                let end = match end {
                    End::Src => "src",
                    End::Dst => "dst",
                };
                let kinds = kinds_in_words(kinds)?;
                self.add(format!("-m addrtype {not}--{end}-type {kinds}"));
            }
            Match::TcpFlags { mask, set } => {
                self.protocols.retain(|number| *number == Protocol::TCP.0);
                // What no flag decides, iptables on nf_tables takes and then has no match for (1.8.9).
                let is_never = set & !mask != 0;
                if is_never || *mask == 0 {
                    self.protocols.retain(|_| is_never == negated);
                } else {
                    let (mask, set) = (flags_in_words(*mask)?, flags_in_words(*set)?);
                    self.add(format!("-m tcp {not}--tcp-flags {mask} {set}"));
                }
            }
            Match::Unknown(words) => return Err(unsayable(words)),
            Match::Family(_) | Match::Any(_) => return Err(unsayable("a choice within a rule")),
        }
        Ok(())
    }

    fn add(&mut self, words: String) {
        self.matches.push(words);
    }

    /// xt_helper takes `ftp-2121` for `ftp`, too.
    fn helper(&self, name: &str) -> Result<(), Unsayable> {
        let has_number = name
            .rsplit_once('-')
            .is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        if has_number || name.is_empty() {
            return Err(unsayable(&format!("the helper '{name}' and no other")));
        }
        plain(name)
    }

    fn interface(&mut self, way: Way, names: &[Name], not: &str) -> Result<(), Unsayable> {
        let option = match way {
            Way::In => "-i",
            Way::Out => "-o",
        };
        for name in names {
            let text = name_in_words(name)?;
            if text == "+" && not.is_empty() {
                continue;
            }
            let slot = &mut self.interfaces[way as usize];
            if slot.is_some() {
                return Err(unsayable("two conditions about one interface"));
            }
            *slot = Some(format!("{not}{option} {text}"));
        }
        Ok(())
    }

    fn address(&mut self, end: End, range: &RangeInclusive<IpAddr>, not: &str) {
        let (option, of_range) = match end {
            End::Src => ("-s", "--src-range"),
            End::Dst => ("-d", "--dst-range"),
        };
        let slot = &mut self.ends[end as usize];
        let (first, last) = (range.start(), range.end());
        match prefix_length(range) {
            Some(length) if slot.is_none() => {
                *slot = Some(format!("{not}{option} {first}/{length}"));
            }
            _ => self.add(format!("-m iprange {not}{of_range} {first}-{last}")),
        }
    }

    fn several_ports(&mut self, end: End, ranges: &[RangeInclusive<u16>], not: &str) {
        let option = match end {
            End::Src => "sport",
            End::Dst => "dport",
        };
        self.has_ports = true;
        if ranges.contains(&(0..=u16::MAX)) {
            return;
        }
        let slot = &mut self.ports[end as usize];
        let words: Vec<_> = ranges.iter().map(ports_in_words).collect();
        match words.as_slice() {
            [one] if slot.is_none() => *slot = Some(format!("{not}--{option} {one}")),
            _ => self.add(format!("-m multiport {not}--{option}s {}", words.join(","))),
        }
    }

    /// The rules, one for each protocol that it takes.
    fn finish(mut self) -> Result<Vec<String>, Unsayable> {
        let is_portless = |number: &&u8| !rule::WITH_SEVERAL_PORTS.contains(*number);
        if self.has_ports
            && let Some(number) = self.protocols.iter().find(is_portless)
        {
            return Err(unsayable(&format!("ports of protocol {number}")));
        }
        if self.icmp.is_asked() {
            let own = ways::icmp(self.ipv6);
            self.protocols.retain(|protocol| *protocol == own.0);
            match self.icmp.words(self.ipv6)? {
                Some(words) => self.matches.extend(words),
                None => return Ok(Vec::new()),
            }
        }
        let protocols = self.protocols_in_words()?;
        Ok(protocols.into_iter().map(|of| self.rule(of)).collect())
    }

    /// What stands before and behind the number of each; both empty for all protocols.
    fn protocols_in_words(&self) -> Result<Vec<(&'static str, Option<u8>)>, Unsayable> {
        let missing = (0..=u8::MAX).filter(|number| !self.protocols.contains(number));
        let missing: Vec<u8> = missing.collect();
        match missing.as_slice() {
            [] => Ok(vec![("", None)]),
            [one] if *one != 0 => Ok(vec![("! ", Some(*one))]),
            _ if self.protocols.contains(&0) => Err(unsayable("protocol 0")),
            _ => Ok(self.protocols.iter().map(|is| ("", Some(*is))).collect()),
        }
    }

    fn rule(&self, (not, protocol): (&str, Option<u8>)) -> String {
        let slots = self.ends.iter().chain(&self.interfaces);
        let mut words: Vec<String> = slots.flatten().cloned().collect();
        let name = protocol.map(protocol_in_words);
        words.extend(name.as_ref().map(|name| format!("{not}-p {name}")));
        let mut own = String::new();
        for port in self.ports.iter().flatten() {
            match &name {
                // It has no match of its own.
                Some(_) if protocol == Some(Protocol::UDPLITE.0) => {
                    let (option, range) = port.rsplit_once(' ').unwrap_or((port, ""));
                    words.push(format!("-m multiport {option}s {range}"));
                }
                Some(name) if own.is_empty() => own = format!("-m {name} {port}"),
                _ => own = format!("{own} {port}"),
            }
        }
        words.extend(Some(own).filter(|own| !own.is_empty()));
        words.extend_from_slice(&self.matches);
        words.join(" ")
    }
}

/// The number of bits, where a range is all that begins with them.
fn prefix_length(range: &RangeInclusive<IpAddr>) -> Option<u32> {
    let (first, last) = (values::bits(*range.start()), values::bits(*range.end()));
    let width = if range.start().is_ipv6() { 128 } else { 32 };
    let host = first ^ last;
    let is_whole = host & host.wrapping_add(1) == 0 && first & host == 0;
    is_whole.then(|| width - host.count_ones())
}

fn protocol_in_words(number: u8) -> String {
    match Protocol(number) {
        Protocol::ICMPV6 => "ipv6-icmp".to_owned(),
        protocol if OWN_NAMES.contains(&protocol) => protocol.to_string(),
        _ => number.to_string(),
    }
}

fn states_in_words(states: &[State]) -> String {
    let names = states.iter().map(|state| state.name().to_ascii_uppercase());
    names.collect::<Vec<_>>().join(",")
}

/// iptables has no words for the other bits.
fn status_in_words(bits: Status) -> Result<String, Unsayable> {
    let names: Vec<_> = bits.names().collect();
    let known = [
        Status::EXPECTED,
        Status::SEEN_REPLY,
        Status::ASSURED,
        Status::CONFIRMED,
    ];
    let mut rest = Status::default();
    let known = known.into_iter().filter(|bit| bits.has(*bit));
    known.for_each(|bit| {
        rest.set(bit);
    });
    if rest != bits {
        return Err(unsayable(&format!("the status {}", names.join(","))));
    }
    Ok(if names.is_empty() {
        "NONE".to_owned()
    } else {
        names.join(",")
    })
}

fn kinds_in_words(kinds: &[Kind]) -> Result<String, Unsayable> {
    let name = |kind: &Kind| {
        let mut known = values::KINDS.iter();
        known
            .find(|(_, known)| known == kind)
            .map(|(name, _)| *name)
    };
    let names: Option<Vec<&str>> = kinds.iter().map(name).collect();
    let names = names.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| unsayable("this kind of address"))?;
    Ok(names.join(","))
}

fn flags_in_words(bits: u8) -> Result<String, Unsayable> {
    if bits >> values::TCP_FLAGS.len() != 0 {
        return Err(unsayable("flags of TCP that are younger than it is"));
    }
    let names = values::TCP_FLAGS.iter().enumerate();
    let names = names.filter(|(bit, _)| bits >> bit & 1 == 1);
    let names: Vec<&str> = names.map(|(_, name)| *name).collect();
    Ok(match bits {
        0 => "NONE".to_owned(),
        _ => names.join(","),
    })
}

fn name_in_words(name: &Name) -> Result<String, Unsayable> {
    let text = match name.begins {
        true => format!("{}+", name.text),
        false => name.text.clone(),
    };
    let is_literal = name.begins || !text.ends_with('+');
    if text.is_empty() || text.len() > LONGEST_INTERFACE || !is_literal {
        return Err(unsayable(&format!("the interface '{text}'")));
    }
    plain(&text)?;
    Ok(text)
}

fn ports_in_words(range: &RangeInclusive<u16>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{}:{}", range.start(), range.end())
    }
}

/// A name that stands without quotes.
pub(super) fn plain(name: &str) -> Result<(), Unsayable> {
    let is_odd = |letter: char| !letter.is_ascii_graphic() || "\"'\\,;=#".contains(letter);
    if name.is_empty() || name.starts_with(['-', '!', '*', ':']) || name.contains(is_odd) {
        return Err(unsayable(&format!("the name '{name}'")));
    }
    Ok(())
}

pub(super) fn unsayable(what: &str) -> Unsayable {
    Unsayable(what.to_owned())
}

const OWN_NAMES: [Protocol; 8] = [
    Protocol::ICMP,
    Protocol::TCP,
    Protocol::UDP,
    Protocol::DCCP,
    Protocol::GRE,
    Protocol::SCTP,
    Protocol::UDPLITE,
    Protocol(50),
];
