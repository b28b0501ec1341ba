//! From the model to the words that both of nft's languages have.

use std::ops::RangeInclusive;

use thiserror::Error;

use super::matches::{KINDS, STATUS, icmp_codes, icmp_types};
use super::said::{address, families, interface, numbers, state};
use super::words::{Draft, Ending, Key, Op, Relation, Statement, Value};
use super::{names, tcp_flags};
use crate::packet::route::Kind;
use crate::ruleset::{
    Base, Chain, Condition, Effect, End, Family, Helper, Match, Rule, RuleId, Ruleset, Verdict, Way,
};
use crate::tuple::Protocol;

/// Something in a rule set that nft has no words for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("nft has no words for it: {why}")]
pub struct Unwritable {
    /// `None` for a chain or table.
    pub rule: Option<RuleId>,
    /// Without a full stop.
    pub why: &'static str,
}

/// A table in words.
pub(super) struct Phrased<'r> {
    pub family: Family,
    pub name: &'r str,
    pub objects: Vec<(String, Helper)>,
    pub chains: Vec<PhrasedChain<'r>>,
}

pub(super) struct PhrasedChain<'r> {
    pub name: &'r str,
    pub base: Option<Base>,
    pub rules: Vec<Draft>,
}

/// The tables in the order in which their first chains stand.
pub(super) fn tables(ruleset: &Ruleset) -> Result<Vec<Phrased<'_>>, Unwritable> {
    let mut tables: Vec<Phrased<'_>> = Vec::new();
    for (index, chain) in ruleset.chains.iter().enumerate() {
        if ![&chain.table, &chain.name]
            .into_iter()
            .all(|name| names::is_identifier(name))
        {
            let why = "a name of a table or chain";
            return Err(Unwritable { rule: None, why });
        }
        let mut known = tables.iter();
        let at = known
            .position(|table| (table.family, table.name) == (chain.family, &chain.table))
            .unwrap_or(tables.len());
        if at == tables.len() {
            tables.push(Phrased {
                family: chain.family,
                name: &chain.table,
                objects: Vec::new(),
                chains: Vec::new(),
            });
        }
        let mut rules = Vec::new();
        for (place, rule) in chain.rules.iter().enumerate() {
            // Without effect and verdict it does nothing.
            if rule.effect.is_none() && rule.verdict.is_none() {
                continue;
            }
            let ending = |verdict| ending(ruleset, chain, verdict);
            let of_table = |condition: &Condition| {
                condition == &Condition::is(Match::Family(chain.family))
                    && chain.family != Family::Inet
            };
            // In a table of one family nft has no word for it.
            let mut rule = rule.clone();
            rule.conditions.retain(|condition| !of_table(condition));
            let draft = draft(&rule, ending, &mut tables[at].objects);
            rules.push(draft.map_err(|why| Unwritable {
                rule: Some(RuleId {
                    chain: index,
                    rule: place,
                }),
                why,
            })?);
        }
        tables[at].chains.push(PhrasedChain {
            name: &chain.name,
            base: chain.base,
            rules,
        });
    }
    Ok(tables)
}

/// A rule of no chain.
pub(super) fn alone(rule: &Rule) -> Result<Draft, Why> {
    let ending = |verdict| match verdict {
        Verdict::Accept => Ok(Ending::Accept),
        Verdict::Drop => Ok(Ending::Drop),
        Verdict::Return => Ok(Ending::Return),
        Verdict::Jump(_) | Verdict::Goto(_) => Err("a jump from nowhere"),
    };
    draft(rule, ending, &mut Vec::new())
}

pub(super) type Why = &'static str;

fn draft(
    rule: &Rule,
    ending: impl Fn(Verdict) -> Result<Ending, Why>,
    objects: &mut Vec<(String, Helper)>,
) -> Result<Draft, Why> {
    let mut statements = relations(&rule.conditions)?;
    match &rule.effect {
        None => {}
        Some(Effect::Untrack) => statements.push(Statement::Untrack),
        Some(Effect::Template(_)) => return Err("a helper for a flow that is to come"),
        Some(Effect::Help(helper)) => statements.push(Statement::Help {
            object: object(objects, helper)?,
            words: String::new(),
        }),
    }
    if let Some(verdict) = rule.verdict {
        statements.push(Statement::Ends(ending(verdict)?));
    }
    Ok(Draft {
        place: rule.place,
        statements,
        comment: rule.comment.as_deref().map(comment),
    })
}

fn ending(ruleset: &Ruleset, from: &Chain, verdict: Verdict) -> Result<Ending, Why> {
    let name = |index: usize| {
        let to = ruleset.chains.get(index);
        let to = to
            .filter(|to| (to.family, &to.table) == (from.family, &from.table) && to.base.is_none());
        to.map(|to| to.name.clone())
            .ok_or("a jump to a base chain or out of the table")
    };
    Ok(match verdict {
        Verdict::Accept => Ending::Accept,
        Verdict::Drop => Ending::Drop,
        Verdict::Return => Ending::Return,
        Verdict::Jump(to) => Ending::Jump(name(to)?),
        Verdict::Goto(to) => Ending::Goto(name(to)?),
    })
}

