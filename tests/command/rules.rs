//! `rules`, `prove` and `events --rules`.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{ctaudit, stdout};
use crate::support::{project, read};

const PASSIVE: &str = "samples/helper/ftp/passive.pcap";

/// A file of rules in a folder of its own.
struct Written {
    folder: TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rules")
    }
}

/// Exit status, standard output, standard error.
fn run(arguments: &[&str], rules: &Written) -> (i32, String, String) {
    let mut command = ctaudit(arguments);
    let output = command.arg("--rules").arg(rules.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A script for nft begins with its interpreter, JSON for it with the object "nftables" (libnftables-json(5)); files for
/// iptables-restore end each table with COMMIT.
#[test]
fn each_language_begins_as_its_program_expects() {
    let rules = |language: &str| stdout(&["rules", "--for", language, "samples/office.pcapng"]);
    let nftables = rules("nftables");
    assert!(nftables.starts_with("#!/usr/sbin/nft -f\n"), "{nftables}");
    // Loaded again it takes the place of what it loaded before.
    let once = "table inet ctaudit\ndelete table inet ctaudit\n";
    assert!(nftables.contains(once), "{nftables}");
    assert_eq!(nftables, stdout(&["rules", "samples/office.pcapng"]));
    let json: serde_json::Value = serde_json::from_str(&rules("nft-json")).unwrap();
    assert!(json["nftables"].as_array().is_some_and(|all| all.len() > 5));
    for (language, other) in [("iptables", "2001:db8:"), ("ip6tables", "192.0.2.")] {
        let text = rules(language);
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.next().unwrap().starts_with('*'), "{text}");
        let count = |start: char| text.lines().filter(|line| line.starts_with(start)).count();
        let commits = text.lines().filter(|line| *line == "COMMIT").count();
        assert_eq!(count('*'), commits, "{text}");
        let ours = text.lines().filter(|line| line.starts_with("-A "));
        assert!(ours.clone().count() > 5, "{text}");
        assert!(ours.into_iter().all(|line| !line.contains(other)), "{text}");
    }
}

#[test]
fn what_rules_prints_is_what_prove_proves() {
    for language in ["nftables", "nft-json", "iptables"] {
        let rules = Written::new(&stdout(&["rules", "--for", language, PASSIVE]));
        let (status, out, error) = run(&["prove", PASSIVE], &rules);
        assert_eq!((status, error.as_str()), (0, ""), "{language}: {out}");
        // The first packet of each of three data connections.
        let accepted = "\n- 3 of 3 related packets that are needed accepted\n";
        assert!(out.contains(accepted), "{out}");
    }
}

#[test]
fn rules_that_lose_something_end_with_5() {
    let whole = stdout(&["rules", PASSIVE]);
    let without = |word: &str| {
        let lines = whole.lines().filter(|line| !line.contains(word));
        Written::new(&lines.map(|line| format!("{line}\n")).collect::<String>())
    };
    for word in ["ct helper set", "ct helper \"ftp\""] {
        let (status, out, error) = run(&["prove", PASSIVE], &without(word));
        assert_eq!((status, error.as_str()), (5, ""), "{word}: {out}");
        assert!(out.starts_with("Proof: not proved\n"), "{out}");
        assert!(out.contains("- needed and lost: 3, frames "), "{out}");
    }
    let unread = Written::new(&format!(
        "{whole}table inet x {{ chain y {{ gibberish accept }} }}\n"
    ));
    let (status, out, _) = run(&["prove", PASSIVE], &unread);
    assert_eq!(status, 5, "{out}");
    assert!(out.contains("gibberish"), "{out}");
}

#[test]
fn a_missing_file_of_rules_ends_with_1_and_its_name() {
    for command in ["prove", "events"] {
        let output = ctaudit(&[command, PASSIVE, "--rules", "no/such.nft"])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains("no/such.nft"), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn wrong_usage_of_rules_and_prove_ends_with_2() {
    for arguments in [
        &["prove", PASSIVE][..],
        &["prove", "--rules", "x.nft"],
        &["rules"],
        &["rules", "--for", "pf", PASSIVE],
        &["rules", "--widen", "-1", PASSIVE],
        &["rules", "--widen", "many", PASSIVE],
        &["rules", "--bypass", "192.0.2.0/33", PASSIVE],
    ] {
        let output = ctaudit(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

/// With rules alone, a helper is where they put it; what they drop is told as dropped.
#[test]
fn events_are_those_of_a_firewall_with_the_rules() {
    let whole = stdout(&["rules", PASSIVE]);
    let arguments = ["events", "--assign", "none", "--json", PASSIVE];
    let related = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| line.contains("\"state\":\"related\""));
        let dropped = lines
            .clone()
            .filter(|line| line.contains("\"dropped\":true"));
        (lines.count(), dropped.count())
    };
    let (status, text, error) = run(&arguments, &Written::new(&whole));
    assert_eq!((status, error.as_str()), (0, ""));
    assert_eq!(related(&text), (3, 0));
    let lines = whole.lines();
    let deaf: String = lines
        .filter(|line| !line.contains("ct helper \"ftp\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let (_, text, _) = run(&arguments, &Written::new(&deaf));
    let (seen, dropped) = related(&text);
    assert!(seen >= 3 && seen == dropped, "{seen} {dropped}");
    assert_eq!(related(&stdout(&arguments)), (0, 0));
}

/// A rule set may come from somebody else: an escape sequence in it must not reach the reader's terminal.
#[test]
fn nothing_of_hostile_rules_reaches_the_terminal_raw() {
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}";
    let nftables = format!(
        "table inet t {{\n chain c {{\n  type filter hook forward priority 0; policy accept;\n  \
         ct state related accept comment \"{hostile}\"\n  {hostile} accept\n  \
         iifname \"{hostile}\" drop\n  fib {hostile}\n }}\n}}\n"
    );
    let iptables = format!(
        "*filter\n:FORWARD ACCEPT\n-A FORWARD -m comment --comment \"{hostile}\" -j ACCEPT\n\
         -A FORWARD -i {hostile} -j DROP\n-A FORWARD -m {hostile} -j DROP\nCOMMIT\n"
    );
    let json = serde_json::json!({"nftables": [
        {"table": {"family": "inet", "name": hostile}},
        {"chain": {"family": "inet", "table": hostile, "name": hostile, "type": "filter",
                   "hook": "forward", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "inet", "table": hostile, "chain": hostile,
                  "comment": hostile, "expr": [{"accept": null}]}},
        {"rule": {"family": "inet", "table": hostile, "chain": hostile,
                  "expr": [{hostile: {"left": hostile}}, {"accept": null}]}},
        {hostile: {}},
    ]});
    for text in [nftables, iptables, json.to_string()] {
        let rules = Written::new(&text);
        for command in ["prove", "events"] {
            let (status, out, error) = run(&[command, PASSIVE], &rules);
            assert!(
                status == 5 || command == "events" && status == 0,
                "{status}"
            );
            for said in [out, error] {
                let raw = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'];
                let found = said.lines().find(|line| line.contains(raw));
                assert_eq!(found, None, "{command} of {text:?}");
            }
        }
    }
}

/// What comes through a pipe is kept for the proof.
#[test]
fn a_capture_from_standard_input_is_proved_as_its_file_is() {
    let proof = |text: &str| {
        let from = text.find("\nProof: ").unwrap();
        text[from..].to_owned()
    };
    for path in [PASSIVE, "samples/office.pcapng"] {
        let piped = ctaudit(&["analyse", "-"])
            .write_stdin(read(&project(path)))
            .output()
            .unwrap();
        let piped = String::from_utf8(piped.stdout).unwrap();
        let of_file = proof(&stdout(&["analyse", path]));
        assert_eq!(proof(&piped), of_file, "{path}");
        assert!(of_file.contains("proved: "), "{of_file}");
    }
}
