//! REDIRECT (type 5) and DATA (6) behind TNS headers of eight bytes. No standard says what they hold: all of this is of
//! src/helpers/tns.c.

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};

use super::super::{Bench, Effect, declines, expected};

const REDIRECT: u8 = 5;
const DATA: u8 = 6;
const ADDRESS: &str = "(ADDRESS=(PROTOCOL=tcp)(HOST=203.0.113.9)(PORT=49152))";
const FOUND: Option<(&str, u16)> = Some(("203.0.113.9", 49152));

fn bench() -> Bench {
    let modules = Modules::default();
    Bench::new("tns", "192.0.2.11", "198.51.100.65", 1521, &modules)
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0, body.len() as u8 + 8, 0, 0, kind, 0, 0, 0], body].concat()
}

fn redirect(text: &str) -> Vec<u8> {
    packet(
        REDIRECT,
        &[&[0, text.len() as u8], text.as_bytes()].concat(),
    )
}

/// Where the last of these packets sends the client, if no other sends it anywhere.
fn last(packets: &[(Direction, Vec<u8>)]) -> Option<(String, u16)> {
    let mut bench = bench();
    let mut found = None;
    for (direction, packet) in packets {
        assert_eq!(found, None);
        found = expected(&bench.say(*direction, 0, packet));
    }
    found.map(|(address, port)| (address.to_string(), port))
}

#[track_caller]
fn check(packets: &[(Direction, Vec<u8>)], found: Option<(&str, u16)>) {
    let found = found.map(|(address, port)| (address.to_owned(), port));
    assert_eq!(last(packets), found);
}

/// A REDIRECT with this text, of which the first six bytes are not searched.
#[track_caller]
fn says(text: &str, found: Option<(&str, u16)>) {
    check(&[(Reply, redirect(&format!("______{text}")))], found);
}

#[test]
fn the_client_is_expected_at_the_address_that_it_is_sent_to() {
    let effects = bench().say(Reply, 0, &redirect(ADDRESS));
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let from = expectation.src_addr.as_ref().unwrap();
    assert_eq!(from.value.to_string(), "192.0.2.11/32");
    assert_eq!(from.origin, Origin::Conntrack(Original));
    assert_eq!(expectation.src_port, None);
    let read = |text: &str| {
        let at = 10 + ADDRESS.find(text).unwrap() as u32;
        let bytes = at..at + text.len() as u32;
        Origin::Command { packet: 1, bytes }
    };
    assert_eq!(expectation.dst_addr.value.to_string(), "203.0.113.9");
    assert_eq!(expectation.dst_addr.origin, read("203.0.113.9"));
    assert_eq!(expectation.dst_port.value, 49152);
    assert_eq!(expectation.dst_port.origin, read("49152"));
    assert!(!expectation.flags.permanent);
}

#[test]
fn only_the_listener_of_an_established_connection_redirects() {
    let packet = redirect(ADDRESS);
    let effects = bench().say(Original, 0, &packet);
    let by_client = "a redirection, said by the client";
    assert_eq!(declines(&effects, &packet), [(by_client, &packet[8..])]);
    let named = redirect("(ADDRESS=(PROTOCOL=tcp)(HOST=db)(PORT=49152))");
    assert_eq!(bench().say(Original, 0, &named), []);
    let effects = bench().show(Reply, false, 0, &redirect(ADDRESS));
    assert_eq!(effects, []);
    for kind in (0..=u8::MAX).filter(|&kind| kind != REDIRECT) {
        let mut packet = redirect(ADDRESS);
        packet[4] = kind;
        check(&[(Reply, packet)], None);
    }
}

#[test]
fn of_the_header_only_the_type_is_read_and_of_the_length_whether_it_is_0() {
    for at in (0..10).filter(|&at| at != 4) {
        let mut packet = redirect(ADDRESS);
        packet[at] = 0xff;
        check(&[(Reply, packet)], FOUND);
    }
    let mut packet = redirect(ADDRESS);
    packet[9] = 0;
    check(&[(Reply, packet)], None);
}

#[test]
fn a_packet_cut_short_says_nothing() {
    let whole = redirect(ADDRESS);
    let needed = whole.len() - 1; // the last parenthesis is not needed
    for length in 0..=whole.len() {
        let found = FOUND.filter(|_| length >= needed);
        check(&[(Reply, whole[..length].to_vec())], found);
    }
}

#[test]
fn the_search_starts_six_bytes_into_the_text_and_ends_at_a_nul() {
    let bare = "(HOST=203.0.113.9)(PORT=49152)";
    says(bare, FOUND);
    check(&[(Reply, redirect(&format!("_____{bare}")))], None);
    check(&[(Reply, redirect(bare))], None);
    says(&format!("\0{bare}"), None);
    says("(HOST=203.0.113.9)\0(PORT=49152)", None);
    says("(HOST=203.0.\x00113.9)(PORT=49152)", None);
    says("(HOST=203.0.113.9)(PORT=49152\0)", None);
    says("(HOST=203.0.113.9)(PORT=49152)\0(HOST=192.0.2.1)", FOUND);
}

