//! PPTP (RFC 2637): a control connection over TCP, and the tunnel itself in GRE.
//!
//! Why another flow: the two ends agree on a call with a number at each end, and from then on PPP travels in GRE
//! packets that carry the receiver's number. Either end may begin, so both directions are expected; the first packet
//! of one makes the other's expectation needless, for its answers belong to the same flow.
//!
//! One control message a segment is read, from its first byte. The helper follows the session and one call at a
//! time, and takes whoever opened the connection for the one that places calls (the PNS). What does not fit the
//! state is passed over. Not checked: lengths that messages name, and which call is disconnected.
//!
//! Source: net/netfilter/nf_conntrack_pptp.c, include/linux/netfilter/nf_conntrack_pptp.h.

use std::time::Duration;

use super::reasons::{NOT_ESTABLISHED, NOT_WHOLE, SECOND_CALL};
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Policy, Spec,
};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol, Tuple};

pub const SPECS: &[Spec] = &[Spec {
    name: "pptp",
    source: "net/netfilter/nf_conntrack_pptp.c",
    ports: &[(Protocol::TCP, Some(1723))],
    families: Families::Ipv4,
    home: Home::Module(Instances::One),
    why: "the tunnel travels in GRE packets, whose call numbers the control connection agrees on",
    policies: |_| {
        vec![Policy {
            max_expected: 2,
            timeout: Duration::from_secs(300),
        }]
    },
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Command,
        Field::Fixed,
        Field::Command,
        Protocol::GRE,
    )],
    defects: &[],
    start: |_, _| Box::new(Pptp::default()),
}];

/// What the control connection has agreed on so far.
#[derive(Default)]
struct Pptp {
    session: Session,
    call: Call,
    /// The call's number at the server (PAC) and at the client (PNS), once named.
    pac: Option<Sourced<u16>>,
    pns: Option<Sourced<u16>>,
}

/// In the order in which the kernel compares them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Session {
    #[default]
    None,
    Error,
    Stopping,
    Requested,
    Confirmed,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Call {
    /// Also one that is being cleared.
    #[default]
    None,
    OutRequested,
    OutConfirmed,
    InRequested,
    InReplied,
    InConfirmed,
}

impl Helper for Pptp {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let Some(control) = Control::at(message, 0) else {
            return Ok(());
        };
        if let Some(reason) = control.unread() {
            control.decline_call(reason, master);
        } else {
            match message.direction {
                Direction::Original => self.outbound(&control, master),
                Direction::Reply => self.inbound(&control, master),
            }
        }
        let mut end = control.end;
        while let Some(further) = Control::at(message, end) {
            further.decline_call("not the first message of its segment", master);
            end = further.end;
        }
        // Whatever a message says, it passes.
        Ok(())
    }

    /// `pptp_destroy_siblings`
    fn destroy(&mut self, tuples: &[Tuple; 2], master: &mut dyn Master) {
        master.unmap_gre_keys();
        for direction in [Direction::Original, Direction::Reply] {
            let keys = self.keys(direction, tuples);
            if !master.kill(&keys)
                && let Some(standing) = master.find(&keys)
            {
                let id = standing.id;
                master.unexpect(id);
            }
        }
    }
}

impl Pptp {
    /// `pptp_outbound_pkt`
    fn outbound(&mut self, control: &Control<'_>, master: &mut dyn Master) {
        let confirmed = self.session == Session::Confirmed;
        match control.kind {
            START_REQUEST if self.session == Session::None => self.session = Session::Requested,
            STOP_REQUEST => self.session = Session::Stopping,
            OUT_CALL_REQUEST if confirmed => {
                self.call = Call::OutRequested;
                self.pns = Some(control.number(0));
            }
            IN_CALL_REPLY
                if matches!(self.call, Call::InRequested | Call::InReplied)
                    && key(&self.pac) == control.number(2).value =>
            {
                if control.byte(4) == ACCEPTED {
                    self.call = Call::InReplied;
                    self.pns = Some(control.number(0));
                } else {
                    self.call = Call::None;
                }
            }
            CLEAR_REQUEST if confirmed => self.call = Call::None,
            OUT_CALL_REPLY if control.byte(4) == ACCEPTED => control.decline(BY_THE_CALLER, master),
            IN_CALL_CONNECT => control.decline(BY_THE_CALLER, master),
            _ => {}
        }
    }

