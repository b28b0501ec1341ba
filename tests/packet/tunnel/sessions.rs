//! Whole sessions in tunnels.

use std::collections::BTreeSet;
use std::path::Path;

use ctaudit::packet::ip;
use ctaudit::packet::link::network_layer;
use ctaudit::packet::tunnel::Kinds;
use ctaudit::replay::{Clock, Replay};
use serde_json::Value;

use super::kinds;
use crate::support::{capture, firewall, lines, read, record, samples};
use crate::traffic::tunnel::{ALL, Wrapping};
use crate::traffic::{Packet, pcap};

/// A session of FTP is the same in any tunnel, and two of them are the same in any tunnel in any other that carries it.
#[test]
fn a_sample_in_a_tunnel_tells_what_it_tells_without() {
    let ftp = samples().into_iter();
    let ftp = ftp.filter(|path| path.parent().unwrap().ends_with("ftp"));
    let (mut inside, mut outside) = (BTreeSet::new(), BTreeSet::new());
    for sample in ftp {
        let plain = record(read(&sample), firewall("6.18", false), Clock::Capture);
        let plain = values(&plain);
        assert!(plain.len() > 10);
        let packets = ip_packets(&sample);
        let is_nested = ["passive.pcap", "eprt-ipv6.pcap"].map(|name| sample.ends_with(name));
        let outers = ALL.iter().filter(|_| is_nested.contains(&true)).map(Some);
        let outers: Vec<Option<&Wrapping>> = [None].into_iter().chain(outers).collect();
        for inner in &ALL {
            for outer in &outers {
                let wrappings: Vec<&Wrapping> = [inner].into_iter().chain(*outer).collect();
                let Some(wrapped) = through(&wrappings, &packets) else {
                    continue;
                };
                let told = told(wrapped, kinds("all"));
                assert_eq!(told.len(), plain.len());
                for (told, plain) in told.into_iter().zip(&plain) {
                    assert_eq!(&without_tunnel(told, inner), plain, "{}", inner.name);
                }
                inside.insert(inner.name);
                outside.extend(outer.map(|outer| outer.name));
            }
        }
    }
    assert_eq!((inside.len(), outside.len()), (ALL.len(), ALL.len()));
}

/// A capture of the packets in these tunnels, the innermost first; `None` where one of them does not carry it.
fn through(wrappings: &[&Wrapping], packets: &[Packet]) -> Option<Vec<u8>> {
    let mut wrapped = packets.to_vec();
    for packet in wrapped.iter_mut().filter(|packet| !packet.ip.is_empty()) {
        for wrapping in wrappings {
            packet.ip = wrapping
                .carries(&packet.ip)
                .then(|| wrapping.around(&packet.ip))?;
        }
    }
    Some(pcap(&wrapped).unwrap())
}

fn told(bytes: Vec<u8>, tunnels: Kinds) -> Vec<Value> {
    let config = firewall("6.18", false);
    let kernel = config.kernel;
    let replay = Replay::new(capture(bytes), config, Clock::Capture);
    values(&lines(replay.decapsulate(tunnels), &kernel))
}

fn values(lines: &[u8]) -> Vec<Value> {
    let lines = lines.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The rest of a record that names this tunnel.
fn without_tunnel(mut told: Value, inner: &Wrapping) -> Value {
    let tunnel = told.as_object_mut().unwrap().remove("tunnel").unwrap();
    assert_eq!(tunnel["kind"], inner.kind);
    assert_eq!(tunnel.get("id").cloned(), inner.id.map(Value::from));
    told
}

/// The IP packets of a capture, without link layer; a frame that has none becomes one of nothing.
pub fn ip_packets(path: &Path) -> Vec<Packet> {
    let mut capture = capture(read(path));
    let mut packets = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        let found = network_layer(frame.link, frame.data);
        let ip = found.map(|bytes| bytes[..ip::total_length(bytes).unwrap()].to_vec());
        packets.push(Packet {
            at_micros: frame.at.nanos() as u64 / 1000,
            ip: ip.unwrap_or_default(),
        });
    }
    packets
}
