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
/// Without others it takes time in the number of hosts and the bits of an address; with many, in the square of the former.
pub fn cover(hosts: &BTreeSet<IpAddr>, more: u64) -> Vec<IpNet> {
    let hosts: Vec<IpAddr> = hosts.iter().copied().collect();
    let mut prefixes = Vec::new();
    if let Some(root) = Node::over(&hosts, more.into()) {
        root.choose(root.fewest, &mut prefixes);
    }
    prefixes
}

/// A node of the compressed binary trie of the hosts: one of them, a prefix without others, or one both of whose halves have
/// some.
struct Node {
    /// The longest that contains all hosts below; none does both families.
    prefix: Option<IpNet>,
    /// How many prefixes it takes to cover the hosts below with no more other addresses than are allowed.
    fewest: usize,
    /// How many other addresses so many prefixes must contain, and one more, and so on until there are none: nobody needs
    /// more prefixes than that. `TOO_MANY` where it is more than are allowed.
    others: Vec<u128>,
    halves: Option<Box<[Self; 2]>>,
}

impl Node {
    /// `None` where there are no hosts. They are in ascending order, each once.
    fn over(hosts: &[IpAddr], more: u128) -> Option<Self> {
        let prefix = common_prefix(*hosts.first()?, *hosts.last()?);
        let alone = prefix.map_or(TOO_MANY, |prefix| {
            size(&prefix).saturating_sub(hosts.len() as u128)
        });
        if alone == 0 {
            return Some(Self {
                prefix,
                fewest: 1,
                others: vec![0],
                halves: None,
            });
        }
        let is_lower = |host: &IpAddr| match prefix {
            Some(prefix) => lower_half(&prefix).is_some_and(|half| half.contains(host)),
            None => host.is_ipv4(),
        };
        let (lower, upper) = hosts.split_at(hosts.partition_point(is_lower));
        let (lower, upper) = (Self::over(lower, more)?, Self::over(upper, more)?);
        let of_halves = lower.fewest + upper.fewest;
        let most = of_halves + lower.others.len() + upper.others.len() - 2;
        let least = if alone <= more { 1 } else { of_halves };
        let mut others = vec![TOO_MANY; most + 1 - least];
        if alone <= more {
            others[0] = alone;
        }
        for (i, below) in lower.others.iter().enumerate() {
            for (j, above) in upper.others.iter().enumerate() {
                let both = &mut others[of_halves - least + i + j];
                let sum = below.saturating_add(*above);
                if sum <= more {
                    *both = sum.min(*both);
                }
            }
        }
        let enough = others.iter().position(|others| *others == 0)?;
        others.truncate(enough + 1);
        let unfit = others.iter().position(|others| *others <= more)?;
        others.drain(..unfit);
        Some(Self {
            prefix,
            fewest: least + unfit,
            others,
            halves: Some(Box::new([lower, upper])),
        })
    }

    /// Other addresses in so many prefixes.
    fn others(&self, count: usize) -> Option<u128> {
        let others = self.others.get(count.checked_sub(self.fewest)?)?;
        Some(*others).filter(|others| *others != TOO_MANY)
    }

    /// Adds so many prefixes that cover the hosts below.
    fn choose(&self, count: usize, prefixes: &mut Vec<IpNet>) {
        let Some(halves) = self.halves.as_deref().filter(|_| count > 1) else {
            prefixes.extend(self.prefix);
            return;
        };
        let [lower, upper] = halves;
        let best = self.others(count);
        let of_lower = (1..count).find(|of_lower| {
            let both = lower.others(*of_lower).zip(upper.others(count - of_lower));
            both.is_some_and(|(below, above)| Some(below.saturating_add(above)) == best)
        });
        if let Some(of_lower) = of_lower {
            lower.choose(of_lower, prefixes);
            upper.choose(count - of_lower, prefixes);
        }
    }
}

/// More other addresses than are allowed.
const TOO_MANY: u128 = u128::MAX;

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
