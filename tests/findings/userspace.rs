use super::{Case, end, findings, firewall, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::packet::{udp, words};

pub const CASES: &[Case] = &[
    Case {
        entry: "rpc-service-port",
        shows: || rpc(&[(Client, getport(7)), (Server, port(7, 22))]),
        // mountd, as it was on many systems.
        passes: || rpc(&[(Client, getport(7)), (Server, port(7, 635))]),
        modules: &[],
    },
    Case {
        entry: "rpc-unasked",
        shows: || {
            rpc(&[
                (Client, getport(7)),
                (Server, port(7, 2049)),
                (Server, port(0, 40001)),
            ])
        },
        passes: || rpc(&[(Client, getport(0)), (Server, port(0, 40001))]),
        modules: &[],
    },
    Case {
        entry: "tns-redirect",
        shows: || tns("192.0.2.50", 1521),
        passes: || tns("203.0.113.21", 49152),
        modules: &[],
    },
    Case {
        entry: "tns-neighbour",
        shows: || tns("203.0.113.22", 1521),
        passes: || tns("203.0.113.21", 49152),
        modules: &[],
    },
    Case {
        entry: "tns-service-port",
        shows: || tns("203.0.113.22", 3389),
        passes: || tns("203.0.113.22", 1521),
        modules: &[],
    },
    Case {
        entry: "ssdp-elsewhere",
        shows: || ssdp(DEVICE, "203.0.113.5:8080"),
        passes: || ssdp(DEVICE, "192.168.1.40:8080"),
        modules: &[],
    },
    Case {
        entry: "ssdp-service-port",
        shows: || ssdp(DEVICE, "192.168.1.40:22"),
        passes: || ssdp(DEVICE, "192.168.1.40:80"),
        modules: &[],
    },
    Case {
        entry: "ssdp-callback",
        shows: || subscription("198.51.100.1:80"),
        passes: || subscription("192.168.1.11:49200"),
        modules: &[],
    },
    Case {
        entry: "ssdp-foreign",
        shows: || ssdp("203.0.113.5", "203.0.113.5:8080"),
        passes: || ssdp(DEVICE, "192.168.1.40:8080"),
        modules: &[],
    },
    Case {
        entry: "mdns-foreign",
        shows: || multicast("224.0.0.251", 5353, "203.0.113.5"),
        passes: || multicast("224.0.0.251", 5353, "10.0.0.5"),
        modules: &[],
    },
    Case {
        entry: "slp-foreign",
        shows: || multicast("239.255.255.253", 427, "203.0.113.5"),
        passes: || multicast("239.255.255.253", 427, "192.168.1.40"),
        modules: &[],
    },
    Case {
        entry: "dhcpv6-foreign",
        shows: || solicit("2001:db8::5"),
        passes: || solicit("fd00::1"),
        modules: &[],
    },
];

/// conntrackd's helper waits for number 0 when it waits for none, whatever was asked for before.
#[test]
fn an_answer_may_come_before_any_call_and_over_tcp() {
    let mark =
        |message: Vec<u8>| [&words(&[0x8000_0000 | message.len() as u32]), &message[..]].concat();
    let (call, answer) = (mark(getport(7)), mark(port(0, 40001)));
    let found = |said: &[(Side, &[u8])]| {
        found(talk(end("192.0.2.11", 700), end("203.0.113.21", 111), said))
    };
    assert_eq!(found(&[(Server, &answer)]), ["rpc-unasked"]);
    assert_eq!(
        found(&[(Client, &call), (Server, &mark(port(7, 40001)))]),
        [""; 0]
    );
}

fn found(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let findings = findings(packets, firewall(&[]));
    findings.iter().map(|finding| finding.entry.id).collect()
}

/// A client and a portmapper over UDP.
fn rpc(said: &[(Side, Vec<u8>)]) -> Vec<Vec<u8>> {
    let (client, server) = (end("192.0.2.11", 700), end("203.0.113.21", 111));
    let datagram = |(side, message): &(Side, Vec<u8>)| match side {
        Client => udp(client, server, message),
        Server => udp(server, client, message),
    };
    said.iter().map(datagram).collect()
}

/// Where mountd is, over TCP.
fn getport(number: u32) -> Vec<u8> {
    words(&[number, 0, 2, 100_000, 2, 3, 0, 0, 0, 0, 100_005, 3, 6, 0])
}

fn port(number: u32, port: u32) -> Vec<u8> {
    words(&[number, 1, 0, 0, 0, 0, port])
}

/// CONNECT, and the REDIRECT to it.
fn tns(host: &str, port: u16) -> Vec<Vec<u8>> {
    let redirect = format!("(ADDRESS=(PROTOCOL=tcp)(HOST={host})(PORT={port}))");
    let packet = |kind: u8, rest: &[u8]| {
        let [high, low] = (rest.len() as u16 + 8).to_be_bytes();
        [&[high, low, 0, 0, kind, 0, 0, 0], rest].concat()
    };
    let length = (redirect.len() as u16).to_be_bytes();
    let connect = packet(1, &[0; 50]);
    let redirect = packet(5, &[&length, redirect.as_bytes()].concat());
    let said: [(Side, &[u8]); 2] = [(Client, &connect), (Server, &redirect)];
    talk(end("192.0.2.11", 40000), end("203.0.113.21", 1521), &said)
}

const DEVICE: &str = "192.168.1.40";

/// A search, and the answer of this host with the place of its description.
fn ssdp(device: &str, location: &str) -> Vec<Vec<u8>> {
    let asker = end("192.168.1.11", 50000);
    let search =
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nLOCATION: http://{location}/d.xml\r\nST: upnp:rootdevice\r\n\r\n"
    );
    vec![
        udp(asker, end("239.255.255.250", 1900), search),
        udp(end(device, 1900), asker, answer.as_bytes()),
    ]
}

/// A device is found, asked for its description and subscribed to, with its events to be sent there.
fn subscription(callback: &str) -> Vec<Vec<u8>> {
    let mut packets = ssdp(DEVICE, "192.168.1.40:49152");
    let subscribe = format!(
        "SUBSCRIBE /event HTTP/1.1\r\nHOST: 192.168.1.40:49152\r\nCALLBACK: <http://{callback}/>\r\nNT: upnp:event\r\n\r\n"
    );
    let said: [(Side, &[u8]); 1] = [(Client, subscribe.as_bytes())];
    packets.extend(talk(end("192.168.1.11", 50001), end(DEVICE, 49152), &said));
    packets
}

/// A question to a group, and an answer from this host.
fn multicast(group: &str, port: u16, from: &str) -> Vec<Vec<u8>> {
    let asker = end("192.168.1.11", 50000);
    vec![
        udp(asker, end(group, port), b"a question"),
        udp(end(from, port), asker, b"an answer"),
    ]
}

/// SOLICIT, and ADVERTISE from this host.
fn solicit(from: &str) -> Vec<Vec<u8>> {
    let client = end("fd00::11", 546);
    vec![
        udp(client, end("ff02::1:2", 547), &[1, 0, 0, 7]),
        udp(end(from, 547), client, &[2, 0, 0, 7]),
    ]
}
