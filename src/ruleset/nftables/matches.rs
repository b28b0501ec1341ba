//! What a comparison asks, in the model's words.
//!
//! Sources: nft(8); the expressions that nft 1.0.6 compiles them to (`nft --debug=netlink`).

use std::ops::RangeInclusive;

use super::draft::Set;
use super::names;
use super::parts::{Why, addresses, each, interface, narrow, number, numbers, word};
use super::tcp_flags;
use super::words::{Key, Op, Value};
use crate::conntrack::State;
use crate::conntrack::event::Status;
use crate::packet::route::Kind;
use crate::ruleset::{Condition, End, Family, Match, Way};
use crate::tuple::{Direction, Protocol};

pub(super) struct Comparison<'k> {
    pub keys: &'k [Key],
    pub op: Op,
    /// The table's.
    pub family: Family,
}

/// The named sets of a table, and how many of their elements may still be asked for.
pub(super) struct Sets<'d> {
    sets: &'d [Set],
    left: usize,
}

/// What of a packet is compared, where the model has it.
#[derive(Clone, Copy)]
enum Field {
    State,
    Status,
    Direction,
    Helper,
    Interface(Way),
    Address(End, Family),
    Port(End),
    Protocol,
    Family,
    EtherType,
    IcmpType(Family),
    IcmpCode(Family),
    TcpFlags,
    Kind(End),
}

impl<'d> Sets<'d> {
    pub fn new(sets: &'d [Set], left: usize) -> Self {
        Self { sets, left }
    }

    pub fn left(&self) -> usize {
        self.left
    }

    /// The elements of a set, be it named or written out, or the one value.
    pub fn elements<'v>(&mut self, value: &'v Value) -> Result<Vec<&'v Value>, Why>
    where
        'd: 'v,
    {
        let mut elements = Vec::new();
        self.collect(value, &mut elements)?;
        Ok(elements)
    }

    fn collect<'v>(&mut self, value: &'v Value, into: &mut Vec<&'v Value>) -> Result<(), Why>
    where
        'd: 'v,
    {
        match value {
            Value::Many(elements) => elements
                .iter()
                .try_for_each(|element| self.collect(element, into)),
            Value::Named(name) => {
                let sets: &'d [Set] = self.sets;
                let set = sets.iter().rfind(|set| set.name == *name);
                let set = set
                    .filter(|set| set.is_declared)
                    .ok_or("no such set is declared")?;
                if set.changes {
                    return Err("what is in the set changes as packets pass");
                }
                let left = self.left.checked_sub(set.elements.len());
                self.left = left.ok_or("named sets have too many elements")?;
                // A set's elements are no sets.
                into.extend(&set.elements);
                Ok(())
            }
            other => {
                into.push(other);
                Ok(())
            }
        }
    }
}

