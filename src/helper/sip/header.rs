//! A SIP message's headers as the kernel finds them (RFC 3261, 7.3 and 25.1, and laxer).
//!
//! A header stands at the start of a line; a line that starts with a blank continues the one before it. Names are
//! compared without case, and the first line of a message is none. Nothing separates head from body: a line of the
//! body is taken for a header as well. All positions are bytes of the text given.
//!
//! Source: `ct_sip_get_header`, `ct_sip_walk_headers` and `ct_sip_parse_*` in nf_conntrack_sip.c.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use crate::helper::text;

/// A header's name, and its compact form.
pub struct Name {
    pub full: &'static str,
    pub compact: Option<u8>,
}

pub const CSEQ: Name = Name {
    full: "CSeq",
    compact: None,
};
pub const CONTACT: Name = Name {
    full: "Contact",
    compact: Some(b'm'),
};
pub const EXPIRES: Name = Name {
    full: "Expires",
    compact: None,
};
pub const CONTENT_LENGTH: Name = Name {
    full: "Content-Length",
    compact: Some(b'l'),
};

/// Where each line begins that follows a line end at `from` or behind it. An empty line hides the one behind it,
/// unless lines end in CR LF.
pub fn lines(text: &[u8], from: usize) -> impl Iterator<Item = usize> + '_ {
    let mut at = from;
    std::iter::from_fn(move || {
        let end = at + text.get(at..)?.iter().position(is_newline)?;
        let line = end + newline_length(&text[end..]);
        at = line + 1;
        (line < text.len()).then_some(line)
    })
}

/// Where the value of the next header of this name begins. A name with no colon behind it ends the search.
pub fn value(text: &[u8], from: usize, name: &Name) -> Option<usize> {
    let name_end = lines(text, from).find_map(|line| name_at(text, line, name))?;
    let colon = skip_blanks(text, name_end)?;
    if text[colon] != b':' {
        return None;
    }
    skip_blanks(text, colon + 1)
}

fn name_at(text: &[u8], line: usize, name: &Name) -> Option<usize> {
    let rest = &text[line..];
    if starts_with(rest, name.full.as_bytes()) {
        return Some(line + name.full.len());
    }
    let compact = name.compact?;
    let &[first, next, ..] = rest else {
        return None;
    };
    (first.eq_ignore_ascii_case(&compact) && !is_letter(next)).then_some(line + 1)
}

/// The digits that the first header of this name begins with; at least one.
pub fn digits_of(text: &[u8], name: &Name) -> Option<Range<usize>> {
    let start = value(text, 0, name)?;
    let digits = start..start + digits(&text[start..]);
    (!digits.is_empty()).then_some(digits)
}

/// The number that the text begins with, and its digits: eleven at most, and no more than 32 bits of value
/// (`sip_strtouint`).
pub fn number(text: &[u8]) -> Option<(u32, usize)> {
    let length = digits(text);
    if length == 0 || length > MAX_DIGITS {
        return None;
    }
    let (number, _) = text::decimal(&text[..length]);
    Some((u32::try_from(number).ok()?, length))
}

/// An address and a port of a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: u16,
    /// `None` where the text names no port and 5060 is meant.
    pub port_bytes: Option<Range<usize>>,
    pub end: usize,
}

/// The numeric addresses in headers of this name, one after the other: of several in a list with commas between
/// them, and of several headers (`ct_sip_parse_header_uri`). What cannot be read is passed over.
pub struct Endpoints<'t> {
    text: &'t [u8],
    name: Name,
    ipv6: bool,
    at: usize,
    in_list: bool,
    searched: &'t Searched,
    /// Where the next `@` or line end stands, as far as known; what follows this `@` was tried already.
    user_end: usize,
}

impl<'t> Endpoints<'t> {
    pub fn of(text: &'t [u8], name: Name, ipv6: bool, searched: &'t Searched) -> Self {
        Self {
            text,
            name,
            ipv6,
            at: 0,
            in_list: false,
            searched,
            user_end: 0,
        }
    }

    /// The next one of the list that the last one came from.
    fn next_of_list(&mut self) -> Option<Endpoint> {
        loop {
            let comma = self.search(self.at, b",")?;
            let scheme = self.search(comma, SCHEME)?;
            self.at = scheme + SCHEME.len();
            let found = self.endpoint(self.at);
            if found.is_some() {
                return found;
            }
        }
    }

    /// The next header whose first address can be read.
    fn next_header(&mut self) -> Option<Endpoint> {
        loop {
            self.at = value(self.text, self.at, &self.name)?;
            let scheme = self.search(self.at, SCHEME);
            let found = scheme.and_then(|at| self.endpoint(at + SCHEME.len()));
            if found.is_some() {
                return found;
            }
        }
    }

    fn search(&self, from: usize, wanted: &'static [u8]) -> Option<usize> {
        search(self.text, from, self.text.len(), wanted, self.searched)
    }

    /// What follows `sip:`: a user up to `@`, if there is one on this line, and a numeric address
    /// (`skp_epaddr_len`).
    fn endpoint(&mut self, start: usize) -> Option<Endpoint> {
        // Many in one list may share an `@`. It is looked for, and what follows it read, but once.
        let is_known = self.user_end >= start;
        if !is_known {
            let mut rest = self.text[start..].iter();
            let user = rest.position(|byte| *byte == b'@' || is_newline(byte));
            self.user_end = user.map_or(self.text.len(), |at| start + at);
        }
        match self.text.get(self.user_end) {
            Some(b'@') if is_known => None,
            Some(b'@') => endpoint(self.text, self.user_end + 1, self.ipv6),
            _ => endpoint(self.text, start, self.ipv6),
        }
    }
}

