//! SSDP and UPnP eventing (UPnP Device Architecture 1.1): a control point searches by multicast, devices answer with the
//! URL of their description, and later call the control point back.
//!
//! Why other flows: answers come from the devices' own addresses, to the port that the search came from; descriptions
//! are fetched over TCP from ports of the devices' choice; events come over connections that the device opens, to a URL
//! that the control point names (`CALLBACK:`).
//!
//! Where what is read decides what:
//! - `M-SEARCH` to 239.255.255.250, while nobody has answered: anybody may answer, for as long as the policy says.
//! - Any datagram in a flow that was answered or is an answer itself: its first `LOCATION: ` opens address and port of
//!   that URL, whoever's they are, to everybody.
//! - Over TCP, which answers' URLs lead to: the `CALLBACK: <` of a `SUBSCRIBE`, if the address is the speaker's own, and
//!   `NOTIFY`, which renews what it came by.
//!
//! One space belongs to `LOCATION: `; a header without it is not seen. A URL has a numeric IPv4 address, and a NUL
//! belongs to the address, which it ends all the same: `http://192.0.2.5`, NUL, `:99` has port 99.
//!
//! Not decided is what comes of a URL that ends with its address, as `LOCATION: http://192.0.2.5` does: the helper reads
//! on behind the end, over digits, dots and NULs, what is left on the stack. A search, and whatever mdns and slp read,
//! leaves something that makes it port 80, as it is here. An earlier answer, with none of these since, leaves its own
//! end: after `http://100.100.100.100:4040/` the port is 4040, after one that ended in NULs nothing is expected.
//!
//! The kernel looks up the helper of an expected flow by that flow's protocol (`ctnetlink_glue_attach_expect`, 6.1.192
//! and 6.12.117): where ssdp is registered for UDP alone, it takes no expectation of TCP.
//!
//! Source: src/helpers/ssdp.c `ssdp_helper_cb()`.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::reasons::{FOREIGN_CALLBACK, NOT_ESTABLISHED};
use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, c_string, decimal, policy};
use crate::expectation::{Expectation, Origin, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: NAME,
    source: "src/helpers/ssdp.c",
    ports: &[(Protocol::UDP, Some(1900)), (Protocol::TCP, None)],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.3",
        private: 0,
    },
    why: "devices that were searched for by multicast answer from addresses of their own, are asked at ports that they \
          name, and call back",
    policies: |_| policy(8, 300),
    parameters: &[],
    freedom: &[
        Freedom {
            what: "answer",
            permanent: true,
            ..expects(Field::Any, Field::Fixed, Field::Packet, Protocol::UDP)
        },
        Freedom {
            what: "description",
            permanent: true,
            ..expects(Field::Any, Field::Command, Field::Command, Protocol::TCP)
        },
        Freedom {
            what: "event",
            ..expects(Field::Fixed, Field::Checked, Field::Command, Protocol::TCP)
        },
        Freedom {
            what: "next event",
            ..expects(Field::Fixed, Field::Fixed, Field::Fixed, Protocol::TCP)
        },
    ],
    defects: &[
        "what LOCATION names is expected only where the helper is registered for TCP as well (--add-assign 'tcp 1900 ssdp'); so on the 6.1 and 6.12 that were asked, others were not",
        "LOCATION and CALLBACK without exactly one space behind the colon are not seen",
    ],
    start: |_, _| Box::new(Ssdp),
}];

const fn expects(src: Field, dst: Field, dport: Field, protocol: Protocol) -> Freedom {
    Freedom {
        read_by: Some(NAME),
        ..Freedom::new(src, Field::Any, dst, dport, protocol)
    }
}

const NAME: &str = "ssdp";

struct Ssdp;

impl Helper for Ssdp {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let is_first = !message.established && !master.is_expected();
        if let Some((reason, bytes)) = unread(message, is_first) {
            master.decline(reason, bytes);
        }
        let expectation = if is_first {
            search(message)
        } else if message.same().protocol == Protocol::UDP {
            description(message, master)
        } else if message.established && message.direction == Direction::Original {
            event(message, master)
        } else {
            None
        };
        if let Some(mut expectation) = expectation {
            expectation.helper = Some(NAME);
            attach(master, expectation);
        }
        Ok(())
    }
}

/// What looks like a search, an answer or a subscription where none is looked for, why, and where it stands.
fn unread(message: &Message<'_>, is_first: bool) -> Option<(&'static str, Range<usize>)> {
    let payload = message.payload;
    let is_udp = message.same().protocol == Protocol::UDP;
    let url = |name| Some(Url::read(payload, header(payload, name)?)?.host_at);
    match (is_udp, is_first) {
        (true, true) if payload.starts_with(b"M-SEARCH") => {
            let to = message.same().dst;
            let is_other_group = to.is_multicast() && to != GROUP;
            is_other_group.then_some((OTHER_GROUP, 0..payload.len()))
        }
        (true, true) => Some((NOT_ESTABLISHED, url(b"LOCATION: ")?)),
        (true, false) => Some((NO_SPACE, url(b"LOCATION:")?)),
        (false, _) if !payload.starts_with(b"SUBSCRIBE ") => None,
        (false, _) if message.direction == Direction::Reply => {
            Some(("a subscription, said by the server", url(b"CALLBACK: <")?))
        }
        (false, _) if !message.established => Some((NOT_ESTABLISHED, url(b"CALLBACK: <")?)),
        (false, _) => Some((NO_SPACE, url(b"CALLBACK:<")?)),
    }
}

