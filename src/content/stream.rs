//! What is recognised over TCP: the first bytes of a segment that a message begins with.

use super::text::{is_ftp_command, is_ftp_reply, is_http, is_irc, is_sip, is_smtp, is_ssh};
use super::{Content, Kind, asks_for_a_port, length, word};

pub fn beginning_with(first: u8) -> &'static [Kind] {
    const FTP: Content = Content::Control("ftp");
    const IRC: Content = Content::Control("irc");
    match first {
        0 => &[
            (Content::Control("pptp"), is_pptp),
            (Content::Control("sane"), is_sane),
            (Content::Control("tns"), is_tns),
        ],
        1 => &[(Content::Control("tns"), is_tns)],
        3 => &[(Content::Control("Q.931"), is_q931)],
        0x16 => &[(Content::Tls, is_tls)],
        0x80 => &[(Content::Control("rpc"), is_rpc)],
        b'2' | b'3' => &[(FTP, is_ftp_reply), (Content::Smtp, is_smtp)],
        b':' => &[(IRC, is_irc)],
        b'A'..=b'Z' => &[
            (FTP, is_ftp_command),
            (IRC, is_irc),
            (Content::Control("sip"), is_sip),
            (Content::Http, is_http),
            (Content::Ssh, is_ssh),
            (Content::Smtp, is_smtp),
        ],
        b'e' | b'p' => &[(FTP, is_ftp_command)],
        _ => &[],
    }
}

/// A control message with the magic cookie (RFC 2637, 1.4 and 2).
fn is_pptp(payload: &[u8]) -> bool {
    const CONTROL: [u8; 6] = [0, 1, 0x1a, 0x2b, 0x3c, 0x4d];
    let whole = length(payload, 0).is_some_and(|length| (12..=payload.len()).contains(&length));
    whole && payload[2..].starts_with(&CONTROL) && matches!(payload[8..], [0, 1..=15, 0, 0, ..])
}

/// `SANE_NET_INIT`: procedure 0, the version of a client since 1.0 that speaks version 2 or 3 of the protocol, and the
/// name of its user with a NUL, or no name at all (SANE network protocol, "SANE_NET_INIT"). The server's answer is too
/// short to tell much.
fn is_sane(payload: &[u8]) -> bool {
    let Some((&[0, 0, 0, 0, 1, _, 0, 2 | 3], name)) = payload.split_first_chunk() else {
        return false;
    };
    match (word(name, 0), name.get(4..)) {
        (Some(0), Some([])) => true,
        (Some(length), Some([text @ .., 0])) => {
            text.len() + 1 == length as usize && text.iter().all(u8::is_ascii_graphic)
        }
        _ => false,
    }
}

/// CONNECT, 1, or REDIRECT, 5, to an address; both checksums are 0. Source: packet-tns.c of Wireshark, since the
/// protocol is not published.
fn is_tns(payload: &[u8]) -> bool {
    let Some(&[_, _, 0, 0, kind, _, 0, 0]) = payload.first_chunk() else {
        return false;
    };
    let whole = length(payload, 0).and_then(|length| payload.get(..length));
    let body = whole.and_then(|whole| whole.get(10..)).unwrap_or_default();
    match kind {
        1 => whole.and_then(connects) == Some(true),
        5 => body.starts_with(b"(ADDRESS=") || body.starts_with(b"(DESCRIPTION=(ADDRESS="),
        _ => false,
    }
}

/// CONNECT has sane versions, and a text where its header says.
fn connects(packet: &[u8]) -> Option<bool> {
    let (version, compatible) = (length(packet, 8)?, length(packet, 10)?);
    let (size, start) = (length(packet, 24)?, length(packet, 26)?);
    let text = packet.get(start..)?;
    // A long text comes in the next packet.
    let has_text = text.starts_with(b"(") && text.len() == size || text.is_empty() && size > 0;
    Some((300..400).contains(&version) && (200..=version).contains(&compatible) && has_text)
}

/// A message of Q.931 behind a TPKT header (RFC 1006, 6) that sets a call up and has a user-user element for H.225.0.
/// What else comes in TPKT is none: RDP and S7 have a header of X.224 there, H.245 no header.
fn is_q931(payload: &[u8]) -> bool {
    // Q.931 is protocol 8, and its call reference has two octets in H.225.0.
    let &[3, 0, _, _, 8, 2, _, _, kind, ref elements @ ..] = payload else {
        return false;
    };
    let is_whole = length(payload, 2).is_some_and(|length| length <= payload.len());
    let kinds = [
        ALERTING,
        CALL_PROCEEDING,
        PROGRESS,
        SETUP,
        CONNECT,
        FACILITY,
    ];
    is_whole && kinds.contains(&kind) && has_h225(elements)
}

/// Q.931, 4.5. In H.225.0 the length of the user-user element has two octets; its protocol discriminator, 5, says
/// ASN.1.
fn has_h225(mut elements: &[u8]) -> bool {
    for _ in 0..MOST_ELEMENTS {
        elements = match *elements {
            [0x7e, _, _, discriminator, ..] => return discriminator == 5,
            // Of one octet.
            [0x80..=0xff, ref rest @ ..] => rest,
            [_, length, ref rest @ ..] => rest.get(usize::from(length)..).unwrap_or_default(),
            _ => return false,
        };
    }
    false
}

/// A record with the first message of either side: ClientHello, 1, or ServerHello, 2 (RFC 8446, 4 and 5.1). SSL 3.0
/// says 0 as its minor version.
fn is_tls(payload: &[u8]) -> bool {
    let &[0x16, 3, 0..=4, _, _, 1 | 2, 0, high, low, 3, 0..=4, ..] = payload else {
        return false;
    };
    // Several messages may share a record.
    let message = usize::from(u16::from_be_bytes([high, low]));
    length(payload, 3).is_some_and(|record| (message + 4).min(MOST_IN_RECORD) <= record)
}

/// The last fragment of a record, as is nearly every one, and all of it (RFC 5531, 11).
fn is_rpc(payload: &[u8]) -> bool {
    let (Some(mark), Some(call)) = (word(payload, 0), payload.get(4..)) else {
        return false;
    };
    (mark & 0x7fff_ffff) as usize == call.len() && asks_for_a_port(call)
}

const ALERTING: u8 = 0x01;
const CALL_PROCEEDING: u8 = 0x02;
const PROGRESS: u8 = 0x03;
const SETUP: u8 = 0x05;
const CONNECT: u8 = 0x07;
const FACILITY: u8 = 0x62;
/// SETUP may have more than others, and has fewer.
const MOST_ELEMENTS: usize = 32;
const MOST_IN_RECORD: usize = 1 << 14;
