use super::{Case, end, talk};
use crate::traffic::flow::Side::{self, Client, Server};

pub const CASES: &[Case] = &[Case {
    entry: "ftp-unasked-passive",
    // opensvp speaks right behind the greeting.
    shows: || ftp(&[(Server, b"227 Entering Passive Mode (203,0,113,21,0,22)\r\n")]),
    passes: || {
        ftp(&[
            (Client, b"PASV\r\n"),
            (
                Server,
                b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
            ),
        ])
    },
    modules: &[],
}];

/// A session, from the greeting on.
fn ftp(said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let greeting = [(Server, &b"220 ready\r\n"[..])];
    let (client, server) = (end("192.0.2.11", 40000), end("203.0.113.21", 21));
    talk(client, server, &[&greeting, said].concat())
}
