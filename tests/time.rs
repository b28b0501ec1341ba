//! The clock that never runs backwards.

use std::time::Duration;

use ctaudit::time::{Monotonic, Tick, Timestamp};

/// Timestamps in seconds, and what the clock shows at each.
fn shown(seconds: &[i64]) -> (Vec<i64>, Vec<Tick>) {
    let mut clock = Monotonic::default();
    let ticks = seconds.iter().map(|second| {
        let tick = clock.tick(Timestamp::from_nanos(second * 1_000_000_000));
        (clock.now().nanos() / 1_000_000_000, tick)
    });
    ticks.unzip()
}

#[test]
fn a_little_disorder_makes_the_clock_wait() {
    use Tick::{Forward, Late};
    let (shows, ticks) = shown(&[100, 103, 93, 102, 104]);
    assert_eq!(shows, [100, 103, 103, 103, 104]);
    assert_eq!(ticks, [Forward, Forward, Late, Late, Forward]);
}

/// A host whose clock is set back by an hour goes on at its own pace: what was open times out when it would have.
#[test]
fn a_clock_that_was_set_back_goes_on() {
    use Tick::{Forward, Late, SetBack};
    let (shows, ticks) = shown(&[7200, 7201, 3601, 3602, 3600, 3661, 61]);
    assert_eq!(shows, [7200, 7201, 7201, 7202, 7202, 7261, 7261]);
    assert_eq!(
        ticks,
        [Forward, Forward, SetBack, Forward, Late, Forward, SetBack]
    );
}

/// One wild timestamp costs what was open, and nothing else.
#[test]
fn a_leap_is_told() {
    use Tick::{Forward, Leap, SetBack};
    let day = 24 * 3600;
    let (shows, ticks) = shown(&[1000, 1000 + day, 1001 + 2 * day, 1002, 1003]);
    assert_eq!(ticks, [Forward, Forward, Leap, SetBack, Forward]);
    assert_eq!(shows[3..], [1001 + 2 * day, 1002 + 2 * day]);
}

#[test]
fn no_timestamp_is_too_much() {
    let mut clock = Monotonic::default();
    for nanos in [i64::MAX, i64::MIN, 0, i64::MAX, i64::MIN, 5] {
        let before = clock.now();
        clock.tick(Timestamp::from_nanos(nanos));
        assert_eq!(clock.now().max(before), clock.now());
    }
    assert_eq!(
        clock.now() - Duration::ZERO,
        Timestamp::from_nanos(i64::MAX)
    );
}
