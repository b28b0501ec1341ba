//! What is proposed for small traffic: whom a rule is for, and which ports.

mod errors;
mod local;
mod pairs;
mod ports;

use ctaudit::conntrack::config::Config;
use ctaudit::proposal::{Accept, Attach, Proposal, Target, What, Wishes};
use ctaudit::ruleset::{Effect, Hook, Match, Verdict};
use ctaudit::topology::Topology;
use ctaudit::tuple::Protocol;
use ipnet::IpNet;

use crate::findings::{end, open, packets};
use crate::support::{firewall, project, proposal, read};
use crate::topology::TWO_SIDES;
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::flow::{Rng, SYN, Tcp};
use crate::traffic::packet::End;

/// Who is at port 21, and opens a passive data connection to this port of the server.
pub fn passive(client: &str, server: &str, port: u16) -> Vec<Vec<u8>> {
    let mut control = login(client, server, port);
    control.say(Client, b"EPSV\r\n");
    let answer = format!("229 Entering Extended Passive Mode (|||{port}|)\r\n");
    control.say(Server, answer.as_bytes());
    let mut all = packets(control);
    all.push(syn(end(client, 60000), end(server, port)));
    all
}

/// Both have said a line: the helper reads what comes behind one (`find_nl_seq` in nf_conntrack_ftp.c).
fn login(client: &str, server: &str, port: u16) -> Tcp {
    let mut control = open(end(client, 50000 + port % 1000), end(server, 21));
    control.say(Server, b"220 ready\r\n");
    control.say(Client, b"USER audit\r\n");
    control
}

/// The same with the server coming to a port of the client's.
fn active(client: &str, server: &str, port: u16) -> Vec<Vec<u8>> {
    let mut control = login(client, server, port);
    let version = if client.contains(':') { 2 } else { 1 };
    let command = format!("EPRT |{version}|{client}|{port}|\r\n");
    control.say(Client, command.as_bytes());
    let mut all = packets(control);
    all.push(syn(end(server, 20), end(client, port)));
    all
}

pub fn syn(from: End, to: End) -> Vec<u8> {
    let mut flow = Tcp::new(&mut Rng::with_seed(1), from, to);
    flow.send(Client, SYN, &[]);
    packets(flow).remove(0)
}

pub fn proposed(sessions: &[Vec<Vec<u8>>], config: &Config, wishes: &Wishes) -> Proposal {
    let bytes = at_seconds((1..).zip(sessions.concat()));
    proposal(bytes, config, wishes)
}

pub fn of(sessions: &[Vec<Vec<u8>>]) -> Proposal {
    proposed(sessions, &firewall("6.18", false), &Wishes::default())
}

pub fn of_sample(path: &str, config: &Config, wishes: &Wishes) -> Proposal {
    let path = project("samples/helper").join(path);
    proposal(read(&path), config, wishes)
}

pub fn attached(proposal: &Proposal) -> Vec<&Attach> {
    let rules = proposal.rules.iter();
    rules
        .filter_map(|rule| match &rule.what {
            What::Attach(attach) => Some(attach),
            _ => None,
        })
        .collect()
}

pub fn accepted(proposal: &Proposal) -> Vec<&Accept> {
    let rules = proposal.rules.iter();
    rules
        .filter_map(|rule| match &rule.what {
            What::Accept(accept) => Some(accept),
            _ => None,
        })
        .collect()
}

/// As `ADDRESS/LENGTH`, in their order.
pub fn texts(nets: &[IpNet]) -> Vec<String> {
    nets.iter().map(IpNet::to_string).collect()
}

#[test]
fn clients_are_put_together_as_prefixes() {
    let sessions: Vec<_> = (8..12)
        .chain([14])
        .map(|host| passive(&format!("192.0.2.{host}"), "203.0.113.21", 40000 + host))
        .collect();
    let exact = of(&sessions);
    let expected = ["192.0.2.8/30", "192.0.2.14/32"];
    assert_eq!(texts(&attached(&exact)[0].clients), expected);
    assert_eq!(texts(&accepted(&exact)[0].src), expected);
    // 192.0.2.8/29 has 8 addresses, 3 more than were seen.
    for (widen, clients) in [(2, &expected[..]), (3, &["192.0.2.8/29"])] {
        let wishes = Wishes {
            widen,
            ..Wishes::default()
        };
        let wide = proposed(&sessions, &firewall("6.18", false), &wishes);
        assert_eq!(texts(&attached(&wide)[0].clients), clients, "{widen}");
        assert_eq!(texts(&accepted(&wide)[0].src), clients, "{widen}");
        assert_eq!(texts(&accepted(&wide)[0].dst), ["203.0.113.21/32"]);
    }
}

