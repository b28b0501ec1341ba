//! FTP: whom a PORT names, who says 227, who comes, and what else passes for a command.

mod address;
mod command;
mod number;
mod passive;
mod stream;

use super::Entry;
use crate::dialogue::{Dialogue, Heard, Line, Offer};

pub const ENTRIES: &[Entry] = &[
    address::BOUNCE,
    address::BOUNCE_OPENED,
    address::PRIVATE_ADDRESS,
    address::PASSIVE_ELSEWHERE,
    address::SERVICE_PORT,
    passive::UNASKED,
    passive::INJECTED,
    passive::ECHOED,
    passive::HIJACKED,
    passive::SCAN,
    command::FROM_BROWSER,
    command::INJECTED,
    command::SPLIT,
    number::TRICKS,
    number::OTHER_FAMILY,
    stream::REWRITTEN,
    stream::ENCRYPTED,
    stream::NOT_FTP,
];

const FTP: &[&str] = &["ftp"];

/// What the line offers to the end that reads it: text within a longer reply offers nothing.
fn offer<'l>(dialogue: &Dialogue, heard: &Heard<'_>, line: &'l Line) -> Option<Offer<'l>> {
    let offer = Offer::read(heard.direction, &line.text)?;
    let ftp = dialogue.ftp()?;
    let is_within = offer.verb.is_of_the_server() && ftp.within.is_some();
    (ftp.encrypted.is_none() && !is_within).then_some(offer)
}
