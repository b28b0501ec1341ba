//! Questions to a broadcast address. What matters is who sends them; the payload is nobody's business.

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::kernel::Kernel;
use ctaudit::tuple::Direction::{Original, Reply};

use super::{Bench, Effect, declines};

fn ask(name: &str, port: u16, own: Option<&str>, modules: &Modules) -> Vec<Effect> {
    let mut bench = Bench::new(name, "192.0.2.1", "192.0.2.255", port, modules);
    bench.own_broadcast = own.map(|own| own.parse().unwrap());
    bench.show(Original, false, 0, b"")
}

#[test]
fn the_firewalls_own_question_lets_its_network_answer() {
    for (name, port, seconds) in [("netbios-ns", 137, 3), ("snmp", 161, 30)] {
        let effects = ask(name, port, Some("192.0.2.1/24"), &Modules::default());
        let [Effect::Expect(expectation), Effect::Refresh(timeout)] = &effects[..] else {
            panic!("{effects:?}")
        };
        let src = expectation.src_addr.as_ref().unwrap();
        assert_eq!(src.value.to_string(), "192.0.2.255/24");
        assert_eq!(src.origin, Origin::Config);
        let src_port = expectation.src_port.as_ref().unwrap();
        assert_eq!((src_port.value, &src_port.origin), (port, &Origin::Helper));
        assert_eq!(expectation.dst_addr.value.to_string(), "192.0.2.1");
        assert_eq!(expectation.dst_port.value, 40000);
        assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Reply));
        assert!(expectation.flags.permanent);
        assert_eq!(*timeout, Duration::from_secs(seconds));
    }
}

/// The kernel takes the port from the conntrack since 7.3, so a helper on another port works there.
#[test]
fn on_another_port_the_answer_comes_from_there_since_7_3() {
    for (series, port) in [("7.2", 161), ("7.3", 1161)] {
        let kernel = Kernel::of(series).unwrap();
        let modules = Modules::default();
        let mut bench = Bench::on(&kernel, "snmp", "192.0.2.1", "192.0.2.255", 1161, &modules);
        bench.own_broadcast = Some("192.0.2.1/24".parse().unwrap());
        let effects = bench.show(Original, false, 0, b"");
        let [Effect::Expect(expectation), _] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(expectation.src_port.as_ref().unwrap().value, port);
    }
}

#[test]
fn a_question_that_is_forwarded_opens_nothing() {
    assert_eq!(ask("snmp", 161, None, &Modules::default()), []);
    // RFC 1002, 4.2.12; of SNMP the beginning of a GetRequest of version 2.
    let name = b"\x12\x34\x01\x10\0\x01\0\0\0\0\0\0 CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x20\0\x01";
    let get = b"\x30\x19\x02\x01\x01\x04\x06public\xa0\x0c";
    let question = |name, to, payload: &[u8]| {
        let port = if name == "snmp" { 161 } else { 137 };
        let mut bench = Bench::new(name, "192.0.2.11", to, port, &Modules::default());
        let effects = bench.show(Original, false, 0, payload);
        effects.len() == 1
            && declines(&effects, payload)
                == [("a broadcast that the firewall did not send itself", payload)]
    };
    assert!(question("netbios-ns", "198.51.100.255", name));
    assert!(question("snmp", "198.51.100.255", get));
    assert!(question("snmp", "255.255.255.255", get));
    // To a WINS server, without the flag of a broadcast; a registration; to one agent; no SNMP.
    let silent = |name, to, payload: &[u8]| {
        let mut bench = Bench::new(name, "192.0.2.11", to, 137, &Modules::default());
        assert_eq!(bench.show(Original, false, 0, payload), []);
    };
    let mut wins = *name;
    wins[3] = 0;
    silent("netbios-ns", "198.51.100.7", &wins);
    let mut registration = *name;
    registration[2] = 0x29;
    silent("netbios-ns", "198.51.100.255", &registration);
    silent("snmp", "198.51.100.7", get);
    silent("snmp", "198.51.100.255", name);
}

#[test]
fn an_answer_opens_nothing() {
    let mut bench = Bench::new("snmp", "192.0.2.1", "192.0.2.255", 161, &Modules::default());
    bench.own_broadcast = Some("192.0.2.1/24".parse().unwrap());
    assert_eq!(bench.say(Reply, 0, b"answer"), []);
}

#[test]
fn the_timeout_is_the_modules() {
    let mut modules = Modules::default();
    modules.set("nf_conntrack_snmp.timeout=7").unwrap();
    let effects = ask("snmp", 161, Some("192.0.2.1/24"), &modules);
    assert_eq!(
        effects.last(),
        Some(&Effect::Refresh(Duration::from_secs(7)))
    );
}
