//! IRC as its two ends read it (RFC 2812): who registered, and what the server asked to be echoed.

use super::stream::Line;
use crate::tuple::Direction;

/// What is remembered of a client's connection.
#[derive(Debug, Default)]
pub struct Irc {
    /// The client has said who it is.
    pub registered: bool,
    /// What the server's last PING asks the client to repeat.
    pub pinged: Vec<u8>,
    /// The packet that ended that PING.
    pub pinged_in: u64,
}

impl Irc {
    /// Takes in a line, and the packet that ended it.
    pub fn hear(&mut self, direction: Direction, line: &Line, packet: u64) {
        match direction {
            Direction::Original => {
                let introduces = ["NICK ", "USER ", "PASS ", "CAP "];
                self.registered |= introduces.iter().any(|word| line.after(word).is_some());
            }
            Direction::Reply => {
                if let Some(text) = pinged(&line.text) {
                    self.pinged = text.to_vec();
                    self.pinged_in = packet;
                }
            }
        }
    }
}

/// What a PING asks for, with the server's name before it or without.
fn pinged(text: &[u8]) -> Option<&[u8]> {
    let command = match text.first() {
        Some(b':') => text.splitn(2, |&byte| byte == b' ').nth(1)?,
        _ => text,
    };
    let (word, rest) = command.split_at_checked(PING.len())?;
    word.eq_ignore_ascii_case(PING).then_some(rest)
}

const PING: &[u8] = b"PING ";
