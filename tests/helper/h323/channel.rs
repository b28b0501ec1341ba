//! H.245, and how messages are cut out of segments.

use super::{CLIENT, SERVER, bench, channel, holes, media, media_address, request, tpkt};
use crate::helper::{Bench, Effect, declines};
use crate::traffic::per::{Per, per};
use ctaudit::conntrack::config::Assignment;
use ctaudit::helper::{Modules, Spec};
use ctaudit::tuple::Direction::{Original, Reply};
use ctaudit::tuple::Protocol;

fn h245() -> Bench {
    bench("H.245", 2000, &[])
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

#[test]
fn channels_are_opened_by_either_end() {
    let open = tpkt(&request(&channel(CLIENT, 5001, 5001)));
    let twice = [media(Original, 5001), media(Original, 5001)].concat();
    assert_eq!(holes(&h245().say(Original, 0, &open)), twice);
    let early = "said before there was traffic both ways";
    let effects = h245().show(Original, false, 0, &open);
    assert_eq!(declines(&effects, &open), [(early, &open[4..])]);
    let acknowledge = tpkt(&acknowledgement(SERVER, 6000));
    assert_eq!(
        holes(&h245().say(Reply, 0, &acknowledge)),
        media(Reply, 6000)
    );
    let foreign = tpkt(&acknowledgement(CLIENT, 6000));
    let at = foreign.len() - 6;
    let not_the_speaker = "names an address that is not the speaker's";
    let effects = h245().say(Reply, 0, &foreign);
    assert_eq!(
        declines(&effects, &foreign),
        [(not_the_speaker, &foreign[at..])]
    );
    let nowhere = tpkt(&acknowledgement(CLIENT, 0));
    let effects = h245().say(Original, 0, &nowhere);
    assert_eq!(
        declines(&effects, &nowhere),
        [("names port 0", &nowhere[at..])]
    );
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
    let not_whole = "the segment does not hold all of the message";
    let cut = &first[4..first.len() - 1];
    let effects = bench.say(Original, 4, cut);
    assert_eq!(declines(&effects, cut), [(not_whole, cut)]);
    assert_eq!(bench.say(Original, 4, &first[4..]), []);

    // Any other cut loses the message.
    let mut bench = h245();
    let effects = bench.say(Original, 0, &first[..5]);
    assert_eq!(declines(&effects, &first), [(not_whole, &first[..5])]);
    assert_eq!(bench.say(Original, 5, &first[5..]), []);
    let behind = [&first[..], &second[..5]].concat();
    let effects = h245().say(Original, 0, &behind);
    assert_eq!(declines(&effects, &behind), [(not_whole, &second[..5])]);
}

/// A plain request to open a channel begins with 03 00, as a header does.
#[test]
fn a_body_that_looks_like_a_header_is_lost() {
    let open = tpkt(&request(&channel(CLIENT, 5000, 5000)));
    assert_eq!(open[4..6], [3, 0]);
    let mut bench = h245();
    bench.say(Original, 0, &open[..4]);
    let effects = bench.say(Original, 4, &open[4..]);
    let reason = "a body in a segment of its own that begins like a header";
    assert_eq!(declines(&effects, &open[4..]), [(reason, &open[4..])]);
    // Which nothing announced.
    assert_eq!(h245().say(Original, 4, &open[4..]), []);
}

#[test]
fn no_rule_assigns_h245() {
    let spec = Spec::named("H.245").unwrap();
    assert!(!spec.reads(Protocol::TCP, false) && !spec.reads(Protocol::UDP, true));
    let modules = Modules::default();
    for text in ["tcp 2000 H.245", "udp 2000 H.245"] {
        let refused = Assignment::parse(text, &modules).unwrap_err();
        assert!(refused.contains("from their expectation"), "{refused}");
    }
    let assigned = Assignment::classic(&modules);
    assert!(assigned.iter().all(|to| to.helper.name != "H.245"));
}
