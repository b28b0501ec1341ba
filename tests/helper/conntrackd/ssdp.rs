//! SSDP and UPnP eventing: messages of the UPnP Device Architecture 1.1 (1.3.2, 1.3.3, 4.1.2, 4.3.2), and how
//! conntrack-tools' `find_hdr` and `parse_url` read them.

use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::super::{Bench, Effect, declines, expected};

const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\n";
const SUBSCRIBE: &[u8] = b"SUBSCRIBE /e HTTP/1.1\r\nCALLBACK: <http://192.0.2.1:5000/>\r\n\r\n";

fn search(to: &str, payload: &[u8]) -> Vec<Effect> {
    let mut bench = Bench::new("ssdp", "192.0.2.1", to, 1900, &Modules::default());
    bench.show(Original, false, 0, payload)
}

/// What the answer to a search leads to: a flow of its own, and the first packet of it.
fn answer(payload: &[u8]) -> Vec<Effect> {
    let modules = Modules::default();
    let mut bench = Bench::new("ssdp", "198.51.100.7", "192.0.2.1", 1900, &modules);
    bench.master.is_expected = true;
    bench.show(Original, false, 0, payload)
}

/// The port that an answer with this URL opens at 198.51.100.7.
fn port(url: &[u8]) -> Option<u16> {
    let effects = answer(&[b"HTTP/1.1 200 OK\r\nLOCATION: ", url, b"\r\n\r\n"].concat());
    let (host, port) = expected(&effects)?;
    assert_eq!(host.to_string(), "198.51.100.7");
    Some(port)
}

/// What a control point, 192.0.2.1, and the device say over TCP.
fn say(direction: Direction, payload: &[u8]) -> Vec<Effect> {
    let (client, server) = ("192.0.2.1", "198.51.100.7");
    let modules = Modules::default();
    let mut bench = Bench::by("ssdp", Protocol::TCP, client, server, 49152, &modules);
    bench.master.is_expected = true;
    bench.say(direction, 1, payload)
}

fn one(effects: &[Effect]) -> &Expectation {
    match effects {
        [Effect::Expect(expectation)] => expectation,
        _ => panic!("{effects:?}"),
    }
}

#[test]
fn a_search_is_answered_by_anybody() {
    let effects = search("239.255.255.250", SEARCH);
    let expectation = one(&effects);
    assert_eq!(expectation.protocol, Protocol::UDP);
    assert_eq!(expectation.src_addr, None);
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), "192.0.2.1");
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.dst_port.value, 40000);
    assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Reply));
    assert!(expectation.flags.permanent);
    assert_eq!(expectation.helper, Some("ssdp"));
}

#[test]
fn nothing_else_is_a_search() {
    let other = "a search in another group than 239.255.255.250";
    for host in ["239.255.255.251", "224.0.0.251"] {
        let effects = search(host, SEARCH);
        assert_eq!(declines(&effects, SEARCH), [(other, SEARCH)]);
        assert_eq!(search(host, b"NOTIFY * HTTP/1.1\r\n"), []);
    }
    assert_eq!(search("198.51.100.7", SEARCH), []);
    for text in [&b"NOTIFY * HTTP/1.1\r\n"[..], b"m-search * ", b" M-SEARCH"] {
        assert_eq!(search("239.255.255.250", text), []);
    }
    for cut in 0..SEARCH.len() {
        let opens = !search("239.255.255.250", &SEARCH[..cut]).is_empty();
        assert_eq!(opens, cut >= 8, "{cut} bytes");
    }
}

/// A search to one host is none, and yet what comes back is read.
#[test]
fn an_answer_opens_what_it_names_to_everybody() {
    let text = b"HTTP/1.1 200 OK\r\nLOCATION: http://203.0.113.9:49152/d.xml\r\n\r\n";
    let modules = Modules::default();
    let mut bench = Bench::new("ssdp", "192.0.2.1", "198.51.100.7", 1900, &modules);
    bench.show(Original, false, 0, SEARCH);
    let effects = bench.say(Reply, 0, text);
    let expectation = one(&effects);
    assert_eq!(expectation.protocol, Protocol::TCP);
    assert_eq!(expectation.src_addr, None);
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), "203.0.113.9");
    let command = |bytes| Origin::Command { packet: 2, bytes };
    assert_eq!(expectation.dst_addr.origin, command(34..45));
    assert_eq!(expectation.dst_port.value, 49152);
    assert_eq!(expectation.dst_port.origin, command(46..51));
    assert!(expectation.flags.permanent);
    assert_eq!(expectation.helper, Some("ssdp"));
    // In a connection nobody expected, the first packet is none.
    let early = "said before there was traffic both ways";
    let effects = search("198.51.100.7", text);
    assert_eq!(declines(&effects, text), [(early, &b"203.0.113.9"[..])]);
    assert_eq!(search("198.51.100.7", &text[..text.len() - 20]), []);
}

