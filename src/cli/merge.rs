//! `ctaudit merge`

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::drive::{DAMAGED, INTERRUPTED};
use super::kept::{Asked, Kept};
use super::output::{FOUND, Output};
use super::{Failure, RuleOptions, Screen, misuse};
use crate::capture::printable;
use crate::time::Timestamp;

/// Make one audit of what analyse has written about several networks, sensors or days
///
/// Each of these had a conntrack of its own, and keeps it. Where no flow goes on from one to the next, verdicts, findings and
/// rules are those of one run over all captures, and so are the numbers of frames. The rules are not proved, which takes
/// packets: see prove. What rules shall be like (--widen, --bypass, --topology) is not kept with the tables: say it here.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Merge {
    /// Directories that analyse --parquet or --csv has written, or merge; they are taken in the order in which their captures
    /// begin
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    #[command(flatten)]
    options: RuleOptions,
    /// The firewall's interfaces, as for analyse
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    topology: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Merge {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let (mut asked, directories) = self.in_order()?;
        asked.firewall.topology = self.topology;
        let (config, mut analysis) = asked.begin(self.options.wishes(&asked.firewall)?)?;
        let mut tables = self.output.tables(Path::new(""))?;
        for directory in &directories {
            let before = analysis.exposure.totals.frames;
            let kept = Kept::read(directory)?;
            for table in &mut tables {
                kept.rows(directory)?;
                table.append_tables(directory, before)?;
            }
            kept.sums.add_to(&mut analysis);
            screen.step(format_args!(
                "{}: {} frames",
                printable(directory),
                analysis.exposure.totals.frames - before
            ));
        }
        analysis.propose(&config)?;
        let account = &analysis.account;
        let mut status = match (account.interrupted, account.damaged) {
            (true, _) => ExitCode::from(INTERRUPTED),
            (false, 1..) => ExitCode::from(DAMAGED),
            (false, 0) => ExitCode::SUCCESS,
        };
        let mut report = Vec::new();
        let audit = (asked, analysis);
        let (output, name) = (&self.output, Path::new(""));
        if output.publish(name, audit, tables, screen, &mut report)? {
            status = ExitCode::from(FOUND);
        }
        io::stdout().lock().write_all(&report)?;
        Ok(status)
    }

    /// What all of them were asked, and the directories in the order of time. None is kept: each is read once more.
    fn in_order(&self) -> Result<(Asked, Vec<PathBuf>), Failure> {
        let mut first: Option<(Asked, &Path)> = None;
        let mut known = BTreeSet::new();
        let mut directories: Vec<(Option<Timestamp>, &PathBuf)> = Vec::new();
        for directory in &self.directories {
            let Kept { asked, sums, .. } = Kept::read(directory)?;
            let real = fs::canonicalize(directory).map_err(|error| Failure::File {
                path: directory.clone(),
                error,
            })?;
            if !known.insert(real) {
                let name = printable(directory);
                return Err(misuse(format_args!(
                    "{name} is given twice: name each once"
                )));
            }
            if let Some((first, path)) = &first
                && let Some(difference) = asked.differs_from(first)
            {
                let [one, other] = [directory, *path].map(printable);
                return Err(misuse(format_args!(
                    "{one} and {other} are of different firewalls: {difference}; analyse one of them again"
                )));
            }
            directories.push((sums.begins(), directory));
            first.get_or_insert((asked, directory));
        }
        directories.sort_by_key(|(begins, _)| *begins);
        // There is one at least, which clap has seen to.
        let (asked, _) = first.ok_or(Failure::Told)?;
        let directories = directories.into_iter().map(|(_, path)| path.clone());
        Ok((asked, directories.collect()))
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit analyse --parquet monday monday.pcap
  ctaudit analyse --parquet tuesday tuesday.pcap
  ctaudit merge monday tuesday
  ctaudit analyse --jobs 4 --parquet sites site-*.pcap && ctaudit merge --report audit sites/*";
