//! `ctaudit man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_mangen::roff::{Roff, roman};

use super::{Cli, Failure};

/// Write the manual pages, one for each command, into a directory
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Man {
    /// The directory, which is made if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut program = Cli::command().disable_help_subcommand(true);
        // What the commands are called, and options that they share, is known after that.
        program.build();
        fs::create_dir_all(&self.directory).map_err(|error| Failure::File {
            path: self.directory.clone(),
            error,
        })?;
        let commands = [&program].into_iter().chain(program.get_subcommands());
        for command in commands {
            let page = clap_mangen::Man::new(command.clone())
                .source(concat!("ctaudit ", env!("CARGO_PKG_VERSION")))
                // An empty one would be left out, and what follows it taken for the date.
                .date(" ")
                .manual("ctaudit");
            let path = self.directory.join(page.get_filename());
            write(&path, &page, command, &program)
                .map_err(|error| Failure::File { path, error })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write(
    path: &Path,
    page: &clap_mangen::Man,
    command: &Command,
    program: &Command,
) -> io::Result<()> {
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    }
    page.render_options_section(&mut out)?;
    let mut rest = Roff::new();
    let further = command.get_after_help().map(ToString::to_string);
    blocks(&mut rest, &further.unwrap_or_default());
    // The exit status is the same for every command, and said once.
    let pages = match command.has_subcommands() {
        true => pages(program.get_subcommands()),
        false => pages([program]),
    };
    rest.control("SH", ["SEE ALSO"]);
    rest.text([roman(format!("{pages}, {SEE_ALSO}"))]);
    rest.to_writer(&mut out)?;
    fs::write(path, out)
}

/// Indented lines below a heading, as they stand below the options in `--help`.
fn blocks(page: &mut Roff, text: &str) {
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(line) => {
                page.text([roman(line)]);
            }
            None if line.is_empty() => {
                page.control("fi", []);
            }
            None => {
                page.control("SH", [line.trim_end_matches(':').to_uppercase().as_str()]);
                page.control("nf", []);
            }
        }
    }
    if !text.is_empty() {
        page.control("fi", []);
    }
}

fn pages<'c>(commands: impl IntoIterator<Item = &'c Command>) -> String {
    let names = commands.into_iter().map(|command| {
        let name = command.get_display_name().unwrap_or(command.get_name());
        format!("{name}(1)")
    });
    names.collect::<Vec<_>>().join(", ")
}

const SEE_ALSO: &str = "conntrack(8), conntrackd(8), iptables(8), nft(8), tcpdump(1)";

const EXAMPLES: &str = "\
Examples:
  ctaudit man /usr/local/share/man/man1
  ctaudit man pages && man pages/ctaudit-analyse.1";
