//! Shows what happens to the catalogue's functions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Entry, Evidence, Finding, Matcher, all};
use crate::conntrack::Step;
use crate::conntrack::event::{Closed, ConntrackId, ConntrackRecord, Event, ExpectationRecord};
use crate::dialogue::{Dialogue, Heard, Summaries};
use crate::helper::Modules;
use crate::packet::Packet;
use crate::replay::{Arrival, Passage};
use crate::service::Service;
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

/// Listens to the control connections and looks for what the catalogue knows.
pub struct Watch {
    /// Since the caller last emptied it.
    pub findings: Vec<Finding>,
    /// What the control connections to each service carried.
    pub summaries: Summaries,
    /// Control connections alive.
    dialogues: HashMap<ConntrackId, Dialogue>,
    /// Expectations alive, by where they lead.
    open: HashMap<(IpAddr, u16, Protocol), Vec<Arc<ExpectationRecord>>>,
    /// From a helper's name to rules to its kind.
    kinds: HashMap<&'static str, &'static str>,
    /// By kind of helper, the entries that it is asked.
    asked: HashMap<&'static str, Arc<[&'static Entry]>>,
}

impl Watch {
    pub fn new(modules: &Modules) -> Self {
        let kinds: HashMap<_, _> = modules
            .registered()
            .iter()
            .map(|helper| (helper.name, helper.spec.called()))
            .collect();
        let of = |kind: &str| {
            let concerns =
                |entry: &&Entry| entry.helpers.is_empty() || entry.helpers.contains(&kind);
            all().filter(concerns).collect()
        };
        Self {
            findings: Vec::new(),
            summaries: Summaries::default(),
            dialogues: HashMap::new(),
            open: HashMap::new(),
            asked: kinds.values().map(|&kind| (kind, of(kind))).collect(),
            kinds,
        }
    }