#[test]
fn a_header_begins_its_line_and_has_one_space() {
    let opens = |text: &[u8]| expected(&answer(text)).is_some();
    let url = b"http://198.51.100.7:1/";
    let with = |before: &[u8], after: &[u8]| opens(&[before, url, after].concat());
    assert!(with(b"LOCATION: ", b"\r\n"));
    assert!(with(b"A: b\r\nLocation: ", b"\r\n"));
    // The value ends with a carriage return, whatever follows.
    assert!(with(b"A: b\r\n\r\nlocation: ", b"\rx"));
    for before in [
        &b"LOCATION:"[..],
        b"LOCATION:  ",
        b" LOCATION: ",
        b"A: b\nLOCATION: ",
        b"LOCATION : ",
    ] {
        assert!(!with(before, b"\r\n"), "{}", before.escape_ascii());
    }
    assert!(!with(b"LOCATION: ", b"\n"));
    let no_space = "no space behind the colon of LOCATION or CALLBACK";
    let text = b"LOCATION:http://198.51.100.7:1/\r\n";
    let effects = answer(text);
    assert_eq!(declines(&effects, text), [(no_space, &b"198.51.100.7"[..])]);
    assert_eq!(answer(b"LOCATION:https://device:1/\r\n"), []);
    // The first is the only one.
    assert!(!with(b"LOCATION: x\r\nLOCATION: ", b"\r\n"));
}

#[test]
fn a_value_has_255_bytes_at_most() {
    let url = |length: usize| {
        let mut url = b"http://198.51.100.7:81/".to_vec();
        url.resize(length, b'x');
        url
    };
    assert_eq!(port(&url(255)), Some(81));
    assert_eq!(port(&url(256)), None);
}

#[test]
fn a_url_is_numeric() {
    assert_eq!(port(b"HTTP://198.51.100.7:81"), Some(81));
    assert_eq!(port(b"http://198.51.100.7/"), Some(80));
    assert_eq!(port(b"http://198.51.100.7x:81/"), Some(80));
    for url in [
        &b"https://198.51.100.7:81/"[..],
        b"http:/198.51.100.7:81/",
        b"http://device:81/",
        b"http://u@198.51.100.7:81/",
        b"http://[2001:db8::7]:81/",
        b"http://198.51.100:81/",
        b"http://198.51.100.256:81/",
        b"http://198.51.100.07:81/",
        b"http://198.51.100.7.:81/",
        b"http://:81/",
        b"",
    ] {
        assert_eq!(port(url), None, "{}", url.escape_ascii());
    }
}

#[test]
fn a_port_is_what_strtol_makes_of_it() {
    let of = |text: &str| port(format!("http://198.51.100.7:{text}/").as_bytes());
    for (text, port) in [
        ("", 0),
        ("x", 0),
        ("8080x", 8080),
        (" \t8080", 8080),
        ("+8080", 8080),
        ("-1", 65535),
        ("+-1", 0),
        ("0x50", 0),
        ("0080", 80),
        ("65616", 80),
        ("9223372036854775808", 65535),
        ("-9223372036854775809", 0),
    ] {
        assert_eq!(of(text), Some(port), "{text}");
    }
}

/// NULs belong to the address, of which 63 bytes are read, and end it.
#[test]
fn a_nul_does_not_end_a_url() {
    let with = |behind: &[u8]| port(&[b"http://198.51.100.7", behind].concat());
    assert_eq!(with(b"\0:81/"), Some(81));
    assert_eq!(with(b"\0.9\0:81/"), Some(81));
    assert_eq!(with(b"\0x:81/"), Some(80));
    let nuls = |count| with(&[&vec![0; count][..], b":81/"].concat());
    assert_eq!(nuls(63 - "198.51.100.7".len()), Some(81));
    assert_eq!(nuls(64 - "198.51.100.7".len()), None);
    assert_eq!(port(b"http://\x00198.51.100.7:81/"), None);
    assert_eq!(with(b":8\x001/"), Some(8));
}

/// What is not decided, as it is decided here.
#[test]
fn behind_a_url_that_ends_with_its_address_stands_nothing() {
    assert_eq!(port(b"http://198.51.100.7"), Some(80));
    let effects = answer(b"LOCATION: http://198.51.100.7\r\n");
    assert_eq!(one(&effects).dst_port.origin, Origin::Helper);
}

#[test]
fn an_answer_may_end_anywhere() {
    let whole = b"HTTP/1.1 200 OK\r\nLOCATION: http://198.51.100.7:81/\r\nST: a\r\n\r\n";
    let value = 27..50;
    for cut in 0..=whole.len() {
        let effects = answer(&whole[..cut]);
        // From two bytes of the value on it is one, though none as long as it does not end.
        let declined = matches!(effects[..], [Effect::Decline { .. }]);
        assert_eq!(declined, (29..=value.end).contains(&cut), "{cut} bytes");
        assert_eq!(expected(&effects).is_some(), cut > value.end, "{cut} bytes");
    }
}

