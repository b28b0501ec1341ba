//! A capture on its way through the firewall: reader, decoder and firewall in one straight line, a batch of frames at a time.

mod ahead;
mod batch;
mod follow;
mod intake;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::capture::{Account, Capture, Error};
use crate::conntrack::config::Config;
use crate::conntrack::{Examined, State, Step};
use crate::firewall::Firewall;
use crate::packet::duplicate::Duplicates;
use crate::packet::link::NoIp;
use crate::packet::tunnel::Kinds;
use crate::packet::{Decoder, Packet, Unseen};
use crate::time::{Monotonic, Tick, Timestamp};
use ahead::Ahead;
use batch::{Batch, Brought};
use follow::Follower;
use intake::Intake;

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
    /// Counted from 1 over all inputs.
    pub number: u64,
    /// The frame's own timestamp.
    pub at: Timestamp,
    /// The simulation's clock, which never runs backwards, and may stand.
    pub clock: Timestamp,
    /// How its timestamp follows the ones before.
    pub tick: Tick,
    /// LINKTYPE_ number
    pub link: u16,
    /// The interface's number in its pcapng section.
    pub interface: u32,
    /// Its name, where the section has one.
    pub interface_name: Option<&'r str>,
    /// All of it that was captured.
    pub frame: &'r [u8],
    /// What was in the frame, and what became of it.
    pub arrival: Arrival<'r>,
}

impl Passage<'_> {
    /// Its packet belongs to a flow that no helper has to do with, and nothing came of it.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        let Arrival::Packet(packet, step) = &self.arrival else {
            return false;
        };
        let verdict = &step.verdict;
        let is_plain = !verdict.attached && verdict.helper.is_none() && verdict.reason.is_none();
        let nothing_came = step.late.is_empty() && step.events.is_empty();
        let is_of_flow = matches!(verdict.state, State::New | State::Established);
        is_of_flow && is_plain && nothing_came && !packet.fragmented
    }
}

/// What a frame brought.
pub enum Arrival<'r> {
    /// No IP packet.
    Other(NoIp),
    /// An IP packet that was captured before, and counts once.
    Duplicate,
    /// An IP packet that never came to the rules, and why.
    Unseen(Unseen, Step<'r>),
    /// An IP packet, and what conntrack and the rules made of it.
    Packet(Packet<'r>, Step<'r>),
}

/// The replay of one input. Its memory follows the flows alive.
pub struct Replay {
    /// Who reads, and who follows the flows, unless they are on threads of their own.
    here: Option<Stages>,
    ahead: Option<Ahead>,
    reads_ahead: bool,
    batch: Batch,
    /// The frame of the batch that comes next.
    next: usize,
    /// When the last one came.
    now: Timestamp,
    bytes_read: Arc<AtomicU64>,
    total_bytes: Option<u64>,
}

/// Who reads, and who follows the flows.
struct Stages {
    intake: Intake,
    follower: Follower,
}

impl Stages {
    fn fill(&mut self, batch: &mut Batch) {
        self.intake.fill(batch);
        self.follower.follow(batch);
    }
}

impl Replay {
    /// Through a firewall without rules that drop anything.
    pub fn new(capture: Capture, config: Config, clock: Clock) -> Self {
        Self::through(Firewall::new(config), capture, clock)
    }

    /// The same through any firewall.
    pub fn through(firewall: Firewall, capture: Capture, clock: Clock) -> Self {
        let (bytes_read, total_bytes) = (capture.bytes_counter(), capture.total_bytes());
        let intake = Intake {
            capture,
            decoder: Decoder::new(firewall.fragment_limits(), Kinds::default()),
            clock,
            time: Monotonic::default(),
            duplicates: None,
            is_live: false,
        };
        let follower = Follower {
            firewall,
            sought: None,
            examined: None,
        };
        Self {
            here: Some(Stages { intake, follower }),
            ahead: None,
            reads_ahead: false,
            batch: Batch::default(),
            next: 0,
            now: Timestamp::default(),
            bytes_read,
            total_bytes,
        }
    }

