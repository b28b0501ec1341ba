//! One test binary, laid out as `src` is.

mod capture;
mod command;
mod compare;
mod conntrack;
mod content;
mod dialogue;
mod differential;
mod exposure;
mod findings;
mod helper;
mod kernel;
mod layers;
mod mutated;
mod packet;
mod properties;
mod proposal;
mod ruleset;
mod support;
mod traffic;
mod verdict;
mod what_if;
