//! How long a flow without traffic is remembered. The seconds are the kernel's defaults
//! (Documentation/networking/nf_conntrack-sysctl.rst).

use ctaudit::conntrack::State;

use super::{Bench, End, segment, tcp, udp};

const A: End = ("192.0.2.11", 40000);
const B: End = ("198.51.100.80", 7000);

/// Whether the answer still belongs to the flow after so many seconds.
fn remembered(open: impl Fn(&mut Bench), seconds: u64, answer: &[u8]) -> bool {
    let mut bench = Bench::new("6.18", &[]);
    open(&mut bench);
    bench.wait_seconds(seconds).state(answer) == State::Established
}

fn lives(open: impl Fn(&mut Bench), seconds: u64, answer: &[u8]) {
    assert!(
        remembered(&open, seconds - 1, answer),
        "gone before {seconds} s"
    );
    assert!(
        !remembered(&open, seconds, answer),
        "still there after {seconds} s"
    );
}

#[test]
fn udp_unreplied_30_stream_120() {
    let answer = udp(B, A, b"a");
    let ask = |bench: &mut Bench| {
        bench.send(&udp(A, B, b"q"));
    };
    lives(ask, 30, &answer);
    // An answer within two seconds makes no stream of it.
    let asked = |bench: &mut Bench| {
        bench.send(&udp(A, B, b"q"));
        bench.send(&udp(B, A, b"a"));
    };
    lives(asked, 30, &answer);
    let stream = |bench: &mut Bench| {
        bench.send(&udp(A, B, b"q"));
        bench.send(&udp(B, A, b"a"));
        bench.wait_seconds(3).send(&udp(A, B, b"q"));
    };
    lives(stream, 120, &answer);
}

#[test]
fn tcp_syn_sent_120_syn_recv_60_close_10() {
    let syn = |bench: &mut Bench| {
        bench.send(&tcp(A, B, segment("S", 100, 0)));
    };
    lives(syn, 120, &tcp(B, A, segment("SA", 500, 101)));
    let syn_ack = |bench: &mut Bench| {
        syn(bench);
        bench.send(&tcp(B, A, segment("SA", 500, 101)));
    };
    lives(syn_ack, 60, &tcp(A, B, segment("A", 101, 501)));
    let reset = |bench: &mut Bench| {
        syn_ack(bench);
        bench.send(&tcp(A, B, segment("A", 101, 501)));
        bench.send(&tcp(A, B, segment("RA", 101, 501)));
    };
    lives(reset, 10, &tcp(B, A, segment("A", 501, 101)));
}

#[test]
fn tcp_established_5_days() {
    let open = |bench: &mut Bench| {
        bench.send(&tcp(A, B, segment("S", 100, 0)));
        bench.send(&tcp(B, A, segment("SA", 500, 101)));
        bench.send(&tcp(A, B, segment("A", 101, 501)));
    };
    lives(open, 432_000, &tcp(B, A, segment("A", 501, 101)));
}

/// A repeated SYN keeps nothing alive.
#[test]
fn a_syn_retransmit_does_not_refresh() {
    let open = |bench: &mut Bench| {
        bench.send(&tcp(A, B, segment("S", 100, 0)));
        bench
            .wait_seconds(60)
            .send(&tcp(A, B, segment("S", 100, 0)));
    };
    lives(open, 60, &tcp(B, A, segment("SA", 500, 101)));
}

#[test]
fn a_sysctl_changes_it() {
    let mut bench = Bench::new("6.18", &["net.netfilter.nf_conntrack_udp_timeout=5"]);
    bench.send(&udp(A, B, b"q"));
    assert_eq!(bench.wait_seconds(5).state(&udp(B, A, b"a")), State::New);
}

/// The series differ: up to 6.1 and in 6.18 any RST sets the time-out of CLOSE, in 6.12 one that does not close the
/// connection leaves it 300 seconds.
#[test]
fn a_rst_that_is_not_believed() {
    for (series, seconds) in [("6.1", 10), ("6.12", 300), ("6.18", 10)] {
        for (wait, state) in [(seconds - 1, State::Established), (seconds, State::New)] {
            let mut bench = Bench::new(series, &[]);
            bench.send(&tcp(A, B, segment("S", 100, 0)));
            bench.send(&tcp(B, A, segment("SA", 500, 101)));
            bench.send(&tcp(A, B, segment("A", 101, 501)));
            bench.send(&tcp(B, A, segment("A", 501, 101)));
            // In the window, but not the next number.
            assert_eq!(
                bench.state(&tcp(B, A, segment("R", 1501, 0))),
                State::Established
            );
            assert_eq!(
                bench
                    .wait_seconds(wait)
                    .state(&tcp(A, B, segment("A", 101, 501))),
                state,
                "{series}"
            );
        }
    }
}
