//! The forms in which control protocols write an address or a port.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressForm {
    /// `192.0.2.11`, `2001:db8::11`; also the start of RPC's universal addresses (RFC 5665, 5.2.3)
    Text,
    /// `192,0,2,11` (RFC 959, `PORT`)
    Commas,
    /// `3221225995` (DCC)
    Decimal,
    /// Four or sixteen octets in network order.
    Binary,
}

/// How a port is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortForm {
    Decimal,
    /// `195,80` (RFC 959, `PORT`)
    Commas,
    /// Two octets in network order.
    Binary,
}

impl AddressForm {
    const ALL: [Self; 4] = [Self::Text, Self::Commas, Self::Decimal, Self::Binary];

    /// The form in which these bytes are this address.
    pub fn of(bytes: &[u8], address: IpAddr) -> Option<Self> {
        let mut forms = Self::ALL.into_iter();
        let written = |form: &Self| form.write(address).is_some_and(|text| text == bytes);
        forms
            .find(written)
            .or_else(|| (parse(bytes) == Some(address)).then_some(Self::Text))
    }

    /// `None` where addresses of its family are not written so.
    pub fn write(self, address: IpAddr) -> Option<Vec<u8>> {
        match (self, address) {
            (Self::Text, address) => Some(address.to_string().into_bytes()),
            (Self::Commas, IpAddr::V4(address)) => {
                Some(address.to_string().replace('.', ",").into_bytes())
            }
            (Self::Decimal, IpAddr::V4(address)) => {
                Some(address.to_bits().to_string().into_bytes())
            }
            (Self::Binary, IpAddr::V4(address)) => Some(address.octets().to_vec()),
            (Self::Binary, IpAddr::V6(address)) => Some(address.octets().to_vec()),
            (Self::Commas | Self::Decimal, IpAddr::V6(_)) => None,
        }
    }

    /// Where a payload names this address, and how; in order.
    pub fn find(payload: &[u8], address: IpAddr) -> Vec<(Range<usize>, Self)> {
        let mut found = Vec::new();
        if address.is_ipv6() {
            let texts = runs(payload, |byte| byte.is_ascii_hexdigit() || byte == b':');
            let named = texts.filter(|at| parse(&payload[at.clone()]) == Some(address));
            found.extend(named.map(|at| (at, Self::Text)));
        }
        for form in Self::ALL {
            if form == Self::Text && address.is_ipv6() {
                continue;
            }
            // Of four octets that could be letters nobody can say that they are an address.
            let is_doubtful = |address: Ipv4Addr| address.octets().iter().all(is_letter);
            if form == Self::Binary && matches!(address, IpAddr::V4(four) if is_doubtful(four)) {
                continue;
            }
            let Some(written) = form.write(address) else {
                continue;
            };
            let stands_alone = |at: &Range<usize>| form == Self::Binary || alone(payload, at);
            let named = positions(payload, &written).filter(stands_alone);
            found.extend(named.map(|at| (at, form)));
        }
        found.sort_by_key(|(at, _)| at.start);
        found
    }
}

impl PortForm {
    /// The form in which these bytes are this port, or the other one of the pair of an even and an odd port that one
    /// number stands for (RTP and RTCP). Of a number too large its last bits count.
    pub fn of(bytes: &[u8], port: u16) -> Option<Self> {
        let means = |value: u64| value as u16 | 1 == port | 1;
        if let &[high, low] = bytes
            && means(u64::from(u16::from_be_bytes([high, low])))
        {
            return Some(Self::Binary);
        }
        let text = std::str::from_utf8(bytes).ok()?;
        if let Some((high, low)) = text.split_once(',') {
            let (high, low): (u8, u8) = (high.parse().ok()?, low.parse().ok()?);
            return means(u64::from(u16::from_be_bytes([high, low]))).then_some(Self::Commas);
        }
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        (is_decimal && means(text.parse().ok()?)).then_some(Self::Decimal)
    }

    /// In place of `width` bytes, where no digit may be one too few.
    pub fn write(self, port: u16, width: usize) -> Vec<u8> {
        let [high, low] = port.to_be_bytes();
        match self {
            Self::Decimal => format!("{port:0width$}").into_bytes(),
            Self::Commas => format!("{high},{low}").into_bytes(),
            Self::Binary => vec![high, low],
        }
    }
}

/// Where these bytes stand, without overlap.
pub fn positions<'p>(payload: &'p [u8], wanted: &'p [u8]) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = payload.get(from..)?;
        let mut windows = rest.windows(wanted.len().max(1));
        let start = from + windows.position(|window| window == wanted)?;
        from = start + wanted.len().max(1);
        Some(start..from)
    })
}

/// Whether a number is not part of a longer one.
fn alone(payload: &[u8], at: &Range<usize>) -> bool {
    let before = at.start.checked_sub(1).and_then(|at| payload.get(at));
    let goes_on = payload.get(at.end).is_some_and(u8::is_ascii_digit);
    !goes_on && !before.is_some_and(|byte| byte.is_ascii_digit() || b".,".contains(byte))
}

/// The longest stretches of such bytes.
fn runs(payload: &[u8], is_part: fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = payload.get(from..)?;
        let start = from + rest.iter().position(|&byte| is_part(byte))?;
        let length = payload[start..]
            .iter()
            .take_while(|&&byte| is_part(byte))
            .count();
        from = start + length;
        Some(start..from)
    })
}

fn parse(bytes: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn is_letter(octet: &u8) -> bool {
    octet.is_ascii_graphic() || *octet == b' '
}
