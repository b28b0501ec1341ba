//! Who opened flows to whom, as few products of two sets of addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::exposure::Related;

/// Flows by source and destination, both of one family.
#[derive(Default)]
pub struct Pairs(BTreeMap<(IpAddr, IpAddr), Related>);

/// Every one of these sources opened flows to every one of these destinations.
#[derive(Clone)]
pub struct Rectangle {
    pub src: BTreeSet<IpAddr>,
    pub dst: BTreeSet<IpAddr>,
    pub flows: Related,
}

impl Pairs {
    pub fn add(&mut self, src: IpAddr, dst: IpAddr, flows: &Related) {
        self.0.entry((src, dst)).or_default().merge(flows);
    }

    /// Products that hold all pairs, each once, and no other. Destinations with the same sources are put together, or
    /// sources with the same destinations: whichever makes fewer. (The fewest of all would be a search among
    /// exponentially many.)
    pub fn rectangles(&self) -> Vec<Rectangle> {
        let by_dst = self.grouped(|(src, dst)| (dst, src), |dsts, srcs| (srcs, dsts));
        let by_src = self.grouped(|(src, dst)| (src, dst), |srcs, dsts| (srcs, dsts));
        if by_src.len() < by_dst.len() {
            by_src
        } else {
            by_dst
        }
    }

    /// `ends` of a pair are the one that is put together and the one that has to be the same; `back` is the reverse, of
    /// sets.
    fn grouped(
        &self,
        ends: impl Fn((IpAddr, IpAddr)) -> (IpAddr, IpAddr),
        back: impl Fn(BTreeSet<IpAddr>, BTreeSet<IpAddr>) -> (BTreeSet<IpAddr>, BTreeSet<IpAddr>),
    ) -> Vec<Rectangle> {
        let mut of_one: BTreeMap<IpAddr, (BTreeSet<IpAddr>, Related)> = BTreeMap::new();
        for (pair, flows) in &self.0 {
            let (one, other) = ends(*pair);
            let (others, all) = of_one.entry(one).or_default();
            others.insert(other);
            all.merge(flows);
        }
        let mut alike: BTreeMap<BTreeSet<IpAddr>, (BTreeSet<IpAddr>, Related)> = BTreeMap::new();
        for (one, (others, flows)) in of_one {
            let (ones, all) = alike.entry(others).or_default();
            ones.insert(one);
            all.merge(&flows);
        }
        let rectangles = alike.into_iter().map(|(others, (ones, flows))| {
            let (src, dst) = back(ones, others);
            Rectangle { src, dst, flows }
        });
        rectangles.collect()
    }
}
