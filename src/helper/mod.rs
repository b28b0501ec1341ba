//! Conntrack helpers: what reads a payload and asks for a hole.
//!
//! A helper sees what the kernel's sees and no more: the payload of one packet, whatever the packets before it held.
//! What it wants it asks of its `Master`, the connection that it reads; it knows neither table nor clock, so it can be
//! tested without a tracker. Adding one is a file here and two lines in this one; what else belongs to it, the guide lists.

mod amanda;
mod broadcast;
mod conntrackd;
mod freedom;
mod ftp;
mod h323;
mod irc;
mod line_ends;
mod modules;
mod pptp;
mod sane;
mod sip;
mod tftp;

pub mod reasons;
pub mod text;

pub use freedom::{Field, Freedom};
pub use modules::{
    Instances, MOST_EXPECTED, MOST_PORTS, MOST_SECONDS, Modules, Parameter, Registered,
};

pub use reasons::{NOT_ESTABLISHED, NOT_THE_SPEAKER};

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::expectation::{Expectation, ExpectationId};
use crate::kernel::Kernel;
use crate::tuple::{Direction, Protocol, Tuple};

/// Every helper, file by file.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    [
        amanda::SPECS,
        ftp::SPECS,
        h323::SPECS,
        irc::SPECS,
        pptp::SPECS,
        sane::SPECS,
        sip::SPECS,
        broadcast::SPECS,
        tftp::SPECS,
    ]
    .into_iter()
    .chain(conntrackd::SPECS)
    .flatten()
}

/// A helper's record: what netfilter knows about it before any packet.
#[derive(Debug)]
pub struct Spec {
    /// The name that rules use; with `conntrackd:` before it where the kernel has a helper of that name, too.
    pub name: &'static str,
    /// File that it follows, of the kernel or of conntrack-tools.
    pub source: &'static str,
    /// Protocols that it reads, with the port that is usual for each: where kernels before 6.0 attached it by
    /// themselves, or the service's own.
    pub ports: &'static [(Protocol, Option<u16>)],
    /// Which of IPv4 and IPv6 it reads.
    pub families: Families,
    /// Where its code runs.
    pub home: Home,
    /// One sentence for the report: why the hole must exist.
    pub why: &'static str,
    /// By class of expectation, unless the administrator says otherwise: see `Modules::policies`.
    pub policies: fn(&Modules) -> Vec<Policy>,
    /// Module parameters that change what it does.
    pub parameters: &'static [Parameter],
    /// What a forger can choose.
    pub freedom: &'static [Freedom],
    /// What it does other than its users expect, each a sentence without its full stop.
    pub defects: &'static [&'static str],
    /// A helper for one connection, whose state it keeps.
    pub start: fn(&Modules, &Kernel) -> Box<dyn Helper>,
}

impl Spec {
    /// By `name`, with `conntrackd:` where that belongs to it.
    pub fn named(name: &str) -> Option<&'static Self> {
        all().find(|spec| spec.name == name)
    }

    /// The kernel module that has it.
    pub fn module(&self) -> &'static str {
        let file = self.source.rsplit('/').next().unwrap_or(self.source);
        // nf_conntrack_h323 is of several files (net/netfilter/Makefile).
        file.trim_end_matches(".c").trim_end_matches("_main")
    }

    /// The name that rules use.
    pub fn called(&self) -> &'static str {
        self.name.strip_prefix(CONNTRACKD).unwrap_or(self.name)
    }

    /// Whether conntrackd runs it.
    pub fn in_userspace(&self) -> bool {
        matches!(self.home, Home::Conntrackd { .. })
    }

    /// Whether the kernel's own helper of that name must not be loaded beside it.
    pub fn replaces_a_module(&self) -> bool {
        self.name.starts_with(CONNTRACKD)
    }

    /// Whether it is registered for such flows, whatever their port.
    pub fn reads(&self, protocol: Protocol, ipv6: bool) -> bool {
        let family = match self.families {
            Families::Ipv4 => !ipv6,
            Families::Ipv6 => ipv6,
            Families::Both => true,
        };
        family && self.ports.iter().any(|&(read, _)| read == protocol)
    }

    /// How many of it the kernel registers.
    pub fn instances(&self) -> Instances {
        match self.home {
            Home::Module(instances) => instances,
            Home::Conntrackd { .. } => Instances::One,
        }
    }

    /// Only what the firewall itself sends to a broadcast address makes it expect anything.
    pub fn own_broadcasts_only(&self) -> bool {
        self.freedom
            .iter()
            .all(|line| line.src_addr == Field::Network)
    }
}

/// Which of the two a helper reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Either.
    Both,
}

/// Where a helper's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a module of the kernel, which registers so many of it.
    Module(Instances),
    /// In conntrackd, which gets each packet of the connection through a queue, since this version of
    /// conntrack-tools. Between two packets the kernel keeps so many bytes of what it remembers.
    Conntrackd { since: &'static str, private: usize },
}

/// Before the name of a helper of conntrackd's where the kernel has one of that name.
pub const CONNTRACKD: &str = "conntrackd:";

/// `struct nf_conntrack_expect_policy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Expectations of the class that a connection may have at a time; the oldest gives way.
    pub max_expected: u32,
    /// How long one may wait for its flow.
    pub timeout: Duration,
}

