//! The proposal as a rule set: which chains, at which hooks, in which order.
//!
//! The rules stand beside those of the firewall and judge RELATED packets alone: what they drop is dropped, what they
//! accept the firewall's own rules may still drop (nft), or have accepted before (iptables: an ACCEPT there ends the
//! table). So they can be loaded first, and a broad `ct state related accept` taken out afterwards, or left.
//!
//! The two languages put the assignment on opposite sides of conntrack (-200): iptables' CT target makes a template for
//! the lookup to come, in raw (-300); nft's `ct helper set` changes the flow that the lookup found.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::{Accept, Attach, Proposal, Proposed, What, spoofing};
use crate::conntrack::State;
use crate::ruleset::{
    Base, Chain, Condition, Effect, End, Family, Helper, Hook, Match, Name, Place, Rule, Ruleset,
    Verdict, Way, nftables,
};
use crate::service::Service;
use crate::tuple::Protocol;
use crate::verdict::counted;

/// What the rules are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// nft, as text or JSON.
    Nftables,
    /// iptables-restore
    Iptables,
    /// ip6tables-restore
    Ip6tables,
}

impl Target {
    fn family(self) -> Family {
        match self {
            Self::Nftables => Family::Inet,
            Self::Iptables => Family::Ipv4,
            Self::Ip6tables => Family::Ipv6,
        }
    }

    /// The families that it has rules for.
    fn has(self, family: Family) -> bool {
        [Family::Inet, family].contains(&self.family())
    }
}

impl Proposal {
    /// The rules as a firewall would have them. The place of one that was proposed is its number, from 1.
    pub fn ruleset(&self, target: Target) -> Ruleset {
        let mut set = Ruleset::default();
        self.unspoofed(target, &mut set);
        for hook in [Hook::Prerouting, Hook::Output] {
            let rules: Vec<Rule> = self
                .of_target(target)
                .filter_map(|(number, rule)| numbered(number, attach(target, rule, hook)))
                .collect();
            if !rules.is_empty() {
                self.helpers(target, hook, rules, &mut set);
            }
        }
        for hook in [Hook::Forward, Hook::Input] {
            let rules: Vec<Rule> = self
                .of_target(target)
                .filter_map(|(number, rule)| numbered(number, accept(rule, hook)))
                .collect();
            if !rules.is_empty() {
                related(target, hook, rules, &mut set);
            }
        }
        set
    }

    /// The chain against forged source addresses, where the interfaces are known.
    fn unspoofed(&self, target: Target, set: &mut Ruleset) {
        let Some(topology) = &self.wishes.topology else {
            return;
        };
        let rules = spoofing::manual(topology).into_iter();
        let rules = rules.filter(|rule| target.has(source_family(rule)));
        let rules: Vec<Rule> = rules.collect();
        match target {
            Target::Nftables => set.chains.push(Chain {
                base: Some(spoofing::BASE),
                ..chain(target, TABLE, "unspoofed", rules)
            }),
            Target::Iptables | Target::Ip6tables => {
                let (hook, when) = (Hook::Prerouting, Vec::new());
                enter(target, hook, when, "unspoofed", rules, set);
            }
        }
    }

    /// Each of the rules as a statement of nft.
    pub fn statements(&self) -> Vec<Option<String>> {
        let target = Target::Nftables;
        let rules = self.rules.iter();
        let rules = rules.filter_map(|proposed| match &proposed.what {
            What::Attach(what) => attach(target, proposed, what.hook),
            What::Accept(Accept { hook, .. }) | What::IcmpError { hook, .. } => {
                accept(proposed, *hook)
            }
        });
        rules.map(|rule| nftables::write_rule(&rule)).collect()
    }

    /// With the number of each, from 1.
    fn of_target(&self, target: Target) -> impl Iterator<Item = (usize, &Proposed)> {
        let rules = (1..).zip(&self.rules);
        rules.filter(move |(_, rule)| target.has(rule.what.family()))
    }

    /// The chain that attaches helpers, behind what goes past it.
    fn helpers(&self, target: Target, hook: Hook, rules: Vec<Rule>, set: &mut Ruleset) {
        let past = self.wishes.bypass.iter().flat_map(|net| {
            let with = |end| Rule {
                conditions: vec![Condition::is(Match::addresses(end, vec![range(net)]))],
                verdict: Some(Verdict::Return),
                comment: Some(String::from("no helper: --bypass")),
                ..Rule::default()
            };
            let of_family = target.has(family(net.addr()));
            [End::Src, End::Dst]
                .map(with)
                .into_iter()
                .filter(move |_| of_family)
        });
        let rules: Vec<Rule> = past.chain(rules).collect();
        let name = match hook {
            Hook::Output => "helpers-own",
            _ => "helpers",
        };
        match target {
            Target::Nftables => set.chains.push(Chain {
                base: Some(Base {
                    hook,
                    priority: BEHIND_CONNTRACK,
                    accepts: true,
                }),
                ..chain(target, TABLE, name, rules)
            }),
            Target::Iptables | Target::Ip6tables => {
                enter(target, hook, Vec::new(), name, rules, set);
            }
        }
    }
}

