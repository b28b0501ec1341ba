//! How much a forger could have chosen of an expectation, given the helper's code and options.

use serde::{Deserialize, Serialize};

use crate::conntrack::event::ExpectationRecord;
use crate::expectation::{Origin, Sourced};
use crate::helper::{Field, Freedom, Modules};
use crate::kernel::Kernel;

/// For each field the number of values that were open to choice, as a power of two: 0 for none but the one that it
/// has, 16 for any port, 32 or 128 for any address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Possible {
    /// Bits of the address that somebody may come from: 0 to 128.
    pub src_addr: u8,
    /// Bits of the port that he may come from: 0 to 16.
    pub src_port: u8,
    /// Bits of the address that he may come to: 0 to 128.
    pub dst_addr: u8,
    /// Bits of the port that he may come to: 0 to 16.
    pub dst_port: u8,
}

impl Possible {
    /// By the line of the table of degrees of freedom that the expectation follows; by the origins of its fields where
    /// no line says.
    pub fn of(record: &ExpectationRecord, modules: &Modules, kernel: &Kernel) -> Self {
        let expectation = &record.expectation;
        let address_bits = if record.master.is_ipv6() { 128 } else { 32 };
        let network_bits = expectation
            .src_addr
            .as_ref()
            .map_or(0, |src| src.value.max_prefix_len() - src.value.prefix_len());
        let line = line_of(record, modules, kernel);
        let bits = |field: Field, any: u8| match field {
            Field::Any | Field::Command | Field::Packet => any,
            Field::Network => network_bits,
            Field::Fixed | Field::Checked | Field::Helper => 0,
        };
        match line {
            Some(line) => Self {
                src_addr: bits(line.src_addr, address_bits),
                src_port: bits(line.src_port, 16),
                dst_addr: bits(line.dst_addr, address_bits),
                dst_port: bits(line.dst_port, 16),
            },
            None => Self {
                src_addr: match &expectation.src_addr {
                    Some(src) => chosen(src, address_bits).max(network_bits),
                    None => address_bits,
                },
                src_port: match &expectation.src_port {
                    Some(port) => chosen(port, 16),
                    None => 16,
                },
                dst_addr: chosen(&expectation.dst_addr, address_bits),
                dst_port: chosen(&expectation.dst_port, 16),
            },
        }
    }
}

fn chosen<T>(field: &Sourced<T>, any: u8) -> u8 {
    match field.origin {
        Origin::Command { .. } => any,
        Origin::Conntrack(_) | Origin::Helper | Origin::Config => 0,
    }
}

/// The line whose wildcards, class and heir are the expectation's.
fn line_of(
    record: &ExpectationRecord,
    modules: &Modules,
    kernel: &Kernel,
) -> Option<&'static Freedom> {
    let expectation = &record.expectation;
    let spec = modules.registered_as(record.helper)?.spec;
    spec.freedom.iter().find(|line| {
        let protocol = line.protocol.unwrap_or(record.master.protocol);
        line.holds(modules, kernel)
            && line.class == expectation.class
            && protocol == expectation.protocol
            && line.permanent == expectation.flags.permanent
            && line.read_by == expectation.helper
            && (line.src_addr == Field::Any) == expectation.src_addr.is_none()
            && (line.src_port == Field::Any) == expectation.src_port.is_none()
    })
}
