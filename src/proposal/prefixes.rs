//! Few prefixes instead of many hosts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// The fewest prefixes, in ascending order, that contain all hosts and at most so many other addresses, both families
/// together.
///
/// Of several answers, the one with the fewest other addresses; of these, the one that spends the fewest prefixes on
/// the lower half of whatever it has to divide, from the widest network down. IPv4 is the lower half of everything.
///
/// It takes time in the square of the number of hosts, and space in that number times the bits of an address.
pub fn cover(hosts: &BTreeSet<IpAddr>, more: u64) -> Vec<IpNet> {
    let hosts: Vec<IpAddr> = hosts.iter().copied().collect();
    let mut prefixes = Vec::new();
    if let Some(root) = Node::over(&hosts) {
        let is_enough = |others: &u128| *others <= u128::from(more);
        // A prefix for each host has no other addresses.
        let count = root.others.iter().position(is_enough);
        root.choose(count.map_or(hosts.len(), |at| at + 1), &mut prefixes);
    }
    prefixes
}

/// A node of the compressed binary trie of the hosts: either one of them, or a prefix both of whose halves have some.
struct Node {
    /// The longest that contains all hosts below; none does both families.
    prefix: Option<IpNet>,
    /// At K - 1, how many other addresses K prefixes must contain that cover the hosts below; K is at most how
    /// many there are.
    others: Vec<u128>,
    halves: Option<Box<[Self; 2]>>,
}

impl Node {
    /// `None` where there are no hosts. They are in ascending order, each once.
    fn over(hosts: &[IpAddr]) -> Option<Self> {
        let prefix = common_prefix(*hosts.first()?, *hosts.last()?);
        let mut others = vec![u128::MAX; hosts.len()];
        others[0] = prefix.map_or(u128::MAX, |prefix| {
            size(&prefix).saturating_sub(hosts.len() as u128)
        });
        let is_lower = |host: &IpAddr| match prefix {
            Some(prefix) => lower_half(&prefix).is_some_and(|half| half.contains(host)),
            None => host.is_ipv4(),
        };
        let (lower, upper) = hosts.split_at(hosts.partition_point(is_lower));
        let halves = match hosts.len() {
            1 => None,
            _ => Self::over(lower).zip(Self::over(upper)),
        };
        if let Some((lower, upper)) = &halves {
            for (i, below) in lower.others.iter().enumerate() {
                for (j, above) in upper.others.iter().enumerate() {
                    let both = &mut others[i + j + 1];
                    *both = below.saturating_add(*above).min(*both);
                }
            }
        }
        Some(Self {
            prefix,
            others,
            halves: halves.map(|(lower, upper)| Box::new([lower, upper])),
        })
    }

    /// Adds so many prefixes that cover the hosts below.
    fn choose(&self, count: usize, prefixes: &mut Vec<IpNet>) {
        let Some(halves) = self.halves.as_deref().filter(|_| count > 1) else {
            prefixes.extend(self.prefix);
            return;
        };
        let [lower, upper] = halves;
        let best = self.others.get(count - 1).copied();
        let of_lower = (1..count).find(|of_lower| {
            let below = lower.others.get(of_lower - 1);
            let above = upper.others.get(count - of_lower - 1);
            let both = below.zip(above);
            both.map(|(below, above)| below.saturating_add(*above)) == best
        });
        if let Some(of_lower) = of_lower {
            lower.choose(of_lower, prefixes);
            upper.choose(count - of_lower, prefixes);
        }
    }
}

/// The longest that contains both.
fn common_prefix(one: IpAddr, other: IpAddr) -> Option<IpNet> {
    let length = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return None,
    };
    let prefix = IpNet::new(one, u8::try_from(length).ok()?).ok()?;
    Some(prefix.trunc())
}

fn lower_half(prefix: &IpNet) -> Option<IpNet> {
    prefix.subnets(prefix.prefix_len() + 1).ok()?.next()
}

/// How many addresses it has; of all of IPv6, one is not counted.
fn size(prefix: &IpNet) -> u128 {
    let host_bits = prefix.max_prefix_len() - prefix.prefix_len();
    1_u128.checked_shl(host_bits.into()).unwrap_or(u128::MAX)
}
