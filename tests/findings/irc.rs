use super::{Case, end, findings, firewall, open, packets, talk};
use crate::traffic::flow::Side::{self, Client, Server};

pub const CASES: &[Case] =
    &[
        Case {
            entry: "irc-dcc-off-position",
            // The server has the client say what opens the port.
            shows: || {
                irc(&[
                    (Server, b"PING :x \x01DCC SEND a 3221225995 5000\x01\r\n"),
                    (Client, b"PONG :x \x01DCC SEND a 3221225995 5000\x01\r\n"),
                ])
            },
            passes: || {
                irc(&[
                    (Server, b"PING :irc.example\r\n"),
                    (Client, b"PONG :irc.example\r\n"),
                    (
                        Client,
                        b"@label=1 privmsg friend,other :\x01DCC SEND a 3221225995 5000\x01\r\n",
                    ),
                ])
            },
            modules: &[],
        },
        Case {
            entry: "irc-dcc-mid-line",
            // So long a PING that its echo needs two segments, the second of which begins with what looks like an offer.
            shows: || {
                let filler = [b'x'; 1400];
                let offer = b"PRIVMSG a :\x01DCC SEND a 3221225995 5000\x01\r\n";
                irc(&[
                    (Server, &[b"PING :", &filler[..], offer].concat()),
                    (Client, &[b"PONG :", &filler[..]].concat()),
                    (Client, offer),
                ])
            },
            passes: || {
                irc(&[
                    (Client, b"PRIV"),
                    (
                        Client,
                        b"MSG friend :\x01DCC SEND a 3221225995 5000\x01\r\n",
                    ),
                    (
                        Client,
                        b"PRIVMSG friend :\x01DCC SEND a 3221225995 5001\x01\r\n",
                    ),
                ])
            },
            modules: &[],
        },
        Case {
            entry: "irc-from-browser",
            shows: || {
                said(&[
                (
                    Client,
                    b"POST / HTTP/1.1\r\nHost: irc.example:6667\r\nContent-Type: text/plain\r\n\
                      Content-Length: 54\r\n\r\n",
                ),
                (Client, b"PRIVMSG samy :\x01DCC CHAT samy 3221225995 5000\x01\r\n"),
            ])
            },
            passes: || {
                said(&[
                    (Client, b"GET / HTTP/1.1\r\nHost: irc.example:6667\r\n\r\n"),
                    (Server, b":irc.example 451 * :You have not registered\r\n"),
                ])
            },
            modules: &[],
        },
        Case {
            entry: "irc-unregistered",
            // opensvp's client: nothing but the offer.
            shows: || said(&[(Client, OFFER)]),
            passes: || irc(&[(Client, OFFER)]),
            modules: &[],
        },
        Case {
            entry: "irc-foreign-address",
            // 192.0.2.12
            shows: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3221225996 5000\x01\r\n",
                )])
            },
            // 192.168.1.2
            passes: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3232235778 5000\x01\r\n",
                )])
            },
            modules: &[],
        },
        Case {
            entry: "irc-translated-address",
            shows: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3232235778 5000\x01\r\n",
                )])
            },
            // Whoever is asked shall listen: the port is 0, and a token stands behind the size.
            passes: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3232235778 0 1234 77\x01\r\n",
                )])
            },
            modules: &[],
        },
        Case {
            entry: "irc-service-port",
            shows: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3221225995 3306\x01\r\n",
                )])
            },
            passes: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3221225995 0 22 77\x01\r\n",
                )])
            },
            modules: &[],
        },
        Case {
            entry: "irc-port-wrap",
            // 65558 - 65536 = 22
            shows: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3221225995 65558\x01\r\n",
                )])
            },
            passes: || {
                irc(&[(
                    Client,
                    b"PRIVMSG friend :\x01DCC SEND a 3221225995 65535 65558\x01\r\n",
                )])
            },
            modules: &[],
        },
        Case {
            entry: "irc-unterminated",
            shows: || irc(&[(Client, b"PRIVMSG friend :\x01DCC SEND a 3221225995 500")]),
            passes: || irc(&[(Client, b"PRIVMSG friend :\x01DCC SEND a 3221225995 500\r\n")]),
            modules: &[],
        },
    ];

