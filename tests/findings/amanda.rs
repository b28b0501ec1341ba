use super::{Case, end};
use crate::traffic::packet::udp;

pub const CASES: &[Case] = &[
    Case {
        entry: "amanda-service-port",
        shows: || answered("CONNECT DATA 22 MESG 50001 INDEX 50002\n"),
        // What a client takes that runs as root.
        passes: || answered("CONNECT DATA 850 MESG 851 INDEX 852\n"),
        modules: &[],
    },
    Case {
        entry: "amanda-port-wrap",
        // 65558 - 65536 = 22
        shows: || answered("CONNECT DATA 65558 MESG 50001 INDEX 50002\n"),
        passes: || answered("CONNECT DATA 65535 MESG 499999 INDEX 499998\n"),
        modules: &[],
    },
    Case {
        entry: "amanda-stream-number",
        shows: || answered("CONNECT DATA 50000 MESG 499999 INDEX 499998\n"),
        passes: || answered("CONNECT DATA 50000 MESG 50001 INDEX 50002\n"),
        modules: &[],
    },
];

/// A request for a backup, and the answer.
fn answered(connect: &str) -> Vec<Vec<u8>> {
    let (asker, host) = (end("192.0.2.11", 1010), end("203.0.113.21", 10080));
    let head = |kind| format!("Amanda 2.6 {kind} HANDLE 000-00000000 SEQ 1\n");
    vec![
        udp(asker, host, head("REQ").as_bytes()),
        udp(host, asker, (head("REP") + connect).as_bytes()),
    ]
}
