//! Registrations, calls and channels. The messages are written octet by octet as X.691 has it; that this is how they
//! are written was checked with another program's dissector.

use std::net::IpAddr;
use std::time::Duration;

use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::{Modules, Spec};
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::{Bench, Effect};
use crate::traffic::per::{Per, per};

const CLIENT: [u8; 4] = [192, 0, 2, 11];
const SERVER: [u8; 4] = [198, 51, 100, 66];
const THIRD: [u8; 4] = [203, 0, 113, 9];
const VERSION: [u8; 6] = [0, 8, 0x91, 0x4a, 0, 4];

fn bench(name: &str, port: u16, parameters: &[&str]) -> Bench {
    let mut modules = Modules::default();
    for parameter in parameters {
        modules
            .set(&format!("nf_conntrack_h323.{parameter}"))
            .unwrap();
    }
    Bench::new(name, "192.0.2.11", "198.51.100.66", port, &modules)
}

fn ras(parameters: &[&str]) -> Bench {
    bench("RAS", 1719, parameters)
}

/// Source, destination and port, whether permanent, and the helper of an expectation.
type Hole = (
    Protocol,
    Option<[u8; 4]>,
    [u8; 4],
    u16,
    bool,
    Option<&'static str>,
);

fn hole(expectation: &Expectation) -> Hole {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => panic!("IPv6"),
    };
    assert_eq!(expectation.src_port, None);
    (
        expectation.protocol,
        expectation
            .src_addr
            .as_ref()
            .map(|net| octets(net.value.addr())),
        octets(expectation.dst_addr.value),
        expectation.dst_port.value,
        expectation.flags.permanent,
        expectation.helper,
    )
}

fn holes(effects: &[Effect]) -> Vec<Hole> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Expect(expectation) => Some(hole(expectation)),
            _ => None,
        })
        .collect()
}

fn declined(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Decline { .. }])
}

fn address(per: &mut Per, ip: [u8; 4], port: u16) {
    per.choice(0, 3).octets(&ip).word(port);
}

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
fn registration_request(calls: &[([u8; 4], u16)], ttl: Option<u32>, behind: bool) -> Vec<u8> {
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

fn registration_confirm(ttl: Option<u32>) -> Vec<u8> {
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

fn unregistration_request() -> Vec<u8> {
    per(|per| {
        per.choice(6, 5).bits(0, 4).word(7).length(1);
        address(per, CLIENT, 1720);
    })
    .finish()
}

#[test]
fn a_registration_lets_the_gatekeeper_call() {
    let call = |src| (Protocol::TCP, src, CLIENT, 1720, true, Some("Q.931"));
    let request = registration_request(&[(THIRD, 1), (CLIENT, 0), (CLIENT, 1720)], None, true);
    let effects = ras(&[]).say(Original, 0, &request);
    assert_eq!(holes(&effects), [call(Some(SERVER))]);
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    let Origin::Command { bytes, .. } = &expectation.dst_port.origin else {
        panic!()
    };
    let bytes = &request[bytes.start as usize..bytes.end as usize];
    assert_eq!(bytes, 1720u16.to_be_bytes());

    let effects = ras(&["gkrouted_only=0"]).say(Original, 0, &request);
    assert_eq!(holes(&effects), [call(None)]);
}

#[test]
fn a_registration_of_others_is_none() {
    let request = registration_request(&[(THIRD, 1720), (SERVER, 1720)], None, true);
    assert!(declined(&ras(&[]).say(Original, 0, &request)));
    let request = registration_request(&[(CLIENT, 0)], None, true);
    assert!(declined(&ras(&[]).say(Original, 0, &request)));
    let request = registration_request(&[], None, true);
    assert_eq!(ras(&[]).say(Original, 0, &request), []);
}

/// Ten addresses are kept.
#[test]
fn the_eleventh_address_is_not_looked_at() {
    let mut calls = vec![(THIRD, 1720); 9];
    calls.push((CLIENT, 1720));
    let request = registration_request(&calls, None, true);
    assert_eq!(holes(&ras(&[]).say(Original, 0, &request)).len(), 1);
    calls.insert(0, (THIRD, 1720));
    let request = registration_request(&calls, None, true);
    assert!(declined(&ras(&[]).say(Original, 0, &request)));
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
        bench.say(Original, 0, &registration_request(&calls, asked, true));
        let effects = bench.say(Reply, 0, &registration_confirm(granted));
        let expected: Vec<Effect> = lives.map(seconds).into_iter().collect();
        assert_eq!(effects, expected, "{parameter} {asked:?} {granted:?}");
    }
    // The kernel finds what it expects only where that lets anybody in.
    let mut bench = ras(&["gkrouted_only=0"]);
    bench.say(Original, 0, &registration_request(&calls, None, true));
    let effects = bench.say(Reply, 0, &registration_confirm(None));
    assert!(
        matches!(effects[..], [Effect::Refresh(_), Effect::Renew(_, lives)] if lives == Duration::from_secs(300)),
        "{effects:?}"
    );
    // Without a request there is no time to keep to.
    assert_eq!(ras(&[]).say(Reply, 0, &registration_confirm(None)), []);
}

/// 250 ticks a second in 32 bits: 2^32 / 250 is 17,179,869.184 s, and of that the first half lies ahead.
#[test]
fn a_time_of_months_wraps() {
    let refresh = |ttl| ras(&[]).say(Reply, 0, &registration_confirm(Some(ttl)));
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
        let request = registration_request(&calls, Some(ttl), behind);
        holes(&ras(&[]).say(Original, 0, &request)).len()
    };
    assert_eq!(effects(60, true), 1);
    assert_eq!(effects(60, false), 0);
}

