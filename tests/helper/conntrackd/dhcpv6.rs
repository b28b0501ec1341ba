//! DHCPv6 messages, by their types (RFC 8415, 7.3). Time-outs are those of conntrack-tools' `dhcpv6_timeouts`.

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use super::super::{Bench, Effect};

const CLIENT: &str = "fe80::5054:ff:fe12:3456";
const SERVERS: &str = "ff02::1:2";

/// What a first packet leads to.
fn send(to: &str, payload: &[u8]) -> Vec<Effect> {
    let mut bench = Bench::new("dhcpv6", CLIENT, to, 547, &Modules::default());
    bench.show(Original, false, 0, payload)
}

/// How long the connection lives then, if the message opens anything.
fn lives(kind: u8) -> Option<Option<u64>> {
    match &send(SERVERS, &[kind, 1, 2, 3])[..] {
        [Effect::Expect(_)] => Some(None),
        [Effect::Refresh(timeout), Effect::Expect(_)] => Some(Some(timeout.as_secs())),
        _ => None,
    }
}

#[test]
fn anybody_may_answer_to_the_port_of_clients() {
    let effects = send(SERVERS, &[1, 0x12, 0x34, 0x56]);
    let [Effect::Refresh(timeout), Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*timeout, Duration::from_secs(120));
    assert_eq!(expectation.src_addr, None);
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), CLIENT);
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    // Not the 40000 that it asks from here.
    assert_eq!(expectation.dst_port.value, 546);
    assert_eq!(expectation.dst_port.origin, Origin::Helper);
    assert!(expectation.flags.permanent);
    assert_eq!(expectation.helper, None);
}

#[test]
fn the_type_says_how_long_the_connection_lives() {
    let seconds = [
        (1, 120),
        (3, 30),
        (4, 4),
        (5, 600),
        (6, 600),
        (8, 1),
        (9, 1),
        (11, 120),
    ];
    for (kind, seconds) in seconds {
        assert_eq!(lives(kind), Some(Some(seconds)), "type {kind}");
    }
    // Those that servers and relays send, and 0, which no message has.
    for kind in [0, 2, 7, 10, 12, 13] {
        assert_eq!(lives(kind), Some(None), "type {kind}");
    }
}

/// RFC 3315 ended at 13; 14 is LEASEQUERY (RFC 5007), 20 DHCPV4-QUERY (RFC 7341).
#[test]
fn a_type_of_later_is_dropped() {
    for kind in [14, 20, 36, 255] {
        let effects = send(SERVERS, &[kind, 1, 2, 3]);
        assert!(matches!(effects[..], [Effect::Drop(_)]), "type {kind}");
    }
}

/// What is behind the packet reads as zeros, and 0 is no type that is refused.
#[test]
fn the_type_is_all_that_is_read() {
    assert_eq!(lives(0), Some(None));
    assert!(matches!(send(SERVERS, b"")[..], [Effect::Expect(_)]));
    let whole = [8, 1, 2, 3, 0, 1, 0, 4, 9, 9, 9, 9];
    for cut in 1..whole.len() {
        assert_eq!(send(SERVERS, &whole[..cut]), send(SERVERS, &whole), "{cut}");
    }
}

#[test]
fn one_host_alone_is_asked_in_vain() {
    for host in ["2001:db8::547", "fe80::1", "fec0::ffff"] {
        assert_eq!(send(host, &[1, 1, 2, 3]), []);
        assert_eq!(send(host, &[20, 1, 2, 3]), []);
    }
    assert_ne!(send("ff05::1:3", &[1, 1, 2, 3]), []);
}
