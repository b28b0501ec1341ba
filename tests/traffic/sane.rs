//! SANE: requests to a scanner's server, answers that name a port, and those who come for the picture.
//!
//! The helper counts bytes: a request has eight, the answer to it at least as many, and both stand alone.

use std::net::IpAddr;

use super::flow::{Rng, Side, Step, Tcp, hosts, offered_port, one_in, pick, visitors};
use super::packet::{End, words};

/// A control connection; one in three is followed by another of the same two ends.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 40);
    let end = |address, port| End { address, port };
    let from = end(client, 40000 + rng.u16(..10));
    let mut connection = Tcp::new(rng, from, end(server, 6566));
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
    if rng.bool() {
        connection.say(Side::Client, &words(&[0, 0x0100_0003, 5]));
        connection.say(Side::Server, &words(&[0, 0x0100_0003]));
    }
    for _ in 0..rng.usize(1..8) {
        let address = server;
        let port = offered_port(rng);
        ask(rng, connection);
        if one_in(rng, 12) {
            // Before the answer to one request stands another one, or part of one.
            ask(rng, connection);
        }
        reply(rng, connection, port);
        connection
            .steps
            .extend(visitors(rng, client, End { address, port }));
    }
    connection.close(rng);
}

/// Two in three ask for a picture.
fn ask(rng: &mut Rng, connection: &mut Tcp) {
    let handle = rng.u32(..4);
    let start = words(&[7, handle]);
    let text = match rng.u8(..32) {
        0 => return,
        1 => words(&[
            pick(rng, &[0, 1, 6, 8, 0x0700_0000, 0x107, u32::MAX]),
            handle,
        ]),
        2..5 => words(&[pick(rng, &[2, 3, 4, 5, 8]), handle]),
        5 => words(&[7]),
        6 => start[..rng.usize(..8)].to_vec(),
        7 => words(&[7, handle, pick(rng, &[0, 7])]),
        8 => [&start[..], &start].concat(),
        9 => {
            let (first, rest) = start.split_at(rng.usize(1..8));
            connection.say(Side::Client, first);
            return connection.say(Side::Client, rest);
        }
        10 => return connection.say(Side::Server, &start),
        _ => start,
    };
    connection.say(Side::Client, &text);
    if one_in(rng, 20) {
        connection.repeat();
    }
}

/// Status, port, byte order, and whom to authenticate against.
fn reply(rng: &mut Rng, connection: &mut Tcp, port: u16) {
    let port = u32::from(port);
    let whole = words(&[0, port, 0x1234, 0]);
    let text = match rng.u8(..32) {
        0 => return,
        1 => words(&[
            pick(rng, &[1, 3, 11, 0x0100_0000, u32::MAX]),
            port,
            0x1234,
            0,
        ]),
        2 => words(&[
            0,
            port | pick(rng, &[0x1_0000, 0x100_0000, 0xffff_0000]),
            0x1234,
        ]),
        3 => words(&[0, 0, 0x1234, 0]),
        4 => whole[..8].to_vec(),
        5 => whole[..rng.usize(..10)].to_vec(),
        6 => {
            let (first, rest) = whole.split_at(rng.usize(1..whole.len()));
            connection.say(Side::Server, first);
            return connection.say(Side::Server, rest);
        }
        7 => [&whole[..], &whole].concat(),
        8 => {
            connection.say(Side::Server, &whole);
            return connection.repeat();
        }
        9 => {
            connection.say(Side::Server, &[]);
            whole
        }
        10 => return connection.say(Side::Client, &whole),
        _ => whole,
    };
    connection.say(Side::Server, &text);
}
