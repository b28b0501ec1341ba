//! Who makes a client say PORT, and how it stands in the segments.

use super::{FTP, offer};
use crate::findings::browser::slipped_in;
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::tuple::Direction;

pub const FROM_BROWSER: Entry = Entry {
    id: "ftp-from-browser",
    title: "A web browser that says PORT",
    severity: Severity::High,
    helpers: FTP,
    wire: "a client that begins with HTTP or STUN, and a line of its stream that begins with PORT or EPRT",
    alike: "a web client that was pointed to the wrong port, which never says PORT",
    references: &["https://samy.pl/slipstream/", "CVE-2021-23961"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let offer = offer(dialogue, heard, line)?;
        let is_clients = heard.direction == Direction::Original;
        is_clients.then(|| slipped_in(dialogue, offer.verb.name()))?
    }),
};

pub const INJECTED: Entry = Entry {
    id: "ftp-injected-command",
    title: "A PORT from a client that is not logged in",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "PORT or EPRT before a reply 230, as where a URL with line ends in it put it behind USER or PASS",
    alike: "scripts that send all their commands at once; several commands in a segment after the login",
    references: &["CVE-2004-1166"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let offer = offer(dialogue, heard, line)?;
        let ftp = dialogue.ftp()?;
        let speaks = heard.direction == Direction::Original && !ftp.logged_in;
        let is_behind = line.at.is_some_and(|at| at > 0);
        let is_heard = dialogue.sides[Direction::Reply.index()].messages > 0;
        // Where a reply of the server's has no end in sight, a 230 may stand in it.
        let is_sure = is_behind || ftp.within.is_none();
        if !speaks || !is_sure || !is_heard || !dialogue.is_whole() {
            return None;
        }
        let place = if is_behind {
            ", behind another command in one segment"
        } else {
            ""
        };
        Evidence::of(format!("{} before any login{place}", offer.verb.name()))
    }),
};

pub const SPLIT: Entry = Entry {
    id: "ftp-split-command",
    title: "A command in pieces, which its reader puts together and the helper does not",
    severity: Severity::Low,
    helpers: FTP,
    wire: "a line with PORT, EPRT, 227 or 229 that began in an earlier segment",
    alike: "an end that writes a line piece by piece, or a person who types",
    references: &["net/netfilter/nf_conntrack_ftp.c help()"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let offer = offer(dialogue, heard, line)?;
        let detail = || format!("{} over more than one segment", offer.verb.name());
        line.at.is_none().then(|| Evidence::of(detail()))?
    }),
};
