//! `ctaudit findings`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Screen};
use crate::report::catalogue;

/// Print the catalogue of what is known to go wrong with helpers, and what it looks like on the wire
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Findings {}

impl Findings {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        catalogue::findings(&mut out, screen.look)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit findings
  ctaudit findings | grep -A 4 ^ftp-";
