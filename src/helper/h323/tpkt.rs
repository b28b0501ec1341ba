//! TPKT (RFC 1006, 6): messages in a stream, each behind four octets that tell its length.

use std::ops::Range;

use crate::helper::Message;

/// NetMeeting sends a header in a segment of its own: how long the body is that it announced, by direction. A body that
/// begins like a header is taken for one and lost, as are most of H.245's requests to open a channel.
#[derive(Default)]
pub struct Tpkts {
    announced: [u16; 2],
}

impl Tpkts {
    /// Where the bodies stand in a payload, one after the other. Who stops in between leaves the rest unread.
    pub fn bodies(&mut self, message: &Message<'_>) -> impl Iterator<Item = Range<usize>> {
        let mut after = None;
        std::iter::from_fn(move || {
            let body = self.next(message, after)?;
            after = Some(body.end);
            Some(body)
        })
    }

    /// Where the body stands that follows the one that ended at `after`. Nothing is put together: what goes on in the
    /// next segment is lost, and so is what follows it there (`get_tpkt_data`).
    fn next(&mut self, message: &Message<'_>, after: Option<usize>) -> Option<Range<usize>> {
        let announced = &mut self.announced[message.direction.index()];
        let expected = usize::from(std::mem::take(announced));
        let start = after.unwrap_or(0);
        let rest = message.payload.get(start..)?;
        let &[3, 0, high, low, ref body @ ..] = rest else {
            let is_body = after.is_none() && expected > 0 && expected <= rest.len();
            return is_body.then_some(0..expected);
        };
        let length = u16::from_be_bytes([high, low]).checked_sub(4)?;
        if body.is_empty() && after.is_none() && length > 0 {
            *announced = length;
            return None;
        }
        let body = start + 4..start + 4 + usize::from(length);
        let comes_alone = after.is_some() && rest.len() == 4;
        (body.end <= message.payload.len() && !comes_alone).then_some(body)
    }
}
