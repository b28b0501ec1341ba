//! What the rules that logged a capture's packets say of them.

use serde::{Deserialize, Serialize};

use crate::packet::link::nflog::Logged;
use crate::service::Sighting;

/// Packets by the hook, prefix and mark that they were logged with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LoggedBy {
    /// Sorted.
    rules: Vec<Rule>,
    /// Packets of rules that found no room.
    pub others: u64,
}

/// A logging rule as far as its packets tell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The netfilter hook's number.
    pub hook: Option<u8>,
    /// Anybody's bytes.
    pub prefix: Vec<u8>,
    /// The packet mark, where there was one.
    pub mark: Option<u32>,
    /// Its packets.
    pub seen: Sighting,
}

impl LoggedBy {
    /// By hook, prefix and mark.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn count_on(&mut self, frames: u64) {
        let rules = self.rules.iter_mut();
        rules.for_each(|rule| rule.seen.count_on(frames));
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.others += other.others;
        for rule in other.rules {
            match self.find(rule.hook, &rule.prefix, rule.mark) {
                Ok(at) => self.rules[at].seen.merge(rule.seen),
                Err(_) if self.rules.len() == MOST_RULES => self.others += rule.seen.times,
                Err(at) => self.rules.insert(at, rule),
            }
        }
    }

    /// Where the rule is, or belongs.
    fn find(&self, hook: Option<u8>, prefix: &[u8], mark: Option<u32>) -> Result<usize, usize> {
        let wanted = (hook, prefix, mark);
        self.rules
            .binary_search_by(|rule| (rule.hook, &rule.prefix[..], rule.mark).cmp(&wanted))
    }

    pub(super) fn add(&mut self, frame: u64, logged: &Logged<'_>) {
        let prefix = logged.prefix.get(..LONGEST_PREFIX);
        let prefix = prefix.unwrap_or(logged.prefix);
        match self.find(logged.hook, prefix, logged.mark) {
            Ok(at) => self.rules[at].seen.add(frame),
            Err(_) if self.rules.len() == MOST_RULES => self.others += 1,
            Err(at) => {
                let mut rule = Rule {
                    hook: logged.hook,
                    prefix: prefix.to_vec(),
                    mark: logged.mark,
                    seen: Sighting::default(),
                };
                rule.seen.add(frame);
                self.rules.insert(at, rule);
            }
        }
    }
}

impl Rule {
    /// The prefix as it can be printed: what is no text, or would move a cursor, is escaped.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.prefix);
        text.escape_debug().to_string()
    }
}

/// The kernel's own limit (`NF_LOG_PREFIXLEN`); whatever a file says beyond it is no rule's.
const LONGEST_PREFIX: usize = 128;

const MOST_RULES: usize = 256;
