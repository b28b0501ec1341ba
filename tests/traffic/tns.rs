//! Oracle's TNS: a listener that sends its clients on to an address, and those who go there.
//!
//! The helper searches what stands behind the header as a C string, up to its first NUL, and reads its numbers without
//! a limit. Where it starts to search decides what it finds: 16 bytes behind the start of a REDIRECT, 8 behind that of
//! the DATA which follows one without text.

use std::net::{IpAddr, Ipv4Addr};

use super::flow::{
    ACK, FIN, PSH, RST, Rng, SYN, Side, Step, Tcp, anybody, hosts, misspelt, offered_port, one_in,
    pick, visitors,
};
use super::packet::End;

/// A client's connection to a listener; one in three is followed by another of the same two ends.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 4);
    let end = |address, port| End { address, port };
    let from = end(client, 43000 + rng.u16(..10));
    let mut connection = Tcp::new(rng, from, end(server, 1521));
    loop {
        if one_in(rng, 8) {
            let offer = offer(rng, client, server);
            hasty(rng, &mut connection, offer);
            connection.steps.extend(visitors(rng, client, offer));
        } else if connection.open(rng) {
            for _ in 0..rng.usize(1..6) {
                let offer = offer(rng, client, server);
                redirect(rng, &mut connection, offer);
                connection.steps.extend(visitors(rng, client, offer));
            }
            connection.close(rng);
        }
        if !one_in(rng, 3) {
            return connection.steps;
        }
        connection.restart(rng);
    }
}

/// Mostly the listener's own host: nobody checks whose it is.
fn offer(rng: &mut Rng, client: IpAddr, server: IpAddr) -> End {
    let address = match rng.u8(..20) {
        0 => client,
        1..6 => anybody(rng, server),
        6 => Ipv4Addr::from(pick(
            rng,
            &[[127, 0, 0, 1], [224, 0, 0, 5], [255; 4], [0; 4]],
        ))
        .into(),
        _ => server,
    };
    End {
        address,
        port: offered_port(rng),
    }
}

/// Data in the segments that open a connection or end it.
fn hasty(rng: &mut Rng, connection: &mut Tcp, offer: End) {
    let plain = packet(REDIRECT, &with_length(&plain(offer)));
    match rng.u8(..4) {
        0 => {
            connection.send(Side::Client, SYN, &packet(CONNECT, CONNECT_DATA));
            connection.send(Side::Server, SYN | ACK, &plain);
            connection.send(Side::Client, ACK, &[]);
        }
        1 => {
            // The refused connection is gone before its helper sees this.
            connection.send(Side::Client, SYN, &[]);
            connection.send(Side::Server, RST | ACK, &plain);
        }
        2 => {
            connection.handshake();
            let flags = pick(rng, &[FIN | PSH | ACK, RST | ACK, RST]);
            connection.send(Side::Server, flags, &plain);
        }
        _ => {
            // A capture that starts in its midst.
            connection.say(Side::Client, &packet(CONNECT, CONNECT_DATA));
            connection.say(Side::Server, &plain);
        }
    }
}

/// A question, and a redirection in one packet or in two.
fn redirect(rng: &mut Rng, connection: &mut Tcp, offer: End) {
    if !one_in(rng, 4) {
        connection.say(Side::Client, &packet(CONNECT, CONNECT_DATA));
    }
    let text = text(rng, offer);
    if one_in(rng, 3) {
        return in_two(rng, connection, &text);
    }
    let whole = match rng.u8(..24) {
        0 => packet(
            pick(rng, &[0, 1, 2, 4, 6, 7, 11, 13, 0x85]),
            &with_length(&text),
        ),
        // Six bytes of the text are skipped, so this one is found where it begins.
        1 => packet(REDIRECT, &[&[0, 1], &b"      "[..], &text].concat()),
        2 => packet(REDIRECT, &[&[0, 1], &text[..]].concat()),
        3 => packet(REDIRECT, &[&[pick(rng, &[1, 255]), 0], &text[..]].concat()),
        4 => packet(REDIRECT, &[&[0, 0], &text[..]].concat()),
        5 => {
            let whole = packet(REDIRECT, &with_length(&text));
            whole[..rng.usize(..whole.len())].to_vec()
        }
        6 => {
            let whole = packet(REDIRECT, &with_length(&text));
            let (first, rest) = whole.split_at(rng.usize(..whole.len()));
            connection.say(Side::Server, first);
            return connection.say(Side::Server, rest);
        }
        7 => packet(REDIRECT, &with_length(&text)).repeat(2),
        8 => {
            connection.say(Side::Server, &packet(REDIRECT, &with_length(&text)));
            return connection.repeat();
        }
        9 => return connection.say(Side::Client, &packet(REDIRECT, &with_length(&text))),
        10 => {
            // The header may say what it likes, but for the type.
            let mut whole = packet(REDIRECT, &with_length(&text));
            for at in [0, 1, 2, 3, 5, 6, 7] {
                whole[at] = rng.u8(..);
            }
            whole
        }
        _ => packet(REDIRECT, &with_length(&text)),
    };
    connection.say(Side::Server, &whole);
}

