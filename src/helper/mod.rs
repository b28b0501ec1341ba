//! Conntrack helpers: what reads a payload and asks for a hole.
//!
//! A helper sees what the kernel's sees and no more: the payload of one packet, whatever the packets before it held.
//! What it wants it asks of its `Master`, the connection that it reads; it knows neither table nor clock, so it can be
//! tested without a tracker. Adding one is a file here and two lines in this one.

mod amanda;
mod broadcast;
mod ftp;
mod h323;
mod irc;
mod pptp;
mod sane;
mod sip;
mod tftp;

pub mod text;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::expectation::{Expectation, ExpectationId};
use crate::kernel::{Behaviour, Kernel};
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
    .flatten()
}

/// A helper's record: what netfilter knows about it before any packet.
#[derive(Debug)]
pub struct Spec {
    /// The name that rules use.
    pub name: &'static str,
    /// Kernel file that it follows.
    pub source: &'static str,
    /// Protocols that it reads and the port of each to which kernels before 6.0 attached it by themselves.
    pub ports: &'static [(Protocol, u16)],
    pub families: Families,
    /// How many of it the kernel registers.
    pub instances: Instances,
    /// One sentence for the report: why the hole must exist.
    pub why: &'static str,
    /// By class of expectation.
    pub policies: fn(&Modules) -> Vec<Policy>,
    /// Module parameters that change what it does.
    pub parameters: &'static [Parameter],
    /// What a forger can choose.
    pub freedom: &'static [Freedom],
    /// A helper for one connection, whose state it keeps.
    pub start: fn(&Modules, &Kernel) -> Box<dyn Helper>,
}

impl Spec {
    pub fn named(name: &str) -> Option<&'static Self> {
        all().find(|spec| spec.name == name)
    }

    /// The kernel module that has it.
    pub fn module(&self) -> &'static str {
        let file = self.source.rsplit('/').next().unwrap_or(self.source);
        file.trim_end_matches(".c")
    }

    pub fn reads(&self, protocol: Protocol, ipv6: bool) -> bool {
        (!ipv6 || self.families == Families::Both)
            && self.ports.iter().any(|&(read, _)| read == protocol)
    }

    /// Only what the firewall itself sends to a broadcast address makes it expect anything.
    pub fn own_broadcasts_only(&self) -> bool {
        self.freedom
            .iter()
            .all(|line| line.src_addr == Field::Network)
    }
}

/// What the module parameter `ports=` makes of a helper, on kernels that have it (`nf_ct_helper_init`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// There is no such parameter.
    One,
    /// One for each port, the port in its name where it is not the usual one: `ftp-2121`.
    ByPort,
    /// The same with the port's place in the list: `irc-1`.
    ByIndex,
}

/// A helper under the name by which rules know it.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    pub name: &'static str,
    pub spec: &'static Spec,
    /// Where it is registered for another port than the usual one.
    port: Option<u16>,
}

impl Registered {
    /// The ports that kernels before 6.0 attached it to by themselves.
    pub fn ports(&self) -> impl Iterator<Item = (Protocol, u16)> {
        let ports = self.spec.ports.iter();
        ports.map(|&(protocol, usual)| (protocol, self.port.unwrap_or(usual)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    Ipv4,
    Both,
}

/// `struct nf_conntrack_expect_policy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Expectations of the class that a connection may have at a time; the oldest gives way.
    pub max_expected: u32,
    pub timeout: Duration,
}

/// One line of the table of degrees of freedom ("Secure use of iptables and connection tracking helpers").
#[derive(Debug)]
pub struct Freedom {
    pub src_addr: Field,
    pub src_port: Field,
    pub dst_addr: Field,
    pub dst_port: Field,
    /// `None`: the control connection's.
    pub protocol: Option<Protocol>,
    /// What is expected, where the helper expects more than one kind of thing.
    pub what: &'static str,
    pub class: u8,
    /// Any number of flows may come for it until it times out.
    pub permanent: bool,
    /// The helper that reads these flows in turn.
    pub read_by: Option<&'static str>,
    /// Where the module parameter has this value.
    pub with: Option<(&'static str, u32)>,
    /// Where the kernel does this, or does not.
    pub kernels: Option<(Behaviour, bool)>,
}

impl Freedom {
    /// For one flow of class 0, always.
    pub const fn new(
        src_addr: Field,
        src_port: Field,
        dst_addr: Field,
        dst_port: Field,
        protocol: Protocol,
    ) -> Self {
        Self {
            src_addr,
            src_port,
            dst_addr,
            dst_port,
            protocol: Some(protocol),
            what: "",
            class: 0,
            permanent: false,
            read_by: None,
            with: None,
            kernels: None,
        }
    }

    pub const fn with(self, parameter: &'static str, value: u32) -> Self {
        Self {
            with: Some((parameter, value)),
            ..self
        }
    }

    /// Whether the line holds for such a firewall.
    pub fn holds(&self, modules: &Modules, kernel: &Kernel) -> bool {
        let with = self
            .with
            .is_none_or(|(parameter, value)| modules.get(parameter) == value);
        let kernels = self
            .kernels
            .is_none_or(|(behaviour, does)| kernel.does(behaviour) == does);
        with && kernels
    }
}

/// Who decides a field of the expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The addresses or ports of the control connection.
    Fixed,
    /// Not compared: anybody, any port.
    Any,
    /// The payload, but only where it repeats the control connection's own address.
    Checked,
    /// Whatever the payload says.
    Command,
    /// The port that the packet came from.
    Packet,
    /// The helper's registered port.
    Helper,
    /// Any host of the network of the firewall's interface.
    Network,
}

impl Field {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Any => "any",
            Self::Checked => "checked",
            Self::Command => "command",
            Self::Packet => "packet",
            Self::Helper => "helper's",
            Self::Network => "network",
        }
    }
}

