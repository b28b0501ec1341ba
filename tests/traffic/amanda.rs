//! Amanda: requests over UDP, answers that name ports on a `CONNECT` line, and those who come to these.
//!
//! The helper searches the whole of an answer, so the line may stand anywhere in it and look like anything.

use super::flow::{Rng, Step, hosts, misspelt, offered_port, one_in, pick, visitors};
use super::packet::{End, udp, udp_of_length};

/// A server that asks for backups and the host that answers. Which of the two says what is at times the other way.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (asker, host) = hosts(rng, 40);
    let port = match rng.u8(..40) {
        0 => pick(rng, &[0, 10080, 65535]),
        _ => 1000 + rng.u16(..12),
    };
    let from = End {
        address: asker,
        port,
    };
    let to = End {
        address: host,
        port: 10080,
    };
    let mut steps = Vec::new();
    for _ in 0..rng.usize(1..6) {
        let ports = [(); 4].map(|()| offered_port(rng));
        if !one_in(rng, 5) {
            steps.push(Step::Packet(udp(from, to, b"Amanda 2.6 REQ HANDLE 0\n")));
        }
        let text = answer(rng, ports);
        let (speaker, listener) = if one_in(rng, 12) {
            (from, to)
        } else {
            (to, from)
        };
        let off = if one_in(rng, 30) {
            pick(rng, &[-1, 1, 100, -(text.len() as i16)])
        } else {
            0
        };
        steps.push(Step::Packet(udp_of_length(speaker, listener, &text, off)));
        if one_in(rng, 12) {
            steps.extend(steps.last().cloned());
        }
        for port in ports.into_iter().take(rng.usize(..5)) {
            let offer = End {
                address: host,
                port,
            };
            steps.extend(visitors(rng, asker, offer));
        }
    }
    steps
}

fn answer(rng: &mut Rng, ports: [u16; 4]) -> Vec<u8> {
    let line = match rng.u8(..12) {
        0..5 => plain_line(rng, ports),
        5..8 => odd_line(rng, ports),
        8 => odd_numbers(rng, ports),
        9 => {
            let line = plain_line(rng, ports);
            misspelt(rng, line, b"\n 09DMICS\0:")
        }
        10 => empty(rng),
        _ => return bits(rng, ports),
    };
    let before: &[u8] = match rng.u8(..8) {
        0 => b"",
        1 => b"CONN",
        2 => b"\n",
        3 => b"DATA 1 MESG 2\n",
        4 => &[b'x'; 1300][rng.usize(..1300)..],
        _ => b"Amanda 2.6 REP HANDLE 000-00000000 SEQ 1\n",
    };
    let after: &[u8] = match rng.u8(..4) {
        0 => b"",
        1 => b"DATA 5 MESG 6 INDEX 7 STATE 8\n",
        _ => b"OPTIONS features=feff;\n",
    };
    [before, &line, after].concat()
}

/// Three services or four, as the protocol has them.
fn plain_line(rng: &mut Rng, [data, mesg, index, state]: [u16; 4]) -> Vec<u8> {
    if one_in(rng, 3) {
        format!("CONNECT DATA {data} MESG {mesg} INDEX {index} STATE {state}\n").into_bytes()
    } else {
        format!("CONNECT DATA {data} MESG {mesg} INDEX {index}\n").into_bytes()
    }
}

/// Services in another order, twice, missing or glued together; the line begun twice, broken or without its end.
fn odd_line(rng: &mut Rng, [a, b, c, d]: [u16; 4]) -> Vec<u8> {
    match rng.u8(..20) {
        0 => format!("CONNECT STATE {a} INDEX {b} MESG {c} DATA {d}\n"),
        1 => format!("CONNECT DATA {a} DATA {b} MESG {a}\n"),
        2 => format!("CONNECT MESG {a}\n"),
        3 => format!("CONNECT INDEX {a} DATA {b}\n"),
        4 => format!("CONNECT DADATA {a}DAMESG {b}INDINDEX {c}\n"),
        5 => format!("CONNECT CONNECT DATA {a}\nCONNECT MESG {b}\n"),
        6 => format!("CONNECTDATA {a}\nCONNECT MESG {b}\n"),
        7 => format!("CONCONNECT DATA {a}\n"),
        8 => format!("CONNECT DATA {a} MESG\n{b}\n"),
        9 => format!("CONNECT DATA {a} MESG {b}"),
        10 => format!("CONNECT DATA {a}\nMESG {b}\n"),
        11 => format!("CONNECT \nDATA {a}\n"),
        12 => format!("CONNECT DATA \n{a} MESG {b}\n"),
        13 => format!("connect data {a}\nCONNECT data {b} MESG {c}\n"),
        14 => format!("CONNECT DATA {a} MESG {a} INDEX {a} STATE {a}\n"),
        15 => format!("CONNECT  DATA  {a} MESG {b}\n"),
        16 => format!("CONNECT\tDATA {a}\n"),
        17 => format!("CONNECT DATA {a}\rMESG {b}\r\n"),
        18 => format!("CONNECT DATA {a} MESG"),
        _ => format!("CONNECT STATE INDEX {a} MESG DATA {b}\n"),
    }
    .into_bytes()
}

/// Numbers of more than five digits or 16 bits, of none, and with something before or in them.
fn odd_numbers(rng: &mut Rng, [a, b, c, _]: [u16; 4]) -> Vec<u8> {
    match rng.u8(..16) {
        0 => format!("CONNECT DATA {a}9 MESG {b}\n"),
        1 => format!("CONNECT DATA 000{a} MESG {b}\n"),
        2 => format!("CONNECT DATA 65536 MESG {b}\n"),
        3 => format!("CONNECT DATA 65537 MESG 70000 INDEX 99999 STATE {a}\n"),
        4 => format!("CONNECT DATA {a} MESG 0 INDEX {b}\n"),
        5 => format!("CONNECT DATA {a} MESG  {b} INDEX {c}\n"),
        6 => format!("CONNECT DATA -{a}\n"),
        7 => format!("CONNECT DATA +{a} MESG {b}\n"),
        8 => format!("CONNECT DATA {a}x MESG x{b} INDEX {c}\n"),
        9 => format!("CONNECT DATA 0x{a:x}\n"),
        10 => format!("CONNECT DATA 1\x00{a} MESG {b}\n"),
        11 => format!("CONNECT DATA {a},MESG {b};INDEX {c}\n"),
        12 => format!("CONNECT DATA 1{a}{b}\n"),
        13 => format!("CONNECT INDEX 00000{a} STATE {b}\n"),
        14 => format!("CONNECT DATA {}\n", u32::from(a) + 65536),
        _ => format!("CONNECT DATA {} MESG {}\n", a % 10, b % 1000),
    }
    .into_bytes()
}

/// The beginning of a line, cut somewhere, at the very end of the datagram.
fn bits(rng: &mut Rng, ports: [u16; 4]) -> Vec<u8> {
    let mut text = plain_line(rng, ports);
    text.truncate(rng.usize(..=text.len()));
    if one_in(rng, 3) {
        text.push(b'\n');
    }
    text
}

fn empty(rng: &mut Rng) -> Vec<u8> {
    pick(
        rng,
        &[
            &b""[..],
            b"\n",
            b"CONNECT ",
            b"CONNECT \n",
            b"ERROR [access denied]\n",
        ],
    )
    .to_vec()
}
