//! The same traffic through a firewall that is set up otherwise.

use std::collections::BTreeMap;

use ctaudit::conntrack::config::Config;
use ctaudit::conntrack::event::Event;
use ctaudit::conntrack::{State, Tracker};
use ctaudit::exposure::Exposure;
use ctaudit::helper::Modules;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::tuple::Protocol;
use ctaudit::what_if::WhatIf;

use crate::findings::{end, talk};
use crate::support::{capture, every_helper, read, samples};
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};

/// What the verdict "needed" says: without the helper the first packet of each of its flows is NEW.
#[test]
fn flows_that_were_expected_are_new_without_the_helper() {
    let mut flows: BTreeMap<&str, u64> = BTreeMap::new();
    for sample in samples() {
        let config = every_helper(Modules::default());
        let without = Config {
            assignments: Vec::new(),
            ..config.clone()
        };
        let mut other = Tracker::new(without);
        let mut replay = Replay::new(capture(read(&sample)), config, Clock::Capture);
        while let Some(passage) = replay.advance().unwrap() {
            let Arrival::Packet(packet, step) = &passage.arrival else {
                continue;
            };
            let there = other.packet(passage.clock, packet).verdict;
            for event in step.events {
                let Event::ConntrackNew(record) = event else {
                    continue;
                };
                // Without the helper's keys, calls between the same two hosts are one GRE flow.
                let Some(helper) = record
                    .master_helper
                    .filter(|_| record.original.protocol != Protocol::GRE)
                else {
                    continue;
                };
                assert_eq!(
                    there.state,
                    State::New,
                    "{}: {helper}, frame {}",
                    sample.display(),
                    passage.number
                );
                *flows.entry(helper).or_default() += 1;
            }
        }
    }
    assert!(flows.len() >= 12, "{flows:?}");
}

/// `loose=1` lets a client name any host.
#[test]
fn what_if_ftp_were_loose() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"USER x\r\n"),
        (Client, b"PORT 198,51,100,99,156,64\r\n"),
        (Server, b"200 fine\r\n"),
    ];
    let packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 21), &said);
    let bytes = at_seconds((1..).zip(packets));
    let config = every_helper(Modules::default());
    let mut loose = Modules::default();
    loose.set("nf_conntrack_ftp.loose=1").unwrap();
    let mut other = WhatIf::new("loose".to_owned(), every_helper(loose));
    let mut exposure = Exposure::new(&config);
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
        other.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        exposure.finish(&step);
    }
    other.finish();

    let usage = |exposure: &Exposure| {
        let (_, usage) = exposure.services.first_key_value().unwrap();
        (usage.expected, usage.to_third_hosts, usage.refusals.len())
    };
    assert_eq!(usage(&exposure), (0, 0, 1));
    assert_eq!(usage(&other.exposure), (1, 1, 0));
}
