//! The state table against the kernel's, and the window by what must hold of any conversation.

use ctaudit::conntrack::State;
use ctaudit::conntrack::tcp::{Kind, Next, State as Tcp, next_state};
use ctaudit::tuple::Direction;
use proptest::prelude::*;

use super::{Bench, End, Segment, segment, tcp};

const CLIENT: End = ("192.0.2.11", 40000);
const SERVER: End = ("198.51.100.80", 80);

const STATES: [Tcp; 10] = [
    Tcp::None,
    Tcp::SynSent,
    Tcp::SynRecv,
    Tcp::Established,
    Tcp::FinWait,
    Tcp::CloseWait,
    Tcp::LastAck,
    Tcp::TimeWait,
    Tcp::Close,
    Tcp::SynSent2,
];

/// `tcp_conntracks` of net/netfilter/nf_conntrack_proto_tcp.c, where sIV is - and sIG is ig.
const KERNEL: &str = "\
original
SYN    SS SS ig ig ig ig ig SS SS S2
SYNACK -  -  SR -  -  -  -  -  -  SR
FIN    -  -  FW FW LA LA LA TW CL -
ACK    ES -  ES ES CW CW TW TW CL -
RST    -  CL CL CL CL CL CL CL CL CL
NONE   -  -  -  -  -  -  -  -  -  -
reply
SYN    -  S2 -  -  -  -  -  SS -  S2
SYNACK -  SR ig ig ig ig ig ig ig SR
FIN    -  -  FW FW LA LA LA TW CL -
ACK    -  ig SR ES CW CW TW TW CL ig
RST    -  CL CL CL CL CL CL CL CL CL
NONE   -  -  -  -  -  -  -  -  -  -
";

#[test]
fn the_state_table_is_the_kernels() {
    let kinds = [
        (Kind::Syn, "SYN"),
        (Kind::SynAck, "SYNACK"),
        (Kind::Fin, "FIN"),
        (Kind::Ack, "ACK"),
        (Kind::Rst, "RST"),
        (Kind::None, "NONE"),
    ];
    let mut ours = String::new();
    for direction in [Direction::Original, Direction::Reply] {
        ours += &format!("{}\n", direction.name());
        for (kind, name) in kinds {
            let cells = STATES.map(|state| match next_state(direction, kind, state) {
                Next::State(Tcp::SynSent) => "SS",
                Next::State(Tcp::SynRecv) => "SR",
                Next::State(Tcp::Established) => "ES",
                Next::State(Tcp::FinWait) => "FW",
                Next::State(Tcp::CloseWait) => "CW",
                Next::State(Tcp::LastAck) => "LA",
                Next::State(Tcp::TimeWait) => "TW",
                Next::State(Tcp::Close) => "CL",
                Next::State(Tcp::SynSent2) => "S2",
                Next::State(Tcp::None) => "NO",
                Next::Ignore => "ig",
                Next::Invalid => "-",
            });
            ours += format!(
                "{name:<7}{}",
                cells.map(|cell| format!("{cell:<3}")).concat()
            )
            .trim_end();
            ours += "\n";
        }
    }
    assert_eq!(ours, KERNEL);
}

/// One packet of a conversation.
#[derive(Clone, Debug)]
struct Said {
    by_client: bool,
    segment: (String, u32, u32),
    options: Vec<u8>,
    payload: usize,
}

/// A conversation as two TCPs hold it: handshake, data within the windows, both FINs.
fn conversation(client: u32, server: u32, scale: Option<u8>, lengths: &[(bool, u16)]) -> Vec<Said> {
    let options = scale.map_or(Vec::new(), |scale| vec![1, 3, 3, scale, 4, 2, 1, 1]);
    let (mut c, mut s) = (client, server);
    let said = |by_client, flags: &str, seq, ack, payload| Said {
        by_client,
        segment: (flags.to_owned(), seq, ack),
        options: Vec::new(),
        payload,
    };
    let mut all = vec![
        Said {
            options: options.clone(),
            ..said(true, "S", c, 0, 0)
        },
        Said {
            options,
            ..said(false, "SA", s, c.wrapping_add(1), 0)
        },
    ];
    (c, s) = (c.wrapping_add(1), s.wrapping_add(1));
    all.push(said(true, "A", c, s, 0));
    for &(by_client, length) in lengths {
        // A window of 8,192 bytes is the least that either side offers.
        let length = usize::from(length % 8192) + 1;
        let (own, peer) = if by_client {
            (&mut c, &mut s)
        } else {
            (&mut s, &mut c)
        };
        all.push(said(by_client, "PA", *own, *peer, length));
        *own = own.wrapping_add(length as u32);
        all.push(said(!by_client, "A", *peer, *own, 0));
    }
    all.push(said(true, "FA", c, s, 0));
    all.push(said(false, "A", s, c.wrapping_add(1), 0));
    all.push(said(false, "FA", s, c.wrapping_add(1), 0));
    all.push(said(true, "A", c.wrapping_add(1), s.wrapping_add(1), 0));
    all
}

