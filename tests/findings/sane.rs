use super::{Case, end, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::packet::words;

pub const CASES: &[Case] = &[Case {
    entry: "sane-service-port",
    shows: || {
        sane(&[
            (Client, &words(&START)),
            (Server, &words(&[0, 3306, 0x1234, 0])),
        ])
    },
    // The picture takes a password, which is asked for by the name of what it is for.
    passes: || {
        let asks = [&words(&[0, 0, 0, 8])[..], b"scanner\0"].concat();
        sane(&[(Client, &words(&START)), (Server, &asks)])
    },
    modules: &[],
}];

/// `SANE_NET_START`, of the first scanner.
const START: [u32; 2] = [7, 0];

/// A session, from its beginning: `SANE_NET_INIT`.
fn sane(talked: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let (asked, told) = (words(&[0, 0x0100_0003, 0]), words(&[0, 0x0100_0003]));
    let said = [&[(Client, &asked[..]), (Server, &told[..])], talked].concat();
    talk(end("192.0.2.11", 40000), end("203.0.113.21", 6566), &said)
}