#[test]
fn a_subscriber_is_called_back_by_whom_it_asked() {
    let effects = say(Original, SUBSCRIBE);
    let expectation = one(&effects);
    assert_eq!(expectation.protocol, Protocol::TCP);
    let src = expectation.src_addr.as_ref().unwrap();
    assert_eq!(src.value.to_string(), "198.51.100.7/32");
    assert_eq!(src.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), "192.0.2.1");
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.dst_port.value, 5000);
    let bytes = 51..55;
    assert_eq!(
        expectation.dst_port.origin,
        Origin::Command { packet: 1, bytes }
    );
    assert!(!expectation.flags.permanent);
    assert_eq!(expectation.helper, Some("ssdp"));
}

#[test]
fn a_subscription_is_the_speakers_own() {
    let text = |text: &str| say(Original, text.as_bytes());
    let effects = text("SUBSCRIBE /e HTTP/1.1\r\nCALLBACK: <http://192.0.2.2:5000/>\r\n\r\n");
    assert!(matches!(&effects[..], [Effect::Decline { bytes, .. }] if *bytes == (41..50)));
    // The method in capitals, at the start; the header with its bracket.
    let rest = " /e HTTP/1.1\r\nCALLBACK: <http://192.0.2.1:5000/>\r\n\r\n";
    for method in [
        "subscribe",
        "UNSUBSCRIBE",
        "SUBSCRIBER",
        " SUBSCRIBE",
        "GET",
    ] {
        assert_eq!(text(&format!("{method}{rest}")), [], "{method}");
    }
    assert_eq!(
        text("SUBSCRIBE /e HTTP/1.1\r\nCALLBACK: http://192.0.2.1:5000/\r\n"),
        []
    );
    // Of the device, or before it has answered.
    let own = &b"192.0.2.1"[..];
    let by_server = "a subscription, said by the server";
    let effects = say(Reply, SUBSCRIBE);
    assert_eq!(declines(&effects, SUBSCRIBE), [(by_server, own)]);
    assert_eq!(
        say(Reply, b"SUBSCRIBE /e HTTP/1.1\r\nSID: uuid:1\r\n\r\n"),
        []
    );
    let (client, server) = ("192.0.2.1", "198.51.100.7");
    let modules = Modules::default();
    let mut bench = Bench::by("ssdp", Protocol::TCP, client, server, 49152, &modules);
    bench.master.is_expected = true;
    let early = "said before there was traffic both ways";
    let effects = bench.show(Original, false, 1, SUBSCRIBE);
    assert_eq!(declines(&effects, SUBSCRIBE), [(early, own)]);
    let no_space = "no space behind the colon of LOCATION or CALLBACK";
    let close = "SUBSCRIBE /e HTTP/1.1\r\nCALLBACK:<http://192.0.2.1:5000/>\r\n\r\n";
    let effects = text(close);
    assert_eq!(declines(&effects, close.as_bytes()), [(no_space, own)]);
}

#[test]
fn a_notification_renews_what_it_came_by() {
    let whole = b"NOTIFY /cb HTTP/1.1\r\n\r\n";
    let effects = say(Original, whole);
    let expectation = one(&effects);
    let src = expectation.src_addr.as_ref().unwrap();
    assert_eq!(src.value.to_string(), "192.0.2.1/32");
    assert_eq!(src.origin, Origin::Conntrack(Original));
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.7");
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Original));
    assert_eq!(expectation.dst_port.value, 49152);
    assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Original));
    assert!(!expectation.flags.permanent);
    assert_eq!(expectation.helper, Some("ssdp"));
    for cut in 0..whole.len() {
        let opens = !say(Original, &whole[..cut]).is_empty();
        assert_eq!(opens, cut >= 7, "{cut} bytes");
    }
    assert_eq!(say(Original, b"notify /cb HTTP/1.1\r\n"), []);
    assert_eq!(say(Reply, whole), []);
}

/// Searches and answers are of UDP.
#[test]
fn over_tcp_nothing_is_searched_for_or_found() {
    let modules = Modules::default();
    let (client, group) = ("192.0.2.1", "239.255.255.250");
    let mut bench = Bench::by("ssdp", Protocol::TCP, client, group, 1900, &modules);
    assert_eq!(bench.show(Original, false, 1, SEARCH), []);
    let text = b"HTTP/1.1 200 OK\r\nLOCATION: http://198.51.100.7:81/\r\n\r\n";
    assert_eq!(say(Reply, text), []);
    assert_eq!(say(Original, text), []);
}
