//! SSDP: searches by multicast, answers that name a URL, and the TCP connections to it, which carry the helper
//! themselves: `SUBSCRIBE` there, and `NOTIFY` on the way back.
//!
//! The texts are aimed at how a header and a URL are read. One form is left out, a URL that ends with its address:
//! what port the helper takes then is what an earlier packet left behind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::flow::{
    Rng, Side, Step, Tcp, anybody, hosts, misspelt, offered_port, one_in, pick, visitors,
};
use super::packet::{End, udp, udp_of_length};

/// A control point searches from one port, as often as not one that was used before, and is answered.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, device) = hosts(rng, 3);
    let from = End {
        address: client,
        port: 32768 + 5 * rng.u16(..60),
    };
    let to = End {
        address: asked(rng, device),
        port: 1900,
    };
    let mut steps = Vec::new();
    for _ in 0..pick(rng, &[1, 1, 2]) {
        steps.push(Step::Packet(search(rng, from, to)));
        if to.address == device {
            steps.extend(answers(rng, to, from));
        }
        for _ in 0..pick(rng, &[0, 1, 1, 1, 2]) {
            let answerer = End {
                address: if one_in(rng, 6) {
                    anybody(rng, device)
                } else {
                    device
                },
                port: if one_in(rng, 12) {
                    rng.u16(1899..1903)
                } else {
                    1900
                },
            };
            let mut asker = from;
            match rng.u8(..24) {
                0 => asker.port += 5,
                1 => asker.address = anybody(rng, client),
                _ => {}
            }
            steps.push(Step::Fork(answers(rng, answerer, asker)));
        }
    }
    steps
}

/// The group, in the main: else another one, or one device.
fn asked(rng: &mut Rng, device: IpAddr) -> IpAddr {
    match (rng.u8(..16), device) {
        (0..2, _) => device,
        (_, IpAddr::V6(_)) => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc).into(),
        (2, _) => pick(
            rng,
            &[
                Ipv4Addr::new(239, 255, 255, 251),
                Ipv4Addr::new(224, 0, 0, 251),
                Ipv4Addr::BROADCAST,
            ],
        )
        .into(),
        _ => Ipv4Addr::new(239, 255, 255, 250).into(),
    }
}

fn search(rng: &mut Rng, from: End, to: End) -> Vec<u8> {
    let whole =
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n";
    match rng.u8(..32) {
        0 => udp(from, to, &whole[..rng.usize(..12)]),
        1 => udp(from, to, b"m-search * HTTP/1.1\r\n\r\n"),
        2 => udp(from, to, b" M-SEARCH * HTTP/1.1\r\n\r\n"),
        3 => udp(
            from,
            to,
            b"NOTIFY * HTTP/1.1\r\nLOCATION: http://192.0.2.1:49152/\r\n\r\n",
        ),
        4 => udp_of_length(from, to, whole, pick(rng, &[-60, -1, 1])),
        5 => udp(from, to, b"M-SEARCH"),
        _ => udp(from, to, whole),
    }
}

/// Datagrams from a device, at times more than the helper expects at once; who comes for what they name; and at times
/// what the control point says to that, which is read as well.
fn answers(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..pick(rng, &[1, 1, 1, 1, 1, 1, 2, 2, 3, 11]) {
        let (from, to) = if one_in(rng, 12) {
            (to, from)
        } else {
            (from, to)
        };
        let offer = End {
            address: if one_in(rng, 8) {
                anybody(rng, from.address)
            } else {
                from.address
            },
            port: service_port(rng),
        };
        let text = answer(rng, offer);
        let off = match rng.u8(..40) {
            0 => -(text.len() as i16),
            1 => -1,
            _ => 0,
        };
        steps.push(Step::Packet(udp_of_length(from, to, &text, off)));
        if one_in(rng, 5) {
            steps.extend(visitors(rng, to.address, offer));
        } else if !one_in(rng, 4) {
            let control_point = End {
                address: to.address,
                port: 41000 + rng.u16(..300),
            };
            steps.push(Step::Fork(subscription(rng, control_point, offer)));
        }
    }
    steps
}

fn service_port(rng: &mut Rng) -> u16 {
    match rng.u8(..10) {
        0 => offered_port(rng),
        1 => 80,
        _ => 49152 + rng.u16(..200),
    }
}

