//! Teredo, which takes IPv6 through a NAT (RFC 4380, 5.1.1).

use super::rest::Rest;
use super::{Form, Inside, Kind};

/// An authentication header, an origin indication, both or neither, and an IPv6 packet.
pub fn read(mut rest: Rest<'_>) -> Option<Inside<'_>> {
    if let [0, 1, client, value, ..] = rest.captured {
        let varying = usize::from(*client) + usize::from(*value);
        rest = rest.skip(AUTHENTICATION + varying)?;
    }
    if let [0, 0, ..] = rest.captured {
        rest = rest.skip(ORIGIN)?;
    }
    Some(Inside::bare(Kind::Teredo, Form::Ipv6, rest))
}

/// Bytes without the client's identifier and the authentication value: two of type, two of lengths, a nonce of 8, and the
/// confirmation.
const AUTHENTICATION: usize = 13;
const ORIGIN: usize = 8;
