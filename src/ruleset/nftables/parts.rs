//! One value at a time: addresses, numbers, names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::words::Value;
use crate::ruleset::{Family, Name};

/// Why something is not understood.
pub(super) type Why = &'static str;

/// The model's values for nft's.
pub(super) fn each<T>(
    values: &[&Value],
    read: impl Fn(&Value) -> Result<T, Why>,
) -> Result<Vec<T>, Why> {
    values.iter().map(|value| read(value)).collect()
}

/// `eth*` is all that begin so; `eth\*` is a name with an asterisk.
pub(super) fn interface(value: &Value) -> Result<Name, Why> {
    let word = match value {
        // `iif 3`
        Value::Word(word) if word.parse::<u32>().is_ok() => {
            return Err("an interface by its number");
        }
        value => word(value)?,
    };
    if let Some(literal) = word.strip_suffix("\\*") {
        return Ok(Name {
            text: format!("{literal}*"),
            begins: false,
        });
    }
    let begins = word.strip_suffix('*');
    Ok(Name {
        text: begins.unwrap_or(word).to_owned(),
        begins: begins.is_some(),
    })
}

pub(super) fn addresses(value: &Value, family: Family) -> Result<RangeInclusive<IpAddr>, Why> {
    const NO_ADDRESS: Why = "no address of this family";
    let is_ipv6 = family == Family::Ipv6;
    let one = |word: &str| {
        let address = word.parse::<IpAddr>().ok();
        address
            .filter(|address| address.is_ipv6() == is_ipv6)
            .ok_or(NO_ADDRESS)
    };
    let (low, high) = match value {
        Value::Rest if is_ipv6 => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::from_bits(u128::MAX).into(),
        ),
        Value::Rest => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
        Value::Range(low, high) => (one(low)?, one(high)?),
        value => {
            let word = word(value)?;
            if let Some((low, high)) = word.split_once('-') {
                (one(low)?, one(high)?)
            } else if word.contains('/') {
                let net: IpNet = word.parse().map_err(|_| NO_ADDRESS)?;
                (one(&net.network().to_string())?, net.broadcast())
            } else {
                (one(word)?, one(word)?)
            }
        }
    };
    if low > high {
        return Err("a range that ends before it begins");
    }
    Ok(low..=high)
}

/// A number, a name of one, a range of either.
pub(super) fn numbers(
    value: &Value,
    most: u16,
    named: impl Fn(&str) -> Option<u32>,
) -> Result<RangeInclusive<u32>, Why> {
    const UNNAMED: Why = "a name that is not known";
    let one = |word: &str| number(word).or_else(|| named(word)).ok_or(UNNAMED);
    let (low, high) = match value {
        Value::Rest => (0, u32::from(most)),
        Value::Range(low, high) => (one(low)?, one(high)?),
        value => {
            let word = word(value)?;
            match (one(word), word.split_once('-')) {
                (Err(_), Some((low, high))) => (one(low)?, one(high)?),
                (only, _) => (only?, only?),
            }
        }
    };
    if low > high || high > u32::from(most) {
        return Err("a range that ends before it begins, or too large a number");
    }
    Ok(low..=high)
}

/// The numbers as the model's.
pub(super) fn narrow<T: TryFrom<u32>>(
    ranges: &[RangeInclusive<u32>],
) -> Result<Vec<RangeInclusive<T>>, Why> {
    let one = |number: u32| T::try_from(number).map_err(|_| "too large a number");
    ranges
        .iter()
        .map(|range| Ok(one(*range.start())?..=one(*range.end())?))
        .collect()
}

pub(super) fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

pub(super) fn word(value: &Value) -> Result<&str, Why> {
    match value {
        Value::Word(word) | Value::Text(word) => Ok(word),
        _ => Err("this value is not understood"),
    }
}
