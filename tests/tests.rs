//! One test binary, laid out as `src` is.

mod capture;
mod command;
mod conntrack;
mod differential;
mod exposure;
mod helper;
mod layers;
mod mutated;
mod packet;
mod properties;
mod support;
mod traffic;
