//! What an administrator can set: sysctls, the kernel series, which helper is attached to which port.

use std::time::Duration;

use ipnet::IpNet;

use crate::helper::{Modules, Registered, Spec};
use crate::kernel::Kernel;
use crate::packet::{fragment, route};
use crate::tuple::Protocol;

/// The firewall that the capture is replayed through.
#[derive(Clone, Debug)]
pub struct Config {
    /// Time-outs, limits and switches.
    pub sysctls: Sysctls,
    /// Parameters of the kernel's modules, and conntrackd's policies.
    pub modules: Modules,
    /// The series that is simulated.
    pub kernel: Kernel,
    /// Which helper new flows get, by port.
    pub assignments: Vec<Assignment>,
    /// Helpers, by name and protocol, that conntrackd was told to run besides those that are assigned here.
    pub runs: Vec<(&'static str, Protocol)>,
    /// The firewall's own addresses, with the networks that they are in.
    pub local: Vec<IpNet>,
}

impl Config {
    /// Default sysctls, and every helper on the port that it had before Linux 6.0.
    pub fn new(kernel: Kernel, modules: Modules) -> Self {
        Self {
            sysctls: Sysctls::default(),
            assignments: Assignment::classic(&modules),
            modules,
            kernel,
            runs: Vec::new(),
            local: Vec::new(),
        }
    }

    /// Whether conntrackd was told to run a helper for this protocol: those that rules name, and no others.
    pub fn runs_for(&self, helper: &Spec, protocol: Protocol) -> bool {
        self.runs.contains(&(helper.name, protocol))
            || self
                .assigned()
                .any(|(name, read)| (name, read) == (helper.name, protocol))
    }

    /// The same firewall, whose helpers rules attach, if anything does. Conntrackd is set up as before.
    pub fn unassigned(&self) -> Self {
        Self {
            assignments: Vec::new(),
            runs: self.runs.iter().copied().chain(self.assigned()).collect(),
            ..self.clone()
        }
    }

    fn assigned(&self) -> impl Iterator<Item = (&'static str, Protocol)> {
        let assignments = self.assignments.iter();
        assignments.map(|assignment| (assignment.helper.spec.name, assignment.protocol))
    }

    /// Whether there is a network that the firewall could send a broadcast to.
    pub fn has_broadcast_network(&self) -> bool {
        let mut local = self.local.iter();
        local.any(|own| match own {
            IpNet::V4(net) => {
                route::broadcast_network(net.broadcast().into(), &self.local).is_some()
            }
            IpNet::V6(_) => false,
        })
    }

    /// What the sysctls allow fragments that wait.
    pub fn fragment_limits(&self) -> fragment::Limits {
        let number = |sysctl| usize::try_from(self.sysctls.get(sysctl)).unwrap_or(usize::MAX);
        fragment::Limits {
            ipv4_timeout: self.sysctls.timeout(Sysctl::IpfragTime),
            ipv4_high: number(Sysctl::IpfragHighThresh),
            ipv4_max_dist: u32::try_from(self.sysctls.get(Sysctl::IpfragMaxDist))
                .unwrap_or(u32::MAX),
            ipv6_timeout: self.sysctls.timeout(Sysctl::Frag6Timeout),
            ipv6_high: number(Sysctl::Frag6HighThresh),
        }
    }
}

/// `ct state new PROTOCOL dport PORT ct helper set NAME`, for flows that are not expected themselves.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The destination port of a flow's first packet.
    pub port: u16,
    /// What is attached.
    pub helper: Registered,
}

impl Assignment {
    /// The automatic assignment of kernels before 6.0.
    pub fn classic(modules: &Modules) -> Vec<Self> {
        Self::usual(modules, |spec| {
            !spec.in_userspace() || spec.replaces_a_module()
        })
    }

    /// The helpers that conntrackd alone has, each on the port of its service.
    pub fn userspace(modules: &Modules) -> Vec<Self> {
        Self::usual(modules, |spec| {
            spec.in_userspace() && !spec.replaces_a_module()
        })
    }

    fn usual(modules: &Modules, is_meant: impl Fn(&Spec) -> bool) -> Vec<Self> {
        let mut assignments = Vec::new();
        for &helper in modules.registered() {
            for (protocol, port) in helper.ports().filter(|_| is_meant(helper.spec)) {
                assignments.extend(port.map(|port| Self {
                    protocol,
                    port,
                    helper,
                }));
            }
        }
        assignments
    }

