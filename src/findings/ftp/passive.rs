//! Ports that a server announces: at whose wish, by whom, and who comes.

use super::{FTP, offer};
use crate::conntrack::event::Closed;
use crate::dialogue::{Dialogue, Heard, Line, Offer, Other};
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::tuple::Direction;

pub const UNASKED: Entry = Entry {
    id: "ftp-unasked-passive",
    title: "A server that announces a passive port to nobody's request",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "a reply 227 or 229 while no PASV or EPSV waits for its answer",
    alike: "a command before the capture began, or in a segment that it does not hold",
    references: &["https://github.com/regit/opensvp"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let unasked = is_unasked(dialogue, heard, line);
        unasked.then(|| Evidence::of("no PASV or EPSV was waiting"))?
    }),
};

pub const INJECTED: Entry = Entry {
    id: "ftp-injected-reply",
    title: "A passive port that somebody else announced in the server's name",
    severity: Severity::High,
    helpers: FTP,
    wire: "227 or 229 to nobody's request in the one segment that came another way than all before it (hop limit, \
        interface, link-layer address); or 227 or 229 whose bytes read otherwise when the server sends them",
    alike: "a change of route between two ordinary replies; balancers, where packets come two ways all the time",
    references: &["https://github.com/regit/opensvp"],
    matcher: Matcher::Message(injected),
};

pub const ECHOED: Entry = Entry {
    id: "ftp-echoed-passive",
    title: "A passive port that the client made the server repeat",
    severity: Severity::High,
    helpers: FTP,
    wire: "a segment, or a line that ends in one, that begins with 227 or 229 and has the numbers of an earlier line of \
        the client's, as the argument of NLST or STAT; or such a segment within a longer reply while no PASV waits",
    alike: "a reply of one segment that quotes the command behind its code; PORT and 227 on one host",
    references: &[
        "VU#328867",
        "CVE-2000-0150",
        "CVE-2002-1978",
        "CVE-2002-1979",
    ],
    matcher: Matcher::Line(echoed),
};

pub const HIJACKED: Entry = Entry {
    id: "ftp-hijacked-passive",
    title: "Somebody else who came to the port that was announced to a client",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "a connection to the address and port of a 227 or 229 while it is expected, not from the client's address",
    alike: "a client with several addresses; a transfer between two servers (FXP); a scan of all ports",
    references: &["CVE-1999-0351", "RFC 2577, 8"],
    matcher: Matcher::Stranger(|expected, flow| {
        let client = expected.master.src;
        let other = flow.original.src;
        let is_passive = expected.direction == Direction::Reply;
        let port = flow.original.dport;
        let detail = || format!("{other} came to port {port}, which was announced to {client}");
        (is_passive && other != client).then(|| Evidence::with(detail(), [expected.packet]))?
    }),
};

pub const SCAN: Entry = Entry {
    id: "ftp-passive-scan",
    title: "Many ports announced, and no transfer",
    severity: Severity::Low,
    helpers: FTP,
    wire: "twenty expectations of one control connection to which nobody came, none to which anybody did, and no reply 125 \
        or 150",
    alike: "a download manager that probes; a monitor that asks for a port and goes no further",
    references: &["RFC 2577, 8"],
    matcher: Matcher::Closed(|dialogue, expected, why| {
        let tally = &dialogue.tally;
        let is_counted = matches!(why, Closed::TimedOut | Closed::Evicted);
        let unused = tally.expired + tally.evicted;
        let is_scan = is_counted && unused == MANY && tally.used == 0;
        if !is_scan || dialogue.ftp()?.transfers > 0 {
            return None;
        }
        let detail = format!("{unused} expectations, none of them used");
        Evidence::with(detail, [expected.packet])
    }),
};

fn is_unasked(dialogue: &Dialogue, heard: &Heard<'_>, line: &Line) -> bool {
    let is_answer = heard.direction == Direction::Reply && offer(dialogue, heard, line).is_some();
    let waits = dialogue
        .ftp()
        .is_some_and(|ftp| ftp.has_asked_for_passive());
    is_answer && !waits && dialogue.is_whole()
}

fn injected(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    if heard.direction != Direction::Reply {
        return None;
    }
    if let Some(announced) = dialogue.ftp()?.last_passive
        && heard.place.differs
        && heard.payload.len() > 1
    {
        return Evidence::with("the server's own bytes read otherwise", [announced]);
    }
    let side = &dialogue.sides[Direction::Reply.index()];
    let way = side.way?;
    let Other {
        interface,
        sender,
        hop_limit,
    } = side.other;
    let no_other = [interface, sender, hop_limit]
        .iter()
        .all(|&packets| packets <= 1);
    let is_the_one = way != heard.way && no_other && side.packets > ENOUGH;
    let unasked = || {
        heard
            .lines
            .iter()
            .any(|line| is_unasked(dialogue, heard, line))
    };
    if !is_the_one || !unasked() {
        return None;
    }
    let before = side.packets - 1;
    let mut detail = format!("{before} packets came one way, this one another");
    if way.hop_limit != heard.way.hop_limit {
        detail += &format!("; hop limit {}, not {}", heard.way.hop_limit, way.hop_limit);
    }
    if way.via != heard.way.via {
        detail += "; another sender on the link";
    }
    Evidence::of(detail)
}

fn echoed(dialogue: &Dialogue, heard: &Heard<'_>, line: &Line) -> Option<Evidence> {
    let ftp = dialogue.ftp()?;
    // What stands behind another line of its segment no helper takes for a reply.
    let may_be_read = line.at.is_none_or(|at| at == 0);
    if heard.direction != Direction::Reply || ftp.encrypted.is_some() || !may_be_read {
        return None;
    }
    let mut read = Offer::read(heard.direction, &line.text);
    if read.is_none() && line.at.is_none() {
        // The helper may take the rest of a line for a whole one.
        let rest = heard.payload.split(|byte| *byte == b'\n').next()?;
        read = Offer::read(heard.direction, rest);
    }
    let offer = read?;
    let verb = offer.verb.name();
    let holds = |said: &Vec<u8>| {
        Offer::read(Direction::Original, said).is_none()
            && said
                .windows(offer.text.len())
                .any(|part| part == offer.text)
    };
    if ftp.said.iter().any(holds) {
        return Evidence::of(format!("{verb} with numbers that the client said before"));
    }
    let begins_segment = line.at == Some(0);
    let is_quoted = ftp.within.is_some() && !ftp.has_asked_for_passive();
    let is_quoted = is_quoted && begins_segment && dialogue.is_whole();
    is_quoted.then(|| Evidence::of(format!("{verb} within a longer reply")))?
}

/// Packets that must have come one way before another is another.
const ENOUGH: u64 = 2;
/// Expectations that nobody used.
const MANY: u64 = 20;
