//! What the administrator says of the firewall's interfaces: `topology.toml`.
//!
//! ```toml
//! [[interface]]
//! name = "lan0"
//! networks = ["192.0.2.0/24", "2001:db8:1::/64"]
//! routed = ["10.0.0.0/8"]
//!
//! [[interface]]
//! name = "wan0"
//! networks = ["203.0.113.0/29"]
//! default_route = true
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;
use toml::Spanned;

/// The interfaces, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    interfaces: Vec<Interface>,
    /// Index of the interface that has a network; and the lengths of such prefixes, of IPv6 or not.
    behind: BTreeMap<IpNet, usize>,
    lengths: BTreeSet<(bool, u8)>,
}

/// One of the firewall's interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// As the kernel takes it, of 1 to 15 bytes; neither `lo` nor a pattern of nft's or iptables'.
    pub name: String,
    /// What is on it, and what gateways on it lead to. No other interface has one of these, though it may have a part
    /// of one.
    pub networks: Vec<IpNet>,
    /// Whatever no interface has is behind this one.
    pub has_default_route: bool,
}

/// What is wrong in a file, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Error {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub problem: String,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    interface: Vec<WrittenInterface>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInterface {
    name: Spanned<String>,
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    #[serde(default)]
    routed: Vec<Spanned<String>>,
    default_route: Option<Spanned<bool>>,
}

impl Topology {
    /// Reads the text of a `topology.toml`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let error = |at: usize, problem| Error {
            line: line(text, at),
            problem,
        };
        let written: Written = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            error(at, e.message().to_owned())
        })?;
        let mut topology = Self::of(Vec::new());
        for interface in written.interface {
            topology
                .add(&interface)
                .map_err(|(at, problem)| error(at, problem))?;
        }
        Ok(Self::of(topology.interfaces))
    }

    fn of(interfaces: Vec<Interface>) -> Self {
        let all = interfaces.iter().enumerate();
        let networks = all.flat_map(|(index, interface)| {
            let networks = interface.networks.iter();
            networks.map(move |network| (network.trunc(), index))
        });
        let behind: BTreeMap<IpNet, usize> = networks.collect();
        let length = |network: &IpNet| (network.addr().is_ipv6(), network.prefix_len());
        Self {
            lengths: behind.keys().map(length).collect(),
            behind,
            interfaces,
        }
    }

    /// An error says where in the file.
    fn add(&mut self, written: &WrittenInterface) -> Result<(), (usize, String)> {
        let name = written.name.as_ref();
        let at_name = |problem| (written.name.span().start, format!("name: {problem}"));
        check_name(name).map_err(at_name)?;
        if self.interfaces.iter().any(|other| other.name == *name) {
            let problem = format!("there is an interface '{name}' already: say all of it in one");
            return Err(at_name(problem));
        }
        let mut networks = Vec::new();
        let listed = [("networks", &written.networks), ("routed", &written.routed)];
        for (field, network) in listed
            .into_iter()
            .flat_map(|(field, list)| list.iter().map(move |network| (field, network)))
        {
            let read = network_of(network.as_ref()).and_then(|read| self.unless_taken(read));
            let at = network.span().start;
            networks.push(read.map_err(|problem| (at, format!("{field}: {problem}")))?);
        }
        let default_route = written.default_route.as_ref();
        let default_route = default_route.filter(|is_set| *is_set.as_ref());
        if let Some((is_set, other)) = default_route.zip(self.default_route()) {
            let problem = format!(
                "default_route: {} has it already: leave it with one",
                other.name
            );
            return Err((is_set.span().start, problem));
        }
        self.interfaces.push(Interface {
            name: name.clone(),
            networks,
            has_default_route: default_route.is_some(),
        });
        Ok(())
    }

    fn unless_taken(&self, network: IpNet) -> Result<IpNet, String> {
        let mut interfaces = self.interfaces.iter();
        match interfaces.find(|other| other.networks.contains(&network)) {
            Some(other) => Err(format!(
                "{network} is that of {} already: leave it with the one that it is routed to",
                other.name
            )),
            None => Ok(network),
        }
    }

    /// What a capture shows: hosts behind interfaces of these names. `None` where there are not two, or where one is
    /// nothing that an administrator would call an interface.
    pub fn of_hosts(hosts: &BTreeMap<IpAddr, String>) -> Option<Self> {
        let mut interfaces: Vec<Interface> = Vec::new();
        for (host, name) in hosts {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@".contains(letter);
            check_name(name)
                .ok()
                .filter(|()| name.chars().all(is_plain))?;
            let network = IpNet::from(*host);
            match interfaces
                .iter_mut()
                .find(|interface| interface.name == *name)
            {
                Some(interface) => interface.networks.push(network),
                None => interfaces.push(Interface {
                    name: name.clone(),
                    networks: vec![network],
                    has_default_route: false,
                }),
            }
        }
        (interfaces.len() > 1).then(|| Self::of(interfaces))
    }

    /// In the order of the file.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    fn default_route(&self) -> Option<&Interface> {
        let mut interfaces = self.interfaces.iter();
        interfaces.find(|interface| interface.has_default_route)
    }

    /// Where packets to this address leave, and from it come: that of the longest prefix, else of the default route.
    pub fn interface_of(&self, address: IpAddr) -> Option<&str> {
        let is_ipv6 = address.is_ipv6();
        let mut lengths = self.lengths.range((is_ipv6, 0)..=(is_ipv6, 128)).rev();
        let index = lengths.find_map(|(_, length)| {
            let around = IpNet::new(address, *length).ok()?.trunc();
            self.behind.get(&around)
        });
        let interface = index.and_then(|index| self.interfaces.get(*index));
        Some(&interface.or_else(|| self.default_route())?.name)
    }

    /// The addresses of the interface's networks that are not those of another one's narrower network.
    pub fn sources(&self, interface: &Interface) -> Vec<IpNet> {
        let others = self.interfaces.iter().filter(|other| *other != interface);
        let holes: Vec<IpNet> = others
            .flat_map(|other| other.networks.iter().copied())
            .collect();
        let networks = interface.networks.iter();
        let parts = networks.flat_map(|network| without(*network, &holes));
        IpNet::aggregate(&parts.collect())
    }
}

