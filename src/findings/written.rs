//! Numbers as they were written, before a helper took the lower bits of them.

use super::Evidence;
use crate::conntrack::event::ExpectationRecord;
use crate::dialogue::Heard;
use crate::expectation::Origin;

/// The decimal number that a text begins with, `u64::MAX` where it is larger; `None` where there is no digit.
pub fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number: Option<u64>, digit| {
        let ten_times = number.unwrap_or_default().saturating_mul(10);
        Some(ten_times.saturating_add(u64::from(digit - b'0')))
    })
}

/// The port that an expectation leads to, as this message names it: what the helper reads of it, and the whole number
/// that stands there.
pub fn port(heard: &Heard<'_>, record: &ExpectationRecord) -> Option<(u64, u64)> {
    match &record.expectation.dst_port.origin {
        Origin::Command { packet, bytes } if *packet == heard.packet => {
            let [start, end] = [bytes.start, bytes.end].map(usize::try_from);
            let text = heard.payload.get(start.ok()?..)?;
            let read = heard.payload.get(start.ok()?..end.ok()?)?;
            Some((number(read)?, number(text)?))
        }
        _ => None,
    }
}

/// The helper reads a number that no port has: another port is opened.
pub fn wrapped_port(heard: &Heard<'_>, record: &ExpectationRecord) -> Option<Evidence> {
    let (read, _) = port(heard, record)?;
    let opened = record.expectation.dst_port.value;
    let detail = || format!("{read} is named, {opened} opened");
    (read > u64::from(u16::MAX)).then(|| Evidence::of(detail()))?
}