/// 192.0.2.11 is 3221225995.
const OFFER: &[u8] = b"PRIVMSG friend :\x01DCC SEND a 3221225995 5000\x01\r\n";

/// A session, from the registration on.
fn irc(talked: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let welcome = [
        (Client, &b"NICK me\r\nUSER me 0 * :Me\r\n"[..]),
        (Server, &b":irc.example 001 me :Welcome\r\n"[..]),
    ];
    said(&[&welcome, talked].concat())
}

fn said(talked: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    talk(end("192.0.2.11", 40000), end("203.0.113.21", 6667), talked)
}

fn ids(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let found = findings(packets, firewall(&[]));
    found.iter().map(|finding| finding.entry.id).collect()
}

#[test]
fn ordinary_offers_are_not_found() {
    for offer in [
        OFFER,
        b"NOTICE friend :\x01DCC SEND a 3221225995 5000\x01\r\n",
        b"CPRIVMSG friend #channel :\x01DCC SEND a 3221225995 5000\x01\r\n",
        // A name with spaces, which the helper takes for several words.
        b"PRIVMSG friend :\x01DCC SEND \"my 2nd file\" 3221225995 5000 99999\x01\r\n",
        b"PRIVMSG friend :\x01DCC SEND my 2 70000 file 3221225995 5000\x01\r\n",
        b"PRIVMSG friend :\x01DCC CHAT chat 2001:db8::1 5000\x01\r\n",
        b"PRIVMSG friend :\x01DCC CHAT chat 192.0.2.11 5000\x01\r\n",
        b"PRIVMSG friend :I was told to send DCC SEND a 1 2\r\n",
    ] {
        let found = ids(irc(&[(Client, offer)]));
        assert!(
            found.is_empty(),
            "{}: {found:?}",
            String::from_utf8_lossy(offer)
        );
    }
}

#[test]
fn the_ping_that_asked_for_it_is_told() {
    let packets = irc(&[
        (
            Server,
            b":irc.example PING :\x01DCC CHAT a 3221225995 5000\x01\r\n",
        ),
        (Client, b"PONG :\x01DCC CHAT a 3221225995 5000\x01\r\n"),
    ]);
    let found = findings(packets, firewall(&[]));
    // Behind the handshake and the two messages of the registration.
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].frame, &found[0].evidence.frames[..]),
        (7, &[6][..])
    );
}

#[test]
fn a_line_whose_end_was_not_captured_does_not_go_on() {
    let long = [b"PRIVMSG friend :hello", &[b'o'; 200][..], b"\r\n"].concat();
    let mut packets = irc(&[(Client, &long), (Client, OFFER)]);
    let cut = packets.len() - 2;
    packets[cut].truncate(100);
    assert!(ids(packets).is_empty());
}

/// The helper passes over blanks, and over the end of the line before.
#[test]
fn blanks_hide_no_middle_of_a_line() {
    let second = |blanks: &str| {
        let offer = format!("{blanks}PRIVMSG a :\x01DCC SEND a 3221225995 5000\x01\r\n");
        let found = ids(irc(&[(Client, b"PONG :xxxx"), (Client, offer.as_bytes())]));
        found.contains(&"irc-dcc-mid-line")
    };
    assert!(second("  "));
    assert!(!second("\r\n"));
}

/// A line with NUL in it is none of IRC's; a browser and the helper care little.
#[test]
fn nul_hides_nothing() {
    let offer = b"PONG :\0 \x01DCC SEND a 3221225995 5000\x01\r\n";
    assert_eq!(ids(irc(&[(Client, offer)])), ["irc-dcc-off-position"]);
}

#[test]
fn who_registered_before_the_capture_began_is_not_blamed() {
    let mut connection = open(end("192.0.2.11", 40000), end("203.0.113.21", 6667));
    connection.steps.clear();
    connection.say(Server, b":irc.example NOTICE me :hello\r\n");
    connection.say(Client, OFFER);
    assert!(ids(packets(connection)).is_empty());
}
