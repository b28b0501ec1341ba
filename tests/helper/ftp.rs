//! Cases from the kernel's behaviour (each tried against a 6.18.44) and RFC 959, 1123, 2428.

use std::net::IpAddr;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::kernel::Kernel;
use ctaudit::tuple::Direction::{self, Original, Reply};

use super::{Bench, Effect, declines, expected};

const CLIENT: &str = "192.0.2.11";
const SERVER: &str = "198.51.100.21";
const CLIENT6: &str = "2001:db8:1::11";
const SERVER6: &str = "2001:db8:2::21";

/// What the helper makes of a line behind a line end.
fn after_a_line(
    direction: Direction,
    ends: (&str, &str),
    modules: &Modules,
    line: &[u8],
) -> Vec<Effect> {
    let mut bench = Bench::new("ftp", ends.0, ends.1, 21, modules);
    assert_eq!(bench.say(direction, 1000, b"noop\r\n"), []);
    bench.say(direction, 1006, line)
}

fn port_of(direction: Direction, line: &[u8]) -> Option<u16> {
    expected(&after_a_line(
        direction,
        (CLIENT, SERVER),
        &Modules::default(),
        line,
    ))
    .map(|(_, port)| port)
}

fn dropped(direction: Direction, line: &[u8]) -> bool {
    let effects = after_a_line(direction, (CLIENT, SERVER), &Modules::default(), line);
    matches!(effects[..], [Effect::Drop(_)])
}

#[test]
fn the_client_names_a_port_by_port() {
    let line = b"PORT 192,0,2,11,156,64\r\n";
    let effects = after_a_line(Original, (CLIENT, SERVER), &Modules::default(), line);
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    // 156 * 256 + 64
    assert_eq!(
        (expectation.dst_addr.value, expectation.dst_port.value),
        (CLIENT.parse().unwrap(), 40000)
    );
    let src = expectation.src_addr.as_ref().unwrap();
    assert_eq!(src.value.to_string(), "198.51.100.21/32");
    assert_eq!(src.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.src_port, None);
    let Origin::Command { packet: 2, bytes } = &expectation.dst_port.origin else {
        panic!("{:?}", expectation.dst_port.origin)
    };
    assert_eq!(&line[bytes.start as usize..bytes.end as usize], b"156,64");
}

#[test]
fn spellings_of_port() {
    for (line, port) in [
        (&b"port 192,0,2,11,0,80\r\n"[..], 80),
        (b"PORTX 192,0,2,11,1,2\r\n", 258),
        (b"PORT 192,0,2,11,1,2\rxyz", 258),
        (b"PORT 192,0,2,11,0,0\r\n", 0),
        // Larger than a byte: shifted together, wrapping.
        (b"PORT 192,0,2,11,300,1\r\n", 11265),
        (b"PORT 0192,00,2,11,,7\r\n", 7),
    ] {
        assert_eq!(
            port_of(Original, line),
            Some(port),
            "{}",
            line.escape_ascii()
        );
    }
    for line in [
        &b"PORT 192,0,2,11,1,2\n"[..],
        b"PORT 192,0,2,11,1,2",
        b"PORT  192,0,2,11,1,2\r\n",
        b"PORT 192,0,2,11,1\r\n",
        b"PORT 192,0,2,11,1,2,3\r\n",
        b"PORT\r\n",
        b"PO",
        b"e",
    ] {
        assert!(dropped(Original, line), "{}", line.escape_ascii());
    }
}

/// Bytes of a line that is passed over, from where it begins to the end of the port.
fn declined(direction: Direction, line: &[u8]) -> Vec<(&'static str, &[u8])> {
    let effects = after_a_line(direction, (CLIENT, SERVER), &Modules::default(), line);
    let declines = declines(&effects, line);
    assert_eq!(declines.len(), effects.len(), "{effects:?}");
    declines
}

#[test]
fn a_command_of_the_other_end() {
    let by_server = "a client's command, said by the server";
    let by_client = "a server's reply, said by the client";
    for (direction, line, reason, bytes) in [
        (Reply, &b"PORT 198,51,100,21,1,2\r\n"[..], by_server, 22),
        (Reply, b"EPRT |1|192.0.2.11|6275|\r\n", by_server, 23),
        (Original, b"227 =198,51,100,21,195,80\r\n", by_client, 25),
        (Original, b"229 ok (|||6446|)\r\n", by_client, 15),
    ] {
        assert_eq!(declined(direction, line), [(reason, &line[..bytes])]);
        // Cut, it is none.
        assert_eq!(declined(direction, &line[..bytes]), []);
        assert_eq!(declined(direction, &[b"x", line].concat()), []);
    }
}

