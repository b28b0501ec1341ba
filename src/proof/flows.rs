//! The rules that a flow hangs on: its own, and those of the control connection that asked for it.

use hashbrown::HashMap;

use crate::conntrack::Step;
use crate::conntrack::event::{ConntrackId, Event};
use crate::expectation::ExpectationId;
use crate::ruleset::RuleId;

/// Flows alive that a helper reads, or that an expectation let in.
#[derive(Default)]
pub struct Flows {
    hang_on: HashMap<ConntrackId, Vec<RuleId>>,
    /// Whose expectations are alive.
    masters: HashMap<ExpectationId, ConntrackId>,
}

impl Flows {
    /// Takes in what a packet did, and the rules that it hangs on itself. What comes back are all that it hangs on.
    pub fn observe<'f>(&'f mut self, step: &Step<'_>, itself: &'f [RuleId]) -> &'f [RuleId] {
        let mut over = Vec::new();
        for event in step.late.iter().map(|late| &late.event).chain(step.events) {
            match event {
                Event::ConntrackNew(record) => {
                    let master = record.expectation.and_then(|id| self.masters.get(&id));
                    let inherited = master.and_then(|master| self.hang_on.get(master));
                    if record.helper.is_some() || inherited.is_some() {
                        let rules = inherited.cloned().unwrap_or_default();
                        self.hang_on.insert(record.id, rules);
                    }
                }
                Event::ConntrackDestroy(record, _) => {
                    self.hang_on.remove(&record.id);
                }
                Event::ExpectationNew(record) => {
                    self.masters.insert(record.id, record.master_id);
                }
                // The flow that it let in is told behind it.
                Event::ExpectationDestroy { expectation, .. } => over.push(expectation.id),
                _ => {}
            }
        }
        for id in over {
            self.masters.remove(&id);
        }
        let Some(all) = step
            .verdict
            .conntrack
            .and_then(|id| self.hang_on.get_mut(&id))
        else {
            return itself;
        };
        for rule in itself {
            if !all.contains(rule) {
                all.push(*rule);
            }
        }
        all
    }
}