#[test]
fn a_parenthesis_stands_before_host_and_another_before_port() {
    says("HOST=203.0.113.9)(PORT=49152)", None);
    says("(x HOST=203.0.113.9)(x PORT=49152)", FOUND);
    says("(HOST=203.0.113.9)PORT=49152)", None);
    says("(HOST=203.0.113.9)PORT=1)(PORT=49152)", FOUND);
    says("(PORT=1)(HOST=203.0.113.9)(PORT=49152)", FOUND);
    says("(PORT=49152)(HOST=203.0.113.9)", None);
    says("(host=203.0.113.9)(port=49152)", None);
    says("(HOST =203.0.113.9)(PORT =49152)", None);
    // The first one counts, whatever it is worth.
    says("(HOST=name)(HOST=203.0.113.9)(PORT=49152)", None);
    says("(HOST=203.0.113.9)(PORT=)(PORT=49152)", None);
}

#[test]
fn an_address_is_four_numbers_whatever_their_size() {
    for (host, address) in [
        (" 2 03. 0.113.9 ", Some("203.0.113.9")),
        ("0203.00.113.009", Some("203.0.113.9")),
        ("...1", Some("0.0.0.1")),
        ("0.0.0.3405803785", Some("203.0.113.9")),
        // Each has 32 bits, and all are shifted and put together by OR.
        ("203.0.113.4294967305", Some("203.0.113.9")),
        ("459.0.113.9", Some("203.0.113.9")),
        ("203.0.112.265", Some("203.0.113.9")),
        ("203.0.113.265", Some("203.0.113.9")),
        ("203.0.113", None),
        ("203.0.113.9.", None),
        ("203.0.113.9.1", None),
        ("-203.0.113.9", None),
        ("203.0.113.9\t", None),
        ("0xcb.0.113.9", None),
        ("localhost", None),
        ("", None),
    ] {
        let found = address.map(|address| (address, 49152));
        says(&format!("(HOST={host})(PORT=49152)"), found);
    }
}

#[test]
fn a_port_wraps_at_16_bits_and_is_not_0() {
    for (text, port) in [
        ("65535", Some(65535)),
        ("65537", Some(1)),
        ("4295016448", Some(49152)),
        ("00001", Some(1)),
        (" 49 152 ", Some(49152)),
        ("0", None),
        ("65536", None),
        ("", None),
        (" ", None),
        ("-1", None),
        ("1.", None),
        ("0x1", None),
    ] {
        let found = port.map(|port| ("203.0.113.9", port));
        says(&format!("(HOST=203.0.113.9)(PORT={text})"), found);
    }
}

#[test]
fn nobody_checks_whose_address_it_is() {
    for host in ["192.0.2.11", "0.0.0.0", "255.255.255.255", "127.0.0.1"] {
        says(&format!("(HOST={host})(PORT=22)"), Some((host, 22)));
    }
}

/// The search starts at the data's flags, and ends there where they are 0.
#[test]
fn the_text_may_come_with_the_next_data() {
    let announced = || (Reply, packet(REDIRECT, b"\0\0"));
    let data = |flags: [u8; 2]| (Reply, packet(DATA, &[&flags, ADDRESS.as_bytes()].concat()));
    for (flags, found) in [
        ([0, 0], None),
        ([0, 0x40], None),
        ([0x40, 0], None),
        ([0x20, 0x40], FOUND),
    ] {
        check(&[announced(), data(flags)], found);
    }
    // A length that is not there reads as 0.
    for length in 5..=10 {
        let (side, whole) = announced();
        check(&[(side, whole[..length].to_vec()), data([1, 1])], FOUND);
    }
}

#[test]
fn only_the_listeners_next_packet_counts() {
    let announced = || (Reply, packet(REDIRECT, b"\0\0"));
    let data = || {
        (
            Reply,
            packet(DATA, &[b"\x01\x01", ADDRESS.as_bytes()].concat()),
        )
    };
    check(&[data()], None);
    for (between, found) in [
        (announced(), FOUND),
        ((Reply, vec![]), None),
        ((Reply, packet(11, b"")), None),
        ((Reply, packet(DATA, b"\0\0")), None),
        ((Original, vec![]), FOUND),
        ((Original, data().1), FOUND),
    ] {
        check(&[announced(), between, data()], found);
    }
    // It is used up, and what announced a text may be followed by a whole REDIRECT.
    let mut bench = bench();
    bench.say(Reply, 0, &announced().1);
    assert!(expected(&bench.say(Reply, 0, &data().1)).is_some());
    assert_eq!(bench.say(Reply, 0, &data().1), []);
    check(&[announced(), (Reply, redirect(ADDRESS))], FOUND);
}

#[test]
fn what_cannot_be_expected_costs_the_redirection() {
    let mut bench = bench();
    bench.master.refuse = Some(49152);
    assert_eq!(
        bench.say(Reply, 0, &redirect(ADDRESS)),
        [Effect::Drop("cannot add expectation")]
    );
}
