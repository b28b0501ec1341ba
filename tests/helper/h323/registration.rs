//! RAS.

use std::time::Duration;

use super::{CLIENT, SERVER, THIRD, VERSION, address, bench, declined, holes};
use crate::helper::{Bench, Effect, declines};
use crate::traffic::per::{Per, per};
use ctaudit::expectation::Origin;
use ctaudit::tuple::Direction::{Original, Reply};
use ctaudit::tuple::Protocol;

fn gatekeeper_confirm(ip: [u8; 4], port: u16) -> Vec<u8> {
    per(|per| {
        per.choice(1, 5).bits(0, 3).word(7).counted(&VERSION);
        address(per, ip, port);
    })
    .finish()
}

fn vendor(per: &mut Per) {
    per.bits(0, 3)
        .bit(false)
        .octets(&[181])
        .octets(&[0])
        .word(9);
}

/// `behind` more extensions follow the time to live.
pub fn request(calls: &[([u8; 4], u16)], ttl: Option<u32>, behind: bool) -> Vec<u8> {
    per(|per| {
        per.choice(3, 5).bit(ttl.is_some()).bits(0, 3).word(7);
        per.counted(&VERSION).bit(true).length(calls.len());
        for &(ip, port) in calls {
            address(per, ip, port);
        }
        per.length(0).bits(0, 7).bits(0, 2);
        vendor(per);
        extensions(per, ttl, behind);
    })
    .finish()
}

fn confirm(ttl: Option<u32>) -> Vec<u8> {
    per(|per| {
        per.choice(4, 5).bit(ttl.is_some()).bits(0, 3).word(7);
        per.counted(&VERSION).length(0);
        per.bits(0, 7).octets(&[0, b'e']);
        extensions(per, ttl, true);
    })
    .finish()
}

fn extensions(per: &mut Per, ttl: Option<u32>, behind: bool) {
    let Some(ttl) = ttl else {
        return;
    };
    let mut number = Per::default();
    number.number(ttl - 1);
    let mut extensions = vec![None, Some(number)];
    if behind {
        let mut flag = Per::default();
        flag.bit(true);
        extensions.extend([None, None, None, Some(flag.clone()), None, Some(flag)]);
    }
    per.extensions(&extensions);
}

fn admission_confirm(ip: [u8; 4], port: u16) -> Vec<u8> {
    per(|per| {
        per.choice(10, 5)
            .bits(0, 3)
            .word(7)
            .number(1280)
            .choice(0, 1);
        address(per, ip, port);
    })
    .finish()
}

fn location_confirm(ip: [u8; 4], port: u16) -> Vec<u8> {
    per(|per| {
        per.choice(19, 5).bits(0, 2).word(7);
        address(per, ip, port);
        address(per, ip, 1719);
    })
    .finish()
}

fn unrequest() -> Vec<u8> {
    per(|per| {
        per.choice(6, 5).bits(0, 4).word(7).length(1);
        address(per, CLIENT, 1720);
    })
    .finish()
}

fn ras(parameters: &[&str]) -> Bench {
    bench("RAS", 1719, parameters)
}

#[test]
fn a_registration_lets_the_gatekeeper_call() {
    let call = |src| (Protocol::TCP, src, CLIENT, 1720, true, Some("Q.931"));
    let message = request(&[(THIRD, 1), (CLIENT, 0), (CLIENT, 1720)], None, true);
    let effects = ras(&[]).say(Original, 0, &message);
    assert_eq!(holes(&effects), [call(Some(SERVER))]);
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    let Origin::Command { bytes, .. } = &expectation.dst_port.origin else {
        panic!()
    };
    let bytes = &message[bytes.start as usize..bytes.end as usize];
    assert_eq!(bytes, 1720u16.to_be_bytes());

    let effects = ras(&["gkrouted_only=0"]).say(Original, 0, &message);
    assert_eq!(holes(&effects), [call(None)]);
}

