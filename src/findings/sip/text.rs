//! A SIP message as its receiver reads it (RFC 3261, 7 and 25), as far as findings need it.

use std::iter;
use std::net::IpAddr;

use memchr::{memchr, memchr_iter, memchr2_iter, memmem};

use crate::findings::written;
use crate::helper::text;

/// A request or a response.
#[derive(Clone, Copy, Debug)]
pub struct Message<'t> {
    first: &'t [u8],
    /// The headers; all of the rest where no empty line ends them.
    head: &'t [u8],
    /// Behind the empty line; `None` where there is none.
    pub body: Option<&'t [u8]>,
}

impl<'t> Message<'t> {
    /// The messages in a payload, each from its first line to the first line of the next.
    pub fn all(text: &'t [u8]) -> impl Iterator<Item = Self> {
        let starts = iter::once(0).chain(memchr_iter(b'\n', text).map(|at| at + 1));
        let mut starts = starts
            .filter(|&at| text.get(at..).is_some_and(begins))
            .peekable();
        iter::from_fn(move || {
            let start = starts.next()?;
            let end = starts.peek().map_or(text.len(), |&next| next);
            Self::read(text.get(start..end)?)
        })
    }

    /// `None` where the text does not begin as one.
    pub fn read(text: &'t [u8]) -> Option<Self> {
        if !begins(text) {
            return None;
        }
        let (first, rest) = text.split_at(first_line(text));
        let (head, body) = match memmem::find(rest, b"\r\n\r\n") {
            _ if rest.starts_with(b"\r\n") => (&rest[..0], rest.get(2..)),
            Some(at) => (&rest[..at + 2], rest.get(at + 4..)),
            None => (rest, None),
        };
        Some(Self { first, head, body })
    }

    /// What a request asks for.
    pub fn method(&self) -> Option<&'t [u8]> {
        let word = self.first.split(|&byte| byte == b' ').next()?;
        (!self.first.starts_with(VERSION)).then_some(word)
    }

    /// The values of the headers of this name, or of its compact form.
    pub fn headers(self, name: Name) -> impl Iterator<Item = &'t [u8]> {
        lines(self.head).filter_map(move |line| value(line, name))
    }

    /// Of the headers that name hosts, and of the request, the first host that each names with a port or without.
    pub fn hosts(self) -> impl Iterator<Item = Host<'t>> {
        let uris = [FROM, TO, CONTACT].into_iter();
        let first = self.method().and_then(|_| Host::of_uri(line(self.first)));
        let named = uris.flat_map(move |name| self.headers(name).filter_map(Host::of_uri));
        let passed = self.headers(VIA).filter_map(Host::of_via);
        first.into_iter().chain(named).chain(passed)
    }
}

/// A header's name, and its compact form.
pub type Name = (&'static str, Option<u8>);

pub const CONTACT: Name = ("Contact", Some(b'm'));
pub const CONTENT_LENGTH: Name = ("Content-Length", Some(b'l'));
pub const EXPIRES: Name = ("Expires", None);
pub const FROM: Name = ("From", Some(b'f'));
pub const TO: Name = ("To", Some(b't'));
pub const USER_AGENT: Name = ("User-Agent", None);
pub const VIA: Name = ("Via", Some(b'v'));

/// Lines without their ends: to the helper a CR alone is one as well. Between CR and LF there is an empty one.
pub fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\r' | b'\n'))
}

/// What stands behind a word that is somewhere in a text, in capitals or not.
pub fn behind<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let &first = word.first()?;
    let mut places = memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .filter_map(|at| text.get(at..)?.split_at_checked(word.len()));
    let found = places.find(|(place, _)| place.eq_ignore_ascii_case(word));
    found.map(|(_, rest)| rest)
}

fn begins(text: &[u8]) -> bool {
    // Few lines do: none is looked at as a whole before it asks for something.
    text.starts_with(VERSION)
        || asks(text) && {
            let (first, _) = text.split_at(first_line(text));
            is_request(first) || !first.ends_with(b"\n")
        }
}

/// Its length, with what ends it.
fn first_line(text: &[u8]) -> usize {
    let end = memchr(b'\n', text);
    end.map_or(text.len(), |end| end + 1)
}

/// A first line that asks for something: a method in capitals, a SIP address, the version.
pub fn is_request(text: &[u8]) -> bool {
    asks(text) && line(text).ends_with(b" SIP/2.0")
}

fn asks(text: &[u8]) -> bool {
    let method = text.iter().take_while(|byte| byte.is_ascii_uppercase());
    let method = method.take(LONGEST_METHOD).count();
    let rest = text.get(method..).unwrap_or_default();
    method > 0 && (rest.starts_with(b" sip:") || rest.starts_with(b" sips:"))
}

/// Without what ends it.
fn line(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

fn value(line: &[u8], (full, compact): Name) -> Option<&[u8]> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, rest) = line.split_at(colon);
    let name = name.trim_ascii_end();
    let is_it = match name {
        [letter] => compact.is_some_and(|compact| letter.eq_ignore_ascii_case(&compact)),
        _ => name.eq_ignore_ascii_case(full.as_bytes()),
    };
    is_it.then(|| rest.get(1..).unwrap_or_default().trim_ascii_start())
}

/// A numeric address, and the port behind it.
#[derive(Clone, Copy, Debug)]
pub struct Host<'t> {
    pub address: IpAddr,
    /// Its digits; `None` where no port is named.
    pub port: Option<&'t [u8]>,
    /// What follows.
    rest: &'t [u8],
}

impl<'t> Host<'t> {
    /// The host of the first SIP address in a text: behind its user, if it has one.
    pub fn of_uri(text: &'t [u8]) -> Option<Self> {
        let uri = behind(text, b"sip:").or_else(|| behind(text, b"sips:"))?;
        let end = uri
            .iter()
            .position(|byte| matches!(byte, b'>' | b' ' | b',' | b'"'));
        let uri_only = uri.get(..end.unwrap_or(uri.len()))?;
        let user = uri_only.iter().position(|&byte| byte == b'@');
        Self::read(uri.get(user.map_or(0, |at| at + 1)..)?)
    }

    /// The host that a `Via` says the message was sent by.
    pub fn of_via(text: &'t [u8]) -> Option<Self> {
        let transport = text.iter().position(|&byte| byte == b' ')?;
        Self::read(text.get(transport..)?.trim_ascii_start())
    }

    fn read(text: &'t [u8]) -> Option<Self> {
        let (address, rest) = match text.strip_prefix(b"[") {
            Some(inner) => {
                let (address, length) = text::ipv6_until(inner, None)?;
                (
                    IpAddr::V6(address),
                    inner.get(length..)?.strip_prefix(b"]")?,
                )
            }
            None => {
                let (address, length) = text::ipv4_until(text, None)?;
                (IpAddr::V4(address), text.get(length..)?)
            }
        };
        let Some(port) = rest.strip_prefix(b":") else {
            return Some(Self {
                address,
                port: None,
                rest,
            });
        };
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (port, rest) = port.split_at(digits);
        Some(Self {
            address,
            port: Some(port),
            rest,
        })
    }

    /// As a number; the usual one where none is named.
    pub fn port_number(&self) -> Option<u64> {
        self.port.map_or(Some(USUAL_PORT), written::number)
    }

    /// The text ends in the port's digits.
    pub fn ends_the_text(&self) -> bool {
        self.port.is_some_and(|digits| !digits.is_empty()) && self.rest.is_empty()
    }
}

const VERSION: &[u8] = b"SIP/2.0 ";
const LONGEST_METHOD: usize = 16;
const USUAL_PORT: u64 = 5060;
