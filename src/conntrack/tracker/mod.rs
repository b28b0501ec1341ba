//! The way of a packet through the hooks, step by step.

mod ahead;
mod examine;
mod expecting;
mod helped;
mod queue;

use std::collections::BTreeMap;
use std::time::Duration;

pub use ahead::WARMED_UP;

use crate::conntrack::config::{Config, Sysctl};
use crate::conntrack::entry::{Cached, Conntrack, Outcome};
use crate::conntrack::event::{Closed, ConntrackId, ConntrackRecord, Ended, Event, Status};
use crate::conntrack::examined::Notes;
use crate::conntrack::expect::Expectations;
use crate::conntrack::table::Table;
use crate::conntrack::{
    Context, Info, Late, Reason, State, Step, Verdict, dccp, gre, icmp, sctp, tcp, udp,
};
use crate::helper::{self, Policy, Registered};
use crate::kernel::{Behaviour, Kernel};
use crate::packet::route::{self, Exit, Fate};
use crate::packet::{Packet, Unseen, ip};
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};

/// The simulated conntrack of one firewall.
pub struct Tracker {
    config: Config,
    policies: BTreeMap<&'static str, Vec<Policy>>,
    table: Table,
    expectations: Expectations,
    gre_keys: gre::Keymap,
    now: Timestamp,
    conntracks: u64,
    expected: u64,
    /// Of the flows that were still open at the end, those in slots before this one were told.
    told: u32,
    late: Vec<Late>,
    events: Vec<Event>,
    /// While a packet is examined.
    notes: Option<Notes>,
}

/// Events of one step at the end of the capture, about.
const TOLD_AT_ONCE: usize = 1024;

/// What PREROUTING made of a packet.
#[derive(Debug)]
enum Tracked {
    /// It belongs to the entry in this slot.
    Flow {
        slot: u32,
        info: Info,
    },
    /// It is an ICMP error about a packet of that entry, and goes this way.
    Error {
        slot: u32,
        direction: Direction,
    },
    Untracked,
    Invalid(Reason),
    /// INVALID, by the word of a flow that a helper reads or an expectation let in.
    Stray(Reason),
    Dropped(Reason),
}

/// A packet that has come as far as the rules of PREROUTING.
#[derive(Debug)]
#[must_use = "it leaves, or is discarded"]
pub struct Entered {
    tracked: Tracked,
    /// What routing makes of it.
    pub fate: Fate,
    /// As rules see it. What it meets on its way out is added later.
    pub verdict: Verdict,
}

impl Entered {
    /// Conntrack itself dropped it: no rule sees it.
    pub fn is_dropped(&self) -> bool {
        matches!(self.tracked, Tracked::Dropped(_))
    }
}

impl Tracker {
    /// With empty tables, before the first packet.
    pub fn new(config: Config) -> Self {
        let policies = helper::all()
            .map(|spec| (spec.name, config.modules.policies(spec)))
            .collect();
        Self {
            config,
            policies,
            table: Table::default(),
            expectations: Expectations::default(),
            gre_keys: gre::Keymap::default(),
            now: Timestamp::default(),
            conntracks: 0,
            expected: 0,
            told: 0,
            late: Vec::new(),
            events: Vec::new(),
            notes: None,
        }
    }

    /// As it was set up.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Conntracks alive.
    pub fn conntracks(&self) -> usize {
        self.table.len()
    }

    /// Conntracks that were alive at once, at the most.
    pub fn most_conntracks(&self) -> usize {
        self.table.most()
    }

