//! `ctaudit kernels`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Screen};
use crate::report::reference;

/// Print the kernel series that can be simulated, and what each does differently
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Kernels {}

impl Kernels {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        reference::kernels(&mut out, screen.look)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit kernels";
