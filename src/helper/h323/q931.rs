//! Q.931 call signalling, with the messages of H.225.0 in its user-user element.
//!
//! Source: net/netfilter/nf_conntrack_h323_main.c `q931_help()`, `process_q931()`, `expect_h245()`,
//! `expect_callforwarding()`; nf_conntrack_h323_asn1.c `DecodeQ931()`.

use std::ops::Range;
use std::time::Duration;

use super::per::{self, Value};
use super::tpkt::{self, Tpkts};
use super::types::signalling::H323_USER_INFORMATION;
use super::{Listener, SOURCE, h245};
use crate::helper::reasons::{EMPTY_ELEMENT, PORT_0};
use crate::helper::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Parameter, Policy,
    Refused, Spec,
};
use crate::tuple::Protocol;

pub const SPEC: Spec = Spec {
    name: "Q.931",
    source: SOURCE,
    ports: &[(Protocol::TCP, Some(1720))],
    families: Families::Both,
    home: Home::Module(Instances::One),
    why: "an H.323 call is arranged on a second connection (H.245) and talks on others, to ports that its ends name",
    policies: |_| {
        vec![Policy {
            max_expected: 20,
            timeout: Duration::from_secs(240),
        }]
    },
    parameters: &[Parameter {
        name: FILTER,
        default: 1,
        range: 0..=1,
        meaning: "expect a forwarded call only where caller and new destination are on different sides of the firewall",
    }],
    freedom: &[
        Freedom {
            what: "H.245",
            permanent: false,
            read_by: Some(h245::SPEC.name),
            ..h245::T120
        },
        h245::MEDIA,
        h245::T120,
        Freedom {
            what: "forwarded call",
            dst_addr: Field::Command,
            permanent: false,
            read_by: Some("Q.931"),
            ..h245::T120
        },
    ],
    defects: &[],
    start: |modules, _| {
        Box::new(Q931 {
            filter: modules.get(FILTER) != 0,
            tpkts: Tpkts::default(),
        })
    },
};

struct Q931 {
    filter: bool,
    tpkts: Tpkts,
}

impl Helper for Q931 {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if !message.established {
            tpkt::decline_early(message, master, user_information, |signal| {
                let pdu = signal.at(&["h323-uu-pdu"]);
                pdu.is_some_and(|pdu| BODIES.iter().any(|name| body(pdu, name).is_some()))
            });
            return Ok(());
        }
        let filter = self.filter;
        let process =
            |signal: &Value, master: &mut dyn Master| process(signal, filter, message, master);
        let refused = |_| Dropped("cannot process Q.931 message");
        self.tpkts
            .each(message, master, user_information, process)
            .map_err(refused)
    }
}

fn body<'p>(pdu: &'p Value, name: &str) -> Option<&'p Value> {
    pdu.at(&["h323-message-body", name])
}

/// `process_q931`
fn process(
    signal: &Value,
    filter: bool,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    let Some(pdu) = signal.at(&["h323-uu-pdu"]) else {
        return Ok(());
    };
    for name in BODIES {
        let Some(body) = body(pdu, name) else {
            continue;
        };
        if body.at(&["reason", "callForwarded"]).is_some() {
            forward(body, filter, message, master)?;
        } else {
            call(body, message, master)?;
        }
    }
    for control in pdu.items("h245Control") {
        h245::process(control, message, master)?;
    }
    Ok(())
}

/// The caller shall call somebody else (`expect_callforwarding`).
///
/// The filter asks the routing table whether caller and new destination are reached by the same next hop. The
/// firewall simulated here has one route, to everybody on its link, so every host is its own next hop: the
/// question comes down to whether the two are the same host. A firewall with gateways on both sides would filter
/// more, one with several networks on each side less.
fn forward(
    facility: &Value,
    filter: bool,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    let listener = Listener::h225(message, facility.at(&["alternativeAddress"]), master);
    let Some(listener) = listener else {
        return Ok(());
    };
    if listener.port == 0 {
        master.decline(PORT_0, listener.bytes());
        return Ok(());
    }
    if filter && listener.address == message.opposite().src {
        let reason = "forwards a call to the caller's side (callforward_filter)";
        master.decline(reason, listener.bytes());
        return Ok(());
    }
    let mut expectation = listener.anybody(message, Protocol::TCP);
    expectation.helper = Some(SPEC.name);
    master.expect(expectation)?;
    Ok(())
}

/// `process_setup` and its like: all do the same.
fn call(body: &Value, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Refused> {
    let listener = Listener::h225(message, body.at(&["h245Address"]), master);
    if let Some(listener) = listener.and_then(|listener| listener.own(message, master)) {
        let mut expectation = listener.speaker(message, Protocol::TCP, listener.port);
        expectation.helper = Some(h245::SPEC.name);
        master.expect(expectation)?;
    }
    for channel in body.items("fastStart") {
        h245::open(channel, message, master)?;
    }
    Ok(())
}

/// What the first user-user element of a Q.931 message says, if there is one (`DecodeQ931`).
fn user_information(payload: &[u8], body: Range<usize>) -> per::Read<Option<Value>> {
    let bytes = &payload[..body.end];
    let Some(at) = user_user(bytes, body.start) else {
        return Ok(None);
    };
    let &[high, low, ref element @ ..] = &bytes[at..] else {
        return Err(per::MALFORMED);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length == 0 {
        return Err(EMPTY_ELEMENT);
    }
    // One octet says that ASN.1 follows.
    if length < 2 || length > element.len() {
        return Err(per::MALFORMED);
    }
    let (start, end) = (at + 3, at + 2 + length);
    per::decode(&bytes[..end], start, &H323_USER_INFORMATION).map(Some)
}

/// Where the first user-user element tells its length. An element of one octet is taken for one with a length, as every
/// other is.
fn user_user(bytes: &[u8], start: usize) -> Option<usize> {
    let mut rest = &bytes[start..];
    let &[PROTOCOL_DISCRIMINATOR, reference, ref after @ ..] = rest else {
        return None;
    };
    let &[_message_type, next, ..] = after.get(usize::from(reference)..)? else {
        return None;
    };
    // Of a message type of two octets, the second has its highest bit set.
    let type_length = if next & 0x80 == 0 { 1 } else { 2 };
    rest = &after[usize::from(reference) + type_length..];
    loop {
        match *rest {
            [USER_USER, ref element @ ..] => return Some(bytes.len() - element.len()),
            [_, length, ref element @ ..] => rest = element.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}

const BODIES: [&str; 6] = [
    "setup",
    "callProceeding",
    "connect",
    "alerting",
    "facility",
    "progress",
];
const PROTOCOL_DISCRIMINATOR: u8 = 8;
const USER_USER: u8 = 0x7e;
const FILTER: &str = "nf_conntrack_h323.callforward_filter";