impl Iterator for Endpoints<'_> {
    type Item = Endpoint;

    fn next(&mut self) -> Option<Endpoint> {
        let listed = if self.in_list {
            self.next_of_list()
        } else {
            None
        };
        let found = listed.or_else(|| self.next_header())?;
        self.in_list = true;
        self.at = found.end;
        Some(found)
    }
}

/// A numeric address, in brackets for IPv6, and a port (`epaddr_len`).
fn endpoint(text: &[u8], start: usize, ipv6: bool) -> Option<Endpoint> {
    let (address, length) = if ipv6 {
        let inner = text[start..].strip_prefix(b"[")?;
        let (address, length) = text::ipv6_until(inner, None)?;
        inner[length..].strip_prefix(b"]")?;
        (IpAddr::V6(address), length + 2)
    } else {
        let (address, length) = text::ipv4_until(&text[start..], None)?;
        (IpAddr::V4(address), length)
    };
    let (port, port_bytes, end) = port(text, start + length)?;
    Some(Endpoint {
        address,
        port,
        port_bytes,
        end,
    })
}

/// `:5060`, or nothing; something must follow in either case (`sip_parse_port`).
fn port(text: &[u8], at: usize) -> Option<(u16, Option<Range<usize>>, usize)> {
    if *text.get(at)? != b':' {
        return Some((DEFAULT_PORT, None, at));
    }
    let length = digits(&text[at + 1..]);
    let bytes = at + 1..at + 1 + length;
    if length > 5 || bytes.end >= text.len() {
        return None;
    }
    let (number, _) = number(&text[bytes.clone()])?;
    let port = u16::try_from(number)
        .ok()
        .filter(|&port| port >= LEAST_PORT)?;
    let end = bytes.end;
    Some((port, Some(bytes), end))
}

/// Where the value of a parameter begins that stands between here and the next comma, and where that is.
pub fn parameter(
    text: &[u8],
    from: usize,
    name: &'static [u8],
    searched: &Searched,
) -> Option<Range<usize>> {
    let end = search(text, from, text.len(), b",", searched).unwrap_or(text.len());
    let start = search(text, from, end, name, searched)?;
    Some(start + name.len()..end)
}

/// The first place of a text within a header's value. At a line end the value goes on only where the next line begins
/// with a blank, and the first byte behind such blanks is passed over. Found at the very end it counts as absent
/// (`ct_sip_header_search`).
fn search(
    text: &[u8],
    from: usize,
    limit: usize,
    wanted: &'static [u8],
    searched: &Searched,
) -> Option<usize> {
    let limit = limit.saturating_sub(wanted.len());
    let mut passed = Vec::new();
    let mut at = from;
    let found = loop {
        if at >= limit {
            break None;
        }
        if is_newline(&text[at]) {
            if let Some(known) = searched.beyond(at, limit, wanted) {
                break known;
            }
            passed.push(at);
            let Some(next) = continuation(text, at, limit) else {
                break None;
            };
            at = next;
        } else if starts_with(&text[at..], wanted) {
            break Some(at);
        }
        at += 1;
    };
    searched.note(passed, limit, wanted, found);
    found
}

/// What searches have found in one text beyond each line end that they passed.
///
/// The byte that a search passes over behind the blanks of a continued line may be the very line end that would have
/// ended the value, and so it runs on through the headers that follow. Each of these begins a search of its own; but
/// two that meet at a line end go the same way from there, and it is gone but once.
#[derive(Default)]
pub struct Searched(RefCell<HashMap<Search, Option<usize>>>);

/// From a line end, up to a limit, for a word.
type Search = (usize, usize, &'static [u8]);

impl Searched {
    fn beyond(
        &self,
        line_end: usize,
        limit: usize,
        wanted: &'static [u8],
    ) -> Option<Option<usize>> {
        self.0.borrow().get(&(line_end, limit, wanted)).copied()
    }

    fn note(&self, passed: Vec<usize>, limit: usize, wanted: &'static [u8], found: Option<usize>) {
        // One line end alone is the end of a value, as nearly always: nothing to remember.
        if passed.len() > 1 {
            let mut known = self.0.borrow_mut();
            let keys = passed.into_iter().map(|at| (at, limit, wanted));
            known.extend(keys.map(|key| (key, found)));
        }
    }
}

/// Behind the blanks that follow this line end; `None` where there are none.
fn continuation(text: &[u8], newline: usize, limit: usize) -> Option<usize> {
    let rest = &text[newline..limit];
    let rest = &rest[newline_length(rest)..];
    let blanks = rest.iter().take_while(|byte| is_blank(byte)).count();
    (blanks > 0).then_some(limit - rest.len() + blanks)
}

/// Behind blanks and one continued line end (`sip_skip_whitespace`).
fn skip_blanks(text: &[u8], from: usize) -> Option<usize> {
    let at = from + text.get(from..)?.iter().position(|byte| !is_blank(byte))?;
    let at = if is_newline(&text[at]) {
        continuation(text, at, text.len())?
    } else {
        at
    };
    (at < text.len()).then_some(at)
}

/// CR LF counts as one.
fn newline_length(text: &[u8]) -> usize {
    1 + usize::from(text.starts_with(b"\r\n"))
}

pub fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

pub fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The kernel's letters are those of Latin-1 (lib/ctype.c).
pub fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7)
}

fn is_newline(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const SCHEME: &[u8] = b"sip:";
/// `SIP_PORT`
const DEFAULT_PORT: u16 = 5060;
/// No service may be offered on the ports below.
pub const LEAST_PORT: u16 = 1024;
/// "4294967295" and its NUL.
const MAX_DIGITS: usize = 11;
