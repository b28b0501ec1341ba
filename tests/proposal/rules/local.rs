//! What the firewall itself asks, and is answered.

use ctaudit::conntrack::config::Config;
use ctaudit::proposal::{Target, What, Wishes};
use ctaudit::ruleset::Hook;

use super::{accepted, attached, of_sample, texts};
use crate::support::firewall;

/// The router of the samples, which asks the lan.
fn router() -> Config {
    let mut config = firewall("6.18", false);
    config.local.push("192.0.2.1/24".parse().unwrap());
    config
}

/// The question goes out through OUTPUT, to the broadcast address; answers come in through INPUT, each from an address of
/// its own, to the port that the question came from.
#[test]
fn its_questions_are_helped_at_output_and_the_answers_accepted_at_input() {
    for (sample, helper, port) in [
        ("netbios-ns/group.pcap", "netbios-ns", 137),
        ("snmp/printers.pcap", "snmp", 161),
    ] {
        let proposal = of_sample(sample, &router(), &Wishes::default());
        let [attach] = attached(&proposal)[..] else {
            panic!("{sample}: {proposal:?}")
        };
        assert_eq!(
            (attach.helper, attach.port, attach.hook),
            (helper, port, Hook::Output)
        );
        assert_eq!(texts(&attach.clients), ["192.0.2.1/32"], "{sample}");
        assert_eq!(texts(&attach.servers), ["192.0.2.255/32"], "{sample}");
        let accepts = accepted(&proposal);
        assert!(!accepts.is_empty(), "{sample}");
        for accept in accepts {
            assert_eq!(
                (accept.helper, accept.hook),
                (helper, Hook::Input),
                "{sample}"
            );
            assert_eq!(texts(&accept.dst), ["192.0.2.1/32"], "{sample}");
        }
        for target in [Target::Nftables, Target::Iptables] {
            let set = proposal.ruleset(target);
            let hooks: Vec<Hook> = set
                .chains
                .iter()
                .filter_map(|chain| Some(chain.base?.hook))
                .collect();
            assert!(hooks.contains(&Hook::Output) && hooks.contains(&Hook::Input));
            assert!(!hooks.contains(&Hook::Prerouting), "{sample}: {hooks:?}");
        }
    }
}

/// Rules at INPUT drop what is RELATED there and not accepted, and the firewall's own path MTU discovery (RFC 1191, 4) must
/// not be part of that, whether the capture shows such an error or not.
#[test]
fn where_input_is_judged_its_path_mtu_errors_pass() {
    for sample in ["netbios-ns/group.pcap", "snmp/printers.pcap"] {
        let proposal = of_sample(sample, &router(), &Wishes::default());
        let at = proposal.rules.iter().filter_map(|rule| match rule.what {
            What::IcmpError { kind, hook, .. } => Some((kind, hook)),
            _ => None,
        });
        let at: Vec<_> = at.collect();
        assert!(at.contains(&(3, Hook::Input)), "{sample}: {at:?}");
        assert!(at.contains(&(3, Hook::Forward)), "{sample}: {at:?}");
    }
}

/// The kernel's two broadcast helpers look at what a socket of the firewall's sends, and at nothing that is forwarded
/// (`nf_conntrack_broadcast_help`).
#[test]
fn of_others_questions_nothing_is_proposed() {
    for sample in ["netbios-ns/group.pcap", "snmp/printers.pcap"] {
        let config = firewall("6.18", false);
        let proposal = of_sample(sample, &config, &Wishes::default());
        assert!(attached(&proposal).is_empty(), "{sample}");
        assert!(accepted(&proposal).is_empty(), "{sample}");
    }
}
