//! `ctaudit explain`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::drive::drive;
use super::{Failure, Input, Screen};
use crate::explain::Explanation;
use crate::firewall::Firewall;
use crate::report::{sections, terminal};

/// Print everything about one packet: its flow before and after, the window that it was held against, what its helper read
/// and in which bytes, what it caused, and what became of that
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    #[command(flatten)]
    input: Input,
    /// The frame's number, as every other command tells it: counted from 1, and on over all captures
    #[arg(value_name = "FRAME", value_parser = clap::value_parser!(u64).range(1..))]
    frame: u64,
}

impl Explain {
    pub(super) fn run(self, screen: &Screen) -> Result<ExitCode, Failure> {
        let config = self.input.firewall.config(self.input.firewall.kernel)?;
        let capture = self.input.capture()?;
        let replay = self.input.replay(capture, screen, Firewall::new(config));
        let mut replay = replay.examine(self.frame);
        let mut explanation = Explanation::of(self.frame);
        let progress = screen.progress(&replay);
        let status = drive(&mut replay, screen, progress, |passage| {
            explanation.observe(passage);
            Ok(())
        })?;
        while let Some(step) = replay.finish() {
            explanation.finish(&step);
        }
        let Some(frame) = &explanation.frame else {
            return Err(Failure::NoFrame {
                frame: self.frame,
                frames: explanation.frames,
            });
        };
        let page = sections::explanation(&explanation, frame, replay.examined());
        let mut out = BufWriter::new(io::stdout().lock());
        terminal::page(&mut out, &page, screen.look)?;
        out.flush()?;
        Ok(status)
    }
}

const EXAMPLES: &str = "\
Examples:
  ctaudit explain capture.pcap 245
  ctaudit explain --add-assign 'tcp 2121 ftp' monday.pcap tuesday.pcap 70245";
