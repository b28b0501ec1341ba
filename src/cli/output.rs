//! Where an analysis goes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::kept::{Asked, Kept};
use super::{Failure, Screen};
use crate::analysis::Analysis;
use crate::findings::Severity;
use crate::report::folder::{self, Form};
use crate::report::frames::{self, Frames};
use crate::report::{sections, terminal};

/// Of commands that end with a report.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// End with status 3 where there is a finding of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Severity>,
    /// Write every table as CSV into this directory
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Write every table as Parquet into this directory
    #[arg(long, value_name = "DIR")]
    parquet: Option<PathBuf>,
    /// Write the report into this directory: as HTML to read and to print, as Markdown for a ticket, as JSON for programs, and
    /// its findings as SARIF
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Print the report in this form, in place of tables
    #[arg(long, value_name = "FORM", value_enum)]
    format: Option<Form>,
}

impl Output {
    /// The tables that are asked for, in directories called `name`.
    pub fn tables(&self, name: &Path) -> Result<Vec<Frames>, Failure> {
        let tables = self.formats();
        tables
            .map(|(directory, format)| Ok(Frames::create(&directory.join(name), format)?))
            .collect()
    }

    fn formats(&self) -> impl Iterator<Item = (&PathBuf, frames::Format)> {
        let formats = [
            (&self.csv, frames::Format::Csv),
            (&self.parquet, frames::Format::Parquet),
        ];
        formats
            .into_iter()
            .filter_map(|(directory, format)| Some((directory.as_ref()?, format)))
    }

    /// Writes what is known only at the end into the tables and beside them, and the report. What comes back is whether there
    /// is a finding that was asked for.
    pub fn publish(
        &self,
        name: &Path,
        (asked, analysis): (Asked, Analysis),
        tables: Vec<Frames>,
        screen: &Screen,
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let began = Instant::now();
        let is_asked_for = !tables.is_empty();
        for table in tables {
            table.finish(&analysis)?;
        }
        let page = sections::all(&analysis);
        if let Some(directory) = &self.report {
            folder::write(&directory.join(name), &page, &analysis)?;
        }
        match self.format {
            None => terminal::page(out, &page, screen.look)?,
            Some(form) => out.extend(form.text(&page, &analysis)?.bytes()),
        }
        let worst = analysis.found.worst();
        if is_asked_for {
            let mut kept = Kept::new(asked, analysis);
            for (directory, _) in self.formats() {
                kept.has_rows = self.parquet.as_ref() == Some(directory);
                kept.write(&directory.join(name))?;
            }
            screen.done("wrote the tables", began);
        }
        let limit = self.fail_on.zip(worst);
        Ok(limit.is_some_and(|(limit, worst)| worst >= limit))
    }
}

/// Exit status where `--fail-on` was met.
pub(super) const FOUND: u8 = 3;
