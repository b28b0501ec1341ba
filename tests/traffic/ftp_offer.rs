//! The four ways in which FTP offers a port, in all spellings.
//!
//! About half of the lines are as they should be. The others differ in a place or two that a parser looks at: keyword,
//! gap, delimiters, numbers and what ends them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::flow::{Rng, misspelt, one_in, pick};

/// A line that offers a port, as it is written and as it is meant.
pub struct Offer {
    pub text: Vec<u8>,
    pub port: u16,
}

/// `PORT h1,h2,h3,h4,p1,p2`.
pub fn port_command(rng: &mut Rng, host: IpAddr, port: u16) -> Offer {
    let (numbers, port) = numbers(rng, host, port);
    let keyword = keyword(rng, "PORT");
    let gap = odd(rng, " ", &["  ", "\t", "", "X ", " (", ": "]);
    let end = line_end(rng);
    Offer {
        text: written(rng, format!("{keyword}{gap}{numbers}{end}")),
        port,
    }
}

/// `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2).`
pub fn reply_227(rng: &mut Rng, host: IpAddr, port: u16) -> Offer {
    let (numbers, port) = numbers(rng, host, port);
    let usual = pick(
        rng,
        &[
            "227 Entering Passive Mode (",
            "227 ",
            "227 =",
            "227 \u{dc}bergang (",
        ],
    );
    let before = odd(
        rng,
        usual,
        &[
            "227-Entering (",
            "227(",
            "227\t(",
            "227 Mode v2 (",
            "227  4 you: ",
            "228 (",
        ],
    );
    let after = odd(rng, ")", &[").", " ", "", ",", "x"]);
    let end = line_end(rng);
    Offer {
        text: written(rng, format!("{before}{numbers}{after}{end}")),
        port,
    }
}

/// `EPRT |1|192.0.2.1|50000|`, or 2 and an IPv6 address.
pub fn eprt(rng: &mut Rng, host: IpAddr, port: u16) -> Offer {
    let family = if host.is_ipv4() { "1" } else { "2" };
    let family = odd(rng, family, &["1", "2", "0", "3", "", "12"]);
    let address = match host {
        IpAddr::V4(host) => odd(
            rng,
            &host.to_string(),
            &["192.0.2", "192.0.2.1.1", "192,0,2,1", "2001:db8::1", ""],
        ),
        IpAddr::V6(host) => spelling(rng, host),
    };
    let d = odd(
        rng,
        "|",
        &["!", "/", "~", ":", ".", "a", "1", " ", "\x7f", "\0"],
    );
    let (number, port) = port_number(rng, port);
    let last = odd(rng, &d, &["", "!", "||"]);
    let keyword = keyword(rng, "EPRT");
    let gap = odd(rng, " ", &["  ", "\t", "", "X "]);
    let end = line_end(rng);
    Offer {
        text: written(
            rng,
            format!("{keyword}{gap}{d}{family}{d}{address}{d}{number}{last}{end}"),
        ),
        port,
    }
}

/// `229 Entering Extended Passive Mode (|||50000|)`.
pub fn reply_229(rng: &mut Rng, host: IpAddr, port: u16) -> Offer {
    let usual = pick(rng, &["229 Entering Extended Passive Mode (", "229 ("]);
    let before = odd(
        rng,
        usual,
        &[
            "229 ",
            "229-Extended (",
            "229(",
            "229 (Extended) (",
            "229 ok\r\n229 (",
        ],
    );
    let d = odd(rng, "|", &["!", "/", "#", "(", ")", "1", " ", "\0"]);
    let filled = format!("{d}{}{d}{host}{d}", if host.is_ipv4() { 1 } else { 2 });
    let delimiters = odd(
        rng,
        &d.repeat(3),
        &[&filled, &d.repeat(2), &d.repeat(4), "||!", ""],
    );
    let (number, port) = port_number(rng, port);
    let last = odd(rng, &d, &["", "!"]);
    let after = odd(rng, ")", &[").", "", " "]);
    let end = line_end(rng);
    Offer {
        text: written(
            rng,
            format!("{before}{delimiters}{number}{last}{after}{end}"),
        ),
        port,
    }
}

