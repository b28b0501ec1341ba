//! `ctaudit analyse`

use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::drive::drive;
use super::progress::Progress;
use super::side_by_side::side_by_side;
use super::{Failure, Input, RuleOptions, Screen, interruption, series};
use crate::analysis::{Analysis, Compared, Listed};
use crate::capture::Stop;
use crate::compare::Comparison;
use crate::conntrack::config::Config;
use crate::findings::Severity;
use crate::firewall::Firewall;
use crate::kernel::Kernel;
use crate::report::folder::{self, Form};
use crate::report::frames::{self, Frames};
use crate::report::{sections, terminal};
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
    /// Write the report into this directory: as HTML to read and to print, as Markdown for a ticket, as JSON for programs, and
    /// its findings as SARIF
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    report: Option<PathBuf>,
    /// Print the report in this form, in place of tables
    #[arg(long, value_name = "FORM", value_enum, help_heading = "Output")]
    format: Option<Form>,
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
            self.begin()?;
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

    /// Nothing is analysed yet.
    fn begin(&self) -> Result<(Config, Analysis), Failure> {
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
        let analysis = Analysis {
            what_if: self.others()?,
            compared,
            ..Analysis::new(&config, self.options.wishes(firewall)?)
        };
        Ok((config, analysis))
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
        let (config, mut analysis) = self.begin()?;
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
        let mut outputs = Vec::new();
        let tables = [
            (&self.csv, frames::Format::Csv),
            (&self.parquet, frames::Format::Parquet),
        ];
        for (directory, format) in tables {
            if let Some(directory) = directory {
                outputs.push(Frames::create(&directory.join(name), format)?);
            }
        }
        let batch = match outputs.is_empty() {
            true => FEW,
            false => BATCH,
        };
        let mut status = drive(&mut replay, screen, progress, |passage| {
            analysis.observe(passage);
            if analysis.held() >= batch {
                collect(&mut analysis, &mut outputs)?;
            }
            Ok(())
        })?;
        analysis.account = replay.account();
        while let Some(step) = replay.finish() {
            analysis.observe_end(&step);
            if analysis.held() >= batch {
                collect(&mut analysis, &mut outputs)?;
            }
        }
        let began = Instant::now();
        analysis.finish();
        collect(&mut analysis, &mut outputs)?;
        analysis.propose(&config)?;
        analysis.prove(&config);
        screen.done("proposed rules and tried them", began);
        let began = Instant::now();
        let tables = outputs.len();
        for output in outputs {
            output.finish(&analysis)?;
        }
        if tables > 0 {
            screen.done("wrote the tables", began);
        }
        let page = sections::all(&analysis);
        if let Some(directory) = &self.report {
            folder::write(&directory.join(name), &page, &analysis)?;
        }
        match self.format {
            None => terminal::page(out, &page, screen.look)?,
            Some(form) => out.extend(form.text(&page, &analysis)?.bytes()),
        }
        let serious = |worst| self.fail_on.is_some_and(|limit| worst >= limit);
        if analysis.found.worst().is_some_and(serious) {
            status = ExitCode::from(FOUND);
        }
        Ok(status)
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

/// Hands on what ended.
fn collect(analysis: &mut Analysis, outputs: &mut [Frames]) -> Result<(), Failure> {
    let (exposure, findings) = (&analysis.exposure, &analysis.watch.findings);
    for output in outputs {
        output.append(exposure, findings, analysis.deviations())?;
    }
    analysis.collect();
    Ok(())
}

/// Exit status where `--fail-on` was met.
pub(super) const FOUND: u8 = 3;

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
