//! Whatever is in a file, reading it ends, and without a panic.

use ctaudit::ruleset::{Match, nftables};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Words and signs that mean something to the parser.
const WORDS: &[&str] = &[
    "table",
    "inet",
    "ip",
    "ip6",
    "bridge",
    "netdev",
    "t",
    "c",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    ";",
    "\n",
    ",",
    ".",
    ":",
    "=",
    "==",
    "!=",
    "!",
    "&",
    "|",
    "<",
    ">",
    "@",
    "@s",
    "$x",
    "$",
    "*",
    "-",
    "/",
    "\"",
    "\"a b\"",
    "#",
    "\\\n",
    "chain",
    "type",
    "filter",
    "nat",
    "hook",
    "input",
    "ingress",
    "priority",
    "policy",
    "accept",
    "drop",
    "reject",
    "with",
    "jump",
    "goto",
    "return",
    "continue",
    "queue",
    "rule",
    "add",
    "insert",
    "delete",
    "flush",
    "ruleset",
    "index",
    "set",
    "map",
    "elements",
    "element",
    "flags",
    "interval",
    "vmap",
    "define",
    "include",
    "ct",
    "helper",
    "state",
    "status",
    "new",
    "expected",
    "meta",
    "l4proto",
    "iifname",
    "tcp",
    "dport",
    "saddr",
    "icmp",
    "21",
    "1-5",
    "10.0.0.0/8",
    "fe80::/10",
    "::",
    "limit",
    "counter",
    "log",
    "comment",
    "x",
    "protocol",
];

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        nftables::read(&text, 0);
        nftables::read_json(&text, 0);
    }

    #[test]
    fn any_words_are_read(words in vec(select(WORDS), 0..80), glue in select(&[" ", ""][..])) {
        nftables::read(&words.join(glue), 0);
        let within = format!("table inet t {{ chain c {{ {} }} }}", words.join(" "));
        nftables::read(&within, 0);
    }

    /// A rule in whatever words either does nothing, or keeps its verdict and effect.
    #[test]
    fn no_verdict_is_lost(words in vec(select(&["tcp", "dport", "21", "fib", "daddr", "type", "local", "limit",
        "rate", "5/second", "counter", "ct", "mark", "meta", "0x1", "log", "prefix", "\"x\"", "ip", "saddr", "and",
        "&", "==", "@s", "{ 1, 2 }"][..]), 0..12)) {
        let text = format!(
            "table ip t {{ ct helper f {{ type \"ftp\" protocol tcp; }}\nchain c {{ counter {} ct helper set \"f\" drop\n}} }}",
            words.join(" ")
        );
        let ruleset = nftables::read(&text, 0);
        let rules = &ruleset.chains[0].rules;
        let last = rules.last();
        // `set "f"` may be taken for what is compared.
        let keeps = last.is_some_and(|rule| rule.verdict.is_some());
        prop_assert!(keeps, "{text}: {ruleset:?}");
        let is_unknown = rules.iter().flat_map(|rule| &rule.conditions).any(|condition| {
            matches!(condition.matches, Match::Unknown(_))
        });
        prop_assert!(is_unknown != ruleset.unread.is_empty(), "{text}: {ruleset:?}");
        let helps = rules.iter().any(|rule| rule.effect.is_some());
        prop_assert!(helps || is_unknown, "{text}: {ruleset:?}");
    }
}

#[test]
fn what_is_nested_deep_ends() {
    for sign in [
        "{",
        "(",
        "table t {",
        "ip saddr {",
        "[",
        "ip saddr . ",
        "$a ",
        "!",
    ] {
        let deep = sign.repeat(100_000);
        nftables::read(&deep, 0);
        nftables::read(&format!("table t {{ chain c {{ ip saddr {deep}"), 0);
        nftables::read(&format!("table t {{ set s {{ elements = {{ {deep}"), 0);
        nftables::read_json(&format!("{{\"nftables\":[{deep}"), 0);
    }
    let objects = "{\"set\":".repeat(100);
    let text = format!(
        "{{\"nftables\":[{{\"rule\":{{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[{objects}"
    );
    nftables::read_json(&text, 0);
}

/// Twenty definitions of ten each of the one before would be a hundred million million million addresses.
#[test]
fn definitions_do_not_grow_without_bound() {
    let mut text = String::from("define a0 = 192.0.2.1\n");
    for level in 1..20 {
        let before = format!("$a{}, ", level - 1).repeat(10);
        text += &format!("define a{level} = {{ {before} }}\n");
    }
    text += "add rule t c ip saddr $a19 drop\n";
    assert!(!nftables::read(&text, 0).unread.is_empty());
    // One that is large, and used often.
    let elements = "10.0.0.1, ".repeat(20_000);
    let rules = "add rule t c ip saddr @s drop\n".repeat(1_000);
    let text =
        format!("table t {{ set s {{ type ipv4_addr; elements = {{ {elements} }}\n}} }}\n{rules}");
    assert!(!nftables::read(&text, 0).unread.is_empty());
}

/// A rule is written out for each element of its map; that of many conditions and a large map would fill the memory.
#[test]
fn rules_do_not_multiply_without_bound() {
    let conditions = "ip saddr 10.0.0.1 ".repeat(20_000);
    let map: String = (0..30_000)
        .map(|port| format!("{port} : accept, "))
        .collect();
    let text = format!("add rule t c {conditions} tcp dport vmap {{ {map} }}\nadd rule t c drop");
    let ruleset = nftables::read(&text, 0);
    assert!(ruleset.rules().count() < 1000);
    assert!(!ruleset.unread.is_empty());
}
