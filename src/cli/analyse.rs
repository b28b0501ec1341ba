//! `ctaudit analyse`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::drive::drive;
use super::progress::Progress;
use super::{Failure, Input, RuleOptions, series, width};
use crate::analysis::{Analysis, Compared, Listed};
use crate::compare::Comparison;
use crate::findings::Severity;
use crate::firewall::Firewall;
use crate::kernel::Kernel;
use crate::report::frames::{Format, Frames};
use crate::report::table;
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
        let capture = self.input.capture()?;
        let mut replay = self.input.replay(capture, Firewall::new(config.clone()));
        let mut outputs = Vec::new();
        for (directory, format) in [(&self.csv, Format::Csv), (&self.parquet, Format::Parquet)] {
            if let Some(directory) = directory {
                outputs.push(Frames::create(directory, format)?);
            }
        }
        let mut analysis = Analysis {
            what_if,
            compared,
            ..Analysis::new(&config, wishes)
        };
        let progress = Progress::new(&replay);
        let batch = match outputs.is_empty() {
            true => FEW,
            false => BATCH,
        };
        let mut status = drive(&mut replay, progress, |passage| {
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
        analysis.finish();
        collect(&mut analysis, &mut outputs)?;
        analysis.propose(&config)?;
        analysis.prove(&config);
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
const FOUND: u8 = 3;

/// Rows of a table that are held before they are written: one row group of a Parquet file.
const BATCH: usize = 65_536;
/// The same where nobody writes them, and they are only summed.
const FEW: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  ctaudit analyse capture.pcap
  tcpdump -w - -i eth0 | ctaudit analyse -
  ctaudit analyse --add-assign 'tcp 2121 ftp' --parquet tables monday.pcap tuesday.pcap";
