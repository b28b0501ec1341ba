//! Requests and responses, on datagrams and streams.

use std::time::Duration;

use ctaudit::tuple::Direction::{Original, Reply};

use crate::helper::declines;

use super::{
    Bench, Effect, PHONE, PHONE_V6, SERVER, bench, bench_v6, declined, dropped, invite, made,
    modules, ports, register, said, say, say_bytes, sdp, stream,
};

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
    let early = "said before there was traffic both ways";
    let effects = stream().show(Original, false, 0, whole.as_bytes());
    assert_eq!(
        declines(&effects, whole.as_bytes()),
        [(early, whole.as_bytes())]
    );
    assert_eq!(
        stream().show(Original, false, 0, b"OPTIONS sip:b SIP/2.0\r\n"),
        []
    );
    // Nothing behind a message that is dropped is read.
    let bad = "INVITE sip:b SIP/2.0\r\nl: 0\r\n\r\n";
    let effects = say(&mut stream(), Original, &[bad, &whole].concat());
    assert_eq!(effects, [Effect::Drop("cannot parse cseq")]);
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
