//! H.245: the two ends of a call open logical channels, each where it listens itself.
//!
//! Source: net/netfilter/nf_conntrack_h323_main.c `h245_help()`, `process_h245()`, `expect_rtp_rtcp()`, `expect_t120()`.

use std::ops::Range;
use std::time::Duration;

use super::per::{self, Value};
use super::tpkt::{self, Tpkts};
use super::types::h245::CONTROL_MESSAGE;
use super::{Listener, SOURCE};
use crate::helper::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Policy, Refused,
    Spec,
};
use crate::tuple::Protocol;

pub const SPEC: Spec = Spec {
    name: "H.245",
    source: SOURCE,
    ports: &[],
    families: Families::Both,
    home: Home::Module(Instances::One),
    why: "voice and video of an H.323 call travel from port to port, and each end names its own when it opens a channel",
    policies: |_| {
        vec![Policy {
            max_expected: 18,
            timeout: Duration::from_secs(240),
        }]
    },
    parameters: &[],
    freedom: &[MEDIA, T120],
    defects: &[],
    start: |_, _| Box::<H245>::default(),
};

pub const MEDIA: Freedom = Freedom {
    what: "RTP, RTCP",
    ..Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Checked,
        Field::Command,
        Protocol::UDP,
    )
};

pub const T120: Freedom = Freedom {
    what: "T.120",
    protocol: Some(Protocol::TCP),
    permanent: true,
    ..MEDIA
};

#[derive(Default)]
struct H245 {
    tpkts: Tpkts,
}

impl Helper for H245 {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if !message.established {
            tpkt::decline_early(message, master, decode, |control| {
                PORTS_IN.iter().any(|path| control.at(path).is_some())
            });
            return Ok(());
        }
        let process = |control: &Value, master: &mut dyn Master| process(control, message, master);
        let refused = |_| Dropped("cannot process H.245 message");
        self.tpkts
            .each(message, master, decode, process)
            .map_err(refused)
    }
}

fn decode(payload: &[u8], body: Range<usize>) -> per::Read<Option<Value>> {
    per::decode(&payload[..body.end], body.start, &CONTROL_MESSAGE).map(Some)
}

/// `process_h245`
pub fn process(
    control: &Value,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    let [opened, acknowledged] = PORTS_IN;
    if let Some(channel) = control.at(opened) {
        open(channel, message, master)?;
    }
    if let Some(channel) = control.at(acknowledged) {
        acknowledge(channel, message, master)?;
    }
    Ok(())
}

/// `process_olc`
pub fn open(
    channel: &Value,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    media(channel.at(&[FORWARD, MULTIPLEX, H2250]), message, master)?;
    media(channel.at(&[REVERSE, MULTIPLEX, H2250]), message, master)?;
    let data = [FORWARD, "dataType", "data", "application", "t120"];
    let protocol = channel.at(&data);
    if protocol.is_some_and(|protocol| protocol.at(&["separateLANStack"]).is_some()) {
        t120(channel, message, master)?;
    }
    Ok(())
}

/// `process_olca`
fn acknowledge(
    channel: &Value,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    media(channel.at(&[REVERSE, MULTIPLEX, H2250]), message, master)?;
    let forward = [
        "forwardMultiplexAckParameters",
        "h2250LogicalChannelAckParameters",
    ];
    media(channel.at(&forward), message, master)?;
    t120(channel, message, master)
}

/// RTP at an even port and RTCP at the odd one above it, whichever of the two is named (`expect_rtp_rtcp`).
fn media(
    parameters: Option<&Value>,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    for name in ["mediaChannel", "mediaControlChannel"] {
        let address = parameters.and_then(|parameters| parameters.at(&[name]));
        let listener = Listener::h245(message, address, master);
        let Some(listener) = listener.and_then(|listener| listener.own(message, master)) else {
            continue;
        };
        let port = |port| listener.speaker(message, Protocol::UDP, port);
        let rtp = master.expect(port(listener.port & !1))?;
        if let Err(refused) = master.expect(port(listener.port | 1)) {
            master.unexpect(rtp);
            return Err(refused);
        }
    }
    Ok(())
}

/// As many connections as anybody likes (`expect_t120`).
fn t120(channel: &Value, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Refused> {
    let address = channel.at(&["separateStack", "networkAddress", "localAreaAddress"]);
    let listener = Listener::h245(message, address, master);
    if let Some(listener) = listener.and_then(|listener| listener.own(message, master)) {
        let mut expectation = listener.speaker(message, Protocol::TCP, listener.port);
        expectation.flags.permanent = true;
        master.expect(expectation)?;
    }
    Ok(())
}

/// What names ports.
const PORTS_IN: [&[&str]; 2] = [
    &["request", "openLogicalChannel"],
    &["response", "openLogicalChannelAck"],
];
const FORWARD: &str = "forwardLogicalChannelParameters";
const REVERSE: &str = "reverseLogicalChannelParameters";
const MULTIPLEX: &str = "multiplexParameters";
const H2250: &str = "h2250LogicalChannelParameters";