#[test]
fn a_registration_of_others_is_none() {
    let of = |ip: [u8; 4], port: u16| [&ip[..], &port.to_be_bytes()].concat();
    let message = request(&[(THIRD, 1720), (SERVER, 1720)], None, true);
    let effects = ras(&[]).say(Original, 0, &message);
    let foreign = "names an address that is not the speaker's";
    assert_eq!(
        declines(&effects, &message),
        [(foreign, &of(THIRD, 1720)[..])]
    );
    let message = request(&[(CLIENT, 0)], None, true);
    let effects = ras(&[]).say(Original, 0, &message);
    assert_eq!(
        declines(&effects, &message),
        [("names port 0", &of(CLIENT, 0)[..])]
    );
    let message = request(&[], None, true);
    assert_eq!(ras(&[]).say(Original, 0, &message), []);
}

/// Ten addresses are kept.
#[test]
fn the_eleventh_address_is_not_looked_at() {
    let mut calls = vec![(THIRD, 1720); 9];
    calls.push((CLIENT, 1720));
    let message = request(&calls, None, true);
    assert_eq!(holes(&ras(&[]).say(Original, 0, &message)).len(), 1);
    calls.insert(0, (THIRD, 1720));
    let message = request(&calls, None, true);
    assert!(declined(&ras(&[]).say(Original, 0, &message)));
}

#[test]
fn a_confirmed_registration_lives_as_long_as_was_said() {
    let seconds = |seconds| Effect::Refresh(Duration::from_secs(seconds));
    let calls = [(CLIENT, 1720)];
    for (parameter, asked, granted, lives) in [
        ("default_rrq_ttl=300", None, None, Some(300)),
        ("default_rrq_ttl=1000", None, None, Some(1000)),
        ("default_rrq_ttl=0", None, None, None),
        ("default_rrq_ttl=300", Some(60), None, Some(60)),
        ("default_rrq_ttl=300", Some(70_000), None, Some(70_000)),
        ("default_rrq_ttl=0", Some(60), Some(90), Some(90)),
        ("default_rrq_ttl=0", None, Some(256), Some(256)),
    ] {
        let mut bench = ras(&[parameter]);
        bench.say(Original, 0, &request(&calls, asked, true));
        let effects = bench.say(Reply, 0, &confirm(granted));
        let expected: Vec<Effect> = lives.map(seconds).into_iter().collect();
        assert_eq!(effects, expected, "{parameter} {asked:?} {granted:?}");
    }
    // The kernel finds what it expects only where that lets anybody in.
    let mut bench = ras(&["gkrouted_only=0"]);
    bench.say(Original, 0, &request(&calls, None, true));
    let effects = bench.say(Reply, 0, &confirm(None));
    assert!(
        matches!(effects[..], [Effect::Refresh(_), Effect::Renew(_, lives)] if lives == Duration::from_secs(300)),
        "{effects:?}"
    );
    // Without a request there is no time to keep to.
    assert_eq!(ras(&[]).say(Reply, 0, &confirm(None)), []);
}

/// 250 ticks a second in 32 bits: 2^32 / 250 is 17,179,869.184 s, and of that the first half lies ahead.
#[test]
fn a_time_of_months_wraps() {
    let refresh = |ttl| ras(&[]).say(Reply, 0, &confirm(Some(ttl)));
    let millis = |millis| [Effect::Refresh(Duration::from_millis(millis))];
    assert_eq!(refresh(8_589_934), millis(8_589_934_000));
    assert_eq!(refresh(8_589_935), millis(0));
    assert_eq!(refresh(17_179_870), millis(816));
}

/// The kernel reads a time to live and goes on as far behind it again, so as the last thing it is too short.
#[test]
fn a_time_to_live_at_the_end_spoils_the_message() {
    let calls = [(CLIENT, 1720)];
    let effects = |ttl, behind| {
        let message = request(&calls, Some(ttl), behind);
        holes(&ras(&[]).say(Original, 0, &message)).len()
    };
    assert_eq!(effects(60, true), 1);
    assert_eq!(effects(60, false), 0);
}

#[test]
fn whoever_unregisters_is_no_longer_called() {
    let mut bench = ras(&[]);
    bench.say(Original, 0, &request(&[(CLIENT, 1720)], None, true));
    let effects = bench.say(Original, 0, &unrequest());
    assert!(
        matches!(effects[..], [Effect::Withdraw(_), Effect::Refresh(time)] if time == Duration::from_secs(30)),
        "{effects:?}"
    );
    assert_eq!(bench.master.standing, []);
}

