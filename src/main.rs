//! The program: hand the arguments on.

#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    ctaudit::cli::run(env::args_os().collect())
}
