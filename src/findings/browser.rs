//! Web pages that have a browser speak what a helper reads: its request goes to the helper's port, and what the page put
//! into it comes to stand where a message begins.

use super::place::opened;
use super::{Entry, Evidence, Matcher, Severity};
use crate::dialogue::Dialogue;

pub const ENTRIES: &[Entry] = &[Entry {
    id: "expectation-from-browser",
    title: "A hole that a web page had its browser ask for",
    severity: Severity::High,
    // What opens a hole of SSDP is HTTP itself; the others look for it in messages that open nothing as well.
    helpers: &["pptp", "rpc", "sane", "tns"],
    wire: "a client that begins with HTTP or STUN, and a later segment that opens a port all the same",
    alike: "a browser or scanner that asks the port for a page",
    references: &["https://samy.pl/slipstream/"],
    matcher: Matcher::Expected(|dialogue, _, record| slipped_in(dialogue, &opened(record))),
}];

/// That this was said by a client that began as a web page can have a browser begin.
pub fn slipped_in(dialogue: &Dialogue, what: &str) -> Option<Evidence> {
    let (browser, began) = dialogue.browser()?;
    let detail = format!("the client began with {}; {what}", browser.name());
    Evidence::with(detail, [began])
}
