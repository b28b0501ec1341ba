//! A capture on its way through the firewall: reader, decoder and firewall in one straight line.

use std::time::Duration;

use crate::capture::{Capture, Error, Frame};
use crate::conntrack::Step;
use crate::conntrack::config::Config;
use crate::firewall::Firewall;
use crate::packet::duplicate::Duplicates;
use crate::packet::link::{self, NoIp};
use crate::packet::tunnel::Kinds;
use crate::packet::{Decoder, Packet, Unseen};
use crate::time::{Monotonic, Tick, Timestamp};

/// What time does to the simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// It passes as the capture's timestamps say.
    #[default]
    Capture,
    /// It stands, so no timer ever fires: for comparison with a kernel that was shown the packets all at once.
    Still,
}

impl Clock {
    fn of(self, time: &Monotonic) -> Timestamp {
        match self {
            Self::Capture => time.now(),
            Self::Still => Timestamp::default(),
        }
    }
}

/// One frame of the capture and what became of it.
pub struct Passage<'r> {
    pub number: u64,
    /// The frame's own timestamp.
    pub at: Timestamp,
    /// The simulation's clock, which never runs backwards, and may stand.
    pub clock: Timestamp,
    /// How its timestamp follows the ones before.
    pub tick: Tick,
    pub link: u16,
    /// The interface's number in its pcapng section.
    pub interface: u32,
    /// Its name, where the section has one.
    pub interface_name: Option<&'r str>,
    /// All of it that was captured.
    pub frame: &'r [u8],
    pub arrival: Arrival<'r>,
}

/// What a frame brought.
pub enum Arrival<'r> {
    /// No IP packet.
    Other(NoIp),
    /// An IP packet that was captured before, and counts once.
    Duplicate,
    /// An IP packet that never came to the rules, and why.
    Unseen(Unseen, Step<'r>),
    Packet(Packet<'r>, Step<'r>),
}

/// The replay of one input. Its memory follows the flows alive.
pub struct Replay {
    capture: Capture,
    decoder: Decoder,
    firewall: Firewall,
    clock: Clock,
    time: Monotonic,
    duplicates: Option<Duplicates>,
}

impl Replay {
    /// Through a firewall without rules that drop anything.
    pub fn new(capture: Capture, config: Config, clock: Clock) -> Self {
        Self::through(Firewall::new(config), capture, clock)
    }

    pub fn through(firewall: Firewall, capture: Capture, clock: Clock) -> Self {
        Self {
            capture,
            decoder: Decoder::new(firewall.fragment_limits(), Kinds::default()),
            firewall,
            clock,
            time: Monotonic::default(),
            duplicates: None,
        }
    }

    /// Passes over what was captured twice within this time. To be said before the first frame.
    pub fn deduplicate(self, window: Duration) -> Self {
        let duplicates = Some(Duplicates::within(window));
        Self { duplicates, ..self }
    }

    /// Looks into these tunnels. To be said before the first frame.
    pub fn decapsulate(self, tunnels: Kinds) -> Self {
        let decoder = Decoder::new(self.firewall.fragment_limits(), tunnels);
        Self { decoder, ..self }
    }

    /// The next frame; `None` at the end.
    #[inline]
    pub fn advance(&mut self) -> Result<Option<Passage<'_>>, Error> {
        let Some(Frame {
            number,
            at,
            link,
            interface,
            interface_name,
            data,
            ..
        }) = self.capture.next()?
        else {
            return Ok(None);
        };
        let tick = self.time.tick(at);
        let clock = self.clock.of(&self.time);
        let is_duplicate = self.duplicates.as_mut().is_some_and(|seen| {
            link::network_layer(link, data).is_ok_and(|bytes| seen.is_one(at, bytes))
        });
        let arrival = if is_duplicate {
            Arrival::Duplicate
        } else {
            match self.decoder.decode(clock, number, link, data) {
                Err(why) => Arrival::Other(why),
                Ok(Err(why)) => Arrival::Unseen(why, self.firewall.unseen(clock, why)),
                Ok(Ok(packet)) => {
                    let step = self.firewall.packet(clock, &packet);
                    Arrival::Packet(packet, step)
                }
            }
        };
        Ok(Some(Passage {
            number,
            at,
            clock,
            tick,
            link,
            interface,
            interface_name,
            frame: data,
            arrival,
        }))
    }

    /// After the last frame: what is still open is told as such.
    pub fn finish(&mut self) -> Step<'_> {
        let clock = self.clock.of(&self.time);
        self.firewall.finish(clock)
    }

    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    pub fn firewall(&self) -> &Firewall {
        &self.firewall
    }
}
