//! Which helpers the traffic needs, and why not.

use std::collections::{BTreeMap, BTreeSet};

use ctaudit::dialogue::Elsewhere;
use ctaudit::discovery::Discovery;
use ctaudit::exposure::Exposure;
use ctaudit::findings::{Found, Watch};
use ctaudit::helper::Modules;
use ctaudit::replay::{Clock, Replay};
use ctaudit::service::Sighting;
use ctaudit::verdict::{Danger, Grounds, Obstacle, Why, Worth};

use crate::findings::{end, open, packets, talk};
use crate::support::{capture, every_helper};
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::flow::{ACK, PSH, Rng, Side, Tcp};
use crate::traffic::packet::{End, udp};

/// What is said of the first service of a capture.
struct Said {
    worth: Worth,
    dangers: Vec<Danger>,
    frames: Vec<u64>,
    lacks: String,
}

/// IP packets, a second apart.
fn verdict(packets: Vec<Vec<u8>>) -> Said {
    let bytes = at_seconds((1..).zip(packets));
    let config = every_helper(Modules::default());
    let assignments = config.assignments.clone();
    let mut exposure = Exposure::new(&config);
    let mut watch = Watch::new(&config);
    let mut discovery = Discovery::default();
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
        watch.observe(&passage);
        discovery.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        exposure.finish(&step);
    }
    watch.finish();
    let mut found = Found::default();
    watch
        .findings
        .iter()
        .for_each(|finding| found.add(finding, true));
    let assigned = assignments
        .iter()
        .map(|assigned| (assigned.helper.name, assigned.helper.spec))
        .collect();
    let grounds = Grounds {
        exposure: &exposure,
        summaries: &watch.summaries,
        discovery: &discovery,
        findings: found.by_service(),
        assigned: &assigned,
        cannot_fire: &BTreeSet::new(),
    };
    let verdicts = grounds.verdicts();
    let verdict = &verdicts[0];
    Said {
        worth: verdict.worth.clone(),
        dangers: verdict.dangers.clone(),
        frames: verdict.frames(),
        lacks: verdict.lacks(),
    }
}

fn client(port: u16) -> End {
    end("192.0.2.11", port)
}

fn server(port: u16) -> End {
    end("203.0.113.21", port)
}

fn ftp(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    talk(client(40000), server(21), said)
}

fn once(first: u64) -> Sighting {
    Sighting { times: 1, first }
}

const PASSIVE: [(Side, &[u8]); 2] = [
    (Client, b"PASV\r\n"),
    (
        Server,
        b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
    ),
];
const GREETING: (Side, &[u8]) = (Server, b"220 ready\r\n");

#[test]
fn a_flow_that_came_for_an_expectation_makes_it_needed() {
    let control = ftp(&[&[GREETING], &PASSIVE[..]].concat());
    let data = packets(open(client(40001), server(40000)));
    let said = verdict([control, data].concat());
    assert_eq!(said.worth, Worth::Needed);
    assert_eq!((said.frames, said.dangers), (vec![7], vec![]));
    assert_eq!(said.lacks, "");
}

#[test]
fn nobody_came() {
    let said = verdict(ftp(&[&[GREETING], &PASSIVE[..]].concat()));
    assert_eq!(said.worth, Worth::Inert(Why::NobodyCame));
}

