//! The same traffic through a firewall that is set up otherwise.

use crate::conntrack::Tracker;
use crate::conntrack::config::Config;
use crate::exposure::Exposure;
use crate::replay::{Arrival, Passage};
use crate::time::Timestamp;

/// A firewall beside the one that is analysed, shown the same packets.
pub struct WhatIf {
    /// As it was asked for.
    pub name: String,
    /// What that firewall would have opened.
    pub exposure: Exposure,
    tracker: Tracker,
    clock: Timestamp,
}

impl WhatIf {
    /// Called by the words that asked for it.
    pub fn new(name: String, config: Config) -> Self {
        Self {
            name,
            exposure: Exposure::new(&config),
            tracker: Tracker::new(config),
            clock: Timestamp::default(),
        }
    }

    /// Shows it the frame.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        self.clock = passage.clock;
        let arrival = match &passage.arrival {
            Arrival::Other(why) => Arrival::Other(*why),
            Arrival::Duplicate => Arrival::Duplicate,
            Arrival::Unseen(why, _) => {
                Arrival::Unseen(*why, self.tracker.unseen(passage.clock, *why))
            }
            Arrival::Packet(packet, _) => {
                Arrival::Packet(*packet, self.tracker.packet(passage.clock, packet))
            }
        };
        self.exposure.observe(&Passage {
            arrival,
            ..*passage
        });
        self.exposure.forget_rows();
    }

    /// After the last frame.
    pub fn finish(&mut self) {
        while let Some(step) = self.tracker.finish(self.clock) {
            self.exposure.finish(&step);
            self.exposure.forget_rows();
        }
    }
}
