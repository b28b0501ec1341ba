//! Protocols of lines.

use std::net::IpAddr;
use std::str::FromStr;

/// FTP and what is like it, such as HylaFAX: a command that sets up a data connection (RFC 959, 4.1.2; RFC 2428).
pub fn is_ftp_command(payload: &[u8]) -> bool {
    let Some((word, rest)) = payload.split_at_checked(4) else {
        return false;
    };
    let is = |command: &[u8]| word.eq_ignore_ascii_case(command);
    if is(b"PASV") {
        return rest == b"\r\n";
    }
    if is(b"EPSV") {
        return matches!(rest, b"\r\n" | b" 1\r\n" | b" 2\r\n" | b" ALL\r\n");
    }
    if !is(b"PORT") && !is(b"EPRT") {
        return false;
    }
    let argument = line(rest).and_then(|rest| rest.strip_prefix(b" "));
    argument.is_some_and(if is(b"PORT") {
        is_host_port
    } else {
        is_extended_port
    })
}

/// The answers that set one up, and a greeting or a request for the password that names FTP. SMTP greets with 220 as
/// well, and its server may be called ftp.
pub fn is_ftp_reply(payload: &[u8]) -> bool {
    let Some((code, text)) = reply(payload) else {
        return false;
    };
    match code {
        b"227 " => {
            // RFC 1123, 4.1.2.6: the numbers begin with the first digit.
            let mut parts = text.split(|byte| !byte.is_ascii_digit() && *byte != b',');
            let numbers = parts.find(|part| part.first().is_some_and(u8::is_ascii_digit));
            numbers.is_some_and(is_host_port)
        }
        b"229 " => {
            let inside = text.split(|byte| matches!(byte, b'(' | b')')).nth(1);
            inside.is_some_and(is_extended_passive)
        }
        b"220 " | b"220-" | b"331 " => contains(text, b"FTP") && !names_smtp(text),
        _ => false,
    }
}

/// RFC 5321, 4.2: a greeting that says what it is, or the client's.
pub fn is_smtp(payload: &[u8]) -> bool {
    match reply(payload) {
        Some((b"220 " | b"220-", text)) => names_smtp(text),
        Some((b"EHLO" | b"HELO", text)) => text.starts_with(b" "),
        _ => false,
    }
}

/// One of the codes and commands above, and what stands behind it on its line.
fn reply(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_known = matches!(
        payload.first_chunk()?,
        b"220 " | b"220-" | b"227 " | b"229 " | b"331 " | b"EHLO" | b"HELO"
    );
    if !is_known {
        return None;
    }
    line(payload)?.split_at_checked(4)
}

fn names_smtp(text: &[u8]) -> bool {
    text.windows(4)
        .any(|word| word.eq_ignore_ascii_case(b"SMTP"))
}

/// IRC (RFC 1459, 4.1 and 4.4.1; RFC 2812, 5.1): a client that introduces itself, the server that welcomes it, or an
/// offer by DCC. POP3 and FTP have USER and PASS as well.
pub fn is_irc(payload: &[u8]) -> bool {
    let starts: [&[u8]; 6] = [b":", b"CAP ", b"PASS ", b"NICK ", b"USER ", b"PRIVMSG "];
    if !starts.iter().any(|start| payload.starts_with(start)) {
        return false;
    }
    // A client says CAP, PASS, NICK and USER in one go.
    let mut rest = payload;
    for _ in 0..4 {
        let Some(line) = line(rest) else {
            return false;
        };
        if is_irc_line(line) {
            return true;
        }
        rest = &rest[line.len() + 2..];
    }
    false
}

fn is_irc_line(line: &[u8]) -> bool {
    let (prefix, message) = match line.strip_prefix(b":") {
        Some(rest) => {
            let end = rest.iter().position(is_space).unwrap_or(rest.len());
            (&rest[..end], rest.get(end + 1..).unwrap_or_default())
        }
        None => (&line[..0], line),
    };
    let mut words = message.splitn(5, is_space);
    let words = [(); 5].map(|()| words.next().unwrap_or_default());
    match words {
        [b"USER", user, mode, _, name] => {
            prefix.is_empty() && !user.is_empty() && !mode.is_empty() && name.starts_with(b":")
        }
        [b"001", nick, text, ..] => {
            !prefix.is_empty() && !nick.is_empty() && text.starts_with(b":")
        }
        [b"PRIVMSG", to, b":\x01DCC", kind, _] => {
            !to.is_empty() && matches!(kind, b"SEND" | b"CHAT" | b"MOVE" | b"TSEND" | b"SCHAT")
        }
        _ => false,
    }
}

/// SIP (RFC 3261, 7): a request whose target is a telephone, or the status of one, and a header below.
pub fn is_sip(payload: &[u8]) -> bool {
    let begins_well = match payload.strip_prefix(b"SIP/2.0 ") {
        Some(status) => is_status(status),
        None => version(payload, &[b"sip:", b"sips:", b"tel:"]) == Some(b"SIP/2.0"),
    };
    let first = line(payload).filter(|_| begins_well);
    first.is_some_and(|first| is_header(&payload[first.len() + 2..]))
}

/// HTTP (RFC 9112, 3 and 4), whose requests end in the version as those of SIP do.
pub fn is_http(payload: &[u8]) -> bool {
    if let Some([_, b' ', status @ ..]) = payload.strip_prefix(b"HTTP/1.") {
        return is_status(status);
    }
    let version = version(payload, &[b"/", b"*", b"http://", b"https://"]);
    matches!(version, Some(b"HTTP/1.0" | b"HTTP/1.1"))
}

