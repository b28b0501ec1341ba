//! `tcp flags`: which of them are compared, and which of these are set.
//!
//! Source: nft(8), TCP HEADER EXPRESSION; what nft 1.0.6 compiles it to (`nft --debug=netlink`).

use super::parts::{Why, number, word};
use super::words::{Op, Value};
use crate::ruleset::{Condition, Match};

/// Without operator, one of the flags at least is set; with `!`, none; with `==`, these and no others.
pub(super) fn condition(op: Op, right: &Value) -> Result<Condition, Why> {
    let is_negated = op == Op::Not;
    let (mask, set, negated) = match (op, right) {
        (Op::Has | Op::Is | Op::Not, Value::Masked(mask, set)) => {
            (bits(mask)?, bits(set)?, is_negated)
        }
        (Op::Has, flags) => (bits(flags)?, 0, true),
        (Op::Lacks, flags) => (bits(flags)?, 0, false),
        (Op::Is | Op::Not, flags) => (u8::MAX, bits(flags)?, is_negated),
        _ => return Err("flags have no order"),
    };
    let matches = Match::TcpFlags { mask, set };
    Ok(Condition { matches, negated })
}

fn bits(flags: &Value) -> Result<u8, Why> {
    if let Value::Flags(flags) = flags {
        return flags.iter().try_fold(0, |all, flag| Ok(all | bits(flag)?));
    }
    let word = word(flags)?;
    let named = NAMES.iter().position(|name| *name == word);
    let bits = named.map(|bit| 1 << bit);
    let numbered = || u8::try_from(number(word)?).ok();
    bits.or_else(numbered).ok_or("no flag of TCP")
}

/// The flags and their mask in words.
pub(super) fn value(mask: u8, set: u8) -> Value {
    let words = |bits: u8| {
        let names = NAMES.iter().enumerate();
        let names = names.filter(|(bit, _)| bits >> bit & 1 == 1);
        let names: Vec<_> = names
            .map(|(_, name)| Value::Word((*name).to_owned()))
            .collect();
        match bits {
            0 => Value::Flags(vec![Value::Word(String::from("0x0"))]),
            _ => Value::Flags(names),
        }
    };
    Value::Masked(Box::new(words(mask)), Box::new(words(set)))
}

/// From the lowest bit up.
const NAMES: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];
