//! What is to be said of the inputs besides their frames.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::Damage;
use super::reader::Reader;
use crate::stored::{self, Word};
use crate::time::Timestamp;

/// Of all inputs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// The first of them, in the order in which they were read.
    pub inputs: Vec<Told>,
    /// How many inputs are not in the list.
    pub further_inputs: u64,
    /// They were read side by side.
    pub merged: bool,
    /// They were named in another order.
    pub reordered: bool,
    /// Inputs that begin before the one before them has ended.
    pub overlapping: u64,
    /// In directories, files and directories that are no captures.
    pub passed_over_files: u64,
    /// Places where bytes are no record, the first of them, and bytes at all of them.
    pub damaged: u64,
    /// The first of these places.
    #[serde(with = "stored::shared_list")]
    pub damage: Vec<Arc<Damage>>,
    /// Bytes at all of these places.
    pub passed_over_bytes: u64,
    /// Packets that were lost in capturing, as far as the inputs say so themselves: pcap has no place for it.
    pub lost: u64,
    /// Somebody asked to stop before the end.
    pub interrupted: bool,
    latest: Option<Timestamp>,
}

/// Of one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Printable.
    pub name: String,
    /// `pcap` or `pcapng`, and of pcap which kind.
    #[serde(deserialize_with = "stored::word")]
    pub format: Word,
    /// What it was unpacked from; `None` for a plain file.
    #[serde(deserialize_with = "stored::word_or_none")]
    pub compression: Option<Word>,
    /// Frames read of it.
    pub packets: u64,
}

impl Account {
    pub(super) fn add(&mut self, reader: &Reader) {
        self.lost = self.lost.saturating_add(reader.lost());
        if let Some((first, last)) = reader.span() {
            self.overlapping += u64::from(self.latest.is_some_and(|latest| first < latest));
            self.latest = self.latest.max(Some(last));
        }
        if self.inputs.len() == MOST_TOLD {
            self.further_inputs += 1;
            return;
        }
        self.inputs.push(Told {
            name: reader.name.clone(),
            format: reader.format(),
            compression: reader.compression.map(|compression| compression.name()),
            packets: reader.packets,
        });
    }

    /// Takes in what was said of inputs that were read elsewhere.
    pub fn absorb(&mut self, other: Self) {
        let Self {
            inputs,
            further_inputs,
            merged,
            reordered,
            overlapping,
            passed_over_files,
            damaged,
            damage,
            passed_over_bytes,
            lost,
            interrupted,
            latest,
        } = other;
        let read = self.inputs.len() + inputs.len();
        self.further_inputs += further_inputs + read.saturating_sub(MOST_TOLD) as u64;
        self.inputs.extend(inputs);
        self.inputs.truncate(MOST_TOLD);
        self.reordered |= reordered;
        // Of inputs that were read side by side nobody asks.
        self.overlapping += if merged { 0 } else { overlapping };
        self.passed_over_files += passed_over_files;
        self.damaged += damaged;
        self.damage.extend(damage);
        self.damage.truncate(MOST_TOLD);
        self.passed_over_bytes += passed_over_bytes;
        self.lost = self.lost.saturating_add(lost);
        self.interrupted |= interrupted;
        self.latest = self.latest.max(latest);
    }

    pub(super) fn damaged(&mut self, damage: &Arc<Damage>) {
        self.damaged += 1;
        self.passed_over_bytes += damage.passed_over;
        if self.damage.len() < MOST_TOLD {
            self.damage.push(Arc::clone(damage));
        }
    }
}

/// Inputs, and places of damage, that are told one by one.
const MOST_TOLD: usize = 100;
