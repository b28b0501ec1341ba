//! Shows what happens to the catalogue's functions.

use std::sync::Arc;

use hashbrown::HashMap;

use super::concerned::Concerned;
use super::controls::Controls;
use super::holes::Holes;
use super::{Entry, Evidence, Finding, Matcher, Strain, all};
use crate::conntrack::config::{Config, Sysctl};
use crate::conntrack::event::{Closed, ConntrackRecord, Ended, Event, ExpectationRecord};
use crate::conntrack::{Reason, State, Step};
use crate::dialogue::{Dialogue, Heard, Summaries};
use crate::packet::Packet;
use crate::replay::{Arrival, Passage};
use crate::time::Timestamp;
use crate::tuple::Protocol;

/// Listens to the control connections and looks for what the catalogue knows.
pub struct Watch {
    /// Since the caller last emptied it.
    pub findings: Vec<Finding>,
    /// What the control connections to each service carried.
    pub summaries: Summaries,
    controls: Controls,
    holes: Holes,
    /// The table of conntracks was full once.
    was_full: bool,
    /// How many expectations the table holds.
    room: u64,
    /// By kind of helper, the entries that it is asked.
    asked: HashMap<&'static str, Arc<[&'static Entry]>>,
}

impl Watch {
    /// For a firewall that is set up so.
    pub fn new(config: &Config) -> Self {
        let controls = Controls::new(config);
        let registered = config.modules.registered().iter();
        let kinds = registered.map(|helper| helper.spec.called());
        let of = |kind| all().filter(|entry| entry.concerns(kind)).collect();
        Self {
            findings: Vec::new(),
            summaries: Summaries::default(),
            controls,
            holes: Holes::default(),
            was_full: false,
            room: config.sysctls.get(Sysctl::ExpectMax),
            asked: kinds.map(|kind| (kind, of(kind))).collect(),
        }
    }

