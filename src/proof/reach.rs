//! How much a forger could open: destinations, as pairs of address and port.
//!
//! Who writes the payload of a control connection chooses those fields of an expectation that come from it
//! (`exposure::Possible`). With a bare `ct state related accept` every choice is a hole. With rules, those that some
//! rule would let a packet through to, on a control connection that some rule attached the helper to.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::conntrack::config::Config;
use crate::conntrack::event::{Event, ExpectationRecord, Status};
use crate::conntrack::{State, Step};
use crate::exposure::Possible;
use crate::firewall::{Firewall, Trial};
use crate::forgery::probe;
use crate::helper::Modules;
use crate::kernel::Kernel;
use crate::packet::{Decoder, link};
use crate::ruleset::{End, Match, Ruleset, Seen};
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};

/// What could have been opened instead of what was.
#[derive(Clone, Debug)]
pub struct Reach {
    choices: BTreeSet<Choice>,
    /// Expectations that are not counted, because there are too many different ones.
    pub omitted: u64,
    modules: Modules,
    kernel: Kernel,
}

/// What the words of one control connection may become. What is `None` may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    /// What `ct helper` matches.
    helper: &'static str,
    /// The control connection that began it all, its client's port set aside.
    root: Root,
    protocol: Protocol,
    ipv6: bool,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    dport: Option<u16>,
}

/// Helper, protocol, client, server and its port.
type Root = (&'static str, Protocol, IpAddr, IpAddr, u16);

/// Destinations that no rule tells from one another, and no choice from others: of addresses as numbers, and of ports.
type Part = (Region, Region);

/// From here to there.
type Region = (u128, u128);

impl Reach {
    pub fn new(config: &Config) -> Self {
        Self {
            choices: BTreeSet::new(),
            omitted: 0,
            modules: config.modules.clone(),
            kernel: config.kernel,
        }
    }

    /// Takes in what a packet made helpers expect.
    pub fn observe(&mut self, step: &Step<'_>) {
        for event in step.events {
            if let Event::ExpectationNew(record) = event {
                let choice = self.choice(record);
                if self.choices.len() < MOST || self.choices.contains(&choice) {
                    self.choices.insert(choice);
                } else {
                    self.omitted += 1;
                }
            }
        }
    }

    fn choice(&self, record: &ExpectationRecord) -> Choice {
        let possible = Possible::of(record, &self.modules, &self.kernel);
        let expectation = &record.expectation;
        let src = expectation.src_addr.as_ref().map(|src| src.value.addr());
        let root = &record.root;
        let to = root.tuple;
        Choice {
            helper: record.helper,
            root: (root.helper, to.protocol, to.src, to.dst, to.dport),
            protocol: expectation.protocol,
            ipv6: record.master.is_ipv6(),
            src: src.filter(|_| possible.src_addr == 0),
            dst: Some(expectation.dst_addr.value).filter(|_| possible.dst_addr == 0),
            dport: Some(expectation.dst_port.value).filter(|_| possible.dst_port == 0),
        }
    }

    /// By helper, the pairs that the firewall lets a forger open; without rules, all that there are. Where rules tell so
    /// many destinations apart that they cannot all be tried, the rest count as open, or all of them do.
    pub fn through(&self, firewall: &Firewall) -> BTreeMap<&'static str, u128> {
        let none = Ruleset::default();
        let cuts = Cuts::of(firewall.rules().unwrap_or(&none), &self.choices);
        let are_too_many = cuts.most_parts() > MOST_TRIED as usize;
        let cuts = match are_too_many {
            true => Cuts::of(&none, &self.choices),
            false => cuts,
        };
        let roots: BTreeSet<_> = self.choices.iter().map(|choice| choice.root).collect();
        let trials = Trials::of(firewall);
        let helped: BTreeSet<_> = roots
            .into_iter()
            .filter(|root| firewall.rules().is_none() || trials.is_helped(root))
            .collect();
        self.count(&cuts, |choice, part| {
            let lets_in = || trials.lets_in(&cuts, choice, part);
            helped.contains(&choice.root) && (are_too_many || lets_in())
        })
    }

    /// A pair counts once for a helper, however many choices lead to it.
    fn count(
        &self,
        cuts: &Cuts,
        is_open: impl Fn(&Choice, &Part) -> bool,
    ) -> BTreeMap<&'static str, u128> {
        let mut open: BTreeMap<&'static str, BTreeSet<(bool, Part)>> = BTreeMap::new();
        for choice in &self.choices {
            let parts = open.entry(choice.helper).or_default();
            for part in cuts.parts(choice) {
                if !parts.contains(&(choice.ipv6, part)) && is_open(choice, &part) {
                    parts.insert((choice.ipv6, part));
                }
            }
        }
        let sizes = open.into_iter().map(|(helper, parts)| {
            let sizes = parts.iter().map(|(_, (addresses, ports))| {
                let size = |region: &Region| (region.1 - region.0).saturating_add(1);
                size(addresses).saturating_mul(size(ports))
            });
            (helper, sizes.fold(0, u128::saturating_add))
        });
        sizes.collect()
    }
}