    /// Everything that happens, happens here: timers due at `at` first, then the packet.
    ///
    /// The clock does not run backwards: an earlier `at` counts as the latest one before it. Helpers are attached as
    /// the configuration says, and no rule drops anything.
    pub fn packet(&mut self, at: Timestamp, packet: &Packet<'_>) -> Step<'_> {
        let mut entered = self.enter(at, packet, true);
        self.attach_configured(&mut entered, packet);
        self.leave(entered, packet)
    }

    /// What routing will make of it.
    pub fn fate(&self, packet: &Packet<'_>) -> Fate {
        route::fate(packet, &self.config.local)
    }

    /// The way in: timers due at `at`, then PREROUTING up to where rules see the verdict. What comes back goes to
    /// `leave` or to `discard` before the next packet enters. `tracks` is off for what a rule said `notrack` of.
    pub fn enter(&mut self, at: Timestamp, packet: &Packet<'_>, tracks: bool) -> Entered {
        self.advance(at);
        let fate = self.fate(packet);
        let mut verdict = Verdict::none(None);
        verdict.dropped = fate.leaves().map(|leaves| !leaves);
        verdict.reason = (fate == Fate::Discarded).then_some(Reason::Martian);
        let tracked = match tracks {
            true => self.track(packet),
            false => Tracked::Untracked,
        };
        match &tracked {
            Tracked::Flow { slot, info } => self.describe(*slot, *info, &mut verdict),
            Tracked::Error { slot, direction } => {
                let state = State::Related;
                let direction = *direction;
                self.describe(*slot, Info { state, direction }, &mut verdict);
            }
            Tracked::Untracked => verdict.state = State::Untracked,
            Tracked::Invalid(reason) | Tracked::Stray(reason) => {
                verdict.state = State::Invalid;
                verdict.reason = Some(*reason);
                verdict.stray = matches!(tracked, Tracked::Stray(_));
            }
            Tracked::Dropped(reason) => {
                verdict.dropped = Some(true);
                verdict.reason = Some(*reason);
            }
        }
        Entered {
            tracked,
            fate,
            verdict,
        }
    }

    /// Of a packet on its way, the status bits of its flow.
    pub fn status(&self, entered: &Entered) -> Status {
        let (Tracked::Flow { slot, .. } | Tracked::Error { slot, .. }) = entered.tracked else {
            return Status::default();
        };
        self.table
            .get(slot)
            .map_or_else(Status::default, |ct| ct.status)
    }

    /// `ct helper set`: to a flow that is not confirmed, once (`nft_ct_helper_obj_eval`).
    pub fn attach(&mut self, entered: &mut Entered, helper: &Registered) {
        let Tracked::Flow { slot, .. } = entered.tracked else {
            return;
        };
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
        if ct.status.has(Status::CONFIRMED) || ct.status.has(Status::HELPER) || ct.help().is_some()
        {
            return;
        }
        ct.status.set(Status::HELPER);
        let help = self.start(helper);
        if let Some(ct) = self.table.get_mut(slot) {
            ct.attach(help);
        }
        entered.verdict.attached = true;
    }

    /// The way out: the helper reads the packet, and a new flow enters the table.
    pub fn leave(&mut self, entered: Entered, packet: &Packet<'_>) -> Step<'_> {
        let Entered {
            tracked,
            fate,
            mut verdict,
        } = entered;
        match tracked {
            Tracked::Flow { slot, info } => self.flow(packet, fate, slot, info, &mut verdict),
            Tracked::Error { slot, direction } => {
                self.error(packet, fate, slot, direction, &mut verdict);
            }
            Tracked::Untracked | Tracked::Invalid(_) | Tracked::Stray(_) | Tracked::Dropped(_) => {}
        }
        self.step(verdict)
    }

    /// A rule dropped the packet before conntrack saw it.
    pub fn drop_early(&mut self, at: Timestamp) -> Step<'_> {
        self.advance(at);
        self.step(Verdict::none(Some(Reason::Rule)))
    }

    /// A rule dropped the packet: no helper reads it, and a new flow is forgotten. What its protocol made of it stands.
    pub fn discard(&mut self, entered: Entered) -> Step<'_> {
        let mut verdict = entered.verdict;
        if let Tracked::Flow { slot, .. } = entered.tracked {
            self.put(slot);
        }
        verdict.refuse(Reason::Rule);
        self.step(verdict)
    }

