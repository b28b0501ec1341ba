//! How rules are written, and what cannot be.

use ctaudit::conntrack::State;
use ctaudit::ruleset::{
    Base, Chain, Condition, Effect, End, Family, Helper, Hook, Match, Name, Rule, Ruleset, Verdict,
    Way, iptables,
};
use ctaudit::tuple::Protocol;

use super::understood;

fn chain(table: &str, name: &str, base: Option<(Hook, i32)>, rules: Vec<Rule>) -> Chain {
    let base = base.map(|(hook, priority)| Base {
        hook,
        priority,
        accepts: true,
    });
    Chain {
        family: Family::Inet,
        table: table.to_owned(),
        name: name.to_owned(),
        base,
        rules,
    }
}

fn rule(conditions: Vec<Condition>, verdict: Verdict) -> Rule {
    Rule {
        conditions,
        verdict: Some(verdict),
        ..Rule::default()
    }
}

fn single(matches: Match) -> Ruleset {
    let rules = vec![rule(vec![Condition::is(matches)], Verdict::Accept)];
    Ruleset {
        chains: vec![chain("filter", "FORWARD", Some((Hook::Forward, 0)), rules)],
        unread: Vec::new(),
    }
}

#[test]
fn a_proposal_looks_as_iptables_save_would_show_it() {
    let to = |address: &str| {
        let address = address.parse().unwrap();
        Condition::is(Match::addresses(End::Dst, vec![address..=address]))
    };
    let tcp = || Condition::is(Match::Protocol(vec![6..=6]));
    let dport = |range| Condition::is(Match::Port(End::Dst, vec![range]));
    let attach = Rule {
        conditions: vec![to("198.51.100.21"), tcp(), dport(21..=21)],
        effect: Some(Effect::Template(Helper {
            name: "ftp".to_owned(),
            protocol: Protocol::TCP,
            family: Family::Inet,
        })),
        comment: Some("needed by \"12\" flows\n".to_owned()),
        ..Rule::default()
    };
    let related = || Condition::is(Match::State(vec![State::Related]));
    let helper = Condition::is(Match::Helper("ftp".to_owned()));
    let ranged = ["192.0.2.11", "192.0.2.12"].map(|address| address.parse().unwrap());
    let from = Condition::is(Match::addresses(End::Src, vec![ranged[0]..=ranged[1]]));
    let come = vec![related(), helper, from, tcp(), dport(1024..=65535)];
    let rules = Ruleset {
        chains: vec![
            chain(
                "raw",
                "PREROUTING",
                Some((Hook::Prerouting, -300)),
                vec![attach],
            ),
            chain(
                "filter",
                "FORWARD",
                Some((Hook::Forward, 0)),
                vec![rule(vec![related()], Verdict::Jump(2))],
            ),
            chain("filter", "related", None, vec![rule(come, Verdict::Accept)]),
        ],
        unread: Vec::new(),
    };
    let head = ["from monday.pcap".to_owned()];
    let text = iptables::write(&rules, Family::Ipv4, &head).unwrap();
    assert_eq!(
        text,
        "# iptables\n# from monday.pcap\n\
         *raw\n\
         -A PREROUTING -d 198.51.100.21/32 -p tcp -m tcp --dport 21 -m comment --comment \"needed by 12 flows\" -j CT --helper ftp\n\
         COMMIT\n\
         *filter\n\
         :related - [0:0]\n\
         -I FORWARD 1 -m conntrack --ctstate RELATED -j related\n\
         -A related -p tcp -m tcp --dport 1024:65535 -m conntrack --ctstate RELATED -m helper --helper ftp -m iprange --src-range 192.0.2.11-192.0.2.12 -j ACCEPT\n\
         COMMIT\n"
    );
    assert_eq!(understood(&text).chains.len(), 3);
    // Of IPv4 addresses, nothing is left for ip6tables but the jump.
    let text = iptables::write(&rules, Family::Ipv6, &[]).unwrap();
    assert_eq!(
        text,
        "# ip6tables\n*filter\n:related - [0:0]\n\
         -I FORWARD 1 -m conntrack --ctstate RELATED -j related\nCOMMIT\n"
    );
}

#[test]
fn what_iptables_cannot_say_is_an_error() {
    let name = |text: &str, begins| Name {
        text: text.to_owned(),
        begins,
    };
    for matches in [
        Match::Unknown("meta mark 1".to_owned()),
        Match::Port(End::Dst, vec![21..=21]),
        Match::IcmpCode(Family::Ipv4, vec![4..=4]),
        Match::IcmpType(Family::Ipv4, vec![255..=255]),
        Match::Protocol(vec![0..=6]),
        Match::Helper("ftp-2121".to_owned()),
        Match::HelperBegins("ftp\n-A INPUT -j ACCEPT".to_owned()),
        Match::Interface(Way::In, vec![name("eth+", false)]),
        Match::Interface(Way::In, vec![name("a234567890123456", false)]),
        Match::Interface(Way::In, vec![name("e -j ACCEPT", false)]),
    ] {
        let rules = single(matches.clone());
        iptables::write(&rules, Family::Ipv4, &[]).expect_err(&format!("{matches:?}"));
    }
}

#[test]
fn chains_that_iptables_cannot_have_are_errors() {
    for (table, name, base) in [
        ("mine", "FORWARD", Some((Hook::Forward, 0))),
        ("filter", "FORWARD", Some((Hook::Forward, 1))),
        ("filter", "FORWARD", Some((Hook::Input, 0))),
        ("filter", "forward", Some((Hook::Forward, 0))),
        ("filter", "FORWARD", None),
        ("filter", "ACCEPT", None),
        ("filter", "two words", None),
        ("filter", "-A", None),
        ("filter", "a name of more than 28 letters", None),
    ] {
        let rules = Ruleset {
            chains: vec![chain(table, name, base, Vec::new())],
            unread: Vec::new(),
        };
        iptables::write(&rules, Family::Ipv4, &[]).expect_err(name);
    }
    let twice = chain("filter", "FORWARD", Some((Hook::Forward, 0)), Vec::new());
    let rules = Ruleset {
        chains: vec![twice.clone(), twice],
        unread: Vec::new(),
    };
    iptables::write(&rules, Family::Ipv4, &[]).unwrap_err();
    iptables::write(&rules, Family::Inet, &[]).unwrap_err();
}