/// The name of the helper's object, made where there is none.
fn object(objects: &mut Vec<(String, Helper)>, helper: &Helper) -> Result<String, Why> {
    if let Some((name, _)) = objects.iter().find(|(_, known)| known == helper) {
        return Ok(name.clone());
    }
    // nft's grammar (`ct_l4protoname`) has these two.
    if ![Protocol::TCP, Protocol::UDP].contains(&helper.protocol) {
        return Err("a helper of a protocol other than TCP and UDP");
    }
    if helper.name.is_empty() || helper.name.len() > LONGEST_HELPER || !is_quotable(&helper.name) {
        return Err("the name of a helper");
    }
    let plain = |sign: char| {
        if names::is_of_identifier(sign) {
            sign
        } else {
            '_'
        }
    };
    let helpers: String = helper.name.chars().map(plain).collect();
    let begin = if helpers.starts_with(|first: char| first.is_ascii_alphabetic()) {
        ""
    } else {
        "helper-"
    };
    let mut name = format!("{begin}{helpers}-{}", helper.protocol);
    while objects.iter().any(|(taken, _)| *taken == name) {
        name.push_str("-other");
    }
    objects.push((name.clone(), helper.clone()));
    Ok(name)
}

/// nft takes 128 bytes (`NFTNL_UDATA_COMMENT_MAXLEN`), and has no way to quote a quotation mark.
fn comment(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|sign| *sign != '"' && !sign.is_control());
    let mut comment = String::new();
    for sign in kept {
        if comment.len() + sign.len_utf8() > 128 {
            break;
        }
        comment.push(sign);
    }
    comment
}

pub(super) fn is_quotable(text: &str) -> bool {
    !text.contains(|sign: char| sign == '"' || sign == '\\' || sign.is_control())
}

/// A protocol that is asked for right before something that asks for it itself (`tcp dport`) is not written.
fn relations(conditions: &[Condition]) -> Result<Vec<Statement>, Why> {
    let mut statements = Vec::new();
    let mut protocol = None;
    for (index, condition) in conditions.iter().enumerate() {
        if let (Match::Protocol(ranges), false) = (&condition.matches, condition.negated)
            && let Some(only) = only(ranges)
        {
            protocol = Some(only);
            let next = conditions.get(index + 1);
            if next.is_some_and(|next| implies(&next.matches, only))
                && !conditions[..index].contains(condition)
            {
                continue;
            }
        }
        statements.push(Statement::Match(relation(condition, protocol)?));
    }
    Ok(statements)
}

fn only<T: PartialEq + Copy>(ranges: &[RangeInclusive<T>]) -> Option<T> {
    match ranges {
        [range] if range.start() == range.end() => Some(*range.start()),
        _ => None,
    }
}

/// Whether the words for a match ask for the protocol.
fn implies(matches: &Match, protocol: u8) -> bool {
    match matches {
        Match::Port(..) => has_ports(protocol),
        Match::IcmpType(family, _) | Match::IcmpCode(family, _) => protocol == family.icmp().0,
        Match::TcpFlags { .. } => protocol == Protocol::TCP.0,
        Match::Any(ways) => ways
            .first()
            .is_some_and(|way| way.iter().any(|part| implies(&part.matches, protocol))),
        _ => false,
    }
}

/// Whether nft has a word for the ports of this protocol.
fn has_ports(protocol: u8) -> bool {
    const WITH_PORTS: [Protocol; 5] = [
        Protocol::TCP,
        Protocol::UDP,
        Protocol::DCCP,
        Protocol::SCTP,
        Protocol::UDPLITE,
    ];
    WITH_PORTS.contains(&Protocol(protocol))
}

fn relation(condition: &Condition, protocol: Option<u8>) -> Result<Relation, Why> {
    let negated = condition.negated;
    if let Match::TcpFlags { mask, set } = condition.matches {
        return Ok(Relation {
            keys: vec![Key::Payload("tcp".to_owned(), "flags".to_owned())],
            op: if negated { Op::Not } else { Op::Is },
            right: tcp_flags::value(mask, set),
            words: String::new(),
        });
    }
    let (keys, right) = match &condition.matches {
        Match::Any(ways) => alternatives(ways, protocol)?,
        matches => {
            let (key, values) = values(matches, protocol)?;
            (vec![key], values)
        }
    };
    let is_flags = match &condition.matches {
        Match::State(_) => !negated,
        Match::Status(_) => true,
        _ => false,
    };
    let op = match (negated, is_flags) {
        (false, _) => Op::Has,
        (true, true) => Op::Lacks,
        (true, false) => Op::Not,
    };
    if right.is_empty() {
        return Err("one of no values");
    }
    let right = if is_flags {
        Value::Flags(right)
    } else {
        one_or_many(right)?
    };
    Ok(Relation {
        keys,
        op,
        right,
        words: String::new(),
    })
}

