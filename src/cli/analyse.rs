//! `ctaudit analyse`

use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::drive::drive;
use super::kept::Asked;
use super::output::{FOUND, Output};
use super::progress::Progress;
use super::side_by_side::side_by_side;
use super::{Failure, Input, RuleOptions, Screen, interruption, series};
use crate::analysis::Analysis;
use crate::capture::Stop;
use crate::firewall::Firewall;
use crate::kernel::Kernel;
use crate::proposal::Wishes;
use crate::report::frames::Frames;

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
    #[command(flatten)]
    output: Output,
    /// Take each capture for a network of its own, with its own conntrack, report and directory in DIR, and work
    /// on so many of them at a time
    #[arg(long, value_name = "N", conflicts_with_all = ["merge", "follow"], help_heading = "Captures")]
    jobs: Option<NonZero<usize>>,
}

impl Analyse {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let stop = interruption()?;
        if let Some(jobs) = self.jobs {
            // What is wrong with the options is said once, and before anything is read.
            self.asked().begin(self.wishes()?)?;
            return side_by_side(
                &self.input.captures,
                jobs,
                &stop,
                screen,
                |capture, name, out| self.audit(&[capture.to_owned()], name, &stop, screen, out),
            );
        }
        let mut report = Vec::new();
        let captures = &self.input.captures;
        let status = self.audit(captures, Path::new(""), &stop, screen, &mut report)?;
        io::stdout().lock().write_all(&report)?;
        Ok(status)
    }

    fn wishes(&self) -> Result<Wishes, Failure> {
        self.options.wishes(&self.input.firewall)
    }

    fn asked(&self) -> Asked {
        Asked {
            firewall: self.input.firewall.plain(),
            compare_kernel: self.compare_kernel,
            what_if: self.what_if.clone(),
        }
    }

    /// Captures that are one stream into one report; tables go into directories called `name`.
    fn audit(
        &self,
        captures: &[PathBuf],
        name: &Path,
        stop: &Stop,
        screen: &Screen,
        out: &mut Vec<u8>,
    ) -> Result<ExitCode, Failure> {
        let asked = self.asked();
        let (config, mut analysis) = asked.begin(self.wishes()?)?;
        let capture = self.input.open(captures, stop.clone())?;
        let firewall = Firewall::new(config.clone());
        let (mut replay, progress) = match self.jobs {
            None => {
                let replay = self.input.replay(capture, screen, firewall);
                let progress = screen.progress(&replay);
                (replay, progress)
            }
            Some(_) => (
                self.input.lone_replay(capture, screen, firewall),
                Progress::hidden(),
            ),
        };
        let mut tables = self.output.tables(name)?;
        let batch = match tables.is_empty() {
            true => FEW,
            false => BATCH,
        };
        let mut status = drive(&mut replay, screen, progress, |passage| {
            analysis.observe(passage);
            if analysis.held() >= batch {
                collect(&mut analysis, &mut tables)?;
            }
            Ok(())
        })?;
        analysis.account = replay.account();
        while let Some(step) = replay.finish() {
            analysis.observe_end(&step);
            if analysis.held() >= batch {
                collect(&mut analysis, &mut tables)?;
            }
        }
        let began = Instant::now();
        analysis.finish();
        collect(&mut analysis, &mut tables)?;
        analysis.propose(&config)?;
        analysis.prove(&config);
        screen.done("proposed rules and tried them", began);
        let audit = (asked, analysis);
        if self.output.publish(name, audit, tables, screen, out)? {
            status = ExitCode::from(FOUND);
        }
        Ok(status)
    }
}

/// Hands on what ended.
fn collect(analysis: &mut Analysis, tables: &mut [Frames]) -> Result<(), Failure> {
    let (exposure, findings) = (&analysis.exposure, &analysis.watch.findings);
    for output in tables {
        output.append(exposure, findings, analysis.deviations())?;
    }
    analysis.collect();
    Ok(())
}

/// Rows of a table that are held before they are written: one row group of a Parquet file.
const BATCH: usize = 65_536;
/// The same where nobody writes them, and they are only summed.
const FEW: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  ctaudit analyse capture.pcap
  tcpdump -w - -i eth0 | ctaudit analyse -
  ctaudit analyse --report audit capture.pcap
  ctaudit analyse --merge --dedup lan.pcap wan.pcapng
  ctaudit analyse --add-assign 'tcp 2121 ftp' --csv tables /var/log/ring
  ctaudit analyse --kernel 6.1 --compare-kernel 6.18 capture.pcap
  ctaudit analyse --what-if helper=none --fail-on high capture.pcap";
