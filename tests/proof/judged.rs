//! What a proof holds against rules, and what it does not.

use ctaudit::proof::Proof;
use ctaudit::proposal::Wishes;
use ctaudit::report::sections::{self, RuleFile};
use ctaudit::report::terminal;
use ctaudit::ruleset::Ruleset;

use super::{Case, together};
use crate::findings::end;
use crate::support::{firewall, project, proof, proposal, read};
use crate::traffic::at_seconds;
use crate::traffic::packet::{ICMP, TCP, ip, udp};

fn passive() -> Case {
    let path = project("samples/helper/ftp/passive.pcap");
    Case::new(
        "passive.pcap",
        read(&path),
        firewall("6.18", false),
        Wishes::default(),
    )
}

/// As `ctaudit prove` prints it of one file.
fn printed(proof: &Proof, text: &str) -> String {
    let files = [RuleFile {
        path: "rules".into(),
        text: text.to_owned(),
    }];
    let mut out = Vec::new();
    terminal::page(&mut out, &sections::proof(proof, &files), LOOK).unwrap();
    String::from_utf8(out).unwrap()
}

/// Nobody can say what a rule does that was not understood, even one that no packet comes to.
#[test]
fn what_was_not_read_is_never_proved_and_is_named() {
    let case = passive();
    let [nftables, _, iptables, ..] = case.written();
    let nftables = format!(
        "{}table inet mine {{\n\tchain none {{\n\t\tmeta cpu 1 drop\n\t}}\n}}\n",
        nftables[0]
    );
    let iptables = format!(
        "{}*filter\n-A OUTPUT -m bpf --bytecode \"1,6 0 0 65535\" -j DROP\nCOMMIT\n",
        iptables[0]
    );
    for (text, words) in [(nftables, "meta cpu"), (iptables, "bpf")] {
        let proof = case.proof(Ruleset::read(&text, 0));
        assert!(!proof.holds(), "{text}");
        assert_eq!((proof.lost.times, proof.others.times), (0, 0), "{text}");
        let line = text.lines().position(|line| line.contains(words)).unwrap() + 1;
        let printed = printed(&proof, &text);
        assert!(printed.starts_with("Proof: not proved"), "{printed}");
        let named = printed
            .lines()
            .any(|of| of.starts_with(&format!("- line {line}: ")) && of.contains(words));
        assert!(named, "{words} in line {line}: {printed}");
    }
}

/// nft's statement needs the flow that conntrack, at -200, has found (`nft_ct_helper_obj_eval`); the CT target makes a
/// template for it beforehand (`xt_ct_target`).
#[test]
fn nft_attaches_behind_conntrack_and_iptables_before_it() {
    let case = passive();
    let [nftables, _, iptables, ..] = case.written();
    for (priority, holds) in [(-190, true), (-199, true), (-200, false), (-300, false)] {
        let text = nftables[0].replace("priority -190", &format!("priority {priority}"));
        let proof = case.proof(Ruleset::read(&text, 0));
        assert_eq!(proof.holds(), holds, "{priority}");
        let needed = proof.accepted + proof.lost.times;
        assert_eq!(
            proof.lost.times,
            if holds { 0 } else { needed },
            "{priority}"
        );
    }
    assert!(iptables[0].contains("*raw\n"));
    assert!(case.proof(together(&iptables)).holds());
    // mangle comes behind conntrack, and iptables has no CT target there.
    let mangled = iptables[0].replace("*raw\n", "*mangle\n");
    assert!(!case.proof(Ruleset::read(&mangled, 0)).holds());
}

/// Source quench is not sent any more (RFC 6633), a redirect is for the first hop alone (RFC 1122, 3.2.2.2).
#[test]
fn related_errors_that_nobody_needs_are_others() {
    let (client, server) = (end("192.0.2.11", 40000), end("203.0.113.53", 53));
    let question = udp(client, server, b"?");
    let error = |kind: u8| {
        let about = [&[kind, 0, 0, 0, 0, 0, 0, 0], &question[..]].concat();
        ip(server.address, client.address, ICMP, about)
    };
    let kinds = [3, 4, 5, 11, 12];
    let packets = [question.clone()].into_iter().chain(kinds.map(error));
    let bytes = at_seconds((1..).zip(packets));
    let config = firewall("6.18", false);
    let wishes = Wishes::default();
    let bare = "table inet t { chain f { type filter hook forward priority 0; policy drop;
                ct state { new, related } accept } }";
    let bare = proof(bytes.clone(), &config, Ruleset::read(bare, 0), &wishes);
    assert!(!bare.holds());
    assert_eq!(
        (bare.accepted, bare.lost.times, bare.dropped.times),
        (3, 0, 0)
    );
    assert_eq!(bare.others.first, [3, 4]);
    let proposal = proposal(bytes.clone(), &config, &wishes);
    let rules = proposal.ruleset(ctaudit::proposal::Target::Nftables);
    let ours = proof(bytes, &config, rules, &wishes);
    assert!(ours.holds());
    assert_eq!((ours.accepted, ours.dropped.first), (3, vec![3, 4]));
}

/// A rule whose interface nobody knows may hold or not.
#[test]
fn what_hangs_on_an_unknown_interface_is_not_proved() {
    let case = passive();
    let text = case.written()[0][0].replace(
        "ct state new ip saddr",
        "iifname \"lan0\" ct state new ip saddr",
    );
    let proof = case.proof(Ruleset::read(&text, 0));
    assert!(!proof.undecided.is_empty());
    assert!(!proof.holds());
    assert!(printed(&proof, &text).contains("is not known of"));
}

/// Needed are flows of which the beginning was seen: what an established one is nobody knows.
#[test]
fn what_began_before_the_capture_is_not_needed() {
    let case = passive();
    let whole = case.proof(together(&case.written()[0]));
    let Case { bytes, config, .. } = &case;
    // Without the SYN segments to any port but 21.
    let mut kept = bytes[..24].to_vec();
    let mut at = 24;
    while at < bytes.len() {
        let length = u32::from_le_bytes(*bytes[at + 8..].first_chunk().unwrap()) as usize;
        let record = &bytes[at..at + 16 + length];
        let datagram = &record[16 + 14..];
        let is_tcp = record[16 + 12..16 + 14] == [8, 0] && datagram[9] == TCP;
        let opens = is_tcp && datagram[33] & 0x02 != 0 && {
            let port = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
            port(20) != 21 && port(22) != 21
        };
        if !opens {
            kept.extend_from_slice(record);
        }
        at += 16 + length;
    }
    let proof = proof(kept, config, case.sets()[0].clone(), &case.wishes);
    assert!(whole.accepted > 0);
    assert_eq!((proof.accepted, proof.lost.times), (0, 0));
    assert!(proof.others.times > 0);
}

const LOOK: terminal::Look = terminal::Look {
    width: 100,
    is_coloured: false,
};
