//! What nft's two languages have in common: the parts of a rule, before anybody asks what they mean.

use crate::ruleset::{Family, Place};

/// A table by its family (`None` for arp, bridge and netdev, which see no routed packet) and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    pub family: Option<Family>,
    pub name: String,
}

/// A rule as it is written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub place: Place,
    pub statements: Vec<Statement>,
    pub comment: Option<String>,
}

/// What a rule consists of; statements that decide nothing are not kept.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    Match(Relation),
    Vmap {
        keys: Vec<Key>,
        data: Value,
        words: String,
    },
    /// `ct helper set`, with the object's name.
    Help {
        object: String,
        words: String,
    },
    Untrack,
    Ends(Ending),
    /// It may end the rule, as a condition does, and is not understood.
    Unknown {
        words: String,
        why: &'static str,
    },
    /// It does something that is not simulated, and may end the chain.
    Beyond {
        words: String,
        why: &'static str,
        ends: bool,
    },
}

/// A verdict, with chains by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Accept,
    Drop,
    Return,
    Continue,
    Jump(String),
    Goto(String),
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Several where they are concatenated.
    pub keys: Vec<Key>,
    pub op: Op,
    pub right: Value,
    pub words: String,
}

/// What of a packet is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Ct(String),
    Meta(String),
    /// A protocol's header and its field.
    Payload(String, String),
    /// `fib daddr type`, of `saddr` or `daddr`.
    Kind(String),
    /// Something else, or something of the above that is computed with.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// None is written: of flags, one at least is set; of anything else, equality.
    Has,
    /// `!`: none of these flags is set.
    Lacks,
    Is,
    Not,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, a name, an address, a prefix; a range, too, where it is written without spaces.
    Word(String),
    /// What is quoted.
    Text(String),
    Range(String, String),
    /// A set's elements.
    Many(Vec<Value>),
    /// Flags, with commas.
    Flags(Vec<Value>),
    Concat(Vec<Value>),
    /// A mask, and what is compared with the flags that it leaves.
    Masked(Box<Value>, Box<Value>),
    /// An element of a map of verdicts.
    Mapped(Box<Value>, Ending),
    /// `@name`
    Named(String),
    /// `*`: whatever no other element has.
    Rest,
    /// Not understood.
    Opaque,
}

impl Op {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "==" | "eq" => Self::Is,
            "!=" | "ne" => Self::Not,
            "!" => Self::Lacks,
            "in" => Self::Has,
            "<" | "lt" => Self::Less,
            "<=" | "le" => Self::AtMost,
            ">" | "gt" => Self::Greater,
            ">=" | "ge" => Self::AtLeast,
            _ => return None,
        })
    }
}

impl Relation {
    /// `key & mask op right`: nft writes the two comparisons with 0 as flags (`ct status & x == 0` is `ct status ! x`), and
    /// of one flag, those with itself mean the same.
    pub fn masked(keys: Vec<Key>, op: Op, mask: Value, right: Value, words: String) -> Self {
        let is_zero = right.is_flag(|only| ["0", "0x0", "0x00000000"].contains(&only));
        let is_itself = right == mask && right.is_flag(|_| true);
        let of_flags = match op {
            Op::Is | Op::Has if is_zero => Some(Op::Lacks),
            Op::Not if is_zero => Some(Op::Has),
            Op::Is | Op::Has if is_itself => Some(Op::Has),
            Op::Not if is_itself => Some(Op::Lacks),
            _ => None,
        };
        let (op, right) = match of_flags.filter(|_| matches!(&keys[..], [Key::Ct(_)])) {
            Some(op) => (op, mask),
            None => (op, Value::Masked(Box::new(mask), Box::new(right))),
        };
        Self {
            keys,
            op,
            right,
            words,
        }
    }
}

impl Value {
    /// Whether it is one flag only, which is so.
    fn is_flag(&self, is_so: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Flags(flags) => match &flags[..] {
                [Self::Word(only) | Self::Text(only)] => is_so(only),
                _ => false,
            },
            _ => false,
        }
    }
}

impl TableName {
    /// `None` where no family of nft has this name.
    pub fn new(family: &str, name: &str) -> Option<Self> {
        Some(Self {
            family: family_named(family)?,
            name: name.to_owned(),
        })
    }
}

/// A family by nft's name; the inner `None` for those that see no routed packet.
pub(super) fn family_named(name: &str) -> Option<Option<Family>> {
    Some(match name {
        "ip" => Some(Family::Ipv4),
        "ip6" => Some(Family::Ipv6),
        "inet" => Some(Family::Inet),
        "arp" | "bridge" | "netdev" => None,
        _ => return None,
    })
}
