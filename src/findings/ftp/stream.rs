//! What the control connection itself is, and whether it stays so.

use super::FTP;
use crate::content::Content;
use crate::dialogue::{Dialogue, Heard};
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::tuple::Direction;

pub const REWRITTEN: Entry = Entry {
    id: "ftp-rewritten",
    title: "Bytes of a control connection that were other bytes the first time",
    severity: Severity::High,
    helpers: FTP,
    wire: "a segment whose sequence numbers were sent before, with other bytes",
    alike: "a keep-alive probe, which is one byte of no meaning; a firewall that rewrites addresses, captured on both sides",
    references: &["Ptacek, Newsham: Insertion, Evasion, and Denial of Service (1998)"],
    matcher: Matcher::Message(|dialogue, heard| {
        let is_plain = dialogue.ftp()?.encrypted.is_none();
        let is_rewritten = heard.place.differs && heard.payload.len() > 1 && is_plain;
        let detail = || format!("{} bytes sent again, not all the same", heard.place.again);
        is_rewritten.then(|| Evidence::of(detail()))?
    }),
};

pub const ENCRYPTED: Entry = Entry {
    id: "ftp-encrypted",
    title: "A control connection that the helper cannot read",
    severity: Severity::Note,
    helpers: FTP,
    wire: "a reply 234 to AUTH, or TLS from the first byte on",
    alike: "AUTH that the server refuses",
    references: &["RFC 4217"],
    matcher: Matcher::Message(|dialogue, heard| {
        if first_is(dialogue, heard, Direction::Original) == Some(Content::Tls) {
            return Evidence::of("TLS from the first byte on");
        }
        let asked = dialogue
            .ftp()?
            .outstanding
            .iter()
            .any(|word| word == b"AUTH");
        let answers = heard.direction == Direction::Reply
            && heard.lines.iter().any(|line| line.after("234").is_some());
        (asked && answers).then(|| Evidence::of("AUTH was agreed to"))?
    }),
};

pub const NOT_FTP: Entry = Entry {
    id: "ftp-not-ftp",
    title: "Something else than FTP on a port whose connections the helper reads",
    severity: Severity::Note,
    helpers: FTP,
    wire: "a client that begins with another protocol, or a server whose first bytes are not three digits",
    alike: "TLS from the first byte on",
    references: &["RFC 959, 4.2"],
    matcher: Matcher::Message(|dialogue, heard| {
        let [client, server] = [Direction::Original, Direction::Reply]
            .map(|direction| first_is(dialogue, heard, direction));
        let is_other =
            |content: &Content| !matches!(content, Content::Control("ftp") | Content::Tls);
        if let Some(content) = client.or(server).filter(is_other) {
            return Evidence::of(format!("it begins as {}", content.name()));
        }
        let [client, server] = &dialogue.sides;
        let greets = heard.direction == Direction::Reply && server.first_message == heard.packet;
        let is_known = client.opened_with.is_some() || server.opened_with.is_some();
        let code = heard.payload.iter().take(3);
        let is_reply = code.clone().all(u8::is_ascii_digit);
        let is_other = greets && !is_known && !is_reply && !dialogue.picked_up;
        is_other.then(|| Evidence::of("the server's first bytes are no reply"))?
    }),
};

/// What the first message of an end looks like, when this is it.
fn first_is(dialogue: &Dialogue, heard: &Heard<'_>, end: Direction) -> Option<Content> {
    let side = &dialogue.sides[end.index()];
    let is_first = heard.direction == end && side.first_message == heard.packet;
    side.opened_with.filter(|_| is_first && !dialogue.picked_up)
}
