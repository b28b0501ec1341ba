//! Captures that were damaged at random: whatever stands in a file, a run ends, and never by a panic.
//!
//! MUTANTS says how many (100,000 if it says nothing), MUTANT_SEED where to begin.

use ctaudit::discovery::Discovery;
use ctaudit::exposure::Exposure;
use ctaudit::findings::Watch;
use ctaudit::helper::Modules;
use ctaudit::replay::{Clock, Replay};
use fastrand::Rng;

use crate::support::{capture, every_helper, project, read, samples};

#[test]
fn no_mutated_capture_ends_in_a_panic() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let (mutants, seed) = (number("MUTANTS", 100_000u64), number("MUTANT_SEED", 1));
    let seeds: Vec<Vec<u8>> = samples()
        .iter()
        .chain([
            &project("tests/recorded/ftp-1.pcap.gz"),
            &project("tests/recorded/h323-1.pcap.gz"),
            &project("tests/recorded/irc-1.pcap.gz"),
            &project("tests/recorded/amanda-1.pcap.gz"),
            &project("tests/recorded/pptp-1.pcap.gz"),
            &project("tests/recorded/sane-1.pcap.gz"),
            &project("tests/recorded/sip-1.pcap.gz"),
        ])
        .map(|path| read(path))
        // The beginning of a large capture is as good as all of it.
        .map(|bytes| bytes[..bytes.len().min(12_000)].to_vec())
        .collect();
    let (mut frames, mut damaged) = (0, 0);
    for mutant in 0..mutants {
        let rng = &mut Rng::with_seed(seed + mutant);
        let original = &seeds[rng.usize(..seeds.len())];
        let bytes = mutate(rng, original);
        let config = every_helper(Modules::default());
        let mut exposure = Exposure::new(&config);
        let (mut watch, mut discovery) = (Watch::new(&config), Discovery::default());
        let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
        loop {
            match replay.advance() {
                Ok(Some(passage)) => {
                    exposure.observe(&passage);
                    watch.observe(&passage);
                    discovery.observe(&passage);
                }
                Ok(None) => break,
                Err(_) => damaged += 1,
            }
        }
        exposure.finish(&replay.finish());
        watch.finish();
        frames += exposure.totals.frames;
        assert_eq!(
            replay.firewall().conntracks(),
            0,
            "seed {}: conntracks outlived the replay",
            seed + mutant
        );
    }
    assert!(
        frames > mutants && damaged > mutants / 100,
        "{frames} frames, {damaged} damaged: too tame"
    );
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
