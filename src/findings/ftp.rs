//! FTP: whom a PORT names, who says 227, and who comes.

use super::{Entry, Evidence, Matcher, Severity};
use crate::tuple::Direction;

pub const ENTRIES: &[Entry] = &[Entry {
    id: "ftp-unasked-passive",
    title: "A server that announces a passive port to nobody's request",
    severity: Severity::Medium,
    helpers: &["ftp"],
    wire: "a reply 227 or 229 while no PASV or EPSV waits for its answer",
    alike: "a command before the capture began, or in a segment that it does not hold",
    references: &["https://github.com/regit/opensvp"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let ftp = dialogue.ftp()?;
        let whole = !dialogue.picked_up && dialogue.sides.iter().all(|side| side.missing == 0);
        let is_passive = line.after("227 ").or(line.after("229 ")).is_some();
        let unasked = heard.direction == Direction::Reply && !ftp.has_asked_for_passive();
        if !is_passive || !unasked || !whole || ftp.within.is_some() || ftp.encrypted.is_some() {
            return None;
        }
        Evidence::of("no PASV or EPSV was waiting")
    }),
}];
