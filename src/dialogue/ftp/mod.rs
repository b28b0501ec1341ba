//! FTP as its two ends read it (RFC 959): commands, and replies that answer them in their order.

mod offer;

pub use offer::{Number, Offer, Verb};

use std::collections::VecDeque;

use super::stream::Line;
use crate::tuple::Direction;

/// What is remembered of a control connection of FTP.
#[derive(Debug, Default)]
pub struct Ftp {
    /// Commands that were not answered yet, by their first word, in capitals.
    pub outstanding: VecDeque<Vec<u8>>,
    /// The client's last lines.
    pub said: VecDeque<Vec<u8>>,
    /// The code of the reply that goes over several lines and has not ended (`230-`).
    pub within: Option<[u8; 3]>,
    /// The server has said so: 230, 232, or 202 to PASS.
    pub logged_in: bool,
    /// The packet that agreed to encrypt everything from there on (RFC 4217: reply 234 to AUTH).
    pub encrypted: Option<u64>,
    /// The packet with the passive port that was the last thing the server said.
    pub last_passive: Option<u64>,
    /// Replies 125 and 150: a data connection is open, or about to be.
    pub transfers: u64,
}

impl Ftp {
    /// The client waits for the answer to a PASV, an EPSV or an LPSV.
    pub fn has_asked_for_passive(&self) -> bool {
        self.outstanding.iter().any(|word| is_passive(word))
    }

    /// Takes in a line, and the packet that ended it.
    pub fn hear(&mut self, direction: Direction, line: &Line, packet: u64) {
        if self.encrypted.is_some() {
            return;
        }
        match direction {
            Direction::Original => self.command(&line.text),
            Direction::Reply => self.reply(&line.text, packet),
        }
    }

    fn command(&mut self, text: &[u8]) {
        let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
        let word = &word[..word.len().min(LONGEST_WORD)];
        remember(&mut self.outstanding, word.to_ascii_uppercase());
        remember(&mut self.said, text[..text.len().min(LONGEST_SAID)].into());
    }

    fn reply(&mut self, text: &[u8], packet: u64) {
        let offers = Offer::read(Direction::Reply, text).is_some();
        self.last_passive = offers.then_some(packet);
        let Some((&code, rest)) = text.split_first_chunk::<3>() else {
            return;
        };
        if !code.iter().all(u8::is_ascii_digit) {
            return;
        }
        let is_last = rest.first() != Some(&b'-');
        match self.within {
            Some(first) if first == code && is_last => self.within = None,
            None if is_last => {}
            None => {
                self.within = Some(code);
                return;
            }
            Some(_) => return,
        }
        // A reply of 1yz is followed by another to the same command; the greeting answers none.
        if code[0] == b'1' {
            self.transfers += u64::from(matches!(&code, b"125" | b"150"));
            return;
        }
        let answers_passive = matches!(&code, b"227" | b"228" | b"229");
        let asked = |word: &Vec<u8>| is_passive(word);
        let answered = match self.outstanding.iter().position(asked) {
            Some(at) if answers_passive => at + 1,
            _ if answers_passive => 0,
            // One reply too many to the command before: what else succeeds is no answer to a PASV.
            Some(0) if matches!(code[0], b'2' | b'3') => 0,
            _ => 1,
        };
        let answered = answered.min(self.outstanding.len());
        let command = self.outstanding.drain(..answered).next_back();
        match &code {
            // 232: by what secured the connection (RFC 2228); 202 to PASS: without a password.
            b"230" | b"232" => self.logged_in = true,
            b"202" if command.as_deref() == Some(b"PASS") => self.logged_in = true,
            b"234" if command.as_deref() == Some(b"AUTH") => {
                self.encrypted = Some(packet);
            }
            _ => {}
        }
    }
}

fn is_passive(word: &[u8]) -> bool {
    // CPSV: for two servers and TLS; P@SW: where a proxy knows PASV by that name.
    matches!(word, b"PASV" | b"EPSV" | b"LPSV" | b"CPSV" | b"P@SW")
}

/// Keeps the last few.
fn remember(list: &mut VecDeque<Vec<u8>>, text: Vec<u8>) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(text);
}

const REMEMBERED: usize = 32;
const LONGEST_WORD: usize = 8;
const LONGEST_SAID: usize = 256;