    fn step(&self, verdict: Verdict) -> Step<'_> {
        Step {
            verdict,
            late: &self.late,
            events: &self.events,
        }
    }

    /// Hands over what the last step told, whose slices are empty then.
    #[inline]
    pub fn tell(&mut self, late: &mut Vec<Late>, events: &mut Vec<Event>) {
        if !self.late.is_empty() {
            late.append(&mut self.late);
        }
        if !self.events.is_empty() {
            events.append(&mut self.events);
        }
    }

    /// A packet that never comes to the rules. Time passes all the same.
    pub fn unseen(&mut self, at: Timestamp, why: Unseen) -> Step<'_> {
        self.advance(at);
        self.step(Verdict::none(Some(Reason::Unseen(why))))
    }

    /// The end of the capture: what is still open is told as such, a few flows at a time, and `None` when all of it was.
    pub fn finish(&mut self, at: Timestamp) -> Option<Step<'_>> {
        self.advance(at);
        while self.late.len() < TOLD_AT_ONCE
            && let Some(slot) = self.table.next_occupied(self.told)
        {
            self.told = slot;
            self.remove_expectations(slot, Closed::StillOpen);
            if let Some(ct) = self.table.release(slot) {
                let record = ct.record(self.now);
                self.events
                    .push(Event::ConntrackDestroy(record, Ended::StillOpen));
            }
            self.became_late();
        }
        (!self.late.is_empty()).then_some(self.step(Verdict::none(None)))
    }

    /// Everything that times out until then, in its order.
    pub fn advance(&mut self, at: Timestamp) {
        self.late.clear();
        self.events.clear();
        let target = at.max(self.now);
        // Kernels count time in ticks, and a time-out of so many ticks is over when the count has moved so far: up to a
        // tick early, as packets fall between the ticks. Half a tick is the mean.
        let reach = target + Kernel::TICK / 2;
        loop {
            let conntrack = self.table.next_due(reach);
            let expectation = self.expectations.next_due(reach);
            match (conntrack, expectation) {
                (Some((due, slot)), other) if other.is_none_or(|(later, _)| due <= later) => {
                    self.now = due.min(target);
                    self.end(slot, Ended::TimedOut);
                    self.free(slot);
                }
                (_, Some((due, slot))) => {
                    self.now = due.min(target);
                    self.time_out(slot);
                }
                _ => break,
            }
            self.became_late();
        }
        self.now = target;
    }

    /// What time ended is told apart from what the packet does.
    fn became_late(&mut self) {
        let at = self.now;
        self.late
            .extend(self.events.drain(..).map(|event| Late { at, event }));
    }

    /// `nf_conntrack_in`
    fn track(&mut self, packet: &Packet<'_>) -> Tracked {
        let Some((protocol, _)) = packet.transport else {
            return Tracked::Invalid(Reason::NoTransport);
        };
        let [icmpv4, icmpv6] = [Protocol::ICMP, Protocol::ICMPV6];
        if protocol == (if packet.src.is_ipv4() { icmpv4 } else { icmpv6 }) {
            match icmp::kind(protocol, packet, &self.context()) {
                icmp::Kind::Query => {}
                icmp::Kind::Error(quoted) => return self.related(packet, &quoted),
                icmp::Kind::Untracked => return Tracked::Untracked,
                icmp::Kind::Invalid(reason) => return Tracked::Invalid(reason),
            }
        }
        let transport = packet.transport_bytes();
        let Some((tuple, hash)) = self.key(packet) else {
            return Tracked::Invalid(Reason::NoTuple);
        };
        loop {
            let (slot, info) = match self.resolve(&tuple, hash, packet) {
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
                    let ct = self.table.get(slot);
                    let strays = ct.is_some_and(|ct| ct.help().is_some() || ct.related().is_some());
                    self.put(slot);
                    return match strays {
                        true => Tracked::Stray(reason),
                        false => Tracked::Invalid(reason),
                    };
                }
                Outcome::Drop(reason) => {
                    self.put(slot);
                    return Tracked::Dropped(reason);
                }
                Outcome::Reopen => {
                    self.end(slot, Ended::Reopened);
                    self.put(slot);
                }
            }
        }
    }

    /// The entry of this tuple, made where there is none (`resolve_normal_ct`, `init_conntrack`).
    fn resolve(
        &mut self,
        tuple: &Tuple,
        hash: u64,
        packet: &Packet<'_>,
    ) -> Result<(u32, Info), Tracked> {
        if let Some((slot, direction)) = self.table.find_hashed(tuple, hash) {
            let status = self
                .table
                .get(slot)
                .map_or_else(Status::default, |ct| ct.status);
            let state = match direction {
                Direction::Reply => State::Established,
                Direction::Original if status.has(Status::SEEN_REPLY) => State::Established,
                Direction::Original if status.has(Status::EXPECTED) => State::Related,
                Direction::Original => State::New,
            };
            return Ok((slot, Info { state, direction }));
        }
        if tuple.inverse().is_none() {
            return Err(Tracked::Invalid(Reason::NotInvertible));
        }
        let max = self.config.sysctls.get(Sysctl::Max);
        let limited = max != 0 || !self.config.kernel.does(Behaviour::NoMaxIsNoLimit);
        if limited && self.table.len() as u64 >= max {
            let Some(slot) = self.table.droppable(tuple) else {
                return Err(Tracked::Dropped(Reason::TableFull));
            };
            self.end(slot, Ended::EarlyDrop);
            self.put(slot);
        }
        let expected = self.take_expectation(tuple, packet.number);
        self.conntracks += 1;
        let id = ConntrackId(self.conntracks);
        let mut ct = Conntrack::new(id, *tuple, packet, self.now);
        let mut state = State::New;
        if let Some(record) = expected {
            state = State::Related;
            ct.status.set(Status::EXPECTED);
            let (related, inherited) = self.inherit(&record);
            ct.relate(related);
            if let Some(help) = inherited {
                if self.config.kernel.does(Behaviour::HelperStatusInherited) {
                    ct.status.set(Status::HELPER);
                }
                ct.attach(help);
            }
        }
        let slot = self.table.hold(ct);
        Ok((
            slot,
            Info {
                state,
                direction: Direction::Original,
            },
        ))
    }

    /// The protocol's tracker (`nf_conntrack_handle_packet`).
    fn judge(&mut self, slot: u32, info: Info, transport: &[u8]) -> Outcome {
        let context = Context {
            now: self.now,
            sysctls: &self.config.sysctls,
            kernel: &self.config.kernel,
            gre_keys: &self.gre_keys,
            notes: self.notes.as_ref(),
        };
        let Some(ct) = self.table.get_mut(slot) else {
            return Outcome::Invalid(Reason::NoTuple);
        };
        match ct.original.protocol {
            Protocol::TCP => tcp::packet(ct, info, transport, &context),
            Protocol::UDP => udp::packet(ct, transport, &context),
            Protocol::UDPLITE if context.kernel.does(Behaviour::TracksUdpLite) => {
                udp::lite_packet(ct, transport, &context)
            }
            Protocol::ICMP | Protocol::ICMPV6 => icmp::packet(ct, &context),
            Protocol::SCTP => sctp::packet(ct, info, transport, &context),
            Protocol::DCCP if context.kernel.does(Behaviour::TracksDccp) => {
                dccp::packet(ct, info, transport, &context)
            }
            Protocol::GRE => gre::packet(ct, &context),
            _ => Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GenericTimeout))),
        }
    }

    /// What every packet of a flow does to it.
    fn accept(&mut self, slot: u32, info: Info, packet: &Packet<'_>, timeout: Option<Duration>) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
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
        let Some(inverse) = quoted.inverse() else {
            return Tracked::Invalid(Reason::IcmpQuote);
        };
        let Some((slot, direction)) = self.table.find(&inverse) else {
            return Tracked::Invalid(Reason::IcmpUnknownFlow);
        };
        if inverse.dst != packet.dst {
            return Tracked::Invalid(Reason::IcmpForeign);
        }
        Tracked::Error { slot, direction }
    }

    /// From the rules to the way out: the helper reads the packet, and the flow enters the table (`nf_confirm`).
    fn flow(
        &mut self,
        packet: &Packet<'_>,
        fate: Fate,
        slot: u32,
        info: Info,
        verdict: &mut Verdict,
    ) {
        for exit in self.exits(slot, fate) {
            match self.help(slot, info, packet, fate, *exit) {
                Ok(()) => self.confirm(slot),
                Err(reason) => verdict.refuse(reason),
            }
        }
        self.put(slot);
    }

    /// An error in the original direction is shown to the helper as if it were a packet of the flow (`nf_confirm`
    /// spares it those in the reply direction alone): those of UDP read the quoted IP header. To sip it is a reason to
    /// keep the flow; a request or a message it never looks like, unless somebody forged it.
    fn error(
        &mut self,
        packet: &Packet<'_>,
        fate: Fate,
        slot: u32,
        direction: Direction,
        verdict: &mut Verdict,
    ) {
        let state = State::Related;
        let info = Info { state, direction };
        if fate == Fate::Discarded {
            return;
        }
        let helped = match direction {
            Direction::Original => self.help(slot, info, packet, fate, Exit::Own),
            Direction::Reply => Ok(()),
        };
        match helped {
            Ok(()) => self.deliver(slot),
            Err(reason) => verdict.refuse(reason),
        }
    }

    fn describe(&self, slot: u32, info: Info, verdict: &mut Verdict) {
        verdict.state = info.state;
        verdict.direction = Some(info.direction);
        if let Some(ct) = self.table.get(slot) {
            verdict.helper = ct.related().map(|related| related.helper);
            verdict.attached = ct.help().is_some();
            verdict.conntrack = Some(ct.id);
            let nth = ct.life.packets[info.direction.index()];
            verdict.nth = u32::try_from(nth).unwrap_or(u32::MAX);
        }
    }

    /// Attaches what the configuration says.
    #[inline]
    pub fn attach_configured(&mut self, entered: &mut Entered, packet: &Packet<'_>) {
        if let Some(helper) = self.configured(entered, packet) {
            self.attach(entered, &helper);
        }
    }

    /// The helper of `ct state new PROTOCOL dport PORT ct helper set NAME`.
    fn configured(&self, entered: &Entered, packet: &Packet<'_>) -> Option<Registered> {
        let Tracked::Flow { slot, info } = entered.tracked else {
            return None;
        };
        if info.state != State::New {
            return None;
        }
        let ct = self.table.get(slot)?;
        if ct.status.has(Status::CONFIRMED) {
            return None;
        }
        let Tuple {
            protocol, dport, ..
        } = ct.original;
        let ipv6 = ct.original.is_ipv6();
        let mut assignments = self.config.assignments.iter();
        let assignment = assignments.find(|assignment| {
            assignment.protocol == protocol
                && assignment.port == dport
                && assignment.helper.spec.reads(protocol, ipv6)
        })?;
        let in_rules = ip::protocol_in_rules(packet.datagram);
        (in_rules == Some(protocol.0)).then_some(assignment.helper)
    }

    /// `__nf_conntrack_confirm`, then what there is to tell.
    fn confirm(&mut self, slot: u32) {
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
        if ct.status.set(Status::CONFIRMED) {
            let kind = if ct.related().is_some() {
                Cached::RELATED
            } else {
                Cached::NEW
            };
            ct.cached.set(kind);
            self.table.link(slot);
        }
        self.deliver(slot);
    }

    /// `nf_ct_deliver_cached_events`: ctnetlink is told of changes when a packet of the flow leaves.
    fn deliver(&mut self, slot: u32) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
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
        self.events.push(if is_new {
            Event::ConntrackNew(record)
        } else {
            Event::ConntrackUpdate(record)
        });
    }

    /// Takes an entry out of the table, with what it expects (`nf_ct_delete`). It stays in its slot until nothing
    /// refers to it.
    fn end(&mut self, slot: u32, why: Ended) {
        let now = self.now;
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
        ct.status.set(Status::DYING);
        let record = ct.record(now);
        self.events.push(Event::ConntrackDestroy(record, why));
        self.dismiss_helper(slot);
        self.table.unlink(slot);
        self.remove_expectations(slot, Closed::MasterGone);
    }

    /// The packet lets go of the entry: one that is not in the table goes with it, and what it expected meanwhile
    /// (`nf_ct_put`, `nf_ct_destroy`).
    fn put(&mut self, slot: u32) {
        let Some(ct) = self.table.get(slot) else {
            return;
        };
        if ct.status.has(Status::DYING) || !ct.status.has(Status::CONFIRMED) {
            self.remove_expectations(slot, Closed::MasterGone);
            self.free(slot);
        } else {
            self.table.hasten(slot);
        }
    }

    /// Nothing refers to the entry any more (`nf_ct_destroy`). The first GRE flow of a call that goes takes the call's
    /// keys with it (`destroy_gre_conntrack`).
    fn free(&mut self, slot: u32) {
        let Some(ct) = self.table.release(slot) else {
            return;
        };
        if ct.original.protocol == Protocol::GRE
            && let Some(related) = ct.related()
        {
            self.gre_keys.remove(related.master_id);
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            now: self.now,
            sysctls: &self.config.sysctls,
            kernel: &self.config.kernel,
            gre_keys: &self.gre_keys,
            notes: self.notes.as_ref(),
        }
    }
}