impl Comparison<'_> {
    /// What the packet must be to have what is compared, and the comparison itself.
    pub fn conditions(
        &self,
        right: &Value,
        sets: &mut Sets<'_>,
    ) -> Result<(Vec<Condition>, Condition), Why> {
        let mut implied = Vec::new();
        let mut fields = Vec::new();
        for key in self.keys {
            fields.push(self.field(key, &mut implied)?);
        }
        let condition = match fields[..] {
            [field] => self.single(field, right, sets)?,
            _ => self.concatenated(&fields, right, sets)?,
        };
        Ok((implied, condition))
    }

    fn single(&self, field: Field, right: &Value, sets: &mut Sets<'_>) -> Result<Condition, Why> {
        match field {
            Field::State | Field::Status => return flags(field, self.op, right, sets),
            Field::TcpFlags => return tcp_flags::condition(self.op, right),
            _ => {}
        }
        let (op, negated) = match self.op {
            Op::Has | Op::Is => (None, false),
            Op::Not => (None, true),
            Op::Lacks => return Err("it asks for flags of something that has none"),
            other => (Some(other), false),
        };
        let elements = sets.elements(right)?;
        let matches = match (op, &elements[..]) {
            (None, _) => field.matches(&elements)?,
            (Some(op), [only]) => field.ordered(op, only)?,
            (Some(_), _) => return Err("it compares the size of a set"),
        };
        Ok(Condition { matches, negated })
    }

    fn concatenated(
        &self,
        fields: &[Field],
        right: &Value,
        sets: &mut Sets<'_>,
    ) -> Result<Condition, Why> {
        let negated = match self.op {
            Op::Has | Op::Is => false,
            Op::Not => true,
            _ => return Err("it compares the size of a concatenation"),
        };
        let mut ways = Vec::new();
        for element in sets.elements(right)? {
            let parts = match element {
                Value::Concat(parts) if parts.len() == fields.len() => parts,
                _ => return Err("it is no concatenation of so many parts"),
            };
            let mut way = Vec::new();
            for (field, part) in fields.iter().zip(parts) {
                way.push(Condition::is(field.matches(&[part])?));
            }
            ways.push(way);
        }
        Ok(Condition {
            matches: Match::Any(ways),
            negated,
        })
    }

    /// What the model calls a key, and what nft compares beside it (its payload dependencies).
    fn field(&self, key: &Key, implied: &mut Vec<Condition>) -> Result<Field, Why> {
        let of_protocol =
            |protocol: Protocol| Condition::is(Match::Protocol(vec![protocol.0..=protocol.0]));
        Ok(match key {
            Key::Ct(what) => match what.as_str() {
                "state" => Field::State,
                "status" => Field::Status,
                "direction" => Field::Direction,
                "helper" => Field::Helper,
                _ => return Err("the simulation does not know this of a flow"),
            },
            Key::Meta(what) => match what.as_str() {
                "iif" | "iifname" => Field::Interface(Way::In),
                "oif" | "oifname" => Field::Interface(Way::Out),
                "l4proto" => Field::Protocol,
                "nfproto" => Field::Family,
                "protocol" => Field::EtherType,
                _ => return Err("the simulation does not know this of a packet"),
            },
            Key::Payload(header, field) => match (header.as_str(), field.as_str()) {
                ("ip", "saddr") => Field::Address(End::Src, Family::Ipv4),
                ("ip", "daddr") => Field::Address(End::Dst, Family::Ipv4),
                ("ip6", "saddr") => Field::Address(End::Src, Family::Ipv6),
                ("ip6", "daddr") => Field::Address(End::Dst, Family::Ipv6),
                // The model has only the protocol behind extension headers for the latter.
                ("ip", "protocol") | ("ip6", "nexthdr") => {
                    let family = if header == "ip" {
                        Family::Ipv4
                    } else {
                        Family::Ipv6
                    };
                    let is_given = self.family == family;
                    implied.extend((!is_given).then(|| Condition::is(Match::Family(family))));
                    Field::Protocol
                }
                ("icmp", "type" | "code") => {
                    implied.push(of_protocol(Protocol::ICMP));
                    icmp(field, Family::Ipv4)
                }
                ("icmpv6", "type" | "code") => {
                    implied.push(of_protocol(Protocol::ICMPV6));
                    icmp(field, Family::Ipv6)
                }
                ("tcp", "flags") => {
                    implied.push(of_protocol(Protocol::TCP));
                    Field::TcpFlags
                }
                (_, "sport" | "dport") => {
                    let number = names::protocol(header);
                    implied.extend(number.map(|number| of_protocol(Protocol(number))));
                    Field::Port(if field == "sport" { End::Src } else { End::Dst })
                }
                _ => return Err("the simulation does not look at this field"),
            },
            Key::Kind(end) => Field::Kind(match end.as_str() {
                "saddr" => End::Src,
                "daddr" => End::Dst,
                _ => return Err("it depends on routes"),
            }),
            Key::Other => return Err("the simulation does not look at this"),
        })
    }
}

fn icmp(field: &str, family: Family) -> Field {
    if field == "type" {
        Field::IcmpType(family)
    } else {
        Field::IcmpCode(family)
    }
}

