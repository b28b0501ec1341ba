//! SIP messages: well formed, odd in one respect, or misspelt.
//!
//! The helper finds headers and description lines by their first letters anywhere in a message, so the oddities are
//! about line ends, blanks, continued lines, doubled and missing headers, lists, and the limits of numbers.

use std::net::IpAddr;

use super::flow::{Rng, anybody, misspelt, one_in, pick};

/// What a message is to say.
#[derive(Clone, Debug)]
pub struct Message {
    pub first: String,
    /// Who says it, and where it wants to be called.
    pub speaker: IpAddr,
    pub contact_port: u16,
    /// Seconds; in `Expires:` or in the address's parameter.
    pub expires: Option<u32>,
    pub cseq: u32,
    pub method: &'static str,
    pub media: Vec<(&'static str, u16)>,
    pub transport: &'static str,
}

/// The message's text; one in four is odd somewhere.
pub fn text(rng: &mut Rng, message: &Message) -> Vec<u8> {
    let is_odd = one_in(rng, 4);
    let mut odd = |rng: &mut Rng| is_odd && one_in(rng, 3);
    let line_end = if odd(rng) {
        pick(rng, &["\n", "\r", "\r\n", "\n\r"])
    } else {
        "\r\n"
    };
    let body = description(rng, message, &mut odd, line_end);
    let mut headers = vec![via(rng, message)];
    headers.push(format!("Max-Forwards: {}", rng.u8(..70)));
    headers.push(format!("From: <sip:a@{}>;tag=1", uri_host(message.speaker)));
    headers.push(format!("Call-ID: {}@example", rng.u8(..)));
    headers.push(if odd(rng) {
        odd_cseq(rng, message)
    } else {
        format!("CSeq: {} {}", message.cseq, message.method)
    });
    let (contact, expires) = contact(rng, message, &mut odd);
    headers.extend(contact);
    headers.extend(expires);
    if !body.is_empty() {
        headers.push("Content-Type: application/sdp".to_owned());
    }
    if odd(rng) {
        let at = rng.usize(..headers.len());
        match rng.u8(..4) {
            0 => drop(headers.remove(at)),
            1 => headers.insert(rng.usize(..headers.len()), headers[at].clone()),
            2 => headers[at] = folded(rng, &headers[at], line_end),
            _ => headers[at] = headers[at].to_uppercase(),
        }
    }
    let length = content_length(rng, body.len(), &mut odd);
    headers.extend(length);
    if one_in(rng, 4) {
        let last = headers.len() - 1;
        headers.swap(0, last);
    }
    let mut text = [message.first.clone()]
        .into_iter()
        .chain(headers)
        .collect::<Vec<_>>()
        .join(line_end);
    text.push_str(if odd(rng) { line_end } else { "\r\n" });
    text.push_str(if odd(rng) { line_end } else { "\r\n" });
    let mut bytes = text.into_bytes();
    bytes.extend(body);
    if odd(rng) {
        cut_behind_a_word(rng, &mut bytes);
    }
    if odd(rng) {
        misspelt(rng, bytes, b"0179 :;,\t\r\n\r\n.=@[]<\0mvc\xc4\xff")
    } else {
        bytes
    }
}

/// Cuts the message short behind something that is searched for: found at the very end it counts as absent.
fn cut_behind_a_word(rng: &mut Rng, text: &mut Vec<u8>) {
    let word: &[u8] = pick(
        rng,
        &[
            b"expires=",
            b"transport=",
            b"sip:",
            b",",
            b"IN IP4 ",
            b"IN IP6 ",
            b":",
            b"m=audio ",
        ],
    );
    let ends: Vec<usize> = (word.len()..text.len())
        .filter(|&end| text[..end].ends_with(word))
        .collect();
    if !ends.is_empty() {
        text.truncate(pick(rng, &ends) + rng.usize(..3));
    }
}

fn uri_host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn via(rng: &mut Rng, message: &Message) -> String {
    let name = pick(rng, &["Via", "v", "VIA"]);
    let host = uri_host(message.speaker);
    let transport = message.transport;
    format!(
        "{name}: SIP/2.0/{transport} {host}:{};branch=z9hG4bK1",
        rng.u16(1000..6000)
    )
}

/// A header continued on the next line.
fn folded(rng: &mut Rng, header: &str, line_end: &str) -> String {
    let at = rng.usize(1..header.len());
    let blanks = pick(rng, &[" ", "\t", "  ", " \t "]);
    match header.is_char_boundary(at) {
        true => format!("{}{line_end}{blanks}{}", &header[..at], &header[at..]),
        false => header.to_owned(),
    }
}

fn odd_cseq(rng: &mut Rng, message: &Message) -> String {
    let Message { cseq, method, .. } = message;
    match rng.u8(..16) {
        0 => format!("CSeq:{cseq} {method}"),
        1 => format!("CSeq : {cseq} {method}"),
        2 => format!("cseq\t:\t{cseq}\t{method}"),
        3 => format!("CSeq: {cseq}  {method}"),
        4 => format!("CSeq: {cseq}{method}"),
        5 => format!("CSeq: 0{cseq} {}", method.to_lowercase()),
        6 => format!(
            "CSeq: {} {method}",
            pick(rng, &["0", "4294967295", "4294967296"])
        ),
        7 => format!("CSeq: {:011} {method}", cseq),
        8 => format!("CSeq: {:012} {method}", cseq),
        9 => format!("CSeq: -{cseq} {method}"),
        10 => format!("CSeq {cseq} {method}"),
        11 => format!("CSeqX: 1\r\nCSeq: {cseq} {method}"),
        12 => format!(" CSeq: {cseq} {method}"),
        13 => format!("CSeq: x\r\nCSeq: {cseq} {method}"),
        14 => format!("CSeq: {cseq} INFO"),
        _ => format!("CSeq: {cseq}"),
    }
}

type Odd<'o> = &'o mut dyn FnMut(&mut Rng) -> bool;

fn content_length(rng: &mut Rng, length: usize, odd: Odd<'_>) -> Option<String> {
    if !odd(rng) {
        let name = pick(
            rng,
            &[
                "Content-Length",
                "Content-Length",
                "l",
                "L",
                "content-length",
            ],
        );
        return Some(format!("{name}: {length}"));
    }
    Some(match rng.u8(..12) {
        0 => return None,
        1 => format!("Content-Length: {}", length + 1),
        2 => format!("Content-Length: {}", length.saturating_sub(1)),
        3 => format!("Content-Length: {}", length + rng.usize(..300)),
        4 => "Content-Length: 0".to_owned(),
        5 => format!("Content-Length: {length}x"),
        6 => "Content-Length: x".to_owned(),
        7 => format!("Content-Length: {}", u64::from(u32::MAX) + rng.u64(..3)),
        8 => format!("Content-Length: {length:012}"),
        9 => format!("Content-Length: {length:011}"),
        10 => format!("l:{length}"),
        _ => format!("lx: 1\r\nl : {length}"),
    })
}

/// `Contact:` and `Expires:`, where there are any.
fn contact(rng: &mut Rng, message: &Message, odd: Odd<'_>) -> (Option<String>, Option<String>) {
    let mut header = message.expires.map(|expires| number(rng, expires, odd));
    let mut parameter = String::new();
    if let Some(expires) = message.expires
        && one_in(rng, 2)
    {
        parameter = format!(";expires={}", number(rng, expires, odd));
        header = one_in(rng, 2).then(|| pick(rng, &["0", "77", "x"]).to_owned());
    }
    if one_in(rng, 4) {
        let own = message.transport.to_lowercase();
        let transport = match rng.u8(..12) {
            0 => "tcp".to_owned(),
            1 => "udp".to_owned(),
            2 => "TLS".to_owned(),
            3 => "tcpx".to_owned(),
            4 => message.transport.to_owned(),
            _ => own,
        };
        let transport = format!(";transport={transport}");
        parameter = if one_in(rng, 2) {
            transport + &parameter
        } else {
            parameter + &transport
        };
    }
    let name = pick(rng, &["Contact", "Contact", "m", "M", "CONTACT"]);
    let own = format!(
        "<sip:{}{}>{parameter}",
        pick(rng, &["a@", "", "a:b@"]),
        host_port(rng, message, odd)
    );
    let other = format!("<sip:b@{}:5062>", uri_host(anybody(rng, message.speaker)));
    let line = if !odd(rng) {
        match rng.u8(..12) {
            0 => format!("{name}: {other}, {own}"),
            1 => format!("{name}: {other};expires=9,\r\n\t{own}, {other}"),
            2 => format!("{name}: {other}\r\n{name}: {own}"),
            _ => format!("{name}: {own}"),
        }
    } else {
        match rng.u8(..18) {
            0 => return (None, header.map(|value| format!("Expires: {value}"))),
            1 => format!("{name}: *"),
            2 => format!("{name}: <sip:a@host.example>"),
            3 => format!("{name}: <sip:a@host.example>, {own}"),
            4 => format!("{name}: {other}, {own}"),
            5 => format!("{name}: {other}\r\n{name}: {own}"),
            6 => format!("{name}: <sip:host.example>\r\n{name}: {own}"),
            7 => format!("{name}: {other};expires=5,\r\n {own}"),
            8 => format!("{name}: {own},{other}"),
            9 => format!("{name}: <sips:a@{}>, {own}", uri_host(message.speaker)),
            10 => format!("{name}: \"A, B\" {own}"),
            11 => format!("{name}{own}\r\n{name}: {own}"),
            12 => format!("{name}: <SIP:a@{}>{parameter}", uri_host(message.speaker)),
            13 => format!("{name}: <sip:{},sip:{own}", "x,sip:".repeat(rng.usize(..6))),
            14 => format!(
                "{name}: <sip:a@{},sip:c@host,{own}",
                uri_host(message.speaker)
            ),
            15 => format!("{name}: {own},\r\n{name}: {other}, {own}"),
            16 => format!("{name}:\r\n {own}"),
            _ => format!("{name}: {own}{parameter}{parameter}"),
        }
    };
    (Some(line), header.map(|value| format!("Expires: {value}")))
}

fn number(rng: &mut Rng, value: u32, odd: Odd<'_>) -> String {
    if !odd(rng) {
        return value.to_string();
    }
    match rng.u8(..8) {
        0 => format!("{value:011}"),
        1 => format!("{value:012}"),
        2 => (u64::from(u32::MAX) + 1).to_string(),
        3 => format!("0x{value:x}"),
        4 => format!("\"{value}\""),
        5 => String::new(),
        6 => format!("{value}.5"),
        _ => format!("-{value}"),
    }
}

/// Where the speaker is to be called: its address, as a rule, and a port.
fn host_port(rng: &mut Rng, message: &Message, odd: Odd<'_>) -> String {
    let own = uri_host(message.speaker);
    let port = message.contact_port;
    if !odd(rng) {
        return if port == 5060 && one_in(rng, 2) {
            own
        } else {
            format!("{own}:{port}")
        };
    }
    match rng.u8(..16) {
        0 => format!("{}:{port}", uri_host(anybody(rng, message.speaker))),
        1 => format!("{own}:"),
        2 => format!("{own}:0{port}"),
        3 => format!("{own}:00{port}"),
        4 => format!(
            "{own}:{}",
            pick(rng, &[0, 1, 1023, 1024, 65535, 65536, 99999])
        ),
        5 => format!("{own}:{port}x"),
        6 => format!("{own}x:{port}"),
        7 => format!("{own}a:{port}"),
        8 => own.replace(['[', ']'], ""),
        9 => format!("[{own}]:{port}"),
        10 => format!("a@{own}:{port}"),
        11 => odd_address(rng, message.speaker),
        12 => format!("{own} :{port}"),
        13 => format!("{own}.:{port}"),
        14 => format!("{own}\r\n :{port}"),
        _ => format!("{own}:{port}:{port}"),
    }
}

/// An address in another spelling, or with something wrong with it.
fn odd_address(rng: &mut Rng, address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            match rng.u8(..7) {
                0 => format!("{a:03}.{b:03}.{c:03}.{d:05}"),
                1 => format!("{a}.{b}.{c}"),
                2 => format!("{a}.{b}.{c}.{d}.1"),
                3 => format!("{a}.{b}.{c}.{}", u32::from(d) + 256),
                4 => format!("{a}.{b}.{c}.{d}f"),
                5 => format!("{a}.{b}..{d}"),
                _ => format!("::{address}"),
            }
        }
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            let [a, b, c, d] = std::array::from_fn(|at| address.octets()[12 + at]);
            match rng.u8(..7) {
                0 => groups.join(":"),
                1 => groups.map(|group| format!("{group:0>6}")).join(":"),
                2 => format!("{}:{a}.{b}.{c}.{d}", groups[..6].join(":")),
                3 => address.to_string().to_uppercase(),
                4 => format!("{address}%eth0"),
                5 => format!("{}:", groups.join(":")),
                _ => format!("{}::{}", groups[..4].join(":"), groups[4..].join(":")),
            }
        }
    }
}