    /// Takes in one frame. Most of them are of no interest.
    #[inline]
    pub fn observe(&mut self, passage: &Passage<'_>) {
        match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => {}
            Arrival::Unseen(_, step) => self.late(passage, step),
            Arrival::Packet(packet, step) => {
                let of_interest = step.verdict.attached
                    || step.verdict.reason.is_some()
                    || !step.late.is_empty()
                    || !step.events.is_empty()
                    || packet.fragmented;
                if of_interest {
                    self.packet(passage, packet, step);
                }
            }
        }
    }

    fn packet(&mut self, passage: &Passage<'_>, packet: &Packet<'_>, step: &Step<'_>) {
        self.late(passage, step);
        // A control connection is told of with its first packet.
        for event in step.events {
            if let Event::ConntrackNew(record) = event {
                self.controls.begin(record);
                self.summaries.begun(record);
                self.guests(passage, record);
            }
        }
        if packet.fragmented {
            self.ask_all(passage, None, |entry| match entry.matcher {
                Matcher::Fragmented(shows) => shows(packet),
                _ => None,
            });
        }
        self.control(passage, packet, step);
        match step.verdict.reason {
            Some(Reason::TableFull) => self.table_full(passage),
            Some(reason) if step.verdict.state == State::Invalid => {
                self.invalid(passage, packet, reason);
            }
            _ => {}
        }
        self.events(passage, step.events.iter().map(|event| (passage.at, event)));
    }

    /// A packet of a control connection.
    fn control(&mut self, passage: &Passage<'_>, packet: &Packet<'_>, step: &Step<'_>) {
        let spoken = step.verdict.conntrack.zip(step.verdict.direction);
        let Some((id, direction)) = spoken.filter(|_| step.verdict.attached) else {
            return;
        };
        let listed = self.controls.take(id);
        let is_listed = listed.is_some();
        let Some(mut dialogue) = listed.or_else(|| self.refused(passage, step)) else {
            return;
        };
        if let Some(heard) = dialogue.listen(passage, packet, direction) {
            self.message(&mut dialogue, &heard, step);
            if is_listed {
                self.summaries.heard(&dialogue, heard.packet);
            }
        }
        if is_reset(packet) {
            self.ask(passage, passage.at, &dialogue, |entry| {
                match entry.matcher {
                    Matcher::Reset(shows) => shows(&dialogue, direction),
                    _ => None,
                }
            });
        }
        if is_listed {
            self.controls.put_back(id, dialogue);
        }
    }

    /// Asks about one message, then remembers it.
    fn message(&mut self, dialogue: &mut Dialogue, heard: &Heard<'_>, step: &Step<'_>) {
        let entries = self.entries(dialogue);
        let mut found = Vec::new();
        for &entry in entries.iter() {
            if let Matcher::Message(shows) = entry.matcher {
                found.extend(shows(dialogue, heard).map(|evidence| (entry, evidence)));
            }
            let events = step.events.iter();
            let shown = events.filter_map(|event| entry.consequence(dialogue, heard, event));
            found.extend(shown.map(|evidence| (entry, evidence)));
        }
        for line in &heard.lines {
            for &entry in entries.iter() {
                if let Matcher::Line(shows) = entry.matcher {
                    found.extend(shows(dialogue, heard, line).map(|evidence| (entry, evidence)));
                }
            }
            dialogue.remember(heard, line);
        }
        dialogue.hear(heard);
        // Several expectations of a message may show the same.
        found.dedup_by(|(one, what), (other, said)| one.id == other.id && what == said);
        for (entry, evidence) in found {
            let concerned = Some(Concerned::talk(dialogue));
            self.note(entry, heard.packet, heard.at, concerned, evidence);
        }
    }

    /// What time did since the packet before.
    fn late(&mut self, passage: &Passage<'_>, step: &Step<'_>) {
        let late = step.late.iter().map(|late| (late.at, &late.event));
        self.events(passage, late);
    }

    /// A control connection is told to end before its expectations are, and they need it.
    fn events<'e>(
        &mut self,
        passage: &Passage<'_>,
        events: impl Iterator<Item = (Timestamp, &'e Event)> + Clone,
    ) {
        for (at, event) in events.clone() {
            self.event(passage, at, event);
        }
        for (_, event) in events {
            if let Event::ConntrackDestroy(record, why) = event {
                if let Some(dialogue) = self.controls.end(record) {
                    self.summaries.ended(&dialogue);
                }
                if *why == Ended::EarlyDrop {
                    self.table_full(passage);
                }
            }
        }
    }

    fn event(&mut self, passage: &Passage<'_>, at: Timestamp, event: &Event) {
        match event {
            Event::ExpectationNew(record) => self.opened(passage, record),
            Event::ExpectationRenewed { expectation, .. } => self.holes.renew(expectation),
            Event::ExpectationDestroy {
                expectation, why, ..
            } => self.closed(passage, at, expectation, *why),
            Event::ConntrackNew(record) if record.expectation.is_none() => {
                self.summaries.flow(record);
                self.strangers(passage, record);
                self.latecomers(passage, at, record);
            }
            _ => {}
        }
    }

    /// A helper dropped the first packet of a flow, which never enters the table.
    fn refused(&self, passage: &Passage<'_>, step: &Step<'_>) -> Option<Box<Dialogue>> {
        let root = step.events.iter().find_map(|event| match event {
            Event::Refused { root, .. } => Some(*root),
            _ => None,
        });
        let root = root.filter(|_| step.verdict.state == State::New)?;
        Some(self.controls.unlisted(root, passage.number))
    }

    fn invalid(&mut self, passage: &Passage<'_>, packet: &Packet<'_>, reason: Reason) {
        let Some((direction, id, payload)) = self.controls.pretended(packet) else {
            return;
        };
        let Some(mut dialogue) = self.controls.take(id) else {
            return;
        };
        if !payload.is_empty() {
            self.ask(passage, passage.at, &dialogue, |entry| {
                match entry.matcher {
                    Matcher::Invalid(shows) => shows(&dialogue, direction, reason, payload),
                    _ => None,
                }
            });
        }
        dialogue.invalid += 1;
        self.controls.put_back(id, dialogue);
    }

    fn opened(&mut self, passage: &Passage<'_>, record: &Arc<ExpectationRecord>) {
        if let Some(mut dialogue) = self.controls.take(record.master_id) {
            dialogue.tally.made += 1;
            self.controls.put_back(record.master_id, dialogue);
        }
        if let Some(open) = self.holes.open(record) {
            let (client, room) = (record.root.tuple.src, self.room);
            let strain = Strain::Expectations { client, open, room };
            self.strain(passage, Some(Concerned::root(record)), strain);
        }
    }

    fn closed(
        &mut self,
        passage: &Passage<'_>,
        at: Timestamp,
        record: &Arc<ExpectationRecord>,
        why: Closed,
    ) {
        self.holes.close(record, why, at);
        let Some(mut dialogue) = self.controls.take(record.master_id) else {
            return;
        };
        dialogue.tally.close(why);
        self.ask(passage, at, &dialogue, |entry| match entry.matcher {
            Matcher::Closed(shows) => shows(&dialogue, record, why),
            _ => None,
        });
        self.controls.put_back(record.master_id, dialogue);
    }

    fn table_full(&mut self, passage: &Passage<'_>) {
        if !std::mem::replace(&mut self.was_full, true) {
            self.strain(passage, None, Strain::Conntracks);
        }
    }

    fn strain(&mut self, passage: &Passage<'_>, concerned: Option<Concerned>, strain: Strain) {
        self.ask_all(passage, concerned, |entry| match entry.matcher {
            Matcher::Strain(shows) => shows(&strain),
            _ => None,
        });
    }

    /// The capture is over: what is alive is summed as well.
    pub fn finish(&mut self) {
        for dialogue in self.controls.end_all() {
            self.summaries.ended(&dialogue);
        }
    }

    /// Somebody came whom an expectation lets in. The events that close it are still to be looked at.
    fn guests(&mut self, passage: &Passage<'_>, record: &ConntrackRecord) {
        let is_theirs = |hole: &&Arc<ExpectationRecord>| Some(hole.id) == record.expectation;
        let expected = self.holes.led_to(&record.original).find(is_theirs).cloned();
        if let Some(expected) = expected {
            let concerned = Some(Concerned::expected(&expected));
            self.ask_all(passage, concerned, |entry| match entry.matcher {
                Matcher::Guest(shows) => shows(&expected, record),
                _ => None,
            });
        }
    }

    /// Somebody came to where an expectation leads whom it does not let in.
    fn strangers(&mut self, passage: &Passage<'_>, record: &ConntrackRecord) {
        let holes = self.holes.led_to(&record.original);
        let others = holes.filter(|open| open.master_id != record.id);
        let newest: Vec<_> = others.take(ASKED_ABOUT).cloned().collect();
        for expected in newest {
            self.summaries.stranger(&expected, record);
            let concerned = Some(Concerned::expected(&expected));
            self.ask_all(passage, concerned, |entry| match entry.matcher {
                Matcher::Stranger(shows) => shows(&expected, record),
                _ => None,
            });
        }
    }

    /// Somebody came for an expectation that is no more.
    fn latecomers(&mut self, passage: &Passage<'_>, at: Timestamp, record: &ConntrackRecord) {
        let Some(past) = self.holes.missed(&record.original, at) else {
            return;
        };
        let (expected, why, after) = (Arc::clone(&past.record), past.why, at.since(past.at));
        let concerned = Some(Concerned::expected(&expected));
        self.ask_all(passage, concerned, |entry| match entry.matcher {
            Matcher::Late(shows) => shows(&expected, record, why, after),
            _ => None,
        });
    }

    fn ask_all(
        &mut self,
        passage: &Passage<'_>,
        concerned: Option<Concerned>,
        shows: impl Fn(&Entry) -> Option<Evidence>,
    ) {
        let kind = concerned.map(|flow| self.controls.kind_of(flow.helper));
        for entry in all() {
            if kind.is_none_or(|kind| entry.concerns(kind))
                && let Some(evidence) = shows(entry)
            {
                self.note(entry, passage.number, passage.at, concerned, evidence);
            }
        }
    }

    /// Asks the entries of a control connection.
    fn ask(
        &mut self,
        passage: &Passage<'_>,
        at: Timestamp,
        dialogue: &Dialogue,
        shows: impl Fn(&Entry) -> Option<Evidence>,
    ) {
        let concerned = Some(Concerned::talk(dialogue));
        for entry in self.entries(dialogue).iter() {
            if let Some(evidence) = shows(entry) {
                self.note(entry, passage.number, at, concerned, evidence);
            }
        }
    }

    fn entries(&self, dialogue: &Dialogue) -> Arc<[&'static Entry]> {
        self.asked.get(dialogue.kind).cloned().unwrap_or_default()
    }

    fn note(
        &mut self,
        entry: &'static Entry,
        frame: u64,
        at: Timestamp,
        concerned: Option<Concerned>,
        mut evidence: Evidence,
    ) {
        evidence.frames.retain(|&other| other != frame);
        self.findings.push(Finding {
            entry,
            frame,
            at,
            service: concerned.map(|flow| flow.service),
            flow: concerned.map(|flow| flow.tuple),
            evidence,
        });
    }
}

/// Expectations that lead to one place, of which a stranger who comes there is told.
const ASKED_ABOUT: usize = 8;

fn is_reset(packet: &Packet<'_>) -> bool {
    let is_tcp = packet
        .transport
        .is_some_and(|(protocol, _)| protocol == Protocol::TCP);
    let flags = packet.transport_bytes().get(13);
    is_tcp && flags.is_some_and(|flags| flags & RST != 0)
}

const RST: u8 = 0x04;
