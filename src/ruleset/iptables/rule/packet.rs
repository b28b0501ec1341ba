//! What a rule asks of the packet: addresses, interfaces, protocols and what is theirs.

use super::{Reading, Why};
use crate::ruleset::iptables::values;
use crate::ruleset::{Condition, End, Family, Hook, Match, Way};
use crate::tuple::Protocol;

impl Reading<'_> {
    pub(super) fn protocol(&mut self, value: &str, negated: bool) -> Result<(), Why> {
        match values::protocol(value)? {
            Some(protocol) => {
                self.protocol = (!negated).then_some(protocol);
                self.add(Match::Protocol(vec![protocol..=protocol]), negated);
            }
            None if negated => return Err("iptables refuses what no packet can match"),
            None => {}
        }
        Ok(())
    }

    pub(super) fn address(&mut self, end: End, value: &str, negated: bool) -> Result<(), Why> {
        let ranges = values::addresses(value, self.within.ipv6)?;
        if negated && ranges.len() > 1 {
            return Err("iptables refuses to negate a list");
        }
        if negated || !ranges.iter().any(values::is_everywhere) {
            self.add(Match::addresses(end, ranges), negated);
        }
        Ok(())
    }

    pub(super) fn interface(&mut self, way: Way, value: &str, negated: bool) -> Result<(), Why> {
        if self.within.hook.is_some_and(|hook| !hook_has(hook, way)) {
            return Err("iptables refuses it in this chain");
        }
        match values::interface(value)? {
            Some(name) => self.add(Match::Interface(way, vec![name]), negated),
            None if negated => return Err("no interface is none"),
            None => {}
        }
        Ok(())
    }

    pub(super) fn several_ports(
        &mut self,
        name: &str,
        value: &str,
        negated: bool,
        words: &str,
    ) -> Result<(), Why> {
        self.needs.push((&WITH_SEVERAL_PORTS, words.to_owned()));
        let ranges = values::several_ports(value)?;
        let of = |end| Match::Port(end, ranges.clone());
        match (name, negated) {
            ("--ports", false) => {
                let ends = [End::Src, End::Dst].map(|end| vec![Condition::is(of(end))]);
                self.add(Match::Any(ends.to_vec()), false);
            }
            ("--ports", true) => {
                let ends = [End::Src, End::Dst].map(|end| Condition::not(of(end)));
                self.conditions.extend(ends);
            }
            _ => self.add(of(end(name)), negated),
        }
        Ok(())
    }

    /// `--tcp-flags MASK SET`: those of the mask that are set are these.
    pub(super) fn tcp_flags(&mut self, mask: &str, negated: bool, words: &str) -> Result<(), Why> {
        let set = self.next().ok_or("iptables wants two lists of flags")?;
        self.needs
            .push((&[Protocol::TCP.0], format!("{words} {}", set.text)));
        let (mask, set) = (values::tcp_flags(mask)?, values::tcp_flags(&set.text)?);
        self.add(Match::TcpFlags { mask, set }, negated);
        Ok(())
    }

    /// `--syn` is `--tcp-flags FIN,SYN,RST,ACK SYN`.
    pub(super) fn syn(&mut self, negated: bool) {
        self.needs.push((&[Protocol::TCP.0], "--syn".to_owned()));
        let matches = Match::TcpFlags {
            mask: 0x17,
            set: 0x02,
        };
        self.add(matches, negated);
    }

    pub(super) fn icmp(
        &mut self,
        name: &str,
        value: &str,
        negated: bool,
        words: &str,
    ) -> Result<(), Why> {
        let ipv6 = self.within.ipv6;
        if (name == "--icmpv6-type") != ipv6 {
            return Err("ICMP of the other family");
        }
        let (family, needs): (_, &[u8]) = if ipv6 {
            (Family::Ipv6, &[Protocol::ICMPV6.0])
        } else {
            (Family::Ipv4, &[Protocol::ICMP.0])
        };
        self.needs.push((needs, words.to_owned()));
        let kind = |kind| Match::IcmpType(family, vec![kind..=kind]);
        let code = |code| Match::IcmpCode(family, vec![code..=code]);
        match values::icmp(value, ipv6)? {
            (Some(is), None) => self.add(kind(is), negated),
            (Some(is), Some(with)) if negated => {
                let another_code = vec![Condition::is(kind(is)), Condition::not(code(with))];
                let ways = vec![vec![Condition::not(kind(is))], another_code];
                self.add(Match::Any(ways), false);
            }
            (Some(is), Some(with)) => {
                let both = [kind(is), code(with)].map(Condition::is);
                self.conditions.extend(both);
            }
            // It holds of no message.
            (None, _) if negated => self.add(kind_of_any(family), true),
            (None, _) => {}
        }
        Ok(())
    }
}

/// The end that an option is about.
pub(super) fn end(name: &str) -> End {
    if name.starts_with("--s") {
        End::Src
    } else {
        End::Dst
    }
}

/// Whether packets have come by an interface there, or go by one.
pub(in super::super) fn hook_has(hook: Hook, way: Way) -> bool {
    match way {
        Way::In => !matches!(hook, Hook::Output | Hook::Postrouting),
        Way::Out => !matches!(hook, Hook::Prerouting | Hook::Input),
    }
}

fn kind_of_any(family: Family) -> Match {
    Match::IcmpType(family, vec![0..=u8::MAX])
}

/// Those that have a match of their own, with ports.
pub(super) const WITH_PORTS: [u8; 4] = [
    Protocol::TCP.0,
    Protocol::UDP.0,
    Protocol::SCTP.0,
    Protocol::DCCP.0,
];

/// Those that multiport takes.
pub(in super::super) const WITH_SEVERAL_PORTS: [u8; 5] = [
    Protocol::TCP.0,
    Protocol::UDP.0,
    Protocol::UDPLITE.0,
    Protocol::SCTP.0,
    Protocol::DCCP.0,
];
