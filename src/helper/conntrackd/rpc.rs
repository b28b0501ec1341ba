//! The portmapper of ONC RPC (RFC 1833, 3), which NFSv3 needs: a client asks which port a program listens at, and goes
//! there.
//!
//! Why a second flow: programs take the port that is free when they start, and only the portmapper knows it.
//!
//! Read are the call GETPORT of version 2, in the original direction, and the answer to it: one message a packet, over TCP
//! behind its record mark, which nobody looks at. The call decides on the protocol, the answer on the port. Versions 3
//! and 4 of the portmapper (rpcbind's GETADDR) are not understood.
//!
//! Not checked: which program is asked for (1.4.9 and later ignore answers about the portmapper itself), and whether
//! there was a call: without one its transaction number counts as 0, so an answer with this number is believed, with the
//! protocol of the last call, even of one that was refused. Where that was neither TCP nor UDP, or there was no call, what
//! is expected has protocol 0 and no ports.
//!
//! Source: src/helpers/rpc.c `rpc_helper_cb()`; RFC 5531, 9.

use super::super::reasons::NOT_ESTABLISHED;
use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{add, policy};
use crate::expectation::{Expectation, Origin, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "rpc",
    source: "src/helpers/rpc.c",
    ports: &[(Protocol::TCP, Some(111)), (Protocol::UDP, Some(111))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.0",
        private: 16,
    },
    why: "RPC programs listen at ports that the portmapper tells their clients",
    policies: |_| policy(1, 300),
    parameters: &[],
    freedom: &[
        to(Protocol::TCP, "for a call over TCP"),
        to(Protocol::UDP, "for a call over UDP"),
        Freedom {
            dst_port: Field::Helper,
            ..to(Protocol(0), "unasked, from answer 0")
        },
    ],
    defects: &[
        "an answer with transaction number 0 is believed without a call",
        "rpcbind's GETADDR (portmapper versions 3 and 4) is not understood",
        "a call for the portmapper's own port makes it expected, and such a connection's calls are not followed; so up to conntrack-tools 1.4.8",
    ],
    start: |_, _| Box::new(Rpc::default()),
}];

const fn to(protocol: Protocol, what: &'static str) -> Freedom {
    Freedom {
        what,
        permanent: true,
        ..Freedom::new(
            Field::Fixed,
            Field::Any,
            Field::Fixed,
            Field::Command,
            protocol,
        )
    }
}

/// `struct rpc_info`
#[derive(Default)]
struct Rpc {
    /// Transaction number of the call that waits for its answer.
    xid: u32,
    /// Protocol number that the last call asked for.
    protocol: u32,
}

impl Helper for Rpc {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let is_tcp = message.same().protocol == Protocol::TCP;
        let start = if is_tcp { RECORD_MARK } else { 0 };
        if let Some(reason) = self.unread(message, start) {
            master.decline(reason, start..message.payload.len());
        }
        if is_tcp && !message.established {
            return Ok(());
        }
        let mut words = Words {
            bytes: message.payload,
            at: start,
        };
        let (Some(xid), Some(kind)) = (words.next(), words.next()) else {
            return Ok(());
        };
        match (message.direction, kind) {
            (Direction::Original, CALL) => {
                self.xid = match self.call(words) {
                    Ok(()) => xid,
                    Err(why) => {
                        if let Some(why) = why {
                            master.decline(why, start..message.payload.len());
                        }
                        0
                    }
                };
                Ok(())
            }
            (Direction::Reply, REPLY) => {
                let is_expected = std::mem::take(&mut self.xid) == xid;
                if !is_expected {
                    return Ok(());
                }
                match reply(&mut words) {
                    Ok(port) => self.expect(message, master, port, words.at),
                    Err(why) => {
                        master.decline(why, start..message.payload.len());
                        Ok(())
                    }
                }
            }
            _ => {
                self.xid = 0;
                Ok(())
            }
        }
    }
}

