//! A capture of any bytes, from the reader to the report, with every helper attached.

#![no_main]
#![allow(dead_code)]

mod memory;
#[path = "../support.rs"]
mod support;

use ctaudit::analysis::Analysis;
use ctaudit::conntrack::config::Config;
use ctaudit::helper::Modules;
use ctaudit::proposal::Wishes;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::report::{events, json, table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let held = memory::most_held_by(|| run(input));
    assert!(held < MOST_HELD, "{held} bytes");
});

fn run(input: &[u8]) {
    let config = support::every_helper(Modules::default());
    let replay = || {
        Replay::new(
            support::capture(input.to_vec()),
            config.clone(),
            Clock::Capture,
        )
    };
    let analysis = analysis(&config, &replay);
    let mut report = Vec::new();
    table::write(&mut report, &analysis, 100).unwrap();
    assert!(!report.is_empty());
    assert_harmless(&report);
}

/// As `ctaudit analyse` does.
fn analysis(config: &Config, replay: &dyn Fn() -> Replay) -> Analysis {
    let mut analysis = Analysis::new(config);
    let mut first = replay();
    loop {
        match first.advance() {
            Ok(None) => break,
            Ok(Some(passage)) => {
                analysis.observe(&passage);
                if let Arrival::Unseen(_, step) | Arrival::Packet(_, step) = &passage.arrival {
                    let (mut lines, mut text) = (Vec::new(), Vec::new());
                    json::write(&mut lines, passage.number, step, &config.kernel).unwrap();
                    events::write(&mut text, passage.at, step).unwrap();
                    assert_harmless(&lines);
                    assert_harmless(&text);
                }
            }
            // It goes on behind what is damaged, or ends.
            Err(_) => {}
        }
    }
    analysis.finish(&first.finish());
    assert_eq!(first.firewall().conntracks(), 0, "outlived the replay");
    analysis.collect();
    let proposed = analysis.propose(config, Wishes::default());
    proposed.expect("what was seen can be said in rules");
    // What is no capture was none the first time.
    let _ = analysis.prove(config, replay());
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
