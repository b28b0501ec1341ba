//! Ports that a server announces.

use super::{OWN_PASSIVE, found, ftp, greeted, injected, session, visited};
use crate::findings::packets;
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::flow::{ACK, PSH};
use crate::traffic::packet::seal;

#[test]
fn one_reply_too_many_is_no_answer_to_a_passive_command() {
    let said = [
        (Client, &b"PASV\r\n"[..]),
        (Server, b"226 Transfer complete\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert!(found(session(&said)).is_empty());
}

/// The PASV may be in what the snap length took.
#[test]
fn what_was_cut_off_may_have_been_asked() {
    let long = [&b"SITE "[..], &[b'x'; 100], b"\r\nPASV\r\n"].concat();
    let said = [
        (Client, &long[..]),
        (Server, OWN_PASSIVE),
        (Client, b"QUIT\r\n"),
    ];
    for cut in [0, 20] {
        let mut packets = session(&said);
        let at = packets.len() - 3;
        let kept = packets[at].len() - cut;
        packets[at].truncate(kept);
        assert!(found(packets).is_empty(), "{cut}");
    }
}

#[test]
fn a_refused_passive_command_waits_for_nothing() {
    let said = [
        (Client, &b"PASV\r\n"[..]),
        (Server, b"502 No\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert_eq!(found(session(&said)), ["ftp-unasked-passive"]);
}

#[test]
fn the_true_servers_bytes_give_an_injected_reply_away() {
    let mut connection = greeted();
    let sequence = connection.next(Server);
    connection.say(Server, b"227 Entering Passive Mode (203,0,113,21,0,22)\r\n");
    connection.say(Client, b"USER anonymous\r\n");
    connection.send_at(Server, sequence, PSH | ACK, b"331 Password\r\n");
    let found = found(packets(connection));
    assert!(found.contains(&"ftp-injected-reply"), "{found:?}");
}

#[test]
fn a_balancer_sends_from_everywhere() {
    let mut packets = injected(61);
    // Not the one packet, but one among several.
    let greeting = &mut packets[3];
    greeting[8] = 61;
    seal(&mut greeting[..20]);
    assert_eq!(found(packets), ["ftp-service-port", "ftp-unasked-passive"]);
}

#[test]
fn a_file_name_within_a_listing_is_no_reply() {
    let name = b"227 Entering Passive Mode (203,0,113,21,0,23)\r\n";
    let said = [
        (Client, &b"STAT drop\r\n"[..]),
        (Server, b"213-Status follows:\r\n"),
        (Server, name),
        (Server, b"213 End of status\r\n"),
    ];
    assert!(found(session(&said)).contains(&"ftp-echoed-passive"));
    // In one segment the helper sees nothing of it.
    let reply = [said[1].1, name, said[3].1].concat();
    assert!(found(session(&[said[0], (Server, &reply)])).is_empty());
}

#[test]
fn a_reply_without_its_end_does_not_hide_an_ordinary_answer() {
    let said = [
        (Client, &b"USER a\r\n"[..]),
        (Server, b"230-Welcome\r\n"),
        (Client, b"PASV\r\n"),
        (Server, OWN_PASSIVE),
    ];
    assert!(found(ftp(&said)).is_empty());
}

#[test]
fn a_stranger_elsewhere_is_nobodys_concern() {
    assert!(found(visited("198.51.100.66", 40_001)).is_empty());
}
