//! The state table of TCP (`tcp_conntracks` in net/netfilter/nf_conntrack_proto_tcp.c), each row argued.

use super::State;
use crate::tuple::Direction;

/// What a packet does to the state: the row of the table. The order decides when several flags are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// FIN, with ACK or without.
    Fin,
    /// ACK without the three above.
    Ack,
    /// RST, whatever else is set.
    Rst,
    /// No flag that the table has a row for.
    #[default]
    None,
}

/// A cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The connection's new state.
    State(State),
    /// Let it through and do not believe it.
    Ignore,
    /// It is INVALID, and changes nothing.
    Invalid,
}

/// The state after a packet of this kind.
pub fn next_state(direction: Direction, kind: Kind, state: State) -> Next {
    match kind {
        Kind::None => Next::Invalid,
        _ => TABLE[direction.index()][kind as usize][state as usize],
    }
}

/// Direction, kind (without `Kind::None`, which is always invalid), state.
///
/// "Original" is the direction of the packet that opened the conntrack, mostly the client's.
#[rustfmt::skip]
const TABLE: [[[Next; 10]; 5]; 2] = {
    use Next::{Ignore as IG, Invalid as IV};
    const SS: Next = Next::State(State::SynSent);
    const SR: Next = Next::State(State::SynRecv);
    const ES: Next = Next::State(State::Established);
    const FW: Next = Next::State(State::FinWait);
    const CW: Next = Next::State(State::CloseWait);
    const LA: Next = Next::State(State::LastAck);
    const TW: Next = Next::State(State::TimeWait);
    const CL: Next = Next::State(State::Close);
    const S2: Next = Next::State(State::SynSent2);
    [
        [
            // NONE SS  SR  ES  FW  CW  LA  TW  CL  S2
            // SYN: opens, or is repeated before anybody answered. Once there was an answer it may open a
            // connection of which we do not know that the old one is over, so it is let through unbelieved.
            // After TIME_WAIT and CLOSE the tuple may be used again.
            [   SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
            // SYN/ACK: from the caller only in a simultaneous open.
            [   IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
            // FIN: the first closes one half, the second the other.
            [   IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
            // ACK: the first without a SYN is a connection picked up in the middle. After a FIN it acknowledges
            // that FIN, whichever end sent it.
            [   ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
            // RST: closes, if `reset` believes it.
            [   IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
        [
            // NONE SS  SR  ES  FW  CW  LA  TW  CL  S2
            // SYN: both called at once; or the other end opens the old tuple anew.
            [   IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
            // SYN/ACK: the answer; later it may answer a SYN that we ignored.
            [   IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
            [   IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
            // ACK: in answer to a SYN it is a challenge from a connection that we do not know.
            [   IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
            [   IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
    ]
};
