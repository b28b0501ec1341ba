//! Whom an offer names, and in which numbers.

use ctaudit::findings::Severity;

use super::{GREETING, LOGIN, client, detail, found, passive, server, session};
use crate::findings::{end, findings, firewall, talk};
use crate::traffic::flow::Side::{Client, Server};

#[test]
fn a_bounce_into_the_servers_own_network_is_no_translation() {
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 10,0,0,7,0,25\r\n")],
    ]
    .concat();
    assert_eq!(
        found(talk(client(), end("10.0.0.21", 21), &said)),
        ["ftp-bounce"]
    );
    assert_eq!(
        found(talk(client(), end("10.9.0.21", 21), &said)),
        ["ftp-private-address"]
    );
}

#[test]
fn a_bounce_to_the_server_itself_and_to_its_loopback() {
    for command in [
        &b"PORT 203,0,113,21,0,25\r\n"[..],
        b"EPRT |1|127.0.0.1|25|\r\n",
    ] {
        assert_eq!(found(session(&[(Client, command)])), ["ftp-bounce"]);
    }
}

#[test]
fn a_client_behind_a_translation_may_know_its_public_address() {
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 198,51,100,9,200,1\r\n")],
    ]
    .concat();
    let packets = talk(end("192.168.1.5", 40_000), server(), &said);
    assert_eq!(found(packets), ["ftp-private-address"]);
}

#[test]
fn a_server_that_does_not_know_its_address_is_a_note() {
    for own in ["10,1,2,3", "127,0,0,1", "0,0,0,0"] {
        let answer = format!("227 Entering Passive Mode ({own},156,64)\r\n");
        assert_eq!(found(passive(answer.as_bytes())), ["ftp-private-address"]);
    }
}

#[test]
fn a_client_that_counts_its_ports_comes_to_a_services_port() {
    // 13 * 256 + 61 = 3389
    let said = [
        &[GREETING][..],
        &LOGIN,
        &[(Client, b"PORT 192,0,2,11,13,61\r\n")],
    ]
    .concat();
    assert!(found(talk(end("192.0.2.11", 3380), server(), &said)).is_empty());
    assert_eq!(found(talk(client(), server(), &said)), ["ftp-service-port"]);
}

#[test]
fn a_service_may_be_announced_in_any_of_the_ways() {
    for (asked, answer) in [
        (&b"PASV\r\n"[..], &b"227 =203,0,113,21,0,22\r\n"[..]),
        (
            b"EPSV\r\n",
            b"229 Entering Extended Passive Mode (|||22|)\r\n",
        ),
    ] {
        let said = [(Client, asked), (Server, answer)];
        assert_eq!(found(session(&said)), ["ftp-service-port"]);
    }
    let command = (Client, &b"EPRT |1|192.0.2.11|22|\r\n"[..]);
    assert_eq!(found(session(&[command])), ["ftp-service-port"]);
}

#[test]
fn numbers_and_how_they_are_read() {
    let entry = "ftp-number-tricks";
    let said = |command: &'static [u8]| session(&[(Client, command)]);
    let read = detail(said(b"PORT 192,0,2,11,256,22\r\n"), entry);
    assert!(read.contains("256") && read.contains("port 22 "), "{read}");
    // 65558 - 65536
    let read = detail(said(b"EPRT |1|192.0.2.11|65558|\r\n"), entry);
    assert!(
        read.contains("65558") && read.contains("port 22 "),
        "{read}"
    );
    let read = detail(said(b"PORT 192,0,2,010,156,64\r\n"), entry);
    assert!(read.contains("reads 10") && read.contains("is 8"), "{read}");
    let read = detail(said(b"PORT 192,0,2,11,,22\r\n"), entry);
    assert!(read.contains("empty"), "{read}");
    let read = detail(said(b"PORT 192,0,2,11,156,64,1\r\n"), entry);
    assert!(read.starts_with("PORT: 7 numbers"), "{read}");
}

#[test]
fn numbers_that_are_merely_filled_up() {
    let command = (Client, &b"PORT 192,000,002,011,156,064\r\n"[..]);
    assert!(found(session(&[command])).is_empty());
    // 001 is 1 to everybody.
    let command = (Client, &b"PORT 192,0,02,11,156,64\r\n"[..]);
    assert!(found(session(&[command])).is_empty());
}

#[test]
fn punctuation_around_the_numbers_is_none_of_them() {
    let answer = b"227 Entering Passive Mode, 203,0,113,21,156,64,\r\n";
    assert!(found(passive(answer)).is_empty());
}

#[test]
fn a_port_without_its_last_digit_is_read_by_the_helper_alone() {
    let command = (Client, &b"PORT 192,0,2,11,156,\r\n"[..]);
    assert_eq!(found(session(&[command])), ["ftp-number-tricks"]);
}

#[test]
fn a_server_that_knows_no_better_opens_nothing_to_a_third_host() {
    let loose = || firewall(&["nf_conntrack_ftp.loose=1"]);
    let opened = |answer| {
        findings(passive(answer), loose())
            .iter()
            .any(|finding| finding.entry.severity == Severity::High)
    };
    assert!(!opened(b"227 Entering Passive Mode (127,0,0,1,156,64)\r\n"));
    assert!(opened(
        b"227 Entering Passive Mode (198,51,100,9,156,64)\r\n"
    ));
}
