//! NetBIOS name service (RFC 1002) and SNMP (RFC 3411) asked by broadcast: one question, answers from everybody.
//!
//! Why a second flow: the question goes to the broadcast address of a network, the answers come from the addresses of
//! its hosts, which nothing was sent to.
//!
//! The payload is not read at all. Only what the firewall itself sends to the broadcast address of one of its own
//! networks counts, so neither helper does anything for traffic that is forwarded.
//!
//! Sources: net/netfilter/nf_conntrack_broadcast.c `nf_conntrack_broadcast_help()`, nf_conntrack_netbios_ns.c,
//! nf_conntrack_snmp.c. A question repeated from the same port while the first one's expectation stands renews it or
//! not, as it happens: the kernel compares bytes of the mask that nothing has set. Here it renews it.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, MOST_SECONDS, Master, Message,
    Modules, Parameter, Policy, Spec,
};
use crate::expectation::{Expectation, Flags, Origin, Sourced};
use crate::kernel::{Behaviour, Kernel};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[
    Spec {
        name: "netbios-ns",
        source: "net/netfilter/nf_conntrack_netbios_ns.c",
        ports: &[(Protocol::UDP, Some(NETBIOS_NS))],
        families: Families::Ipv4,
        home: Home::Module(Instances::One),
        why: "a name asked for by broadcast is answered by whichever hosts have it",
        policies: |modules| policies(modules, NETBIOS_NS_TIMEOUT),
        parameters: &[timeout_parameter(NETBIOS_NS_TIMEOUT, 3)],
        freedom: FREEDOM,
        defects: &[],
        start: |modules, kernel| {
            start(
                modules,
                kernel,
                NETBIOS_NS,
                NETBIOS_NS_TIMEOUT,
                asks_for_a_name,
            )
        },
    },
    Spec {
        name: "snmp",
        source: "net/netfilter/nf_conntrack_snmp.c",
        ports: &[(Protocol::UDP, Some(SNMP))],
        families: Families::Ipv4,
        home: Home::Module(Instances::One),
        why: "agents asked by broadcast answer from their own addresses",
        policies: |modules| policies(modules, SNMP_TIMEOUT),
        parameters: &[timeout_parameter(SNMP_TIMEOUT, 30)],
        freedom: FREEDOM,
        defects: &[],
        start: |modules, kernel| start(modules, kernel, SNMP, SNMP_TIMEOUT, asks_agents),
    },
];

const FREEDOM: &[Freedom] = &[answers(Field::Helper, false), answers(Field::Fixed, true)];

const fn answers(src_port: Field, from_asked_port: bool) -> Freedom {
    Freedom {
        permanent: true,
        kernels: Some((Behaviour::BroadcastAnswersFromAskedPort, from_asked_port)),
        ..Freedom::new(
            Field::Network,
            src_port,
            Field::Fixed,
            Field::Fixed,
            Protocol::UDP,
        )
    }
}

const fn timeout_parameter(name: &'static str, default: u32) -> Parameter {
    Parameter {
        name,
        default,
        range: 0..=MOST_SECONDS,
        meaning: "seconds that answers, and the question's own conntrack, may take",
    }
}

fn policies(modules: &Modules, timeout: &str) -> Vec<Policy> {
    vec![Policy {
        max_expected: 1,
        timeout: Duration::from_secs(modules.get(timeout).into()),
    }]
}

fn start(
    modules: &Modules,
    kernel: &Kernel,
    port: u16,
    timeout: &str,
    asks: fn(&Message<'_>) -> bool,
) -> Box<dyn Helper> {
    let from_asked_port = kernel.does(Behaviour::BroadcastAnswersFromAskedPort);
    Box::new(Broadcast {
        asks,
        port: (!from_asked_port).then_some(port),
        timeout: Duration::from_secs(modules.get(timeout).into()),
    })
}

struct Broadcast {
    /// Whether this is a question to everybody. Of SNMP nothing but the address says so.
    asks: fn(&Message<'_>) -> bool,
    /// That answers must come from; `None`: the one that was asked.
    port: Option<u16>,
    timeout: Duration,
}

impl Helper for Broadcast {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.direction == Direction::Reply {
            return Ok(());
        }
        let Some(network) = message.own_broadcast else {
            if !message.is_own && (self.asks)(message) {
                let whole = 0..message.payload.len();
                master.decline("a broadcast that the firewall did not send itself", whole);
            }
            return Ok(());
        };
        let Some(anybody) = everybody_in(network, message.opposite().src) else {
            return Ok(());
        };
        let reply = message.opposite();
        let src_port = match self.port {
            Some(port) => Sourced {
                value: port,
                origin: Origin::Helper,
            },
            None => Sourced::conntrack(reply.sport, Direction::Reply),
        };
        let answer = Expectation {
            src_port: Some(src_port),
            flags: Flags {
                permanent: true,
                ..Flags::default()
            },
            ..Expectation::new(
                Protocol::UDP,
                Some(anybody),
                Sourced::conntrack(reply.dst, Direction::Reply),
                Sourced::conntrack(reply.dport, Direction::Reply),
            )
        };
        // Whether it was made or not.
        let _ = master.expect(answer);
        master.refresh(self.timeout);
        Ok(())
    }
}

/// A name query request by broadcast: no response, operation 0, the flag B, and one question (RFC 1002, 4.2.1.1).
fn asks_for_a_name(message: &Message<'_>) -> bool {
    matches!(message.payload, [_, _, kind, flags, 0, 1, ..] if kind & 0xf8 == 0 && flags & 0x10 != 0)
}

/// A sequence that begins with a version, sent to what is a broadcast address in most networks (RFC 3416, 3; RFC 3412, 6).
fn asks_agents(message: &Message<'_>) -> bool {
    let is_message = matches!(
        message.payload,
        [0x30, ..=0x7f, 2, 1, 0 | 1 | 3, ..]
            | [0x30, 0x81, _, 2, 1, 0 | 1 | 3, ..]
            | [0x30, 0x82, _, _, 2, 1, 0 | 1 | 3, ..]
    );
    let IpAddr::V4(to) = message.same().dst else {
        return false;
    };
    is_message && to.octets()[3] == 255
}

/// The broadcast address under the interface's mask.
fn everybody_in(network: Ipv4Net, broadcast: IpAddr) -> Option<Sourced<IpNet>> {
    Some(Sourced {
        value: IpNet::new(broadcast, network.prefix_len()).ok()?,
        origin: Origin::Config,
    })
}

const NETBIOS_NS: u16 = 137;
const SNMP: u16 = 161;
const NETBIOS_NS_TIMEOUT: &str = "nf_conntrack_netbios_ns.timeout";
const SNMP_TIMEOUT: &str = "nf_conntrack_snmp.timeout";
