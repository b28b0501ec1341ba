//! The rules that would keep working what the capture shows, and nothing else.
//!
//! Two kinds go together: one attaches a helper to the control connections that need it, the other accepts what its
//! expectations let in. ICMP errors are RELATED as well and get rules of their own, because path MTU discovery needs
//! them.

pub mod conntrackd;
pub mod nftables;
pub mod prefixes;
pub mod set_up;
pub mod spoofing;
pub mod topology;

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::exposure::{Ends, Exposure, IcmpError};
use crate::service::Service;
use crate::tuple::Protocol;

/// One rule, and what in the capture it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub matches: Match,
    /// How many flows need it; for ICMP, how many packets.
    pub needed_by: u64,
    /// Packets that show it, the first few.
    pub evidence: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Attach the helper to new connections from these clients to this service; from anybody, where none is named.
    Assign {
        service: Service,
        clients: BTreeSet<IpAddr>,
    },
    /// Accept what the helper expects between these ends.
    Related {
        helper: &'static str,
        protocol: Protocol,
        src: IpAddr,
        dst: IpAddr,
        ports: (u16, u16),
    },
    /// Accept this ICMP error about a flow that is known.
    IcmpError(IcmpError),
}

/// The rules for everything that was needed, services in the order of their helpers and addresses.
pub fn recommend(exposure: &Exposure) -> Vec<Rule> {
    let mut rules = Vec::new();
    let needed = || {
        exposure
            .services
            .iter()
            .filter(|(_, service)| service.is_needed())
    };
    for (key, service) in needed() {
        rules.push(Rule {
            matches: Match::Assign {
                service: *key,
                // A list that is not complete would lock somebody out.
                clients: if service.clients_omitted == 0 {
                    service.clients.clone()
                } else {
                    BTreeSet::new()
                },
            },
            needed_by: service.related_flows(),
            evidence: vec![service.first_packet],
        });
    }
    for (_, service) in needed() {
        for (ends, related) in &service.related {
            let &Ends {
                helper,
                protocol,
                src,
                dst,
            } = ends;
            rules.push(Rule {
                matches: Match::Related {
                    helper,
                    protocol,
                    src,
                    dst,
                    ports: related.ports,
                },
                needed_by: related.flows,
                evidence: related.packets.clone(),
            });
        }
    }
    for (error, count) in &exposure.icmp_errors {
        rules.push(Rule {
            matches: Match::IcmpError(*error),
            needed_by: count.packets,
            evidence: vec![count.first],
        });
    }
    rules
}