/// Six numbers with commas, and the port that they come to in sixteen bits. Of an IPv6 host the first four octets are
/// written: that is as much of its address as these numbers can say.
fn numbers(rng: &mut Rng, host: IpAddr, port: u16) -> (String, u16) {
    let [a, b, c, d] = match host {
        IpAddr::V4(host) => host.octets(),
        IpAddr::V6(host) => std::array::from_fn(|i| host.octets()[i]),
    };
    let [high, low] = port.to_be_bytes();
    let mut numbers = [a, b, c, d, high, low].map(u64::from);
    let i = rng.usize(..6);
    match rng.u8(..60) {
        0 => numbers[i] += 256,
        1 => numbers[i] += 1 << 32,
        2 => (numbers[4], numbers[5]) = (300, 1),
        3 => (numbers[4], numbers[5]) = (0, 0),
        4 => (numbers[4], numbers[5]) = (0, u64::from(port)),
        5 => numbers[i] = rng.u64(..1000),
        _ => {}
    }
    let port = (numbers[4] << 8 | numbers[5]) as u16;
    let mut written = numbers.map(|number| number.to_string());
    match rng.u8(..80) {
        0 => written[i].insert_str(0, "00"),
        1 => written[i].clear(),
        2 => written[i].insert(0, ' '),
        3 => written
            .iter_mut()
            .filter(|number| *number == "0")
            .for_each(String::clear),
        4 => written[i].push_str(",0"),
        5 => return (written[1..].join(","), port),
        6 => return (written.join("."), port),
        7 => return (written.join(", "), port),
        _ => {}
    }
    (written.join(","), port)
}

/// A port in decimal, and what it comes to in sixteen bits.
fn port_number(rng: &mut Rng, port: u16) -> (String, u16) {
    match rng.u8(..40) {
        0 => (format!("{}", u32::from(port) + 65536), port),
        1 => (format!("00{port}"), port),
        2 => ("70000".into(), 4464),
        3 => ("0".into(), 0),
        4 => (format!("{port} "), port),
        5 => (format!("-{port}"), port),
        _ => (port.to_string(), port),
    }
}

/// An IPv6 address in one of its spellings, or in what is none.
fn spelling(rng: &mut Rng, host: Ipv6Addr) -> String {
    let [.., e, f] = host.segments();
    let groups = host.segments().map(|group| format!("{group:x}"));
    let tail = Ipv4Addr::from(u32::from(e) << 16 | u32::from(f));
    match rng.u8(..40) {
        0 => host.to_string().to_uppercase(),
        1 => groups.join(":"),
        2 => host
            .segments()
            .map(|group| format!("{group:04X}"))
            .join(":"),
        3 => format!("{}:{tail}", groups[..6].join(":")),
        4 => format!("2001:db8::{tail}"),
        5 => format!("::ffff:{tail}"),
        6 => format!("{host}%eth0"),
        7 => format!("0{host}"),
        8 => format!("00{host}"),
        9 => format!("{}:0", groups.join(":")),
        10 => groups[..7].join(":"),
        11 => format!("{host}::"),
        12 => format!("[{host}]"),
        13 => "::".into(),
        14 => format!(":{}", groups.join(":")),
        15 => format!("{}::", groups[..7].join(":")),
        16 => host.to_string().replace(':', ";"),
        17 => Ipv4Addr::from([32, 1, 13, 184]).to_string(),
        _ => host.to_string(),
    }
}

/// The usual text, or once in forty times an odd one.
fn odd(rng: &mut Rng, usual: &str, others: &[&str]) -> String {
    if one_in(rng, 40) {
        pick(rng, others).into()
    } else {
        usual.into()
    }
}

fn keyword(rng: &mut Rng, word: &str) -> String {
    match rng.u8(..12) {
        0 => word.to_lowercase(),
        1 => word
            .char_indices()
            .map(|(i, c)| {
                if i % 2 == 0 {
                    c
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect(),
        _ => word.into(),
    }
}

fn line_end(rng: &mut Rng) -> String {
    match rng.u8(..32) {
        0 => pick(
            rng,
            &["\n", "\r", "", " \r\n", "\r\r\n", "\r\n\r\n", "\n\r"],
        )
        .into(),
        1 => "\r".into(),
        _ => "\r\n".into(),
    }
}

/// The text as bytes, misspelt once in twenty-five times.
fn written(rng: &mut Rng, text: String) -> Vec<u8> {
    let text = text.into_bytes();
    if one_in(rng, 25) {
        misspelt(rng, text, b"0179,.|()aZ \r\n\0\x7f\xff")
    } else {
        text
    }
}
