//! RFC 3261 (SIP), RFC 4566 (SDP), and where the kernel's reading is laxer or stricter than they are.
//!
//! What is said of the kernel was tried on a 6.18.44; the comments name the function of nf_conntrack_sip.c.

use std::ops::Range;
use std::time::Duration;

use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::{Bench, Effect};

const PHONE: &str = "192.0.2.11";
const SERVER: &str = "198.51.100.60";
const PHONE_V6: &str = "2001:db8::11";
const SERVER_V6: &str = "2001:db8:2::60";

fn modules(options: &[&str]) -> Modules {
    let mut modules = Modules::default();
    for option in options {
        modules.set(&format!("nf_conntrack_sip.{option}")).unwrap();
    }
    modules
}

fn bench() -> Bench {
    Bench::new("sip", PHONE, SERVER, 5060, &modules(&[]))
}

fn bench_v6() -> Bench {
    Bench::new("sip", PHONE_V6, SERVER_V6, 5060, &modules(&[]))
}

fn stream() -> Bench {
    Bench::by("sip", Protocol::TCP, PHONE, SERVER, 5060, &modules(&[]))
}

/// What a message did, but for the time-out that each sets.
fn say(bench: &mut Bench, direction: Direction, text: &str) -> Vec<Effect> {
    say_bytes(bench, direction, text.as_bytes())
}

fn say_bytes(bench: &mut Bench, direction: Direction, text: &[u8]) -> Vec<Effect> {
    let mut effects = bench.say(direction, 0, text);
    effects.retain(|effect| !matches!(effect, Effect::Refresh(_)));
    effects
}

fn made(effects: &[Effect]) -> Vec<&Expectation> {
    fn of(effect: &Effect) -> Option<&Expectation> {
        match effect {
            Effect::Expect(expectation) => Some(expectation),
            _ => None,
        }
    }
    effects.iter().filter_map(of).collect()
}

fn ports(effects: &[Effect]) -> Vec<u16> {
    let made = made(effects).into_iter();
    made.map(|expectation| expectation.dst_port.value).collect()
}

fn dropped(effects: &[Effect]) -> Option<&'static str> {
    match effects.last() {
        Some(Effect::Drop(reason)) => Some(reason),
        _ => None,
    }
}

fn declined(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Decline { .. }])
}

/// RFC 3261, 24.2, with the description of RFC 4566, 5.
fn invite(description: &str) -> String {
    format!(
        "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PHONE}:5060;branch=z9hG4bK74bf9\r\n\
         CSeq: 314159 INVITE\r\n\
         Contact: <sip:alice@{PHONE}>\r\n\
         Content-Length: {}\r\n\r\n{description}",
        description.len()
    )
}

fn sdp(media: &str) -> String {
    format!("v=0\r\no=alice 1 1 IN IP4 {PHONE}\r\ns=-\r\nc=IN IP4 {PHONE}\r\nt=0 0\r\n{media}")
}

/// The ports that a phone's INVITE with such a description opens.
fn opened(description: &str) -> Vec<u16> {
    ports(&say(&mut bench(), Original, &invite(description)))
}