#[test]
fn a_gatekeeper_names_another() {
    let confirm = gatekeeper_confirm(THIRD, 1719);
    let mut bench = ras(&[]);
    let other = (Protocol::UDP, Some(CLIENT), THIRD, 1719, false, Some("RAS"));
    assert_eq!(holes(&bench.say(Reply, 0, &confirm)), [other]);
    bench.master.is_expected = true;
    assert!(declined(&bench.say(Reply, 0, &confirm)));

    let mut bench = ras(&[]);
    let itself = gatekeeper_confirm(SERVER, 1719);
    assert_eq!(bench.say(Reply, 0, &itself), []);
    let elsewhere = gatekeeper_confirm(SERVER, 1720);
    assert_eq!(holes(&bench.say(Reply, 0, &elsewhere)).len(), 1);
}

#[test]
fn a_gatekeeper_says_where_to_call() {
    let call = |ip, port| (Protocol::TCP, Some(CLIENT), ip, port, true, Some("Q.931"));
    for (confirm, expected) in [
        (admission_confirm(THIRD, 1720), vec![call(THIRD, 1720)]),
        (admission_confirm(THIRD, 0), vec![call(THIRD, 0)]),
        (admission_confirm(CLIENT, 1720), vec![]),
        (location_confirm(THIRD, 1720), vec![call(THIRD, 1720)]),
        (location_confirm(CLIENT, 1720), vec![call(CLIENT, 1720)]),
    ] {
        assert_eq!(holes(&ras(&[]).say(Reply, 0, &confirm)), expected);
    }
}

#[test]
fn a_refused_expectation_drops_the_message() {
    let mut bench = ras(&[]);
    bench.master.refuse = Some(1720);
    let effects = bench.say(Reply, 0, &admission_confirm(THIRD, 1720));
    assert_eq!(effects, [Effect::Drop("cannot process RAS message")]);
}

/// Behind the last address the kernel needs nothing of these.
#[test]
fn cut_at_every_octet() {
    for message in [
        gatekeeper_confirm(THIRD, 1719),
        admission_confirm(THIRD, 1720),
        location_confirm(THIRD, 1720),
    ] {
        for length in 0..message.len() {
            let cut = &message[..length];
            let expected: &[_] = match length {
                0 => &[],
                _ => &[("the kernel cannot decode the message", cut)],
            };
            let effects = ras(&[]).say(Reply, 0, cut);
            assert_eq!(declines(&effects, cut), expected);
            assert_eq!(effects.len(), expected.len());
        }
        assert_eq!(holes(&ras(&[]).say(Reply, 0, &message)).len(), 1);
    }
}

/// An extension of one octet says that its number has another.
#[test]
fn a_number_that_is_not_there() {
    let mut message = request(&[(CLIENT, 1720)], Some(60), false);
    let length = message.len();
    assert_eq!(message[length - 3..], [2, 0, 59]);
    message[length - 3] = 1;
    let decline = |message: &[u8]| match ras(&[]).say(Original, 0, message)[..] {
        [Effect::Decline { reason, ref bytes }] if *bytes == (0..message.len()) => reason,
        ref other => panic!("{other:?}"),
    };
    let missing = "an integer whose bytes are not there (CVE-2026-23456)";
    assert_eq!(decline(&message[..length - 1]), missing);
    // Read, it is passed over once more, and nothing is there for that.
    assert_eq!(decline(&message), "the kernel cannot decode the message");
}

#[test]
fn an_address_of_another_family_opens_nothing() {
    // ip6Address
    let confirm = per(|per| {
        per.choice(1, 5).bits(0, 3).word(7).counted(&VERSION);
        per.choice(3, 3).octets(&[1; 16]).word(1719);
    });
    let message = confirm.finish();
    let effects = ras(&[]).say(Reply, 0, &message);
    let reason = "names no unicast address of the connection's family";
    assert_eq!(declines(&effects, &message), [(reason, &message[..])]);
}
