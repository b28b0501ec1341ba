//! A capture on its way through the firewall: reader, decoder and firewall in one straight line.

mod ahead;
mod batch;

use std::hint::black_box;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::capture::{Account, Capture, Error, Frame};
use crate::conntrack::config::Config;
use crate::conntrack::{Step, WARMED_UP};
use crate::firewall::Firewall;
use crate::packet::duplicate::Duplicates;
use crate::packet::link::NoIp;
use crate::packet::tunnel::Kinds;
use crate::packet::{Decoder, Packet, Unseen};
use crate::time::{Monotonic, Tick, Timestamp};
use ahead::Ahead;
use batch::{Batch, Brought, Intake};

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
    /// Who reads, unless somebody does so ahead.
    intake: Option<Intake>,
    ahead: Option<Ahead>,
    reads_ahead: bool,
    firewall: Firewall,
    batch: Batch,
    /// The frame of the batch that comes next.
    next: usize,
    /// When the last one came.
    now: Timestamp,
    bytes_read: Arc<AtomicU64>,
    total_bytes: Option<u64>,
}

impl Replay {
    /// Through a firewall without rules that drop anything.
    pub fn new(capture: Capture, config: Config, clock: Clock) -> Self {
        Self::through(Firewall::new(config), capture, clock)
    }

    pub fn through(firewall: Firewall, capture: Capture, clock: Clock) -> Self {
        Self {
            bytes_read: capture.bytes_counter(),
            total_bytes: capture.total_bytes(),
            intake: Some(Intake {
                capture,
                decoder: Decoder::new(firewall.fragment_limits(), Kinds::default()),
                clock,
                time: Monotonic::default(),
                duplicates: None,
                is_live: false,
            }),
            ahead: None,
            reads_ahead: false,
            firewall,
            batch: Batch::default(),
            next: 0,
            now: Timestamp::default(),
        }
    }

    /// Passes over what was captured twice within this time. To be said before the first frame, as are the next three.
    pub fn deduplicate(self, window: Duration) -> Self {
        self.with(|intake| intake.duplicates = Some(Duplicates::within(window)))
    }

    /// Looks into these tunnels.
    pub fn decapsulate(self, tunnels: Kinds) -> Self {
        let decoder = Decoder::new(self.firewall.fragment_limits(), tunnels);
        self.with(|intake| intake.decoder = decoder)
    }

    /// Gives each frame as soon as it was read, where others would wait for more.
    pub fn live(self) -> Self {
        self.with(|intake| intake.is_live = true)
    }

    /// Reads and decodes on a thread of its own. What comes out is the same.
    pub fn read_ahead(self) -> Self {
        Self {
            reads_ahead: true,
            ..self
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Intake)) -> Self {
        if let Some(intake) = &mut self.intake {
            change(intake);
        }
        self
    }

    /// The next frame; `None` at the end.
    #[inline(always)]
    pub fn advance(&mut self) -> Result<Option<Passage<'_>>, Error> {
        while self.next == self.batch.heads.len() {
            if let Some(error) = self.batch.error.take() {
                return Err(error);
            }
            if self.batch.is_last {
                return Ok(None);
            }
            self.refill();
        }
        if self.next.is_multiple_of(WARMED_UP) {
            self.warm_up();
        }
        let Some(head) = self.batch.heads.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        self.now = head.clock;
        let arrival = match &head.brought {
            Brought::Other(why) => Arrival::Other(*why),
            Brought::Duplicate => Arrival::Duplicate,
            Brought::Unseen(why) => Arrival::Unseen(*why, self.firewall.unseen(head.clock, *why)),
            Brought::Packet(datagram) => {
                let packet = self.batch.packet(head, datagram);
                let step = self.firewall.packet(head.clock, &packet);
                Arrival::Packet(packet, step)
            }
        };
        Ok(Some(Passage {
            number: head.number,
            at: head.at,
            clock: head.clock,
            tick: head.tick,
            link: head.link,
            interface: head.interface,
            interface_name: self.batch.interface_name(head),
            frame: self.batch.frame(head),
            arrival,
        }))
    }

    #[inline(never)]
    fn refill(&mut self) {
        self.next = 0;
        if self.reads_ahead
            && let Some(intake) = self.intake.take()
        {
            self.reads_ahead = false;
            self.ahead = Some(Ahead::start(intake));
        }
        if let Some(ahead) = &self.ahead {
            let read = mem::take(&mut self.batch);
            self.batch = ahead.exchange(read).unwrap_or_else(Batch::last);
            if self.batch.is_last {
                self.intake = self.ahead.take().map(Ahead::end);
            }
        } else if let Some(intake) = &mut self.intake {
            intake.fill(&mut self.batch);
        }
    }

    /// Looks at the headers and the flows of the next few packets.
    #[inline(never)]
    fn warm_up(&self) {
        let ahead = self.batch.heads[self.next..].iter().take(WARMED_UP);
        let datagrams = ahead.filter_map(|head| match &head.brought {
            Brought::Packet(datagram) => Some(datagram),
            _ => None,
        });
        let headers = datagrams.clone().map(|datagram| self.batch.touch(datagram));
        black_box(headers.fold(0, |sum, byte| sum ^ byte));
        let hashes = datagrams.filter_map(|datagram| datagram.key.map(|key| key.hash));
        self.firewall.warm_up(hashes);
    }

    /// After the last frame: what is still open is told as such, a few flows at a time, and `None` when all of it was.
    pub fn finish(&mut self) -> Option<Step<'_>> {
        self.firewall.finish(self.now)
    }

    /// Bytes read of all inputs, as they are stored.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes of all inputs, if all of them are regular files that nobody waits for.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// After the last frame: what is to be said of the inputs.
    pub fn account(&self) -> Account {
        let intake = self.intake.as_ref();
        intake.map_or_else(Account::default, |intake| intake.capture.account())
    }

    pub fn firewall(&self) -> &Firewall {
        &self.firewall
    }
}
