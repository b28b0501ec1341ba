//! Single values of the model in nft's words.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::parts::Why;
use super::phrase::is_quotable;
use super::words::Value;
use crate::conntrack::State;
use crate::ruleset::{Family, Name};

pub(super) fn state(state: &State) -> Result<Value, Why> {
    match state {
        State::None => Err("a packet that never comes to the rules"),
        state => Ok(Value::Word(state.name().to_owned())),
    }
}

pub(super) fn families(family: Family) -> Vec<Value> {
    let names: &[&str] = match family {
        Family::Ipv4 => &["ipv4"],
        Family::Ipv6 => &["ipv6"],
        Family::Inet => &["ipv4", "ipv6"],
    };
    names
        .iter()
        .map(|name| Value::Word((*name).to_owned()))
        .collect()
}

pub(super) fn interface(name: &Name) -> Result<Value, Why> {
    let Name { text, begins } = name;
    if text.is_empty() || text.len() > LONGEST_INTERFACE || !is_quotable(text) {
        return Err("the name of an interface");
    }
    Ok(Value::Text(match text.strip_suffix('*') {
        _ if *begins => format!("{text}*"),
        Some(before) => format!("{before}\\*"),
        None => text.clone(),
    }))
}

/// One address, a prefix, or a range.
pub(super) fn address(range: &RangeInclusive<IpAddr>, is_ipv6: bool) -> Result<Value, Why> {
    let (low, high) = (*range.start(), *range.end());
    if [low, high]
        .iter()
        .any(|address| address.is_ipv6() != is_ipv6)
        || low > high
    {
        return Err("addresses of two families, or a range that ends before it begins");
    }
    if low == high {
        return Ok(Value::Word(low.to_string()));
    }
    let mut prefixes =
        (0..=if is_ipv6 { 128 } else { 32 }).filter_map(|length| IpNet::new(low, length).ok());
    let prefix = prefixes.find(|prefix| prefix.network() == low && prefix.broadcast() == high);
    Ok(match prefix {
        Some(prefix) => Value::Word(prefix.to_string()),
        None => Value::Range(low.to_string(), high.to_string()),
    })
}

pub(super) fn numbers<T: PartialOrd + ToString>(
    ranges: &[RangeInclusive<T>],
    name: impl Fn(&T) -> Option<&'static str>,
) -> Result<Vec<Value>, Why> {
    let value = |range: &RangeInclusive<T>| {
        let (low, high) = (range.start(), range.end());
        if low > high {
            return Err("a range that ends before it begins");
        }
        Ok(match name(low) {
            _ if low != high => Value::Range(low.to_string(), high.to_string()),
            Some(name) => Value::Word(name.to_owned()),
            None => Value::Word(low.to_string()),
        })
    };
    ranges.iter().map(value).collect()
}

/// `IFNAMSIZ`, less the byte that ends it.
const LONGEST_INTERFACE: usize = 15;
