//! IRC: sessions with offers of direct connections (DCC), and whoever comes for them.
//!
//! The helper reads only what clients send, segment by segment: one offer of a `PRIVMSG` at its start. Several of its
//! limits are a number of bytes left, so offers come short, long and padded.

use std::net::{IpAddr, Ipv4Addr};

use super::flow::{
    ACK, Rng, Side, Step, Tcp, anybody, hosts, misspelt, offered_port, one_in, pick, visitors,
};
use super::packet::End;

/// A session with a server; one in three is followed by another of the same two ends.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 3); // the helper knows IPv4 alone
    let from = End {
        address: client,
        port: 40000 + rng.u16(..8),
    };
    let mut connection = Tcp::new(
        rng,
        from,
        End {
            address: server,
            port: 6667,
        },
    );
    loop {
        run(rng, &mut connection, client, server);
        if !one_in(rng, 3) {
            return connection.steps;
        }
        connection.restart(rng);
    }
}

fn run(rng: &mut Rng, connection: &mut Tcp, client: IpAddr, server: IpAddr) {
    if !connection.open(rng) {
        return;
    }
    if !one_in(rng, 4) {
        connection.say(
            Side::Client,
            b"NICK someone\r\nUSER someone 0 * :Some One\r\n",
        );
        connection.say(Side::Server, b":irc.example 001 someone :Welcome\r\n");
    }
    // Nine or more offers that nobody comes for drive out the oldest ones.
    let burst = one_in(rng, 6);
    let offers = if burst {
        rng.usize(9..13)
    } else {
        rng.usize(1..7)
    };
    for i in 0..offers {
        let port = if burst {
            60000 + 8 * (i as u16) + rng.u16(..8)
        } else {
            offered_port(rng)
        };
        let (text, port) = if one_in(rng, 3) {
            odd_offer(rng, client, port)
        } else {
            plain_offer(rng, client, port)
        };
        deliver(rng, connection, &text);
        if one_in(rng, 8) {
            connection.say(Side::Server, b"PING :irc.example\r\n");
        }
        if !burst {
            let guest = if one_in(rng, 5) {
                server
            } else {
                anybody(rng, client)
            };
            connection.steps.extend(visitors(
                rng,
                guest,
                End {
                    address: client,
                    port,
                },
            ));
        }
    }
    connection.close(rng);
}

/// Sends a text, mostly as a segment of its own. Only the client's segments count, and only from their start.
fn deliver(rng: &mut Rng, connection: &mut Tcp, text: &[u8]) {
    match rng.u8(..40) {
        0..2 if text.len() > 1 => {
            let (first, rest) = text.split_at(rng.usize(1..text.len()));
            connection.say(Side::Client, first);
            connection.say(Side::Client, rest);
        }
        2..4 => connection.say(Side::Server, text),
        4 => connection.say(Side::Client, &[b"PING :x\r\n", text].concat()),
        5 => connection.say(Side::Client, &[text, text].concat()),
        6..8 => {
            connection.say(Side::Client, text);
            connection.repeat();
        }
        8 => {
            let away = pick(rng, &[1, u32::MAX, 70_000, 200_000, 1 << 31]);
            let sequence = connection.next(Side::Client).wrapping_add(away);
            connection.send_at(Side::Client, sequence, ACK, text);
        }
        _ => connection.say(Side::Client, text),
    }
}

/// The address as IRC writes it, one decimal number.
fn decimal(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(_) => u32::from(Ipv4Addr::new(192, 0, 2, 1)).into(),
    }
}

/// An offer that the helper should accept.
fn plain_offer(rng: &mut Rng, client: IpAddr, port: u16) -> (Vec<u8>, u16) {
    let address = decimal(client);
    let kind = pick(
        rng,
        &[
            "SEND file.txt",
            "SEND file.txt",
            "CHAT chat",
            "MOVE a",
            "TSEND file",
            "SCHAT chat",
        ],
    );
    let command = pick(
        rng,
        &["PRIVMSG", "PRIVMSG", "PRIVMSG", "privmsg", "PrivMsg"],
    );
    let size = if one_in(rng, 2) { " 123456" } else { "" };
    (
        format!("{command} friend :\x01DCC {kind} {address} {port}{size}\x01\r\n").into_bytes(),
        port,
    )
}

/// An offer that is unusual in one respect, and the port that it comes to in sixteen bits.
fn odd_offer(rng: &mut Rng, client: IpAddr, port: u16) -> (Vec<u8>, u16) {
    match rng.u8(..10) {
        0..3 => odd_words(rng, client, port),
        3..6 => odd_numbers(rng, client, port),
        6..8 => (short_offer(rng, client, port % 10), port % 10),
        8 => (long_offer(rng, client, port), port),
        _ => {
            let (text, port) = plain_offer(rng, client, port);
            (misspelt(rng, text, b"019 :\x01\r\n\0xX\xff"), port)
        }
    }
}

