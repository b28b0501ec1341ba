//! `ctaudit helpers`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Screen};
use crate::report::reference;

/// Print what each helper lets a forger choose: the table of degrees of freedom
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Helpers {}

impl Helpers {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        reference::freedom(&mut out, screen.look)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit helpers
  ctaudit helpers | grep -A 3 '^sip '";
