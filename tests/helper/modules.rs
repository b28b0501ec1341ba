//! Module parameters, and the names that helpers get from them (`nf_ct_helper_init`).

use ctaudit::conntrack::config::Assignment;
use ctaudit::helper::Modules;

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
