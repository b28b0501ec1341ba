//! One SIP message (RFC 3261, 7): what it asks or answers, and its headers' values.
//!
//! Source: `process_sip_request`, `process_sip_response`, `sip_help_tcp` in nf_conntrack_sip.c.

use std::ops::Range;

use super::header::{self, CONTACT, CONTENT_LENGTH, CSEQ, EXPIRES, Endpoint, Endpoints, Searched};
use crate::expectation::Sourced;
use crate::helper::{Dropped, Message};
use crate::tuple::Protocol;

/// A message in a payload.
#[derive(Clone, Copy)]
pub struct Text<'m> {
    pub message: &'m Message<'m>,
    pub bytes: &'m [u8],
    /// Where it begins in the payload.
    start: usize,
    pub ipv6: bool,
    searched: &'m Searched,
}

impl<'m> Text<'m> {
    pub fn part(message: &'m Message<'m>, part: Range<usize>, searched: &'m Searched) -> Self {
        Self {
            message,
            start: part.start,
            bytes: &message.payload[part],
            ipv6: message.same().is_ipv6(),
            searched,
        }
    }

    pub fn in_payload(&self, bytes: Range<usize>) -> Range<usize> {
        self.start + bytes.start..self.start + bytes.end
    }

    pub fn whole(&self) -> Range<usize> {
        self.in_payload(0..self.bytes.len())
    }

    pub fn command<T>(&self, value: T, bytes: Range<usize>) -> Sourced<T> {
        Sourced::command(value, self.message.packet, self.in_payload(bytes))
    }

    pub fn is_response(&self) -> bool {
        header::starts_with(self.bytes, RESPONSE)
    }

    /// What a request asks for, where the kernel cares: the method, a space and a letter.
    pub fn requested(&self) -> Option<Method> {
        requested(self.bytes)
    }

    /// What a response says, and to what: the number and the method of `CSeq:`, with one byte between them, whatever
    /// that is.
    pub fn answer(&self) -> Result<Answer, Dropped> {
        let code = match header::number(&self.bytes[RESPONSE.len()..]) {
            None | Some((0, _)) => return Err(Dropped("cannot get code")),
            Some((code, _)) => code,
        };
        let (cseq, end) = self.cseq()?;
        let method = self.bytes.get(end + 1..).and_then(named);
        let method = method.map(|(method, _)| method);
        Ok(Answer { code, cseq, method })
    }

    /// The addresses of `Contact:`.
    pub fn contacts(&self) -> Endpoints<'m> {
        Endpoints::of(self.bytes, CONTACT, self.ipv6, self.searched)
    }

    /// There is a `Contact:`, and it does not stand for all that was registered (`*`, RFC 3261, 10.2.2).
    pub fn names_contact(&self) -> bool {
        let value = header::value(self.bytes, 0, &CONTACT);
        value.is_some_and(|at| self.bytes[at] != b'*')
    }

    /// The number behind `CSeq:`, and where its digits end.
    pub fn cseq(&self) -> Result<(u32, usize), Dropped> {
        let digits = header::digits_of(self.bytes, &CSEQ).ok_or(Dropped("cannot parse cseq"))?;
        let (number, _) =
            header::number(&self.bytes[digits.clone()]).ok_or(Dropped("cannot get cseq"))?;
        Ok((number, digits.end))
    }

    /// Seconds behind `Expires:`; 0 where there are none.
    pub fn expires(&self) -> u32 {
        let digits = header::digits_of(self.bytes, &EXPIRES);
        let number = digits.and_then(|digits| header::number(&self.bytes[digits]));
        number.map_or(0, |(number, _)| number)
    }

    /// Seconds in the parameter of an address, else those of the header.
    pub fn expires_of(&self, contact: &Endpoint, header: u32) -> Result<u32, Dropped> {
        match self.parameter(contact, b"expires=") {
            None => Ok(header),
            Some(value) => match header::number(&self.bytes[value]) {
                Some((number, _)) => Ok(number),
                None => Err(Dropped("cannot parse expires")),
            },
        }
    }

    fn parameter(&self, contact: &Endpoint, name: &'static [u8]) -> Option<Range<usize>> {
        header::parameter(self.bytes, contact.end, name, self.searched)
    }

    /// The address is to be reached by the protocol that the message came by.
    pub fn has_transport_of(&self, contact: &Endpoint) -> bool {
        let Some(value) = self.parameter(contact, b"transport=") else {
            return true;
        };
        let own: &[u8] = match self.message.same().protocol {
            Protocol::TCP => b"TCP",
            _ => b"UDP",
        };
        header::starts_with(&self.bytes[value.start..], own)
    }
}

/// What a response says of which request.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub code: u32,
    pub cseq: u32,
    pub method: Option<Method>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Invite,
    Update,
    Ack,
    Prack,
    Bye,
    Register,
}

const METHODS: [(&[u8], Method); 6] = [
    (b"INVITE", Method::Invite),
    (b"UPDATE", Method::Update),
    (b"ACK", Method::Ack),
    (b"PRACK", Method::Prack),
    (b"BYE", Method::Bye),
    (b"REGISTER", Method::Register),
];

/// The method that a text begins with. None begins with another.
fn named(text: &[u8]) -> Option<(Method, &[u8])> {
    METHODS.iter().find_map(|(word, method)| {
        header::starts_with(text, word).then(|| (*method, &text[word.len()..]))
    })
}

fn requested(text: &[u8]) -> Option<Method> {
    let (method, rest) = named(text)?;
    matches!(rest, &[b' ', next, ..] if header::is_letter(next)).then_some(method)
}

/// The text begins like a message that the kernel reads.
pub fn opens(text: &[u8]) -> bool {
    header::starts_with(text, RESPONSE) || requested(text).is_some()
}

/// Of the first message in this part of a stream: to the end of the head and as many bytes further as `Content-Length`
/// says. `None` where that is not there, or more than the text holds.
pub fn length(text: &[u8]) -> Option<usize> {
    let digits = header::digits_of(text, &CONTENT_LENGTH)?;
    let (body, _) = header::number(&text[digits.clone()])?;
    let mut rest = text[digits.end..].windows(END_OF_HEAD.len());
    let head = digits.end + rest.position(|window| window == END_OF_HEAD)? + END_OF_HEAD.len();
    let length = head.checked_add(usize::try_from(body).ok()?)?;
    (length <= text.len()).then_some(length)
}

/// `SIP/2.0 200`: less says nothing.
pub const SHORTEST: usize = 11;
const RESPONSE: &[u8] = b"SIP/2.0 ";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