    /// `pptp_inbound_pkt`
    fn inbound(&mut self, control: &Control<'_>, master: &mut dyn Master) {
        let or_error = |session, result| match result {
            ACCEPTED => session,
            _ => Session::Error,
        };
        match control.kind {
            START_REPLY if self.session >= Session::Requested => {
                self.session = or_error(Session::Confirmed, control.byte(2));
            }
            STOP_REPLY if self.session <= Session::Stopping => {
                self.session = or_error(Session::None, control.byte(0));
            }
            OUT_CALL_REPLY => self.out_call_reply(control, master),
            IN_CALL_REQUEST if self.session == Session::Confirmed => {
                self.call = Call::InRequested;
                self.pac = Some(control.number(0));
            }
            IN_CALL_CONNECT => self.in_call_connect(control, master),
            DISCONNECT_NOTIFY => {
                self.call = Call::None;
                self.destroy(&control.message.tuples, master);
            }
            _ => {}
        }
    }

    fn out_call_reply(&mut self, control: &Control<'_>, master: &mut dyn Master) {
        let connected = control.byte(4) == ACCEPTED;
        let is_asked_for = matches!(self.call, Call::OutRequested | Call::OutConfirmed);
        match self.objection(is_asked_for, control.number(2)) {
            Some(reason) if connected => control.decline(reason, master),
            Some(_) => {}
            None if connected => {
                self.call = Call::OutConfirmed;
                self.pac = Some(control.number(0));
                self.expect_tunnel(control, master);
            }
            None => self.call = Call::None,
        }
    }

    fn in_call_connect(&mut self, control: &Control<'_>, master: &mut dyn Master) {
        let is_asked_for = matches!(self.call, Call::InReplied | Call::InConfirmed);
        match self.objection(is_asked_for, control.number(0)) {
            Some(reason) => control.decline(reason, master),
            None => {
                self.call = Call::InConfirmed;
                self.expect_tunnel(control, master);
            }
        }
    }

    /// What is wrong with a message that says that a call stands.
    fn objection(&self, is_asked_for: bool, peer: Sourced<u16>) -> Option<&'static str> {
        if self.session != Session::Confirmed {
            Some("connects a call where no session was seen to start")
        } else if !is_asked_for {
            Some("connects a call that nobody was seen to ask for")
        } else if key(&self.pns) != peer.value {
            Some("names another call than the one that was asked for")
        } else {
            None
        }
    }

    /// Both directions or none (`exp_gre`).
    fn expect_tunnel(&self, control: &Control<'_>, master: &mut dyn Master) {
        let (Some(pac), Some(pns)) = (&self.pac, &self.pns) else {
            return;
        };
        let tuples = &control.message.tuples;
        let mut expect =
            |direction: Direction, src_port: &Sourced<u16>, dst_port: &Sourced<u16>| {
                let tuple = &tuples[direction.index()];
                let mut expectation = Expectation::new(
                    Protocol::GRE,
                    Some(Sourced::conntrack(tuple.src.into(), direction)),
                    Sourced::conntrack(tuple.dst, direction),
                    dst_port.clone(),
                );
                expectation.src_port = Some(src_port.clone());
                expectation.flags.paired = true;
                master.expect(expectation)
            };
        let Ok(original) = expect(Direction::Original, pns, pac) else {
            return;
        };
        let Ok(reply) = expect(Direction::Reply, pac, pns) else {
            master.unexpect(original);
            return;
        };
        let mut map = |direction| master.map_gre_keys(direction, &self.keys(direction, tuples));
        let originals = map(Direction::Original);
        if originals && map(Direction::Reply) {
            return;
        }
        if originals {
            master.unmap_gre_keys();
        }
        master.unexpect(reply);
        master.unexpect(original);
        control.decline(SECOND_CALL, master);
    }

    /// The first GRE packet of a direction, as far as its call is known.
    fn keys(&self, direction: Direction, tuples: &[Tuple; 2]) -> Tuple {
        let (pac, pns) = (key(&self.pac), key(&self.pns));
        let (sport, dport) = match direction {
            Direction::Original => (pns, pac),
            Direction::Reply => (pac, pns),
        };
        Tuple {
            sport,
            dport,
            protocol: Protocol::GRE,
            ..tuples[direction.index()]
        }
    }
}

