//! TPKT (RFC 1006, 6): messages in a stream, each behind four octets that tell its length.

use std::ops::Range;

use super::per::{Read, Value};
use crate::helper::reasons::{NOT_ESTABLISHED, NOT_WHOLE};
use crate::helper::{Master, Message, Refused};

/// NetMeeting sends a header in a segment of its own: how long the body is that it announced, by direction. A body that
/// begins like a header is taken for one and lost, as are most of H.245's requests to open a channel.
#[derive(Default)]
pub struct Tpkts {
    announced: [u16; 2],
}

impl Tpkts {
    /// Takes the bodies in a payload, one after the other. One that cannot be decoded leaves the rest unread.
    pub fn each(
        &mut self,
        message: &Message<'_>,
        master: &mut dyn Master,
        decode: impl Fn(&[u8], Range<usize>) -> Read<Option<Value>>,
        process: impl Fn(&Value, &mut dyn Master) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut after = None;
        loop {
            let body = match self.next(message, after) {
                Ok(Some(body)) => body,
                Ok(None) => return Ok(()),
                Err((reason, rest)) => {
                    master.decline(reason, rest);
                    return Ok(());
                }
            };
            after = Some(body.end);
            match decode(message.payload, body.clone()) {
                Ok(Some(value)) => process(&value, master)?,
                Err(reason) if !body.is_empty() => {
                    master.decline(reason, body);
                    return Ok(());
                }
                Ok(None) | Err(_) => return Ok(()),
            }
        }
    }

    /// Where the body stands that follows the one that ended at `after`. Nothing is put together: what goes on in the
    /// next segment is lost (the error), and so is what follows it there (`get_tpkt_data`).
    fn next(
        &mut self,
        message: &Message<'_>,
        after: Option<usize>,
    ) -> Result<Option<Range<usize>>, (&'static str, Range<usize>)> {
        let announced = &mut self.announced[message.direction.index()];
        let expected = usize::from(std::mem::take(announced));
        let start = after.unwrap_or(0);
        let rest = &message.payload[start..];
        let lost = |reason| Err((reason, start..message.payload.len()));
        let &[3, 0, high, low, ref body @ ..] = rest else {
            return match expected {
                0 => Ok(None),
                _ if after.is_some() || rest.is_empty() => Ok(None),
                _ if expected > rest.len() => lost(NOT_WHOLE),
                _ => Ok(Some(0..expected)),
            };
        };
        let Some(length) = u16::from_be_bytes([high, low]).checked_sub(4) else {
            return if expected > 0 {
                lost(LIKE_A_HEADER)
            } else {
                Ok(None)
            };
        };
        if body.is_empty() && after.is_none() && length > 0 {
            *announced = length;
            return Ok(None);
        }
        let length = usize::from(length);
        if length > body.len() {
            return lost(if expected > 0 {
                LIKE_A_HEADER
            } else {
                NOT_WHOLE
            });
        }
        let comes_alone = after.is_some() && body.is_empty();
        Ok((!comes_alone).then_some(start + 4..start + 4 + length))
    }
}

/// Notes a command of a connection that is not established.
pub fn decline_early(
    message: &Message<'_>,
    master: &mut dyn Master,
    decode: impl Fn(&[u8], Range<usize>) -> Read<Option<Value>>,
    is_command: impl Fn(&Value) -> bool,
) {
    if let Ok(Some(body)) = Tpkts::default().next(message, None)
        && let Ok(Some(value)) = decode(message.payload, body.clone())
        && is_command(&value)
    {
        master.decline(NOT_ESTABLISHED, body);
    }
}

const LIKE_A_HEADER: &str = "a body in a segment of its own that begins like a header";
