//! What stands behind an option. Each function says in words why it cannot read what it is given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::names;
use crate::conntrack::State;
use crate::conntrack::event::Status;
use crate::packet::route::Kind;
use crate::ruleset::Name;
use crate::tuple::Direction;

/// Why something was not read.
pub(super) type Why = &'static str;

/// A number, as it is meant whoever reads it: iptables takes a leading zero for octal.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// Of `-p`; `None` for all of them.
pub(super) fn protocol(text: &str) -> Result<Option<u8>, Why> {
    let name = text.to_ascii_lowercase();
    match name.as_str() {
        "all" => Ok(None),
        _ => match number(&name).or_else(|| names::protocol(&name)) {
            Some(0) => Ok(None),
            Some(protocol) => Ok(Some(protocol)),
            None => Err("a protocol that has no number here"),
        },
    }
}

/// Of `-s` and `-d`: addresses and networks between commas.
pub(super) fn addresses(text: &str, ipv6: bool) -> Result<Vec<RangeInclusive<IpAddr>>, Why> {
    text.split(',').map(|net| network(net, ipv6)).collect()
}

fn network(text: &str, ipv6: bool) -> Result<RangeInclusive<IpAddr>, Why> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let width = if ipv6 { 128 } else { 32 };
    let length = match mask {
        None => width,
        Some(mask) => prefix_length(mask, width)?,
    };
    let bits = match self::address(address, ipv6) {
        Ok(address) => bits(address),
        Err(_) if !ipv6 && mask.is_some() => shortened(address).ok_or(NO_ADDRESS)?,
        Err(why) => return Err(why),
    };
    let host = u128::MAX.checked_shr(128 - width + length).unwrap_or(0);
    Ok(from_bits(bits & !host, ipv6)..=from_bits(bits | host, ipv6))
}

/// A number of bits, or a mask of them.
fn prefix_length(text: &str, width: u32) -> Result<u32, Why> {
    if let Some(length) = number::<u32>(text) {
        return Some(length)
            .filter(|length| *length <= width)
            .ok_or(NO_MASK);
    }
    let mask = bits(address(text, width == 128).map_err(|_| NO_MASK)?) << (128 - width);
    let length = mask.leading_ones();
    if mask.count_ones() == length {
        Ok(length)
    } else {
        Err("a mask with holes")
    }
}

/// `10.1/16`, without the zeros at its end.
fn shortened(text: &str) -> Option<u128> {
    let bytes: Option<Vec<u8>> = text.split('.').map(number).collect();
    let bytes = bytes.filter(|bytes| bytes.len() < 4)?;
    let high = bytes
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    Some(high << (8 * (4 - bytes.len())))
}

/// Of `--src-range` and `--dst-range`. One that ends before it begins matches nothing.
pub(super) fn range(text: &str, ipv6: bool) -> Result<RangeInclusive<IpAddr>, Why> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Ok(address(first, ipv6)?..=address(last, ipv6)?)
}

fn address(text: &str, ipv6: bool) -> Result<IpAddr, Why> {
    let parsed: IpAddr = text.parse().map_err(|_| NO_ADDRESS)?;
    if parsed.is_ipv6() == ipv6 {
        Ok(parsed)
    } else {
        Err("an address of the other family")
    }
}

/// An address as a number.
pub(super) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn from_bits(bits: u128, ipv6: bool) -> IpAddr {
    if ipv6 {
        Ipv6Addr::from_bits(bits).into()
    } else {
        Ipv4Addr::from_bits(bits as u32).into()
    }
}

/// Whether a range leaves no address out.
pub(super) fn is_everywhere(range: &RangeInclusive<IpAddr>) -> bool {
    let most = if range.start().is_ipv6() {
        u128::MAX
    } else {
        u32::MAX.into()
    };
    bits(*range.start()) == 0 && bits(*range.end()) == most
}

/// Of `-i` and `-o`; `None` for any interface.
pub(super) fn interface(text: &str) -> Result<Option<Name>, Why> {
    if text.is_empty() || text.len() > LONGEST_INTERFACE {
        return Err("a name that no interface can have");
    }
    Ok(match text.strip_suffix('+') {
        Some("") => None,
        Some(beginning) => Some(Name {
            text: beginning.to_owned(),
            begins: true,
        }),
        None => Some(Name {
            text: text.to_owned(),
            begins: false,
        }),
    })
}

/// Of `--sport` and `--dport`: a port or `first:last`.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, Why> {
    let Some((first, last)) = text.split_once(':') else {
        let port = port(text)?;
        return Ok(port..=port);
    };
    let first = if first.is_empty() { 0 } else { port(first)? };
    let last = if last.is_empty() {
        u16::MAX
    } else {
        port(last)?
    };
    if first <= last {
        Ok(first..=last)
    } else {
        Err("a range that ends before it begins")
    }
}

/// Of multiport: up to 15 ports, a range counting as two.
pub(super) fn several_ports(text: &str) -> Result<Vec<RangeInclusive<u16>>, Why> {
    let ranges: Vec<_> = text.split(',').map(ports).collect::<Result<_, _>>()?;
    let numbers = text.split([',', ':']).count();
    if numbers <= MOST_PORTS {
        Ok(ranges)
    } else {
        Err("multiport takes 15 ports")
    }
}

