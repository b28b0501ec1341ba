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
mod forgery;
mod helper;
mod kernel;
mod layers;
mod mutated;
mod namespace;
mod packet;
mod proof;
mod properties;
mod proposal;
mod room;
mod ruleset;
mod support;
mod topology;
mod traffic;
mod verdict;
mod what_if;