/// Where a rule, or a choice, begins to tell destinations apart; for sources the same. By family.
#[derive(Default)]
struct Cuts {
    sources: [BTreeSet<u128>; 2],
    addresses: [BTreeSet<u128>; 2],
    ports: BTreeSet<u128>,
}

impl Cuts {
    fn of(rules: &Ruleset, choices: &BTreeSet<Choice>) -> Self {
        let mut cuts = Self::default();
        for (_, rule) in rules.rules() {
            rule.conditions
                .iter()
                .for_each(|condition| cuts.add(&condition.matches));
        }
        for cuts in [&mut cuts.sources, &mut cuts.addresses] {
            let [ipv4, ipv6] = cuts;
            NOT_FORWARDED_IPV4
                .iter()
                .for_each(|region| cut(ipv4, *region));
            NOT_FORWARDED_IPV6
                .iter()
                .for_each(|region| cut(ipv6, *region));
        }
        for choice in choices {
            let addresses = &mut cuts.addresses[usize::from(choice.ipv6)];
            if let Some(dst) = choice.dst {
                cut(addresses, (number(dst), number(dst)));
            }
            if let Some(port) = choice.dport {
                cut(&mut cuts.ports, (port.into(), port.into()));
            }
        }
        cuts.ports.insert(FIRST_PORT);
        cuts
    }

    fn add(&mut self, matches: &Match) {
        match matches {
            Match::Address(end, ranges) => {
                for range in ranges.iter() {
                    let family = usize::from(range.start().is_ipv6());
                    let cuts = match end {
                        End::Src => &mut self.sources[family],
                        End::Dst => &mut self.addresses[family],
                    };
                    cut(cuts, (number(*range.start()), number(*range.end())));
                }
            }
            Match::Port(End::Dst, ranges) => {
                for range in ranges.iter() {
                    let region = (u128::from(*range.start()), u128::from(*range.end()));
                    cut(&mut self.ports, region);
                }
            }
            Match::Any(ways) => {
                let conditions = ways.iter().flatten();
                conditions.for_each(|condition| self.add(&condition.matches));
            }
            _ => {}
        }
    }

    /// How many destinations are told apart for a choice that leaves all of them open.
    fn most_parts(&self) -> usize {
        let [ipv4, ipv6] = &self.addresses;
        ipv4.len().max(ipv6.len()) * self.ports.len()
    }

    /// The destinations that a choice leaves open.
    fn parts(&self, choice: &Choice) -> impl Iterator<Item = Part> {
        let addresses = &self.addresses[usize::from(choice.ipv6)];
        let last = last_address(choice.ipv6);
        let addresses = regions(addresses, choice.dst.map(number), 0, last);
        let port = choice.dport.map(u128::from);
        let ports = regions(&self.ports, port, FIRST_PORT, u16::MAX.into());
        addresses
            .into_iter()
            .flat_map(move |address| ports.clone().into_iter().map(move |port| (address, port)))
    }

    /// One source of each kind that rules tell apart.
    fn sources(&self, choice: &Choice) -> Vec<u128> {
        match choice.src {
            Some(src) => vec![number(src)],
            None => {
                let cuts = self.sources[usize::from(choice.ipv6)].iter();
                cuts.copied().collect()
            }
        }
    }
}