#[test]
fn a_command_behind_the_first_line() {
    let reason = "not on the first line of its segment";
    let port = &b"PORT 192,0,2,11,1,2"[..];
    let line = b"NOOP\r\nPORT 192,0,2,11,1,2\r\nPORT 192,0,2,11,1,2\r\n";
    assert_eq!(declined(Original, line), [(reason, port), (reason, port)]);
    let line = b"220 ok\n229 (|||6446|)\r\n";
    assert_eq!(declined(Reply, line), [(reason, &b"229 (|||6446"[..])]);
    for line in [
        &b"NOOP\r\n PORT 192,0,2,11,1,2\r\n"[..],
        b"NOOP\rPORT 192,0,2,11,1,2\r\n",
        b"NOOP\r\nPORT 192,0,2,11,1,2",
        b"NOOP\r\nPORT 192,0,2,11,1\r\n,2\r\n",
        b"NOOP\r\n227 (198,51,100,21,195,80)\r\n",
    ] {
        assert_eq!(declined(Original, line), [], "{}", line.escape_ascii());
    }
    let both = b"PORT 192,0,2,11,3,4\r\nPORT 192,0,2,11,1,2\r\n";
    let effects = after_a_line(Original, (CLIENT, SERVER), &Modules::default(), both);
    assert_eq!(
        expected(&effects[..1]),
        Some((CLIENT.parse().unwrap(), 772))
    );
    assert_eq!(declines(&effects[1..], both), [(reason, port)]);
}

#[test]
fn a_command_before_there_was_traffic_both_ways() {
    let mut bench = Bench::new("ftp", CLIENT, SERVER, 21, &Modules::default());
    let line = b"PORT 192,0,2,11,1,2\r\n";
    let effects = bench.show(Original, false, 0, line);
    let reason = "said before there was traffic both ways";
    assert_eq!(declines(&effects, line), [(reason, &line[..19])]);
    for silent in [&line[..19], b"227 =198,51,100,21,195,80\r\n", b"NOOP\r\n"] {
        assert_eq!(bench.show(Original, false, 0, silent), []);
    }
}

#[test]
fn the_server_names_a_port_by_227() {
    for (line, port) in [
        (
            &b"227 Entering Passive Mode (198,51,100,21,195,80).\r\n"[..],
            50000,
        ),
        (b"227 =198,51,100,21,195,80\r\n", 50000),
        (b"227 198,51,100,21,195,80 ", 50000),
    ] {
        assert_eq!(port_of(Reply, line), Some(port), "{}", line.escape_ascii());
    }
    assert!(dropped(Reply, b"227 v1 (198,51,100,21,195,80)\r\n"));
    assert!(dropped(Reply, b"227 198,51,100,21,195,80"));
    assert!(dropped(Reply, b"22"));
    assert_eq!(
        after_a_line(
            Reply,
            (CLIENT, SERVER),
            &Modules::default(),
            b"227-198,51,100,21,195,80\r\n"
        ),
        []
    );
}

#[test]
fn extended_commands() {
    for (line, port) in [
        (&b"EPRT |1|192.0.2.11|6275|\r\n"[..], 6275),
        (b"eprt :1:192.0.2.11:70000:", 4464),
    ] {
        assert_eq!(
            port_of(Original, line),
            Some(port),
            "{}",
            line.escape_ascii()
        );
    }
    for line in [
        &b"EPRT |2|192.0.2.11|6275|\r\n"[..],
        b"EPRT |1|192.0.2.11|0|\r\n",
        b"EPRT |1|192.0.2.11|6275\r\n",
        b"EPRT 1",
    ] {
        assert!(dropped(Original, line), "{}", line.escape_ascii());
    }
    assert_eq!(
        port_of(Reply, b"229 Entering Extended Passive Mode (|||6446|)\r\n"),
        Some(6446)
    );
    assert!(dropped(Reply, b"229 (|1|198.51.100.21|6446|)\r\n"));
    assert!(dropped(Reply, b"229 |||6446|\r\n"));
}

#[test]
fn ipv6() {
    let expect = |direction, line: &[u8]| {
        expected(&after_a_line(
            direction,
            (CLIENT6, SERVER6),
            &Modules::default(),
            line,
        ))
    };
    let client: IpAddr = CLIENT6.parse().unwrap();
    let server: IpAddr = SERVER6.parse().unwrap();
    assert_eq!(
        expect(Original, b"EPRT |2|2001:DB8:1::11|5282|\r\n"),
        Some((client, 5282))
    );
    assert_eq!(
        expect(Reply, b"229 ok (|||5282|)\r\n"),
        Some((server, 5282))
    );
    // Four octets are written over the start of the address: 32.1.13.184 is 2001:db8.
    assert_eq!(
        expect(Original, b"PORT 32,1,13,184,1,2\r\n"),
        Some((client, 258))
    );
    assert_eq!(expect(Original, b"PORT 192,0,2,11,1,2\r\n"), None);
}

