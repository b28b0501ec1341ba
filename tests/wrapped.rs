//! Whatever the packets of a sample come in, the same becomes of them.

use std::collections::BTreeSet;

use ctaudit::helper::Modules;
use ctaudit::packet::link::{NoIp, network_layer};
use ctaudit::replay::Clock;

use crate::support::{capture, every_helper, read, record, samples};
use crate::wrap::{self, COMPRESSIONS, CONTAINERS, Container, LINKS};

/// Every sample in every container and on every link: all pairs of these two come up, not each pair with each sample.
#[test]
fn container_and_link_change_no_verdict() {
    let mut pairs = (0..).map(|turn: usize| {
        let link = turn / CONTAINERS.len() % LINKS.len();
        (&CONTAINERS[turn % CONTAINERS.len()], &LINKS[link])
    });
    let mut covered = BTreeSet::new();
    for sample in samples() {
        let bytes = read(&sample);
        let packets = wrap::packets(capture(bytes.clone()));
        let clocks = [Clock::Capture, Clock::Still];
        let original = clocks.map(|clock| verdicts(bytes.clone(), clock));
        for (container, link) in pairs.by_ref().take(LINKS.len()) {
            let wrapped = wrap::file(container, link, &packets);
            let Container { name, has_time, .. } = container;
            let clock = usize::from(!has_time);
            assert!(
                verdicts(wrapped, clocks[clock]) == original[clock],
                "{}: not the same in {name} on {}",
                sample.display(),
                link.name
            );
            covered.insert((name, link.name));
        }
    }
    assert_eq!(covered.len(), CONTAINERS.len() * LINKS.len());
}

#[test]
fn compression_changes_no_verdict() {
    for (sample, (name, pack)) in samples().iter().zip(COMPRESSIONS.iter().cycle()) {
        let bytes = read(sample);
        let packed = verdicts(pack(&bytes), Clock::Capture);
        let original = verdicts(bytes, Clock::Capture);
        assert!(packed == original, "{} in {name}", sample.display());
    }
}

#[test]
fn every_link_type_that_is_read_can_be_written() {
    let is_read = |number: &u16| network_layer(*number, &[]) != Err(NoIp::UnreadLink);
    for number in (0..=u16::MAX).filter(is_read) {
        let mut links = LINKS.iter();
        assert!(links.any(|link| link.number == number), "link {number}");
    }
}

fn verdicts(capture: Vec<u8>, clock: Clock) -> Vec<u8> {
    record(capture, every_helper(Modules::default()), clock)
}
