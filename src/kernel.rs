//! Kernel series as sets of behaviours.
//!
//! A number says little: stable updates change verdicts inside one series. So the simulation asks for a behaviour
//! by name, and a series is no more than a column of them, as its newest release examined had them.

use std::fmt;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use Behaviour::*;

/// A kernel series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// As `--kernel` names it.
    pub series: &'static str,
    /// The release whose sources were examined, and whether it was asked as well.
    pub release: &'static str,
    /// Whether such a kernel's records lie in the tests; else its sources alone were read.
    pub was_asked: bool,
    column: usize,
}

/// What differs between kernels, as far as the simulation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// `tracks-dccp`
    TracksDccp,
    /// `drops-cut-dccp`
    DropsCutDccp,
    /// `tracks-udplite`
    TracksUdpLite,
    /// `rst-sets-close`
    RstSetsClose,
    /// `mrdisc-untracked`
    MrdiscUntracked,
    /// `no-max-is-no-limit`
    NoMaxIsNoLimit,
    /// `helper-status-inherited`
    HelperStatusInherited,
    /// `expectation-stamps`
    ExpectationStamps,
    /// `ftp-refuses-large-numbers`
    FtpRefusesLargeNumbers,
    /// `broadcast-answers-from-asked-port`
    BroadcastAnswersFromAskedPort,
    /// `helper-ports`
    HelperPorts,
}

/// A behaviour, and who has it.
#[derive(Debug)]
pub struct Difference {
    /// Which one it is.
    pub behaviour: Behaviour,
    /// As `ctaudit kernels` prints it.
    pub name: &'static str,
    /// What kernels with it do; and, where it is not plainly the opposite, what others do.
    pub meaning: &'static str,
    /// Below net/netfilter, in kernels that have it or had it last.
    pub source: &'static str,
    /// By series, in their order.
    has: [bool; SERIES],
}

impl Kernel {
    /// `None` for a series that is not simulated.
    pub fn of(series: &str) -> Option<Self> {
        KERNELS
            .iter()
            .find(|kernel| kernel.series == series)
            .copied()
    }

    /// The oldest first.
    pub fn all() -> &'static [Self] {
        &KERNELS
    }

    /// Whether the series behaves like that.
    pub fn does(&self, behaviour: Behaviour) -> bool {
        DIFFERENCES[behaviour as usize].holds_for(self)
    }
}

/// Time in the kernel's ticks, which wrap at 32 bits.
impl Kernel {
    /// `CONFIG_HZ` of the kernels that were asked, as Debian configures it, is 250.
    pub const TICK: Duration = Duration::from_millis(4);

    /// How long a conntrack stays that is given so many seconds: its end is a stamp, and of all stamps half lie in the
    /// past (`nf_ct_is_expired`).
    pub fn conntrack_timeout(seconds: u32) -> Duration {
        let ticks = in_ticks(seconds);
        if i32::try_from(ticks).is_ok() {
            Self::TICK * ticks
        } else {
            Duration::ZERO
        }
    }

    /// The same of an expectation, whose end some kernels leave to a timer.
    pub fn expectation_timeout(&self, seconds: u32) -> Duration {
        if self.does(ExpectationStamps) {
            Self::conntrack_timeout(seconds)
        } else {
            Self::TICK * in_ticks(seconds)
        }
    }
}

fn in_ticks(seconds: u32) -> u32 {
    let a_second = Duration::from_secs(1).as_millis() / Kernel::TICK.as_millis();
    seconds.wrapping_mul(a_second as u32)
}

impl Default for Kernel {
    /// The newest that was asked.
    fn default() -> Self {
        let newest = KERNELS.iter().rfind(|kernel| kernel.was_asked);
        *newest.unwrap_or(&KERNELS[0])
    }
}

/// By its series.
impl Serialize for Kernel {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(self.series)
    }
}

impl<'de> Deserialize<'de> for Kernel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let series = String::deserialize(from)?;
        Self::of(&series).ok_or_else(|| D::Error::custom("no such kernel series"))
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.series)
    }
}

impl Difference {
    /// In the order of `Behaviour`.
    pub fn all() -> &'static [Self] {
        &DIFFERENCES
    }

    /// Whether the series behaves like that.
    pub fn holds_for(&self, kernel: &Kernel) -> bool {
        self.has[kernel.column]
    }
}

