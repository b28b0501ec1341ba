//! Connection tracking as Linux does it: a verdict for each packet, and the events that it causes.
//!
//! `Tracker::packet` is where everything happens: timers that are due first, then the packet. It follows the packet
//! through the netfilter hooks in their order: `nf_conntrack_in` (PREROUTING, -200), the assignment of helpers (-190),
//! the rules (which see the verdict of this moment), routing, and `nf_confirm` (POSTROUTING or LOCAL_IN, last), where
//! the helper reads the packet and a new conntrack enters the table.
//!
//! Not simulated: address translation, zones, marks, flow offload, synproxy, and clashes between packets that several
//! processors handle at once.

pub mod config;
mod dccp;
mod entry;
pub mod event;
mod expect;
mod gre;
mod icmp;
pub mod profile;
mod sctp;
mod table;
pub mod tcp;
mod udp;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::expectation::Expectation;
use crate::helper::{self, Effect, Message, Policy, Spec};
use crate::packet::route::{self, Fate};
use crate::packet::{Packet, Unseen};
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};
use config::{Config, Sysctl, Sysctls};
use entry::{Cached, Conntrack, Help, L4, Outcome, Related};
use event::{
    Closed, ConntrackId, ConntrackRecord, Ended, Event, ExpectationId, ExpectationRecord, Life, Status,
};
use expect::{Clash, Expectations, Expected};
use profile::Profile;
use table::Table;

/// What a rule's `ct state` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    New,
    Established,
    Related,
    Invalid,
    Untracked,
    /// The packet never comes to the rules.
    None,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Related => "related",
            Self::Invalid => "invalid",
            Self::Untracked => "untracked",
            Self::None => "none",
        }
    }
}

/// What a packet is to conntrack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    pub direction: Option<Direction>,
    /// What a rule's `ct helper` matches: the helper of the master.
    pub helper: Option<&'static str>,
    /// Whether the packet went in and did not come out; `None` where the firewall takes it in itself.
    pub dropped: Option<bool>,
    /// Why it is invalid, or dropped, or never came to the rules.
    pub reason: Option<Reason>,
    /// The conntrack that it belongs to.
    pub conntrack: Option<ConntrackId>,
}

/// A verdict and what happened.
#[derive(Clone, Copy, Debug)]
pub struct Step<'t> {
    pub verdict: Verdict,
    /// What time did since the packet before.
    pub late: &'t [Event],
    /// What this packet did.
    pub events: &'t [Event],
}

/// Why a packet is not simply part of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Unseen(Unseen),
    NoTransport,
    NoTuple,
    NotInvertible,
    TableFull,
    TcpHeader,
    TcpFlags,
    TcpNew,
    TcpNotLoose,
    TcpState,
    TcpRst,
    TcpSequenceAbove,
    TcpAckAbove,
    UdpHeader,
    UdpLength,
    IcmpHeader,
    IcmpType,
    IcmpNew,
    IcmpQuote,
    IcmpUnknownFlow,
    IcmpForeign,
    IcmpRedirect,
    SctpHeader,
    SctpChunks,
    SctpNew,
    SctpTag,
    SctpState,
    DccpHeader,
    DccpNew,
    DccpState,
    Martian,
    /// A helper dropped the packet; the text is the kernel's.
    Helper(&'static str),
}

impl Reason {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseen(why) => why.name(),
            Self::NoTransport => "no transport header",
            Self::NoTuple => "transport header cut off",
            Self::NotInvertible => "ICMP type that opens nothing and answers nothing",
            Self::TableFull => "conntrack table full",
            Self::TcpHeader => "TCP header malformed",
            Self::TcpFlags => "TCP flags that no TCP sends",
            Self::TcpNew => "TCP packet that opens no connection",
            Self::TcpNotLoose => "TCP connection already open, and not loose",
            Self::TcpState => "TCP packet that does not fit the state",
            Self::TcpRst => "TCP RST before what was acknowledged",
            Self::TcpSequenceAbove => "TCP sequence number above the window",
            Self::TcpAckAbove => "TCP acknowledgement of data never seen",
            Self::UdpHeader => "UDP header cut off",
            Self::UdpLength => "UDP length wrong",
            Self::IcmpHeader => "ICMP header cut off",
            Self::IcmpType => "ICMP type unknown",
            Self::IcmpNew => "ICMP type that opens nothing",
            Self::IcmpQuote => "ICMP error that quotes no packet",
            Self::IcmpUnknownFlow => "ICMP error about an unknown flow",
            Self::IcmpForeign => "ICMP error to a host that is not part of the flow",
            Self::IcmpRedirect => "ICMPv6 redirect that may not be believed",
            Self::SctpHeader => "SCTP header cut off",
            Self::SctpChunks => "SCTP chunks that do not go together",
            Self::SctpNew => "SCTP packet that opens no association",
            Self::SctpTag => "SCTP verification tag wrong",
            Self::SctpState => "SCTP chunk that does not fit the state",
            Self::DccpHeader => "DCCP header malformed",
            Self::DccpNew => "DCCP packet that opens no connection",
            Self::DccpState => "DCCP packet that does not fit the state",
            Self::Martian => "discarded by routing",
            Self::Helper(text) => text,
        }
    }
}