/// Of flags, nft compares one at least where no operator or `!` is written, and the whole number where one is, or a set:
/// `ct status == expected` does not hold for a flow that is expected and assured. A packet has one state only.
fn flags(field: Field, op: Op, right: &Value, sets: &mut Sets<'_>) -> Result<Condition, Why> {
    const WHOLE: Why = "it compares all flags at once";
    let (names, is_whole) = match right {
        Value::Flags(flags) => (flags.iter().collect(), false),
        Value::Word(_) | Value::Text(_) => (vec![right], false),
        _ => (sets.elements(right)?, true),
    };
    let is_whole = is_whole || matches!(op, Op::Is | Op::Not);
    let negated = match op {
        Op::Has | Op::Is => false,
        Op::Lacks | Op::Not => true,
        _ => return Err("flags have no order"),
    };
    let matches = match field {
        Field::State if is_whole && matches!(right, Value::Flags(_)) => return Err(WHOLE),
        Field::Status if is_whole => return Err(WHOLE),
        Field::Status => Match::Status(status(&names)?),
        _ => Match::State(names.into_iter().map(state).collect::<Result<_, _>>()?),
    };
    Ok(Condition { matches, negated })
}

fn state(value: &Value) -> Result<State, Why> {
    // `NF_CT_STATE_BIT`, `NF_CT_STATE_UNTRACKED_BIT`
    const BITS: [(State, u32); 5] = [
        (State::Invalid, 1),
        (State::Established, 2),
        (State::Related, 4),
        (State::New, 8),
        (State::Untracked, 64),
    ];
    let word = word(value)?;
    let state = BITS
        .into_iter()
        .find(|(state, bit)| state.name() == word || number(word) == Some(*bit));
    state
        .map(|(state, _)| state)
        .ok_or("there is no such state")
}

fn status(values: &[&Value]) -> Result<Status, Why> {
    let mut all = Status::default();
    for value in values {
        let word = word(value)?;
        let bits = number(word);
        let mut known = 0;
        for (name, status, bit) in STATUS {
            if name == word || bits.is_some_and(|bits| bits & bit != 0) {
                all.set(status);
                known |= bit;
            }
        }
        if known == 0 || bits.is_some_and(|bits| bits != known) {
            return Err("the simulation does not know this flag");
        }
    }
    Ok(all)
}

/// Names of nft's and bits (`enum ip_conntrack_status`); nft has no name for the last.
pub(super) const STATUS: [(&str, Status, u32); 8] = [
    ("expected", Status::EXPECTED, 1),
    ("seen-reply", Status::SEEN_REPLY, 1 << 1),
    ("assured", Status::ASSURED, 1 << 2),
    ("confirmed", Status::CONFIRMED, 1 << 3),
    ("snat", Status::SRC_NAT, 1 << 4),
    ("dnat", Status::DST_NAT, 1 << 5),
    ("dying", Status::DYING, 1 << 9),
    ("0x2000", Status::HELPER, 1 << 13),
];

impl Field {
    /// Any of the values.
    fn matches(self, values: &[&Value]) -> Result<Match, Why> {
        Ok(match self {
            Self::State => Match::State(each(values, state)?),
            Self::Status | Self::TcpFlags => return Err("it compares all flags at once"),
            Self::Direction => {
                return alternatives(values, |word| match word {
                    "original" | "0" => Some(Match::Direction(Direction::Original)),
                    "reply" | "1" => Some(Match::Direction(Direction::Reply)),
                    _ => None,
                });
            }
            Self::Helper => {
                return alternatives(values, |word| Some(Match::Helper(word.to_owned())));
            }
            Self::Interface(way) => Match::Interface(way, each(values, interface)?),
            Self::Address(end, family) => {
                Match::addresses(end, each(values, |value| addresses(value, family))?)
            }
            Self::Port(end) => {
                let ports = each(values, |value| {
                    let name = |word: &str| names::number(names::SERVICES, word);
                    numbers(value, u16::MAX, |word| name(word).map(u32::from))
                })?;
                Match::Port(end, narrow(&ports)?)
            }
            Self::Protocol => {
                let protocols = each(values, |value| {
                    numbers(value, u16::from(u8::MAX), |word| {
                        names::protocol(word).map(u32::from)
                    })
                })?;
                Match::Protocol(narrow(&protocols)?)
            }
            Self::Kind(end) => Match::Kind(end, each(values, kind)?),
            Self::Family => family(values, ["ipv4", "ipv6"], [2, 10])?,
            Self::EtherType => family(values, ["ip", "ip6"], [0x800, 0x86dd])?,
            Self::IcmpType(family) => {
                Match::IcmpType(family, icmp_numbers(values, icmp_types(family))?)
            }
            Self::IcmpCode(family) => {
                Match::IcmpCode(family, icmp_numbers(values, icmp_codes(family))?)
            }
        })
    }

