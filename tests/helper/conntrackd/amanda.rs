//! What differs from the kernel's helper (conntrack-tools 1.4.7, src/helpers/amanda.c).

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use crate::helper::{Bench, Effect};

/// What an answer leads to, behind the longer time-out that every one of them sets.
fn answered(text: &[u8]) -> Vec<Effect> {
    let (client, server) = ("192.0.2.11", "198.51.100.10");
    let modules = Modules::default();
    let mut bench = Bench::new("conntrackd:amanda", client, server, 10080, &modules);
    let asked = bench.say(Original, 0, text);
    let mut effects = bench.say(Reply, 0, text);
    let refresh = effects.remove(0);
    assert_eq!(refresh, Effect::Refresh(Duration::from_secs(300)));
    // What an answer may say, who asks may not.
    let by_asker = "a CONNECT line, said by the one who asks";
    let is_declined = matches!(asked[..], [Effect::Decline { reason, .. }] if reason == by_asker);
    assert_eq!(is_declined, matches!(effects[..], [Effect::Expect(_)]));
    assert!(is_declined || asked.is_empty());
    effects
}

/// The variable that held the port is written over with the port that the request came from, 40000 here.
#[test]
fn the_port_that_was_asked_from_is_opened_and_none_of_those_named() {
    let effects = answered(b"REP\nCONNECT DATA 11001 MESG 11002 INDEX 11003\n");
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(expectation.dst_port.value, 40000);
    assert_eq!(expectation.dst_port.origin, Origin::Conntrack(Reply));
    assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.10");
    let src = expectation.src_addr.as_ref().unwrap();
    assert_eq!(src.value.to_string(), "192.0.2.11/32");
}

/// strstr(3), strtoul(3)
#[test]
fn which_lines_name_a_port() {
    for (text, named) in [
        ("CONNECT DATA 11001", true),
        ("CONNECT DATA \t+1\n", true),
        ("CONNECT DATA -5\n", true),
        ("CONNECT INDEX 1 DATA 2\n", true),
        ("CONNECT DATA 0\n", false),
        ("CONNECT DATA 65536\n", false),
        ("CONNECT DATA 000001\n", false),
        ("CONNECT DATA x MESG 7\n", false),
        ("CONNECT DATA 7 MESG x\n", true),
        ("CONNECT MESG 0 INDEX 7\n", false),
        ("CONNECT \nDATA 7\n", false),
        ("CONNECT STATE 7\n", false),
        ("x\0CONNECT DATA 7\n", false),
        ("connect DATA 7\n", false),
    ] {
        let effects = answered(text.as_bytes());
        let expects = matches!(effects[..], [Effect::Expect(_)]);
        assert_eq!(expects, named, "{text:?}: {effects:?}");
    }
}