#[test]
fn encrypted_and_no_data_seen() {
    let said = verdict(ftp(&[
        GREETING,
        (Client, b"AUTH TLS\r\n"),
        (Server, b"234 go ahead\r\n"),
        (Client, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"),
    ]));
    assert_eq!(said.worth, Worth::Inert(Why::Encrypted(once(6))));
    assert_eq!(said.frames, [6]);
}

/// The server refused, and all goes on in the clear.
#[test]
fn a_refused_auth_encrypts_nothing() {
    let said = verdict(ftp(&[
        GREETING,
        (Client, b"AUTH TLS\r\n"),
        (Server, b"502 no\r\n"),
        (Client, b"NOOP\r\n"),
    ]));
    assert_eq!(said.worth, Worth::Inert(Why::NothingAsked));
}

/// Two data connections, and two to other control ports of the same server, of which one has a helper.
#[test]
fn encrypted_and_data_beside_it() {
    let control = ftp(&[
        GREETING,
        (Client, b"AUTH TLS\r\n"),
        (Server, b"234 go ahead\r\n"),
    ]);
    let data = |port| packets(open(client(50000), server(port)));
    let other = |port| {
        talk(
            client(40009),
            server(port),
            &[GREETING, PASSIVE[0], PASSIVE[1]],
        )
    };
    let said = verdict([control, data(50010), data(50040), other(4559), other(2121)].concat());
    let obstacle = Obstacle::Encrypted {
        seen: once(6),
        passive: BTreeMap::from([(50010, once(7)), (50040, once(10))]),
        active: Sighting::default(),
    };
    assert_eq!(said.worth, Worth::CannotHelp(obstacle));
    assert_eq!(said.frames, [6, 7, 10]);
}

/// The server opens them from its data port; another port of the server's is something else.
#[test]
fn encrypted_and_active_data_beside_it() {
    let control = ftp(&[
        GREETING,
        (Client, b"AUTH TLS\r\n"),
        (Server, b"234 go ahead\r\n"),
    ]);
    let data = packets(open(server(20), client(50010)));
    let other = packets(open(server(2020), client(50011)));
    let said = verdict([control, data, other].concat());
    let obstacle = Obstacle::Encrypted {
        seen: once(6),
        passive: BTreeMap::new(),
        active: once(7),
    };
    assert_eq!(said.worth, Worth::CannotHelp(obstacle));
}

/// A connection that is open already tells nothing of what it is, though an expectation fits it.
#[test]
fn a_flow_that_had_begun_before_the_capture_is_no_evidence() {
    let control = ftp(&[&[GREETING], &PASSIVE[..]].concat());
    let mut old = Tcp::new(&mut Rng::with_seed(1), client(40001), server(40000));
    old.say(Client, b"data");
    old.say(Server, b"");
    let said = verdict([control, packets(old)].concat());
    assert_eq!(said.worth, Worth::Inert(Why::BegunBefore(once(7))));
    assert_eq!(said.lacks, "1 related flow begun before it");
}

const READ: &[u8] = b"\x00\x01pxelinux.0\x00octet\x00";

#[test]
fn nobody_answered() {
    let said = verdict(vec![udp(client(40000), server(69), READ)]);
    assert_eq!(said.worth, Worth::Inert(Why::NobodyCame));
    let syn = ftp(&[]).into_iter().take(1);
    assert_eq!(verdict(syn.collect()).worth, Worth::Inert(Why::Unanswered));
}

/// A server with two addresses answers from the one that it was not asked at.
#[test]
fn answered_from_elsewhere() {
    let elsewhere = end("203.0.113.22", 33000);
    let said = verdict(vec![
        udp(client(40000), server(69), READ),
        udp(elsewhere, client(40000), b"\x00\x03\x00\x01data"),
    ]);
    let obstacle = Obstacle::AnsweredElsewhere {
        elsewhere: Elsewhere {
            from: elsewhere.address,
            expected: server(69).address,
            class: 0,
            seen: once(2),
        },
        wider: None,
    };
    assert_eq!(said.worth, Worth::CannotHelp(obstacle));
}

#[test]
fn the_port_carries_something_else() {
    let said = verdict(ftp(&[
        (Client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (Server, b"HTTP/1.1 200 OK\r\n\r\n"),
    ]));
    assert_eq!(
        said.worth,
        Worth::Inert(Why::Carries("HTTP", Sighting { times: 2, first: 4 }))
    );
}

#[test]
fn every_command_was_declined() {
    let said = verdict(ftp(&[
        GREETING,
        (Client, b"USER x\r\n"),
        (Client, b"PORT 198,51,100,99,156,64\r\n"),
    ]));
    let Worth::Inert(Why::Declined(reason, seen)) = said.worth else {
        panic!("{:?}", said.worth)
    };
    assert_eq!(
        (reason, seen),
        ("names an address that is not the speaker's", once(6))
    );
}

#[test]
fn nothing_was_said() {
    assert_eq!(verdict(ftp(&[])).worth, Worth::Inert(Why::Silent));
}

/// Of an asymmetric path the firewall sees one half: conntrack never hears an answer.
#[test]
fn one_direction_alone_passes() {
    let all = ftp(&[GREETING, (Client, b"USER x\r\n"), (Client, b"PASV\r\n")]);
    // The capture begins behind the handshake; the greeting goes another way.
    let seen = all.into_iter().enumerate().filter(|(at, _)| *at > 3);
    let said = verdict(seen.map(|(_, packet)| packet).collect());
    assert_eq!(said.worth, Worth::CannotHelp(Obstacle::OneSided(once(1))));
    assert_eq!(said.lacks, "1 of 1 begin before it, 1 of 1 one way only");
}

/// What nobody can expect of one end alone: DCC lets in anybody.
#[test]
fn open_to_anybody_is_dangerous() {
    let said = verdict(talk(
        client(40000),
        server(6667),
        &[
            (Client, b"NICK a\r\nUSER a 0 * :a\r\n"),
            (Server, b":x 001 a :hi\r\n"),
            (
                Client,
                b"PRIVMSG b :\x01DCC SEND f 3221225995 40000\x01\r\n",
            ),
            (Server, b":x PONG x\r\n"),
        ],
    ));
    // The fourth message comes a second later, and with it the capture ends.
    let open = std::time::Duration::from_secs(1);
    assert_eq!(said.dangers, [Danger::OpenToAnybody(open)]);
    assert_eq!(said.worth, Worth::Inert(Why::NobodyCame));
}

#[test]
fn what_the_capture_lacks_stands_beside_the_verdict() {
    let mut connection = Tcp::new(&mut Rng::with_seed(1), client(40000), server(21));
    connection.say(Client, b"NOOP\r\n");
    connection.say(Server, b"200 fine\r\n");
    let lost = connection.next(Server).wrapping_add(100);
    connection.send_at(Server, lost, PSH | ACK, b"200 fine\r\n");
    let said = verdict(packets(connection));
    assert_eq!(said.lacks, "1 of 1 begin before it, 100 bytes lost");
}

/// Behind a SYN whose answer went another way conntrack calls INVALID whatever the client sends.
#[test]
fn the_answer_to_the_syn_went_another_way() {
    let all = ftp(&[GREETING, (Client, b"USER x\r\n"), (Client, b"PASV\r\n")]);
    let halves = all.into_iter().enumerate();
    let seen = halves.filter(|(at, _)| ![1, 3].contains(at));
    let said = verdict(seen.map(|(_, packet)| packet).collect());
    assert_eq!(said.worth, Worth::CannotHelp(Obstacle::OneSided(once(1))));
    assert_eq!(said.lacks, "1 of 1 one way only");
}

/// The telephone at 192.0.2.11 calls by way of a proxy, and the media come from where the proxy says that nobody is.
#[test]
fn media_from_a_third_host_need_another_setting() {
    let (phone, proxy) = (end("192.0.2.11", 5060), end("203.0.113.21", 5060));
    let invite = "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: 62\r\n\r\n\
                  v=0\r\nc=IN IP4 192.0.2.11\r\nm=audio 7000 RTP/AVP 0\r\n";
    let media = end("203.0.113.99", 9000);
    let said = verdict(vec![
        udp(phone, proxy, invite.as_bytes()),
        udp(media, end("192.0.2.11", 7000), b"\x80"),
    ]);
    let Worth::CannotHelp(obstacle) = said.worth else {
        panic!("{:?}", said.worth)
    };
    let instead = "nf_conntrack_sip.sip_direct_media=0, which lets in anybody";
    assert_eq!(obstacle.instead(), instead);
}

/// A gateway describes media of its media processor, which speaks first: nothing comes to where somebody is expected.
#[test]
fn media_of_a_third_host_are_not_believed() {
    let (phone, gateway) = (end("192.0.2.11", 5060), end("203.0.113.21", 5060));
    let invite = "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: 64\r\n\r\n\
                  v=0\r\nc=IN IP4 203.0.113.99\r\nm=audio 7000 RTP/AVP 0\r\n";
    let said = verdict(vec![
        udp(
            phone,
            gateway,
            b"OPTIONS sip:b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n",
        ),
        udp(gateway, phone, invite.as_bytes()),
        udp(end("203.0.113.99", 7000), end("192.0.2.11", 9000), b"\x80"),
    ]);
    let obstacle = Obstacle::NamesOthers {
        seen: once(2),
        wider: ("nf_conntrack_sip.sip_direct_media", 0),
    };
    assert_eq!(said.worth, Worth::CannotHelp(obstacle));
}