/// Around the offer: what comes before it, what it is called, where the message starts, how the line ends.
fn odd_words(rng: &mut Rng, client: IpAddr, port: u16) -> (Vec<u8>, u16) {
    let address = decimal(client);
    let offer = format!("\x01DCC SEND f {address} {port}\x01");
    let text = match rng.u8(..24) {
        0 => format!(":me!me@host PRIVMSG friend :{offer}\r\n"),
        1 => format!("NOTICE friend :{offer}\r\n"),
        2 => format!("PRIVMSG  friend :{offer}\r\n"),
        3 => format!("PRIVMSG\tfriend :{offer}\r\n"),
        4 => format!("PRIVMSG friend,#channel :{offer}\r\n"),
        5 => format!("PRIVMSG friend : {offer}\r\n"),
        6 => format!("PRIVMSG friend :hello :{offer}\r\n"),
        7 => format!("PRIVMSG friend {offer}\r\n"),
        8 => format!("PRIVMSG :{offer}\r\n"),
        9 => format!("PRIVMSG friend :\x01DCC WAVE f 1 2\x01 :{offer}\r\n"),
        10 => format!("PRIVMSG friend :\x01DCC RESUME f {port} 0 :{offer} :{offer}\r\n"),
        11 => format!("PRIVMSG friend :{}\r\n", offer.to_lowercase()),
        12 => format!("PRIVMSG friend :{}\r\n", offer.replace("SEND", "send")),
        13 => format!(
            "PRIVMSG friend :{}\r\n",
            offer.replace("SEND f", "SEND \"my file\"")
        ),
        14 => format!("PRIVMSG friend :{}\r\n", offer.replace("SEND f", "SENDf")),
        15 => format!("PRIVMSG friend :{}\r\n", offer.replace("DCC ", "DCC")),
        16 => format!("PRIVMSG friend :{offer}"),
        17 => format!("PRIVMSG friend :{offer}\r"),
        18 => format!("PRIVMSG friend :{offer}\n"),
        19 => format!("PRIVMSG friend :{}\r\n", offer.trim_end_matches('\x01')),
        20 => format!("PRIVMSG friend :\x01DCC SEND\n{address} {port} 1\x01\r\n"),
        21 => format!("PRIVMSG friend :\x01DCC SEND f\n{address} {port} 1\x01\r\n"),
        22 => format!("\t PRIVMSG friend :{offer}\r\n"),
        _ => format!(" \r\n\n  PRIVMSG friend :{offer}\r\n"),
    };
    (text.into_bytes(), port)
}

/// Within the offer: the address of another, numbers of more than their bits, and what is no number.
fn odd_numbers(rng: &mut Rng, client: IpAddr, port: u16) -> (Vec<u8>, u16) {
    let address = decimal(client);
    let other = decimal(anybody(rng, client));
    let (numbers, port) = match rng.u8(..18) {
        0..3 => (format!("{other} {port}"), port),
        3 => (format!("{} {port}", address + (1 << 32)), port),
        4 => (format!("{} {port}", u128::from(address) + (1 << 64)), port),
        5 => (format!("00{address} 00{port}"), port),
        6 => (format!("{address} {}", u32::from(port) + 65536), port),
        7 => (format!("{address} 70000"), 4464),
        8 => (format!("{address} 0"), 0),
        9 => (format!("{address} 65536"), 0),
        10 => (format!("{address} 4294967296{port}"), port),
        11 => (format!("{address}   {port}"), port),
        12 => (format!("{address}\t{port}"), port),
        13 => (format!(" {address} {port}"), port),
        14 => (format!("{address} -{port}"), port),
        15 => (format!("0x{address:x} {port}"), port),
        16 => (format!("{address}"), port),
        _ => (format!("192.0.2.1 {port}"), port),
    };
    (
        format!("PRIVMSG friend :\x01DCC SEND f {numbers}\x01\r\n").into_bytes(),
        port,
    )
}

/// As few bytes as an offer can have, or one less, or one more.
fn short_offer(rng: &mut Rng, client: IpAddr, port: u16) -> Vec<u8> {
    let address = decimal(client);
    let target = pick(rng, &["x", "friend", ""]);
    let kind = pick(rng, &["SEND", "CHAT", "MOVE", "TSEND", "SCHAT"]);
    let name = pick(rng, &["", "t", "tt"]);
    let end = pick(rng, &["\n", "\r\n", "\x01\n", "\x01\r\n", "\n\n"]);
    let lead = pick(rng, &["", "", " ", "\r\n"]);
    format!("{lead}PRIVMSG {target} :\x01DCC {kind} {name} {address} {port}{end}").into_bytes()
}

/// An offer that ends close to the 4,095th byte, the last one that the helper reads: blanks before it, a long list
/// of receivers, or a long file name.
fn long_offer(rng: &mut Rng, client: IpAddr, port: u16) -> Vec<u8> {
    let address = decimal(client);
    let tail = format!(" {address} {port}\x01\n");
    let fill = 4095 - tail.len() - 38 + rng.usize(..16);
    match rng.u8(..3) {
        0 => format!(
            "{}PRIVMSG friend :\x01DCC SEND f{tail}",
            " ".repeat(fill + 2)
        ),
        1 => format!("PRIVMSG {} :\x01DCC SEND f{tail}", "x".repeat(fill + 8)),
        _ => format!(
            "PRIVMSG friend :\x01DCC SEND {}{tail}",
            "f".repeat(fill + 3)
        ),
    }
    .into_bytes()
}