/// A number that was never named is 0, to the kernel.
fn key(number: &Option<Sourced<u16>>) -> u16 {
    number.as_ref().map_or(0, |number| number.value)
}

/// A control message.
struct Control<'m> {
    message: &'m Message<'m>,
    start: usize,
    /// Where it says that it ends, at least behind its header.
    end: usize,
    kind: u16,
    /// What comes behind the header.
    body: &'m [u8],
}

impl<'m> Control<'m> {
    fn at(message: &'m Message<'m>, start: usize) -> Option<Self> {
        let rest = message.payload.get(start..)?;
        let (&header, body) = rest.split_first_chunk::<HEADER>()?;
        let [long, short, 0, CONTROL, a, b, c, d, high, low, _, _] = header else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([long, short]));
        ([a, b, c, d] == MAGIC_COOKIE).then_some(Self {
            message,
            start,
            end: start + length.max(HEADER),
            kind: u16::from_be_bytes([high, low]),
            body,
        })
    }

    /// Why the helper does not look at it.
    fn unread(&self) -> Option<&'static str> {
        if !self.message.established {
            Some(NOT_ESTABLISHED)
        } else if self.body.len() < length(self.kind) {
            Some(NOT_WHOLE)
        } else {
            None
        }
    }

    /// Of one that is read, these bytes are there.
    fn byte(&self, at: usize) -> u8 {
        self.body.get(at).copied().unwrap_or_default()
    }

    fn number(&self, at: usize) -> Sourced<u16> {
        let value = u16::from_be_bytes([self.byte(at), self.byte(at + 1)]);
        Sourced::command(value, self.message.packet, HEADER + at..HEADER + at + 2)
    }

    fn decline(&self, reason: &'static str, master: &mut dyn Master) {
        let length = HEADER + self.body.len().min(length(self.kind));
        master.decline(reason, self.start..self.start + length);
    }

    /// The same, if it is about a call.
    fn decline_call(&self, reason: &'static str, master: &mut dyn Master) {
        if (OUT_CALL_REQUEST..=IN_CALL_CONNECT).contains(&self.kind) {
            self.decline(reason, master);
        }
    }
}

/// How long a message is behind its header, at least (`pptp_msg_size`).
fn length(kind: u16) -> usize {
    match kind {
        START_REQUEST | START_REPLY => 144,
        STOP_REQUEST | STOP_REPLY => 4,
        OUT_CALL_REQUEST => 156,
        OUT_CALL_REPLY => 20,
        IN_CALL_REQUEST => 208,
        IN_CALL_REPLY => 12,
        IN_CALL_CONNECT => 16,
        CLEAR_REQUEST => 4,
        DISCONNECT_NOTIFY => 136,
        // The others change nothing.
        _ => 0,
    }
}

/// Length and type of the packet, the cookie, type of the control message, two bytes that mean nothing.
const HEADER: usize = 12;
const CONTROL: u8 = 1;
const MAGIC_COOKIE: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

// RFC 2637, 2
const START_REQUEST: u16 = 1;
const START_REPLY: u16 = 2;
const STOP_REQUEST: u16 = 3;
const STOP_REPLY: u16 = 4;
const OUT_CALL_REQUEST: u16 = 7;
const OUT_CALL_REPLY: u16 = 8;
const IN_CALL_REQUEST: u16 = 9;
const IN_CALL_REPLY: u16 = 10;
const IN_CALL_CONNECT: u16 = 11;
const CLEAR_REQUEST: u16 = 12;
const DISCONNECT_NOTIFY: u16 = 13;

/// Every result code that means yes.
const ACCEPTED: u8 = 1;
const BY_THE_CALLER: &str = "connects a call, said by the end that is taken for the caller";