/// A session description, if there are media to describe.
fn description(rng: &mut Rng, message: &Message, odd: Odd<'_>, line_end: &str) -> Vec<u8> {
    if message.media.is_empty() {
        return Vec::new();
    }
    let connection = format!("c={}", network(rng, message.speaker, odd));
    let mut lines = vec![
        if odd(rng) {
            pick(rng, &["v=", "v=x", "V=0", "v=00", " v=0", "a=0"])
        } else {
            "v=0"
        }
        .to_owned(),
        format!("o=- 1 1 {}", network(rng, message.speaker, odd)),
        "s=-".to_owned(),
    ];
    let of_session = !one_in(rng, 4);
    if of_session {
        lines.push(connection.clone());
    }
    lines.push("t=0 0".to_owned());
    for &(kind, port) in &message.media {
        lines.push(medium(rng, kind, port, odd));
        if !of_session || one_in(rng, 6) {
            lines.push(format!("c={}", network(rng, message.speaker, odd)));
        }
        lines.push("a=sendrecv".to_owned());
    }
    if odd(rng) {
        let at = rng.usize(..lines.len());
        match rng.u8(..3) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(rng.usize(..lines.len()), lines[at].clone()),
            _ => lines[at] = lines[at].to_uppercase(),
        }
    }
    let mut body = lines.join(line_end);
    if !odd(rng) {
        body.push_str(line_end);
    }
    // Letters beyond ASCII are bytes of Latin-1.
    body.chars().map(|letter| letter as u8).collect()
}

