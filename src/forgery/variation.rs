//! From a dialogue to its variants.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::base::{Base, Named};
use super::dialogue::Said;
use super::form::{self, AddressForm};
use super::strangers::Stranger;
use super::stream::Growth;
use super::wire::{self, Edit};
use super::{Datagram, Kind, Variant, body, probe};
use crate::service::Service;
use crate::tuple::{Protocol, Tuple};

/// `None` where this kind makes no sense for the expectation.
pub fn variant(base: &Base, kind: Kind) -> Option<Variant> {
    let genuine = base.probe()?;
    let (mut datagrams, probe) = match kind {
        Kind::Genuine => (base.retold()?, genuine),
        Kind::ServicePort => base.with_port(genuine, SERVICE_PORT)?,
        Kind::OtherPort if genuine.dport == OTHER_PORT => base.with_port(genuine, ANOTHER_PORT)?,
        Kind::OtherPort => base.with_port(genuine, OTHER_PORT)?,
        Kind::OtherHost => base.with_address(genuine, base.neighbour(genuine.dst)?)?,
        Kind::ThirdParty => base.with_address(genuine, base.stranger(Stranger::THIRD))?,
        Kind::OtherVisitor => {
            let src = base.stranger(Stranger::INTRUDER);
            (base.retold()?, Tuple { src, ..genuine })
        }
        Kind::ForeignServer => {
            let server = base.record.root.tuple.dst;
            base.elsewhere(genuine, server, base.stranger(Stranger::SERVER))?
        }
        Kind::ForeignClient => {
            let client = base.record.root.tuple.src;
            base.elsewhere(genuine, client, base.neighbour(client)?)?
        }
    };
    for datagram in &mut datagrams {
        wire::seal(&mut datagram.bytes)?;
    }
    datagrams.push(Datagram {
        at: datagrams.last()?.at + Duration::from_millis(1),
        bytes: probe::packet(&probe)?,
    });
    Some(Variant {
        service: Service::of(&base.record.root),
        helper: base.record.helper,
        kind,
        frame: base.said.get(base.message()?)?.frame,
        datagrams,
        probe,
    })
}

/// The datagrams, not sealed yet, and the probe that belongs to them.
type Forged = (Vec<Datagram>, Tuple);

impl Base {
    fn retold(&self) -> Option<Vec<Datagram>> {
        self.rewritten(|_, _| Vec::new())
    }

    /// Another port is asked for, in the message or by asking from there.
    fn with_port(&self, probe: Tuple, port: u16) -> Option<Forged> {
        if ![Protocol::TCP, Protocol::UDP].contains(&probe.protocol) || probe.dport == port {
            return None;
        }
        let probe = Tuple {
            dport: port,
            ..probe
        };
        if let Some(named) = self.port() {
            return Some((self.renamed(self.port_edit(&named, port)?)?, probe));
        }
        let end = self.own_end()?;
        let mut datagrams = self.retold()?;
        for datagram in &mut datagrams {
            wire::renumber(&mut datagram.bytes, end, port)?;
        }
        Some((datagrams, probe))
    }

    /// Another address is named in the message.
    fn with_address(&self, probe: Tuple, dst: IpAddr) -> Option<Forged> {
        let named = self.address()?;
        let edit = Edit {
            with: named.form.write(dst)?,
            at: named.at,
        };
        Some((self.renamed(edit)?, Tuple { dst, ..probe }))
    }

    /// One host takes the place of another wherever it stands.
    fn elsewhere(&self, probe: Tuple, from: IpAddr, to: IpAddr) -> Option<Forged> {
        if from.is_multicast() || self.asks_everybody() {
            return None;
        }
        let mut datagrams = self.rewritten(|_, payload| {
            let found = AddressForm::find(payload, from).into_iter();
            let edit = |(at, form): (_, AddressForm)| form.write(to).map(|with| Edit { at, with });
            found.filter_map(edit).collect()
        })?;
        for datagram in &mut datagrams {
            wire::readdress(&mut datagram.bytes, from, to)?;
        }
        let moved = |address| if address == from { to } else { address };
        let (src, dst) = (moved(probe.src), moved(probe.dst));
        Some((datagrams, Tuple { src, dst, ..probe }))
    }

    /// A number that goes on behind the digits that are read keeps their count.
    fn port_edit(&self, named: &Named<form::PortForm>, port: u16) -> Option<Edit> {
        let payload = self.payload(self.message()?)?;
        let goes_on = payload.get(named.at.end).is_some_and(u8::is_ascii_digit);
        let width = if goes_on { named.at.len() } else { 0 };
        Some(Edit {
            at: named.at.clone(),
            with: named.form.write(port, width),
        })
    }

    /// The message says something else, and what answers it repeats that: a registrar the address that it was told.
    fn renamed(&self, edit: Edit) -> Option<Vec<Datagram>> {
        let message = self.message()?;
        let told = self.told(&edit);
        self.rewritten(|index, payload| {
            if index == message {
                return vec![edit.clone()];
            }
            let Some((before, after)) = told.as_ref().filter(|_| index > message) else {
                return Vec::new();
            };
            let edit = |at| Edit {
                at,
                with: after.clone(),
            };
            form::positions(payload, before).map(edit).collect()
        })
    }

    /// Address and port where they stand together in the message, as they were and as they are now.
    fn told(&self, edit: &Edit) -> Option<(Vec<u8>, Vec<u8>)> {
        let payload = self.payload(self.message()?)?;
        let (start, end) = (self.address()?.at.start, self.port()?.at.end);
        let before = payload.get(start..end)?;
        let head = payload.get(start..edit.at.start)?;
        let tail = payload.get(edit.at.end..end)?;
        (before.len() <= LONGEST_TOLD).then(|| (before.to_vec(), [head, &edit.with, tail].concat()))
    }

    /// The dialogue with other payloads; lengths and checksums are not set yet.
    fn rewritten(&self, edits: impl Fn(usize, &[u8]) -> Vec<Edit>) -> Option<Vec<Datagram>> {
        let mut growth = Growth::default();
        let rewrite = |(index, said): (usize, &Arc<Said>)| {
            let payload = wire::payload(&said.bytes)?;
            let mut edits = edits(index, payload);
            edits.extend(body::content_lengths(payload, &edits));
            edits.sort_by_key(|edit| edit.at.start);
            let mut bytes = wire::edited(&said.bytes, &edits)?;
            // Modulo 2^32, so that less is more, too.
            let added = (bytes.len() as u32).wrapping_sub(said.bytes.len() as u32);
            growth.apply(&mut bytes, added)?;
            Some(Datagram { at: said.at, bytes })
        };
        self.said.iter().enumerate().map(rewrite).collect()
    }
}

/// SSH
const SERVICE_PORT: u16 = 22;
/// RDP
const OTHER_PORT: u16 = 3389;
/// PostgreSQL
const ANOTHER_PORT: u16 = 5432;
/// An IPv6 address in brackets, a colon and a port.
const LONGEST_TOLD: usize = 64;
