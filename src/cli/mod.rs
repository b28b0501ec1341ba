//! The command line: a file a command. Files, standard streams and exit statuses are handled here and nowhere else.

mod analyse;
mod completions;
mod config;
mod drive;
mod events;
mod explain;
mod findings;
mod helpers;
mod kept;
mod kernels;
mod man;
mod merge;
mod output;
mod progress;
mod prove;
mod rules;
mod screen;
mod side_by_side;

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::capture::{self, Capture, Reading, Stop};
use crate::conntrack::config::{Assignment, Config};
use crate::firewall;
use crate::helper::{Modules, Spec};
use crate::kernel::{Behaviour, Kernel};
use crate::packet::tunnel::Kinds;
use crate::proposal::Wishes;
use crate::replay::{Clock, Replay};
use crate::report::sections::RuleFile;
use crate::report::{folder, frames};
use crate::ruleset::iptables::Unsayable;
use crate::ruleset::nftables::Unwritable;
use crate::ruleset::{Ruleset, Unread};
use crate::topology::Topology;
use screen::{Common, Screen};

/// Replays captures through a simulation of Linux conntrack and its helpers.
///
/// Every packet gets the verdict that the Linux kernel gives it; every hole that a helper opens is recorded with
/// who could have forged it; and from what the traffic needed come the rules that keep just that working.
#[derive(Parser)]
#[command(version, about, long_about, after_help = FURTHER)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Analyse(analyse::Analyse),
    Completions(completions::Completions),
    Events(events::Events),
    Explain(explain::Explain),
    Findings(findings::Findings),
    Helpers(helpers::Helpers),
    Kernels(kernels::Kernels),
    Man(man::Man),
    Merge(merge::Merge),
    Prove(prove::Prove),
    Rules(rules::Rules),
}

/// Runs the program with these arguments, of which the first is its name.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let program = Cli::command()
        .color(screen::color(&arguments))
        .term_width(screen::width().into());
    let done = config::with_file(&program, arguments).and_then(|arguments| {
        let matches = program.try_get_matches_from(arguments);
        let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
        cli.map_err(Failure::Usage)?.run()
    });
    done.unwrap_or_else(Failure::tell)
}

impl Cli {
    fn run(self) -> Result<ExitCode, Failure> {
        let screen = Screen::new(&self.common);
        match self.command {
            Command::Analyse(command) => command.run(&screen),
            Command::Completions(command) => command.run(),
            Command::Events(command) => command.run(&screen),
            Command::Explain(command) => command.run(&screen),
            Command::Findings(command) => command.run(&screen),
            Command::Helpers(command) => command.run(&screen),
            Command::Kernels(command) => command.run(&screen),
            Command::Man(command) => command.run(),
            Command::Merge(command) => command.run(&screen),
            Command::Prove(command) => command.run(&screen),
            Command::Rules(command) => command.run(&screen),
        }
    }
}