    /// Reads `PROTOCOL PORT HELPER`, for example `tcp 2121 ftp`.
    pub fn parse(text: &str, modules: &Modules) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [protocol, port, name] = words[..] else {
            return Err(format!(
                "'{text}' is not of the form 'PROTOCOL PORT HELPER', as in 'tcp 2121 ftp'"
            ));
        };
        let protocol = match protocol {
            "tcp" => Protocol::TCP,
            "udp" => Protocol::UDP,
            _ => return Err(format!("'{protocol}' is neither tcp nor udp")),
        };
        let port = match port.parse() {
            Ok(0) | Err(_) => return Err(format!("'{port}' is no port (1 to 65535)")),
            Ok(port) => port,
        };
        let helper = *modules.named(name)?;
        if helper.spec.ports.is_empty() {
            return Err(format!(
                "no rule assigns {name}: flows have it from their expectation"
            ));
        }
        if !helper.ports().any(|(served, _)| served == protocol) {
            return Err(format!("the helper {name} does not read {protocol}"));
        }
        Ok(Self {
            protocol,
            port,
            helper,
        })
    }
}

/// The sysctls that decide what conntrack does. `SYSCTLS` holds names and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysctl {
    /// `net.netfilter.nf_conntrack_max`
    Max,
    /// `net.netfilter.nf_conntrack_expect_max`
    ExpectMax,
    /// `net.netfilter.nf_conntrack_tcp_be_liberal`
    TcpBeLiberal,
    /// `net.netfilter.nf_conntrack_tcp_ignore_invalid_rst`
    TcpIgnoreInvalidRst,
    /// `net.netfilter.nf_conntrack_tcp_loose`
    TcpLoose,
    /// `net.netfilter.nf_conntrack_tcp_max_retrans`
    TcpMaxRetrans,
    /// `net.netfilter.nf_conntrack_tcp_timeout_syn_sent`
    TcpTimeoutSynSent,
    /// `net.netfilter.nf_conntrack_tcp_timeout_syn_recv`
    TcpTimeoutSynRecv,
    /// `net.netfilter.nf_conntrack_tcp_timeout_established`
    TcpTimeoutEstablished,
    /// `net.netfilter.nf_conntrack_tcp_timeout_fin_wait`
    TcpTimeoutFinWait,
    /// `net.netfilter.nf_conntrack_tcp_timeout_close_wait`
    TcpTimeoutCloseWait,
    /// `net.netfilter.nf_conntrack_tcp_timeout_last_ack`
    TcpTimeoutLastAck,
    /// `net.netfilter.nf_conntrack_tcp_timeout_time_wait`
    TcpTimeoutTimeWait,
    /// `net.netfilter.nf_conntrack_tcp_timeout_close`
    TcpTimeoutClose,
    /// `net.netfilter.nf_conntrack_tcp_timeout_max_retrans`
    TcpTimeoutMaxRetrans,
    /// `net.netfilter.nf_conntrack_tcp_timeout_unacknowledged`
    TcpTimeoutUnacknowledged,
    /// `net.netfilter.nf_conntrack_udp_timeout`
    UdpTimeout,
    /// `net.netfilter.nf_conntrack_udp_timeout_stream`
    UdpTimeoutStream,
    /// `net.netfilter.nf_conntrack_icmp_timeout`
    IcmpTimeout,
    /// `net.netfilter.nf_conntrack_icmpv6_timeout`
    Icmpv6Timeout,
    /// `net.netfilter.nf_conntrack_generic_timeout`
    GenericTimeout,
    /// `net.netfilter.nf_conntrack_gre_timeout`
    GreTimeout,
    /// `net.netfilter.nf_conntrack_gre_timeout_stream`
    GreTimeoutStream,
    /// `net.netfilter.nf_conntrack_sctp_timeout_closed`
    SctpTimeoutClosed,
    /// `net.netfilter.nf_conntrack_sctp_timeout_cookie_wait`
    SctpTimeoutCookieWait,
    /// `net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed`
    SctpTimeoutCookieEchoed,
    /// `net.netfilter.nf_conntrack_sctp_timeout_established`
    SctpTimeoutEstablished,
    /// `net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent`
    SctpTimeoutShutdownSent,
    /// `net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd`
    SctpTimeoutShutdownRecd,
    /// `net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent`
    SctpTimeoutShutdownAckSent,
    /// `net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent`
    SctpTimeoutHeartbeatSent,
    /// `net.netfilter.nf_conntrack_dccp_loose`
    DccpLoose,
    /// `net.netfilter.nf_conntrack_dccp_timeout_request`
    DccpTimeoutRequest,
    /// `net.netfilter.nf_conntrack_dccp_timeout_respond`
    DccpTimeoutRespond,
    /// `net.netfilter.nf_conntrack_dccp_timeout_partopen`
    DccpTimeoutPartopen,
    /// `net.netfilter.nf_conntrack_dccp_timeout_open`
    DccpTimeoutOpen,
    /// `net.netfilter.nf_conntrack_dccp_timeout_closereq`
    DccpTimeoutClosereq,
    /// `net.netfilter.nf_conntrack_dccp_timeout_closing`
    DccpTimeoutClosing,
    /// `net.netfilter.nf_conntrack_dccp_timeout_timewait`
    DccpTimeoutTimewait,
    /// `net.ipv4.ipfrag_time`
    IpfragTime,
    /// `net.ipv4.ipfrag_high_thresh`
    IpfragHighThresh,
    /// `net.ipv4.ipfrag_max_dist`
    IpfragMaxDist,
    /// `net.netfilter.nf_conntrack_frag6_timeout`
    Frag6Timeout,
    /// `net.netfilter.nf_conntrack_frag6_high_thresh`
    Frag6HighThresh,
}

