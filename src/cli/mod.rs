//! The command line: a file a command. Files, standard streams and exit statuses are handled here and nowhere else.

mod analyse;
mod events;
mod helpers;
mod kernels;
mod progress;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::capture::{self, Capture};
use crate::conntrack::config::{Assignment, Config};
use crate::kernel::Kernel;
use crate::replay::{Clock, Replay};
use crate::report::frames;

/// Replays captures through a simulation of Linux conntrack and its helpers.
///
/// Every packet gets the verdict that the Linux kernel gives it; every hole that a helper opens is recorded with
/// who could have forged it; and from what the traffic needed come the rules that keep just that working.
#[derive(Parser)]
#[command(version, about, long_about, after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Analyse(analyse::Analyse),
    Events(events::Events),
    Helpers(helpers::Helpers),
    Kernels(kernels::Kernels),
}

impl Cli {
    /// Runs the command. A reader that goes away early is no error.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Analyse(command) => command.run(),
            Command::Events(command) => command.run(),
            Command::Helpers(command) => command.run(),
            Command::Kernels(command) => command.run(),
        };
        match done {
            Ok(status) => status,
            Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            Err(failure) => {
                eprintln!("ctaudit: {failure}");
                ExitCode::from(1)
            }
        }
    }
}

/// What ends the program.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Capture(#[from] capture::Error),
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Frames(#[from] frames::Error),
}

/// Captures, and the firewall that they are replayed through.
#[derive(Args)]
struct Input {
    /// Captures (pcap or pcapng), read in this order as one stream whose frames are counted on; - is standard input
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,
    #[command(flatten)]
    firewall: Firewall,
}

impl Input {
    fn replay(&self) -> Result<Replay, capture::Error> {
        let clock = match self.firewall.clock {
            ClockName::Capture => Clock::Capture,
            ClockName::Still => Clock::Still,
        };
        Ok(Replay::new(
            Capture::open(&self.captures)?,
            self.firewall.config(),
            clock,
        ))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Firewall")]
struct Firewall {
    /// Attach a helper to new flows to this port, in place of the default table; 'none' for none at all
    #[arg(long, value_name = "'PROTO PORT HELPER'", value_parser = assignment_or_none)]
    assign: Vec<Assigned>,
    /// Attach a helper on top of the default table, as in 'tcp 2121 ftp'
    #[arg(long, value_name = "'PROTO PORT HELPER'", value_parser = Assignment::parse)]
    add_assign: Vec<Assignment>,
    /// Set a module parameter, as in nf_conntrack_ftp.loose=1
    #[arg(long, value_name = "MODULE.PARAMETER=VALUE", value_parser = module)]
    module: Vec<String>,
    /// Set a sysctl, as in net.netfilter.nf_conntrack_tcp_loose=0
    #[arg(long, value_name = "KEY=VALUE", value_parser = sysctl)]
    sysctl: Vec<String>,
    /// An address of the firewall itself, with the length of its network's prefix: what comes from it, the firewall sends
    #[arg(long, value_name = "ADDRESS/PREFIX")]
    local: Vec<IpNet>,
    /// Whether timers run as the capture's timestamps say, or never
    #[arg(long, value_enum, default_value_t = ClockName::Capture)]
    clock: ClockName,
    /// The kernel series whose behaviour to simulate
    #[arg(long, value_name = "SERIES", value_parser = series, default_value = "6.18")]
    kernel: Kernel,
}

impl Firewall {
    fn config(&self) -> Config {
        let mut config = Config::new(self.kernel);
        if !self.assign.is_empty() {
            config.assignments = self
                .assign
                .iter()
                .filter_map(|assigned| assigned.0)
                .collect();
        }
        config.assignments.extend(&self.add_assign);
        config.local.clone_from(&self.local);
        // Both were parsed once already, so that a mistake is a usage error.
        for parameter in &self.module {
            let _ = config.modules.set(parameter);
        }
        for sysctl in &self.sysctl {
            let _ = config.sysctls.set(sysctl);
        }
        config
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum ClockName {
    Capture,
    Still,
}

/// One `--assign`; without a value for 'none'.
#[derive(Clone)]
struct Assigned(Option<Assignment>);

fn assignment_or_none(text: &str) -> Result<Assigned, String> {
    if text == "none" {
        Ok(Assigned(None))
    } else {
        Assignment::parse(text).map(|assignment| Assigned(Some(assignment)))
    }
}

fn module(text: &str) -> Result<String, String> {
    crate::helper::Modules::default()
        .set(text)
        .map(|()| text.to_owned())
}

fn sysctl(text: &str) -> Result<String, String> {
    crate::conntrack::config::Sysctls::default()
        .set(text)
        .map(|()| text.to_owned())
}

fn series(text: &str) -> Result<Kernel, String> {
    Kernel::of(text).ok_or_else(|| {
        let known: Vec<&str> = Kernel::all().iter().map(|kernel| kernel.series).collect();
        format!("no such series; there are {}", known.join(", "))
    })
}

/// Columns of the terminal that tables are fitted to, or of `COLUMNS`; 100 where there is neither.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    columns
        .filter(|columns| *columns >= 40)
        .or_else(|| comfy_table::Table::new().width())
        .unwrap_or(100)
}

const EXIT_STATUS: &str = "\
Exit status: 0 success; 1 error; 2 wrong usage; 4 a capture is damaged: everything before the damage was analysed.";

/// A capture ended early: told, and remembered in the exit status.
fn damaged(error: &capture::Error) -> ExitCode {
    eprintln!("ctaudit: {error}");
    ExitCode::from(4)
}
