//! `ctaudit completions`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure};

/// Print what makes a shell complete commands and options
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell that is to complete them
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ctaudit", &mut script);
        io::stdout().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit completions bash > ~/.local/share/bash-completion/completions/ctaudit
  ctaudit completions zsh > /usr/local/share/zsh/site-functions/_ctaudit
  ctaudit completions fish > ~/.config/fish/completions/ctaudit.fish";