const SERIES: usize = 6;

const KERNELS: [Kernel; SERIES] = [
    kernel(0, "6.1", "6.1.192", true),
    kernel(1, "6.12", "6.12.117", true),
    kernel(2, "6.18", "6.18.44", true),
    kernel(3, "7.1", "7.1.3", false),
    kernel(4, "7.2", "7.2.6", false),
    kernel(5, "7.3", "7.3.4", false),
];

const fn kernel(
    column: usize,
    series: &'static str,
    release: &'static str,
    was_asked: bool,
) -> Kernel {
    Kernel {
        series,
        release,
        was_asked,
        column,
    }
}

const Y: bool = true;
const N: bool = false;

/// In the order of `Behaviour`.
const DIFFERENCES: [Difference; 11] = [
    Difference {
        behaviour: TracksDccp,
        name: "tracks-dccp",
        meaning: "DCCP has states, ports and time-outs; else it is tracked by its addresses alone",
        source: "nf_conntrack_proto_dccp.c",
        has: [Y, Y, N, N, N, N],
    },
    Difference {
        behaviour: DropsCutDccp,
        name: "drops-cut-dccp",
        meaning: "a DCCP packet whose header is cut off is dropped; else it is INVALID",
        source: "nf_conntrack_proto_dccp.c",
        has: [Y, N, N, N, N, N],
    },
    Difference {
        behaviour: TracksUdpLite,
        name: "tracks-udplite",
        meaning: "UDP-Lite has ports and UDP's time-outs; else it is tracked by its addresses alone",
        source: "nf_conntrack_proto_udp.c",
        has: [Y, Y, Y, N, N, N],
    },
    Difference {
        behaviour: RstSetsClose,
        name: "rst-sets-close",
        meaning: "any RST sets the time-out of CLOSE, also one that leaves the state ESTABLISHED; \
            else that one alone sets tcp_timeout_unacknowledged",
        source: "nf_conntrack_proto_tcp.c",
        has: [Y, N, Y, Y, Y, N],
    },
    Difference {
        behaviour: MrdiscUntracked,
        name: "mrdisc-untracked",
        meaning: "multicast router discovery (ICMPv6 151, 152) is UNTRACKED; else INVALID",
        source: "nf_conntrack_proto_icmpv6.c",
        has: [N, Y, Y, Y, Y, Y],
    },
    Difference {
        behaviour: NoMaxIsNoLimit,
        name: "no-max-is-no-limit",
        meaning: "nf_conntrack_max=0 means any number of conntracks; else none",
        source: "nf_conntrack_core.c",
        has: [Y, Y, Y, N, N, N],
    },
    Difference {
        behaviour: HelperStatusInherited,
        name: "helper-status-inherited",
        meaning: "an expected flow that has a helper from its expectation has the HELPER status, too, \
            so no rule can give it another helper",
        source: "nf_conntrack_helper.c",
        has: [Y, Y, N, N, Y, Y],
    },
    Difference {
        behaviour: ExpectationStamps,
        name: "expectation-stamps",
        meaning: "an expectation that times out or is taken back matches nothing from then on, and leaves the table \
            when its place is next looked at; its end is a 32-bit count of ticks; else a timer ends it",
        source: "nf_conntrack_expect.c",
        has: [Y, Y, N, N, Y, Y],
    },
    Difference {
        behaviour: FtpRefusesLargeNumbers,
        name: "ftp-refuses-large-numbers",
        meaning: "an FTP command with an octet above 255 or a port above 65535 is dropped; else they wrap",
        source: "nf_conntrack_ftp.c",
        has: [N, N, N, N, Y, Y],
    },
    Difference {
        behaviour: BroadcastAnswersFromAskedPort,
        name: "broadcast-answers-from-asked-port",
        meaning: "netbios-ns and snmp expect answers from the port that was asked; else from 137 and 161",
        source: "nf_conntrack_broadcast.c",
        has: [N, N, N, N, N, Y],
    },
    Difference {
        behaviour: HelperPorts,
        name: "helper-ports",
        meaning: "the modules of ftp, irc, sane, sip and tftp take ports= and register a helper for each, as \
            ftp-2121 or irc-1; else there is one, by the plain name",
        source: "nf_conntrack_helper.c",
        has: [Y, Y, Y, Y, Y, N],
    },
];
