//! The length of a body, which text protocols tell in a line before it.

use super::form::positions;
use super::wire::Edit;

/// What the edits of a body ask of its `Content-Length` (RFC 3261, 20.14; RFC 9110, 8.6). The last head before them counts:
/// a segment may hold several messages.
pub fn content_length(payload: &[u8], edits: &[Edit]) -> Option<Edit> {
    let first = edits.iter().map(|edit| edit.at.start).min()?;
    let before = payload.get(..first)?;
    let mut ends = positions(before, b"\r\n\r\n");
    let (mut start, mut end) = (0, ends.next()?);
    for next in ends {
        (start, end) = (end.end, next);
    }
    let head = before.get(start..end.start)?;
    let (at, length) = head_field(head)?;
    let added: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let removed: usize = edits.iter().map(|edit| edit.at.len()).sum();
    let length = length.checked_add(added)?.checked_sub(removed)?;
    Some(Edit {
        at: start + at.start..start + at.end,
        with: length.to_string().into_bytes(),
    })
}

/// Where the number stands, and its value.
fn head_field(head: &[u8]) -> Option<(std::ops::Range<usize>, usize)> {
    let mut at = 0;
    for line in head.split(|&byte| byte == b'\n') {
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(0));
        let is_length = [&b"content-length"[..], b"l"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        if is_length {
            let blanks = 1 + value[1..].iter().take_while(|&&byte| byte == b' ').count();
            let digits = value[blanks..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            let start = at + name.len() + blanks;
            let end = start + digits.count();
            let number = std::str::from_utf8(head.get(start..end)?).ok()?;
            return Some((start..end, number.parse().ok()?));
        }
        at += line.len() + 1;
    }
    None
}
