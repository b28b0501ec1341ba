//! The rules that keep working what the capture shows, and nothing else.
//!
//! Two kinds go together: one attaches a helper to the control connections that need it, the other accepts what its
//! expectations let in. ICMP errors are RELATED as well and get rules of their own, because path MTU discovery needs
//! them. Which flows are needed, and for whom, is the exposure's; here it becomes as few rules as say just that.

pub mod conntrackd;
mod layout;
mod pairs;
mod ports;
pub mod prefixes;
pub mod set_up;
pub mod spoofing;

pub use layout::{Target, attaching};

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::expectation;
use crate::exposure::{Ends, Exposure, IcmpErrors, Related, Use};
use crate::helper::Modules;
use crate::ruleset::{Family, Hook};
use crate::service::{Service, Sighting};
use crate::topology::Topology;
use crate::tuple::Protocol;
use pairs::Pairs;

/// What the reader of the rules wants of them.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Addresses that were not seen, and that a rule's list of addresses may contain so as to be shorter.
    pub widen: u64,
    /// Connections from and to these get no helper.
    pub bypass: Vec<IpNet>,
    /// Which interface addresses are behind.
    pub topology: Option<Topology>,
}

/// The rules, and what they were made of.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// In their order: helpers are attached, what they let in, ICMP errors.
    pub rules: Vec<Proposed>,
    /// What was asked for.
    pub wishes: Wishes,
    /// Which interface addresses are behind: as wished, or as the capture shows it.
    pub interfaces: Option<Topology>,
    /// Some helper runs in conntrackd.
    pub needs_conntrackd: bool,
    /// Flows that came for an expectation, between more ends than rules are made for.
    pub flows_omitted: u64,
}

/// One rule, and what in the capture it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What it does.
    pub what: What,
    /// How many flows need it; of ICMP errors, how many packets.
    pub needed_by: u64,
    /// Packets that show it, the first few.
    pub evidence: Vec<u64>,
}

/// What a proposed rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Attaches a helper to new flows.
    Attach(Attach),
    /// Accepts what its expectations let in.
    Accept(Accept),
    /// Accepts ICMP errors about flows.
    IcmpError {
        /// Whose ICMP it is.
        family: Family,
        /// The type.
        kind: u8,
        /// `None` for any.
        code: Option<u8>,
        /// INPUT for errors to the firewall itself.
        hook: Hook,
    },
}

/// Attach the helper to new connections from these clients to these servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// By the name that rules use.
    pub helper: &'static str,
    /// The families that the helper reads.
    pub reads: Family,
    /// Of the control connection.
    pub protocol: Protocol,
    /// The server's.
    pub port: u16,
    /// Who opens control connections, in the fewest prefixes.
    pub clients: Vec<IpNet>,
    /// To whom, likewise.
    pub servers: Vec<IpNet>,
    /// OUTPUT for connections of the firewall's own.
    pub hook: Hook,
    /// The interface that the clients are behind, where it is known.
    pub input: Option<String>,
}

/// Accept what the helper's expectations let in from here to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The helper of the flow's master.
    pub helper: &'static str,
    /// Of the flow that came.
    pub protocol: Protocol,
    /// Who opens it, in the fewest prefixes.
    pub src: Vec<IpNet>,
    /// To whom, likewise.
    pub dst: Vec<IpNet>,
    /// `None` for what has no ports.
    pub ports: Option<RangeInclusive<u16>>,
    /// Different ones of them that were seen; more than a thousand are not told apart.
    pub ports_seen: usize,
    /// INPUT for what comes to the firewall itself.
    pub hook: Hook,
    /// The interface that `src` is behind, where it is known.
    pub input: Option<String>,
    /// The interface that `dst` is behind, where it is known.
    pub output: Option<String>,
}

/// Of expected flows, which end is the service's server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// To the server; each has a range of ports of its own.
    To(IpAddr),
    From,
    /// Both are others, or clients of the server.
    Beside,
}