fn verdicts(conversation: &[Said]) -> Vec<State> {
    let mut bench = Bench::new("6.18", &[]);
    let payload = vec![b'x'; 8192];
    let send = |said: &Said| {
        let (flags, seq, ack) = &said.segment;
        let segment = Segment {
            options: &said.options,
            payload: &payload[..said.payload],
            ..segment(flags, *seq, *ack)
        };
        let (from, to) = if said.by_client {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        bench.state(&tcp(from, to, segment))
    };
    conversation.iter().map(send).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the initial numbers (they wrap) and the scale, nothing that two TCPs say is invalid.
    #[test]
    fn a_conversation_is_established_from_its_answer_on(
        client in any::<u32>(), server in any::<u32>(), scale in prop::option::of(0u8..=14),
        lengths in prop::collection::vec((any::<bool>(), any::<u16>()), 0..20),
    ) {
        let verdicts = verdicts(&conversation(client, server, scale, &lengths));
        prop_assert_eq!(verdicts[0], State::New);
        prop_assert!(verdicts[1..].iter().all(|state| *state == State::Established), "{:?}", verdicts);
    }

    /// Data that starts beyond the window, and acknowledgements of what was never sent, are invalid.
    #[test]
    fn what_lies_outside_the_window_is_invalid(client in any::<u32>(), server in any::<u32>(), beyond in 8193u32..1 << 30) {
        let mut bench = Bench::new("6.18", &[]);
        for said in &conversation(client, server, None, &[])[..3] {
            let (flags, seq, ack) = &said.segment;
            let (from, to) = if said.by_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
            bench.send(&tcp(from, to, segment(flags, *seq, *ack)));
        }
        let (c, s) = (client.wrapping_add(1), server.wrapping_add(1));
        prop_assert_eq!(bench.state(&tcp(CLIENT, SERVER, segment("A", c.wrapping_add(beyond), s))), State::Invalid);
        prop_assert_eq!(bench.state(&tcp(CLIENT, SERVER, segment("A", c, s.wrapping_add(beyond)))), State::Invalid);
        prop_assert_eq!(bench.state(&tcp(CLIENT, SERVER, segment("A", c, s))), State::Established);
    }
}

/// The sets of flags that a TCP may send, PSH aside (`tcp_valid_flags`).
#[test]
fn flags_that_no_tcp_sends_are_invalid() {
    let valid = ["S", "SU", "SA", "R", "RA", "FA", "FAU", "A", "AU"];
    for bits in 0u8..32 {
        let flags: String = ['F', 'S', 'R', 'A', 'U']
            .iter()
            .enumerate()
            .filter(|(bit, _)| bits >> bit & 1 != 0)
            .map(|(_, flag)| *flag)
            .collect();
        let is_valid = valid.iter().any(|known| {
            known.len() == flags.len() && known.chars().all(|flag| flags.contains(flag))
        });
        // On an open connection, so that the flags alone can be at fault.
        let mut bench = Bench::new("6.18", &[]);
        bench.send(&tcp(CLIENT, SERVER, segment("S", 100, 0)));
        bench.send(&tcp(SERVER, CLIENT, segment("SA", 500, 101)));
        bench.send(&tcp(CLIENT, SERVER, segment("A", 101, 501)));
        let verdict = bench.send(&tcp(CLIENT, SERVER, segment(&flags, 101, 501)));
        let at_fault = verdict
            .reason
            .is_some_and(|reason| reason.name() == "TCP flags that no TCP sends");
        assert_eq!(at_fault, !is_valid, "{flags}");
    }
}

#[test]
fn a_closed_connection_may_be_opened_again() {
    let mut bench = Bench::new("6.18", &[]);
    for said in conversation(100, 500, None, &[]) {
        let (flags, seq, ack) = &said.segment;
        let (from, to) = if said.by_client {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        bench.send(&tcp(from, to, segment(flags, *seq, *ack)));
    }
    assert_eq!(
        bench.state(&tcp(CLIENT, SERVER, segment("S", 9000, 0))),
        State::New
    );
}

#[test]
fn without_loose_nothing_is_picked_up() {
    let ack = tcp(CLIENT, SERVER, segment("A", 1, 1));
    assert_eq!(Bench::new("6.18", &[]).state(&ack), State::New);
    let mut strict = Bench::new("6.18", &["net.netfilter.nf_conntrack_tcp_loose=0"]);
    assert_eq!(strict.state(&ack), State::Invalid);
}