/// `handle_ssdp_new`
fn search(message: &Message<'_>) -> Option<Expectation> {
    let answer = message.opposite();
    // Of TCP it would look into the header, for what no segment has there.
    let is_search =
        message.same().protocol == Protocol::UDP && message.payload.starts_with(b"M-SEARCH");
    if message.same().dst != GROUP || !is_search {
        return None;
    }
    let mut expectation = Expectation::new(
        Protocol::UDP,
        None,
        Sourced::conntrack(answer.dst, Direction::Reply),
        Sourced::conntrack(answer.dport, Direction::Reply),
    );
    expectation.flags.permanent = true;
    Some(expectation)
}

/// `handle_ssdp_reply`
fn description(message: &Message<'_>, master: &mut dyn Master) -> Option<Expectation> {
    let at = header(message.payload, b"LOCATION: ")?;
    let Some(url) = Url::read(message.payload, at) else {
        master.decline("LOCATION without a numeric URL", at..message.payload.len());
        return None;
    };
    let mut expectation = Expectation::new(
        Protocol::TCP,
        None,
        Sourced::command(url.host.into(), message.packet, url.host_at.clone()),
        url.port(message.packet),
    );
    expectation.flags.permanent = true;
    Some(expectation)
}

/// `handle_http_request`, `renew_exp`
fn event(message: &Message<'_>, master: &mut dyn Master) -> Option<Expectation> {
    let (direction, payload) = (message.direction, message.payload);
    if payload.starts_with(b"NOTIFY ") {
        let renewed = message.same();
        return Some(Expectation::new(
            Protocol::TCP,
            Some(Sourced::conntrack(renewed.src.into(), direction)),
            Sourced::conntrack(renewed.dst, direction),
            Sourced::conntrack(renewed.dport, direction),
        ));
    }
    if !payload.starts_with(b"SUBSCRIBE ") {
        return None;
    }
    let at = header(payload, b"CALLBACK: <")?;
    let Some(url) = Url::read(payload, at) else {
        master.decline("CALLBACK without a numeric URL", at..payload.len());
        return None;
    };
    if message.same().src != url.host {
        master.decline(FOREIGN_CALLBACK, url.host_at);
        return None;
    }
    let device = message.opposite();
    Some(Expectation::new(
        Protocol::TCP,
        Some(Sourced::conntrack(device.src.into(), !direction)),
        Sourced::conntrack(device.dst, !direction),
        url.port(message.packet),
    ))
}

/// Where the value of the first line starts that begins so, in letters of any size (`find_hdr`).
fn header(payload: &[u8], name: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &payload[at..];
        if rest.len() < name.len() + 2 {
            return None;
        }
        if rest[..name.len()].eq_ignore_ascii_case(name) {
            return Some(at + name.len());
        }
        at += rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
    }
}

/// `http://ADDRESS:PORT`, and where in the payload they stand.
struct Url {
    host: Ipv4Addr,
    host_at: Range<usize>,
    /// `None`: 80, which nobody said.
    port: Option<(u16, Range<usize>)>,
}

impl Url {
    /// A value up to its carriage return, as a URL (`find_hdr`, `parse_url`).
    fn read(payload: &[u8], start: usize) -> Option<Self> {
        let value = payload.get(start..)?;
        let length = value
            .iter()
            .take(MAX_VALUE)
            .position(|&byte| byte == b'\r')?;
        let value = &value[..length];
        let scheme = value.get(..SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let rest = &value[SCHEME.len()..];
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | 0);
        let length = rest.iter().take_while(is_part).count();
        if length > MAX_HOST {
            return None;
        }
        let text = c_string(&rest[..length]);
        let host = std::str::from_utf8(text).ok()?.parse().ok()?;
        let host_at = start + SCHEME.len();
        let port = rest[length..].strip_prefix(b":").map(|number| {
            let (port, digits) = strtol(number);
            let colon = host_at + length;
            match digits {
                // The colon alone says that it is none.
                0 => (port, colon..colon + 1),
                _ => (port, colon + 1..colon + 1 + digits),
            }
        });
        Some(Self {
            host,
            host_at: host_at..host_at + text.len(),
            port,
        })
    }

    fn port(&self, packet: u64) -> Sourced<u16> {
        match &self.port {
            Some((port, at)) => Sourced::command(*port, packet, at.clone()),
            None => Sourced {
                value: 80,
                origin: Origin::Helper,
            },
        }
    }
}

/// The lower 16 bits of what strtol(3) makes of a text, and how many bytes it took.
fn strtol(text: &[u8]) -> (u16, usize) {
    let (number, length) = decimal(text);
    (
        number.clamp(i64::MIN.into(), i64::MAX.into()) as u16,
        length,
    )
}

const OTHER_GROUP: &str = "a search in another group than 239.255.255.250";
const NO_SPACE: &str = "no space behind the colon of LOCATION or CALLBACK";
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const SCHEME: &[u8] = b"http://";
/// `sizeof hdr_val`
const MAX_VALUE: usize = 256;
/// `sizeof buf` without the NUL.
const MAX_HOST: usize = 63;