fn register(contact: &str, more: &str) -> String {
    format!(
        "REGISTER sip:registrar.example SIP/2.0\r\nCSeq: 1826 REGISTER\r\nContact: {contact}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn registered(cseq: u32, contact: &str, more: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\nCSeq: {cseq} REGISTER\r\nContact: {contact}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

/// The port of the one call that such a registration asks for.
fn registers(contact: &str, more: &str) -> Option<u16> {
    match ports(&say(&mut bench(), Original, &register(contact, more)))[..] {
        [] => None,
        [port] => Some(port),
        ref more => panic!("{more:?}"),
    }
}

#[test]
fn an_offer_expects_rtp_and_rtcp_from_the_other_end() {
    let text = invite(&sdp("m=audio 49170 RTP/AVP 0\r\n"));
    let effects = say(&mut bench(), Original, &text);
    let expected = made(&effects);
    assert_eq!(ports(&effects), [49170, 49171]);
    for expectation in expected {
        assert_eq!(expectation.protocol, Protocol::UDP);
        assert_eq!((expectation.class, expectation.flags.bits()), (1, 0));
        let src = expectation.src_addr.as_ref().unwrap();
        assert_eq!(src.value.to_string(), format!("{SERVER}/32"));
        assert_eq!(src.origin, Origin::Conntrack(Reply));
        assert_eq!(expectation.src_port, None);
        assert_eq!(expectation.dst_addr.value.to_string(), PHONE);
        assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
        assert_eq!(&text[said(&expectation.dst_port.origin)], "49170");
        assert_eq!(expectation.helper, None);
    }
}

fn said(origin: &Origin) -> Range<usize> {
    match origin {
        Origin::Command { packet: 1, bytes } => bytes.start as usize..bytes.end as usize,
        other => panic!("{other:?}"),
    }
}

/// An odd port is RTCP's own (`set_expected_rtp_rtcp`).
#[test]
fn an_odd_port_stands_for_the_pair_that_it_is_of() {
    assert_eq!(opened(&sdp("m=audio 49171 RTP/AVP 0\r\n")), [49170, 49171]);
    assert_eq!(opened(&sdp("m=audio 65535 RTP/AVP 0\r\n")), [65534, 65535]);
}

#[test]
fn without_direct_media_anybody_may_send_to_any_address() {
    let modules = modules(&["sip_direct_media=0"]);
    let mut bench = Bench::new("sip", PHONE, SERVER, 5060, &modules);
    let text = invite("v=0\r\nc=IN IP4 203.0.113.9\r\nm=audio 49170 RTP/AVP 0\r\n");
    let effects = say(&mut bench, Original, &text);
    let [rtp, rtcp] = made(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((&rtp.src_addr, &rtcp.src_addr), (&None, &None));
    assert_eq!(rtp.dst_addr.value.to_string(), "203.0.113.9");
    assert_eq!(&text[said(&rtp.dst_addr.origin)], "203.0.113.9");
}

/// The bench has one way out, so nothing lies elsewhere than the peer does.
#[test]
fn external_media_need_no_hole_on_the_same_way() {
    let external = modules(&["sip_direct_media=0", "sip_external_media=1"]);
    let mut bench = Bench::new("sip", PHONE, SERVER, 5060, &external);
    let effects = say(
        &mut bench,
        Original,
        &invite(&sdp("m=audio 49170 RTP/AVP 0\r\n")),
    );
    assert!(declined(&effects), "{effects:?}");
}

#[test]
fn addresses_of_others_are_declined() {
    let text = invite("v=0\r\nc=IN IP4 203.0.113.9\r\nm=audio 49170 RTP/AVP 0\r\n");
    let effects = say(&mut bench(), Original, &text);
    assert!(declined(&effects), "{effects:?}");
}

/// Three media of the known kinds; those not in use do not count (`process_sdp`).
#[test]
fn kinds_and_numbers_of_media() {
    let description = sdp(
        "m=audio 5000 RTP/AVP 0\r\nm=application 5002 udp wb\r\nm=video 0 RTP/AVP 31\r\nm=video 5004 RTP/AVP 31\r\n\
         m=image 5006 udptl t38\r\nm=audio 5008 RTP/AVP 0\r\n",
    );
    let effects = say(&mut bench(), Original, &invite(&description));
    assert_eq!(ports(&effects), [5000, 5001, 5004, 5005, 5006, 5007]);
    let classes: Vec<u8> = made(&effects).iter().map(|made| made.class).collect();
    assert_eq!(classes, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn spellings_of_a_medium() {
    for (line, expected) in [
        ("m=audio 5000", &[5000, 5001][..]),
        ("M=audio 5000 RTP/AVP 0", &[5000, 5001]),
        ("m=audio 5000/2 RTP/AVP 0", &[5000, 5001]),
        ("m=audio 00000005000 RTP/AVP 0", &[5000, 5001]),
        // Twelve digits are no number (sip_strtouint).
        ("m=audio 000000005000 RTP/AVP 0", &[]),
        ("m=audio 4294967296 RTP/AVP 0", &[]),
        ("m=audio 0 RTP/AVP 0", &[]),
        ("m=audio x RTP/AVP 0", &[]),
        ("m=audio  5000 RTP/AVP 0", &[]),
        ("m=Audio 5000 RTP/AVP 0", &[]),
        ("m=audios 5000 RTP/AVP 0", &[]),
        ("m=audio\t5000 RTP/AVP 0", &[]),
        (" m=audio 5000 RTP/AVP 0", &[]),
        ("m= audio 5000 RTP/AVP 0", &[]),
        // Passed over, as its first word is not known; without a word nothing behind it is looked at.
        ("m=x-data 5002 x\r\nm=audio 5000 x", &[]),
        ("m=data 5002 x\r\nm=audio 5000 x", &[5000, 5001]),
        ("m=5002\r\nm=audio 5000 x", &[]),
    ] {
        assert_eq!(opened(&sdp(&format!("{line}\r\n"))), expected, "{line}");
    }
}

/// The letters of a word are those of Latin-1 (lib/ctype.c): this one is read on, and the next one not.
#[test]
fn a_medium_of_latin_letters_is_passed_over() {
    for (byte, expected) in [
        (0xe4, &[5000, 5001][..]),
        (0xd7, &[]),
        (0xf7, &[]),
        (0xbf, &[]),
    ] {
        let description = sdp("m=#udio 5002 x\r\nm=audio 5000 x\r\n");
        let mut text = invite(&description).into_bytes();
        let at = text.iter().position(|&byte| byte == b'#').unwrap();
        text[at] = byte;
        let effects = say_bytes(&mut bench(), Original, &text);
        assert_eq!(ports(&effects), expected, "{byte:#x}");
    }
}

#[test]
fn a_port_below_1024_or_beyond_16_bits_drops_the_message() {
    for port in ["1", "1023", "65536", "4294967295"] {
        let text = invite(&sdp(&format!("m=audio {port} RTP/AVP 0\r\n")));
        let effects = say(&mut bench(), Original, &text);
        assert_eq!(dropped(&effects), Some("wrong port"), "{port}");
    }
    // What came before it is expected all the same.
    let text = invite(&sdp("m=audio 5000 x\r\nm=audio 80 x\r\n"));
    assert_eq!(ports(&say(&mut bench(), Original, &text)), [5000, 5001]);
}

/// RFC 4566, 5.7: the session's address holds for media without their own; the kernel needs one of both.
#[test]
fn connections() {
    let with = |session: &str, media: &str| {
        let text = invite(&format!("v=0\r\n{session}m=audio 5000 x\r\n{media}"));
        let effects = say(&mut bench(), Original, &text);
        (ports(&effects).len(), dropped(&effects))
    };
    let own = format!("c=IN IP4 {PHONE}\r\n");
    let (good, other, none) = ((2, None), (0, None), (0, Some("cannot parse SDP message")));
    assert_eq!(with(&own, ""), good);
    assert_eq!(with("", &own), good);
    assert_eq!(with("c=IN IP4 203.0.113.9\r\n", &own), good);
    assert_eq!(with(&own, "c=IN IP4 203.0.113.9\r\n"), other);
    assert_eq!(with(&own, "c=IN IP4 host.example\r\n"), good);
    assert_eq!(with("", "c=IN IP4 host.example\r\n"), none);
    assert_eq!(with("", ""), none);
    assert_eq!(with("", &format!("m=x 1\r\n{own}")), none);
    for (line, expected) in [
        (format!("c=x IN IP4 {PHONE}/127"), good),
        (format!("C=IN IP4 {PHONE}"), good),
        (format!("c=in ip4 {PHONE}"), none),
        (format!("c=IN  IP4 {PHONE}"), none),
        (format!("c=IN IP4  {PHONE}"), none),
        (format!("c=IN IP6 {PHONE}"), none),
        ("c=IN IP4 192.0.2.011".to_owned(), good),
        // in4_pton: a hexadecimal digit is no end, any other letter is.
        (format!("c=IN IP4 {PHONE}a"), none),
        (format!("c=IN IP4 {PHONE}g"), good),
        (format!("c=IN IP4 {PHONE}:"), good),
        (format!("c=IN IP4 {PHONE}."), none),
        ("c=IN IP4 192.0.2".to_owned(), none),
        ("c=IN IP4 192.0.2.267".to_owned(), none),
        // The first line counts.
        (format!("c=x\r\nc=IN IP4 {PHONE}"), none),
    ] {
        assert_eq!(with(&format!("{line}\r\n"), ""), expected, "{line}");
    }
}

#[test]
fn a_description_begins_with_its_version() {
    let media = format!("c=IN IP4 {PHONE}\r\nm=audio 5000 x\r\n");
    for (version, expected) in [
        ("v=0", 2),
        ("V=17", 2),
        ("v=", 0),
        ("v=x", 0),
        (" v=0", 0),
        ("v =0", 0),
        ("v=x\r\nv=0", 0),
        ("x=0\r\nv=0", 2),
    ] {
        let text = format!("{version}\r\n{media}");
        assert_eq!(opened(&text).len(), expected, "{version}");
    }
    // What stands before it is no part of it.
    assert!(opened("m=audio 5002 x\r\nv=0\r\ns=-\r\n").is_empty());
}

#[test]
fn line_ends() {
    let description = format!("v=0#s=-#c=IN IP4 {PHONE}#m=audio 5000 x#");
    for (end, expected) in [("\r\n", 2), ("\n", 2), ("\r", 2), ("\n\r", 0), ("\n\n", 0)] {
        let text = invite(&description.replace('#', end));
        let effects = say(&mut bench(), Original, &text);
        assert_eq!(ports(&effects).len(), expected, "{end:?}");
    }
}

#[test]
fn ipv6() {
    let text = format!(
        "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nc=IN IP6 {PHONE_V6}\r\nm=audio 5000 x\r\n"
    );
    let address = |address: &str| say(&mut bench_v6(), Original, &text.replace(PHONE_V6, address));
    for good in [
        PHONE_V6,
        "2001:0DB8::0011",
        "2001:db8:0:0:0:0:0.0.0.17",
        "2001:db8::11%eth0",
    ] {
        assert_eq!(ports(&address(good)), [5000, 5001], "{good}");
    }
    for wrong in ["[2001:db8::11]", "192.0.2.11", "2001:db8::11:"] {
        assert_eq!(
            dropped(&address(wrong)),
            Some("cannot parse SDP message"),
            "{wrong}"
        );
    }
    let contact = |contact: &str| {
        let text = format!(
            "REGISTER sip:b SIP/2.0\r\nCSeq: 1 REGISTER\r\nExpires: 60\r\nm: {contact}\r\n\r\n"
        );
        ports(&say(&mut bench_v6(), Original, &text))
    };
    assert_eq!(contact("<sip:a@[2001:db8::11]:5062>"), [5062]);
    assert_eq!(contact("<sip:[2001:db8:0::11]>"), [5060]);
    assert!(contact("<sip:a@2001:db8::11>").is_empty());
    assert!(contact("<sip:a@[2001:db8::11>").is_empty());
    assert!(contact("<sip:a@192.0.2.11>").is_empty());
}

/// RFC 3261, 10.2: `Contact:` says where calls are to come.
#[test]
fn a_registration_waits_for_the_registrar() {
    let mut bench = bench();
    let text = register("<sip:alice@192.0.2.11:5062>", "Expires: 7200\r\n");
    let effects = say(&mut bench, Original, &text);
    let [call] = made(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((call.class, call.flags.bits()), (0, 3));
    assert_eq!((call.protocol, call.helper), (Protocol::UDP, Some("sip")));
    assert_eq!(
        call.src_addr.as_ref().unwrap().value.to_string(),
        format!("{SERVER}/32")
    );
    assert_eq!(call.dst_addr.origin, Origin::Conntrack(Reply));
    assert_eq!(&text[said(&call.dst_port.origin)], "5062");

    let answer = |cseq, more| registered(cseq, "<sip:alice@192.0.2.11:5062>", more);
    assert_eq!(say(&mut bench, Reply, &answer(1825, "Expires: 60\r\n")), []);
    let trying = answer(1826, "Expires: 60\r\n").replace("200 OK", "100 Trying");
    assert_eq!(say(&mut bench, Reply, &trying), []);
    let id = bench.master.standing[0].0;
    let renewed = [Effect::Renew(id, Duration::from_secs(60))];
    assert_eq!(
        say(&mut bench, Reply, &answer(1826, "Expires: 60\r\n")),
        renewed
    );
    let withdrawn = [Effect::Withdraw(id)];
    assert_eq!(say(&mut bench, Reply, &answer(1826, "")), withdrawn);
}

#[test]
fn a_registration_that_is_refused_or_answered_with_others_is_withdrawn() {
    let contact = "<sip:a@192.0.2.11>;expires=60";
    for (answer, kept) in [
        (registered(1826, contact, ""), true),
        (
            registered(1826, "<sip:a@192.0.2.11:5060>;expires=60", ""),
            true,
        ),
        (
            registered(
                1826,
                "<sip:b@203.0.113.9>, <sip:a@192.0.2.11>;expires=60",
                "",
            ),
            true,
        ),
        (
            registered(
                1826,
                "<sip:a@192.0.2.11:5062>;expires=60, <sip:a@192.0.2.11>;expires=60",
                "",
            ),
            true,
        ),
        (
            registered(
                1826,
                "<sip:a@192.0.2.11:5062>;expires=60\r\nContact: <sip:a@192.0.2.11>;expires=60",
                "",
            ),
            true,
        ),
        (
            registered(
                1826,
                "<sip:a@192.0.2.11>;expires=0, <sip:a@192.0.2.11>;expires=60",
                "",
            ),
            false,
        ),
        (
            registered(1826, "<sip:a@192.0.2.11:5062>;expires=60", ""),
            false,
        ),
        (
            registered(1826, "<sip:a@192.0.2.11>;transport=tcp;expires=60", ""),
            false,
        ),
        (
            registered(1826, "<sip:a@192.0.2.11>;transport=udp;expires=60", ""),
            true,
        ),
        (
            registered(1826, contact, "").replace("200 OK", "401 Unauthorized"),
            false,
        ),
        (
            registered(1826, contact, "").replace("200 OK", "99 Early"),
            false,
        ),
        (
            registered(1826, contact, "").replace("200 OK", "299 Late"),
            true,
        ),
    ] {
        let mut bench = bench();
        say(
            &mut bench,
            Original,
            &register("<sip:a@192.0.2.11>", "Expires: 60\r\n"),
        );
        let effects = say(&mut bench, Reply, &answer);
        match effects[..] {
            [Effect::Renew(..)] => assert!(kept, "{answer}"),
            [Effect::Withdraw(_)] => assert!(!kept, "{answer}"),
            ref other => panic!("{answer}: {other:?}"),
        }
    }
}

/// `process_register_request`, RFC 3261, 10.2.1.1 and 20.19.
#[test]
fn how_long_a_registration_is_to_last() {
    let contact = "<sip:a@192.0.2.11>";
    let with = |parameter: &str| registers(&format!("{contact}{parameter}"), "Expires: 60\r\n");
    assert_eq!(registers(contact, ""), None);
    assert_eq!(registers(contact, "Expires: 0\r\n"), None);
    assert_eq!(registers(contact, "Expires: x\r\n"), None);
    assert_eq!(registers(contact, "Expires: 000000000060\r\n"), None);
    assert_eq!(registers(contact, "EXPIRES\t:\r\n 60\r\n"), Some(5060));
    assert_eq!(with(""), Some(5060));
    assert_eq!(with(";expires=1"), Some(5060));
    assert_eq!(with(";EXPIRES=1"), Some(5060));
    assert_eq!(with(";expires=0"), None);
    assert_eq!(with(";expires=0x10"), None);
    // Another's parameter does not count, nor does one behind the last line of the header.
    assert_eq!(with(";q=1, <sip:b@203.0.113.9>;expires=0"), Some(5060));
    assert_eq!(with("\r\n ;expires=0"), None);
    for wrong in [";expires=", ";expires=x", ";expires=4294967296"] {
        let text = register(&format!("{contact}{wrong}"), "Expires: 60\r\n");
        let effects = say(&mut bench(), Original, &text);
        assert_eq!(dropped(&effects), Some("cannot parse expires"), "{wrong}");
    }
}

/// What is searched for and stands at the very end is not found (`ct_sip_header_search`).
#[test]
fn at_the_end_of_a_message() {
    let start = "REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\nExpires: 60\r\nm: <sip:192.0.2.11>";
    let with = |end: &str| {
        let effects = say(&mut bench(), Original, &format!("{start}{end}"));
        (ports(&effects), dropped(&effects))
    };
    let (good, bad) = ((vec![5060], None), (vec![], Some("cannot parse expires")));
    assert_eq!(with(";expires="), good);
    assert_eq!(with(";expires=x"), bad);
    assert_eq!(with(";expires=,"), bad);
    assert_eq!(with(";expires=,x"), good);
    assert_eq!(with(";expires=;,x"), bad);
    assert_eq!(with(",;expires="), good);
    assert_eq!(with(",;expires=x"), good);
    assert_eq!(with(";q=1,;expires="), good);
    assert_eq!(with(";transport="), good);
    assert_eq!(with(";transport=x"), (vec![], None));
}

/// RFC 3261, 19.1.1 and 20.10; lists by 7.3.1.
#[test]
fn contacts() {
    let hour = |contact: &str| registers(contact, "Expires: 3600\r\n");
    for (contact, expected) in [
        ("<sip:192.0.2.11>", Some(5060)),
        ("<SIP:a@192.0.2.11>", Some(5060)),
        ("sip:a:secret@192.0.2.11:1024", Some(1024)),
        ("\"A\" <sip:a@192.0.2.11:65535>", Some(65535)),
        ("<sip:a@192.0.2.11:05062>", Some(5062)),
        ("<sip:a@host.example>", None),
        ("<sips:a@192.0.2.11>", None),
        ("<tel:+1>", None),
        ("*", None),
        // A port that is none, too small, too long or followed by nothing (sip_parse_port).
        ("<sip:a@192.0.2.11:>", None),
        ("<sip:a@192.0.2.11:1023>", None),
        ("<sip:a@192.0.2.11:65536>", None),
        ("<sip:a@192.0.2.11:005062>", None),
        // What cannot be read is passed over.
        ("<sip:a@host.example>, <sip:a@192.0.2.11>", None),
        (
            "<sip:a@host.example>\r\nContact: <sip:a@192.0.2.11>",
            Some(5060),
        ),
        ("x\r\nm: <sip:a@192.0.2.11>", Some(5060)),
        (
            "<sip:a@host.example>\r\nContacts: x\r\nm: <sip:a@192.0.2.11>",
            None,
        ),
        ("<sip:a@203.0.113.9>, <sip:a@192.0.2.11>", None),
        ("\r\n <sip:a@192.0.2.11>", Some(5060)),
        ("\r\n\t\"A\"\r\n <sip:a@192.0.2.11>", Some(5060)),
        // The first byte of a continued line is not looked at while something is searched for.
        ("x\r\n sip:a@192.0.2.11>", None),
        ("x\r\n  <sip:a@192.0.2.11>", Some(5060)),
    ] {
        assert_eq!(hour(contact), expected, "{contact}");
    }
    let text = register("<sip:a@192.0.2.11>", "Expires: 60\r\n");
    let effects = say(&mut bench(), Original, &text);
    assert_eq!(made(&effects)[0].dst_port.origin, Origin::Helper);
}

#[test]
fn a_registration_by_one_protocol_for_the_other_is_declined() {
    for (transport, expected) in [
        ("udp", true),
        ("UDPx", true),
        ("tcp", false),
        ("tls", false),
        ("", false),
    ] {
        let contact = format!("<sip:a@192.0.2.11;transport={transport}>");
        let effects = say(
            &mut bench(),
            Original,
            &register(&contact, "Expires: 60\r\n"),
        );
        assert_eq!(made(&effects).len() == 1, expected, "{transport}");
        assert_eq!(declined(&effects), !expected, "{transport}");
    }
}

#[test]
fn who_may_register_what() {
    let text = register("<sip:a@192.0.2.11>", "Expires: 60\r\n");
    let mut expected = bench();
    expected.master.is_expected = true;
    assert!(declined(&say(&mut expected, Original, &text)));
    let other = text.replace(PHONE, "203.0.113.9");
    assert!(declined(&say(&mut bench(), Original, &other)));
    let anybody = modules(&["sip_direct_signalling=0"]);
    let mut bench = Bench::new("sip", PHONE, SERVER, 5060, &anybody);
    assert_eq!(made(&say(&mut bench, Original, &text))[0].src_addr, None);
}

/// The methods that the kernel knows: with a space and a letter behind them, in any case (`process_sip_request`).
#[test]
fn methods() {
    let described = sdp("m=audio 5000 x\r\n");
    for (start, expected) in [
        ("INVITE sip:b", true),
        ("invite tel:1", true),
        ("UPDATE sip:b", true),
        ("ACK sip:b", true),
        ("PRACK sip:b", true),
        ("INVITE \u{e4}", true),
        ("BYE sip:b", false),
        ("OPTIONS sip:b", false),
        ("INVITED sip:b", false),
        ("INVITE  sip:b", false),
        ("INVITE\tsip:b", false),
        ("INVITE <sip:b>", false),
        (" INVITE sip:b", false),
        ("SIP/2.0 180 Ringing", true),
        ("sip/2.0 200", true),
        ("SIP/2.0 299 ", true),
        ("SIP/2.0 300 ", false),
        ("SIP/2.0 99 ", false),
        ("SIP/3.0 200 ", false),
    ] {
        let text = invite(&described).replace("INVITE sip:bob@biloxi.example", start);
        // The letter in question is one byte of Latin-1.
        let text: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
        let effects = say_bytes(&mut bench(), Original, &text);
        assert_eq!(ports(&effects).len(), 2 * usize::from(expected), "{start}");
        assert_eq!(dropped(&effects), None, "{start}");
    }
}

#[test]
fn codes_that_are_none_drop_the_message() {
    for code in ["x", "0", " 200", "4294967296", "000000000200"] {
        let text = format!("SIP/2.0 {code}\r\nCSeq: 1 INVITE\r\n\r\n");
        assert_eq!(
            dropped(&say(&mut bench(), Reply, &text)),
            Some("cannot get code"),
            "{code}"
        );
    }
}

#[test]
fn sequence_numbers() {
    let with = |line: &str| {
        let text = invite(&sdp("m=audio 5000 x\r\n")).replace("CSeq: 314159 INVITE", line);
        let effects = say(&mut bench(), Original, &text);
        (ports(&effects).len(), dropped(&effects))
    };
    for good in [
        "CSeq: 1 INVITE",
        "cseq:1",
        "CSEQ \t:\t1x",
        "CSeq:\r\n 1 INVITE",
        "CSeq: 4294967295 INVITE",
    ] {
        assert_eq!(with(good), (2, None), "{good}");
    }
    for absent in [
        "X: 1",
        "CSeq: x",
        "CSeq 1 INVITE",
        "CSeqs: 1\r\nCSeq: 1",
        "CSeq: x\r\nCSeq: 1",
        " CSeq: 1",
        "CSeq:\r\n1",
    ] {
        assert_eq!(with(absent), (0, Some("cannot parse cseq")), "{absent}");
    }
    for none in ["CSeq: 4294967296 INVITE", "CSeq: 000000000001 INVITE"] {
        assert_eq!(with(none), (0, Some("cannot get cseq")), "{none}");
    }
    // The first line is no header, wherever it says CSeq.
    let text = "INVITE sip:b\n\nCSeq: 1 INVITE\r\n\r\n";
    assert_eq!(
        dropped(&say(&mut bench(), Original, text)),
        Some("cannot parse cseq")
    );
}

/// The method behind the number decides what an answer is to (`process_sip_response`).
#[test]
fn answers_are_told_apart_by_their_sequence_header() {
    let body = format!("v=0\r\nc=IN IP4 {SERVER}\r\nm=audio 5000 x\r\n");
    for (cseq, expected) in [
        ("1 INVITE", 2),
        ("1 UPDATE", 2),
        ("1\tprackle", 2),
        ("1xINVITE", 2),
        ("1  INVITE", 0),
        ("1 ACK", 0),
        ("1 BYE", 0),
        ("1", 0),
    ] {
        let text = format!("SIP/2.0 200 OK\r\nCSeq: {cseq}\r\n\r\n{body}");
        assert_eq!(
            ports(&say(&mut bench(), Reply, &text)).len(),
            expected,
            "{cseq}"
        );
    }
}

#[test]
fn what_ends_a_call_takes_the_media_back_and_leaves_registrations() {
    let answer = |code: u32, cseq: u32| format!("SIP/2.0 {code} x\r\nCSeq: {cseq} INVITE\r\n\r\n");
    let bye = "BYE sip:b SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n".to_owned();
    let again = "INVITE sip:b SIP/2.0\r\nCSeq: 2 INVITE\r\n\r\n".to_owned();
    for (direction, text, ends) in [
        (Reply, answer(486, 314159), true),
        (Reply, answer(486, 1), false),
        (Reply, answer(200, 314159), false),
        (Original, bye.clone(), true),
        (Reply, bye, true),
        (Original, again, true),
    ] {
        let mut bench = bench();
        say(
            &mut bench,
            Original,
            &register("<sip:a@192.0.2.11>", "Expires: 60\r\n"),
        );
        say(&mut bench, Original, &invite(&sdp("m=audio 5000 x\r\n")));
        let [rtcp, rtp, call] = [0, 1, 2].map(|at| bench.master.standing[at].0);
        let effects = say(&mut bench, direction, &text);
        let withdrawn = [Effect::Withdraw(rtcp), Effect::Withdraw(rtp)];
        assert_eq!(effects, if ends { &withdrawn[..] } else { &[] }, "{text}");
        assert!(bench.master.standing.iter().any(|(id, _)| *id == call));
    }
}

/// The flow stays for `sip_timeout` after each payload, whatever it says (`sip_help_udp`, `sip_help_tcp`).
#[test]
fn every_payload_refreshes_the_flow() {
    let hour = [Effect::Refresh(Duration::from_secs(3600))];
    assert_eq!(bench().show(Original, false, 0, b"\0"), hour);
    assert_eq!(bench().show(Original, false, 0, b""), []);
    assert_eq!(stream().show(Original, true, 0, b"\0"), hour);
    assert_eq!(stream().show(Original, false, 0, b"\0"), []);
    let refreshed = |seconds: &str| {
        let modules = modules(&[&format!("sip_timeout={seconds}")]);
        match Bench::new("sip", PHONE, SERVER, 5060, &modules).say(Original, 0, b"x")[..] {
            [Effect::Refresh(timeout)] => timeout,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(refreshed("60"), Duration::from_secs(60));
    assert_eq!(refreshed("0"), Duration::ZERO);
    // 2^31 ticks of 4 ms are over before they begin, one second less is not; 2^32 begin anew.
    assert_eq!(refreshed("8589934"), Duration::from_secs(8_589_934));
    assert_eq!(refreshed("8589935"), Duration::ZERO);
    assert_eq!(refreshed("17179870"), Duration::from_millis(816));
}

/// Less than "SIP/2.0 200" says nothing.
#[test]
fn the_shortest_message() {
    assert_eq!(say(&mut bench(), Original, "INVITE x\r\n"), []);
    assert_eq!(
        dropped(&say(&mut bench(), Original, "INVITE x\r\n\r")),
        Some("cannot parse cseq")
    );
}

/// RFC 3261, 18.3: on a stream `Content-Length` ends a message.
#[test]
fn a_segment_may_hold_several_messages() {
    let call = |port: u16| invite(&sdp(&format!("m=audio {port} RTP/AVP 0\r\n")));
    let ack = "ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nl: 0\r\n\r\n";
    let text = [&call(5000), ack, &call(5002)].concat();
    let effects = say(&mut stream(), Original, &text);
    assert_eq!(ports(&effects), [5000, 5001, 5002, 5003]);
    let ports_said: Vec<&str> = made(&effects)
        .iter()
        .map(|made| &text[said(&made.dst_port.origin)])
        .collect();
    assert_eq!(ports_said, ["5000", "5000", "5002", "5002"]);
    // On UDP there is one message, and its length is not looked at.
    assert_eq!(
        ports(&say(&mut bench(), Original, &text)),
        [5000, 5001, 5002, 5003]
    );
    let wrong = call(5000).replace("Content-Length: ", "Content-Length: 9");
    assert_eq!(ports(&say(&mut bench(), Original, &wrong)), [5000, 5001]);
}

#[test]
fn what_one_segment_does_not_hold_is_not_read() {
    let whole = invite(&sdp("m=audio 5000 RTP/AVP 0\r\n"));
    assert_eq!(ports(&say(&mut stream(), Original, &whole)), [5000, 5001]);
    for partial in [
        whole[..whole.len() - 1].to_owned(),
        whole.replace("Content-Length", "X-Length"),
        whole.replace("Content-Length: ", "Content-Length: x"),
        whole.replace("Content-Length: ", "Content-Length: 00000000000"),
        whole.replace("\r\n\r\n", "\n\n"),
    ] {
        assert!(
            declined(&say(&mut stream(), Original, &partial)),
            "{partial}"
        );
    }
    // Nothing behind a message that is dropped is read.
    let bad = "INVITE sip:b SIP/2.0\r\nl: 0\r\n\r\n";
    let effects = say(&mut stream(), Original, &[bad, &whole].concat());
    assert_eq!(effects, [Effect::Drop("cannot parse cseq")]);
}

#[test]
fn two_flows_do_not_expect_the_same_media() {
    let mut bench = bench();
    let text = invite(&sdp("m=audio 5000 RTP/AVP 0\r\n"));
    say(&mut bench, Original, &text);
    bench.master.of_another = true;
    let effects = say(&mut bench, Original, &text.replace("INVITE sip", "ACK sip"));
    assert!(declined(&effects), "{effects:?}");
    let video = text
        .replace("INVITE sip", "ACK sip")
        .replace("m=audio", "m=video");
    assert_eq!(ports(&say(&mut bench, Original, &video)), [5000, 5001]);
}

/// Cut anywhere, a message opens at most what the whole one opens, and nothing panics.
#[test]
fn cut_at_every_byte() {
    let invite = invite(&sdp(
        "m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 31\r\n",
    ));
    let contact =
        "<sip:b@203.0.113.9>, \"A\"\r\n <sip:a:b@192.0.2.11:5062>;transport=udp;expires=60";
    let register = register(contact, "Expires: 60\r\n").replace("203.0.113.9", "host");
    let v6 = "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\nContact: <sip:[2001:db8::11]>\r\n\r\nv=0\r\nc=IN IP6 2001:db8::11\r\nm=audio 5000 x\r\n";
    for text in [&invite, &register, v6] {
        for length in 0..text.len() {
            let (cut, rest) = text.as_bytes().split_at(length);
            for bench in [&mut bench(), &mut bench_v6(), &mut stream()] {
                for part in [cut, rest] {
                    for direction in [Original, Reply] {
                        let allowed = [5000, 5001, 5002, 5003, 5060, 5062];
                        let effects = say_bytes(bench, direction, part);
                        assert!(
                            ports(&effects).iter().all(|port| allowed.contains(port)),
                            "{length}"
                        );
                    }
                }
            }
        }
    }
    // The shortest part of the offer that opens something ends behind the port's last digit but one: 500 is refused.
    let opens = |length: usize| !ports(&say(&mut bench(), Original, &invite[..length])).is_empty();
    let port = invite.find("5000").unwrap();
    assert_eq!(
        (0..invite.len()).find(|&length| opens(length)),
        Some(port + 4)
    );
}

/// What is between `sip:` and the next `@` of the line is a user: so many addresses of a list may share one.
#[test]
fn addresses_that_share_an_at_sign() {
    let shared = "sip:,".repeat(2000);
    for (list, renewed) in [
        (format!("sip:b@203.0.113.9,{shared}@{PHONE}>"), true),
        (
            format!("sip:b@203.0.113.9,{shared}@host,sip:{PHONE}>"),
            true,
        ),
        (
            format!("sip:b@203.0.113.9,{shared}@host,{shared}@{PHONE}>"),
            true,
        ),
        (
            format!("sip:b@203.0.113.9,{shared}@host\r\nm: sip:{PHONE}>"),
            true,
        ),
        (
            format!("sip:b@203.0.113.9,{shared}@host,sip:{PHONE}@host>"),
            false,
        ),
        (
            format!("sip:b@203.0.113.9,{shared}@{}", "0".repeat(9000)),
            false,
        ),
    ] {
        let mut bench = bench();
        say(
            &mut bench,
            Original,
            &register("<sip:a@192.0.2.11>", "Expires: 60\r\n"),
        );
        let answer = registered(1826, &list, "Expires: 60\r\n");
        let effects = say(&mut bench, Reply, &answer);
        match effects[..] {
            [Effect::Renew(..)] => assert!(renewed, "{list}"),
            [Effect::Withdraw(_)] => assert!(!renewed, "{list}"),
            ref other => panic!("{other:?}"),
        }
    }
}
