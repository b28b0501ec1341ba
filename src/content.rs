//! What the payload of one packet looks like. (A stand-in.)

use crate::tuple::Protocol;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Control(&'static str),
    Tls,
    Http,
}

impl Content {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control(helper) => helper,
            Self::Tls => "TLS",
            Self::Http => "HTTP",
        }
    }
}

pub fn of(_protocol: Protocol, payload: &[u8]) -> Option<Content> {
    if payload.starts_with(b"GET /") || payload.starts_with(b"POST /") {
        return Some(Content::Http);
    }
    payload.starts_with(&[0x16, 3]).then_some(Content::Tls)
}