    /// `< 1024` and the like.
    fn ordered(self, op: Op, value: &Value) -> Result<Match, Why> {
        const EMPTY: Why = "nothing is less or greater";
        let most: u32 = match self {
            Self::Port(_) => u16::MAX.into(),
            Self::Protocol | Self::IcmpType(_) | Self::IcmpCode(_) => u8::MAX.into(),
            _ => return Err("it compares what has no order"),
        };
        let at = number(word(value)?)
            .filter(|at| *at <= most)
            .ok_or("no number")?;
        let (low, high) = match op {
            Op::Less => (0, at.checked_sub(1).ok_or(EMPTY)?),
            Op::AtMost => (0, at),
            Op::Greater => (at + 1, most),
            _ => (at, most),
        };
        if low > high {
            return Err(EMPTY);
        }
        self.matches(&[&Value::Range(low.to_string(), high.to_string())])
    }
}

fn kind(value: &Value) -> Result<Kind, Why> {
    let known = KINDS.iter().find(|(name, _)| Ok(*name) == word(value));
    let kind = known.map(|(_, kind)| *kind);
    kind.ok_or("the simulation does not know this kind of address")
}

pub(super) const KINDS: [(&str, Kind); 4] = [
    ("unicast", Kind::Unicast),
    ("local", Kind::Local),
    ("broadcast", Kind::Broadcast),
    ("multicast", Kind::Multicast),
];

pub(super) fn icmp_types(family: Family) -> &'static [(&'static str, u8)] {
    match family {
        Family::Ipv6 => names::ICMPV6_TYPES,
        _ => names::ICMP_TYPES,
    }
}

pub(super) fn icmp_codes(family: Family) -> &'static [(&'static str, u8)] {
    match family {
        Family::Ipv6 => names::ICMPV6_CODES,
        _ => names::ICMP_CODES,
    }
}

fn icmp_numbers(values: &[&Value], known: &[(&str, u8)]) -> Result<Vec<RangeInclusive<u8>>, Why> {
    let all = each(values, |value| {
        numbers(value, u16::from(u8::MAX), |word| {
            names::number(known, word).map(u32::from)
        })
    })?;
    narrow(&all)
}

/// The model has one alternative of these in a match.
fn alternatives(values: &[&Value], read: impl Fn(&str) -> Option<Match>) -> Result<Match, Why> {
    let mut all = each(values, |value| read(word(value)?).ok_or("no such name"))?;
    if all.len() == 1 {
        return all.pop().ok_or("nothing");
    }
    let ways = all.into_iter().map(|only| vec![Condition::is(only)]);
    Ok(Match::Any(ways.collect()))
}

fn family(values: &[&Value], names: [&str; 2], numbers: [u32; 2]) -> Result<Match, Why> {
    let mut has = [false; 2];
    for value in values {
        let word = word(value)?;
        let which = (0..2).find(|at| names[*at] == word || number(word) == Some(numbers[*at]));
        has[which.ok_or("no family of IP")?] = true;
    }
    Ok(Match::Family(match has {
        [true, true] => Family::Inet,
        [true, false] => Family::Ipv4,
        [false, true] => Family::Ipv6,
        [false, false] => return Err("no family at all"),
    }))
}
