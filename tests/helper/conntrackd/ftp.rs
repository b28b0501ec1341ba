//! What differs from the kernel's helper (conntrack-tools 1.4.7, src/helpers/ftp.c; RFC 959 and 2428).

use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};

use crate::helper::{Bench, Effect, declines, expected};

const CLIENT: &str = "192.0.2.11";
const SERVER: &str = "198.51.100.21";

fn bench(server: &str) -> Bench {
    Bench::new("conntrackd:ftp", CLIENT, server, 21, &Modules::default())
}

/// What the helper makes of a line behind a line end.
fn after_a_line(server: &str, direction: Direction, line: &[u8]) -> Vec<Effect> {
    let mut bench = bench(server);
    assert_eq!(bench.say(direction, 1000, b"noop\r\n"), []);
    bench.say(direction, 1006, line)
}

fn port_of(direction: Direction, line: &[u8]) -> Option<u16> {
    expected(&after_a_line(SERVER, direction, line)).map(|(_, port)| port)
}

#[test]
fn commands_in_capitals_and_numbers_in_parentheses_are_read() {
    for (direction, line, port) in [
        (Original, "PORT 192,0,2,11,156,64\r\n", 40000),
        (Original, "EPRT |1|192.0.2.11|40001|\r\n", 40001),
        (
            Reply,
            "227 Entering Passive Mode (198,51,100,21,156,64).\r\n",
            40000,
        ),
        // Numbers wrap at 16 bits.
        (Original, "EPRT |1|192.0.2.11|65537|\r\n", 1),
    ] {
        assert_eq!(port_of(direction, line.as_bytes()), Some(port), "{line}");
    }
}

/// Where the kernel drops what it cannot read to its end, this lets it pass.
#[test]
fn what_cannot_be_read_passes() {
    for (direction, line) in [
        (Original, "port 192,0,2,11,156,64\r\n"),
        (Original, "PORT 192,0,2,11,156\r\n"),
        (Original, "PORT 192,0,2,11,156,64"),
        (Original, "PO"),
        (Original, "EPRT |2|2001:db8::1|40001|\r\n"),
        (Original, "EPRT |1|192.0.2.11|0|\r\n"),
        (Reply, "227 Entering Passive Mode 198,51,100,21,156,64\r\n"),
        (Reply, "229 Entering Extended Passive Mode (|||)\r\n"),
    ] {
        assert_eq!(
            after_a_line(SERVER, direction, line.as_bytes()),
            [],
            "{line}"
        );
    }
}

/// The address of a 229, which has none, counts as the client's.
#[test]
fn extended_passive_mode_opens_nothing_unless_both_ends_are_one() {
    let line = b"229 Entering Extended Passive Mode (|||40000|)\r\n";
    let effects = after_a_line(SERVER, Reply, line);
    let reason = "a reply 229, whose address is taken for the client's";
    assert_eq!(declines(&effects, line), [(reason, &line[..44])]);
    let own = after_a_line(CLIENT, Reply, line);
    assert_eq!(expected(&own), Some((CLIENT.parse().unwrap(), 40000)));
}

#[test]
fn behind_anothers_address_the_line_end_is_not_noted() {
    let mut bench = bench(SERVER);
    bench.say(Original, 1000, b"noop\r\n");
    let line = b"PORT 192,0,2,99,156,64\r\n";
    let foreign = "names an address that is not the speaker's";
    let effects = bench.say(Original, 1006, line);
    assert_eq!(declines(&effects, line), [(foreign, &line[..22])]);
    let unseen = "not behind a line end that was seen";
    let effects = bench.say(Original, 1006 + line.len() as u32, line);
    assert_eq!(declines(&effects, line), [(unseen, &line[..22])]);
}

#[test]
fn commands_where_none_is_looked_for() {
    let by_server = "a client's command, said by the server";
    let by_client = "a server's reply, said by the client";
    let further = "not on the first line of its segment";
    for (direction, line, reason, bytes) in [
        (Reply, &b"PORT 198,51,100,21,1,2\r\n"[..], by_server, 0..22),
        (Original, b"227 (198,51,100,21,1,2)\r\n", by_client, 0..22),
        (Original, b"NOOP\r\nPORT 192,0,2,11,1,2\r\n", further, 6..25),
        (
            Reply,
            b"220 hi\r\n227 (198,51,100,21,1,2)\r\n",
            further,
            8..30,
        ),
    ] {
        let effects = after_a_line(SERVER, direction, line);
        assert_eq!(declines(&effects, line), [(reason, &line[bytes])]);
        // In small letters or without parentheses it is none.
        let other = line.to_ascii_lowercase();
        let other = String::from_utf8(other).unwrap().replace('(', "");
        assert_eq!(after_a_line(SERVER, direction, other.as_bytes()), []);
    }
    let line = b"PORT 192,0,2,11,1,2\r\n";
    let early = "said before there was traffic both ways";
    let effects = bench(SERVER).show(Original, false, 0, line);
    assert_eq!(declines(&effects, line), [(early, &line[..19])]);
    let first = "before any line end was seen in its direction";
    let effects = bench(SERVER).say(Original, 0, line);
    assert_eq!(declines(&effects, line), [(first, &line[..19])]);
}

/// `pktb_len(pkt) - 1` is the last byte of the header then.
#[test]
fn a_header_that_ends_in_a_line_feed_is_a_line_end() {
    for (last, read) in [(b'\n', true), (0, false)] {
        let mut bench = bench(SERVER);
        bench.header = vec![0, 0, 0, last];
        bench.say(Original, 1000, b"");
        let effects = bench.say(Original, 1000, b"PORT 192,0,2,11,156,64\r\n");
        assert_eq!(expected(&effects).is_some(), read, "{last}");
    }
}

/// `NFCT_Q_CREATE_UPDATE`
#[test]
fn what_stands_is_not_made_again() {
    let mut bench = bench(SERVER);
    bench.say(Original, 1000, b"noop\r\n");
    let line = b"PORT 192,0,2,11,156,64\r\n";
    assert!(expected(&bench.say(Original, 1006, line)).is_some());
    let again = bench.say(Original, 1006 + line.len() as u32, line);
    let already = "what it asks for is expected already";
    assert_eq!(declines(&again, line), [(already, &b"156,64"[..])]);
    assert_eq!(again.len(), 1);
}

#[test]
fn what_cannot_be_expected_is_dropped() {
    let mut bench = bench(SERVER);
    bench.master.refuse = Some(40000);
    bench.say(Original, 1000, b"noop\r\n");
    let effects = bench.say(Original, 1006, b"PORT 192,0,2,11,156,64\r\n");
    assert!(matches!(effects[..], [Effect::Drop(_)]), "{effects:?}");
}