/// A packet of a connection that has this helper, as the helper is shown it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Number of the packet in the capture.
    pub packet: u64,
    /// Which way the packet goes.
    pub direction: Direction,
    /// There was traffic both ways before this packet (`IP_CT_ESTABLISHED`).
    pub established: bool,
    /// TCP sequence number of the first payload byte; 0 for UDP.
    pub seq: u32,
    /// The TCP or UDP header, with options.
    pub header: &'a [u8],
    /// Behind that header, zeros where the capture holds less.
    pub payload: &'a [u8],
    /// The connection's tuples, by direction.
    pub tuples: [Tuple; 2],
    /// The firewall itself sends this packet.
    pub is_own: bool,
    /// The firewall's address in the network to whose broadcast address it sends this packet itself.
    pub own_broadcast: Option<Ipv4Net>,
}

impl Message<'_> {
    /// The tuple of this packet.
    pub fn same(&self) -> &Tuple {
        &self.tuples[self.direction.index()]
    }

    /// The tuple of the answer to it.
    pub fn opposite(&self) -> &Tuple {
        &self.tuples[(!self.direction).index()]
    }
}

/// The state of a helper on one connection.
pub trait Helper: Send {
    /// Called for each packet of the connection, after its verdict. An error drops the packet.
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped>;

    /// Called when the connection leaves the table, before its expectations do.
    fn destroy(&mut self, _tuples: &[Tuple; 2], _master: &mut dyn Master) {}
}

/// The connection that a helper reads, and what it may ask of conntrack.
pub trait Master {
    /// The connection is an expected flow itself (`IPS_EXPECTED`).
    fn is_expected(&self) -> bool;

    /// The connection is in the table: not before its first packet has left, nor once a RST has ended it that is still on
    /// its way (`nf_conntrack_find_get`).
    fn is_listed(&self) -> bool;

    /// The firewall would send to this address by the device that the packet leaves by (`nf_ip_route`,
    /// `nf_ip6_route`).
    fn leaves_alike(&self, address: IpAddr) -> bool;

    /// The time-out from now on, until the next packet sets it anew (`nf_ct_refresh`).
    fn refresh(&mut self, timeout: Duration);

    /// Makes this expectation (`nf_ct_expect_related`), or declines it and says why.
    fn expect(&mut self, expectation: Expectation) -> Result<ExpectationId, Refused>;

    /// The same, but what anybody's connection expects already is not made again (`NF_CT_EXP_F_SKIP_MASTER`).
    fn expect_unless_expected(
        &mut self,
        expectation: Expectation,
    ) -> Result<ExpectationId, Refused>;

    /// What this connection expects, the newest first.
    fn expectations(&self) -> Vec<Standing<'_>>;

    /// The newest expectation, of any connection and active or not, that such a packet fits (`__nf_ct_expect_find`).
    fn find(&self, tuple: &Tuple) -> Option<Standing<'_>>;

    /// Activates an expectation, which times out so much later (SIP and RAS registrations).
    fn renew(&mut self, expectation: ExpectationId, timeout: Duration);

    /// Takes an expectation back (`nf_ct_unlink_expect`).
    fn withdraw(&mut self, expectation: ExpectationId);

    /// The same in the way of kernels that remove it only later (`nf_ct_unexpect_related`).
    fn unexpect(&mut self, expectation: ExpectationId);

    /// Ends the flow that has this tuple in one of its directions; `false` where there is none (`nf_ct_kill`).
    fn kill(&mut self, tuple: &Tuple) -> bool;

    /// GRE packets from and to these addresses with this `dport` have this `sport`, as long as this connection's keys
    /// of this direction stay; `false` where others stand in their place (`nf_ct_gre_keymap_add`).
    fn map_gre_keys(&mut self, direction: Direction, keys: &Tuple) -> bool;

    /// Forgets this connection's keys (`nf_ct_gre_keymap_destroy`).
    fn unmap_gre_keys(&mut self);

    /// Notes what looks like a command, though nothing is expected, and where it stands in the payload.
    fn decline(&mut self, reason: &'static str, bytes: Range<usize>);
}

/// An expectation that exists, as helpers see it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'e> {
    /// To renew it or to take it back.
    pub id: ExpectationId,
    /// This connection expects it; else another one does.
    pub is_own: bool,
    /// It was made by the same helper as the asking one, in the same role (family and protocol of the connection).
    pub same_helper: bool,
    /// As it was asked for.
    pub expectation: &'e Expectation,
}

/// The helper drops the packet; the text is the kernel's log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped(pub &'static str);

/// Why an expectation was not made (`nf_ct_expect_related`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The same is expected in another class or by another connection (`-EALREADY`).
    Already,
    /// A packet could match this one and another connection's (`-EBUSY`).
    Clash,
    /// The table of expectations is full (`-EMFILE`).
    NoRoom,
    /// The connection is not in the table (`-ENOENT`).
    NotListed,
    /// No helper of the name that the expected flow shall have is registered for its protocol (`-EOPNOTSUPP`).
    NoHelper,
}

impl Refused {
    /// In words, without a full stop.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Already => {
                "the same is expected already, in another class or by another connection"
            }
            Self::Clash => {
                "clashes with what is expected already, by another connection or this one"
            }
            Self::NoRoom => "the table of expectations is full (nf_conntrack_expect_max)",
            Self::NotListed => "the connection is not in the table yet, or no longer",
            Self::NoHelper => "the helper is not registered for the protocol of the expected flow",
        }
    }
}

/// Whether a command is declined for one of these reasons: where its packet is dropped then, that is for the same one.
pub fn is_of_conntrack(reason: &str) -> bool {
    let all = [
        Refused::Already,
        Refused::Clash,
        Refused::NoRoom,
        Refused::NotListed,
        Refused::NoHelper,
    ];
    all.iter().any(|refused| refused.reason() == reason)
}

impl From<Refused> for Dropped {
    fn from(_: Refused) -> Self {
        Self("cannot add expectation")
    }
}
