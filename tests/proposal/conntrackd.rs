//! What conntrackd has to be told for the rules.

use ctaudit::helper::Modules;
use ctaudit::proposal::{Accept, Attach, Proposed, What, conntrackd};
use ctaudit::ruleset::{Family, Hook};
use ctaudit::tuple::Protocol;

use crate::support::variants;

fn attach(helper: &'static str, protocol: Protocol, port: u16) -> Proposed {
    Proposed {
        what: What::Attach(Attach {
            helper,
            reads: Family::Ipv4,
            protocol,
            port,
            clients: vec!["192.0.2.0/24".parse().unwrap()],
            servers: vec!["198.51.100.17/32".parse().unwrap()],
            hook: Hook::Prerouting,
            input: None,
        }),
        needed_by: 1,
        evidence: vec![1],
    }
}

fn set_up(rules: &[Proposed], modules: &Modules) -> Vec<String> {
    let script = conntrackd::script(&conntrackd::instances(rules, modules));
    script.lines().map(|line| line.trim().to_owned()).collect()
}

/// nfct(8), and the `Helper` block of doc/helper/conntrackd.conf: a type and a queue for each protocol, once.
#[test]
fn conntrackd_is_set_up_for_what_the_rules_name() {
    let mut modules = Modules::default();
    modules.set_policy("rpc=4/60").unwrap();
    let rules = [
        attach("tftp", Protocol::UDP, 69),
        attach("rpc", Protocol::UDP, 111),
        attach("rpc", Protocol::TCP, 111),
        attach("rpc", Protocol::TCP, 1111),
        attach("dhcpv6", Protocol::UDP, 547),
    ];
    let lines = set_up(&rules, &modules);
    for line in [
        "nfct add helper dhcpv6 inet6 udp",
        "nfct add helper rpc inet tcp",
        "nfct add helper rpc inet udp",
        "Type dhcpv6 inet6 udp {",
        "Type rpc inet tcp {",
        "Type rpc inet udp {",
        "QueueNum 200",
        "QueueNum 201",
        "QueueNum 202",
    ] {
        assert_eq!(
            lines.iter().filter(|have| *have == line).count(),
            1,
            "{line}"
        );
    }
    let of_rpc = lines.iter().filter(|line| *line == "ExpectMax 4").count();
    assert_eq!(of_rpc, 2);
    assert!(!lines.iter().any(|line| line.contains("tftp")));
}

/// The kernel looks up the helper of an expected flow by that flow's protocol.
#[test]
fn a_helper_that_flows_inherit_is_set_up_for_their_protocol() {
    let modules = Modules::default();
    let searched = attach("ssdp", Protocol::UDP, 1900);
    let fetched = Proposed {
        what: What::Accept(Accept {
            helper: "ssdp",
            protocol: Protocol::TCP,
            src: vec!["192.0.2.11/32".parse().unwrap()],
            dst: vec!["192.0.2.12/32".parse().unwrap()],
            ports: Some(8200..=8200),
            ports_seen: 1,
            hook: Hook::Forward,
            input: None,
            output: None,
        }),
        ..searched.clone()
    };
    let has_tcp = |rules: &[Proposed]| {
        let lines = set_up(rules, &modules);
        lines.contains(&"Type ssdp inet tcp {".to_owned())
    };
    assert!(!has_tcp(std::slice::from_ref(&searched)));
    assert!(has_tcp(&[searched, fetched]));
}

#[test]
fn the_kernels_module_makes_room_for_conntrackds_helper() {
    let lines = set_up(&[attach("ftp", Protocol::TCP, 21)], &variants());
    for line in [
        "modprobe -r nf_conntrack_ftp",
        "nfct add helper ftp inet tcp",
        "Type ftp inet tcp {",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}");
    }
}
