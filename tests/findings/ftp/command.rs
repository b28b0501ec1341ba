//! Commands, and the control connection itself.

use super::{OWN_PASSIVE, client, found, ftp, greeted, passive, server, visited};
use crate::findings::{packets, talk};
use crate::traffic::flow::ACK;
use crate::traffic::flow::Side::{Client, Server};

#[test]
fn an_ordinary_session_shows_nothing() {
    assert!(found(passive(OWN_PASSIVE)).is_empty());
    assert!(found(visited("192.0.2.11", 40_000)).is_empty());
}

#[test]
fn a_login_without_a_password_is_one() {
    let said = [
        (Client, &b"USER a\r\n"[..]),
        (Server, b"230 Welcome\r\n"),
        (Client, b"PORT 192,0,2,11,156,64\r\n"),
    ];
    assert!(found(ftp(&said)).is_empty());
}

#[test]
fn a_keep_alive_probe_rewrites_nothing() {
    let mut connection = greeted();
    let before = connection.next(Server).wrapping_sub(1);
    connection.send_at(Server, before, ACK, b"\0");
    assert!(found(packets(connection)).is_empty());
}

#[test]
fn tls_from_the_first_byte_on_is_encrypted_and_no_other_protocol() {
    let hello = (Client, &b"\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03"[..]);
    let answer = (Server, &b"\x16\x03\x03\0\x06\x02\0\0\x02\x03\x03"[..]);
    let found = found(talk(client(), server(), &[hello, answer]));
    assert_eq!(found, ["ftp-encrypted"]);
}

#[test]
fn what_is_encrypted_is_not_read() {
    let said = [
        (Client, &b"AUTH TLS\r\n"[..]),
        (Server, b"234 Proceed\r\n"),
        (Client, b"PORT 198,51,100,25,256,25\r\n"),
    ];
    assert_eq!(found(ftp(&said)), ["ftp-encrypted"]);
}
