//! What is the same for every command: where options come from besides the command line, how much is told on standard
//! error, and what the terminal is like.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use anstream::AutoStream;
use clap::{Args, ColorChoice, ValueEnum};
use comfy_table::Table;
use crossterm::style::force_color_output;

use super::progress::Progress;
use crate::replay::Replay;
use crate::report::terminal::Look;

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// Read options from this file in TOML
    ///
    /// Its keys are the options' long names, as in kernel = "6.12" and local = ["192.0.2.1/24"]. What stands at its head holds for
    /// every command that has such an option, what stands in a table like [analyse] for that command. An option that is given on
    /// the command line is not taken from the file.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print in colour; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Tell nothing on standard error but errors
    ///
    /// No progress is shown, and no damage told, which is in the report and the exit status.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell on standard error what is done, and how long it took
    ///
    /// Inputs in their order, the kernel simulated, helpers attached, threads, and the most flows alive at once.
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// How the program looks, and how much it tells.
pub(super) struct Screen {
    pub look: Look,
    is_quiet: bool,
    is_verbose: bool,
}

impl Screen {
    pub fn new(common: &Common) -> Self {
        let is_coloured = is_coloured(common.color);
        // It would heed NO_COLOR by itself, which --color overrules.
        force_color_output(is_coloured);
        Self {
            look: Look {
                width: width(),
                is_coloured,
            },
            is_quiet: common.quiet,
            is_verbose: common.verbose,
        }
    }

    /// What is worth knowing, and no error.
    pub fn note(&self, text: impl Display) {
        if !self.is_quiet {
            eprintln!("ctaudit: {text}");
        }
    }

    /// What is being done.
    pub fn step(&self, text: impl Display) {
        if self.is_verbose {
            eprintln!("ctaudit: {text}");
        }
    }

    /// The same, with how long it took.
    pub fn done(&self, text: impl Display, began: Instant) {
        self.step(format_args!(
            "{text}: {:.3} s",
            began.elapsed().as_secs_f64()
        ));
    }

    pub fn progress(&self, replay: &Replay) -> Progress {
        match self.is_quiet || !io::stderr().is_terminal() {
            true => Progress::hidden(),
            false => Progress::new(replay),
        }
    }
}

/// For `auto` by the rule that clap has for its own texts.
fn is_coloured(asked: ColorChoice) -> bool {
    match asked {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

/// What `--color` says, for help and for errors, which clap prints before it has read all options.
pub(super) fn color(arguments: &[OsString]) -> ColorChoice {
    let texts = arguments.iter().map(|argument| argument.to_str());
    let mut texts = texts.take_while(|text| *text != Some("--"));
    let mut asked = None;
    while let Some(text) = texts.next() {
        match text {
            Some("--color") => asked = texts.next().flatten(),
            Some(text) => asked = text.strip_prefix("--color=").or(asked),
            None => {}
        }
    }
    let known = asked.and_then(|text| ColorChoice::from_str(text, false).ok());
    known.unwrap_or_default()
}

/// Columns of the terminal, or of `COLUMNS`; 100 where there is neither.
pub(super) fn width() -> u16 {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    columns
        .filter(|columns| *columns >= 40)
        .or_else(|| Table::new().width())
        .unwrap_or(100)
}
