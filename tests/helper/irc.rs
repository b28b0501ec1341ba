//! DCC offers. 3221225995 is 192.0.2.11 as one number.

use std::net::IpAddr;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use super::{Bench, Effect, declines, expected};

const OFFER: &[u8] = b"PRIVMSG bob :\x01DCC SEND notes.txt 3221225995 5000\x01\r\n";

fn say(line: &[u8]) -> Vec<Effect> {
    Bench::new(
        "irc",
        "192.0.2.11",
        "198.51.100.66",
        6667,
        &Modules::default(),
    )
    .say(Original, 0, line)
}

fn port(line: &[u8]) -> Option<u16> {
    expected(&say(line)).map(|(address, port)| {
        assert_eq!(address, "192.0.2.11".parse::<IpAddr>().unwrap());
        port
    })
}

#[test]
fn an_offer_lets_anybody_in() {
    let effects = say(OFFER);
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (expectation.src_addr.clone(), expectation.src_port.clone()),
        (None, None)
    );
    assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Reply));
    let Origin::Command { bytes, .. } = &expectation.dst_port.origin else {
        panic!()
    };
    assert_eq!(&OFFER[bytes.start as usize..bytes.end as usize], b"5000");
}

#[test]
fn spellings() {
    for (line, expected) in [
        (
            &b"privmsg bob :\x01DCC CHAT chat 3221225995 5000\x01\r\n"[..],
            Some(5000),
        ),
        (
            b" \r\nPRIVMSG bob :\x01DCC MOVE f 3221225995 5000\x01\r\n",
            Some(5000),
        ),
        (
            b"PRIVMSG bob :\x01DCC TSEND f 3221225995 5000 17\x01\r\n",
            Some(5000),
        ),
        (
            b"PRIVMSG bob :\x01DCC SCHAT f 3221225995   5000\x01\r\n",
            Some(5000),
        ),
        // 2^32 more, and 2^16 more.
        (
            b"PRIVMSG bob :\x01DCC SEND f 7516193291 70536\x01\r\n",
            Some(5000),
        ),
        (
            b"NOTICE bob :\x01DCC SEND notes.txt 3221225995 5000\x01\r\n",
            None,
        ),
        (
            b":me PRIVMSG bob :\x01DCC SEND f 3221225995 5000\x01\r\n",
            None,
        ),
        (
            b"PRIVMSG bob :hello \x01DCC SEND f 3221225995 5000\x01\r\n",
            None,
        ),
        (b"PRIVMSG bob :\x01dcc SEND f 3221225995 5000\x01\r\n", None),
        (b"PRIVMSG bob :\x01DCC send f 3221225995 5000\x01\r\n", None),
        (b"PRIVMSG bob :\x01DCC SEND f 3221225995 5000\x01", None),
        (
            b"PRIVMSG bob :\x01DCC RESUME f :\x01DCC SEND f 3221225995 5000\x01\r\n",
            Some(5000),
        ),
        (
            b"PRIVMSG bob :\x01DCC RESUME f : \x01DCC SEND f 3221225995 5000\x01\r\n",
            None,
        ),
    ] {
        assert_eq!(port(line), expected, "{}", line.escape_ascii());
    }
}

const UNREADABLE: &str = "a file name, address or port that cannot be read";
const NO_LINE_END: &str = "no line end behind it in the first 4,095 bytes of its segment";

#[test]
fn offers_that_open_nothing() {
    let foreign = "names an address that is not the speaker's";
    let elsewhere = "not at the beginning of a PRIVMSG that begins its segment";
    for (line, reason, bytes) in [
        (
            &b"PRIVMSG bob :\x01DCC SEND f 3405803785 5000\x01\r\n"[..],
            foreign,
            &b"f 3405803785 5000"[..],
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND f 3221225995 0\x01\r\n",
            "names port 0",
            b"f 3221225995 0",
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND f 3405803785 0 17\x01\r\n",
            "names port 0",
            b"f 3405803785 0",
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND \"a file\" 3221225995 5000\x01\r\n",
            UNREADABLE,
            // As far as it was read: no digit follows.
            b"\"a ",
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND f 192.0.2.11 5000\x01\r\n",
            UNREADABLE,
            b"f 192",
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND afilewithoutanything\x01\r\n",
            UNREADABLE,
            b"afilewithoutanything\x01\r",
        ),
        (
            b"PRIVMSG bob :\x01DCC SEND f 3221225995 5000\x01",
            NO_LINE_END,
            b"f 3221225995 5000\x01",
        ),
        (
            b"PRIVMSG bob :hello \x01DCC SEND f 3221225995 5000\x01\r\n",
            elsewhere,
            b"f 3221225995 5000",
        ),
        (
            b"PONG :x\r\nPRIVMSG bob :\x01DCC CHAT chat 3221225995 5000\x01\r\n",
            elsewhere,
            b"chat 3221225995 5000",
        ),
    ] {
        assert_eq!(declines(&say(line), line), [(reason, bytes)]);
    }
}