    /// Passes over what was captured twice within this time. To be said before the first frame, as are the next four.
    pub fn deduplicate(self, window: Duration) -> Self {
        self.with(|stages| stages.intake.duplicates = Some(Duplicates::within(window)))
    }

    /// Looks into these tunnels.
    pub fn decapsulate(self, tunnels: Kinds) -> Self {
        self.with(|Stages { intake, follower }| {
            intake.decoder = Decoder::new(follower.firewall.fragment_limits(), tunnels);
        })
    }

    /// Gives each frame as soon as it was read, where others would wait for more.
    pub fn live(self) -> Self {
        self.with(|stages| stages.intake.is_live = true)
    }

    /// Looks closely at the packet of the frame with this number.
    pub fn examine(self, frame: u64) -> Self {
        self.with(|stages| stages.follower.sought = Some(frame))
    }

    /// Reads and decodes on a thread of its own, and follows the flows on another. What comes out is the same.
    pub fn read_ahead(self) -> Self {
        Self {
            reads_ahead: true,
            ..self
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Stages)) -> Self {
        if let Some(stages) = &mut self.here {
            change(stages);
        }
        self
    }

    /// The next frame; `None` at the end.
    #[inline(always)]
    pub fn advance(&mut self) -> Result<Option<Passage<'_>>, Error> {
        while self.next == self.batch.frames.heads.len() {
            if let Some(error) = self.batch.error.take() {
                return Err(error);
            }
            if self.batch.is_last {
                return Ok(None);
            }
            self.refill();
        }
        let Batch { frames, told, .. } = &self.batch;
        let Some(head) = frames.heads.get(self.next) else {
            return Ok(None);
        };
        let step = told.step(self.next);
        self.next += 1;
        self.now = head.clock;
        let arrival = match &head.brought {
            Brought::Other(why) => Arrival::Other(*why),
            Brought::Duplicate => Arrival::Duplicate,
            Brought::Unseen(why) => Arrival::Unseen(*why, step),
            Brought::Packet(datagram) => Arrival::Packet(frames.packet(head, datagram), step),
        };
        Ok(Some(Passage {
            number: head.number,
            at: head.at,
            clock: head.clock,
            tick: head.tick,
            link: head.link,
            interface: head.interface,
            interface_name: frames.interface_name(head),
            frame: frames.frame(head),
            arrival,
        }))
    }

    #[inline(never)]
    fn refill(&mut self) {
        self.next = 0;
        if self.reads_ahead
            && let Some(stages) = self.here.take()
        {
            self.reads_ahead = false;
            self.ahead = Some(Ahead::start(stages));
        }
        if let Some(ahead) = &self.ahead {
            let read = mem::take(&mut self.batch);
            self.batch = ahead.exchange(read).unwrap_or_else(Batch::last);
            if self.batch.is_last {
                self.here = self.ahead.take().map(Ahead::end);
            }
        } else if let Some(stages) = &mut self.here {
            stages.fill(&mut self.batch);
        }
    }

    /// After the last frame: what is still open is told as such, a few flows at a time, and `None` when all of it was.
    pub fn finish(&mut self) -> Option<Step<'_>> {
        self.here.as_mut()?.follower.firewall.finish(self.now)
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
        let here = self.here.as_ref();
        here.map_or_else(Account::default, |stages| stages.intake.capture.account())
    }

    /// After the last frame: what was seen of the one that was to be examined, if it has a packet.
    pub fn examined(&self) -> Option<&Examined> {
        self.here.as_ref()?.follower.examined.as_ref()
    }

    /// Conntracks alive, after the last frame.
    pub fn conntracks(&self) -> usize {
        let here = self.here.as_ref();
        here.map_or(0, |stages| stages.follower.firewall.conntracks())
    }

    /// Conntracks that were alive at once, at the most, after the last frame.
    pub fn most_conntracks(&self) -> usize {
        let here = self.here.as_ref();
        here.map_or(0, |stages| stages.follower.firewall.most_conntracks())
    }
}
