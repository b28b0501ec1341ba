//! Rules in the language of nft(8).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;

use super::{Match, Rule};
use crate::service::Service;
use crate::tuple::Protocol;

/// The declaration of the helper object that a rule sets; `None` for rules that set none.
pub fn object(rule: &Rule) -> Option<String> {
    match &rule.matches {
        Match::Assign { service, .. } => {
            let Service {
                helper, protocol, ..
            } = service;
            let name = object_name(service);
            Some(format!(
                "ct helper {name} {{ type \"{helper}\" protocol {protocol}; }}"
            ))
        }
        _ => None,
    }
}

/// The rule as it stands in a chain.
pub fn rule(rule: &Rule) -> String {
    match &rule.matches {
        Match::Assign { service, clients } if clients.is_empty() => attach(service),
        Match::Assign { service, clients } => {
            let family = family(&service.server);
            format!("{family} saddr {} {}", set(clients), attach(service))
        }
        Match::Related {
            helper,
            protocol,
            src,
            dst,
            ports,
        } => {
            let family = family(dst);
            let what = match *protocol {
                // Its calls have numbers that change each time, and nft does not read them.
                Protocol::GRE => String::from("meta l4proto gre"),
                _ => format!("{protocol} dport {}", range(*ports)),
            };
            format!(
                "ct state related ct helper \"{helper}\" {family} saddr {src} {family} daddr {dst} {what} accept"
            )
        }
        Match::IcmpError(error) => {
            let family = if error.protocol == Protocol::ICMP {
                "icmp"
            } else {
                "icmpv6"
            };
            format!("ct state related {family} type {} accept", error.kind)
        }
    }
}

/// The rule that attaches a helper for whoever comes to the service.
pub fn attach(service: &Service) -> String {
    let Service {
        protocol,
        server,
        port,
        ..
    } = service;
    let (family, name) = (family(server), object_name(service));
    format!("{family} daddr {server} {protocol} dport {port} ct helper set \"{name}\"")
}

/// One name for a helper and protocol, so that the declarations of several services fall together.
fn object_name(service: &Service) -> String {
    format!("{}-{}", service.helper, service.protocol)
}

fn family(address: &IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

fn range((low, high): (u16, u16)) -> String {
    if low == high {
        low.to_string()
    } else {
        format!("{low}-{high}")
    }
}

fn set(addresses: &BTreeSet<IpAddr>) -> String {
    let mut members = addresses.iter();
    match (members.next(), addresses.len()) {
        (Some(only), 1) => only.to_string(),
        (first, _) => {
            let mut text = String::from("{ ");
            for (index, address) in first.into_iter().chain(members).enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(text, "{separator}{address}");
            }
            text + " }"
        }
    }
}