/// `IN IP4 192.0.2.1`; now and then another's address.
fn network(rng: &mut Rng, speaker: IpAddr, odd: Odd<'_>) -> String {
    let family = if speaker.is_ipv4() { "IP4" } else { "IP6" };
    if !odd(rng) {
        let address = if one_in(rng, 10) {
            anybody(rng, speaker)
        } else {
            speaker
        };
        return format!("IN {family} {address}");
    }
    match rng.u8(..13) {
        0 => format!("IN {family} host.example"),
        1 => format!(
            "IN {} {speaker}",
            if speaker.is_ipv4() { "IP6" } else { "IP4" }
        ),
        2 => format!("in {family} {speaker}"),
        3 => format!("IN  {family} {speaker}"),
        4 => format!("IN {family}  {speaker}"),
        5 => format!("x IN {family} {speaker}/127"),
        6 => format!("IN {family} [{speaker}]"),
        7 => format!("IN {family} {}", odd_address(rng, speaker)),
        8 => format!(
            "IN {family} {}",
            if speaker.is_ipv4() { "0.0.0.0" } else { "::" }
        ),
        9 => format!(
            "IN {family} {}",
            if speaker.is_ipv4() {
                "127.0.0.1"
            } else {
                "::1"
            }
        ),
        10 => format!(
            "IN {family} {}",
            if speaker.is_ipv4() {
                "224.2.1.1/127"
            } else {
                "ff15::101"
            }
        ),
        11 => format!(
            "IN {family} {}",
            if speaker.is_ipv4() {
                "0.1.2.3"
            } else {
                "fe80::1"
            }
        ),
        _ => format!("IN {family} {}", anybody(rng, speaker)),
    }
}

fn medium(rng: &mut Rng, kind: &str, port: u16, odd: Odd<'_>) -> String {
    if !odd(rng) {
        return format!("m={kind} {port} RTP/AVP 0 8");
    }
    let port = match rng.u8(..14) {
        0 => pick(
            rng,
            &["0", "1", "1023", "1024", "1025", "65534", "65535", "65536"],
        )
        .to_owned(),
        1 => format!("{port}/2"),
        2 => format!("{port:011}"),
        3 => format!("{port:012}"),
        4 => format!(" {port}"),
        5 => "x".to_owned(),
        6 => (u64::from(u32::MAX) + 1 + u64::from(port)).to_string(),
        7 => return format!("m={} {port} RTP/AVP 0", kind.to_uppercase()),
        8 => return format!("m={kind}\t{port} RTP/AVP 0"),
        9 => return format!("m=application {port} udp x"),
        10 => return format!("m=\u{e4}udio {port} RTP/AVP 0"),
        11 => return format!("m={kind}{port}"),
        12 => return format!("m={kind}s {port} RTP/AVP 0"),
        _ => return format!("m= {kind} {port}"),
    };
    format!("m={kind} {port} RTP/AVP 0")
}