impl Proposal {
    /// The rules for everything that was needed. `local` are the firewall's own addresses.
    pub fn of(exposure: &Exposure, modules: &Modules, local: &[IpNet], wishes: Wishes) -> Self {
        let hosts = exposure.interfaces.iter();
        let hosts = hosts.filter_map(|(host, name)| Some((*host, name.clone()?)));
        let shown = || Topology::of_hosts(&hosts.collect());
        let interfaces = wishes.topology.clone().or_else(shown);
        let needs = Needs {
            exposure,
            modules,
            local,
            wishes: &wishes,
            interfaces: interfaces.as_ref(),
        };
        let mut rules = needs.attached();
        rules.extend(needs.accepted());
        let accepts = |rule: &Proposed| matches!(&rule.what, What::Accept(accept) if accept.hook == Hook::Input);
        let judges_input = rules.iter().any(accepts);
        rules.extend(needs.icmp_errors(judges_input));
        let needs_conntrackd = !conntrackd::instances(&rules, modules).is_empty();
        Self {
            rules,
            wishes,
            interfaces,
            needs_conntrackd,
            flows_omitted: exposure.rooms.flows_omitted(),
        }
    }

    /// The helpers that rules attach.
    pub fn attached(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().filter_map(|rule| match &rule.what {
            What::Attach(attach) => Some(attach.helper),
            _ => None,
        })
    }
}

struct Needs<'n> {
    exposure: &'n Exposure,
    modules: &'n Modules,
    local: &'n [IpNet],
    wishes: &'n Wishes,
    interfaces: Option<&'n Topology>,
}

impl Needs<'_> {
    /// Every needed flow that rules have to let pass, by its service and ends.
    fn related(&self) -> impl Iterator<Item = (&Service, &Ends, &Related)> {
        let services = self.exposure.services.iter();
        let related = services.flat_map(|(service, usage): (_, &Use)| {
            let related = usage.related.iter();
            related.map(move |(ends, flows)| (service, ends, flows))
        });
        related.filter(|(service, ends, _)| {
            !self.bypasses(service.server) && !self.bypasses(ends.client)
        })
    }

    fn bypasses(&self, address: IpAddr) -> bool {
        self.wishes.bypass.iter().any(|net| net.contains(&address))
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.local.iter().any(|own| own.addr() == address)
    }

    fn interface(&self, address: IpAddr) -> Option<String> {
        self.interfaces?.interface_of(address).map(str::to_owned)
    }

    fn attached(&self) -> Vec<Proposed> {
        let mut groups: BTreeMap<_, Pairs> = BTreeMap::new();
        for (service, ends, flows) in self.related() {
            let hook = match self.is_own(ends.client) {
                true => Hook::Output,
                false => Hook::Prerouting,
            };
            let input = self
                .interface(ends.client)
                .filter(|_| hook == Hook::Prerouting);
            let key = (service.helper, service.protocol, service.port, hook, input);
            let pairs = groups.entry(key).or_default();
            pairs.add(ends.client, service.server, flows);
        }
        let rules = groups.into_iter().flat_map(|(key, pairs)| {
            let (helper, protocol, port, hook, input) = key;
            pairs.rectangles().into_iter().map(move |rectangle| {
                let attach = Attach {
                    helper,
                    reads: self.families(helper),
                    protocol,
                    port,
                    clients: prefixes::cover(&rectangle.src, self.wishes.widen),
                    servers: prefixes::cover(&rectangle.dst, self.wishes.widen),
                    hook,
                    input: input.clone(),
                };
                Proposed::of(What::Attach(attach), &rectangle.flows)
            })
        });
        rules.collect()
    }

    fn families(&self, helper: &str) -> Family {
        let registered = self.modules.registered_as(helper);
        registered.map_or(Family::Inet, |registered| registered.spec.families.into())
    }

    fn accepted(&self) -> Vec<Proposed> {
        let mut groups: BTreeMap<_, (Pairs, Vec<u16>)> = BTreeMap::new();
        for (service, ends, flows) in self.related() {
            // What the firewall itself opens, no hook judges that these rules are at.
            if self.is_own(ends.src) {
                continue;
            }
            let (hook, output) = match self.is_own(ends.dst) {
                true => (Hook::Input, None),
                false => (Hook::Forward, self.interface(ends.dst)),
            };
            let role = match service.server {
                server if server == ends.dst => Role::To(server),
                server if server == ends.src => Role::From,
                _ => Role::Beside,
            };
            let input = self.interface(ends.src);
            let key = (ends.helper, ends.protocol, hook, role, input, output);
            let (pairs, services) = groups.entry(key).or_default();
            pairs.add(ends.src, ends.dst, flows);
            services.push(service.port);
        }
        let rules = groups.into_iter().flat_map(|(key, (pairs, services))| {
            let (helper, protocol, hook, _, input, output) = key;
            pairs.rectangles().into_iter().map(move |rectangle| {
                let accept = Accept {
                    helper,
                    protocol,
                    src: prefixes::cover(&rectangle.src, self.wishes.widen),
                    dst: prefixes::cover(&rectangle.dst, self.wishes.widen),
                    ports: ports::range(protocol, &rectangle.flows, &services),
                    ports_seen: rectangle.flows.ports.seen.len(),
                    hook,
                    input: input.clone(),
                    output: output.clone(),
                };
                Proposed::of(What::Accept(accept), &rectangle.flows)
            })
        });
        rules.collect()
    }

    /// Each type that was seen; and what path MTU discovery needs of the families that were, seen or not, wherever there
    /// are rules that drop the rest.
    fn icmp_errors(&self, judges_input: bool) -> Vec<Proposed> {
        let mut rules = Vec::new();
        for (hook, of) in [
            (Hook::Forward, forwarded as fn(&IcmpErrors) -> Sighting),
            (Hook::Input, |errors| errors.delivered),
        ] {
            let seen = self.exposure.icmp_errors.iter();
            let seen = seen.map(|(error, errors)| (error, of(errors)));
            let mut seen: BTreeMap<(Family, u8), Sighting> = seen
                .filter(|(_, seen)| seen.times > 0)
                .map(|(error, seen)| ((family(error.protocol), error.kind), seen))
                .filter(|((family, kind), _)| kept(*family).contains(kind))
                .collect();
            let judges = hook == Hook::Forward || judges_input || !seen.is_empty();
            for (family, packets) in [Family::Ipv4, Family::Ipv6]
                .into_iter()
                .zip(self.exposure.totals.families)
            {
                let kind = path_mtu(family).0;
                if judges && packets > 0 {
                    seen.entry((family, kind)).or_default();
                }
            }
            rules.extend(seen.into_iter().map(|((family, kind), seen)| Proposed {
                what: What::IcmpError {
                    family,
                    kind,
                    code: path_mtu(family).1.filter(|_| seen.times == 0),
                    hook,
                },
                needed_by: seen.times,
                evidence: Vec::from_iter((seen.times > 0).then_some(seen.first)),
            }));
        }
        rules
    }
}