/// A text with a `LOCATION:` header: three in four as it should be.
fn answer(rng: &mut Rng, offer: End) -> Vec<u8> {
    let url = url(rng, offer);
    let first: &[u8] = b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=100\r\n";
    let whole = [
        first,
        b"LOCATION: ",
        &url,
        b"\r\nST: upnp:rootdevice\r\n\r\n",
    ]
    .concat();
    let other = [
        b"LOCATION: http://".as_slice(),
        offer.address.to_string().as_bytes(),
        b":1/\r\n",
    ]
    .concat();
    let text = match rng.u8(..64) {
        0 => vec![],
        1 => first.to_vec(),
        2 => [first, b"LOCATION:", &url, b"\r\n\r\n"].concat(),
        3 => [first, b"LOCATION:  ", &url, b"\r\n\r\n"].concat(),
        4 => [first, b"Location: ", &url, b"\r\n\r\n"].concat(),
        5 => [first, b" LOCATION: ", &url, b"\r\n\r\n"].concat(),
        6 => [first, b"X-LOCATION: ", &url, b"\r\n", &other].concat(),
        7 => [b"LOCATION: ", &url[..], b"\r\n"].concat(),
        8 => [first, b"LOCATION: ", &url, b"\r"].concat(),
        9 => [first, b"LOCATION: ", &url].concat(),
        10 => [first, b"LOCATION: ", &url, b"\n\n"].concat(),
        11 => [b"HTTP/1.1 200 OK\nLOCATION: ", &url[..], b"\r\n"].concat(),
        12 => [b"HTTP/1.1 200 OK\r\r\nLOCATION: ", &url[..], b"\r\n"].concat(),
        13 => [first, b"LOCATION: ", &url, b"\r\n", &other].concat(),
        14 => [first, b"LOCATION: \r\n", &other].concat(),
        15 => [first, b"LOCATION: x\r\n", &other].concat(),
        16 => [first, b"\r\n\r\n", b"location: ", &url, b"\r\n"].concat(),
        17 => [b"HTTP/1.1\0 200 OK\r\nLOCATION: ", &url[..], b"\r\n"].concat(),
        18 => whole[..rng.usize(first.len()..whole.len())].to_vec(),
        19..23 => misspelt(rng, whole, b"\r\n\0:/.x1 "),
        _ => whole,
    };
    decided(text)
}

/// Three in four lead to the offer.
fn url(rng: &mut Rng, offer: End) -> Vec<u8> {
    let host = match offer.address {
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) => format!("[{host}]"),
    };
    let End { port, .. } = offer;
    let odd_port = |rng: &mut Rng| match rng.u8(..16) {
        0 => String::new(),
        1 => " ".to_owned(),
        2 => format!(" \t{port}"),
        3 => format!("+{port}"),
        4 => format!("-{port}"),
        5 => format!("+-{port}"),
        6 => format!("{}", u64::from(port) + 0x1_0000),
        7 => format!("{}", u64::from(port) + 0x1_0000_0000),
        8 => (i64::MAX - rng.i64(0..2)).to_string(),
        9 => (i64::MAX as u64 + rng.u64(1..3)).to_string(),
        10 => (i64::MIN + rng.i64(0..2)).to_string(),
        11 => "-9223372036854775809".to_owned(),
        12 => format!("0x{port:x}"),
        13 => format!("000000000000000000000{port}"),
        14 => "x".to_owned(),
        _ => "0".to_owned(),
    };
    match rng.u8(..48) {
        0 => format!("http://{host}/description.xml"),
        1 => format!("http://{host}x"),
        2 => format!("http://{host}-:{port}/"),
        3 => format!("HtTp://{host}:{port}/"),
        4 => format!("https://{host}:{port}/"),
        5 => format!("http:/{host}:{port}/"),
        6 => format!("http://user@{host}:{port}/"),
        7 => format!("http://device:{port}/"),
        8 => format!("http://[{host}]:{port}/"),
        9 => format!("http://0{host}:{port}/"),
        10 => format!("http://{host}.:{port}/"),
        11 => format!("http://{host}.1:{port}/"),
        12 => format!("http://:{port}/"),
        13 => format!("http://192.0.2:{port}/"),
        14 => format!("http://192.0.2.256:{port}/"),
        15 => format!("http://0.0.0.0:{port}/"),
        // A NUL is part of an address, so long as not too much of it; it ends the text all the same.
        16 => format!("http://{host}\0:{port}/"),
        17 => format!("http://{host}\0.77\0:{port}/"),
        18 => format!(
            "http://{host}{}:{port}/",
            "\0".repeat(63 - host.len() + rng.usize(..3) - 1)
        ),
        19 => format!("http://{host}:\0{port}/"),
        20 => format!("http://{host}:{port}\0/"),
        // As long as the helper has room for, give or take one.
        21 => {
            let start = format!("http://{host}:{port}/");
            let room = rng.usize(254..258) - start.len();
            format!("{start}{}", "x".repeat(room))
        }
        22..27 => format!("http://{host}:{}/", odd_port(rng)),
        27 => format!("http://{host}:{}", odd_port(rng)),
        28 => format!("http://{host}:{port}"),
        _ => format!("http://{host}:{port}/description.xml"),
    }
    .into_bytes()
}

/// Nothing where what the helper makes of it is left to chance: an address that the value ends with gets an end.
fn decided(mut text: Vec<u8>) -> Vec<u8> {
    const SCHEME: &[u8] = b"http://";
    let mut at = 0;
    while let Some(found) =
        (text[at..].windows(SCHEME.len())).position(|window| window.eq_ignore_ascii_case(SCHEME))
    {
        at += found + SCHEME.len();
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | 0);
        let end = at + text[at..].iter().take_while(is_part).count();
        if text.get(end) == Some(&b'\r') {
            text.insert(end, b'/');
        }
    }
    text
}