fn port(text: &str) -> Result<u16, Why> {
    number(text)
        .or_else(|| names::service(text))
        .ok_or("a service that has no port here")
}

/// Of `--state` and `--ctstate`: states, and whether a translation was asked for. Each may be cut short.
pub(super) fn states(text: &str) -> Result<(Vec<State>, bool), Why> {
    let (mut states, mut translated) = (Vec::new(), false);
    for name in text.split(',') {
        let begins = |full: &&str| !name.is_empty() && names::begins(full, name);
        let known = STATES.iter().find(|(full, _)| begins(full));
        match known {
            Some((_, Some(state))) => states.push(*state),
            Some((_, None)) => translated = true,
            None => return Err("no state of a flow"),
        }
    }
    Ok((states, translated))
}

/// Of `--ctstatus`.
pub(super) fn status(text: &str) -> Result<Status, Why> {
    let mut all = Status::default();
    for name in text.split(',') {
        let begins = |full: &str| !name.is_empty() && names::begins(full, name);
        match STATUS.into_iter().find(|(full, _)| begins(full)) {
            // No bit, which no flow has.
            _ if begins("NONE") => {}
            Some((_, bits)) => {
                all.set(bits);
            }
            None => return Err("no status of a flow"),
        }
    }
    Ok(all)
}

/// Of `--ctdir`.
pub(super) fn direction(text: &str) -> Result<Direction, Why> {
    match text {
        "ORIGINAL" => Ok(Direction::Original),
        "REPLY" => Ok(Direction::Reply),
        _ => Err("no direction"),
    }
}

/// Of `--src-type` and `--dst-type`. Of IPv6, all that are named must hold, and broadcasts there are none
/// (`match_type6`, xt_addrtype.c).
pub(super) fn kinds(text: &str, ipv6: bool) -> Result<Vec<Kind>, Why> {
    let kind = |name: &str| {
        let mut known = KINDS.iter();
        let found = known.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, kind)| *kind)
    };
    let kinds: Option<Vec<Kind>> = text
        .split(',')
        // No address of IPv4 is one.
        .filter(|name| ipv6 || !name.eq_ignore_ascii_case("ANYCAST"))
        .map(kind)
        .collect();
    let is_sure = |kinds: &[Kind]| !ipv6 || matches!(kinds, [Kind::Local | Kind::Multicast]);
    kinds
        .filter(|kinds| is_sure(kinds))
        .ok_or("a kind of address that depends on routes, or is none")
}

/// Of `--tcp-flags`.
pub(super) fn tcp_flags(text: &str) -> Result<u8, Why> {
    let flag = |name: &str| {
        let bit = TCP_FLAGS
            .iter()
            .position(|flag| flag.eq_ignore_ascii_case(name));
        match name.to_ascii_uppercase().as_str() {
            "ALL" => Some(0x3f),
            "NONE" => Some(0),
            _ => bit.map(|bit| 1 << bit),
        }
    };
    let bits = text.split(',').map(flag);
    bits.reduce(|all, bits| Some(all? | bits?))
        .flatten()
        .ok_or("no flag of TCP")
}

/// Of `--icmp-type` and `--icmpv6-type`: type and code; no type for any.
pub(super) fn icmp(text: &str, ipv6: bool) -> Result<(Option<u8>, Option<u8>), Why> {
    let unknown = "a type of ICMP that has no number here";
    if !ipv6 && text == "any" {
        return Ok((None, None));
    }
    if let Some((kind, code)) = names::icmp(text, ipv6) {
        return Ok((Some(kind), code));
    }
    let (kind, code) = match text.split_once('/') {
        Some((kind, code)) => (kind, Some(number(code).ok_or(unknown)?)),
        None => (text, None),
    };
    match number(kind).ok_or(unknown)? {
        // What 'any' stands for.
        255 if !ipv6 => Ok((None, None)),
        kind => Ok((Some(kind), code)),
    }
}

const NO_ADDRESS: Why = "no address: names are not looked up";
const NO_MASK: Why = "no mask";

/// `IFNAMSIZ`, without the zero at its end.
pub(super) const LONGEST_INTERFACE: usize = 15;
/// `XT_MULTI_PORTS`
pub(super) const MOST_PORTS: usize = 15;

/// In the order in which iptables tries them. The last two are of address translation.
const STATES: [(&str, Option<State>); 7] = [
    ("INVALID", Some(State::Invalid)),
    ("NEW", Some(State::New)),
    ("ESTABLISHED", Some(State::Established)),
    ("RELATED", Some(State::Related)),
    ("UNTRACKED", Some(State::Untracked)),
    ("SNAT", None),
    ("DNAT", None),
];

pub(super) const KINDS: [(&str, Kind); 4] = [
    ("UNICAST", Kind::Unicast),
    ("LOCAL", Kind::Local),
    ("BROADCAST", Kind::Broadcast),
    ("MULTICAST", Kind::Multicast),
];

/// From the lowest bit up; there are two more, of which iptables knows nothing.
pub(super) const TCP_FLAGS: [&str; 6] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

const STATUS: [(&str, Status); 4] = [
    ("EXPECTED", Status::EXPECTED),
    ("SEEN_REPLY", Status::SEEN_REPLY),
    ("ASSURED", Status::ASSURED),
    ("CONFIRMED", Status::CONFIRMED),
];
