//! Session descriptions: which ports they open, to whom.

use ctaudit::expectation::Origin;
use ctaudit::tuple::Direction::{Original, Reply};
use ctaudit::tuple::Protocol;

use crate::helper::declines;

use super::{
    Bench, PHONE, SERVER, bench, declined, dropped, invite, made, modules, opened, ports, said,
    say, say_bytes, sdp,
};

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
    // The white board and the second sound; the first picture is not in use.
    let text = invite(&description);
    let (other, fourth) = (
        "a medium other than audio, video and image",
        "a medium behind the third",
    );
    assert_eq!(
        declines(&effects, text.as_bytes()),
        [(fourth, &b"5008"[..]), (other, b"5002")]
    );
    let unused = sdp("m=audio 5000 RTP/AVP 0\r\nm=application 0 udp wb\r\n");
    let effects = say(&mut bench(), Original, &invite(&unused));
    assert_eq!(ports(&effects).len(), effects.len());
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
