//! ASN.1 in aligned PER (X.691), as far as the kernel reads it.
//!
//! It reads no more than it needs: most components are passed over, some end the reading of the structure around them
//! (`Stop`), lists are kept up to a number, and what a later version of the standard added is jumped over by its
//! length. These habits decide what a firewall sees, down to the mistakes among them. So the decoder is written anew:
//! crates for PER (rasn, asn1-codecs) follow the standard, and give a message whole or not at all.
//!
//! The kernel decodes into structures that are never cleared, one for all connections. That cannot be observed: in no
//! structure does a component that is kept stand behind a `Stop`, and what is kept is asked for only where its bit or
//! its alternative was read from the same message. So a message decodes to a value of its own here.
//!
//! Source: net/netfilter/nf_conntrack_h323_asn1.c `decode_*()`, `get_*()`.

use super::notation::Field::{Decode, Optional, Skip, Stop};
use super::notation::{Fields, Length, Type};
use crate::helper::reasons::{CHOICE_AT_THE_END, LONG_BITMAP, MISSING_INTEGER};

/// What was kept of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    Skipped,
    /// Octets that start here in the payload.
    Octets(usize),
    Number(u32),
    /// The components of a SEQUENCE that were kept, or the one alternative of a CHOICE.
    Fields(Vec<(&'static str, Value)>),
    Items(Vec<Value>),
}

impl Value {
    /// What stands below these names, if each of them was there.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| match value {
            Self::Fields(fields) => {
                let field = fields.iter().find(|(field, _)| field == name);
                field.map(|(_, value)| value)
            }
            _ => None,
        })
    }

    /// The items of the list of this name; none where there is no list.
    pub fn items(&self, name: &str) -> &[Self] {
        match self.at(&[name]) {
            Some(Self::Items(items)) => items,
            _ => &[],
        }
    }
}

/// What is read, or why the kernel takes the message for malformed.
pub type Read<T> = Result<T, &'static str>;

/// The value of this type that starts at this octet.
pub fn decode(bytes: &[u8], start: usize, ty: &Type) -> Read<Value> {
    let mut decoder = Decoder {
        bytes,
        at: start * 8,
    };
    decoder.value(ty, true)
}

