//! Writes the seeds of the fuzz targets: the samples in all that they may come in, where cargo-fuzz looks for them.

#![allow(dead_code)]

mod families;
#[path = "../support.rs"]
mod support;
#[path = "../wrap/mod.rs"]
mod wrap;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use families::FAMILIES;
use wrap::{COMPRESSIONS, CONTAINERS, LINKS, Packet, TUNNELS};

fn main() {
    let mut corpora = Corpora::default();
    let captures = captures();
    for (capture, (_, pack)) in captures.iter().zip(COMPRESSIONS.iter().cycle()) {
        let start = &capture[..capture.len().min(LONGEST)];
        for target in ["reader", "program"] {
            corpora.add(target, start);
            corpora.add(target, &pack(start));
        }
    }
    let packets: Vec<Vec<Packet>> = captures
        .iter()
        .map(|capture| wrap::packets(support::capture(capture.clone())))
        .collect();
    files(&mut corpora, &packets);
    frames(&mut corpora, &packets);
    for packets in &packets {
        let fragments = packets.iter().filter(|packet| is_fragment(&packet.ip));
        let fragments: Vec<Packet> = fragments.cloned().collect();
        for packets in fragments.chunks(AT_ONCE) {
            corpora.add("fragments", &sequence(packets, <[u8]>::to_vec));
        }
        for tunnel in TUNNELS {
            let carried = packets.iter().filter(|packet| tunnel.carries(&packet.ip));
            let carried: Vec<Packet> = carried.take(AT_ONCE).cloned().collect();
            let sequence = sequence(&carried, tunnel.packet);
            corpora.add(&format!("tunnel-{}", tunnel.kind), &sequence);
            corpora.add("tunnel-all", &sequence);
        }
    }
}

/// Every container around every link, each with the beginning of another capture.
fn files(corpora: &mut Corpora, packets: &[Vec<Packet>]) {
    let mut packets = packets.iter().cycle();
    for container in CONTAINERS {
        for link in LINKS {
            let packets = packets.next().expect("there are captures");
            let packets = &packets[..packets.len().min(AT_ONCE)];
            let file = wrap::file(container, link, packets);
            corpora.add("reader", &file);
            corpora.add("program", &file);
        }
    }
}

/// A few packets of each capture on every link.
fn frames(corpora: &mut Corpora, packets: &[Vec<Packet>]) {
    for link in LINKS {
        let places = FAMILIES.iter().filter_map(|(name, numbers)| {
            let at = numbers.iter().position(|number| *number == link.number)?;
            Some((name, at as u8))
        });
        let (family, choice) = places.last().expect("each link has its family");
        for packet in packets.iter().filter_map(|packets| packets.first()) {
            let input = [&[choice], &(link.frame)(&packet.ip)[..]].concat();
            corpora.add(&format!("link-{family}"), &input);
        }
    }
}

/// In the form that packets.rs reads.
fn sequence(packets: &[Packet], frame: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut input = Vec::new();
    for packet in packets {
        let bytes = frame(&packet.ip);
        input.push(1);
        input.extend((bytes.len() as u16).to_be_bytes());
        input.extend(bytes);
    }
    input
}

fn is_fragment(ip: &[u8]) -> bool {
    match ip {
        [0x60..=0x6f, _, _, _, _, _, next, ..] => *next == FRAGMENT,
        [_, _, _, _, _, _, high, low, ..] => [high & 0x3f, *low] != [0, 0],
        _ => false,
    }
}

fn captures() -> Vec<Vec<u8>> {
    let folders = ["samples", "tests/recorded"].map(|folder| project().join(folder));
    let files = folders
        .iter()
        .flat_map(|folder| support::files_below(folder));
    let is_capture = |path: &PathBuf| {
        let name = path.to_string_lossy();
        [".pcap", ".pcapng", ".pcap.gz"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    files
        .filter(is_capture)
        .map(|path| support::read(&path))
        .collect()
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// How many seeds each target has got.
#[derive(Default)]
struct Corpora(BTreeMap<String, usize>);

impl Corpora {
    fn add(&mut self, target: &str, input: &[u8]) {
        let folder = project().join("tests/fuzz/corpus").join(target);
        let count = self.0.entry(target.to_owned()).or_default();
        if *count == 0 {
            fs::create_dir_all(&folder).expect("a folder for the seeds");
        }
        *count += 1;
        fs::write(folder.join(format!("seed-{count}")), input).expect("a seed");
    }
}

/// The IPv6 extension header.
const FRAGMENT: u8 = 44;
/// Bytes of a capture.
const LONGEST: usize = 12_000;
/// Packets of an input.
const AT_ONCE: usize = 8;
