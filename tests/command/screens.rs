//! Every screen of the program, narrow and wide, as it is printed: `tests/screens/COLUMNS/`. With BLESS set they are written
//! anew, to be read in review.

use std::collections::BTreeSet;
use std::fs;

use clap::CommandFactory;
use ctaudit::cli::Cli;
use unicode_width::UnicodeWidthStr;

use super::ctaudit;
use crate::support::{files_below, project};

/// What each command prints of a sample.
const SCREENS: &[(&str, &[&str])] = &[
    ("analyse", &["analyse", "samples/office.pcapng"]),
    (
        "analyse-otherwise",
        &[
            "analyse",
            "--what-if",
            "helper=none",
            "--compare-kernel",
            "6.1",
            "samples/helper/sip/registered.pcap",
        ],
    ),
    ("events", &["events", "samples/helper/tftp/read.pcap"]),
    (
        "events-json",
        &["events", "--json", "samples/helper/tftp/read.pcap"],
    ),
    ("explain", &["explain", "samples/office.pcapng", "245"]),
    ("findings", &["findings"]),
    ("helpers", &["helpers"]),
    ("kernels", &["kernels"]),
    (
        "prove",
        &[
            "prove",
            "samples/office.pcapng",
            "--rules",
            "reports/office.iptables",
            "--rules",
            "reports/office.ip6tables",
        ],
    ),
    ("rules", &["rules", "samples/helper/tftp/read.pcap"]),
    (
        "rules-iptables",
        &[
            "rules",
            "--for",
            "iptables",
            "samples/helper/tftp/read.pcap",
        ],
    ),
    ("wrong-command", &["analyze", "x.pcap"]),
    (
        "wrong-option",
        &["analyse", "--add-assing", "tcp 2121 ftp", "x.pcap"],
    ),
    (
        "wrong-value",
        &["analyse", "--module", "nf_conntrack_ftp.lose=1", "x.pcap"],
    ),
    ("wrong-file", &["analyse", "README.md"]),
    ("wrong-directory", &["merge", "reports"]),
];

/// They print a script for a shell, and files (see `shell`).
const WITHOUT_SCREEN: &[&str] = &["completions", "man"];

/// What is for other programs to read has lines as long as these want them.
const FOR_PROGRAMS: &[&str] = &["events", "events-json", "rules", "rules-iptables"];

/// Each screen's name and arguments, with the help of every command.
fn screens() -> Vec<(String, Vec<String>)> {
    let own = SCREENS.iter().map(|(name, arguments)| {
        let arguments = arguments.iter().map(|text| (*text).to_owned());
        ((*name).to_owned(), arguments.collect())
    });
    let mut screens: Vec<(String, Vec<String>)> = own.collect();
    let help = String::from("--help");
    for command in Cli::command().get_subcommands() {
        let name = command.get_name().to_owned();
        screens.push((format!("{name}-help"), vec![name, help.clone()]));
    }
    screens.push((String::from("help"), vec![help]));
    screens.push((String::from("short-help"), vec![String::from("-h")]));
    screens
}

fn printed(arguments: &[String], columns: &str) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = ctaudit(&arguments)
        .env("COLUMNS", columns)
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn the_screens_are_as_they_were_read() {
    for columns in ["80", "200"] {
        let folder = project("tests/screens").join(columns);
        let mut known = BTreeSet::new();
        for (name, arguments) in screens() {
            let path = folder.join(name + ".txt");
            let printed = printed(&arguments, columns);
            if std::env::var_os("BLESS").is_some() {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &printed).unwrap();
            }
            let read = fs::read_to_string(&path).unwrap_or_default();
            let path_shown = path.display();
            assert_eq!(
                printed, read,
                "{path_shown} is out of date: run with BLESS=1 and read the change"
            );
            known.insert(path);
        }
        for path in files_below(&folder) {
            assert!(known.contains(&path), "{}: no such screen", path.display());
        }
    }
}

/// The program itself is asked which commands it has.
#[test]
fn every_command_has_a_screen() {
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let is_shown = SCREENS.iter().any(|(_, arguments)| arguments[0] == name);
        assert_ne!(
            is_shown,
            WITHOUT_SCREEN.contains(&name),
            "SCREENS lacks ctaudit {name}"
        );
    }
}

/// But for commands and rules, which are to be copied, and words that are longer than a line.
#[test]
fn nothing_is_wider_than_the_terminal() {
    // Rules are indented by tabs, and nothing else is.
    let begins = [
        "\t",
        "cat ",
        "for each",
        "grep ",
        "install ",
        "modprobe ",
        "net.",
        "nfct ",
        "sysctl ",
    ];
    // A dump is sixteen bytes wide, as everywhere.
    let is_dumped = |line: &str| {
        let is_byte = |word: &&str| word.len() == 2 && u8::from_str_radix(word, 16).is_ok();
        line.contains("^^") || line.split_whitespace().skip(1).take_while(is_byte).count() > 8
    };
    let is_code =
        |line: &str| is_dumped(line) || begins.iter().any(|begin| line.starts_with(begin));
    let mut lines = 0;
    for columns in [60, 80, 100, 200] {
        for (name, arguments) in screens() {
            if FOR_PROGRAMS.contains(&name.as_str()) || name.starts_with("wrong-") {
                continue;
            }
            for line in printed(&arguments, &columns.to_string()).lines() {
                lines += 1;
                let indent = line.len() - line.trim_start().len();
                let longest = line.split_whitespace().map(UnicodeWidthStr::width).max();
                let least = indent + longest.unwrap_or(0);
                assert!(
                    line.width() <= columns.max(least) || is_code(line),
                    "{name} at {columns} columns: {line}"
                );
            }
        }
    }
    assert!(lines > 5000, "only {lines} lines");
}

/// Words of the tables stay whole where there is room for them.
#[test]
fn words_are_not_broken() {
    let wide = printed(&[String::from("helpers")], "200");
    let narrow = printed(&[String::from("helpers")], "80");
    for word in ["checked", "command", "network"] {
        let table = |text: &str| text.split("\n\n").next().unwrap().matches(word).count();
        assert!(table(&wide) > 0, "{word}");
        assert_eq!(table(&wide), table(&narrow), "{word}");
    }
}
