//! IRC as its two ends read it (RFC 2812): who registered, and what the server asked to be echoed.

use super::stream::Line;
use crate::tuple::Direction;

#[derive(Debug, Default)]
pub struct Irc {
    /// The client has said who it is.
    pub registered: bool,
    /// What the server's last PING asks the client to repeat.
    pub pinged: Vec<u8>,
}

impl Irc {
    pub fn hear(&mut self, direction: Direction, line: &Line) {
        match direction {
            Direction::Original => {
                let introduces = ["NICK ", "USER ", "PASS ", "CAP "];
                self.registered |= introduces.iter().any(|word| line.after(word).is_some());
            }
            Direction::Reply => {
                if let Some(text) = line.after("PING ") {
                    self.pinged = text.to_vec();
                }
            }
        }
    }
}
