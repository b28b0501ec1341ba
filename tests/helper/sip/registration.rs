//! REGISTER and its answers: who may call, and for how long.

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::tuple::Direction::{Original, Reply};
use ctaudit::tuple::Protocol;

use crate::helper::declines;

use super::{
    Bench, Effect, PHONE, SERVER, bench, declined, dropped, made, modules, ports, register,
    registered, registers, said, say,
};

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
    let other = answer(1825, "Expires: 60\r\n");
    let effects = say(&mut bench, Reply, &other);
    let reason = "agrees to another registration than the last that was read";
    let declined = declines(&effects, other.as_bytes());
    assert_eq!(declined, [(reason, other.as_bytes())]);
    let refusal = other.replace("200 OK", "403 Forbidden");
    assert_eq!(say(&mut bench, Reply, &refusal), []);
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
fn a_registration_without_an_address() {
    let text = register("<sip:a@host.example>", "Expires: 60\r\n");
    let effects = say(&mut bench(), Original, &text);
    let reason = "registers no numeric address that can be read";
    let declined = declines(&effects, text.as_bytes());
    assert_eq!(declined, [(reason, text.as_bytes())]);
    // All that was registered, and a question what that is.
    let all = register("*", "Expires: 0\r\n");
    assert_eq!(say(&mut bench(), Original, &all), []);
    let question = all.replace("Contact: *\r\n", "");
    assert_eq!(say(&mut bench(), Original, &question), []);
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
