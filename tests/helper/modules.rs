//! Module parameters, and the names that helpers get from them (`nf_ct_helper_init`).

use ctaudit::conntrack::config::Assignment;
use ctaudit::helper::{self, Modules, Spec};

fn names(parameter: &str) -> Vec<&'static str> {
    let mut modules = Modules::default();
    modules.set(parameter).unwrap();
    let module = parameter.split('.').next().unwrap();
    let registered = modules.registered().iter();
    registered
        .filter(|helper| helper.spec.module() == module)
        .map(|helper| helper.name)
        .collect()
}

/// ftp and sane take the port into the name, irc, tftp and sip its place in the list; the usual port adds nothing.
#[test]
fn each_port_has_a_helper_of_its_own_name() {
    for (parameter, expected) in [
        ("nf_conntrack_ftp.ports=21,2121", &["ftp", "ftp-2121"][..]),
        ("nf_conntrack_ftp.ports=2121", &["ftp-2121"]),
        ("nf_conntrack_sane.ports=6566,6567", &["sane", "sane-6567"]),
        ("nf_conntrack_irc.ports=6667,7000", &["irc", "irc-1"]),
        ("nf_conntrack_irc.ports=7000,6667", &["irc-0", "irc"]),
        ("nf_conntrack_tftp.ports=6969", &["tftp-0"]),
        (
            "nf_conntrack_sip.ports=5060,5070,5080",
            &["sip", "sip-1", "sip-2"],
        ),
    ] {
        assert_eq!(names(parameter), expected, "{parameter}");
    }
}

#[test]
fn the_default_table_follows_the_ports() {
    let mut modules = Modules::default();
    modules.set("nf_conntrack_sip.ports=5070").unwrap();
    let table = Assignment::classic(&modules);
    let sip: Vec<(String, u16)> = table
        .iter()
        .filter(|assignment| assignment.helper.name == "sip-0")
        .map(|assignment| (assignment.protocol.to_string(), assignment.port))
        .collect();
    assert_eq!(sip, [("udp".to_owned(), 5070), ("tcp".to_owned(), 5070)]);
    assert!(Assignment::parse("udp 5060 sip", &modules).is_err());
    assert!(Assignment::parse("udp 5060 sip-0", &modules).is_ok());
}

#[test]
fn what_is_no_parameter_is_refused() {
    let mut modules = Modules::default();
    for text in [
        "nf_conntrack_ftp.ports=",
        "nf_conntrack_ftp.ports=21,ftp",
        "nf_conntrack_ftp.ports=1,2,3,4,5,6,7,8,9",
        "nf_conntrack_ftp.ports=65536",
        "nf_conntrack_ftp.ports=2121,21,2121",
        "nf_conntrack_sip.sip_timeout=y",
        "nf_conntrack_amanda.ports=10080",
        "nf_conntrack_ftp.loose=2",
        "nf_conntrack_ftp.loose",
        "loose=1",
    ] {
        assert!(modules.set(text).is_err(), "{text}");
    }
}

/// One helper of a name, family and protocol can be registered (`nfnl_cthelper_new`).
#[test]
fn conntrackds_helper_takes_the_place_of_the_kernels() {
    let mut modules = Modules::default();
    assert!(Assignment::parse("tcp 21 conntrackd:ftp", &modules).is_err());
    modules.replace(Spec::named("conntrackd:ftp").unwrap());
    for name in ["ftp", "conntrackd:ftp"] {
        let assignment = Assignment::parse(&format!("tcp 2121 {name}"), &modules).unwrap();
        assert_eq!(assignment.helper.name, "ftp");
        assert_eq!(assignment.helper.spec.name, "conntrackd:ftp");
    }
    let table = Assignment::classic(&modules);
    let mut ftp = table.iter().filter(|assignment| assignment.port == 21);
    assert_eq!(ftp.next().unwrap().helper.spec.name, "conntrackd:ftp");
    assert!(ftp.next().is_none());
}

/// The ports of kernel-replay's table (IANA's: 547, 5353, 427, 1900, 111, 1521), and none for SSDP over TCP.
#[test]
fn the_helpers_of_conntrackd_alone_have_the_ports_of_their_services() {
    let table = Assignment::userspace(&Modules::default());
    let mut lines: Vec<String> = table
        .iter()
        .map(|line| format!("{} {} {}", line.protocol, line.port, line.helper.name))
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "tcp 111 rpc",
            "tcp 1521 tns",
            "udp 111 rpc",
            "udp 1900 ssdp",
            "udp 427 slp",
            "udp 5353 mdns",
            "udp 547 dhcpv6"
        ]
    );
    let modules = Modules::default();
    assert!(Assignment::parse("tcp 49152 ssdp", &modules).is_ok());
    assert!(Assignment::parse("tcp 427 slp", &modules).is_err());
}

/// doc/helper/conntrackd.conf of conntrack-tools 1.4.7; for the last three, which it does not have, the sources.
#[test]
fn policies_are_the_documented_ones_unless_set() {
    let mut modules = Modules::default();
    let policy = |modules: &Modules, name| {
        let [policy] = modules.policies(Spec::named(name).unwrap())[..] else {
            panic!("{name} has one class")
        };
        (policy.max_expected, policy.timeout.as_secs())
    };
    for (name, documented) in [
        ("conntrackd:ftp", (1, 300)),
        ("rpc", (1, 300)),
        ("tns", (1, 300)),
        ("dhcpv6", (1, 300)),
        ("mdns", (8, 30)),
        ("ssdp", (8, 300)),
        ("slp", (8, 16)),
        ("conntrackd:tftp", (1, 300)),
        ("conntrackd:sane", (1, 300)),
        ("conntrackd:amanda", (3, 180)),
    ] {
        assert_eq!(policy(&modules, name), documented, "{name}");
    }
    modules.set_policy("ssdp=4/60").unwrap();
    assert_eq!(policy(&modules, "ssdp"), (4, 60));
    for text in [
        "ssdp",
        "ssdp=8",
        "ssdp=8/x",
        "ssdp=256/1",
        "ssdp=-1/1",
        "ftp=1/300",
        "none=1/1",
    ] {
        assert!(modules.set_policy(text).is_err(), "{text}");
    }
}

/// net/netfilter/Makefile: a module may be of several files.
#[test]
fn parameters_are_those_of_the_helpers_module() {
    for spec in helper::all() {
        for parameter in spec.parameters {
            let (module, _) = parameter.name.split_once('.').unwrap();
            assert_eq!(module, spec.module(), "{}", spec.name);
        }
    }
    assert_eq!(Spec::named("H.245").unwrap().module(), "nf_conntrack_h323");
}

#[test]
fn what_was_set_to_other_values_has_changed() {
    let mut modules = Modules::default();
    assert!(modules.changed().is_empty());
    for parameter in [
        "nf_conntrack_ftp.loose=1",
        "nf_conntrack_irc.ports=7000,6667",
        "nf_conntrack_snmp.timeout=30",
    ] {
        modules.set(parameter).unwrap();
    }
    let changed: Vec<String> = modules
        .changed()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        changed,
        [
            "nf_conntrack_ftp.loose=1",
            "nf_conntrack_irc.ports=7000,6667"
        ]
    );
}