/// A REDIRECT without text and DATA with it. In practice the data's flags are 0 and end the search at once.
fn in_two(rng: &mut Rng, connection: &mut Tcp, text: &[u8]) {
    let flags = pick(
        rng,
        &[
            [0, 0],
            [0x20, 0x20],
            [1, 1],
            [0x20, 0],
            [0, 0x20],
            [0, 0x40],
            *b"((",
        ],
    );
    let announced = match rng.u8(..8) {
        0 => packet(REDIRECT, &[]),
        1 => packet(REDIRECT, &[0]),
        2 => packet(REDIRECT, &[0, 0, 0, 0]),
        3 => packet(REDIRECT, &[])[..rng.usize(5..8)].to_vec(),
        _ => packet(REDIRECT, &[0, 0]),
    };
    let data = packet(DATA, &[&flags, text].concat());
    connection.say(Side::Server, &announced);
    match rng.u8(..16) {
        0 => connection.send(Side::Server, ACK, &[]),
        1 | 2 => connection.send(Side::Client, ACK, &[]),
        3 => connection.say(Side::Client, &packet(CONNECT, CONNECT_DATA)),
        4 => connection.repeat(),
        5 => connection.say(Side::Server, &packet(pick(rng, &[2, 11, 12]), b"\0\0")),
        6 => connection.say(Side::Client, &data),
        7 => connection.say(Side::Server, &data[..rng.usize(..data.len())]),
        8 => return connection.say(Side::Server, &packet(DATA, text)),
        9 => return connection.say(Side::Server, &packet(REDIRECT, &with_length(text))),
        _ => {}
    }
    connection.say(Side::Server, &data);
    if one_in(rng, 8) {
        connection.repeat();
    }
}

/// Two in three are as a listener writes them.
fn text(rng: &mut Rng, offer: End) -> Vec<u8> {
    let text = match rng.u8(..24) {
        0..4 => odd_text(rng, offer).into_bytes(),
        4..8 => odd_numbers(rng, offer).into_bytes(),
        8 => misspelt(rng, plain(offer), b"()= .0H\0"),
        _ => plain(offer),
    };
    match rng.u8(..8) {
        0 => [&text, &b"\0(DESCRIPTION=(CONNECT_DATA=(SID=x)))"[..]].concat(),
        1 => [&[b'x'; 1200][rng.usize(..1200)..], &text].concat(),
        _ => text,
    }
}

fn plain(End { address, port }: End) -> Vec<u8> {
    format!("(ADDRESS=(PROTOCOL=tcp)(HOST={address})(PORT={port}))").into_bytes()
}

/// Parts in another order, twice, missing or glued together.
fn odd_text(rng: &mut Rng, End { address, port }: End) -> String {
    let beside = port ^ 7;
    match rng.u8(..20) {
        0 => format!("(ADDRESS=(PROTOCOL=tcp)(PORT={port})(HOST={address}))"),
        1 => format!("(ADDRESS=(PORT={beside})(HOST={address})(PORT={port}))"),
        2 => format!("(ADDRESS=(HOST={address})(DEV=6)(PROTOCOL=tcp)(PORT={port}))"),
        3 => format!("(ADDRESS=(HOST=name)(HOST={address})(PORT={port}))"),
        4 => format!("(HOST={address})(PORT={port})"),
        5 => format!("ADDRESS=PROTOCOL=tcp HOST={address})(PORT={port})"),
        6 => format!("ADDRESS (x HOST={address})(PORT={port})"),
        7 => format!("(ADDRESS=(HOST={address})PORT={port})"),
        8 => format!("(ADDRESS=(HOST={address})PORT={beside})(PORT={port})"),
        9 => format!("(ADDRESS=(HOST={address})(PORT={port}"),
        10 => format!("(ADDRESS=(HOST={address}(PORT={port}))"),
        11 => format!("(ADDRESS=(host={address})(port={port}))"),
        12 => format!("(ADDRESS=(HOST = {address})(PORT = {port}))"),
        13 => format!("(ADDRESS=(xHOST={address})(xPORT={port}))"),
        14 => format!("(ADDRESS=(HOST={address})\0(PORT={port}))"),
        15 => format!("(ADDRESS=(HOST={address})(\0PORT={port}))"),
        16 => format!("\0ADDRESS=(HOST={address})(PORT={port}))"),
        17 => format!("(ADDRE\0S=(HOST={address})(PORT={port}))"),
        18 => format!("(ADDRESS=(HOST={address})(PORT={port})(HOST=192.0.2.9)(PORT=9))"),
        _ => format!("(ADDRESS=(HOST={address}) (PORT=)(PORT={port}))"),
    }
}

