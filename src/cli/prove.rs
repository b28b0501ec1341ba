//! `ctaudit prove`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::drive::drive;
use super::{Failure, Input, RuleOptions, Screen, rules_of};
use crate::firewall::Firewall;
use crate::proof::Proof;
use crate::report::{sections, terminal};

/// Replay the captures against rules, and say what these let in, what they lose, and what each of them is for
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Prove {
    #[command(flatten)]
    input: Input,
    /// Rules of the firewall: a script for nft, its JSON, what nft list ruleset prints, or what iptables-save and
    /// ip6tables-save print; several files are one firewall
    #[arg(long, value_name = "FILE", required = true, help_heading = "Rules")]
    rules: Vec<PathBuf>,
    #[command(flatten)]
    options: RuleOptions,
}

impl Prove {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let kernel = self.input.firewall.kernel;
        let config = self.input.firewall.config(kernel)?;
        let (rules, files) = rules_of(&self.rules)?;
        let wishes = self.options.wishes(&self.input.firewall)?;
        let mut proof = Proof::new(&config, rules, &wishes.bypass, wishes.topology.as_ref());
        let capture = self.input.capture()?;
        let mut replay = self.input.replay(capture, screen, Firewall::new(config));
        let progress = screen.progress(&replay);
        let mut status = drive(&mut replay, screen, progress, |passage| {
            proof.observe(passage);
            Ok(())
        })?;
        let mut out = BufWriter::new(io::stdout().lock());
        terminal::page(&mut out, &sections::proof(&proof, &files), screen.look)?;
        out.flush()?;
        if !proof.holds() {
            status = ExitCode::from(super::NOT_PROVED);
        }
        Ok(status)
    }
}

const EXAMPLES: &str = "\
Examples:
  nft list ruleset > now.nft && ctaudit prove capture.pcap --rules now.nft
  iptables-save > v4 && ip6tables-save > v6
  ctaudit prove capture.pcap --rules v4 --rules v6";