    /// Takes in one frame. Most of them are of no interest.
    #[inline]
    pub fn observe(&mut self, passage: &Passage<'_>) {
        match &passage.arrival {
            Arrival::Other => {}
            Arrival::Unseen(_, step) => self.events(passage, step),
            Arrival::Packet(packet, step) => {
                let of_interest = step.verdict.attached
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
        for late in step.late {
            self.event(passage, &late.event);
        }
        // A control connection is told of with its first packet.
        for event in step.events {
            if let Event::ConntrackNew(record) = event {
                self.begin(record);
                self.guests(passage, record);
            }
        }
        if packet.fragmented {
            self.ask_all(passage, None, |entry| match entry.matcher {
                Matcher::Fragmented(shows) => shows(packet),
                _ => None,
            });
        }
        let spoken = step.verdict.conntrack.zip(step.verdict.direction);
        if let Some((id, direction)) = spoken.filter(|_| step.verdict.attached)
            && let Some(mut dialogue) = self.dialogues.remove(&id)
        {
            if let Some(heard) = dialogue.listen(passage, packet, direction) {
                self.message(&mut dialogue, &heard, step);
                self.summaries.heard(&dialogue, heard.packet);
            }
            self.dialogues.insert(id, dialogue);
        }
        for event in step.events {
            self.event(passage, event);
        }
    }

    /// Asks about one message, then remembers it.
    fn message(&mut self, dialogue: &mut Dialogue, heard: &Heard<'_>, step: &Step<'_>) {
        let entries = self.entries(dialogue);
        let mut found = Vec::new();
        for entry in entries.iter() {
            match entry.matcher {
                Matcher::Message(shows) => {
                    found.extend(shows(dialogue, heard).map(|e| (*entry, e)))
                }
                Matcher::Expected(shows) => {
                    let made = step.events.iter().filter_map(|event| match event {
                        Event::ExpectationNew(record) => shows(dialogue, heard, record),
                        _ => None,
                    });
                    found.extend(made.map(|evidence| (*entry, evidence)));
                }
                Matcher::Renewed(shows) => {
                    let renewed = step.events.iter().filter_map(|event| match event {
                        Event::ExpectationRenewed {
                            expectation,
                            timeout,
                        } => shows(dialogue, heard, expectation, *timeout),
                        _ => None,
                    });
                    found.extend(renewed.map(|evidence| (*entry, evidence)));
                }
                Matcher::Declined(shows) => {
                    let declined = step.events.iter().filter_map(|event| match event {
                        Event::Declined { reason, bytes, .. } => {
                            shows(dialogue, heard, reason, bytes)
                        }
                        Event::Refused { reason, .. } => {
                            shows(dialogue, heard, reason, &(0..heard.payload.len()))
                        }
                        _ => None,
                    });
                    found.extend(declined.map(|evidence| (*entry, evidence)));
                }
                _ => {}
            }
        }
        for line in &heard.lines {
            for entry in entries.iter() {
                if let Matcher::Line(shows) = entry.matcher {
                    found.extend(shows(dialogue, heard, line).map(|evidence| (*entry, evidence)));
                }
            }
            dialogue.remember(heard, line);
        }
        dialogue.hear(heard);
        for (entry, evidence) in found {
            let concerned = Some(Concerned::talk(dialogue));
            self.note(entry, heard.packet, heard.at, concerned, evidence);
        }
    }

    fn event(&mut self, passage: &Passage<'_>, event: &Event) {
        match event {
            Event::ExpectationNew(record) => {
                if let Some(dialogue) = self.dialogues.get_mut(&record.master_id) {
                    dialogue.tally.made += 1;
                }
                let open = self.open.entry(leads_to(record)).or_default();
                open.push(Arc::clone(record));
            }
            Event::ExpectationDestroy {
                expectation, why, ..
            } => self.closed(passage, expectation, *why),
            Event::ConntrackNew(record) if record.expectation.is_none() => {
                self.summaries.flow(record);
                self.strangers(passage, record);
            }
            Event::ConntrackDestroy(record, _) => {
                if let Some(dialogue) = self.dialogues.remove(&record.id) {
                    self.summaries.ended(&dialogue);
                }
            }
            _ => {}
        }
    }

    /// The capture is over: what is alive is summed as well.
    pub fn finish(&mut self) {
        for (_, dialogue) in self.dialogues.drain() {
            self.summaries.ended(&dialogue);
        }
    }

    fn events(&mut self, passage: &Passage<'_>, step: &Step<'_>) {
        let late = step.late.iter().map(|late| &late.event);
        for event in late.chain(step.events) {
            self.event(passage, event);
        }
    }

    fn begin(&mut self, record: &ConntrackRecord) {
        let Some(helper) = record.helper else { return };
        let kind = self.kinds.get(helper).copied().unwrap_or(helper);
        let dialogue = Dialogue::new(record, helper, kind);
        self.dialogues.insert(record.id, dialogue);
    }

    fn closed(&mut self, passage: &Passage<'_>, record: &Arc<ExpectationRecord>, why: Closed) {
        let place = leads_to(record);
        if let Some(open) = self.open.get_mut(&place) {
            open.retain(|other| other.id != record.id);
            if open.is_empty() {
                self.open.remove(&place);
            }
        }
        let Some(mut dialogue) = self.dialogues.remove(&record.master_id) else {
            return;
        };
        dialogue.tally.close(why);
        let concerned = Some(Concerned::talk(&dialogue));
        for entry in self.entries(&dialogue).iter() {
            if let Matcher::Closed(shows) = entry.matcher
                && let Some(evidence) = shows(&dialogue, record, why)
            {
                self.note(entry, passage.number, passage.at, concerned, evidence);
            }
        }
        self.dialogues.insert(record.master_id, dialogue);
    }

    /// Somebody came whom an expectation lets in. The events that close it are still to be looked at.
    fn guests(&mut self, passage: &Passage<'_>, record: &ConntrackRecord) {
        let to = &record.original;
        let Some(open) = self.open.get(&(to.dst, to.dport, to.protocol)) else {
            return;
        };
        let expected = open.iter().find(|open| Some(open.id) == record.expectation);
        if let Some(expected) = expected.cloned() {
            let concerned = Some(Concerned::expected(&expected));
            self.ask_all(passage, concerned, |entry| match entry.matcher {
                Matcher::Guest(shows) => shows(&expected, record),
                _ => None,
            });
        }
    }

    /// Somebody came to where an expectation leads whom it does not let in.
    fn strangers(&mut self, passage: &Passage<'_>, record: &ConntrackRecord) {
        let to = &record.original;
        let Some(open) = self.open.get(&(to.dst, to.dport, to.protocol)) else {
            return;
        };
        for expected in open.clone() {
            self.summaries.stranger(&expected, record);
            let concerned = Some(Concerned::expected(&expected));
            self.ask_all(passage, concerned, |entry| match entry.matcher {
                Matcher::Stranger(shows) => shows(&expected, record),
                _ => None,
            });
        }
    }

    fn ask_all(
        &mut self,
        passage: &Passage<'_>,
        concerned: Option<Concerned>,
        shows: impl Fn(&Entry) -> Option<Evidence>,
    ) {
        let kind = concerned.and_then(|flow| self.kinds.get(flow.helper).copied());
        for entry in all() {
            let concerns = |kind| entry.helpers.is_empty() || entry.helpers.contains(&kind);
            if kind.is_none_or(concerns)
                && let Some(evidence) = shows(entry)
            {
                self.note(entry, passage.number, passage.at, concerned, evidence);
            }
        }
    }

    fn entries(&self, dialogue: &Dialogue) -> Arc<[&'static Entry]> {
        let kind = self.kinds.get(dialogue.helper);
        let entries = kind.and_then(|kind| self.asked.get(kind));
        entries.map_or_else(|| Arc::from([]), Arc::clone)
    }

    fn note(
        &mut self,
        entry: &'static Entry,
        frame: u64,
        at: Timestamp,
        concerned: Option<Concerned>,
        evidence: Evidence,
    ) {
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

/// The control connection that something is found on.
#[derive(Clone, Copy, Debug)]
struct Concerned {
    /// Its own helper, which it may have inherited.
    helper: &'static str,
    service: Service,
    tuple: Tuple,
}

impl Concerned {
    fn talk(dialogue: &Dialogue) -> Self {
        Self {
            helper: dialogue.helper,
            service: dialogue.service,
            tuple: dialogue.original,
        }
    }

    fn expected(record: &ExpectationRecord) -> Self {
        Self {
            helper: record.helper,
            service: Service::of(&record.root),
            tuple: record.master,
        }
    }
}

/// Where an expectation leads.
fn leads_to(record: &ExpectationRecord) -> (IpAddr, u16, Protocol) {
    let expectation = &record.expectation;
    (
        expectation.dst_addr.value,
        expectation.dst_port.value,
        expectation.protocol,
    )
}
