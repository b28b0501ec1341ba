//! A close look at one packet, whatever rules it passes.

use super::Tracker;
use crate::conntrack::entry::L4;
use crate::conntrack::examined::{Examined, Flow, Notes};
use crate::conntrack::icmp;
use crate::packet::Packet;
use crate::tuple::Protocol;

impl Tracker {
    /// To be called before the packet comes in, once time has passed up to then: the flow as the packet finds it. What
    /// befalls the packet is noted from here on.
    pub fn begin_examination(&mut self, packet: &Packet<'_>) -> Option<Flow> {
        self.notes = Some(Notes::default());
        self.flow_of(packet)
    }

    /// To be called when the packet has left.
    pub fn end_examination(&mut self, before: Option<Flow>, packet: &Packet<'_>) -> Examined {
        let notes = self.notes.take().unwrap_or_default();
        Examined {
            before,
            after: self.flow_of(packet),
            judged: notes.judged.get(),
            was_read: notes.was_read.get(),
        }
    }

    /// The flow that the packet belongs to, or that it speaks of as an ICMP error, as it is now.
    fn flow_of(&self, packet: &Packet<'_>) -> Option<Flow> {
        let (protocol, _) = packet.transport?;
        let quoted = match protocol {
            Protocol::ICMP | Protocol::ICMPV6 => {
                match icmp::kind(protocol, packet, &self.context()) {
                    icmp::Kind::Error(quoted) => Some(quoted.inverse()?),
                    _ => None,
                }
            }
            _ => None,
        };
        let tuple = match quoted {
            Some(tuple) => tuple,
            None => self.key(packet)?.0,
        };
        let (slot, _) = self.table.find(&tuple)?;
        let ct = self.table.get(slot)?;
        Some(Flow {
            record: ct.record(self.now),
            tcp: match &ct.l4 {
                L4::Tcp(tcp) => Some(tcp.clone()),
                _ => None,
            },
        })
    }
}
