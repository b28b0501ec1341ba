//! What conntrackd's helpers expect: services behind portmappers and listeners, and who answers to a group.

use super::place::{are_neighbours, is_private, opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity};
use crate::conntrack::event::{ConntrackRecord, ExpectationRecord};
use crate::helper::reasons::FOREIGN_CALLBACK;
use crate::tuple::Protocol;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "rpc-service-port",
        title: "A portmapper that names the port of a service that is no RPC program",
        severity: Severity::Medium,
        helpers: &["rpc"],
        wire: "an answer to GETPORT with a port below 512, or that of a well-known service",
        alike: "ports from 512 to 1023, where many RPC programs listen (mountd, nlockmgr, status), 2049 (nfs), and 111, \
                the portmapper's own",
        references: &["RFC 1833, 3"],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record).filter(|port| !matches!(port, 111 | 512..1024 | 2049))?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "rpc-unasked",
        title: "A portmapper's answer that nobody asked for",
        severity: Severity::Medium,
        helpers: &["rpc"],
        wire: "an answer with a transaction number, 0, that no call before had: the helper believes it all the same",
        alike: "an answer to a call with the number 0; a call in a segment that the capture does not hold",
        references: &["conntrack-tools, src/helpers/rpc.c"],
        matcher: Matcher::Expected(|dialogue, heard, record| {
            let number = dialogue.rpc()?.unasked(dialogue.original.protocol, heard)?;
            let detail = || format!("number {number}: {}", opened(record));
            dialogue.is_whole().then(|| Evidence::of(detail()))?
        }),
    },
    Entry {
        id: "tns-redirect",
        title: "A database listener that sends its client to another network",
        severity: Severity::Medium,
        helpers: &["tns"],
        wire: "a REDIRECT to a host that is neither end and not in the listener's network (the first 24 bits)",
        alike: "another port of the listener's own host; a neighbour, as listeners of a cluster name them; a cluster \
                that spans networks",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            record
                .third_host()
                .filter(|&host| !are_neighbours(host, record.master.dst))?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "tns-neighbour",
        title: "A database listener that sends its client to its neighbour",
        severity: Severity::Note,
        helpers: &["tns"],
        wire: "a REDIRECT to a host that is neither end, in the listener's network",
        alike: "another port of the listener's own host",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            record
                .third_host()
                .filter(|&host| are_neighbours(host, record.master.dst))?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "tns-service-port",
        title: "A database listener that names the port of a service",
        severity: Severity::Medium,
        helpers: &["tns"],
        wire: "a REDIRECT to a port below 1024, or that of a well-known service",
        alike: "1521, where other listeners are",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record).filter(|&port| port != 1521)?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "ssdp-elsewhere",
        title: "A device whose description is at a third host",
        severity: Severity::Medium,
        helpers: &["ssdp"],
        wire: "an answer to a search whose LOCATION names a host that neither asked nor answered, not in the network of \
               either: anybody may connect there",
        alike: "a device with an address in several networks",
        references: &["UPnP Device Architecture 1.1, 1.3.3"],
        matcher: Matcher::Expected(|_, _, record| {
            let ends = [record.master.src, record.master.dst];
            record
                .third_host()
                .filter(|&host| !ends.iter().any(|&end| are_neighbours(host, end)))?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "ssdp-service-port",
        title: "A device that has the port of a service opened to anybody",
        severity: Severity::Medium,
        helpers: &["ssdp"],
        wire: "LOCATION or CALLBACK with a port below 1024, or that of a well-known service",
        alike: "80 and 443, where descriptions may be",
        references: &["UPnP Device Architecture 1.1, 1.3.3"],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record).filter(|port| ![80, 443].contains(port))?;
            let over_tcp = record.expectation.protocol == Protocol::TCP;
            over_tcp.then(|| Evidence::of(opened(record)))?
        }),
    },
    Entry {
        id: "ssdp-callback",
        title: "A subscriber that wants events sent to somebody else",
        severity: Severity::Low,
        helpers: &["ssdp"],
        wire: "a SUBSCRIBE whose CALLBACK names another host than the speaker: the device is to connect there",
        alike: "a subscriber with several addresses",
        references: &["CVE-2020-12695"],
        matcher: Matcher::Declined(|dialogue, _, reason, _| {
            let subscriber = dialogue.original.src;
            (reason == FOREIGN_CALLBACK).then(|| Evidence::of(format!("not {subscriber}")))?
        }),
    },
    Entry {
        id: "ssdp-foreign",
        title: "Somebody from outside, who answers a search or asks for a description",
        helpers: &["ssdp"],
        wire: "a flow from an address of the internet to the port that a search came from, or that LOCATION names, at a \
               private address: the helper lets anybody in",
        references: &["UPnP Device Architecture 1.1, 1.3.3"],
        ..FOREIGN
    },
    Entry {
        id: "mdns-foreign",
        title: "An answer to a multicast question for names, from outside",
        helpers: &["mdns"],
        references: &["RFC 6762, 11"],
        ..FOREIGN
    },
    Entry {
        id: "slp-foreign",
        title: "An answer to a multicast question for services, from outside",
        helpers: &["slp"],
        references: &["RFC 2608, 6.1"],
        ..FOREIGN
    },
    Entry {
        id: "dhcpv6-foreign",
        title: "An answer to a search for DHCPv6 servers, from outside",
        helpers: &["dhcpv6"],
        references: &["RFC 8415, 7.1"],
        ..FOREIGN
    },
];

/// Whoever asks a group is heard in its own network alone.
const FOREIGN: Entry = Entry {
    id: "",
    title: "",
    severity: Severity::Low,
    helpers: &[],
    wire: "a flow from an address of the internet to the port that a question to a group was asked from, at a private \
           address: the helper lets anybody in",
    alike: "an answer from another private network, or to a question from an address of the internet",
    references: &[],
    matcher: Matcher::Guest(outsider),
};

fn outsider(expected: &ExpectationRecord, record: &ConntrackRecord) -> Option<Evidence> {
    let (src, dst) = (record.original.src, expected.expectation.dst_addr.value);
    let comes_from_outside = is_private(dst) && !is_private(src);
    let detail = || format!("from {src} to {dst}");
    comes_from_outside.then(|| Evidence::with(detail(), [expected.packet]))?
}
