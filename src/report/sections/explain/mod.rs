//! `ctaudit explain`: everything about one packet.

mod bytes;
mod causes;
mod flow;

use std::net::IpAddr;

use super::{clock, endpoint};
use crate::conntrack::event::ConntrackRecord;
use crate::conntrack::{Examined, payload};
use crate::explain::{Brought, Explanation, Frame, Packet};
use crate::packet::Unseen;
use crate::packet::link;
use crate::report::page::{Page, Table};
use crate::tuple::{Protocol, Tuple};

/// What there is to say of a frame; of its packet, if it has one, that was examined.
pub fn explanation(explanation: &Explanation, frame: &Frame, examined: Option<&Examined>) -> Page {
    let mut all = Page::default();
    let page = &mut all;
    of_frame(page, frame);
    let (Brought::Packet(packet), Some(examined)) = (&frame.brought, examined) else {
        causes::late(page, frame);
        return all;
    };
    verdict(page, frame, examined);
    flow::before_and_after(page, examined);
    flow::window(page, packet, examined);
    bytes::read(page, explanation, frame, packet, examined);
    causes::late(page, frame);
    causes::caused(page, frame);
    causes::fates(page, explanation, frame);
    all
}

fn of_frame(page: &mut Page, frame: &Frame) {
    page.heading(format!("Frame {}", frame.number), clock(frame.at));
    let mut table = Table::new(&["field", "value"], &[]);
    table.row(["link", &link::described(frame.link)]);
    let interface = match &frame.interface_name {
        // A name is whatever the capture says.
        Some(name) => format!("{}, {}", frame.interface, name.escape_debug()),
        None => frame.interface.to_string(),
    };
    table.row(["interface", &interface]);
    table.row(["captured", &format!("{} bytes", frame.captured)]);
    let Brought::Packet(packet) = &frame.brought else {
        page.table(table);
        page.text(without_packet(&frame.brought));
        return;
    };
    if let Some(tunnel) = packet.tunnel {
        let id = tunnel.id.map_or_else(String::new, |id| format!(" {id}"));
        let (kind, src, dst) = (tunnel.kind.name(), tunnel.src, tunnel.dst);
        table.row(["taken out of", &format!("{kind}{id}, {src} to {dst}")]);
    }
    table.row(["packet", &addressed(packet)]);
    table.row(["IP", &ip(packet)]);
    transport(&mut table, packet);
    page.table(table);
    if packet.fragmented {
        page.text(
            "It was put together from fragments, of which this frame brought the last. Which frames brought the others is \
             not kept.",
        );
    }
}

fn without_packet(brought: &Brought) -> String {
    match brought {
        Brought::Packet(_) => String::new(),
        Brought::Other(why) => format!("It holds no IP packet: {}.", why.name()),
        Brought::Duplicate => {
            "Its packet was captured before, and counts once: see the frame before it that holds the same.".to_owned()
        }
        Brought::Unseen(why) => {
            let sequel = match why {
                Unseen::Fragment => " What they become together is told of the frame that completes them.",
                _ => "",
            };
            format!("Its packet never comes to the rules: {}.{sequel}", why.name())
        }
    }
}

fn ip(packet: &Packet) -> String {
    let length = packet.datagram.len();
    let cut = match packet.captured < length {
        true => format!(
            ", of which {} were captured and the rest counts as zeros",
            packet.captured
        ),
        false => String::new(),
    };
    format!("{length} bytes, hop limit {}{cut}", packet.hop_limit)
}

