//! TFTP: requests from a service's port, from an ephemeral one, and from TFTP's own.

use super::{Case, end, findings, firewall};
use crate::traffic::packet::udp;

pub const CASES: &[Case] = &[Case {
    entry: "tftp-service-port",
    // With this sender in it, the server may come to the client's SMB.
    shows: || vec![request(445, b"\0\x01")],
    passes: || vec![request(51_445, b"\0\x01")],
    modules: &[],
}];

fn request(port: u16, opcode: &[u8]) -> Vec<u8> {
    let (client, server) = (end("192.0.2.11", port), end("203.0.113.69", 69));
    udp(
        client,
        server,
        &[opcode, b"startup-config\0octet\0"].concat(),
    )
}

#[test]
fn a_write_opens_as_much_as_a_read() {
    assert_eq!(details(vec![request(53, b"\0\x02")]).len(), 1);
}

#[test]
fn asking_from_the_port_that_is_asked_is_no_finding() {
    assert!(details(vec![request(69, b"\0\x01")]).is_empty());
}

#[test]
fn what_is_no_request_opens_nothing() {
    assert!(details(vec![request(445, b"\0\x05")]).is_empty());
}

fn details(packets: Vec<Vec<u8>>) -> Vec<String> {
    let found = findings(packets, firewall(&[]));
    let details = found.into_iter().map(|finding| finding.evidence.detail);
    details.collect()
}