/// What a control point says to a device; what it asks to be told comes by connections of the device's.
fn subscription(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut connection = Tcp::new(rng, from, to);
    if !connection.open(rng) {
        return connection.steps;
    }
    for _ in 0..rng.usize(1..4) {
        let callback = End {
            address: if one_in(rng, 10) {
                anybody(rng, from.address)
            } else {
                from.address
            },
            port: service_port(rng),
        };
        let text = request(rng, to, callback);
        match rng.u8(..20) {
            0 => connection.say(Side::Server, &text),
            1 if text.len() > 1 => {
                let (first, rest) = text.split_at(rng.usize(1..text.len()));
                // Each part would be read by itself.
                connection.say(Side::Client, &decided(first.to_vec()));
                connection.say(Side::Client, &decided(rest.to_vec()));
            }
            2 => {
                connection.say(Side::Client, &text);
                connection.repeat();
            }
            _ => connection.say(Side::Client, &text),
        }
        connection.say(
            Side::Server,
            b"HTTP/1.1 200 OK\r\nSID: uuid:1\r\nLOCATION: http://192.0.2.1:1/\r\n\r\n",
        );
        let caller = End {
            address: if one_in(rng, 10) {
                anybody(rng, to.address)
            } else {
                to.address
            },
            port: 42000 + rng.u16(..300),
        };
        match rng.u8(..8) {
            0 => {}
            1 => connection.steps.extend(visitors(rng, to.address, callback)),
            _ => connection
                .steps
                .push(Step::Fork(event(rng, caller, callback))),
        }
    }
    connection.close(rng);
    connection.steps
}

/// Half of what is asked is to be told of events, as it should be.
fn request(rng: &mut Rng, device: End, callback: End) -> Vec<u8> {
    let url = url(rng, callback);
    let first = format!(
        "SUBSCRIBE /event HTTP/1.1\r\nHOST: {}:{}\r\n",
        device.address, device.port
    );
    let first = first.as_bytes();
    let whole = [first, b"CALLBACK: <", &url, b">\r\nNT: upnp:event\r\n\r\n"].concat();
    let text = match rng.u8(..40) {
        0 => b"GET /description.xml HTTP/1.1\r\n\r\n".to_vec(),
        1 => b"NOTIFY /event HTTP/1.1\r\n\r\n".to_vec(),
        2 => [first, b"TIMEOUT: Second-1800\r\n\r\n"].concat(),
        3 => [
            b"subscribe /event HTTP/1.1\r\nCALLBACK: <",
            &url[..],
            b">\r\n",
        ]
        .concat(),
        4 => [
            b"UNSUBSCRIBE /event HTTP/1.1\r\nCALLBACK: <",
            &url[..],
            b">\r\n",
        ]
        .concat(),
        5 => [
            b"SUBSCRIBE\t/event HTTP/1.1\r\nCALLBACK: <",
            &url[..],
            b">\r\n",
        ]
        .concat(),
        6 => [first, b"CALLBACK:<", &url, b">\r\n"].concat(),
        7 => [first, b"CALLBACK: ", &url, b"\r\n"].concat(),
        8 => [first, b"Callback: <", &url, b">\r\n"].concat(),
        9 => [first, b"CALLBACK: <", &url, b"\r\n"].concat(),
        10 => [first, b"CALLBACK: <http://192.0.2.9:1/><", &url, b">\r\n"].concat(),
        11 => [first, b"CALLBACK: <", &url, b"><http://192.0.2.9:1/>\r\n"].concat(),
        12 => [b"SUBSCRIBE CALLBACK: <", &url[..], b">\r\n"].concat(),
        13 => whole[..rng.usize(..whole.len())].to_vec(),
        14..18 => misspelt(rng, whole, b"\r\n\0:/.x1 <>"),
        _ => whole,
    };
    decided(text)
}

/// A device tells a control point of an event: as often as not, by further connections, of further ones.
fn event(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut connection = Tcp::new(rng, from, to);
    if !connection.open(rng) {
        return connection.steps;
    }
    let whole: &[u8] = b"NOTIFY /callback HTTP/1.1\r\nNT: upnp:event\r\n\r\n";
    let text = match rng.u8(..16) {
        0 => &whole[..rng.usize(1..9)],
        1 => b"notify /callback HTTP/1.1\r\n\r\n",
        2 => b"POST /callback HTTP/1.1\r\n\r\n",
        _ => whole,
    };
    let side = if one_in(rng, 16) {
        Side::Server
    } else {
        Side::Client
    };
    connection.say(side, text);
    connection.say(Side::Server, b"HTTP/1.1 200 OK\r\n\r\n");
    if one_in(rng, 10) {
        connection.say(Side::Client, whole);
    }
    if rng.bool() {
        let from = End {
            port: 42000 + rng.u16(..300),
            ..from
        };
        connection.steps.push(Step::Fork(event(rng, from, to)));
    }
    connection.close(rng);
    connection.steps
}
