//! `ctaudit rules`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{Failure, Input, RuleOptions, damaged};
use crate::exposure::Exposure;
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
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let kernel = self.input.firewall.kernel;
        let config = self.input.firewall.config(kernel)?;
        let wishes = self.options.wishes(&self.input.firewall)?;
        let mut replay = self.input.replay(config.clone())?;
        let mut exposure = Exposure::new(&config);
        let mut status = ExitCode::SUCCESS;
        loop {
            match replay.advance() {
                Ok(None) => break,
                Ok(Some(passage)) => exposure.observe(&passage),
                Err(error) if error.is_damage() => status = damaged(&error),
                Err(error) => return Err(error.into()),
            }
            exposure.forget_rows();
        }
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
  ctaudit rules --for ip6tables --bypass 2001:db8:9::/48 monday.pcap tuesday.pcap";