/// What conntrack knows of a packet that belongs to a flow (`enum ip_conntrack_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Info {
    state: State,
    direction: Direction,
}

/// What the protocols' trackers may ask for.
struct Context<'c> {
    now: Timestamp,
    sysctls: &'c Sysctls,
    profile: &'c Profile,
}

/// The simulated conntrack of one firewall.
pub struct Tracker {
    config: Config,
    policies: BTreeMap<&'static str, Vec<Policy>>,
    table: Table,
    expectations: Expectations,
    now: Timestamp,
    conntracks: u64,
    expected: u64,
    late: Vec<Event>,
    events: Vec<Event>,
}

/// What PREROUTING made of a packet.
enum Tracked {
    /// It belongs to the entry in this slot.
    Flow { slot: u32, info: Info },
    /// It is an ICMP error about a packet of that entry, and goes this way.
    Error { slot: u32, direction: Direction },
    Untracked,
    Invalid(Reason),
    Dropped(Reason),
}

impl Tracker {
    pub fn new(config: Config) -> Self {
        let policies = helper::all().map(|spec| (spec.name, (spec.policies)(&config.modules))).collect();
        Self {
            config,
            policies,
            table: Table::default(),
            expectations: Expectations::default(),
            now: Timestamp::default(),
            conntracks: 0,
            expected: 0,
            late: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Conntracks alive.
    pub fn conntracks(&self) -> usize {
        self.table.len()
    }

    /// Everything that happens, happens here: timers due at `at` first, then the packet.
    ///
    /// The clock does not run backwards: an earlier `at` counts as the latest one before it.
    pub fn packet(&mut self, at: Timestamp, packet: &Packet<'_>) -> Step<'_> {
        self.advance(at);
        let fate = route::fate(packet);
        let mut verdict = Verdict {
            state: State::None,
            direction: None,
            helper: None,
            dropped: match fate {
                Fate::Forwarded => Some(false),
                Fate::Delivered => None,
                Fate::Discarded => Some(true),
            },
            reason: (fate == Fate::Discarded).then_some(Reason::Martian),
            conntrack: None,
        };
        match self.track(packet) {
            Tracked::Flow { slot, info } => self.flow(packet, fate, slot, info, &mut verdict),
            Tracked::Error { slot, direction } => self.error(fate, slot, direction, &mut verdict),
            Tracked::Untracked => verdict.state = State::Untracked,
            Tracked::Invalid(reason) => {
                verdict.state = State::Invalid;
                verdict.reason = Some(reason);
            }
            Tracked::Dropped(reason) => {
                verdict.dropped = None;
                verdict.reason = Some(reason);
            }
        }
        Step { verdict, late: &self.late, events: &self.events }
    }

    /// A packet that never comes to the rules. Time passes all the same.
    pub fn unseen(&mut self, at: Timestamp, why: Unseen) -> Step<'_> {
        self.advance(at);
        let verdict = Verdict {
            state: State::None,
            direction: None,
            helper: None,
            dropped: None,
            reason: Some(Reason::Unseen(why)),
            conntrack: None,
        };
        Step { verdict, late: &self.late, events: &self.events }
    }

    /// The end of the capture: what is still open is told as such.
    pub fn finish(&mut self, at: Timestamp) -> Step<'_> {
        self.advance(at);
        let slots: Vec<u32> = self.table.occupied().collect();
        for slot in slots {
            self.remove_expectations(slot, Closed::StillOpen);
            if let Some(ct) = self.table.release(slot) {
                self.late.push(Event::ConntrackDestroy(ct.record(self.now), Ended::StillOpen));
            }
        }
        let verdict = Verdict {
            state: State::None,
            direction: None,
            helper: None,
            dropped: None,
            reason: None,
            conntrack: None,
        };
        Step { verdict, late: &self.late, events: &self.events }
    }

    /// Everything that times out until then, in its order.
    fn advance(&mut self, at: Timestamp) {
        self.late.clear();
        self.events.clear();
        let target = at.max(self.now);
        loop {
            let conntrack = self.table.next_due(target);
            let expectation = self.expectations.next_due().filter(|(due, _)| *due <= target);
            match (conntrack, expectation) {
                (Some((due, slot)), other) if other.is_none_or(|(later, _)| due <= later) => {
                    self.now = due;
                    self.end(slot, Ended::TimedOut);
                    self.table.release(slot);
                }
                (_, Some((due, slot))) => {
                    self.now = due;
                    self.close(slot, Closed::TimedOut);
                }
                _ => break,
            }
        }
        self.now = target;
        // What time ended is told apart from what the packet does.
        std::mem::swap(&mut self.late, &mut self.events);
    }

    /// `nf_conntrack_in`
    fn track(&mut self, packet: &Packet<'_>) -> Tracked {
        let Some((protocol, _)) = packet.transport else { return Tracked::Invalid(Reason::NoTransport) };
        if protocol == if packet.src.is_ipv4() { Protocol::ICMP } else { Protocol::ICMPV6 } {
            match icmp::kind(protocol, packet, &self.context()) {
                icmp::Kind::Query => {}
                icmp::Kind::Error(quoted) => return self.related(packet, &quoted),
                icmp::Kind::Untracked => return Tracked::Untracked,
                icmp::Kind::Invalid(reason) => return Tracked::Invalid(reason),
            }
        }
        let transport = packet.transport_bytes();
        let Some(tuple) = tuple_of(packet.src, packet.dst, protocol, transport, &self.config.profile) else {
            return Tracked::Invalid(Reason::NoTuple);
        };
        loop {
            let (slot, info) = match self.resolve(&tuple, packet) {
                Ok(found) => found,
                Err(tracked) => return tracked,
            };
            match self.judge(slot, info, transport) {
                Outcome::Accept(timeout) => {
                    self.accept(slot, info, packet, timeout);
                    return Tracked::Flow { slot, info };
                }
                Outcome::Kill => {
                    self.accept(slot, info, packet, None);
                    self.end(slot, Ended::Reset);
                    return Tracked::Flow { slot, info };
                }
                Outcome::Invalid(reason) => {
                    self.put(slot);
                    return Tracked::Invalid(reason);
                }
                Outcome::Reopen => {
                    self.end(slot, Ended::Reopened);
                    self.put(slot);
                }
            }
        }
    }

    /// The entry of this tuple, made where there is none (`resolve_normal_ct`, `init_conntrack`).
    fn resolve(&mut self, tuple: &Tuple, packet: &Packet<'_>) -> Result<(u32, Info), Tracked> {
        if let Some((slot, direction)) = self.table.find(tuple) {
            let status = self.table.get(slot).map_or_else(Status::default, |ct| ct.status);
            let state = match direction {
                Direction::Reply => State::Established,
                Direction::Original if status.has(Status::SEEN_REPLY) => State::Established,
                Direction::Original if status.has(Status::EXPECTED) => State::Related,
                Direction::Original => State::New,
            };
            return Ok((slot, Info { state, direction }));
        }
        let Some(reply) = tuple.inverse() else { return Err(Tracked::Invalid(Reason::NotInvertible)) };
        let max = self.config.sysctls.get(Sysctl::Max);
        if max != 0 && self.table.len() as u64 >= max {
            let Some(slot) = self.table.droppable(tuple) else { return Err(Tracked::Dropped(Reason::TableFull)) };
            self.end(slot, Ended::EarlyDrop);
            self.put(slot);
        }
        let mut status = Status::default();
        let related = self.take_expectation(tuple, packet.number);
        if related.is_some() {
            status.set(Status::EXPECTED);
        }
        let state = if related.is_some() { State::Related } else { State::New };
        self.conntracks += 1;
        let slot = self.table.hold(Conntrack {
            id: ConntrackId(self.conntracks),
            original: *tuple,
            reply,
            status,
            cached: Cached::default(),
            expires: self.now,
            scheduled: self.now,
            l4: L4::Stateless,
            life: Life::begin(packet.number, self.now),
            related,
            help: None,
        });
        Ok((slot, Info { state, direction: Direction::Original }))
    }

    /// Whoever sends the first packet that fits an expectation uses it up, whatever the packet is worth: an INVALID
    /// one burns it (`nf_ct_find_expectation`).
    fn take_expectation(&mut self, tuple: &Tuple, packet: u64) -> Option<Box<Related>> {
        let slot = self.expectations.find(tuple)?;
        let expected = self.expectations.get(slot)?;
        let record = Arc::clone(&expected.record);
        // A master that is not confirmed has not been seen by the other end yet.
        if !self.table.get(expected.master)?.status.has(Status::CONFIRMED) {
            return None;
        }
        if !record.expectation.flags.permanent {
            self.close(slot, Closed::Matched { packet });
        }
        Some(Box::new(Related { expectation: record.id, master: record.master, helper: record.helper }))
    }

    /// The protocol's tracker (`nf_conntrack_handle_packet`).
    fn judge(&mut self, slot: u32, info: Info, transport: &[u8]) -> Outcome {
        let context =
            Context { now: self.now, sysctls: &self.config.sysctls, profile: &self.config.profile };
        let Some(ct) = self.table.get_mut(slot) else { return Outcome::Invalid(Reason::NoTuple) };
        match ct.original.protocol {
            Protocol::TCP => tcp::packet(ct, info, transport, &context),
            Protocol::UDP => udp::packet(ct, transport, &context),
            Protocol::UDPLITE => udp::lite_packet(ct, transport, &context),
            Protocol::ICMP | Protocol::ICMPV6 => icmp::packet(ct, &context),
            Protocol::SCTP => sctp::packet(ct, info, transport, &context),
            Protocol::DCCP if context.profile.tracks_dccp => dccp::packet(ct, info, transport, &context),
            Protocol::GRE => gre::packet(ct, &context),
            _ => Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GenericTimeout))),
        }
    }

    /// What every packet of a flow does to it.
    fn accept(&mut self, slot: u32, info: Info, packet: &Packet<'_>, timeout: Option<Duration>) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else { return };
        if let Some(timeout) = timeout {
            ct.expires = now + timeout;
        }
        ct.life.count(now, info.direction, packet.datagram.len());
        if info.direction == Direction::Reply && ct.status.set(Status::SEEN_REPLY) {
            ct.cached.set(Cached::REPLY);
        }
    }

    /// An ICMP error belongs to the flow that it quotes, provided it goes to the end that sent the quoted packet
    /// (`nf_conntrack_inet_error`).
    fn related(&mut self, packet: &Packet<'_>, quoted: &Tuple) -> Tracked {
        let Some(inverse) = quoted.inverse() else { return Tracked::Invalid(Reason::IcmpQuote) };
        let Some((slot, direction)) = self.table.find(&inverse) else {
            return Tracked::Invalid(Reason::IcmpUnknownFlow);
        };
        if inverse.dst != packet.dst {
            return Tracked::Invalid(Reason::IcmpForeign);
        }
        Tracked::Error { slot, direction }
    }

    /// From the rules to the way out: the helper reads the packet, and the flow enters the table (`nf_confirm`).
    fn flow(&mut self, packet: &Packet<'_>, fate: Fate, slot: u32, info: Info, verdict: &mut Verdict) {
        self.assign_helper(slot, info);
        self.describe(slot, info, verdict);
        if fate != Fate::Discarded {
            match self.help(slot, info, packet) {
                Ok(()) => self.confirm(slot),
                Err(reason) => {
                    verdict.dropped = verdict.dropped.map(|_| true);
                    verdict.reason = Some(reason);
                }
            }
        }
        self.put(slot);
    }

    /// The kernel runs the helper for errors in the original direction too, but none finds in a quoted IP header
    /// what it looks for.
    fn error(&mut self, fate: Fate, slot: u32, direction: Direction, verdict: &mut Verdict) {
        self.describe(slot, Info { state: State::Related, direction }, verdict);
        if fate != Fate::Discarded {
            self.deliver(slot);
        }
    }

    fn describe(&self, slot: u32, info: Info, verdict: &mut Verdict) {
        verdict.state = info.state;
        verdict.direction = Some(info.direction);
        if let Some(ct) = self.table.get(slot) {
            verdict.helper = ct.related.as_ref().map(|related| related.helper);
            verdict.conntrack = Some(ct.id);
        }
    }

    /// `ct state new ct status ! expected PROTOCOL dport PORT ct helper set NAME`, once in the life of a flow.
    fn assign_helper(&mut self, slot: u32, info: Info) {
        if info.state != State::New {
            return;
        }
        let Some(ct) = self.table.get_mut(slot) else { return };
        if ct.status.has(Status::CONFIRMED) || ct.status.has(Status::EXPECTED) {
            return;
        }
        let (protocol, port, ipv6) = (ct.original.protocol, ct.original.dport, ct.original.is_ipv6());
        let mut assignments = self.config.assignments.iter();
        let Some(assignment) = assignments.find(|assignment| {
            assignment.protocol == protocol && assignment.port == port && assignment.helper.reads(protocol, ipv6)
        }) else {
            return;
        };
        let spec: &'static Spec = assignment.helper;
        ct.status.set(Status::HELPER);
        let helper = (spec.start)(&self.config.modules);
        ct.help = Some(Box::new(Help { spec, helper, expectations: Vec::new() }));
    }

    /// Shows the packet to the flow's helper and does what it asks for.
    fn help(&mut self, slot: u32, info: Info, packet: &Packet<'_>) -> Result<(), Reason> {
        let Some(ct) = self.table.get_mut(slot) else { return Ok(()) };
        let Some(help) = &mut ct.help else { return Ok(()) };
        let Some((seq, payload)) = payload(ct.original.protocol, packet.transport_bytes()) else { return Ok(()) };
        let message = Message {
            packet: packet.number,
            direction: info.direction,
            established: info.state == State::Established,
            seq,
            payload,
            tuples: [&ct.original, &ct.reply],
        };
        let (name, tuple, id) = (help.spec.name, ct.original, ct.id);
        for effect in help.helper.message(&message) {
            match effect {
                Effect::Expect(expectation) => self.expect(slot, info, packet.number, expectation)?,
                Effect::Decline { reason, .. } => {
                    self.events.push(Event::Declined { master: id, tuple, helper: name, reason });
                }
                Effect::Drop(reason) => return Err(Reason::Helper(reason)),
            }
        }
        Ok(())
    }

    /// `nf_ct_expect_related`
    fn expect(&mut self, master: u32, info: Info, packet: u64, expectation: Expectation) -> Result<(), Reason> {
        const REFUSED: Reason = Reason::Helper("cannot add expectation");
        match self.expectations.clash(master, &expectation) {
            Some(Clash::Same(slot)) => self.close(slot, Closed::Refreshed),
            Some(Clash::Overlap) => return Err(REFUSED),
            None => {}
        }
        let Some(ct) = self.table.get(master) else { return Err(REFUSED) };
        let Some(help) = &ct.help else { return Err(REFUSED) };
        let policy = self.policies.get(help.spec.name).and_then(|classes| classes.get(usize::from(expectation.class)));
        let Some(&policy) = policy else { return Err(REFUSED) };
        let record = ExpectationRecord {
            id: ExpectationId(self.expected + 1),
            master_id: ct.id,
            master: ct.original,
            helper: help.spec.name,
            packet,
            direction: info.direction,
            at: self.now,
            timeout: expectation.timeout.unwrap_or(policy.timeout),
            expectation,
        };
        let of_class = |slot: &&u32| {
            self.expectations.get(**slot).is_some_and(|old| old.record.expectation.class == record.expectation.class)
        };
        let siblings = help.expectations.iter().filter(of_class).count() as u64;
        if policy.max_expected != 0 && siblings >= u64::from(policy.max_expected) {
            // Newest first, so the last is the oldest.
            if let Some(&oldest) = help.expectations.iter().rfind(of_class) {
                self.close(oldest, Closed::Evicted);
            }
        }
        if self.expectations.len() as u64 >= self.config.sysctls.get(Sysctl::ExpectMax) {
            return Err(REFUSED);
        }
        self.expected += 1;
        let record = Arc::new(record);
        let expires = self.now + record.timeout;
        let slot = self.expectations.insert(Expected { record: Arc::clone(&record), master, expires });
        if let Some(help) = self.table.get_mut(master).and_then(|ct| ct.help.as_mut()) {
            help.expectations.insert(0, slot);
        }
        self.events.push(Event::ExpectationNew(record));
        Ok(())
    }

    /// `__nf_conntrack_confirm`, then what there is to tell.
    fn confirm(&mut self, slot: u32) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else { return };
        if ct.status.has(Status::CONFIRMED) {
            if ct.expires < ct.scheduled && !ct.status.has(Status::DYING) {
                self.table.schedule(slot, now);
            }
        } else {
            ct.status.set(Status::CONFIRMED);
            ct.cached.set(if ct.related.is_some() { Cached::RELATED } else { Cached::NEW });
            self.table.link(slot, now);
        }
        self.deliver(slot);
    }

    /// `nf_ct_deliver_cached_events`: ctnetlink is told of changes when a packet of the flow leaves.
    fn deliver(&mut self, slot: u32) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else { return };
        if ct.cached.is_empty() || ct.status.has(Status::DYING) {
            return;
        }
        let cached = std::mem::take(&mut ct.cached);
        let record = ct.record(now);
        let record = ConntrackRecord {
            state: record.state.filter(|_| cached.has(Cached::PROTOINFO)),
            master: record.master.filter(|_| cached.has(Cached::RELATED)),
            ..record
        };
        let is_new = cached.has(Cached::NEW) || cached.has(Cached::RELATED);
        self.events.push(if is_new { Event::ConntrackNew(record) } else { Event::ConntrackUpdate(record) });
    }

    /// Takes an entry out of the table, with what it expects (`nf_ct_delete`). It stays in its slot until nothing
    /// refers to it.
    fn end(&mut self, slot: u32, why: Ended) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else { return };
        ct.status.set(Status::DYING);
        let record = ct.record(now);
        self.events.push(Event::ConntrackDestroy(record, why));
        self.table.unlink(slot);
        self.remove_expectations(slot, Closed::MasterGone);
    }

    /// The packet lets go of the entry: one that is not in the table goes with it, and what it expected meanwhile
    /// (`nf_ct_put`, `nf_ct_destroy`).
    fn put(&mut self, slot: u32) {
        let gone = self.table.get(slot).is_some_and(|ct| {
            ct.status.has(Status::DYING) || !ct.status.has(Status::CONFIRMED)
        });
        if gone {
            self.remove_expectations(slot, Closed::MasterGone);
            self.table.release(slot);
        }
    }

    fn remove_expectations(&mut self, master: u32, why: Closed) {
        let help = self.table.get(master).and_then(|ct| ct.help.as_ref());
        let slots = help.map_or_else(Vec::new, |help| help.expectations.clone());
        for slot in slots {
            self.close(slot, why);
        }
    }

    /// `nf_ct_unlink_expect`
    fn close(&mut self, slot: u32, why: Closed) {
        let Some(expected) = self.expectations.remove(slot) else { return };
        if let Some(help) = self.table.get_mut(expected.master).and_then(|ct| ct.help.as_mut()) {
            help.expectations.retain(|&other| other != slot);
        }
        let left = expected.expires.since(self.now);
        self.events.push(Event::ExpectationDestroy { expectation: expected.record, why, left });
    }

    fn context(&self) -> Context<'_> {
        Context { now: self.now, sysctls: &self.config.sysctls, profile: &self.config.profile }
    }
}

