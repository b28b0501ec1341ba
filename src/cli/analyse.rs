//! `ctaudit analyse`

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress::Progress;
use super::{Failure, Input, RuleOptions, damaged, series, width};
use crate::capture::{Again, Capture};
use crate::compare::Comparison;
use crate::conntrack::Step;
use crate::conntrack::config::Config;
use crate::discovery::Discovery;
use crate::exposure::Exposure;
use crate::findings::{Found, Severity, Watch};
use crate::helper::Spec;
use crate::kernel::Kernel;
use crate::proof::Proof;
use crate::proposal::{Proposal, Target, conntrackd, set_up};
use crate::replay::{Passage, Replay};
use crate::report::frames::{Format, Frames};
use crate::report::{Analysis, Compared, Listed, table};
use crate::ruleset::{Ruleset, nftables};
use crate::what_if::WhatIf;

/// Say which helpers the traffic needs, what they opened, who came, and which rules keep just that working
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Analyse {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    options: RuleOptions,
    /// Also say what a kernel of this series would do differently: what an upgrade changes for this traffic
    #[arg(long, value_name = "SERIES", value_parser = series, help_heading = "Firewall")]
    compare_kernel: Option<Kernel>,
    /// Also say what would have been opened if the firewall were set up otherwise, as in nf_conntrack_ftp.loose=1, a
    /// sysctl=VALUE, helper=none, irc=none or kernel=6.1; once for each
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Firewall")]
    what_if: Vec<String>,
    /// End with status 3 where there is a finding of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_enum, help_heading = "Output")]
    fail_on: Option<Severity>,
    /// Write every table as CSV into this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    csv: Option<PathBuf>,
    /// Write every table as Parquet into this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    parquet: Option<PathBuf>,
}