#[test]
fn whoever_unregisters_is_no_longer_called() {
    let mut bench = ras(&[]);
    bench.say(
        Original,
        0,
        &registration_request(&[(CLIENT, 1720)], None, true),
    );
    let effects = bench.say(Original, 0, &unregistration_request());
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
            assert_eq!(ras(&[]).say(Reply, 0, &message[..length]), [], "{length}");
        }
        assert_eq!(holes(&ras(&[]).say(Reply, 0, &message)).len(), 1);
    }
    let setup = signal(&setup(CLIENT, 2000, &[channel(CLIENT, 5000, 5001)], &[]));
    for length in 0..setup.len() {
        assert_eq!(q931(&[]).say(Original, 0, &setup[..length]), []);
        // Nor where the TPKT says that this is all.
        let mut shorter = setup[..length.max(4)].to_vec();
        let whole = shorter.len() as u16;
        shorter[2..4].copy_from_slice(&whole.to_be_bytes());
        assert_eq!(q931(&[]).say(Original, 0, &shorter), []);
    }
}

fn q931(parameters: &[&str]) -> Bench {
    bench("Q.931", 1720, parameters)
}

fn tpkt(message: &[u8]) -> Vec<u8> {
    let [high, low] = (message.len() as u16 + 4).to_be_bytes();
    [&[3, 0, high, low], message].concat()
}

/// A Q.931 message with a bearer capability in front of the user-user element.
fn signal(information: &[u8]) -> Vec<u8> {
    let [high, low] = (information.len() as u16 + 1).to_be_bytes();
    let elements = [8, 2, 0x12, 0x34, 5, 4, 3, 0x88, 0x93, 0xa5];
    tpkt(&[&elements[..], &[0x7e, high, low, 5], information].concat())
}

fn media_address(per: &mut Per, ip: [u8; 4], port: u16) {
    per.choice(0, 1)
        .choice(0, 3)
        .bit(false)
        .octets(&ip)
        .word(port);
}

/// `OpenLogicalChannel`: G.711, and where media and media control are awaited.
fn channel(ip: [u8; 4], media: u16, control: u16) -> Per {
    per(|per| {
        per.bits(0, 2).word(1).bits(0, 2);
        per.choice(3, 3).choice(1, 4).octets(&[19]);
        let mut parameters = Per::default();
        parameters.bits(0, 3).bits(0b101, 3).bits(0, 5).octets(&[1]);
        media_address(&mut parameters, ip, media);
        media_address(&mut parameters, ip, control);
        per.extension(0, &parameters);
    })
}

