//! A capture of any bytes, from the reader to the report, with every helper attached.

#![no_main]
#![allow(dead_code)]

mod memory;
#[path = "../support.rs"]
mod support;

use std::time::Duration;

use ctaudit::analysis::Analysis;
use ctaudit::conntrack::config::Config;
use ctaudit::helper::Modules;
use ctaudit::proposal::Wishes;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::report::{events, json, sections, terminal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let held = memory::most_held_by(|| run(input));
    assert!(held < MOST_HELD, "{held} bytes");
});

fn run(input: &[u8]) {
    let config = support::every_helper(Modules::default());
    // Its last byte says how it is looked at.
    let choices = input.last().copied().unwrap_or_default();
    let tunnels = if choices & 1 == 0 { "all" } else { "6in4" };
    let tunnels = tunnels.parse().expect("they are known");
    let capture = support::capture(input.to_vec());
    let replay = Replay::new(capture, config.clone(), Clock::Capture).decapsulate(tunnels);
    let replay = match choices & 2 {
        0 => replay,
        _ => replay.deduplicate(Duration::from_millis(10)),
    };
    let analysis = analysis(&config, replay);
    let mut report = Vec::new();
    let look = terminal::Look {
        width: 100,
        is_coloured: false,
    };
    terminal::page(&mut report, &sections::all(&analysis), look).unwrap();
    assert!(!report.is_empty());
    assert_harmless(&report);
}

/// As `ctaudit analyse` does.
fn analysis(config: &Config, mut replay: Replay) -> Analysis {
    let mut analysis = Analysis::new(config, Wishes::default());
    loop {
        match replay.advance() {
            Ok(None) => break,
            Ok(Some(passage)) => {
                analysis.observe(&passage);
                let told = match &passage.arrival {
                    Arrival::Other(_) | Arrival::Duplicate => None,
                    Arrival::Unseen(_, step) => Some((None, step)),
                    Arrival::Packet(packet, step) => Some((packet.tunnel, step)),
                };
                if let Some((tunnel, step)) = told {
                    let (mut lines, mut text) = (Vec::new(), Vec::new());
                    json::write(
                        &mut lines,
                        passage.number,
                        tunnel.copied(),
                        step,
                        &config.kernel,
                    )
                    .unwrap();
                    events::write(&mut text, passage.at, step).unwrap();
                    assert_harmless(&lines);
                    assert_harmless(&text);
                }
            }
            // It goes on behind what is damaged, or ends.
            Err(_) => {}
        }
    }
    while let Some(step) = replay.finish() {
        analysis.observe_end(&step);
    }
    analysis.finish();
    assert_eq!(replay.conntracks(), 0, "outlived the replay");
    analysis.collect();
    let proposed = analysis.propose(config);
    proposed.expect("what was seen can be said in rules");
    analysis.prove(config);
    analysis
}

/// Nothing of it commands a terminal.
fn assert_harmless(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("text");
    let mut letters = text.chars();
    assert!(!letters.any(|letter| letter.is_control() && !OURS.contains(&letter)));
}

const MOST_HELD: usize = 512 << 20;
/// Ends of lines, and what rules are indented with.
const OURS: [char; 2] = ['\n', '\t'];