impl Rpc {
    /// Why nothing is done for a call or an answer that is well formed.
    fn unread(&self, message: &Message<'_>, at: usize) -> Option<&'static str> {
        let mut words = Words {
            bytes: message.payload,
            at,
        };
        let (xid, kind) = (words.next()?, words.next()?);
        let is_call = kind == CALL && Self::default().call(words).is_ok();
        match message.direction {
            Direction::Original if is_call => {
                let is_early = at > 0 && !message.established;
                is_early.then_some(NOT_ESTABLISHED)
            }
            Direction::Reply if is_call => Some("a call, said by the server"),
            Direction::Reply if kind == REPLY && xid != self.xid => reply(&mut words)
                .is_ok()
                .then_some("answers no call that was read"),
            _ => None,
        }
    }

    /// What follows CALL (`rpc_parse_call`). The protocol is remembered even of a call that is then refused;
    /// one that asks for no port needs no reason.
    fn call(&mut self, mut words: Words<'_>) -> Result<(), Option<&'static str>> {
        const SHORT: &str = "RPC call too short";
        // Version, program, its version, procedure; credential and verifier, of which only lengths are looked at first.
        if words.left() < 4 * 4 + 2 * 8 {
            return Err(Some(SHORT));
        }
        for wanted in [RPC_VERSION, PORTMAPPER, PORTMAPPER_VERSION] {
            if words.next() != Some(wanted) {
                return Err(Some("no GETPORT of portmapper version 2"));
            }
        }
        if words.next() != Some(GETPORT) {
            return Err(None);
        }
        words.skip_opaque(8).ok_or(Some(SHORT))?;
        words.skip_opaque(0).ok_or(Some(SHORT))?;
        if words.left() != 4 * 4 {
            return Err(Some("RPC call of the wrong length"));
        }
        let [Some(_program), Some(_version), Some(protocol), Some(port)] =
            [words.next(), words.next(), words.next(), words.next()]
        else {
            return Err(Some(SHORT));
        };
        self.protocol = protocol;
        if ![TCP, UDP].contains(&protocol) {
            return Err(Some("asks for neither TCP nor UDP"));
        }
        if port != 0 {
            return Err(Some("asks with a port"));
        }
        Ok(())
    }

    /// The port was read in the four bytes before `end`.
    fn expect(
        &self,
        message: &Message<'_>,
        master: &mut dyn Master,
        port: u16,
        end: usize,
    ) -> Result<(), Dropped> {
        let asker = message.opposite();
        let to = !message.direction;
        let (protocol, dst_port) = match Protocol(self.protocol as u8) {
            known @ (Protocol::TCP | Protocol::UDP) => {
                let port = Sourced::command(port, message.packet, end - 2..end);
                (known, port)
            }
            // The message to the kernel names neither protocol nor ports then (`cthelper_expect_init`).
            _ => (
                Protocol(0),
                Sourced {
                    value: 0,
                    origin: Origin::Helper,
                },
            ),
        };
        let mut expectation = Expectation::new(
            protocol,
            Some(Sourced::conntrack(asker.src.into(), to)),
            Sourced::conntrack(asker.dst, to),
            dst_port,
        );
        expectation.flags.permanent = true;
        add(message, master, expectation)
    }
}

/// The port in what follows REPLY (`rpc_reply`).
fn reply(words: &mut Words<'_>) -> Result<u16, &'static str> {
    const SHORT: &str = "RPC answer too short";
    if words.next().ok_or(SHORT)? != ACCEPTED {
        return Err("the portmapper denied the call");
    }
    words.skip_opaque(0).ok_or(SHORT)?;
    if words.left() != 2 * 4 {
        return Err("RPC answer of the wrong length");
    }
    if words.next() != Some(SUCCESS) {
        return Err("the portmapper failed");
    }
    match words.next().ok_or(SHORT)? as u16 {
        0 => Err("the program is not registered"),
        port => Ok(port),
    }
}

/// A message in XDR (RFC 4506), 32 bits at a time.
#[derive(Clone, Copy)]
struct Words<'m> {
    bytes: &'m [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<u32> {
        let word = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(u32::from_be_bytes(*word))
    }

    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// A flavour and up to 400 opaque bytes (`opaque_auth`), with so many bytes behind them.
    fn skip_opaque(&mut self, behind: usize) -> Option<()> {
        self.next()?;
        let length = usize::try_from(self.next()?).ok()?;
        let padded = length.checked_next_multiple_of(4)?;
        if length > MAX_AUTH_BYTES || self.left() < padded + behind {
            return None;
        }
        self.at += padded;
        Some(())
    }
}

const RECORD_MARK: usize = 4;
const CALL: u32 = 0;
const REPLY: u32 = 1;
const RPC_VERSION: u32 = 2;
const PORTMAPPER: u32 = 100_000;
const PORTMAPPER_VERSION: u32 = 2;
const GETPORT: u32 = 3;
const ACCEPTED: u32 = 0;
const SUCCESS: u32 = 0;
const TCP: u32 = 6;
const UDP: u32 = 17;
const MAX_AUTH_BYTES: usize = 400;
