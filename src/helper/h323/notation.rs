//! How messages are described: types of ASN.1, and what the kernel does with each component.

/// A type, as far as is needed to find where its value ends.
pub enum Type {
    Null,
    /// BOOLEAN, ENUMERATED or a narrow INTEGER, in so many bits.
    Bits(u8),
    /// So many octets, at an octet boundary.
    Octets(u8),
    /// A string so short that it needs no boundary.
    Unaligned(u8),
    /// A wide INTEGER: two bits say in how many octets it stands, and it counts from `least`.
    Number {
        least: u32,
    },
    /// A length that counts from `least`, then so many units of `bits`.
    String {
        length: Length,
        least: u8,
        bits: u8,
    },
    /// Anything, behind its length in octets.
    Open,
    /// CHOICE of so many alternatives that say all by their names.
    Names {
        number: u8,
        extensible: bool,
    },
    /// CHOICE: the alternatives of the root, then, if there may be more, those of them that are known.
    Choice(Fields, Option<Fields>),
    /// SEQUENCE, in the same way. Nothing behind a `Stop` among the extensions is ever looked at, so it is left out.
    Sequence(Fields, Option<Fields>),
    /// SEQUENCE OF: so many items are kept at most.
    SequenceOf {
        item: &'static Type,
        most: usize,
        open: bool,
    },
}

/// A component of a SEQUENCE or an alternative of a CHOICE.
pub enum Field {
    Skip(&'static str, Type),
    Decode(&'static str, Type),
    /// Ends the reading of what it is in, whether it is present or not.
    Stop(#[expect(dead_code, reason = "says to the reader what it is")] &'static str),
    /// A bit at the beginning says whether it is there. Extensions are always optional and not marked.
    Optional(&'static Field),
}

impl Field {
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }
}

pub type Fields = &'static [Field];

/// How a length is written.
#[derive(Clone, Copy)]
pub enum Length {
    Bits(u8),
    Octet,
    TwoOctets,
    /// One octet up to 127, else two. The kernel wants two in any case, and takes no fragments.
    General,
}

pub const BOOLEAN: Type = Type::Bits(1);
pub const OBJECT_IDENTIFIER: Type = octets(Length::Octet, 0);
pub const OCTET_STRING: Type = octets(Length::General, 0);
pub const BIT_STRING: Type = string(Length::General, 0, 1);
pub const LONG_BIT_STRING: Type = string(Length::TwoOctets, 0, 1);

pub const fn octets(length: Length, least: u8) -> Type {
    string(length, least, 8)
}

pub const fn digits(length_bits: u8) -> Type {
    string(Length::Bits(length_bits), 1, 4)
}

pub const fn bmp_string(length: Length) -> Type {
    string(length, 1, 16)
}

const fn string(length: Length, least: u8, bits: u8) -> Type {
    Type::String {
        length,
        least,
        bits,
    }
}

pub const fn names(number: u8) -> Type {
    Type::Names {
        number,
        extensible: true,
    }
}

/// A list of which nothing is kept.
pub const fn list(item: &'static Type) -> Type {
    items(item, 0)
}

pub const fn items(item: &'static Type, most: usize) -> Type {
    Type::SequenceOf {
        item,
        most,
        open: false,
    }
}

/// Items with a length in front of each.
pub const fn open_items(item: &'static Type, most: usize) -> Type {
    Type::SequenceOf {
        item,
        most,
        open: true,
    }
}
