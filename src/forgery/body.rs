//! The length of a body, which text protocols tell in a line before it.

use std::ops::Range;

use super::form::positions;
use super::wire::Edit;

/// What the edits of bodies ask of the lines `Content-Length` (RFC 3261, 20.14; RFC 9110, 8.6) of a payload, which may hold
/// several messages.
pub fn content_lengths(payload: &[u8], edits: &[Edit]) -> Vec<Edit> {
    let mut lengths = Vec::new();
    let mut start = 0;
    while let Some(message) = Message::at(payload, start) {
        let inside = |edit: &&Edit| message.body.contains(&edit.at.start);
        let inside = edits.iter().filter(inside);
        let (mut added, mut removed) = (0, 0);
        for edit in inside {
            added += edit.with.len();
            removed += edit.at.len();
        }
        if added != removed
            && let Some(length) = message.length.saturating_add(added).checked_sub(removed)
        {
            lengths.push(Edit {
                at: message.length_at,
                with: length.to_string().into_bytes(),
            });
        }
        start = message.body.end;
    }
    lengths
}

/// A head that ends with an empty line, and a body of the length that it tells.
struct Message {
    length: usize,
    length_at: Range<usize>,
    /// As much of it as is there.
    body: Range<usize>,
}

impl Message {
    /// `None` behind the last one that tells a length.
    fn at(payload: &[u8], start: usize) -> Option<Self> {
        let head = start..start + positions(payload.get(start..)?, END_OF_HEAD).next()?.end;
        let mut at = start;
        for line in payload[head.clone()].split_inclusive(|&byte| byte == b'\n') {
            if let Some((digits, length)) = length_in(line) {
                let end = head.end.checked_add(length)?.min(payload.len());
                return Some(Self {
                    length,
                    length_at: at + digits.start..at + digits.end,
                    body: head.end..end,
                });
            }
            at += line.len();
        }
        None
    }
}

/// Where in a line that tells a length the number stands, and the number.
fn length_in(line: &[u8]) -> Option<(Range<usize>, usize)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at(colon);
    if !NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let blanks = value[1..].iter().take_while(|&&byte| byte == b' ').count();
    let start = colon + 1 + blanks;
    let digits = line[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let at = start..start + digits.count();
    let number = std::str::from_utf8(&line[at.clone()]).ok()?.parse().ok()?;
    Some((at, number))
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// In full, and SIP's short form.
const NAMES: [&[u8]; 2] = [b"content-length", b"l"];
