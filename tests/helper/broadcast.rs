//! Questions to a broadcast address. What matters is who sends them; the payload is nobody's business.

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use super::{Bench, Effect};

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

#[test]
fn a_question_that_is_forwarded_opens_nothing() {
    assert_eq!(ask("snmp", 161, None, &Modules::default()), []);
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