/// Servers hand out ports of ranges of their own.
#[test]
fn passive_flows_get_a_rule_a_server() {
    let proposal = of(&[
        passive("192.0.2.11", "203.0.113.21", 40000),
        passive("192.0.2.11", "203.0.113.21", 40010),
        passive("192.0.2.11", "203.0.113.22", 50000),
        passive("192.0.2.11", "203.0.113.22", 50020),
    ]);
    let [attach] = attached(&proposal)[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!(
        texts(&attach.servers),
        ["203.0.113.21/32", "203.0.113.22/32"]
    );
    assert_eq!(
        (attach.helper, attach.port, attach.hook),
        ("ftp", 21, Hook::Prerouting)
    );
    let rules: Vec<_> = accepted(&proposal)
        .into_iter()
        .map(|rule| {
            (
                texts(&rule.src),
                texts(&rule.dst),
                rule.ports.clone().unwrap(),
            )
        })
        .collect();
    let host = |address: &str| vec![format!("{address}/32")];
    assert_eq!(
        rules,
        [
            (host("192.0.2.11"), host("203.0.113.21"), 39990..=40020),
            (host("192.0.2.11"), host("203.0.113.22"), 49980..=50040),
        ]
    );
}

#[test]
fn active_flows_get_one_rule_from_the_servers_to_the_clients() {
    let clients = ["192.0.2.10", "192.0.2.11"];
    let servers = ["203.0.113.21", "203.0.113.22"];
    let sessions = clients.iter().zip([100, 200]).flat_map(|(client, apart)| {
        let offer = move |(server, port): (&&str, u16)| active(client, server, 41000 + port);
        servers.iter().zip([apart, apart + 50]).map(offer)
    });
    let proposal = of(&sessions.collect::<Vec<_>>());
    let [accept] = accepted(&proposal)[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!(texts(&accept.src), ["203.0.113.21/32", "203.0.113.22/32"]);
    assert_eq!(texts(&accept.dst), ["192.0.2.10/31"]);
    // 41100, 41150, 41200, 41250: 50 apart.
    assert_eq!(accept.ports, Some(41050..=41300));
    assert_eq!(accept.protocol, Protocol::TCP);
}

#[test]
fn families_get_rules_of_their_own() {
    let proposal = of(&[
        passive("192.0.2.11", "203.0.113.21", 40000),
        active("2001:db8:1::11", "2001:db8:2::21", 40000),
    ]);
    for rules in [attached(&proposal).len(), accepted(&proposal).len()] {
        assert_eq!(rules, 2);
    }
    for (target, is_ipv6) in [(Target::Iptables, false), (Target::Ip6tables, true)] {
        let set = proposal.ruleset(target);
        let conditions = set.rules().flat_map(|(_, rule)| &rule.conditions);
        let families: Vec<bool> = conditions
            .filter_map(|condition| match &condition.matches {
                Match::Address(_, ranges) => Some(ranges[0].start().is_ipv6()),
                _ => None,
            })
            .collect();
        // Source and destination of two rules.
        assert_eq!(families, [is_ipv6; 4]);
    }
}

/// RFC 2637, 4.1: what GRE has in place of ports are the numbers of calls.
#[test]
fn calls_of_pptp_have_no_ports() {
    let config = firewall("6.18", false);
    let proposal = of_sample("pptp/session.pcap", &config, &Wishes::default());
    let [accept] = accepted(&proposal)[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!((accept.helper, accept.protocol), ("pptp", Protocol::GRE));
    assert_eq!(accept.ports, None);
    let statements = proposal.statements();
    let statement = statements[1].as_deref().unwrap();
    assert!(
        statement.contains("gre") && !statement.contains("port"),
        "{statement}"
    );
}

/// Nothing of those who are bypassed is proposed, and they pass the helpers' chain first, from and to.
#[test]
fn whoever_is_bypassed_gets_no_helper() {
    let sessions = [
        passive("192.0.2.11", "203.0.113.21", 40000),
        passive("192.0.2.11", "198.51.100.21", 40010),
        passive("198.51.100.77", "203.0.113.21", 40020),
    ];
    let wishes = Wishes {
        bypass: vec!["198.51.100.0/24".parse().unwrap()],
        ..Wishes::default()
    };
    let config = firewall("6.18", false);
    let proposal = proposed(&sessions, &config, &wishes);
    assert_eq!(attached(&proposal).len(), 1);
    assert_eq!(texts(&attached(&proposal)[0].clients), ["192.0.2.11/32"]);
    assert_eq!(texts(&attached(&proposal)[0].servers), ["203.0.113.21/32"]);
    for target in [Target::Nftables, Target::Iptables] {
        let set = proposal.ruleset(target);
        let mut chains = set.chains.iter();
        let helpers = chains
            .find(|chain| chain.name.ends_with("helpers"))
            .unwrap();
        let verdicts: Vec<_> = helpers.rules.iter().map(|rule| rule.verdict).collect();
        assert_eq!(
            verdicts,
            [Some(Verdict::Return), Some(Verdict::Return), None]
        );
        assert!(helpers.rules[2].effect.is_some());
    }
    // IPv6 has nobody to pass by.
    assert_eq!(proposal.ruleset(Target::Ip6tables).chains.len(), 0);
}

/// vsftpd on port 2121: `samples/SOURCE.md`.
#[test]
fn a_helper_on_another_port_is_attached_there() {
    let (path, none) = ("ftp/port-2121.pcap", Wishes::default());
    let proposal = of_sample(path, &firewall("6.18", true), &none);
    let [attach] = attached(&proposal)[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!(
        (attach.helper, attach.protocol, attach.port),
        ("ftp", Protocol::TCP, 2121)
    );
    assert_eq!(texts(&attach.servers), ["198.51.100.22/32"]);
    let without = of_sample(path, &firewall("6.18", false), &none);
    assert_eq!(attached(&without), Vec::<&Attach>::new());
    assert_eq!(accepted(&without), Vec::<&Accept>::new());
}

/// Rules name the interfaces of both ends, and first of all sources are checked.
#[test]
fn with_a_topology_rules_name_interfaces() {
    let wishes = Wishes {
        topology: Some(Topology::parse(TWO_SIDES).unwrap()),
        ..Wishes::default()
    };
    let sessions = [
        passive("192.0.2.11", "203.0.113.1", 40000),
        passive("10.1.0.11", "203.0.113.1", 40010),
    ];
    let config = firewall("6.18", false);
    let proposal = proposed(&sessions, &config, &wishes);
    let inputs: Vec<_> = attached(&proposal)
        .iter()
        .map(|rule| (rule.input.as_deref(), texts(&rule.clients)))
        .collect();
    let host = |address: &str| vec![format!("{address}/32")];
    assert_eq!(
        inputs,
        [
            (Some("lan0"), host("192.0.2.11")),
            (Some("lan1"), host("10.1.0.11")),
        ]
    );
    let ends: Vec<_> = accepted(&proposal)
        .iter()
        .map(|rule| (rule.input.as_deref(), rule.output.as_deref()))
        .collect();
    assert_eq!(
        ends,
        [(Some("lan0"), Some("wan0")), (Some("lan1"), Some("wan0"))]
    );
    let set = proposal.ruleset(Target::Nftables);
    let first = &set.chains[0];
    assert_eq!(
        (first.name.as_str(), first.base.unwrap().hook),
        ("unspoofed", Hook::Prerouting)
    );
    assert!(
        first
            .rules
            .iter()
            .any(|rule| rule.verdict == Some(Verdict::Drop))
    );
    let without = of(&sessions).ruleset(Target::Nftables);
    assert!(without.chains.iter().all(|chain| chain.name != "unspoofed"));
}

#[test]
fn iptables_makes_templates_and_nft_sets_helpers() {
    let proposal = of(&[passive("192.0.2.11", "203.0.113.21", 40000)]);
    for (target, is_template) in [(Target::Nftables, false), (Target::Iptables, true)] {
        let set = proposal.ruleset(target);
        let effects: Vec<_> = set
            .rules()
            .filter_map(|(_, rule)| rule.effect.clone())
            .collect();
        assert_eq!(effects.len(), 1);
        assert_eq!(matches!(effects[0], Effect::Template(_)), is_template);
    }
}
