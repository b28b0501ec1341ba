//! Forged variants of the samples' control traffic.

use std::collections::{BTreeMap, BTreeSet};

use ctaudit::conntrack::State;
use ctaudit::conntrack::config::Config;
use ctaudit::firewall::Firewall;
use ctaudit::forgery::{Forger, Kind, Variant, passes, verdict};
use ctaudit::helper::Modules;
use ctaudit::replay::{Clock, Replay};

use crate::support::{capture, every_helper, project, read, samples};

fn variants(bytes: Vec<u8>, config: &Config) -> Vec<Variant> {
    let mut forger = Forger::new(config);
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
    while let Ok(Some(passage)) = replay.advance() {
        forger.observe(&passage);
    }
    forger.variants()
}

fn config(parameters: &[&str]) -> Config {
    let mut modules = Modules::default();
    for parameter in parameters {
        modules.set(parameter).unwrap();
    }
    every_helper(modules)
}

#[test]
#[ignore = "prints"]
fn table() {
    for sample in samples() {
        let config = config(&[]);
        for variant in variants(read(&sample), &config) {
            let verdict = verdict(&variant, Firewall::new(config.clone()));
            println!(
                "{} {:?} {} {} frame {} n {} {:?} -> {:?}",
                sample.file_name().unwrap().display(),
                variant.service,
                variant.helper,
                variant.kind.name(),
                variant.frame,
                variant.datagrams.len(),
                variant.probe,
                verdict.map(|v| (v.state.name(), v.dropped, v.helper))
            );
        }
    }
}
