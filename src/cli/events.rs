//! `ctaudit events`

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::drive::drive;
use super::progress::Progress;
use super::{Failure, Input, Screen, rules_of, unread_in};
use crate::firewall::Firewall;
use crate::replay::Arrival;
use crate::report::{events, json};

/// Print what conntrack has to tell, in the form of `conntrack -E`, or a JSON record a packet
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Events {
    #[command(flatten)]
    input: Input,
    /// A line of JSON for each packet that carries IP: verdict, and the events that it caused
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Take every packet through these rules, too (nft, its JSON, iptables-save); with --assign none, they alone attach
    /// helpers
    #[arg(long, value_name = "FILE", help_heading = "Firewall")]
    rules: Vec<PathBuf>,
}

impl Events {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let kernel = self.input.firewall.kernel;
        let config = self.input.firewall.config(kernel)?;
        let firewall = match self.rules.is_empty() {
            true => Firewall::new(config),
            false => {
                let topology = self.input.firewall.topology()?;
                let (rules, _) = rules_of(&self.rules)?;
                Firewall::with_rules(config, rules, topology)
            }
        };
        let unread = firewall.rules().map_or(&[][..], |rules| &rules.unread);
        for unread in unread {
            eprintln!("ctaudit: {}", unread_in(&self.rules, unread));
        }
        let capture = self.input.capture()?;
        let mut replay = self.input.replay(capture, screen, firewall);
        let mut out = BufWriter::new(io::stdout().lock());
        // Somebody watches.
        let is_live = self.input.follow || io::stdout().is_terminal();
        if is_live {
            replay = replay.live();
        }
        let status = drive(&mut replay, screen, Progress::hidden(), |passage| {
            let (tunnel, step) = match &passage.arrival {
                Arrival::Other(_) | Arrival::Duplicate => return Ok(()),
                Arrival::Unseen(_, step) => (None, step),
                Arrival::Packet(packet, step) => (packet.tunnel.copied(), step),
            };
            if self.json {
                json::write(&mut out, passage.number, tunnel, step, &kernel)?;
            } else {
                events::write(&mut out, passage.at, step)?;
            }
            if is_live {
                out.flush()?;
            }
            Ok(())
        })?;
        out.flush()?;
        Ok(status)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit events capture.pcap
  ctaudit events --follow /var/log/ring
  ctaudit events --json capture.pcap | jq 'select(.helper)'
  ctaudit events --assign none --rules rules.nft capture.pcap";