/// What ends the program.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Capture(#[from] capture::Error),
    #[error("no frame could be read, as was told")]
    Told,
    #[error("there is no frame {frame}: the captures have {frames}")]
    NoFrame { frame: u64, frames: u64 },
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Frames(#[from] frames::Error),
    #[error("{0}")]
    Report(#[from] folder::Error),
    #[error("{0}: use --for nftables")]
    Iptables(#[from] Unsayable),
    #[error("{0}")]
    Nftables(#[from] Unwritable),
    #[error("{}: {error}", capture::printable(path))]
    File { path: PathBuf, error: io::Error },
    #[error("{}: {why}", capture::printable(path))]
    Kept { path: PathBuf, why: String },
    #[error("{0}")]
    Usage(clap::Error),
}

impl Failure {
    /// Says it on standard error. What comes back is the exit status. A reader that goes away early is no error.
    fn tell(self) -> ExitCode {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Usage(error) => {
                // Where standard error is closed, the exit status says it. Help is no error.
                let _ = error.print();
                ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
            }
            Self::Told => ExitCode::FAILURE,
            failure => {
                eprintln!("ctaudit: {failure}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Captures, and the firewall that they are replayed through.
#[derive(Args)]
struct Input {
    /// Captures (pcap or pcapng, compressed or not) and directories of them, read as one stream in the order in which they
    /// begin; their frames are counted on. - is standard input
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,
    /// Read the captures side by side, packet by packet in the order of time: of several points of one network
    #[arg(long, conflicts_with = "follow", help_heading = "Captures")]
    merge: bool,
    /// Count once what was captured twice, the same packet but for its hop count, within 10 milliseconds or as many as
    /// given
    #[arg(
        long,
        value_name = "MS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10",
        help_heading = "Captures"
    )]
    dedup: Option<u64>,
    /// Wait for more where the last capture ends, and for further ones in its directory, until Ctrl-C
    #[arg(long, help_heading = "Captures")]
    follow: bool,
    /// Show conntrack what is inside of these tunnels, as for a mirror port or an overlay: gre, vxlan, geneve, gtpu, ipip,
    /// 6in4, teredo, erspan, with commas between them, or all
    #[arg(long, value_name = "TUNNELS", help_heading = "Captures")]
    decapsulate: Option<Kinds>,
    #[command(flatten)]
    firewall: Firewall,
}

impl Input {
    /// Ctrl-C and SIGTERM end it early.
    fn capture(&self) -> Result<Capture, Failure> {
        self.open(&self.captures, interruption()?)
    }

    fn open(&self, captures: &[PathBuf], stop: Stop) -> Result<Capture, Failure> {
        let reading = Reading {
            merge: self.merge,
            follow: self.follow,
            stop,
        };
        Ok(Capture::open(captures, reading)?)
    }

    fn replay(&self, capture: Capture, screen: &Screen, firewall: firewall::Firewall) -> Replay {
        let replay = self.lone_replay(capture, screen, firewall);
        match thread::available_parallelism() {
            Ok(processors) if processors.get() > 1 => {
                screen.step("reads ahead: 3 threads");
                replay.read_ahead()
            }
            _ => replay,
        }
    }

    /// On one thread, for whom others have work.
    fn lone_replay(
        &self,
        capture: Capture,
        screen: &Screen,
        firewall: firewall::Firewall,
    ) -> Replay {
        let config = firewall.config();
        let assignments = config.assignments.iter().map(|assignment| {
            let Assignment {
                protocol,
                port,
                helper,
            } = assignment;
            format!("{protocol} {port} {}", helper.name)
        });
        let assignments: Vec<String> = assignments.collect();
        screen.step(format_args!(
            "simulates Linux {}, with these helpers: {}",
            config.kernel,
            assignments.join(", ")
        ));
        let clock = match self.firewall.clock {
            ClockName::Capture => Clock::Capture,
            ClockName::Still => Clock::Still,
        };
        let replay = Replay::through(firewall, capture, clock);
        let mut replay = replay.decapsulate(self.decapsulate.unwrap_or_default());
        if let Some(milliseconds) = self.dedup {
            replay = replay.deduplicate(Duration::from_millis(milliseconds));
        }
        replay
    }
}

/// What Ctrl-C and SIGTERM ask for; who asks again before it was heard ends the program at once.
fn interruption() -> Result<Stop, Failure> {
    let stop = Stop::default();
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::clone(&stop.0))
            .and_then(|_| flag::register(signal, Arc::clone(&stop.0)))
            .map_err(Failure::Signals)?;
    }
    Ok(stop)
}

#[derive(Args, Clone, Serialize, Deserialize)]
#[command(next_help_heading = "Firewall")]
struct Firewall {
    /// Attach a helper to new flows to this port, in place of the default table; 'none' for none at all. conntrackd:ftp
    /// is conntrackd's ftp in place of the kernel's; so with tftp, amanda and sane
    #[arg(long, value_name = "'PROTO PORT HELPER'")]
    assign: Vec<String>,
    /// Attach a helper on top of the default table, as in 'tcp 2121 ftp'
    #[arg(long, value_name = "'PROTO PORT HELPER'")]
    add_assign: Vec<String>,
    /// Attach the helpers that conntrackd alone has, each to the port of its service
    #[arg(long)]
    userspace: bool,
    /// Set how many a helper of conntrackd's may expect at a time for a connection, and for how long, as in ssdp=8/300
    #[arg(long, value_name = "HELPER=MAX/SECONDS")]
    policy: Vec<String>,
    /// Set a module parameter, as in nf_conntrack_ftp.loose=1
    #[arg(long, value_name = "MODULE.PARAMETER=VALUE")]
    module: Vec<String>,
    /// Set a sysctl, as in net.netfilter.nf_conntrack_tcp_loose=0
    #[arg(long, value_name = "KEY=VALUE")]
    sysctl: Vec<String>,
    /// An address of the firewall itself, with the length of its network's prefix: what comes from it, the firewall sends
    #[arg(long, value_name = "ADDRESS/PREFIX")]
    local: Vec<IpNet>,
    /// The firewall's interfaces and the networks behind each, in TOML: an [[interface]] each, with name, networks (on it),
    /// routed (by routers on it) and, for one of them, default_route = true
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    topology: Option<PathBuf>,
    /// Whether timers run as the capture's timestamps say, or never
    #[arg(long, value_enum, default_value_t = ClockName::Capture)]
    clock: ClockName,
    /// The kernel series whose behaviour to simulate
    #[arg(long, value_name = "SERIES", value_parser = series, default_value_t = Kernel::default())]
    kernel: Kernel,
}

impl Firewall {
    /// This firewall with such a kernel.
    fn config(&self, kernel: Kernel) -> Result<Config, Failure> {
        let mut modules = Modules::default();
        for text in &self.module {
            modules.set(text).map_err(|error| usage("module", error))?;
        }
        if modules.names_ports() && !kernel.does(Behaviour::HelperPorts) {
            return Err(usage(
                "module",
                format!("Linux {kernel} has no ports=: attach the helper with --add-assign"),
            ));
        }
        for text in &self.policy {
            modules
                .set_policy(text)
                .map_err(|error| usage("policy", error))?;
        }
        for text in self.assign.iter().chain(&self.add_assign) {
            let named = text.split_whitespace().last().and_then(Spec::named);
            if let Some(spec) = named.filter(|spec| spec.replaces_a_module()) {
                modules.replace(spec);
            }
        }
        let assignments = |option, texts: &[String]| -> Result<Vec<Assignment>, Failure> {
            let texts = texts.iter().filter(|text| *text != "none");
            let parsed = texts.map(|text| Assignment::parse(text, &modules));
            parsed
                .collect::<Result<_, _>>()
                .map_err(|error| usage(option, error))
        };
        let (only, more) = (
            assignments("assign", &self.assign)?,
            assignments("add-assign", &self.add_assign)?,
        );
        let mut config = Config::new(kernel, modules);
        if !self.assign.is_empty() {
            config.assignments = only;
        }
        if self.userspace {
            let userspace = Assignment::userspace(&config.modules);
            config.assignments.extend(userspace);
        }
        config.assignments.extend(more);
        config.local.clone_from(&self.local);
        for text in &self.sysctl {
            config
                .sysctls
                .set(text)
                .map_err(|error| usage("sysctl", error))?;
        }
        Ok(config)
    }

    /// The same with one blank where words may have any between them.
    fn plain(&self) -> Self {
        let plain = |texts: &[String]| -> Vec<String> {
            let words = texts.iter().map(|text| text.split_whitespace());
            words
                .map(|words| words.collect::<Vec<_>>().join(" "))
                .collect()
        };
        Self {
            assign: plain(&self.assign),
            add_assign: plain(&self.add_assign),
            ..self.clone()
        }
    }

    fn topology(&self) -> Result<Option<Topology>, Failure> {
        let Some(path) = &self.topology else {
            return Ok(None);
        };
        let topology = Topology::parse(&read_text(path)?);
        topology
            .map(Some)
            .map_err(|error| usage("topology", format!("{}: {error}", path.display())))
    }

    /// The same with one thing otherwise, for `--what-if`.
    fn otherwise(&self, text: &str) -> Result<Config, Failure> {
        let failure = |error| usage("what-if", error);
        let form = || {
            failure(format!(
                "'{text}' is not of the form NAME=VALUE, as in irc=none"
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(form)?;
        let mut other = self.clone();
        match (name, value) {
            ("kernel", series) => other.kernel = self::series(series).map_err(failure)?,
            ("helper", "none") => {
                other.assign = vec!["none".to_owned()];
                other.add_assign.clear();
                other.userspace = false;
            }
            (helper, "none") => {
                let mut config = self.config(self.kernel)?;
                let named = config.modules.named(helper).map_err(failure)?.name;
                let assignments = &mut config.assignments;
                assignments.retain(|assignment| assignment.helper.name != named);
                return Ok(config);
            }
            (sysctl, _) if sysctl.starts_with("net.") => {
                let mut config = self.config(self.kernel)?;
                config.sysctls.set(text).map_err(failure)?;
                return Ok(config);
            }
            _ => {
                Modules::default().set(text).map_err(failure)?;
                other.module.push(text.to_owned());
            }
        }
        other.config(other.kernel)
    }
}

/// What rules shall be like.
#[derive(Args)]
#[command(next_help_heading = "Rules")]
struct RuleOptions {
    /// Let a rule's list of addresses hold so many that were not seen, where that makes it shorter
    #[arg(long, value_name = "N", default_value_t = 0)]
    widen: u64,
    /// Attach no helper to connections from or to this network: a tunnel's, or private peers
    #[arg(long, value_name = "NETWORK")]
    bypass: Vec<IpNet>,
}

impl RuleOptions {
    fn wishes(&self, firewall: &Firewall) -> Result<Wishes, Failure> {
        Ok(Wishes {
            widen: self.widen,
            bypass: self.bypass.clone(),
            topology: firewall.topology()?,
        })
    }
}

/// The rules in these files, in one kernel.
fn rules_of(paths: &[PathBuf]) -> Result<(Ruleset, Vec<RuleFile>), Failure> {
    let mut rules = Ruleset::default();
    let mut files = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let file = RuleFile {
            path: path.clone(),
            text: read_text(path)?,
        };
        rules.append(Ruleset::read(&file.text, index));
        files.push(file);
    }
    Ok((rules, files))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::File {
        path: path.to_owned(),
        error,
    })
}

/// What could not be read, with its file and line.
fn unread_in(paths: &[PathBuf], unread: &Unread) -> String {
    let Unread { place, text, why } = unread;
    let path = paths.get(place.file).map(|path| path.display());
    let path = path.map_or_else(String::new, |path| path.to_string());
    // A rule set may come from somebody else: what it says is not shown as it is.
    format!("{path}:{}: {}: {why}", place.line, text.escape_debug())
}

fn usage(option: &str, error: impl Display) -> Failure {
    misuse(format_args!("--{option}: {error}"))
}

/// Of something that is no option.
fn misuse(error: impl Display) -> Failure {
    Failure::Usage(clap::Error::raw(
        ErrorKind::ValueValidation,
        format!("{error}\n\nFor more information, try '--help'.\n"),
    ))
}

#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
enum ClockName {
    Capture,
    Still,
}

fn series(text: &str) -> Result<Kernel, String> {
    Kernel::of(text).ok_or_else(|| {
        let known: Vec<&str> = Kernel::all().iter().map(|kernel| kernel.series).collect();
        format!("no such series; there are {}", known.join(", "))
    })
}

const FURTHER: &str = "\
Examples:
  ctaudit analyse capture.pcap
  ctaudit rules capture.pcap | nft -f -
  ctaudit prove capture.pcap --rules rules.nft
  ctaudit help analyse

Exit status:
  0    success
  1    error
  2    wrong usage
  3    a finding that --fail-on asked for, be the capture damaged or not
  4    a capture is damaged: everything around the damage was analysed
  5    prove could not prove the rules
  130  interrupted before the captures were read to their end

Environment:
  NO_COLOR  not empty: as --color never, which --color always overrules
  COLUMNS   columns that lines are fitted to, in place of the terminal's
  TMPDIR    where analyse keeps what the proof of its rules needs";

/// Exit status where rules do not hold what they should.
const NOT_PROVED: u8 = 5;