fn cut(cuts: &mut BTreeSet<u128>, (first, last): Region) {
    cuts.insert(first);
    cuts.extend(last.checked_add(1));
}

/// The regions between cuts: the one that begins with `only`, or all from `least` to `most`.
fn regions(cuts: &BTreeSet<u128>, only: Option<u128>, least: u128, most: u128) -> Vec<Region> {
    let (from, to) = only.map_or((least, most), |only| (only, only));
    let starts: Vec<u128> = cuts.range(from..=to).copied().collect();
    let next = starts.iter().skip(1).map(|start| start - 1).chain([to]);
    starts.iter().copied().zip(next).collect()
}

/// Packets that are taken through the rules of a firewall.
struct Trials<'f> {
    firewall: &'f Firewall,
    /// One for all of them: to make one takes longer than a trial.
    decoder: RefCell<Decoder>,
    /// Packets that were to come in as RELATED.
    count: Cell<u32>,
}

impl<'f> Trials<'f> {
    fn of(firewall: &'f Firewall) -> Self {
        Self {
            firewall,
            decoder: RefCell::default(),
            count: Cell::new(0),
        }
    }

    /// Whether some rule attaches the helper to the control connection.
    fn is_helped(&self, root: &Root) -> bool {
        let &(helper, protocol, src, dst, dport) = root;
        let tuple = Tuple {
            src,
            dst,
            sport: ANY_PORT,
            dport,
            protocol,
        };
        let seen = Seen {
            state: State::New,
            direction: Some(Direction::Original),
            status: Status::default(),
            helper: None,
        };
        let trial = self.of_packet(&tuple, seen);
        trial.is_some_and(|trial| trial.helper == Some(helper))
    }

    /// Whether anybody of those who may come gets in at the beginning of a part, and so everywhere in it.
    fn lets_in(&self, cuts: &Cuts, choice: &Choice, part: &Part) -> bool {
        let dst = address(choice.ipv6, part.0.0);
        let Ok(dport) = u16::try_from(part.1.0) else {
            return false;
        };
        let seen = Seen {
            state: State::Related,
            direction: Some(Direction::Original),
            status: Status::EXPECTED,
            helper: Some(choice.helper),
        };
        cuts.sources(choice).into_iter().any(|src| {
            self.count.set(self.count.get() + 1);
            if self.count.get() > MOST_TRIED {
                return true;
            }
            let tuple = Tuple {
                src: address(choice.ipv6, src),
                dst,
                sport: ANY_PORT,
                dport,
                protocol: choice.protocol,
            };
            let trial = self.of_packet(&tuple, seen);
            trial.is_some_and(|trial| !trial.dropped)
        })
    }

    fn of_packet(&self, tuple: &Tuple, seen: Seen) -> Option<Trial<'f>> {
        let bytes = probe::packet(tuple)?;
        let mut decoder = self.decoder.borrow_mut();
        let packet = decoder
            .decode(Timestamp::default(), 0, link::RAW, &bytes)
            .ok()?;
        Some(self.firewall.try_rules(&packet.ok()?, seen))
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(ipv6: bool, number: u128) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if !ipv6 => Ipv4Addr::from_bits(number).into(),
        _ => Ipv6Addr::from_bits(number).into(),
    }
}

fn last_address(ipv6: bool) -> u128 {
    if ipv6 { u128::MAX } else { u32::MAX.into() }
}

/// Addresses that routing treats otherwise than the rest (`packet::route`): they are parts of their own.
const NOT_FORWARDED_IPV4: [Region; 3] = [
    (0, 0),
    (0xe000_0000, 0xefff_ffff),
    (0xffff_ffff, 0xffff_ffff),
];
const NOT_FORWARDED_IPV6: [Region; 3] = [
    (0, 0),
    (0xfe80 << 112, (0xfec0 << 112) - 1),
    (0xff << 120, u128::MAX),
];

/// Nobody listens at port 0.
const FIRST_PORT: u128 = 1;
/// Where packets come from that may come from any port.
const ANY_PORT: u16 = 40_000;
/// Packets that are taken through the rules.
const MOST_TRIED: u32 = 200_000;
/// Different choices that are counted.
const MOST: usize = 256;