/// Values of the sysctls: seconds, counts, bytes or switches.
#[derive(Clone, Debug)]
pub struct Sysctls([u64; SYSCTLS.len()]);

impl Sysctls {
    /// In the sysctl's own unit.
    pub fn get(&self, sysctl: Sysctl) -> u64 {
        self.0[sysctl as usize]
    }

    /// Whether a switch is not 0.
    pub fn is_on(&self, sysctl: Sysctl) -> bool {
        self.get(sysctl) != 0
    }

    /// Of a sysctl in seconds.
    pub fn timeout(&self, sysctl: Sysctl) -> Duration {
        Duration::from_secs(self.get(sysctl))
    }

    /// Those that do not have their defaults, with their names and values.
    pub fn changed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let both = SYSCTLS.iter().zip(&self.0);
        both.filter(|((_, _, default), value)| default != *value)
            .map(|((_, name, _), value)| (*name, *value))
    }

    /// Reads `KEY=VALUE` with the key as sysctl(8) writes it, dots or slashes.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' is not of the form KEY=VALUE, as in net.netfilter.nf_conntrack_tcp_loose=0"))?;
        let dotted = key.trim().replace('/', ".");
        let index = SYSCTLS
            .iter()
            .position(|(_, name, _)| *name == dotted)
            .ok_or_else(|| {
                format!(
                    "'{key}' decides nothing in this simulation; the sysctls that do: {}",
                    names().join(" ")
                )
            })?;
        let value = value.trim();
        self.0[index] = match value.parse::<u64>() {
            Ok(number) if number <= MAX_VALUE => number,
            _ => {
                return Err(format!(
                    "'{value}' is no value for {key} (0 to {MAX_VALUE})"
                ));
            }
        };
        Ok(())
    }
}

impl Default for Sysctls {
    fn default() -> Self {
        Self(SYSCTLS.map(|(_, _, default)| default))
    }
}

fn names() -> Vec<&'static str> {
    SYSCTLS.iter().map(|(_, name, _)| *name).collect()
}

/// What fits an `int`. Of the time-outs, the kernel refuses some that are smaller (`proc_dointvec_jiffies`).
const MAX_VALUE: u64 = 2_147_483_647;