/// For people; `Proposal::statements` is for machines.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attach(attach) => write!(
                f,
                "attach {} to {} dport {} of {}, for {}",
                attach.helper,
                attach.protocol,
                attach.port,
                Nets(&attach.servers),
                Nets(&attach.clients)
            ),
            Self::Accept(accept) => {
                write!(
                    f,
                    "accept related {} of {}, {} to {}",
                    accept.protocol,
                    accept.helper,
                    Nets(&accept.src),
                    Nets(&accept.dst)
                )?;
                match accept.ports.clone().map(RangeInclusive::into_inner) {
                    None => Ok(()),
                    Some((low, high)) if low == high => write!(f, " dport {low}"),
                    Some((low, high)) => write!(f, " dport {low}-{high}"),
                }
            }
            Self::IcmpError {
                family, kind, code, ..
            } => {
                write!(f, "accept related {} type {kind}", family.icmp())?;
                match code {
                    None => Ok(()),
                    Some(code) => write!(f, " code {code}"),
                }
            }
        }
    }
}

/// Networks, hosts without their prefix lengths.
struct Nets<'n>(&'n [IpNet]);

impl fmt::Display for Nets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, net) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", expectation::network(*net))?;
        }
        Ok(())
    }
}

impl Proposed {
    fn of(what: What, flows: &Related) -> Self {
        Self {
            what,
            needed_by: flows.flows,
            evidence: flows.packets.clone(),
        }
    }
}

fn forwarded(errors: &IcmpErrors) -> Sighting {
    errors.forwarded
}

fn family(protocol: Protocol) -> Family {
    if protocol == Protocol::ICMPV6 {
        Family::Ipv6
    } else {
        Family::Ipv4
    }
}

/// Types of ICMP errors that ends of flows need: not source quench, which nobody may send any more (RFC 6633), and not
/// redirects, which are for a host's first hop and no router's to forward (RFC 1122, 3.2.2.2).
pub fn kept(family: Family) -> &'static [u8] {
    match family {
        Family::Ipv6 => &[1, 2, 3, 4],
        Family::Ipv4 | Family::Inet => &[3, 11, 12],
    }
}

/// Type and code of the error that path MTU discovery waits for (RFC 1191, 4; RFC 8201, 4).
fn path_mtu(family: Family) -> (u8, Option<u8>) {
    match family {
        Family::Ipv6 => (2, None),
        Family::Ipv4 | Family::Inet => (3, Some(4)),
    }
}