/// A place in a message, in bits. It never lies behind the end.
struct Decoder<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Decoder<'_> {
    /// Of a value that is not `kept`, no more is looked at than its end asks for.
    fn value(&mut self, ty: &Type, kept: bool) -> Read<Value> {
        match *ty {
            Type::Null => {}
            Type::Bits(bits) => self.advance(bits.into())?,
            Type::Unaligned(octets) => self.advance(usize::from(octets) * 8)?,
            Type::Octets(octets) => {
                self.align();
                let start = self.at / 8;
                self.advance(usize::from(octets) * 8)?;
                return Ok(Value::Octets(start));
            }
            Type::Number { least } => return self.number(least, kept),
            Type::String {
                length,
                least,
                bits,
            } => {
                let units = self.length(length)? + usize::from(least);
                self.align();
                self.advance(units * usize::from(bits))?;
            }
            Type::Open => self.at = self.open()?,
            Type::Names { number, extensible } => {
                let number = number.into();
                if self.alternative(number, extensible)? >= number {
                    self.at = self.chosen_open()?;
                }
            }
            Type::Choice(root, extension) => return self.choice(root, extension, kept),
            Type::Sequence(root, extension) => return self.sequence(root, extension, kept),
            Type::SequenceOf { item, most, open } => {
                return self.sequence_of(item, if kept { most } else { 0 }, open);
            }
        }
        Ok(Value::Skipped)
    }

    /// `decode_int`. A number that is kept is read and then passed over once more: as many octets must follow it, and
    /// they are lost.
    fn number(&mut self, least: u32, kept: bool) -> Read<Value> {
        let octets = self.bits(2)? + 1;
        self.align();
        let start = self.at / 8;
        let whole = self.advance(octets * 8);
        if !kept {
            return whole.map(|()| Value::Skipped);
        }
        whole.map_err(|_| MISSING_INTEGER)?;
        let number = self.bytes[start..start + octets]
            .iter()
            .fold(0, |number, &octet| number << 8 | u32::from(octet));
        self.advance(octets * 8)?;
        Ok(Value::Number(number.wrapping_add(least)))
    }

    /// `decode_seq`
    fn sequence(&mut self, root: Fields, extension: Option<Fields>, kept: bool) -> Read<Value> {
        let mut fields = Vec::new();
        let extended = extension.is_some() && self.bits(1)? == 1;
        let number = root.iter().filter(|field| field.is_optional()).count();
        let mut present = self.bitmap(number)?;
        for field in root {
            let field = match field {
                Optional(field) => {
                    let is_present = present.next() == Some(true);
                    if !is_present && !matches!(field, Stop(_)) {
                        continue;
                    }
                    field
                }
                field => field,
            };
            match field {
                Stop(_) => return Ok(Value::Fields(fields)),
                Decode(name, ty) if kept => fields.push((*name, self.value(ty, true)?)),
                Decode(_, ty) | Skip(_, ty) => drop(self.value(ty, false)?),
                Optional(_) => {}
            }
        }
        if !extended {
            return Ok(Value::Fields(fields));
        }
        let number = self.bits(7)? + 1;
        let present = self.bitmap(number)?;
        self.align();
        let mut known = extension.unwrap_or_default().iter();
        for is_present in present {
            let field = known.next();
            match field {
                Some(Stop(_)) => break,
                Some(_) if !is_present => continue,
                // What is not known is passed over even where it is absent.
                _ => {}
            }
            let end = self.open()?;
            if kept && let Some(Decode(name, ty)) = field {
                fields.push((*name, self.value(ty, true)?));
            }
            self.at = end;
        }
        Ok(Value::Fields(fields))
    }

    /// `decode_seqof`. The items of a list that is kept are all looked at, and those beyond `most` forgotten.
    ///
    /// An open item may be read on behind its end, up to that of the message. All that is long in one is an extension,
    /// which only those that are kept are asked for: so a message costs no more than some thirty times its length.
    fn sequence_of(&mut self, item: &Type, most: usize, open: bool) -> Read<Value> {
        let number = self.length(Length::General)?;
        let mut items = Vec::new();
        for index in 0..number {
            let mut end = None;
            if open {
                self.align();
                end = Some(self.open()?);
            }
            if !open || most > 0 {
                let value = self.value(item, index < most)?;
                items.extend((index < most).then_some(value));
            }
            self.at = end.unwrap_or(self.at);
        }
        Ok(Value::Items(items))
    }

    /// `decode_choice`
    fn choice(&mut self, root: Fields, extension: Option<Fields>, kept: bool) -> Read<Value> {
        let index = self.alternative(root.len(), extension.is_some())?;
        let chosen = if let Some(field) = root.get(index) {
            match field {
                Decode(name, ty) => Some((*name, self.value(ty, kept)?)),
                Skip(name, ty) => {
                    self.value(ty, false)?;
                    Some((*name, Value::Skipped))
                }
                Stop(_) | Optional(_) => None,
            }
        } else {
            let known = extension.unwrap_or_default();
            let field = known.get(index - root.len());
            if let Some(Stop(_)) = field {
                return Ok(Value::Fields(Vec::new()));
            }
            let end = self.chosen_open()?;
            let chosen = match field {
                Some(Decode(name, ty)) if kept => Some((*name, self.value(ty, true)?)),
                Some(Decode(name, _) | Skip(name, _)) => Some((*name, Value::Skipped)),
                _ => None,
            };
            self.at = end;
            chosen
        };
        Ok(match kept {
            true => Value::Fields(chosen.into_iter().collect()),
            false => Value::Skipped,
        })
    }

    /// Which alternative of a CHOICE follows; those of the extension are counted on from the root's.
    fn alternative(&mut self, root: usize, extensible: bool) -> Read<usize> {
        if extensible && self.bits(1)? == 1 {
            return Ok(root + self.bits(7)?);
        }
        let bits = root.next_power_of_two().trailing_zeros();
        let index = self.bits(bits as usize)?;
        (index < root).then_some(index).ok_or(MALFORMED)
    }

    /// Where a value ends that has its length in front (an open type). What is in it may be read beyond that end.
    fn open(&mut self) -> Read<usize> {
        let length = self.general_length()?;
        let end = self.at + length * 8;
        (end <= self.end()).then_some(end).ok_or(MALFORMED)
    }

    /// The same for an alternative of an extension. The kernel took its length to be there.
    fn chosen_open(&mut self) -> Read<usize> {
        self.align();
        let is_missing = match self.bytes[self.at / 8..] {
            [] => true,
            [first] => first & 0x80 != 0,
            _ => false,
        };
        if is_missing {
            return Err(CHOICE_AT_THE_END);
        }
        self.open()
    }

    fn length(&mut self, length: Length) -> Read<usize> {
        match length {
            Length::Bits(bits) => return self.bits(bits.into()),
            Length::Octet | Length::TwoOctets | Length::General => self.align(),
        }
        match length {
            Length::Octet => self.bits(8),
            Length::TwoOctets => self.bits(16),
            Length::Bits(_) | Length::General => self.general_length(),
        }
    }

    /// `get_len`: takes whole octets wherever in one it stands.
    fn general_length(&mut self) -> Read<usize> {
        if self.at + 16 > self.end() {
            return Err(MALFORMED);
        }
        let octet = |at: usize| usize::from(self.bytes[at / 8]);
        let first = octet(self.at);
        if first & 0x80 == 0 {
            self.at += 8;
            return Ok(first);
        }
        let length = (first & 0x3f) << 8 | octet(self.at + 8);
        self.at += 16;
        Ok(length)
    }

    fn bits(&mut self, number: usize) -> Read<usize> {
        let from = self.at;
        self.advance(number)?;
        let bits = (from..self.at).map(|at| self.bit(at));
        Ok(bits.fold(0, |bits, bit| bits << 1 | usize::from(bit)))
    }

    /// `get_bitmap`, 32 bits at most. A map that ends with the fourth octet is read from the beginning of the first,
    /// even if it starts within that.
    fn bitmap(&mut self, number: usize) -> Read<impl Iterator<Item = bool> + use<>> {
        if number > 32 {
            return Err(LONG_BITMAP);
        }
        let within = self.at % 8;
        let from = if within + number == 32 {
            self.at - within
        } else {
            self.at
        };
        self.advance(number)?;
        let bits = (from..from + number).fold(0u32, |bits, at| bits << 1 | u32::from(self.bit(at)));
        Ok((0..number).rev().map(move |at| bits >> at & 1 == 1))
    }

    fn bit(&self, at: usize) -> bool {
        self.bytes[at / 8] & 0x80 >> (at % 8) != 0
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    fn advance(&mut self, bits: usize) -> Read<()> {
        let at = self.at + bits;
        let is_whole = at <= self.end();
        is_whole.then(|| self.at = at).ok_or(MALFORMED)
    }

    fn end(&self) -> usize {
        self.bytes.len() * 8
    }
}

pub const MALFORMED: &str = "the kernel cannot decode the message";