/// A request of HTTP/1 for a page, even one whose target is so long that its line does not end in sight.
pub fn begins_a_page(payload: &[u8]) -> bool {
    let start = &payload[..payload.len().min(LONGEST_LINE)];
    let end = start.iter().position(|&byte| byte == b'\n');
    let mut words = start[..end.unwrap_or(start.len())].split(is_space);
    let mut word = || words.next().unwrap_or_default();
    let (method, target, version) = (word(), word(), word());
    let is_method = |byte: &u8| byte.is_ascii_alphanumeric() || MARKS.contains(byte);
    let is_asked = !method.is_empty() && method.iter().all(is_method) && target.starts_with(b"/");
    is_asked && (end.is_none() || version.starts_with(b"HTTP/1."))
}

/// Questions and announcements of SSDP (UPnP Device Architecture 1.1, 1.2.2 and 1.3.2), whose headers MAN and NTS name
/// it. Others ask by M-SEARCH as well, such as Plex at ports of its own.
pub fn is_ssdp(payload: &[u8]) -> bool {
    let starts: [&[u8]; 2] = [b"M-SEARCH * HTTP/1.1\r\n", b"NOTIFY * HTTP/1.1\r\n"];
    let headers = &payload[..payload.len().min(LONGEST_LINE)];
    starts.iter().any(|start| payload.starts_with(start)) && contains(headers, b"ssdp:")
}

/// RFC 4253, 4.2
pub fn is_ssh(payload: &[u8]) -> bool {
    payload.starts_with(b"SSH-2.0-") || payload.starts_with(b"SSH-1.")
}

/// `Amanda 2.6 REQ HANDLE 000-00000000 SEQ 1795719185` (common-src/security-util.c of Amanda, `pkthdr2str`).
pub fn is_amanda(payload: &[u8]) -> bool {
    if !payload.starts_with(b"Amanda ") {
        return false;
    }
    let end = payload
        .iter()
        .take(LONGEST_LINE)
        .position(|&byte| byte == b'\n');
    let words = end.and_then(|end| fields(&payload[..end], b' '));
    let Some([_, version, kind, b"HANDLE", handle, b"SEQ", sequence]) = words else {
        return false;
    };
    let version: Option<[&[u8]; 2]> = fields(version, b'.');
    version.is_some_and(|numbers| numbers.map(number::<u8>).iter().all(Option::is_some))
        && matches!(kind, b"REQ" | b"REP" | b"PREP" | b"ACK" | b"NAK")
        && !handle.is_empty()
        && number::<u32>(sequence).is_some()
}

/// `h1,h2,h3,h4,p1,p2`
fn is_host_port(text: &[u8]) -> bool {
    let numbers: Option<[&[u8]; 6]> = fields(text, b',');
    numbers.is_some_and(|numbers| numbers.map(number::<u8>).iter().all(Option::is_some))
}

/// `|1|132.235.1.2|6275|`
fn is_extended_port(text: &[u8]) -> bool {
    let fields = text.first().and_then(|&delimiter| fields(text, delimiter));
    let Some([b"", family, address, port, b""]) = fields else {
        return false;
    };
    let family_fits = match parse(address) {
        Some(IpAddr::V4(_)) => family == b"1",
        Some(IpAddr::V6(_)) => family == b"2",
        None => false,
    };
    family_fits && number::<u16>(port).is_some()
}

/// `|||6446|`
fn is_extended_passive(text: &[u8]) -> bool {
    let fields = text.first().and_then(|&delimiter| fields(text, delimiter));
    matches!(fields, Some([b"", b"", b"", port, b""]) if number::<u16>(port).is_some())
}

/// The version behind a method, in capital letters as all are that are registered, and a target that begins like one
/// of these.
fn version<'a>(payload: &'a [u8], targets: &[&[u8]]) -> Option<&'a [u8]> {
    let is_method = |byte: &&u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    let method = payload.iter().take(LONGEST_METHOD).take_while(is_method);
    let target = payload[method.count()..].strip_prefix(b" ")?;
    if !targets.iter().any(|start| target.starts_with(start)) {
        return None;
    }
    let [_, _, version] = fields(line(payload)?, b' ')?;
    Some(version)
}

/// Three digits and a space.
fn is_status(text: &[u8]) -> bool {
    matches!(text, [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', b' ', ..])
}

/// A name, and a colon or the blanks before it (RFC 3261, 7.3.1).
fn is_header(text: &[u8]) -> bool {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let name = text.iter().take(LONGEST_NAME).take_while(is_name).count();
    name > 0 && matches!(text.get(name), Some(b':' | b' ' | b'\t'))
}

/// The first line without its end; `None` where it is longer than lines are.
fn line(payload: &[u8]) -> Option<&[u8]> {
    let start = &payload[..payload.len().min(LONGEST_LINE)];
    let end = start
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n' | 0))?;
    payload[end..].starts_with(b"\r\n").then(|| &payload[..end])
}

/// The text between separators, if there is so much of it and no more.
fn fields<const N: usize>(text: &[u8], separator: u8) -> Option<[&[u8]; N]> {
    let mut parts = text.split(|&byte| byte == separator);
    let mut fields = [&text[..0]; N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn is_space(byte: &u8) -> bool {
    *byte == b' '
}

/// Digits alone.
fn number<N: FromStr>(text: &[u8]) -> Option<N> {
    parse(text).filter(|_| text.iter().all(u8::is_ascii_digit))
}

fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What a method may have besides letters and digits (RFC 9110, 5.6.2).
const MARKS: &[u8] = b"!#$%&'*+-.^_`|~";
/// Longer ones are cookies and tokens; the lines of IRC and the commands of FTP and SMTP end before 512 bytes.
const LONGEST_LINE: usize = 1024;
const LONGEST_NAME: usize = 64;
/// UPDATEREDIRECTREF is that long.
const LONGEST_METHOD: usize = 17;
