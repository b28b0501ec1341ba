//! What a capture comes to: packets, and what another kernel would do.

use super::{Described, each};
use crate::compare::Deviation;
use crate::conntrack::State;
use crate::exposure::Totals;

pub fn packets(totals: &Totals) -> Vec<Described> {
    vec![
        Described::new(
            "ct_state",
            "",
            "what a rule's ct state matches; none: never came to the rules",
            each(&State::ALL, |state| state.name()),
        ),
        Described::new(
            "packets",
            "packets",
            "packets that carry IP",
            each(&State::ALL, |state| totals.state(*state).packets),
        ),
        Described::new(
            "bytes",
            "bytes",
            "their length by the IP header",
            each(&State::ALL, |state| totals.state(*state).bytes),
        ),
    ]
}

/// Where two kernels disagree.
pub fn deviations(rows: &[Deviation]) -> Vec<Described> {
    vec![
        Described::new(
            "frame",
            "",
            "the frame at which it showed",
            each(rows, |row| row.frame),
        ),
        Described::new(
            "what",
            "",
            "which part of the verdict, or an expectation, or how one ended",
            each(rows, |row| row.aspect.name()),
        ),
        Described::new(
            "kernel",
            "",
            "in the kernel series of --kernel; -: nothing",
            each(rows, |row| row.here.clone()),
        ),
        Described::new(
            "compare_kernel",
            "",
            "in that of --compare-kernel; -: nothing",
            each(rows, |row| row.there.clone()),
        ),
    ]
}
