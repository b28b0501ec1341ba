//! What a replay with all helpers attached, and without a rule, says about rules, be they known yet or not.

use ipnet::IpNet;

use super::needed::{Need, Needed};
use super::reach::Reach;
use crate::conntrack::config::Config;
use crate::firewall::Firewall;
use crate::forgery::Forger;
use crate::replay::{Arrival, Passage};

/// What packets are needed for, and what a forger of control messages could have opened.
pub struct Evidence {
    config: Config,
    needed: Needed,
    pub(super) reach: Reach,
    pub(super) forger: Forger,
}

impl Evidence {
    /// Of a firewall that is set up so. Nobody needs what connections from or to `bypass` ask for.
    pub fn new(config: &Config, bypass: &[IpNet]) -> Self {
        Self {
            config: config.clone(),
            needed: Needed::new(bypass),
            reach: Reach::new(config),
            forger: Forger::new(config),
        }
    }

    /// Takes in a frame: what its packet is needed for, if it is.
    pub fn observe(&mut self, passage: &Passage<'_>) -> Option<Need> {
        match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => None,
            Arrival::Unseen(_, step) => {
                self.forger.observe(passage.clock, None, step);
                None
            }
            Arrival::Packet(packet, step) => {
                self.forger.observe(passage.clock, Some(packet), step);
                self.reach.observe(step);
                self.needed.observe(packet, step)
            }
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// With all helpers, and without a rule: what attacks are measured against.
    pub(super) fn bare(&self) -> Firewall {
        Firewall::new(self.config.clone())
    }
}