/// The rule that attaches a helper to whoever comes to the service.
pub fn attaching(service: &Service) -> Rule {
    Rule {
        conditions: vec![
            addresses(End::Dst, &[service.server.into()]),
            protocol(service.protocol),
            Condition::is(Match::Port(End::Dst, vec![service.port..=service.port])),
        ],
        effect: Some(Effect::Help(Helper {
            name: service.helper.to_owned(),
            protocol: service.protocol,
            family: Family::Inet,
        })),
        ..Rule::default()
    }
}

/// The chain that judges RELATED packets: what none of its rules accepts is dropped.
fn related(target: Target, hook: Hook, mut rules: Vec<Rule>, set: &mut Ruleset) {
    let name = match hook {
        Hook::Input => "related-own",
        _ => "related",
    };
    let state = Match::State(vec![State::Related]);
    match target {
        Target::Nftables => {
            let others = Rule {
                conditions: vec![Condition::not(state)],
                verdict: Some(Verdict::Accept),
                comment: Some(String::from("judged elsewhere")),
                ..Rule::default()
            };
            rules.insert(0, others);
            set.chains.push(Chain {
                base: Some(Base {
                    hook,
                    priority: FILTER,
                    accepts: false,
                }),
                ..chain(target, TABLE, name, rules)
            });
        }
        Target::Iptables | Target::Ip6tables => {
            rules.push(Rule {
                verdict: Some(Verdict::Drop),
                ..Rule::default()
            });
            let when = vec![Condition::is(state)];
            enter(target, hook, when, name, rules, set);
        }
    }
}

/// The family of a rule's source addresses.
fn source_family(rule: &Rule) -> Family {
    let mut conditions = rule.conditions.iter();
    let first = conditions.find_map(|condition| match &condition.matches {
        Match::Address(End::Src, ranges) => ranges.first(),
        _ => None,
    });
    first.map_or(Family::Inet, |range| family(*range.start()))
}

fn numbered(number: usize, rule: Option<Rule>) -> Option<Rule> {
    let place = Place {
        file: 0,
        line: number,
    };
    Some(Rule { place, ..rule? })
}

fn chain(target: Target, table: &str, name: &str, rules: Vec<Rule>) -> Chain {
    Chain {
        family: target.family(),
        table: table.to_owned(),
        name: name.to_owned(),
        base: None,
        rules,
    }
}

/// A chain of our own for iptables, and the jump to it from the built-in one at that hook: in raw on the way in, in
/// filter behind.
fn enter(
    target: Target,
    hook: Hook,
    when: Vec<Condition>,
    name: &str,
    rules: Vec<Rule>,
    set: &mut Ruleset,
) {
    let (table, priority, built_in) = match hook {
        Hook::Prerouting => ("raw", RAW, "PREROUTING"),
        Hook::Output => ("raw", RAW, "OUTPUT"),
        Hook::Input => ("filter", FILTER, "INPUT"),
        Hook::Forward | Hook::Postrouting => ("filter", FILTER, "FORWARD"),
    };
    let is_it = |chain: &Chain| chain.table == table && chain.name == built_in;
    let from = set.chains.iter().position(is_it).unwrap_or_else(|| {
        set.chains.push(Chain {
            base: Some(Base {
                hook,
                priority,
                accepts: true,
            }),
            ..chain(target, table, built_in, Vec::new())
        });
        set.chains.len() - 1
    });
    let to = set.chains.len();
    set.chains[from].rules.push(Rule {
        conditions: when,
        verdict: Some(Verdict::Jump(to)),
        ..Rule::default()
    });
    let name = format!("{TABLE}-{name}");
    set.chains.push(chain(target, table, &name, rules));
}

/// The rule that attaches a helper at this hook.
fn attach(target: Target, proposed: &Proposed, hook: Hook) -> Option<Rule> {
    let What::Attach(attach) = &proposed.what else {
        return None;
    };
    if attach.hook != hook {
        return None;
    }
    let helper = |family| Helper {
        name: attach.helper.to_owned(),
        protocol: attach.protocol,
        family,
    };
    // A template is for a flow that is yet to be made, so it need not ask.
    let (state, effect) = match target {
        Target::Nftables => (Some(State::New), Effect::Help(helper(attach.reads))),
        Target::Iptables | Target::Ip6tables => (None, Effect::Template(helper(target.family()))),
    };
    let state = state.map(|state| Condition::is(Match::State(vec![state])));
    let mut conditions = Vec::from_iter(state);
    conditions.extend(interface(Way::In, attach.input.as_deref()));
    conditions.push(addresses(End::Src, &attach.clients));
    conditions.push(addresses(End::Dst, &attach.servers));
    conditions.push(protocol(attach.protocol));
    let port = attach.port..=attach.port;
    conditions.push(Condition::is(Match::Port(End::Dst, vec![port])));
    Some(Rule {
        conditions,
        effect: Some(effect),
        comment: Some(proposed.comment()),
        ..Rule::default()
    })
}

