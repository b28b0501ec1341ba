//! What is printed and written: a file a format.

pub mod catalogue;
pub mod events;
#[cfg(feature = "cli")]
pub mod folder;
#[cfg(feature = "cli")]
pub mod frames;
pub mod html;
pub mod json;
pub mod markdown;
pub mod page;
pub mod reference;
pub mod rules;
pub mod sarif;
pub mod sections;
pub mod terminal;

use std::net::IpAddr;

use ipnet::IpNet;

use crate::expectation::Expectation;
use crate::tuple::{self, Tuple};

/// Frames, by their numbers.
fn listed(frames: &[u64]) -> String {
    let frames: Vec<String> = frames.iter().map(u64::to_string).collect();
    frames.join(", ")
}

/// An expectation in the two parts that ctnetlink reports: what the first packet must be, and which bits of that count.
struct Expected {
    tuple: Tuple,
    mask_src: IpAddr,
    mask_dst: IpAddr,
    mask_sport: u16,
}

impl Expected {
    fn of(expectation: &Expectation) -> Self {
        let dst = expectation.dst_addr.value;
        let src = expectation.src_addr.as_ref();
        let any = tuple::unspecified(dst);
        Self {
            tuple: expectation.tuple(),
            mask_src: src.map_or(any, |src| src.value.netmask()),
            mask_dst: IpNet::from(dst).netmask(),
            mask_sport: if expectation.src_port.is_some() {
                u16::MAX
            } else {
                0
            },
        }
    }
}
