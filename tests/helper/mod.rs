//! Helpers by themselves: bytes in, what they ask for out.

mod amanda;
mod broadcast;
mod conntrackd;
mod ftp;
mod h323;
mod irc;
mod modules;
mod pptp;
mod sane;
mod sip;
mod text;
mod tftp;

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use ctaudit::expectation::{Expectation, ExpectationId};
use ctaudit::helper::{Dropped, Helper, Master, Message, Modules, Refused, Spec, Standing};
use ctaudit::kernel::Kernel;
use ctaudit::tuple::{Direction, Protocol, Tuple};
use ipnet::Ipv4Net;

/// What a helper did with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Expect(Expectation),
    Withdraw(ExpectationId),
    Renew(ExpectationId, Duration),
    Refresh(Duration),
    Kill(Tuple),
    MapGreKeys(Direction, Tuple),
    UnmapGreKeys,
    Decline {
        reason: &'static str,
        bytes: Range<usize>,
    },
    Drop(&'static str),
}

/// A connection that grants everything, but for expectations of one port, and notes it. Why those are not made is
/// conntrack's to say.
#[derive(Default)]
pub struct Notebook {
    pub effects: Vec<Effect>,
    pub standing: Vec<(ExpectationId, Expectation)>,
    pub is_expected: bool,
    pub is_gone: bool,
    pub refuse: Option<u16>,
    /// What stands is another connection's.
    pub of_another: bool,
    made: u64,
}

impl Master for Notebook {
    fn is_expected(&self) -> bool {
        self.is_expected
    }

    fn is_listed(&self) -> bool {
        !self.is_gone
    }

    /// A router with one way out.
    fn leaves_alike(&self, _address: IpAddr) -> bool {
        true
    }

    fn refresh(&mut self, timeout: Duration) {
        self.effects.push(Effect::Refresh(timeout));
    }

    fn expect(&mut self, expectation: Expectation) -> Result<ExpectationId, Refused> {
        if self.refuse == Some(expectation.dst_port.value) {
            return Err(Refused::Clash);
        }
        self.made += 1;
        let id = ExpectationId(self.made);
        self.standing.insert(0, (id, expectation.clone()));
        self.effects.push(Effect::Expect(expectation));
        Ok(id)
    }

    fn expect_unless_expected(
        &mut self,
        expectation: Expectation,
    ) -> Result<ExpectationId, Refused> {
        self.expect(expectation)
    }

    fn expectations(&self) -> Vec<Standing<'_>> {
        let standing = |(id, expectation)| Standing {
            id,
            is_own: !self.of_another,
            same_helper: true,
            expectation,
        };
        let pairs = self.standing.iter();
        pairs
            .map(|(id, expectation)| standing((*id, expectation)))
            .collect()
    }

    fn find(&self, tuple: &Tuple) -> Option<Standing<'_>> {
        let mut own = self.expectations().into_iter();
        own.find(|standing| {
            let expectation = standing.expectation;
            let src = expectation.src_addr.as_ref();
            expectation.protocol == tuple.protocol
                && expectation.dst_addr.value == tuple.dst
                && expectation.dst_port.value == tuple.dport
                && src.is_none_or(|net| net.value.contains(&tuple.src))
        })
    }

    fn renew(&mut self, expectation: ExpectationId, timeout: Duration) {
        self.effects.push(Effect::Renew(expectation, timeout));
    }

    fn withdraw(&mut self, expectation: ExpectationId) {
        self.standing.retain(|(id, _)| *id != expectation);
        self.effects.push(Effect::Withdraw(expectation));
    }

    fn unexpect(&mut self, expectation: ExpectationId) {
        self.withdraw(expectation);
    }

    fn kill(&mut self, tuple: &Tuple) -> bool {
        self.effects.push(Effect::Kill(*tuple));
        false
    }

    fn map_gre_keys(&mut self, direction: Direction, keys: &Tuple) -> bool {
        self.effects.push(Effect::MapGreKeys(direction, *keys));
        true
    }

    fn unmap_gre_keys(&mut self) {
        self.effects.push(Effect::UnmapGreKeys);
    }

    fn decline(&mut self, reason: &'static str, bytes: Range<usize>) {
        self.effects.push(Effect::Decline { reason, bytes });
    }
}

