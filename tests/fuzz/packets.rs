//! Raw IP packets one after the other, with time between them: fragments, and the tunnel that the target's name has.

#![no_main]

mod memory;

use std::time::Duration;

use ctaudit::packet::fragment::Limits;
use ctaudit::packet::tunnel::Kinds;
use ctaudit::packet::{Decoder, Packet, link};
use ctaudit::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let held = memory::most_held_by(|| run(input));
    assert!(held < MOST_HELD, "{held} bytes");
});

/// Of each packet, how long after the one before it came, its length, and its bytes.
fn run(input: &[u8]) {
    let mut rest = input;
    let mut at = Timestamp::default();
    let mut decoder = Decoder::new(LIMITS, kinds());
    for number in 1.. {
        let Some((&[wait, high, low], more)) = rest.split_first_chunk() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([high, low])).min(more.len());
        let (bytes, more) = more.split_at(length);
        rest = more;
        at = at + TICK * u32::from(wait);
        if let Ok(Ok(packet)) = decoder.decode(at, number, link::RAW, bytes) {
            check(&packet, number);
        }
    }
}

fn check(packet: &Packet<'_>, number: u64) {
    assert_eq!(packet.number, number);
    assert_eq!(packet.src.is_ipv4(), packet.dst.is_ipv4());
    assert!(packet.datagram.len() <= LONGEST_DATAGRAM);
    assert!(packet.captured <= packet.datagram.len());
    assert!(!packet.fragmented || packet.captured == packet.datagram.len());
    // Extension headers may lead beyond the end, as the kernel lets them (`ipv6_skip_exthdr`).
    assert!(packet.transport_bytes().len() <= packet.datagram.len());
    assert!(packet.tunnel.is_none() || kinds() != Kinds::default());
}

fn kinds() -> Kinds {
    match env!("CARGO_BIN_NAME").strip_prefix("tunnel-") {
        Some(kinds) => kinds.parse().expect("the target has a tunnel's name"),
        None => Kinds::default(),
    }
}

const TICK: Duration = Duration::from_millis(200);

/// An IPv6 header and a payload as long as can be said.
const LONGEST_DATAGRAM: usize = 40 + 65_535;

const LIMITS: Limits = Limits {
    ipv4_timeout: Duration::from_secs(30),
    ipv4_high: HIGH,
    ipv4_max_dist: 64,
    ipv6_timeout: Duration::from_secs(60),
    ipv6_high: HIGH,
};
const HIGH: usize = 32 << 10;
/// Of both families at five depths: what may wait, one fragment more, and two buffers.
const MOST_HELD: usize = 10 * (HIGH + 3 * LONGEST_DATAGRAM);
