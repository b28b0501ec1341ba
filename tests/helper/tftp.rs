//! RFC 1350

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use super::{Bench, Effect};

#[test]
fn a_request_expects_the_server_from_any_port() {
    for opcode in [1, 2] {
        let mut bench = Bench::new(
            "tftp",
            "192.0.2.11",
            "198.51.100.69",
            69,
            &Modules::default(),
        );
        let effects = bench.show(Original, false, 0, &[0, opcode, b'x', 0, b'o', 0]);
        let [Effect::Expect(expectation)] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(
            expectation.src_addr.as_ref().unwrap().value.to_string(),
            "198.51.100.69/32"
        );
        assert_eq!(expectation.src_port, None);
        assert_eq!(expectation.dst_addr.value.to_string(), "192.0.2.11");
        assert_eq!(expectation.dst_port.value, 40000);
        assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Reply));
    }
}

#[test]
fn the_direction_of_a_request_does_not_matter() {
    let mut bench = Bench::new(
        "tftp",
        "192.0.2.11",
        "198.51.100.69",
        69,
        &Modules::default(),
    );
    assert_eq!(bench.say(Reply, 0, &[0, 1]).len(), 1);
}

#[test]
fn other_opcodes_and_short_payloads_expect_nothing() {
    let mut bench = Bench::new(
        "tftp",
        "192.0.2.11",
        "198.51.100.69",
        69,
        &Modules::default(),
    );
    for payload in [
        &[][..],
        &[0],
        &[1, 1],
        &[0, 0],
        &[0, 3, 0, 1],
        &[0, 4, 0, 1],
        &[0, 5, 0, 1],
        &[1, 0],
    ] {
        assert_eq!(bench.say(Original, 0, payload), [], "{payload:?}");
    }
}
