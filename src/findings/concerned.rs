//! Whom a finding concerns.

use crate::conntrack::event::ExpectationRecord;
use crate::dialogue::Dialogue;
use crate::service::Service;
use crate::tuple::Tuple;

/// The control connection that something is found on.
#[derive(Clone, Copy, Debug)]
pub struct Concerned {
    /// Its own helper, which it may have inherited.
    pub helper: &'static str,
    pub service: Service,
    pub tuple: Tuple,
}

impl Concerned {
    pub fn talk(dialogue: &Dialogue) -> Self {
        Self {
            helper: dialogue.helper,
            service: dialogue.service,
            tuple: dialogue.original,
        }
    }

    /// The connection that it all began with.
    pub fn root(record: &ExpectationRecord) -> Self {
        Self {
            helper: record.root.helper,
            service: Service::of(&record.root),
            tuple: record.root.tuple,
        }
    }

    pub fn expected(record: &ExpectationRecord) -> Self {
        Self {
            helper: record.helper,
            service: Service::of(&record.root),
            tuple: record.master,
        }
    }
}
