//! mdns and slp: whoever sends may be answered at the port that it sends from, from the port that it sends to.

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};

use super::super::{Bench, Effect};

const SERVICES: [(&str, &str, u16); 2] = [
    ("mdns", "224.0.0.251", 5353),
    ("slp", "239.255.255.253", 427),
];

fn send(service: (&str, &str, u16), direction: Direction, payload: &[u8]) -> Vec<Effect> {
    let (name, to, port) = service;
    let mut bench = Bench::new(name, "192.0.2.1", to, port, &Modules::default());
    bench.show(direction, direction == Reply, 0, payload)
}

#[test]
fn anybody_may_answer_from_the_port_that_was_asked() {
    for service in SERVICES {
        let effects = send(service, Original, b"question");
        let [Effect::Expect(expectation)] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(expectation.src_addr, None);
        let src_port = expectation.src_port.as_ref().unwrap();
        assert_eq!(src_port.value, service.2);
        assert_eq!(src_port.origin, Origin::Conntrack(Original));
        assert_eq!(expectation.dst_addr.value.to_string(), "192.0.2.1");
        assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
        assert_eq!(expectation.dst_port.value, 40000);
        assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Reply));
        assert!(expectation.flags.permanent);
        assert_eq!(expectation.helper, None);
    }
}

/// A host that was asked by itself answers in the same connection, and is opened by that.
#[test]
fn an_answer_opens_the_port_that_was_asked() {
    let effects = send(("mdns", "198.51.100.7", 5353), Reply, b"answer");
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(expectation.src_port.as_ref().unwrap().value, 40000);
    assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.7");
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Original));
    assert_eq!(expectation.dst_port.value, 5353);
}

#[test]
fn no_byte_is_read() {
    let texts: [&[u8]; 4] = [b"", b"\0", b"\x02\x01\0\0\x2d\xff", &[0xff; 1400]];
    for service in SERVICES {
        let expected = send(service, Original, b"question");
        for text in texts {
            assert_eq!(send(service, Original, text), expected);
        }
    }
}
