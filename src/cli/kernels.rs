//! `ctaudit kernels`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, width};
use crate::report::reference;

/// Print the kernel series that can be simulated, and what each does differently
#[derive(Args)]
pub struct Kernels {}

impl Kernels {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        reference::kernels(&mut out, width())?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