/// In the order of `Sysctl`. Defaults are those of a machine with more than 4 GiB of memory.
const SYSCTLS: [(Sysctl, &str, u64); 44] = {
    use Sysctl::*;
    [
        (Max, "net.netfilter.nf_conntrack_max", 262_144),
        (ExpectMax, "net.netfilter.nf_conntrack_expect_max", 4096),
        (TcpBeLiberal, "net.netfilter.nf_conntrack_tcp_be_liberal", 0),
        (
            TcpIgnoreInvalidRst,
            "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst",
            0,
        ),
        (TcpLoose, "net.netfilter.nf_conntrack_tcp_loose", 1),
        (
            TcpMaxRetrans,
            "net.netfilter.nf_conntrack_tcp_max_retrans",
            3,
        ),
        (
            TcpTimeoutSynSent,
            "net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
            120,
        ),
        (
            TcpTimeoutSynRecv,
            "net.netfilter.nf_conntrack_tcp_timeout_syn_recv",
            60,
        ),
        (
            TcpTimeoutEstablished,
            "net.netfilter.nf_conntrack_tcp_timeout_established",
            432_000,
        ),
        (
            TcpTimeoutFinWait,
            "net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
            120,
        ),
        (
            TcpTimeoutCloseWait,
            "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
            60,
        ),
        (
            TcpTimeoutLastAck,
            "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
            30,
        ),
        (
            TcpTimeoutTimeWait,
            "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
            120,
        ),
        (
            TcpTimeoutClose,
            "net.netfilter.nf_conntrack_tcp_timeout_close",
            10,
        ),
        (
            TcpTimeoutMaxRetrans,
            "net.netfilter.nf_conntrack_tcp_timeout_max_retrans",
            300,
        ),
        (
            TcpTimeoutUnacknowledged,
            "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged",
            300,
        ),
        (UdpTimeout, "net.netfilter.nf_conntrack_udp_timeout", 30),
        (
            UdpTimeoutStream,
            "net.netfilter.nf_conntrack_udp_timeout_stream",
            120,
        ),
        (IcmpTimeout, "net.netfilter.nf_conntrack_icmp_timeout", 30),
        (
            Icmpv6Timeout,
            "net.netfilter.nf_conntrack_icmpv6_timeout",
            30,
        ),
        (
            GenericTimeout,
            "net.netfilter.nf_conntrack_generic_timeout",
            600,
        ),
        (GreTimeout, "net.netfilter.nf_conntrack_gre_timeout", 30),
        (
            GreTimeoutStream,
            "net.netfilter.nf_conntrack_gre_timeout_stream",
            180,
        ),
        (
            SctpTimeoutClosed,
            "net.netfilter.nf_conntrack_sctp_timeout_closed",
            10,
        ),
        (
            SctpTimeoutCookieWait,
            "net.netfilter.nf_conntrack_sctp_timeout_cookie_wait",
            3,
        ),
        (
            SctpTimeoutCookieEchoed,
            "net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed",
            3,
        ),
        (
            SctpTimeoutEstablished,
            "net.netfilter.nf_conntrack_sctp_timeout_established",
            210,
        ),
        (
            SctpTimeoutShutdownSent,
            "net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent",
            3,
        ),
        (
            SctpTimeoutShutdownRecd,
            "net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd",
            3,
        ),
        (
            SctpTimeoutShutdownAckSent,
            "net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent",
            3,
        ),
        (
            SctpTimeoutHeartbeatSent,
            "net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent",
            30,
        ),
        (DccpLoose, "net.netfilter.nf_conntrack_dccp_loose", 1),
        (
            DccpTimeoutRequest,
            "net.netfilter.nf_conntrack_dccp_timeout_request",
            240,
        ),
        (
            DccpTimeoutRespond,
            "net.netfilter.nf_conntrack_dccp_timeout_respond",
            480,
        ),
        (
            DccpTimeoutPartopen,
            "net.netfilter.nf_conntrack_dccp_timeout_partopen",
            480,
        ),
        (
            DccpTimeoutOpen,
            "net.netfilter.nf_conntrack_dccp_timeout_open",
            43_200,
        ),
        (
            DccpTimeoutClosereq,
            "net.netfilter.nf_conntrack_dccp_timeout_closereq",
            64,
        ),
        (
            DccpTimeoutClosing,
            "net.netfilter.nf_conntrack_dccp_timeout_closing",
            64,
        ),
        (
            DccpTimeoutTimewait,
            "net.netfilter.nf_conntrack_dccp_timeout_timewait",
            240,
        ),
        (IpfragTime, "net.ipv4.ipfrag_time", 30),
        (IpfragHighThresh, "net.ipv4.ipfrag_high_thresh", 4 << 20),
        (IpfragMaxDist, "net.ipv4.ipfrag_max_dist", 64),
        (Frag6Timeout, "net.netfilter.nf_conntrack_frag6_timeout", 60),
        (
            Frag6HighThresh,
            "net.netfilter.nf_conntrack_frag6_high_thresh",
            4 << 20,
        ),
    ]
};