/// `OpenLogicalChannel` for T.120, with a connection of its own or over whatever there is.
fn data_channel(port: u16, own_connection: bool) -> Per {
    per(|per| {
        per.bit(true).bit(false).word(1).bits(0, 2);
        per.choice(4, 3).bit(false).choice(1, 4);
        if own_connection {
            per.extension(3, &Per::default());
        } else {
            per.choice(6, 3);
        }
        per.number(640);
        let mut parameters = Per::default();
        parameters.bits(0, 11).octets(&[1]);
        per.extension(0, &parameters);
        let mut stack = Per::default();
        stack.bits(0, 3).choice(2, 2);
        media_address(&mut stack, CLIENT, port);
        stack.bit(false);
        per.extensions(&[Some(stack)]);
    })
}

fn request(channel: &Per) -> Vec<u8> {
    per(|per| {
        per.choice(0, 2).choice(3, 4).octets(&channel.finish());
    })
    .finish()
}

/// `OpenLogicalChannelAck` with the address of the acknowledging end.
fn acknowledgement(ip: [u8; 4], port: u16) -> Vec<u8> {
    per(|per| {
        per.choice(1, 2).choice(5, 5).bit(true).bit(false).word(1);
        let mut parameters = Per::default();
        parameters.choice(0, 0).bits(0, 1).bits(0b00100, 5);
        media_address(&mut parameters, ip, port);
        per.extensions(&[None, Some(parameters)]);
    })
    .finish()
}

/// The PDU around a body, with H.245 in it or without.
fn pdu(body: impl FnOnce(&mut Per), tunnelled: &[Vec<u8>]) -> Vec<u8> {
    per(|per| {
        per.bits(0, 2).bits(0b10, 2);
        body(per);
        let mut flag = Per::default();
        flag.bit(true);
        let mut control = Per::default();
        control.length(tunnelled.len());
        for message in tunnelled {
            control.counted(message);
        }
        let control = (!tunnelled.is_empty()).then_some(control);
        per.extensions(&[None, Some(flag), control]);
    })
    .finish()
}

fn endpoint(per: &mut Per) {
    per.bits(0, 7).bits(0, 2);
}

fn fast_start(channels: &[Per]) -> Per {
    per(|per| {
        per.length(channels.len());
        for channel in channels {
            per.open(channel);
        }
    })
}

fn setup(ip: [u8; 4], port: u16, channels: &[Per], tunnelled: &[Vec<u8>]) -> Vec<u8> {
    let body = |per: &mut Per| {
        let has_channels = !channels.is_empty();
        per.choice(0, 3).bit(has_channels).bits(0b100_0000, 7);
        per.counted(&VERSION);
        address(per, ip, port);
        endpoint(per);
        per.bit(false).octets(&[6; 16]).choice(0, 2).choice(0, 2);
        if has_channels {
            let channels = Some(fast_start(channels));
            per.extensions(&[None, None, None, None, None, None, channels]);
        }
    };
    pdu(body, tunnelled)
}

/// Alternative address and reason.
fn facility(ip: [u8; 4], port: u16, reason: u32) -> Vec<u8> {
    let body = |per: &mut Per| {
        per.choice(6, 3).bit(false).bits(0b100, 3).counted(&VERSION);
        address(per, ip, port);
        per.choice(reason, 2);
    };
    pdu(body, &[])
}

/// RTP and RTCP from the other end to the speaker.
fn media(direction: Direction, port: u16) -> [Hole; 2] {
    let (from, to) = match direction {
        Original => (SERVER, CLIENT),
        Reply => (CLIENT, SERVER),
    };
    [port & !1, port | 1].map(|port| (Protocol::UDP, Some(from), to, port, false, None))
}

const H245: Hole = (
    Protocol::TCP,
    Some(SERVER),
    CLIENT,
    2000,
    false,
    Some("H.245"),
);

#[test]
fn a_call_says_where_it_is_controlled() {
    let setup = signal(&setup(CLIENT, 2000, &[], &[]));
    assert_eq!(holes(&q931(&[]).say(Original, 0, &setup)), [H245]);
    assert_eq!(q931(&[]).show(Original, false, 0, &setup), []);
    assert!(declined(&q931(&[]).say(Reply, 0, &setup)));
    let mut bench = q931(&[]);
    bench.master.refuse = Some(2000);
    let drop = Effect::Drop("cannot process Q.931 message");
    assert_eq!(bench.say(Original, 0, &setup), [drop]);
}

