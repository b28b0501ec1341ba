//! `ctaudit rules`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::drive::drive;
use super::{Failure, Input, RuleOptions, Screen};
use crate::exposure::Exposure;
use crate::firewall::Firewall;
use crate::proposal::{Proposal, Target};
use crate::report::rules;

/// Print the rules that keep working what the captures show, and nothing else: ready for nft -f or iptables-restore
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Rules {
    #[command(flatten)]
    input: Input,
    /// The language of the rules
    #[arg(long = "for", value_name = "LANGUAGE", value_enum, default_value_t = Language::Nftables, help_heading = "Rules")]
    language: Language,
    #[command(flatten)]
    options: RuleOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Nftables,
    NftJson,
    Iptables,
    Ip6tables,
}

impl Rules {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let kernel = self.input.firewall.kernel;
        let config = self.input.firewall.config(kernel)?;
        let wishes = self.options.wishes(&self.input.firewall)?;
        let capture = self.input.capture()?;
        let mut replay = self
            .input
            .replay(capture, screen, Firewall::new(config.clone()));
        let mut exposure = Exposure::new(&config);
        let progress = screen.progress(&replay);
        let status = drive(&mut replay, screen, progress, |passage| {
            exposure.observe(passage);
            exposure.forget_rows();
            Ok(())
        })?;
        let proposal = Proposal::of(&exposure, &config.modules, &config.local, wishes);
        let totals = &exposure.totals;
        let text = match self.language {
            Language::Nftables => rules::nftables(&proposal, totals)?,
            Language::NftJson => rules::nft_json(&proposal)?,
            Language::Iptables => rules::iptables(&proposal, totals, Target::Iptables)?,
            Language::Ip6tables => rules::iptables(&proposal, totals, Target::Ip6tables)?,
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(status)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit rules capture.pcap | nft -f -
  ctaudit rules --for iptables capture.pcap | iptables-restore --noflush
  ctaudit rules --bypass 10.8.0.0/16 --widen 8 monday.pcap tuesday.pcap";