/// A network without those in it that are others', as prefixes.
fn without(network: IpNet, holes: &[IpNet]) -> Vec<IpNet> {
    if holes.contains(&network) {
        return Vec::new();
    }
    let halves = network.subnets(network.prefix_len() + 1);
    match halves {
        Ok(halves) if holes.iter().any(|hole| network.contains(hole)) => {
            halves.flat_map(|half| without(half, holes)).collect()
        }
        _ => vec![network],
    }
}

/// What the kernel takes (`dev_valid_name`, net/core/dev.c), and what rules can name without meaning several.
fn check_name(name: &str) -> Result<(), String> {
    let has = |unfit: fn(char) -> bool| name.chars().any(unfit);
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(format!(
            "'{name}' is not of 1 to {LONGEST_NAME} bytes: write it as `ip link` does"
        ));
    }
    if has(char::is_whitespace)
        || has(char::is_control)
        || has(|letter| "/:\"\\*+".contains(letter))
    {
        return Err(format!(
            "{name:?} has a space, a control character or one of / : \" \\ * +: write it as `ip link` does"
        ));
    }
    match name {
        "." | ".." => Err(format!("'{name}' is no name: write it as `ip link` does")),
        "lo" => Err(String::from(
            "what comes by lo is the firewall's own: leave it out",
        )),
        _ => Ok(()),
    }
}

fn network_of(text: &str) -> Result<IpNet, String> {
    let network: IpNet = text.parse().map_err(|_| {
        format!("'{text}' is no network: write ADDRESS/LENGTH, as in 192.0.2.0/24 or 2001:db8::/32")
    })?;
    if network != network.trunc() {
        return Err(format!(
            "{network} is an address in a network: write {}",
            network.trunc()
        ));
    }
    if network.prefix_len() == 0 {
        return Err(format!("{network} is everything: say default_route = true"));
    }
    let unfit = NO_PLACE.iter().find(|(unfit, _)| unfit.contains(&network));
    match unfit {
        Some((_, why)) => Err(format!("{network} {why}: leave it out")),
        None => Ok(network),
    }
}

/// From 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// `IFNAMSIZ` - 1
const LONGEST_NAME: usize = 15;

/// Networks that are no one interface's.
const NO_PLACE: [(IpNet, &str); 5] = [
    (v4([127, 0, 0, 0], 8), "never leaves a host"),
    (v6(1, 128), "never leaves a host"),
    (v4([224, 0, 0, 0], 4), "is nobody's source address"),
    (v6(0xff << 120, 8), "is nobody's source address"),
    (v6(0xfe80 << 112, 10), "is on every interface"),
];

const fn v4(octets: [u8; 4], length: u8) -> IpNet {
    let [a, b, c, d] = octets;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(bits: u128, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length))
}
