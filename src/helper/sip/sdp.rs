//! A session description as the kernel finds it in a SIP message (RFC 4566): `c=` lines and up to three media.
//!
//! It begins with the first `v=` line of the message, wherever that stands. Positions are bytes of the text given.
//!
//! Source: `process_sdp`, `ct_sip_get_sdp_header`, `ct_sip_parse_sdp_addr` in nf_conntrack_sip.c.

use std::net::IpAddr;
use std::ops::Range;

use super::header::{LEAST_PORT, digits, is_letter, lines, number, starts_with};
use crate::helper::{Dropped, text};

/// Where somebody wants to receive a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Class of the expectation.
    pub class: u8,
    pub address: IpAddr,
    pub address_bytes: Range<usize>,
    pub port: u16,
    pub port_bytes: Range<usize>,
}

/// The media of the description in a message; none where there is no description.
pub struct Description<'t> {
    text: &'t [u8],
    ipv6: bool,
    /// The session's address, for media without one of their own.
    address: Option<(IpAddr, Range<usize>)>,
    /// Where the next medium is looked for; `None` behind the last one.
    at: Option<usize>,
}

impl<'t> Description<'t> {
    pub fn of(text: &'t [u8], ipv6: bool) -> Self {
        let version = version(text);
        Self {
            text,
            ipv6,
            address: version.and_then(|at| connection(text, at, ipv6)),
            at: version,
        }
    }
}

impl Description<'_> {
    /// The class of the next medium that can be expected, and where its port begins.
    fn next_medium(&mut self) -> Option<(u8, usize)> {
        loop {
            let media = line(self.text, self.at.take()?, b"m=", None)?;
            let length = media_length(&self.text[media..])?;
            let named = &self.text[media..media + length];
            let known = MEDIA.iter().find(|(word, _)| named.starts_with(word));
            if let Some(&(word, class)) = known {
                let port_at = media + word.len();
                self.at = Some(port_at);
                return Some((class, port_at));
            }
            self.at = Some(media + length);
        }
    }
}

impl Iterator for Description<'_> {
    type Item = Result<Media, Dropped>;

    fn next(&mut self) -> Option<Self::Item> {
        // Port 0: the medium is not in use.
        let (class, port_at, port, length) = loop {
            let (class, port_at) = self.next_medium()?;
            match number(&self.text[port_at..]) {
                None | Some((0, _)) => {}
                Some((port, length)) => break (class, port_at, port, length),
            }
        };
        let Some(port) = u16::try_from(port).ok().filter(|&port| port >= LEAST_PORT) else {
            return Some(Err(Dropped("wrong port")));
        };
        let own = connection(self.text, port_at, self.ipv6);
        let Some((address, address_bytes)) = own.or_else(|| self.address.clone()) else {
            return Some(Err(Dropped("cannot parse SDP message")));
        };
        Some(Ok(Media {
            class,
            address,
            address_bytes,
            port,
            port_bytes: port_at..port_at + length,
        }))
    }
}

/// Where the ports stand of media that are in use, and of no kind that is expected.
pub fn others(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = version(text);
    std::iter::from_fn(move || {
        let media = line(text, at?, b"m=", None)?;
        at = Some(media);
        Some(media)
    })
    .filter_map(|media| {
        let end = media + media_length(&text[media..])?;
        let digits = text[media..end].iter().rev();
        let start = end - digits.take_while(|byte| byte.is_ascii_digit()).count();
        let is_known = |(word, _): &(&[u8], u8)| text[media..].starts_with(word);
        let in_use = text[start..end].iter().any(|&digit| digit != b'0');
        (in_use && !MEDIA.iter().any(is_known)).then_some(start..end)
    })
}

/// Behind the name of the first `v=` line, if a number follows.
fn version(text: &[u8]) -> Option<usize> {
    line(text, 0, b"v=", None).filter(|&at| digits(&text[at..]) > 0)
}

/// The address of the next `c=` line before the next `m=` line.
fn connection(text: &[u8], from: usize, ipv6: bool) -> Option<(IpAddr, Range<usize>)> {
    let at = line(text, from, b"c=", Some(b"m="))?;
    let network: &[u8] = if ipv6 { b"IN IP6 " } else { b"IN IP4 " };
    let mut rest = text[at..].windows(network.len() + 1);
    let found = rest
        .position(|window| window.starts_with(network) || matches!(window[0], b'\r' | b'\n'))
        .filter(|&found| text[at + found..].starts_with(network))?;
    let start = at + found + network.len();
    let (address, length) = if ipv6 {
        let (address, length) = text::ipv6_until(&text[start..], None)?;
        (IpAddr::V6(address), length)
    } else {
        let (address, length) = text::ipv4_until(&text[start..], None)?;
        (IpAddr::V4(address), length)
    };
    Some((address, start..start + length))
}

/// Behind the name of the next line that is called so, unless another name comes first.
fn line(text: &[u8], from: usize, name: &[u8], before: Option<&[u8]>) -> Option<usize> {
    lines(text, from)
        .take_while(|&at| !before.is_some_and(|before| starts_with(&text[at..], before)))
        .find(|&at| starts_with(&text[at..], name))
        .map(|at| at + name.len())
}

/// `audio 49170`: letters, a space and digits, if any (`media_len`).
fn media_length(text: &[u8]) -> Option<usize> {
    let word = text.iter().take_while(|byte| is_letter(**byte)).count();
    (text.get(word) == Some(&b' ')).then(|| word + 1 + digits(&text[word + 1..]))
}

/// What is expected for, and in which class (`sdp_media_types`).
const MEDIA: [(&[u8], u8); 3] = [
    (b"audio ", super::AUDIO),
    (b"video ", super::VIDEO),
    (b"image ", super::IMAGE),
];
