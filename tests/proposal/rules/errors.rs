//! ICMP errors: those that ends of flows need.

use std::slice;

use ctaudit::proposal::{Proposal, What};
use ctaudit::ruleset::{Family, Hook};

use super::{of, proposed};
use crate::findings::end;
use crate::proposal::rules::Wishes;
use crate::support::firewall;
use crate::traffic::packet::{ICMP, ICMPV6, ip, udp};

/// Type, code where one is asked for, how many packets it stands on.
type Said = (Family, u8, Option<u8>, u64);

fn errors(proposal: &Proposal) -> Vec<(Hook, Said)> {
    let rules = proposal.rules.iter();
    rules
        .filter_map(|rule| match rule.what {
            What::IcmpError {
                family,
                kind,
                code,
                hook,
            } => Some((hook, (family, kind, code, rule.needed_by))),
            _ => None,
        })
        .collect()
}

/// A question, and errors of these types about it.
fn about(client: &str, server: &str, kinds: &[u8]) -> Vec<Vec<u8>> {
    let (client, server) = (end(client, 40000), end(server, 53));
    let question = udp(client, server, b"?");
    let protocol = if client.address.is_ipv6() {
        ICMPV6
    } else {
        ICMP
    };
    let error = |kind: &u8| {
        let about = [&[*kind, 0, 0, 0, 0, 0, 0, 0], &question[..]].concat();
        ip(server.address, client.address, protocol, about)
    };
    let errors: Vec<_> = kinds.iter().map(error).collect();
    [vec![question.clone()], errors].concat()
}

fn forwarded(sessions: &[Vec<Vec<u8>>]) -> Vec<Said> {
    let errors = errors(&of(sessions));
    assert!(errors.iter().all(|(hook, _)| *hook == Hook::Forward));
    errors.into_iter().map(|(_, said)| said).collect()
}

/// Types 3, 11 and 12 of RFC 792 say why a packet did not arrive. Not 4, which nobody sends any more (RFC 6633), nor 5,
/// which no router forwards (RFC 1122, 3.2.2.2).
#[test]
fn errors_are_accepted_by_their_type() {
    let session = about("192.0.2.11", "203.0.113.53", &[3, 3, 4, 5, 11, 12]);
    assert_eq!(
        forwarded(&[session]),
        [
            (Family::Ipv4, 3, None, 2),
            (Family::Ipv4, 11, None, 1),
            (Family::Ipv4, 12, None, 1),
        ]
    );
}

/// RFC 4443, 3: types 1 to 4. Path MTU discovery is one of them.
#[test]
fn errors_of_ipv6_are_accepted_by_their_type() {
    let session = about("2001:db8:1::11", "2001:db8:3::53", &[1, 3, 4]);
    assert_eq!(
        forwarded(&[session]),
        [
            (Family::Ipv6, 1, None, 1),
            (Family::Ipv6, 2, None, 0),
            (Family::Ipv6, 3, None, 1),
            (Family::Ipv6, 4, None, 1),
        ]
    );
}

/// What path MTU discovery waits for (RFC 1191, 4; RFC 8201, 4) is accepted of each family that there was, seen or not.
#[test]
fn path_mtu_discovery_works_for_the_families_seen() {
    let ipv4 = about("192.0.2.11", "203.0.113.53", &[]);
    let ipv6 = about("2001:db8:1::11", "2001:db8:3::53", &[]);
    let (frag_needed, too_big) = ((Family::Ipv4, 3, Some(4), 0), (Family::Ipv6, 2, None, 0));
    assert_eq!(forwarded(slice::from_ref(&ipv4)), [frag_needed]);
    assert_eq!(forwarded(slice::from_ref(&ipv6)), [too_big]);
    assert_eq!(forwarded(&[ipv4, ipv6]), [frag_needed, too_big]);
    assert_eq!(forwarded(&[]), []);
}

/// To an address of the firewall's own, INPUT has to let it in.
#[test]
fn an_error_to_the_firewall_is_accepted_at_input() {
    let mut config = firewall("6.18", false);
    config.local.push("192.0.2.1/24".parse().unwrap());
    let session = about("192.0.2.1", "203.0.113.53", &[11, 5]);
    let errors = errors(&proposed(&[session], &config, &Wishes::default()));
    let of_input: Vec<Said> = errors
        .into_iter()
        .filter_map(|(hook, said)| (hook == Hook::Input).then_some(said))
        .collect();
    assert_eq!(
        of_input,
        [(Family::Ipv4, 3, Some(4), 0), (Family::Ipv4, 11, None, 1)]
    );
}