impl Analyse {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let firewall = &self.input.firewall;
        let config = firewall.config(firewall.kernel)?;
        let compared = match self.compare_kernel {
            None => None,
            Some(there) => Some(Compared {
                here: config.kernel,
                there,
                comparison: Comparison::new(firewall.config(there)?),
                deviations: Listed::default(),
            }),
        };
        let what_if = self.others()?;
        let wishes = self.options.wishes(firewall)?;
        let (capture, again) = Capture::open_twice(&self.input.captures)?;
        let mut replay = Replay::new(capture, config.clone(), self.input.clock());
        let helpers = || config.assignments.iter().map(|assigned| assigned.helper);
        let cannot_fire = helpers()
            .filter(|helper| helper.spec.own_broadcasts_only() && !config.has_broadcast_network())
            .map(|helper| helper.name)
            .collect();
        let mut outputs = Vec::new();
        for (directory, format) in [(&self.csv, Format::Csv), (&self.parquet, Format::Parquet)] {
            if let Some(directory) = directory {
                outputs.push(Frames::create(directory, format)?);
            }
        }
        let mut analysis = Analysis {
            exposure: Exposure::new(&config),
            watch: Watch::new(&config),
            found: Found::default(),
            discovery: Discovery::default(),
            what_if,
            proposal: Proposal::default(),
            nft: String::new(),
            proof: None,
            set_up: Vec::new(),
            conntrackd: Vec::new(),
            assigned: helpers().map(|helper| (helper.name, helper.spec)).collect(),
            cannot_fire,
            expectations: Listed::default(),
            related: Listed::default(),
            compared,
        };
        let mut progress = Progress::new(replay.capture());
        let mut status = ExitCode::SUCCESS;
        loop {
            match replay.advance() {
                Ok(None) => break,
                Ok(Some(passage)) => observe(&mut analysis, &passage),
                Err(error) if error.is_damage() => status = damaged(&error),
                Err(error) => return Err(error.into()),
            }
            let frames = analysis.exposure.totals.frames;
            progress.tell(replay.capture(), frames);
            if held(&analysis) >= BATCH {
                collect(&mut analysis, &mut outputs)?;
            }
        }
        analysis.exposure.totals.lost = replay.capture().lost();
        finish(&mut analysis, &replay.finish());
        collect(&mut analysis, &mut outputs)?;
        progress.finish();
        analysis.proposal =
            Proposal::of(&analysis.exposure, &config.modules, &config.local, wishes);
        analysis.nft = nftables::write(&analysis.proposal.ruleset(Target::Nftables))?;
        analysis.proof = self.proof(again, &config, &analysis)?;
        analysis.set_up = self.set_up(&config, &analysis);
        let rules = &analysis.proposal.rules;
        analysis.conntrackd = conntrackd::instances(rules, &config.modules);
        for output in outputs {
            output.finish(&analysis)?;
        }
        let mut out = BufWriter::new(io::stdout().lock());
        table::write(&mut out, &analysis, width())?;
        out.flush()?;
        let serious = |worst| self.fail_on.is_some_and(|limit| worst >= limit);
        if analysis.found.worst().is_some_and(serious) {
            status = ExitCode::from(FOUND);
        }
        Ok(status)
    }

    /// What the firewall needs besides the rules.
    fn set_up(&self, config: &Config, analysis: &Analysis) -> Vec<set_up::Step> {
        let attached: BTreeSet<&str> = analysis.proposal.attached().collect();
        let (needed, unneeded): (Vec<_>, Vec<_>) = analysis
            .assigned
            .iter()
            .partition(|(name, _)| attached.contains(**name));
        let specs = |named: Vec<(&&str, &&'static Spec)>| -> Vec<&'static Spec> {
            named.into_iter().map(|(_, spec)| *spec).collect()
        };
        set_up::steps(config, &specs(needed), &specs(unneeded))
    }

    /// The proposal, written and read again, against the capture once more.
    fn proof(
        &self,
        again: Again,
        config: &Config,
        analysis: &Analysis,
    ) -> Result<Option<Proof>, Failure> {
        let Some(capture) = again.open() else {
            return Ok(None);
        };
        let rules = Ruleset::read(&analysis.nft, 0);
        let Proposal {
            wishes, interfaces, ..
        } = &analysis.proposal;
        let mut proof = Proof::new(config, rules, &wishes.bypass, interfaces.as_ref());
        if analysis.exposure.opened_nothing() {
            return Ok(Some(proof));
        }
        let mut replay = Replay::new(capture, config.clone(), self.input.clock());
        loop {
            match replay.advance() {
                Ok(None) => break,
                Ok(Some(passage)) => proof.observe(&passage),
                // Told the first time.
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(proof))
    }

    /// The firewalls of `--what-if`.
    fn others(&self) -> Result<Vec<WhatIf>, Failure> {
        let firewall = &self.input.firewall;
        let others = self.what_if.iter();
        others
            .map(|text| Ok(WhatIf::new(text.clone(), firewall.otherwise(text)?)))
            .collect()
    }
}

fn observe(analysis: &mut Analysis, passage: &Passage<'_>) {
    analysis.exposure.observe(passage);
    analysis.watch.observe(passage);
    analysis.discovery.observe(passage);
    if let Some(compared) = &mut analysis.compared {
        compared.comparison.observe(passage);
    }
    for other in &mut analysis.what_if {
        other.observe(passage);
    }
}

fn finish(analysis: &mut Analysis, last: &Step<'_>) {
    let frames = analysis.exposure.totals.frames;
    analysis.exposure.finish(last);
    analysis.watch.finish();
    if let Some(compared) = &mut analysis.compared {
        compared.comparison.finish(frames, last);
    }
    analysis.what_if.iter_mut().for_each(WhatIf::finish);
}

/// Rows of the longest of the tables that wait to be written.
fn held(analysis: &Analysis) -> usize {
    let exposure = &analysis.exposure;
    let compared = analysis.compared.as_ref();
    let deviations = compared.map_or(0, |compared| compared.comparison.deviations.len());
    let ended = exposure.conntracks.len().max(exposure.expectations.len());
    let said = exposure.refusals.len().max(analysis.watch.findings.len());
    ended.max(said).max(deviations)
}

/// Hands on what ended, so that memory does not grow with the capture.
fn collect(analysis: &mut Analysis, outputs: &mut [Frames]) -> Result<(), Failure> {
    let Analysis {
        exposure,
        watch,
        compared,
        ..
    } = analysis;
    let deviations = compared
        .as_ref()
        .map_or(&[][..], |compared| &compared.comparison.deviations);
    for output in outputs {
        output.append(exposure, &watch.findings, deviations)?;
    }
    if let Some(compared) = compared {
        compared
            .comparison
            .deviations
            .drain(..)
            .for_each(|deviation| compared.deviations.push(deviation));
    }
    watch.findings.drain(..).for_each(|finding| {
        let is_listed = |service| exposure.services.contains_key(service);
        let counts = finding.service.as_ref().is_some_and(is_listed);
        analysis.found.add(&finding, counts);
    });
    exposure.refusals.clear();
    exposure
        .expectations
        .drain(..)
        .for_each(|closed| analysis.expectations.push(closed));
    exposure
        .conntracks
        .drain(..)
        .filter(|ended| ended.expected_by.is_some())
        .for_each(|ended| analysis.related.push(ended));
    Ok(())
}

/// Exit status where `--fail-on` was met.
const FOUND: u8 = 3;

/// Rows of a table that are held before they are written: one row group of a Parquet file.
const BATCH: usize = 65_536;

const EXAMPLES: &str = "\
Examples:
  ctaudit analyse capture.pcap
  tcpdump -w - -i eth0 | ctaudit analyse -
  ctaudit analyse --add-assign 'tcp 2121 ftp' --parquet tables monday.pcap tuesday.pcap";