fn addressed(packet: &Packet) -> String {
    let (src, dst) = (packet.src, packet.dst);
    let Some((protocol, _)) = packet.transport else {
        return format!("{src} to {dst}");
    };
    match (protocol, packet.transport_bytes()) {
        (Protocol::ICMP | Protocol::ICMPV6, &[kind, code, ..]) => {
            format!("{protocol} {src} to {dst}, type {kind} code {code}")
        }
        (
            Protocol::TCP | Protocol::UDP | Protocol::SCTP | Protocol::DCCP | Protocol::UDPLITE,
            &[a, b, c, d, ..],
        ) => {
            let [sport, dport] = [[a, b], [c, d]].map(u16::from_be_bytes);
            format!(
                "{protocol} {} to {}",
                endpoint(src, sport),
                endpoint(dst, dport)
            )
        }
        _ => format!("{protocol} {src} to {dst}"),
    }
}

fn transport(table: &mut Table, packet: &Packet) {
    let Some((protocol, _)) = packet.transport else {
        table.row(["transport", "no header of a transport protocol"]);
        return;
    };
    let Some((seq, header, payload)) = payload(protocol, packet.transport_bytes()) else {
        let length = packet.transport_bytes().len();
        table.row(["transport", &format!("{length} bytes")]);
        return;
    };
    // A TCP header; that of UDP ends before.
    if let Some(&[a, b, c, d, _, flags, high, low]) = header.get(8..).and_then(<[u8]>::first_chunk)
    {
        let ack = u32::from_be_bytes([a, b, c, d]);
        let window = u16::from_be_bytes([high, low]);
        let flags = tcp_flags(flags);
        table.row([
            "TCP",
            &format!("{flags}, seq {seq}, ack {ack}, window {window}"),
        ]);
    }
    table.row(["payload", &format!("{} bytes", payload.len())]);
}

fn tcp_flags(bits: u8) -> String {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let names = names.iter().enumerate();
    let set = names.filter(|(bit, _)| bits >> bit & 1 != 0);
    let set: Vec<&str> = set.map(|(_, name)| *name).collect();
    match set.is_empty() {
        true => "no flags".to_owned(),
        false => set.join(" "),
    }
}

fn verdict(page: &mut Page, frame: &Frame, examined: &Examined) {
    let verdict = &frame.verdict;
    page.heading("Verdict", verdict.state.name());
    let mut table = Table::new(&["field", "value"], &[]);
    if let Some(direction) = verdict.direction {
        let nth = match verdict.nth {
            0 => String::new(),
            nth => format!(", number {nth} of this direction"),
        };
        table.row(["direction", &format!("{}{nth}", direction.name())]);
    }
    if let Some(reason) = verdict.reason {
        table.row(["reason", reason.name()]);
    }
    let passes = match verdict.dropped {
        Some(true) => "no",
        Some(false) => "yes, unless a rule drops it",
        None => "the firewall itself takes it in",
    };
    table.row(["passes", passes]);
    let flow = examined.after.as_ref().or(examined.before.as_ref());
    let helper = flow.and_then(|flow| flow.record.helper);
    table.row(["helper of the flow", helper.unwrap_or("none")]);
    // What `ct helper` matches: of an expected flow, and of no other.
    table.row(["helper of the master", verdict.helper.unwrap_or("none")]);
    page.table(table);
}

/// A tuple in words.
fn tuple(tuple: &Tuple) -> String {
    let Tuple {
        src,
        dst,
        sport,
        dport,
        protocol,
    } = *tuple;
    let ends = |src: String, dst: String| format!("{protocol} {src} to {dst}");
    let keyed = |address: IpAddr, key: u16| format!("{address} key {key:#x}");
    match (protocol, tuple.icmp()) {
        (_, Some([kind, code])) => {
            format!("{protocol} {src} to {dst}, type {kind} code {code} id {sport}")
        }
        (Protocol::GRE, _) => ends(keyed(src, sport), keyed(dst, dport)),
        _ if (sport, dport) == (0, 0) => ends(src.to_string(), dst.to_string()),
        _ => ends(endpoint(src, sport), endpoint(dst, dport)),
    }
}

/// The names of its status bits.
fn status(record: &ConntrackRecord) -> String {
    let names: Vec<&str> = record.status.names().collect();
    names.join(" ")
}
