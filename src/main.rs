//! The program: parse the arguments, run, tell how it went.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ctaudit::cli::Cli::parse().run()
}