/// The tuple that a packet's transport header gives (`nf_ct_get_tuple`); `None` where the header is too short.
fn tuple_of(src: IpAddr, dst: IpAddr, protocol: Protocol, transport: &[u8], profile: &Profile) -> Option<Tuple> {
    let has_ports = match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::UDPLITE | Protocol::SCTP => true,
        Protocol::DCCP => profile.tracks_dccp,
        _ => false,
    };
    let (sport, dport) = match protocol {
        _ if has_ports => {
            let &[a, b, c, d] = transport.first_chunk()?;
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        Protocol::ICMP | Protocol::ICMPV6 => {
            let &[kind, code, _, _, high, low, ..] = transport.first_chunk::<8>()?;
            (u16::from_be_bytes([high, low]), u16::from_be_bytes([kind, code]))
        }
        Protocol::GRE => gre::keys(transport)?,
        _ => (0, 0),
    };
    Some(Tuple { src, dst, sport, dport, protocol })
}

/// What a helper reads, and for TCP the sequence number of its first byte. A UDP payload ends with the datagram,
/// whatever the UDP header says: so the kernel's helpers see it.
fn payload(protocol: Protocol, transport: &[u8]) -> Option<(u32, &[u8])> {
    match protocol {
        Protocol::TCP => {
            let &[_, _, _, _, a, b, c, d, _, _, _, _, offset, ..] = transport.first_chunk::<20>()?;
            Some((u32::from_be_bytes([a, b, c, d]), transport.get(usize::from(offset >> 4) * 4..)?))
        }
        Protocol::UDP => Some((0, transport.get(8..)?)),
        _ => None,
    }
}
