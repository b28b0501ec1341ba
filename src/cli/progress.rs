//! How far the replay is, on standard error, a few times a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::replay::Replay;

pub struct Progress {
    bar: ProgressBar,
    /// Bytes at which the bar is next told; asking the clock for each packet would cost more than the packet.
    next: u64,
}

impl Progress {
    pub fn new(replay: &Replay) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(4);
        let bar = ProgressBar::with_draw_target(replay.total_bytes(), target);
        let template = match replay.total_bytes() {
            Some(_) => {
                "{bytes}/{total_bytes} {bar:30} {binary_bytes_per_sec}, {msg} packets, {eta} left"
            }
            None => "{bytes} {binary_bytes_per_sec}, {msg} packets, {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, next: 0 }
    }

    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            next: u64::MAX,
        }
    }

    /// To be called for each packet; does something once in a read buffer.
    pub fn tell(&mut self, replay: &Replay, packets: u64) {
        let bytes = replay.bytes_read();
        if bytes >= self.next {
            self.next = bytes + STEP;
            self.bar.set_position(bytes);
            self.bar.set_message(packets.to_string());
        }
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// 256 KiB, the size of the read buffer.
const STEP: u64 = 256 << 10;
