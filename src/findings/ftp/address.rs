//! Whom an offer names, and which of its ports.

use std::net::IpAddr;

use super::{FTP, offer};
use crate::dialogue::{Dialogue, Heard, Line, Offer};
use crate::findings::place::{
    are_neighbours, ends, is_nobodys, is_private, opened, opened_service,
};
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::tuple::{Direction, Tuple};

pub const BOUNCE: Entry = Entry {
    id: "ftp-bounce",
    title: "A client that sends the server's data connection to a third host",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "PORT or EPRT with an address that is neither the client's nor one that a translation of addresses explains",
    alike: "a transfer between two servers at the wish of a client (FXP); a client with several public addresses",
    references: &["CVE-1999-0017", "RFC 2577, 3"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let (offer, named) = foreign(dialogue, heard, line)?;
        let is_bounce = named.is(Named::Third) && heard.direction == Direction::Original;
        is_bounce.then(|| told(&offer, named.address))?
    }),
};

pub const BOUNCE_OPENED: Entry = Entry {
    id: "ftp-bounce-opened",
    title: "A hole to a third host, opened because nf_conntrack_ftp.loose is set",
    severity: Severity::High,
    helpers: FTP,
    wire: "PORT, EPRT or 227 with a third host's address, and an expectation that leads there",
    alike: "a transfer between two servers, for which loose=1 is meant; an end behind a translation of addresses",
    references: &["CVE-2001-0405", "CVE-1999-0017"],
    matcher: Matcher::Expected(|_, heard, record| {
        let address = record.expectation.dst_addr.value;
        let named = Foreign::of(address, &record.master, heard.direction)?;
        named
            .is(Named::Third)
            .then(|| Evidence::of(opened(record)))?
    }),
};

pub const PRIVATE_ADDRESS: Entry = Entry {
    id: "ftp-private-address",
    title: "An address from the other side of a translation of addresses",
    severity: Severity::Note,
    helpers: FTP,
    wire: "PORT, EPRT or 227 with a private address from a public one, or the other way round, or of another private \
        network: nobody on the way rewrote it, and the helper expects nothing",
    alike: "a bounce into the private network of the other end, which is told apart by that end's own address",
    references: &["RFC 1579", "RFC 3027"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let (offer, named) = foreign(dialogue, heard, line)?;
        named
            .is(Named::Translated)
            .then(|| told(&offer, named.address))?
    }),
};

pub const PASSIVE_ELSEWHERE: Entry = Entry {
    id: "ftp-passive-elsewhere",
    title: "A server that sends its client to a third host",
    severity: Severity::Low,
    helpers: FTP,
    wire: "227 with an address that is neither the server's nor one that a translation of addresses explains",
    alike: "a server with several public addresses, or many servers behind one",
    references: &["CVE-2007-1562", "CVE-2020-8284", "CVE-2021-4189"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let (offer, named) = foreign(dialogue, heard, line)?;
        let is_elsewhere = named.is(Named::Third) && heard.direction == Direction::Reply;
        is_elsewhere.then(|| told(&offer, named.address))?
    }),
};

pub const SERVICE_PORT: Entry = Entry {
    id: "ftp-service-port",
    title: "A hole to the port of a service",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "PORT, EPRT, 227 or 229 with a port below 1024 or one that a service is known by, and an expectation that \
        leads there",
    alike: "an active data connection from port 20, which is where it comes from; a client that counts its ports up \
        and has come to that one",
    references: &["https://github.com/regit/opensvp", "RFC 2577, 3"],
    matcher: Matcher::Expected(|_, heard, record| {
        let port = opened_service(record)?;
        let own = record.master.sport;
        let counts = heard.direction == Direction::Original && port >= 1024 && own >= 1024;
        if counts && port.abs_diff(own) <= NEXT_PORTS {
            return None;
        }
        Evidence::of(opened(record))
    }),
};

/// What an address that is not the speaker's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// The speaker may well be called so on the other side of a translation.
    Translated,
    Third,
}

#[derive(Clone, Copy, Debug)]
struct Foreign {
    address: IpAddr,
    named: Named,
}

impl Foreign {
    /// `None` for the speaker's own address.
    fn of(address: IpAddr, original: &Tuple, direction: Direction) -> Option<Self> {
        let (speaker, listener) = ends(original, direction);
        // Another family is another matter.
        if address == speaker || address.is_ipv4() != speaker.is_ipv4() {
            return None;
        }
        let private = [address, speaker].map(is_private);
        let translates = match private {
            [false, false] => false,
            [true, true] => !are_neighbours(address, speaker),
            _ => true,
        };
        let is_beside_listener = address == listener
            || is_private(address) && are_neighbours(address, listener)
            || is_nobodys(address);
        // A server that knows no better says 0.0.0.0 or 127.0.0.1, which leads its client nowhere else.
        let knows_no_better = direction == Direction::Reply && is_nobodys(address);
        let named = if knows_no_better || translates && !is_beside_listener {
            Named::Translated
        } else {
            Named::Third
        };
        Some(Self { address, named })
    }

    fn is(&self, named: Named) -> bool {
        self.named == named
    }
}

fn foreign<'l>(
    dialogue: &Dialogue,
    heard: &Heard<'_>,
    line: &'l Line,
) -> Option<(Offer<'l>, Foreign)> {
    let offer = offer(dialogue, heard, line)?;
    let foreign = Foreign::of(offer.address?, &dialogue.original, heard.direction)?;
    Some((offer, foreign))
}

fn told(offer: &Offer<'_>, address: IpAddr) -> Option<Evidence> {
    let port = offer
        .port
        .map_or("no port".into(), |port| format!("port {port}"));
    Evidence::of(format!("{} names {address}, {port}", offer.verb.name()))
}

/// How far a client's next ports may be from that of its control connection.
const NEXT_PORTS: u16 = 256;