/// The rule that accepts something RELATED at this hook.
fn accept(proposed: &Proposed, hook: Hook) -> Option<Rule> {
    let conditions = match &proposed.what {
        What::Accept(accept) if accept.hook == hook => expected(accept),
        What::IcmpError {
            family,
            kind,
            code,
            hook: at,
        } if *at == hook => icmp_error(*family, *kind, *code),
        _ => return None,
    };
    Some(Rule {
        conditions,
        verdict: Some(Verdict::Accept),
        comment: Some(proposed.comment()),
        ..Rule::default()
    })
}

fn expected(accept: &Accept) -> Vec<Condition> {
    let mut conditions = vec![
        Condition::is(Match::State(vec![State::Related])),
        Condition::is(Match::Helper(accept.helper.to_owned())),
    ];
    conditions.extend(interface(Way::In, accept.input.as_deref()));
    conditions.extend(interface(Way::Out, accept.output.as_deref()));
    conditions.push(addresses(End::Src, &accept.src));
    conditions.push(addresses(End::Dst, &accept.dst));
    conditions.push(protocol(accept.protocol));
    if let Some(ports) = &accept.ports {
        conditions.push(Condition::is(Match::Port(End::Dst, vec![ports.clone()])));
    }
    conditions
}

fn icmp_error(family: Family, kind: u8, code: Option<u8>) -> Vec<Condition> {
    let mut conditions = vec![
        Condition::is(Match::State(vec![State::Related])),
        protocol(family.icmp()),
        Condition::is(Match::IcmpType(family, vec![kind..=kind])),
    ];
    conditions.extend(code.map(|code| Condition::is(Match::IcmpCode(family, vec![code..=code]))));
    conditions
}

fn interface(way: Way, name: Option<&str>) -> Option<Condition> {
    let name = Name {
        text: name?.to_owned(),
        begins: false,
    };
    Some(Condition::is(Match::Interface(way, vec![name])))
}

fn addresses(end: End, nets: &[IpNet]) -> Condition {
    Condition::is(Match::addresses(end, nets.iter().map(range).collect()))
}

fn range(net: &IpNet) -> RangeInclusive<IpAddr> {
    net.network()..=net.broadcast()
}

fn protocol(protocol: Protocol) -> Condition {
    Condition::is(Match::Protocol(vec![protocol.0..=protocol.0]))
}

fn family(address: IpAddr) -> Family {
    if address.is_ipv6() {
        Family::Ipv6
    } else {
        Family::Ipv4
    }
}

impl What {
    /// A rule has addresses of one family.
    fn family(&self) -> Family {
        match self {
            Self::Attach(Attach { servers: nets, .. }) | Self::Accept(Accept { dst: nets, .. }) => {
                let first = nets.first();
                first.map_or(Family::Inet, |net| family(net.addr()))
            }
            Self::IcmpError { family, .. } => *family,
        }
    }
}

impl Proposed {
    /// What the rule stands on, for those who read it in their firewall.
    pub fn comment(&self) -> String {
        let frames: Vec<String> = self.evidence.iter().map(u64::to_string).collect();
        let frames = match self.evidence.len() {
            0 => return String::from("path MTU discovery; none seen"),
            1 => format!("frame {}", frames[0]),
            _ => format!("frames {}", frames.join(", ")),
        };
        let needed = |unit| counted(self.needed_by, unit);
        match &self.what {
            What::IcmpError { .. } => format!("{frames}; {}", needed("packet")),
            What::Accept(Accept {
                ports: Some(ports),
                ports_seen,
                ..
            }) => {
                let all = u64::from(*ports.end()) - u64::from(*ports.start()) + 1;
                let all = counted(all, "port");
                format!("{frames}; {} to {ports_seen} of {all}", needed("flow"))
            }
            What::Attach(_) | What::Accept(_) => format!("{frames}; {}", needed("flow")),
        }
    }
}

/// The table, and what our chains in iptables' tables begin with.
const TABLE: &str = "ctaudit";
/// `NF_IP_PRI_RAW`
const RAW: i32 = -300;
/// `NF_IP_PRI_FILTER`
const FILTER: i32 = 0;
/// After the lookup of conntrack at -200, before everything that the firewall's own rules may do.
const BEHIND_CONNTRACK: i32 = -190;