/// nft takes a concatenation in a set only, be it the only one there.
fn one_or_many(mut values: Vec<Value>) -> Result<Value, Why> {
    match &values[..] {
        [] => Err("one of no values"),
        [Value::Concat(_)] => Ok(Value::Many(values)),
        [_] => values.pop().ok_or("one of no values"),
        _ => Ok(Value::Many(values)),
    }
}

/// Ways that ask the same of the packet, each for one value, are a set of concatenations.
fn alternatives(
    ways: &[Vec<Condition>],
    protocol: Option<u8>,
) -> Result<(Vec<Key>, Vec<Value>), Why> {
    let mut keys = None;
    let mut elements = Vec::new();
    for way in ways {
        let mut of_way = Vec::new();
        let mut parts = Vec::new();
        for condition in way {
            let (key, mut values) = values(&condition.matches, protocol)?;
            let (Some(value), true, false) = (values.pop(), values.is_empty(), condition.negated)
            else {
                return Err("alternatives that are no concatenations");
            };
            of_way.push(key);
            parts.push(value);
        }
        if of_way.is_empty() || *keys.get_or_insert_with(|| of_way.clone()) != of_way {
            return Err("alternatives that ask different things");
        }
        elements.push(match parts.len() {
            1 => parts.remove(0),
            _ => Value::Concat(parts),
        });
    }
    Ok((keys.ok_or("one of no alternatives")?, elements))
}

/// What nft calls it, and the values.
fn values(matches: &Match, protocol: Option<u8>) -> Result<(Key, Vec<Value>), Why> {
    let ct = |key: &str| Key::Ct(key.to_owned());
    let meta = |key: &str| Key::Meta(key.to_owned());
    let header = |header: &str, field: &str| Key::Payload(header.to_owned(), field.to_owned());
    Ok(match matches {
        Match::State(states) => (
            ct("state"),
            states.iter().map(state).collect::<Result<_, _>>()?,
        ),
        Match::Status(status) => {
            let flags = STATUS.iter().filter(|(_, flag, _)| status.has(*flag));
            let flags: Vec<_> = flags
                .map(|(name, ..)| Value::Word((*name).to_owned()))
                .collect();
            if flags.is_empty() {
                return Err("one of no flags");
            }
            (ct("status"), flags)
        }
        Match::Direction(direction) => (
            ct("direction"),
            vec![Value::Word(direction.name().to_owned())],
        ),
        Match::Helper(name) if is_quotable(name) && !name.is_empty() => {
            (ct("helper"), vec![Value::Text(name.clone())])
        }
        Match::Helper(_) => return Err("the name of a helper"),
        Match::HelperBegins(_) => return Err("a helper by how its name begins"),
        Match::Interface(way, names) => {
            let key = match way {
                Way::In => "iifname",
                Way::Out => "oifname",
            };
            (
                meta(key),
                names.iter().map(interface).collect::<Result<_, _>>()?,
            )
        }
        Match::Address(end, ranges) => {
            let is_ipv6 = ranges.first().is_some_and(|range| range.start().is_ipv6());
            let all = ranges.iter().map(|range| address(range, is_ipv6));
            let field = match end {
                End::Src => "saddr",
                End::Dst => "daddr",
            };
            let family = if is_ipv6 { "ip6" } else { "ip" };
            (header(family, field), all.collect::<Result<_, _>>()?)
        }
        Match::Kind(end, kinds) => {
            let end = match end {
                End::Src => "saddr",
                End::Dst => "daddr",
            };
            let word = |kind: &Kind| {
                let mut known = KINDS.iter();
                let name = known.find(|(_, known)| known == kind);
                let name = name.map(|(name, _)| Value::Word((*name).to_owned()));
                name.ok_or("this kind of address")
            };
            let words = kinds.iter().map(word).collect::<Result<_, _>>()?;
            (Key::Kind(end.to_owned()), words)
        }
        Match::Port(end, ranges) => {
            let protocol = protocol
                .filter(|protocol| has_ports(*protocol))
                .and_then(|protocol| Protocol(protocol).name());
            let of = protocol.unwrap_or("th");
            let field = match end {
                End::Src => "sport",
                End::Dst => "dport",
            };
            (header(of, field), numbers(ranges, |_| None)?)
        }
        Match::Protocol(ranges) => (
            meta("l4proto"),
            numbers(ranges, |number| Protocol(*number).name())?,
        ),
        Match::Family(family) => (meta("nfproto"), families(*family)),
        Match::IcmpType(family, ranges) => {
            let name = |number: &u8| names::name(icmp_types(*family), number);
            (
                header(&family.icmp().to_string(), "type"),
                numbers(ranges, name)?,
            )
        }
        Match::IcmpCode(family, ranges) => {
            let name = |number: &u8| names::name(icmp_codes(*family), number);
            (
                header(&family.icmp().to_string(), "code"),
                numbers(ranges, name)?,
            )
        }
        Match::TcpFlags { .. } => return Err("flags of TCP among alternatives"),
        Match::Any(_) => return Err("alternatives within alternatives"),
        Match::Unknown(_) => return Err("something that was not understood"),
    })
}

/// `NF_CT_HELPER_NAME_LEN`, less the byte that ends it.
const LONGEST_HELPER: usize = 15;