#[test]
fn a_call_may_open_channels_at_once() {
    let channels = [channel(CLIENT, 5000, 5001), channel(CLIENT, 5003, 5007)];
    let setup = signal(&setup(CLIENT, 2000, &channels, &[]));
    let expected: Vec<Hole> = [
        &[H245][..],
        &media(Original, 5000),
        &media(Original, 5000),
        &media(Original, 5002),
        &media(Original, 5006),
    ]
    .concat();
    assert_eq!(holes(&q931(&[]).say(Original, 0, &setup)), expected);
}

/// Of channels in a call 30 are kept, of tunnelled messages four.
#[test]
fn what_is_beyond_the_kernels_lists_opens_nothing() {
    let holes_of = |channels: usize, tunnelled: usize| {
        let channel = channel(CLIENT, 5000, 5001);
        let channels = vec![channel.clone(); channels];
        let tunnelled = vec![request(&channel); tunnelled];
        let setup = signal(&setup(CLIENT, 2000, &channels, &tunnelled));
        holes(&q931(&[]).say(Original, 0, &setup)).len()
    };
    assert_eq!(holes_of(30, 0), 1 + 4 * 30);
    assert_eq!(holes_of(31, 0), 1 + 4 * 30);
    assert_eq!(holes_of(0, 4), 1 + 4 * 4);
    assert_eq!(holes_of(0, 5), 1 + 4 * 4);
}

#[test]
fn a_forwarded_call() {
    let forwarded = |ip, port, reason, parameters: &[&str]| {
        let facility = signal(&facility(ip, port, reason));
        q931(parameters).say(Reply, 0, &facility)
    };
    let call = |ip| (Protocol::TCP, Some(CLIENT), ip, 1720, false, Some("Q.931"));
    assert_eq!(holes(&forwarded(THIRD, 1720, 1, &[])), [call(THIRD)]);
    assert_eq!(holes(&forwarded(SERVER, 1720, 1, &[])), [call(SERVER)]);
    assert!(declined(&forwarded(THIRD, 0, 1, &[])));
    assert_eq!(forwarded(THIRD, 1720, 0, &[]), []);
    // To where the caller is.
    assert!(declined(&forwarded(CLIENT, 1720, 1, &[])));
    let unfiltered = forwarded(CLIENT, 1720, 1, &["callforward_filter=0"]);
    assert_eq!(holes(&unfiltered), [call(CLIENT)]);
}

/// Without a length of its own it is taken to have one, and the message is lost.
#[test]
fn an_element_of_one_octet() {
    let information = setup(CLIENT, 2000, &[], &[]);
    let message = signal(&information);
    let with_element = |element: &[u8]| tpkt(&[&message[4..14], element, &message[14..]].concat());
    for (element, expected) in [(&[0x28, 1, b'x'][..], 1), (&[0xa1][..], 0)] {
        let effects = q931(&[]).say(Original, 0, &with_element(element));
        assert_eq!(holes(&effects).len(), expected, "{element:?}");
    }
}

fn h245() -> Bench {
    bench("H.245", 2000, &[])
}

#[test]
fn channels_are_opened_by_either_end() {
    let open = tpkt(&request(&channel(CLIENT, 5001, 5001)));
    let twice = [media(Original, 5001), media(Original, 5001)].concat();
    assert_eq!(holes(&h245().say(Original, 0, &open)), twice);
    assert_eq!(h245().show(Original, false, 0, &open), []);
    let acknowledge = tpkt(&acknowledgement(SERVER, 6000));
    assert_eq!(
        holes(&h245().say(Reply, 0, &acknowledge)),
        media(Reply, 6000)
    );
    let foreign = tpkt(&acknowledgement(CLIENT, 6000));
    assert!(declined(&h245().say(Reply, 0, &foreign)));
}

#[test]
fn a_pair_is_expected_whole_or_not_at_all() {
    let open = tpkt(&request(&channel(CLIENT, 5000, 5000)));
    let mut bench = h245();
    bench.master.refuse = Some(5001);
    let effects = bench.say(Original, 0, &open);
    assert!(
        matches!(
            effects[..],
            [
                Effect::Expect(_),
                Effect::Withdraw(_),
                Effect::Drop("cannot process H.245 message")
            ]
        ),
        "{effects:?}"
    );
}