#[test]
fn an_address_that_is_not_the_speakers_needs_loose() {
    let line = b"PORT 203,0,113,9,1,2\r\n";
    let strict = after_a_line(Original, (CLIENT, SERVER), &Modules::default(), line);
    let foreign = "names an address that is not the speaker's";
    assert_eq!(declines(&strict, line), [(foreign, &line[..20])]);
    assert_eq!(strict.len(), 1);
    let mut modules = Modules::default();
    modules.set("nf_conntrack_ftp.loose=1").unwrap();
    let loose = after_a_line(Original, (CLIENT, SERVER), &modules, line);
    let [Effect::Expect(expectation)] = &loose[..] else {
        panic!("{loose:?}")
    };
    assert_eq!(expectation.dst_addr.value.to_string(), "203.0.113.9");
    let Origin::Command { bytes, .. } = &expectation.dst_addr.origin else {
        panic!()
    };
    assert_eq!(
        &line[bytes.start as usize..bytes.end as usize],
        b"203,0,113,9"
    );
}

#[test]
fn only_behind_a_line_end_that_was_seen() {
    let line = b"PORT 192,0,2,11,1,2\r\n";
    let mut bench = Bench::new("ftp", CLIENT, SERVER, 21, &Modules::default());
    let declined = |effects: &[Effect], reason| {
        assert_eq!(declines(effects, line), [(reason, &line[..19])]);
        assert_eq!(effects.len(), 1);
    };
    // The first of a stream is never read, but notes its end.
    let first = "before any line end was seen in its direction";
    declined(&bench.say(Original, 100, line), first);
    assert_eq!(
        expected(&bench.say(Original, 121, line)),
        Some((CLIENT.parse().unwrap(), 258))
    );
    // A gap: not read. Both ends behind it are remembered, older ones not.
    let unseen = "not behind a line end that was seen";
    declined(&bench.say(Original, 500, line), unseen);
    assert!(expected(&bench.say(Original, 142, line)).is_some());
    declined(&bench.say(Original, 121, line), unseen);
}

/// Linux 7.2 takes no number above an octet, and no port above 65535.
#[test]
fn large_numbers_are_refused_since_7_2() {
    for (direction, line, after_wrapping) in [
        (Original, &b"PORT 192,0,2,11,300,1\r\n"[..], 11265),
        (Original, b"PORT 192,0,0,523,4,1\r\n", 1025),
        (Original, b"EPRT |1|192.0.2.11|70000|\r\n", 4464),
        (Reply, b"227 Entering (198,51,100,21,300,1).\r\n", 11265),
        (Reply, b"229 Entering (|||70000|)\r\n", 4464),
    ] {
        for (series, expected_port) in [("7.1", Some(after_wrapping)), ("7.2", None)] {
            let kernel = Kernel::of(series).unwrap();
            let modules = Modules::default();
            let mut bench = Bench::on(&kernel, "ftp", CLIENT, SERVER, 21, &modules);
            bench.say(direction, 1000, b"noop\r\n");
            let effects = bench.say(direction, 1006, line);
            let port = expected(&effects).map(|(_, port)| port);
            assert_eq!(port, expected_port, "{series}: {}", line.escape_ascii());
            let dropped = matches!(effects[..], [Effect::Drop(_)]);
            assert_eq!(dropped, expected_port.is_none());
        }
    }
    assert_eq!(
        port_of(Original, b"PORT 192,0,2,11,255,255\r\n"),
        Some(65535)
    );
}

/// A command cut at any byte: dropped or passed, but never an expectation from half a number.
#[test]
fn cut_at_every_byte() {
    let cases: [(Direction, &[u8], usize); 4] = [
        (Original, b"PORT 192,0,2,11,156,64\r\n", 23),
        (Original, b"EPRT |1|192.0.2.11|6275|\r\n", 24),
        (Reply, b"227 Entering (198,51,100,21,195,80).\r\n", 35),
        (Reply, b"229 Entering (|||6446|)\r\n", 22),
    ];
    for (direction, line, whole) in cases {
        for length in 1..line.len() {
            let effects = after_a_line(
                direction,
                (CLIENT, SERVER),
                &Modules::default(),
                &line[..length],
            );
            assert_eq!(
                expected(&effects).is_some(),
                length >= whole,
                "{}",
                line[..length].escape_ascii()
            );
        }
    }
}
