//! An expectation and the dialogue that made it: what variants are made of.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::dialogue::Said;
use super::form::{AddressForm, PortForm};
use super::strangers::{Stranger, neighbour};
use super::wire;
use crate::conntrack::event::ExpectationRecord;
use crate::expectation::Origin;
use crate::tuple::{Direction, Tuple};

pub struct Base {
    pub record: Arc<ExpectationRecord>,
    pub said: Vec<Arc<Said>>,
    /// Who came by the hole.
    pub visitor: Option<IpAddr>,
    /// Addresses that have a part in this, and the firewall's own.
    taken: BTreeSet<IpAddr>,
}

/// Where a message says something, and how.
pub struct Named<F> {
    pub at: Range<usize>,
    pub form: F,
}

impl Base {
    pub fn new(record: Arc<ExpectationRecord>, said: Vec<Arc<Said>>, local: &[IpNet]) -> Self {
        let mut taken: BTreeSet<IpAddr> = local.iter().map(IpNet::addr).collect();
        let layouts = said.iter().filter_map(|said| wire::Layout::of(&said.bytes));
        taken.extend(layouts.flat_map(|layout| [layout.src, layout.dst]));
        let expected = record.expectation.tuple();
        taken.extend([expected.src, expected.dst]);
        Self {
            record,
            said,
            visitor: None,
            taken,
        }
    }

    /// What the hole is for: the tuple of the first packet that was to come, or of one like it.
    pub fn probe(&self) -> Option<Tuple> {
        let expectation = &self.record.expectation;
        let dst = expectation.dst_addr.value;
        let network = expectation.src_addr.as_ref().map(|src| src.value);
        let src = match (network, self.visitor) {
            (Some(host), _) if host.prefix_len() == host.max_prefix_len() => host.addr(),
            (_, Some(visitor)) => visitor,
            (Some(network), None) => self.neighbour(dst).filter(|src| network.contains(src))?,
            (None, None) => self.stranger(Stranger::VISITOR),
        };
        let sport = expectation.src_port.as_ref();
        Some(Tuple {
            src,
            sport: sport.map_or(ANY_PORT, |port| port.value),
            ..expectation.tuple()
        })
    }

    /// The number in the dialogue of the message that asks for the hole.
    pub fn message(&self) -> Option<usize> {
        let packet = match self.record.expectation.dst_port.origin {
            Origin::Command { packet, .. } => packet,
            _ => self.record.packet,
        };
        self.said.iter().position(|said| said.frame == packet)
    }

    pub fn payload(&self, message: usize) -> Option<&[u8]> {
        wire::payload(&self.said.get(message)?.bytes)
    }

    /// Where the message names the port.
    pub fn port(&self) -> Option<Named<PortForm>> {
        let port = &self.record.expectation.dst_port;
        let Origin::Command { bytes, .. } = &port.origin else {
            return None;
        };
        let at = bytes.start as usize..bytes.end as usize;
        let written = self.payload(self.message()?)?.get(at.clone())?;
        let form = PortForm::of(written, port.value)?;
        Some(Named { at, form })
    }

    /// Where the message names the address. One that a helper holds against the speaker's own has no origin in the
    /// message and stands there all the same: before the port, or else behind it.
    pub fn address(&self) -> Option<Named<AddressForm>> {
        let port = self.port()?;
        let payload = self.payload(self.message()?)?;
        let address = &self.record.expectation.dst_addr;
        if let Origin::Command { bytes, .. } = &address.origin {
            let at = bytes.start as usize..bytes.end as usize;
            let form = AddressForm::of(payload.get(at.clone())?, address.value)?;
            return Some(Named { at, form });
        }
        let found = AddressForm::find(payload, address.value);
        let before = found.iter().rev().find(|(at, _)| at.end <= port.at.start);
        let behind = found.iter().find(|(at, _)| at.start >= port.at.end);
        let (at, form) = before.or(behind)?.clone();
        Some(Named { at, form })
    }

    /// The end of the control connection that the hole leads to, where its port there is the one that is opened.
    pub fn own_end(&self) -> Option<(IpAddr, u16)> {
        let record = &self.record;
        let port = &record.expectation.dst_port;
        let client = (record.master.src, record.master.sport);
        let is_clients = port.origin == Origin::Conntrack(Direction::Reply)
            && record.root.tuple == record.master
            && client == (record.expectation.dst_addr.value, port.value);
        is_clients.then_some(client)
    }

    /// Whether the question went to everybody: then the server is nobody, and only the one who may ask is answered.
    pub fn asks_everybody(&self) -> bool {
        let is_network = |net: IpNet| net.prefix_len() < net.max_prefix_len();
        let src = self.record.expectation.src_addr.as_ref();
        src.is_some_and(|src| is_network(src.value))
    }

    pub fn stranger(&self, who: Stranger) -> IpAddr {
        who.like(self.record.master.src, &self.taken())
    }

    pub fn neighbour(&self, of: IpAddr) -> Option<IpAddr> {
        neighbour(of, &self.taken())
    }

    fn taken(&self) -> BTreeSet<IpAddr> {
        self.taken.iter().copied().chain(self.visitor).collect()
    }
}

/// A source port that nobody named.
const ANY_PORT: u16 = 40000;