#[test]
fn data_may_have_a_connection_of_its_own() {
    let open = |own| tpkt(&request(&data_channel(1503, own)));
    let data = (Protocol::TCP, Some(SERVER), CLIENT, 1503, true, None);
    assert_eq!(holes(&h245().say(Original, 0, &open(true))), [data]);
    assert_eq!(h245().say(Original, 0, &open(false)), []);
}

#[test]
fn messages_in_segments() {
    let ports = |effects: Vec<Effect>| -> Vec<u16> {
        let mut ports: Vec<u16> = holes(&effects).iter().map(|hole| hole.3 & !1).collect();
        ports.dedup();
        ports
    };
    let message = |port| tpkt(&acknowledgement(CLIENT, port));
    let (first, second) = (message(5000), message(5002));

    // Several in one, until something else comes.
    let both = [&first[..], &second].concat();
    assert_eq!(ports(h245().say(Original, 0, &both)), [5000, 5002]);
    let junk = [&first[..], b"junk, ", &second].concat();
    assert_eq!(ports(h245().say(Original, 0, &junk)), [5000]);
    let cut = [&first[..], &second[..second.len() - 1]].concat();
    assert_eq!(ports(h245().say(Original, 0, &cut)), [5000]);

    // A header by itself, its body behind it, and a message behind that.
    let mut bench = h245();
    assert_eq!(bench.say(Original, 0, &first[..4]), []);
    assert_eq!(bench.say(Reply, 0, b"nothing of that"), []);
    assert_eq!(ports(bench.say(Original, 4, &both[4..])), [5000, 5002]);
    assert_eq!(bench.say(Original, 0, &first[4..]), []);

    // Forgotten when a segment without data comes between, and where the body is cut.
    let mut bench = h245();
    bench.say(Original, 0, &first[..4]);
    bench.say(Original, 4, b"");
    assert_eq!(bench.say(Original, 4, &first[4..]), []);
    bench.say(Original, 0, &first[..4]);
    assert_eq!(bench.say(Original, 4, &first[4..first.len() - 1]), []);
    assert_eq!(bench.say(Original, 4, &first[4..]), []);

    // Any other cut loses the message.
    let mut bench = h245();
    assert_eq!(bench.say(Original, 0, &first[..5]), []);
    assert_eq!(bench.say(Original, 5, &first[5..]), []);
}

/// A plain request to open a channel begins with 03 00, as a header does.
#[test]
fn a_body_that_looks_like_a_header_is_lost() {
    let open = tpkt(&request(&channel(CLIENT, 5000, 5000)));
    assert_eq!(open[4..6], [3, 0]);
    let mut bench = h245();
    bench.say(Original, 0, &open[..4]);
    assert_eq!(bench.say(Original, 4, &open[4..]), []);
}

#[test]
fn no_rule_assigns_h245() {
    let spec = Spec::named("H.245").unwrap();
    assert!(!spec.reads(Protocol::TCP, false) && !spec.reads(Protocol::UDP, true));
}

/// Anything at all, and one message that goes on and on: each of its 16,383 items is read up to the end of it.
#[test]
fn no_octets_harm_the_decoder() {
    let rng = &mut fastrand::Rng::with_seed(7);
    let seeds = [
        registration_request(&[(CLIENT, 1720)], Some(60), true),
        signal(&setup(CLIENT, 2000, &[channel(CLIENT, 5000, 5001)], &[])),
    ];
    for _ in 0..20_000 {
        let mut message = seeds[rng.usize(..2)].clone();
        for _ in 0..rng.usize(1..12) {
            let at = rng.usize(..message.len());
            message[at] = rng.u8(..);
        }
        ras(&[]).say(Original, 0, &message);
        q931(&[]).say(Original, 0, &message);
        h245().say(Original, 0, &tpkt(&message));
    }
    let mut endless = Per::default();
    endless
        .bits(0, 2)
        .word(1)
        .bits(0, 2)
        .choice(1, 3)
        .bit(true)
        .bits(0, 7);
    endless.octets(&[2, 0]);
    endless.octets(&[0x40, 0, 0xbf, 0xff]);
    endless.octets(&[0; 60_000]);
    let endless = endless.finish();
    let channels = vec![Per::default(); 1000];
    let mut message = setup(CLIENT, 2000, &channels, &[]);
    message.extend(endless);
    q931(&[]).say(Original, 0, &signal(&message));
}
