//! What is wrong with an input, or at one place of it.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::buffer::MAX_RECORD;

/// Why an input gives no frame, or where it is damaged. Each is one line that names the file and says what to do, unless
/// that is plain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path cannot be opened or listed.
    #[error("{file}: cannot open: {error}")]
    Open { file: String, error: io::Error },
    /// A directory in which no file begins like a capture.
    #[error(
        "{file}: a directory without a capture in it: name one that holds pcap or pcapng files"
    )]
    NoCaptures { file: String },
    /// No byte in it.
    #[error(
        "{file}: empty: nothing was captured, or nothing was written yet, which --follow waits for"
    )]
    Empty { file: String },
    /// Its first bytes are those of neither format.
    #[error(
        "{file}: not a pcap or pcapng capture, it starts with {}: if it is a capture of another kind, convert it \
         first, e.g. editcap FILE NEW.pcapng",
        hex(start)
    )]
    NotACapture { file: String, start: Vec<u8> },
    /// It begins like a capture, but there is nothing behind that.
    #[error("{file}: {fault}")]
    Header { file: String, fault: Fault },
    /// The input is a capture, and there are frames around the damage.
    #[error("{0}")]
    Damaged(Arc<Damage>),
}

impl Error {
    /// Whether the input is a capture, and its frames around the damage are good.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

/// Bytes of an input that are no record.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: packet {packet} at byte {byte}: {fault}; {passed_over} byte{} passed over, {}",
    match passed_over { 1 => "", _ => "s" },
    match resumes { true => "reading goes on behind", false => "nothing readable behind" }
)]
#[derive(Serialize, Deserialize)]
pub struct Damage {
    /// Printable, as the input was named.
    pub file: String,
    /// The packet that should have come next, counted from 1 in this file.
    pub packet: u64,
    /// Where in the file the record or block begins that could not be read; of a compressed file, in what it unpacks to.
    pub byte: u64,
    /// What is wrong there.
    pub fault: Fault,
    /// From there to the next record, or to the end.
    pub passed_over: u64,
    /// Whether a record was found behind it.
    pub resumes: bool,
}

/// What is wrong at one place of a capture.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system's error, of a file or of what unpacks it.
    #[error("reading failed: {0}")]
    Read(io::Error),
    /// The input ends within a part; `length` and `left` count from its beginning.
    #[error(
        "the {part} takes {length} bytes but the file ends after {left} of them: cut off or damaged"
    )]
    CutOff {
        /// In words, for the message.
        part: &'static str,
        /// Bytes that it should have.
        length: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// A part claims more than any capture has.
    #[error("the {part} claims {length} bytes, the limit is {MAX_RECORD}")]
    TooLong { part: &'static str, length: usize },
    /// In words.
    #[error("{0}")]
    Malformed(String),
    /// A major version of pcapng other than 1.
    #[error(
        "pcapng version {major}.{minor} is not known: convert it first, e.g. editcap FILE NEW.pcapng"
    )]
    Version { major: u16, minor: u16 },
}

/// In words.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::Malformed)
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
