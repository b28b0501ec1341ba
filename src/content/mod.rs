//! What the payload of one packet looks like: of a control protocol that has a helper, or of what is found in its
//! place.
//!
//! Every packet without a helper is asked about, and nearly none of them is a control protocol. So the first byte says
//! what may be looked for, little of the rest is looked at, and nothing is kept. A hit is advice to give this port a
//! helper: what is asked for is the form of a whole message, so that data which only begin alike are not taken for one.
//!
//! Answers that come as flows of their own, from whoever was asked by broadcast or multicast to wherever the question
//! came from, are passed over: it is not their port that wants a helper.

mod datagram;
mod stream;
mod text;

use serde::{Deserialize, Serialize};

use crate::stored::{self, Word};
use crate::tuple::Protocol;

/// What a payload looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Content {
    /// A control protocol, by the name of its helper.
    Control(#[serde(deserialize_with = "stored::word")] Word),
    /// RFC 9112
    Http,
    /// RFC 5321
    Smtp,
    /// RFC 4253, 4.2
    Ssh,
    /// A handshake record (RFC 8446, 5.1).
    Tls,
}

impl Content {
    /// The helper's name, or the protocol's in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control(helper) => helper,
            Self::Http => "HTTP",
            Self::Smtp => "SMTP",
            Self::Ssh => "SSH",
            Self::Tls => "TLS",
        }
    }
}

/// `None` for what no recogniser knows, which is most of all traffic.
pub fn of(protocol: Protocol, payload: &[u8]) -> Option<Content> {
    let first = *payload.first()?;
    let kinds: [&[Kind]; 2] = match protocol {
        Protocol::TCP => [stream::beginning_with(first), &[]],
        Protocol::UDP => [datagram::beginning_with(first), datagram::NUMBERED],
        _ => return None,
    };
    let mut kinds = kinds.into_iter().flatten();
    let (content, _) = kinds.find(|(_, is_that)| is_that(payload))?;
    Some(*content)
}

/// What a web page can have a browser begin a connection with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// A request, with whatever method.
    Http,
    /// A message of STUN (RFC 8489).
    Stun,
}

impl Browser {
    /// As findings call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Stun => "STUN",
        }
    }

    /// Of a request of HTTP the page writes target, method and headers, so nothing is asked for that it can leave out;
    /// of STUN, the name of a user.
    pub fn of(payload: &[u8]) -> Option<Self> {
        // RFC 8489, 5: two bits of 0, type, length, cookie.
        if let [0..=0x3f, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..] = payload {
            return Some(Self::Stun);
        }
        text::begins_a_page(payload).then_some(Self::Http)
    }
}

/// A kind of content, and what recognises it.
type Kind = (Content, fn(&[u8]) -> bool);

/// A number in network order, at so many bytes from the beginning.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The same of 16 bits, as a length.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let half = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    Some(usize::from(half))
}

/// A call to the portmapper (program 100000) of ONC RPC for a port: GETPORT, 3, of version 2 (RFC 5531, 9; RFC 1833,
/// 3.1). The transaction number in front is anything.
fn asks_for_a_port(call: &[u8]) -> bool {
    const GETPORT: [u32; 5] = [0, 2, 100_000, 2, 3];
    let mut words = (1..).zip(GETPORT);
    words.all(|(index, wanted)| word(call, 4 * index) == Some(wanted))
}