/// A helper on one connection, and the connection.
pub struct Bench {
    helper: Box<dyn Helper>,
    tuples: [Tuple; 2],
    pub master: Notebook,
    pub own_broadcast: Option<Ipv4Net>,
    pub header: Vec<u8>,
    packet: u64,
}

impl Bench {
    pub fn new(name: &str, client: &str, server: &str, port: u16, modules: &Modules) -> Self {
        Self::on(&Kernel::default(), name, client, server, port, modules)
    }

    /// On another kernel.
    pub fn on(
        kernel: &Kernel,
        name: &str,
        client: &str,
        server: &str,
        port: u16,
        modules: &Modules,
    ) -> Self {
        let ports = Spec::named(name).unwrap().ports;
        // H.245 has none.
        let protocol = ports.first().map_or(Protocol::TCP, |port| port.0);
        let tuple = tuple(protocol, client, server, port);
        Self::start(kernel, name, tuple, modules)
    }

    /// By another protocol than the helper's first one.
    pub fn by(
        name: &str,
        protocol: Protocol,
        client: &str,
        server: &str,
        port: u16,
        modules: &Modules,
    ) -> Self {
        let tuple = tuple(protocol, client, server, port);
        Self::start(&Kernel::default(), name, tuple, modules)
    }

    fn start(kernel: &Kernel, name: &str, original: Tuple, modules: &Modules) -> Self {
        Self {
            helper: (Spec::named(name).unwrap().start)(modules, kernel),
            tuples: [original, original.inverse().unwrap()],
            master: Notebook::default(),
            own_broadcast: None,
            header: Vec::new(),
            packet: 0,
        }
    }

    /// Shows the helper a payload of the established connection.
    pub fn say(&mut self, direction: Direction, seq: u32, payload: &[u8]) -> Vec<Effect> {
        self.show(direction, true, seq, payload)
    }

    pub fn show(
        &mut self,
        direction: Direction,
        established: bool,
        seq: u32,
        payload: &[u8],
    ) -> Vec<Effect> {
        self.packet += 1;
        let message = Message {
            packet: self.packet,
            direction,
            established,
            seq,
            header: &self.header,
            payload,
            tuples: self.tuples,
            is_own: self.own_broadcast.is_some(),
            own_broadcast: self.own_broadcast,
        };
        let result = self.helper.message(&message, &mut self.master);
        let mut effects = std::mem::take(&mut self.master.effects);
        effects.extend(result.err().map(|Dropped(reason)| Effect::Drop(reason)));
        effects
    }
}

fn tuple(protocol: Protocol, client: &str, server: &str, dport: u16) -> Tuple {
    assert!([Protocol::TCP, Protocol::UDP].contains(&protocol));
    Tuple {
        src: client.parse().unwrap(),
        dst: server.parse().unwrap(),
        sport: 40000,
        dport,
        protocol,
    }
}

/// What was declined, and the bytes of the payload that it says it of.
pub fn declines<'p>(effects: &[Effect], payload: &'p [u8]) -> Vec<(&'static str, &'p [u8])> {
    let decline = |effect: &Effect| match effect {
        Effect::Decline { reason, bytes } => Some((*reason, &payload[bytes.clone()])),
        _ => None,
    };
    effects.iter().filter_map(decline).collect()
}

/// The destination of the one expectation among the effects.
pub fn expected(effects: &[Effect]) -> Option<(IpAddr, u16)> {
    match effects {
        [Effect::Expect(expectation)] => {
            Some((expectation.dst_addr.value, expectation.dst_port.value))
        }
        _ => None,
    }
}
