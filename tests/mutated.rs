//! Captures that were damaged at random: whatever stands in a file, a run ends, and never by a panic.
//!
//! MUTANTS says how many (100,000 if it says nothing), MUTANT_SEED where to begin.

use ctaudit::analysis::Analysis;
use ctaudit::helper::Modules;
use ctaudit::packet::tunnel::Kinds;
use ctaudit::proposal::Wishes;
use ctaudit::replay::{Clock, Replay};
use ctaudit::report::{sections, terminal};
use fastrand::Rng;

use crate::support::{capture, every_helper, project, read, samples};
use crate::wrap::{self, COMPRESSIONS, CONTAINERS, LINKS, TUNNELS};

#[test]
fn no_mutated_capture_ends_in_a_panic() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let (mutants, seed) = (number("MUTANTS", 100_000u64), number("MUTANT_SEED", 1));
    let originals = originals();
    let wrapped = wrapped(&originals);
    let (mut frames, mut damaged, mut opened) = (0, 0, 0);
    for mutant in 0..mutants {
        let rng = &mut Rng::with_seed(seed + mutant);
        let seeds = if rng.bool() { &originals } else { &wrapped };
        let original = &seeds[rng.usize(..seeds.len())];
        let mut bytes = mutate(rng, original);
        if rng.u8(..16) == 0 {
            let (_, pack) = COMPRESSIONS[rng.usize(..COMPRESSIONS.len())];
            bytes = pack(&bytes);
            if rng.bool() {
                bytes = mutate(rng, &bytes);
            }
        }
        let config = every_helper(Modules::default());
        let mut analysis = Analysis::new(&config, Wishes::default());
        let tunnels: Kinds = if rng.bool() { "all" } else { "6in4" }.parse().unwrap();
        let replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
        let mut replay = replay.decapsulate(tunnels);
        loop {
            match replay.advance() {
                Ok(Some(passage)) => analysis.observe(&passage),
                Ok(None) => break,
                Err(_) => damaged += 1,
            }
        }
        while let Some(step) = replay.finish() {
            analysis.observe_end(&step);
        }
        analysis.finish();
        frames += analysis.exposure.totals.frames;
        assert_eq!(
            replay.conntracks(),
            0,
            "seed {}: conntracks outlived the replay",
            seed + mutant
        );
        // The rest takes ten times as long.
        if mutant % REPORTED == 0 {
            analysis.collect();
            analysis.propose(&config).unwrap();
            analysis.prove(&config);
            terminal::page(&mut Vec::new(), &sections::all(&analysis), LOOK).unwrap();
            opened += u64::from(!analysis.exposure.opened_nothing());
        }
    }
    assert!(
        frames > mutants && damaged > mutants / 100 && opened > mutants / REPORTED / 100,
        "{frames} frames, {damaged} damaged, {opened} that opened something: too tame"
    );
}

/// The beginning of a large capture is as good as all of it.
fn originals() -> Vec<Vec<u8>> {
    let recorded = ["amanda", "ftp", "h323", "irc", "pptp", "sane", "sip"];
    let recorded = recorded.map(|name| project(&format!("tests/recorded/{name}-1.pcap.gz")));
    samples()
        .iter()
        .chain(&recorded)
        .map(|path| read(path))
        .map(|bytes| bytes[..bytes.len().min(LONGEST)].to_vec())
        .collect()
}

/// The same packets in every container on every link, and every other one of these in a tunnel.
fn wrapped(originals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut originals = originals.iter().cycle();
    let mut tunnels = TUNNELS.iter().cycle();
    let mut wrapped = Vec::new();
    for container in CONTAINERS {
        for link in LINKS {
            let mut packets = wrap::packets(capture(originals.next().unwrap().clone()));
            let tunnel = tunnels.next().filter(|_| wrapped.len() % 2 == 1);
            for packet in &mut packets {
                if let Some(tunnel) = tunnel.filter(|tunnel| tunnel.carries(&packet.ip)) {
                    packet.ip = (tunnel.packet)(&packet.ip);
                }
            }
            wrapped.push(wrap::file(container, link, &packets));
        }
    }
    wrapped
}

/// A few of: bits flipped, bytes set to telling values, pieces removed, repeated, cut off.
fn mutate(rng: &mut Rng, original: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..rng.usize(1..8) {
        // Headers are where it hurts, so half of the damage falls there.
        let reach = if rng.bool() {
            bytes.len().min(400)
        } else {
            bytes.len()
        };
        if reach < 4 {
            break;
        }
        let at = rng.usize(..reach);
        let length = rng.usize(1..64).min(bytes.len() - at);
        match rng.u8(..8) {
            0..=2 => bytes[at] ^= 1 << rng.u8(..8),
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.usize(..5)],
            4 => bytes[at..at + length].fill(rng.u8(..)),
            5 => drop(bytes.drain(at..at + length)),
            6 => {
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(rng.usize(at..bytes.len())),
        }
    }
    bytes
}

/// Bytes of a seed.
const LONGEST: usize = 12_000;
/// One mutant in so many is reported as well.
const REPORTED: u64 = 10;

const LOOK: terminal::Look = terminal::Look {
    width: 100,
    is_coloured: false,
};