#[test]
fn what_offers_nothing() {
    for line in [
        &b"PRIVMSG bob :use DCC SEND f 3221225995 5000\r\n"[..],
        b"PRIVMSG bob :hello \x01DCC SEND f bob@example.org 5000\x01\r\n",
        b"PRIVMSG bob :\x01DCC ACCEPT notes.txt 5000 123456789\x01\r\n",
        b"PRIVMSG bob :\x01ACTION sends f 3221225995 5000\x01\r\n",
        b"PING :198.51.100.66\r\n",
    ] {
        assert_eq!(say(line), [], "{}", line.escape_ascii());
    }
}

#[test]
fn only_the_client_of_an_established_connection() {
    let mut bench = Bench::new(
        "irc",
        "192.0.2.11",
        "198.51.100.66",
        6667,
        &Modules::default(),
    );
    let server = "said by the server: the offering client's firewall has to expect it";
    let early = "said before there was traffic both ways";
    let offer = &b"notes.txt 3221225995 5000"[..];
    let from_bob = [b":bob!b@example.org ", OFFER].concat();
    let effects = bench.say(Reply, 0, &from_bob);
    assert_eq!(declines(&effects, &from_bob), [(server, offer)]);
    let effects = bench.say(Reply, 0, OFFER);
    assert_eq!(declines(&effects, OFFER), [(server, offer)]);
    let effects = bench.show(Original, false, 0, OFFER);
    assert_eq!(declines(&effects, OFFER), [(early, offer)]);
    // Of what is not read anyway, only whole offers are worth a word.
    let cut = &from_bob[..from_bob.len() - 1];
    assert_eq!(bench.say(Reply, 0, cut), []);
    assert_eq!(
        bench.show(Original, false, 0, &OFFER[..OFFER.len() - 1]),
        []
    );
    let hello = b":bob PRIVMSG al :hello \x01DCC SEND f 3221225995 5000\x01\r\n";
    assert_eq!(bench.say(Reply, 0, hello), []);
}

/// 26 bytes from the colon's space on are too few, one more is enough; of a long payload 4,095 bytes are read.
#[test]
fn the_kernels_limits() {
    let short = b"PRIVMSG b :\x01DCC CHAT t 3221225995 7\n";
    assert_eq!(short.len() - 9, 27);
    assert_eq!(port(short), Some(7));
    // Without the second digit of the address there is nobody to be, but the length alone decides.
    let shorter = b"PRIVMSG b :\x01DCC CHAT t 322122599 7\n";
    assert_eq!(shorter.len() - 9, 26);
    assert_eq!(say(shorter), []);

    let padded = |length: usize| {
        let tail = b" :\x01DCC SEND f 3221225995 5000\x01\n";
        let mut line = b"PRIVMSG ".to_vec();
        line.resize(length - tail.len(), b'x');
        line.extend_from_slice(tail);
        line
    };
    assert_eq!(port(&padded(4095)), Some(5000));
    assert_eq!(port(&padded(4096)), None);
}

#[test]
fn cut_at_every_byte() {
    for length in 0..OFFER.len() {
        let line = &OFFER[..length];
        // 26 bytes have to stand behind the receiver's name, and 12 behind the file's.
        let reason = match length {
            ..=37 => None,
            38..=43 => Some(UNREADABLE),
            _ => Some(NO_LINE_END),
        };
        let expected: Vec<_> = reason
            .map(|reason| (reason, &line[23..]))
            .into_iter()
            .collect();
        assert_eq!(declines(&say(line), line), expected, "{length}");
    }
}
