//! Rules for what the traffic needs.

mod conntrackd;
mod prefixes;
mod rules;
mod set_up;
mod spoofing;