/// A module parameter, as `MODULE.NAME=VALUE`.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub default: u32,
    pub range: std::ops::RangeInclusive<u32>,
    pub meaning: &'static str,
}

/// Values of the module parameters.
#[derive(Clone, Debug)]
pub struct Modules {
    values: BTreeMap<&'static str, u32>,
    registered: Vec<Registered>,
}

impl Modules {
    /// The parameter's value; the name is one of a `Spec`'s.
    pub fn get(&self, name: &str) -> u32 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// Every helper that the modules register.
    pub fn registered(&self) -> &[Registered] {
        &self.registered
    }

    pub fn registered_as(&self, name: &str) -> Option<&Registered> {
        self.registered.iter().find(|helper| helper.name == name)
    }

    /// Whether some `ports=` was set, which newer kernels do not know.
    pub fn names_ports(&self) -> bool {
        self.registered.iter().any(|helper| helper.port.is_some())
    }

    /// Reads `MODULE.PARAMETER=VALUE`; a switch takes 0, 1, n, y.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' is not of the form MODULE.PARAMETER=VALUE"))?;
        let of_module = |spec: &&Spec| name.trim() == format!("{}.ports", spec.module());
        if let Some(spec) = all()
            .filter(|spec| spec.instances != Instances::One)
            .find(of_module)
        {
            return self.register(spec, value);
        }
        let mut parameters = all().flat_map(|spec| spec.parameters);
        let Some(parameter) = parameters.find(|parameter| parameter.name == name.trim()) else {
            let known: Vec<&str> = self.values.keys().copied().collect();
            return Err(format!(
                "'{name}' decides nothing in this simulation; the parameters that do: {}",
                known.join(" ")
            ));
        };
        let number = match value.trim() {
            "n" | "N" => Some(0),
            "y" | "Y" => Some(1),
            digits => digits.parse().ok(),
        };
        match number.filter(|number| parameter.range.contains(number)) {
            Some(number) => self.values.insert(parameter.name, number),
            None => {
                let (least, most) = (parameter.range.start(), parameter.range.end());
                return Err(format!(
                    "'{value}' is no value for {name} ({least} to {most})"
                ));
            }
        };
        Ok(())
    }

    /// `ports=21,2121`
    fn register(&mut self, spec: &'static Spec, list: &str) -> Result<(), String> {
        let ports = list.split(',').map(|port| port.trim().parse::<u16>().ok());
        let ports: Vec<u16> = ports.collect::<Option<_>>().unwrap_or_default();
        if !(1..=MOST_PORTS).contains(&ports.len()) {
            return Err(format!("'{list}' is no list of 1 to {MOST_PORTS} ports"));
        }
        self.registered
            .retain(|helper| helper.spec.name != spec.name);
        for (index, &port) in ports.iter().enumerate() {
            let usual = spec.ports.iter().any(|&(_, usual)| usual == port);
            let name = match spec.instances {
                _ if usual => spec.name,
                Instances::ByIndex => leaked(format!("{}-{index}", spec.name)),
                Instances::One | Instances::ByPort => leaked(format!("{}-{port}", spec.name)),
            };
            self.registered.push(Registered {
                name,
                spec,
                port: Some(port),
            });
        }
        Ok(())
    }
}

/// Names of helpers are few, and live as long as the program.
fn leaked(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

/// `MAX_PORTS`
const MOST_PORTS: usize = 8;

impl Default for Modules {
    fn default() -> Self {
        let parameters = all().flat_map(|spec| spec.parameters);
        let plain = |spec: &'static Spec| Registered {
            name: spec.name,
            spec,
            port: None,
        };
        Self {
            values: parameters
                .map(|parameter| (parameter.name, parameter.default))
                .collect(),
            registered: all().map(plain).collect(),
        }
    }
}

/// A packet of a connection that has this helper, as the helper is shown it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Number of the packet in the capture.
    pub packet: u64,
    pub direction: Direction,
    /// There was traffic both ways before this packet (`IP_CT_ESTABLISHED`).
    pub established: bool,
    /// TCP sequence number of the first payload byte; 0 for UDP.
    pub seq: u32,
    pub payload: &'a [u8],
    /// The connection's tuples, by direction.
    pub tuples: [Tuple; 2],
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
pub trait Helper {
    /// Called for each packet of the connection, after its verdict. An error drops the packet.
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped>;

    /// Called when the connection leaves the table, before its expectations do.
    fn destroy(&mut self, _tuples: &[Tuple; 2], _master: &mut dyn Master) {}
}

/// The connection that a helper reads, and what it may ask of conntrack.
pub trait Master {
    /// The connection is an expected flow itself (`IPS_EXPECTED`).
    fn is_expected(&self) -> bool;

    /// The firewall would send to this address by the device that the packet leaves by (`nf_ip_route`,
    /// `nf_ip6_route`).
    fn leaves_alike(&self, address: IpAddr) -> bool;

    /// The time-out from now on, until the next packet sets it anew (`nf_ct_refresh`).
    fn refresh(&mut self, timeout: Duration);

    /// Makes this expectation (`nf_ct_expect_related`).
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
    pub id: ExpectationId,
    /// This connection expects it; else another one does.
    pub is_own: bool,
    /// It was made by the same helper as the asking one, in the same role (family and protocol of the connection).
    pub same_helper: bool,
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
    /// The table of expectations is full, or the connection gone.
    NoRoom,
}

impl From<Refused> for Dropped {
    fn from(_: Refused) -> Self {
        Self("cannot add expectation")
    }
}
