//! One packet seen closely: more than its verdict and its events say.

use std::cell::Cell;

use super::event::ConntrackRecord;
use super::tcp::{Judged, Tcp};

/// A packet's flow before and after it, and what it was judged by.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// As the packet found it.
    pub before: Option<Flow>,
    pub after: Option<Flow>,
    /// Of TCP, where it came to that.
    pub judged: Option<Judged>,
    /// The flow's helper read it.
    pub was_read: bool,
}

/// A conntrack at one moment.
#[derive(Clone, Debug)]
pub struct Flow {
    pub record: ConntrackRecord,
    pub tcp: Option<Tcp>,
}

/// What is noted on the way of a packet that is examined.
#[derive(Default)]
pub(super) struct Notes {
    pub judged: Cell<Option<Judged>>,
    pub was_read: Cell<bool>,
}
