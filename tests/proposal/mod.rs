//! Rules for what the traffic needs.

mod conntrackd;
mod interfaces;
mod prefixes;
mod rules;
mod set_up;
mod spoofing;