/// Numbers that run over, that have something before or in them, too many of them or too few.
fn odd_numbers(rng: &mut Rng, End { address, port }: End) -> String {
    let IpAddr::V4(v4) = address else {
        return format!("(ADDRESS=(HOST=[{address}])(PORT={port}))");
    };
    let [a, b, c, d] = v4.octets().map(u32::from);
    let number = u64::from(v4.to_bits());
    let wide = u64::from(port);
    let host = match rng.u8(..32) {
        // Each of these is the same address.
        0 => format!("{a}.{b}.0.{}", c << 8 | d),
        1 => format!("{a}.0.0.{}", b << 16 | c << 8 | d),
        2 => format!("0.0.0.{number}"),
        3 => format!("...{number}"),
        4 => format!("{}.{b}.{c}.{d}", a + 256),
        5 => format!("{a}.{b}.{c}.{}", u64::from(d) + (1 << 32)),
        6 => format!("0.0.0.{}", number + (7 << 32)),
        7 => format!("{a}.{b}.{c}.{}", u64::from(d) + (3 << 40)),
        8 => format!(" {a} . {b} .{c}.{d} "),
        9 => format!("{a}.{b}.{c}.{}", spaced(d)),
        10 => format!("0{a}.000{b}.{c}.0{d}"),
        // Each of these is another, or none.
        11 => format!("{a}.{b}.{c}.{}", d + 256),
        12 => format!("{a}.{b}.{}.{d}", c + 256 * 3),
        13 => format!("{a}.{b}.{c}"),
        14 => format!("{a}.{b}.{c}.{d}.{d}"),
        15 => format!("{a}.{b}.{c}.{d}."),
        16 => format!("{a}.{b}..{d}"),
        17 => "...".to_owned(),
        18 => String::new(),
        19 => format!("-{a}.{b}.{c}.{d}"),
        20 => format!("+{a}.{b}.{c}.{d}"),
        21 => format!("{a},{b},{c},{d}"),
        22 => format!("0x{a:x}.{b}.{c}.{d}"),
        23 => format!("{a}.{b}.{c}.\0{d}"),
        24 => format!("{a}.{b}\t.{c}.{d}"),
        _ => address.to_string(),
    };
    let port = match rng.u8(..24) {
        // Each of these is the same port.
        0 => format!("{}", wide + 65536),
        1 => format!("{}", wide + 65536 * 1_000_003),
        2 => format!("000000{port}"),
        3 => format!("  {}  ", spaced(port.into())),
        // Each of these is another, or none.
        4 => "0".to_owned(),
        5 => "65536".to_owned(),
        6 => "131072".to_owned(),
        7 => "65537".to_owned(),
        8 => String::new(),
        9 => "   ".to_owned(),
        10 => format!("-{port}"),
        11 => format!("+{port}"),
        12 => format!("0x{port:x}"),
        13 => format!("{port}\0"),
        14 => format!("{port}\n"),
        15 => format!("{port}.0"),
        _ => port.to_string(),
    };
    format!("(ADDRESS=(PROTOCOL=tcp)(HOST={host})(PORT={port}))")
}

/// With a space in the midst of it.
fn spaced(number: u32) -> String {
    let mut text = number.to_string();
    text.insert(text.len() / 2, ' ');
    text
}

/// Behind its length, as in a REDIRECT.
fn with_length(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text].concat()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (body.len() as u16 + 8).to_be_bytes();
    [&[high, low, 0, 0, kind, 0, 0, 0][..], body].concat()
}

const CONNECT: u8 = 1;
const REDIRECT: u8 = 5;
const DATA: u8 = 6;
const CONNECT_DATA: &[u8] = b"\x01\x34\x01\x2c(DESCRIPTION=(HOST=192.0.2.9)(PORT=9))";
