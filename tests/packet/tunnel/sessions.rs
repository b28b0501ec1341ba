//! Whole sessions in tunnels.

use ctaudit::packet::tunnel::Kinds;
use ctaudit::replay::{Clock, Replay};
use serde_json::Value;

use super::kinds;
use crate::support::{capture, firewall, ip_packets, lines, read, record, samples};
use crate::traffic::tunnel::{ALL, Wrapping};
use crate::traffic::{Packet, pcap};

/// A session of FTP is the same in any tunnel, and in tunnels in tunnels: every kind is the inner one of one pair, and
/// the outer one of another.
#[test]
fn a_sample_in_a_tunnel_tells_what_it_tells_without() {
    let ftp = samples().into_iter();
    let ftp = ftp.filter(|path| path.parent().unwrap().ends_with("ftp"));
    let mut compared = [[0; 2]; ALL.len()];
    for sample in ftp {
        let plain = record(read(&sample), firewall("6.18", false), Clock::Capture);
        let plain = values(&plain);
        assert!(plain.len() > 10);
        let packets = ip_packets(&sample);
        for (index, inner) in ALL.iter().enumerate() {
            let outer = &ALL[(index + 7) % ALL.len()];
            for (depth, wrappings) in [&[inner][..], &[inner, outer]].into_iter().enumerate() {
                let Some(wrapped) = through(wrappings, &packets) else {
                    continue;
                };
                let told = told(wrapped, kinds("all"));
                assert_eq!(told.len(), plain.len());
                for (told, plain) in told.into_iter().zip(&plain) {
                    assert_eq!(&without_tunnel(told, inner), plain, "{}", inner.name);
                }
                compared[index][depth] += 1;
            }
        }
    }
    assert!(
        compared.as_flattened().iter().all(|&times| times > 0),
        "{compared:?}"
    );
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
