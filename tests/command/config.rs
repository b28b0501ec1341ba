//! `--config`: the options in a file.

use std::fs;
use std::path::Path;

use clap::{ArgAction, CommandFactory};
use ctaudit::cli::Cli;

use super::{ctaudit, stdout};

const SAMPLE: &str = "samples/helper/ftp/port-2121.pcap";

struct Said {
    status: Option<i32>,
    out: String,
    errors: String,
}

/// Runs the program with a file that says this.
fn with(config: &str, arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ctaudit.toml");
    fs::write(&path, config).unwrap();
    let config = ["--config", path.to_str().unwrap()];
    let output = ctaudit(&[arguments, &config].concat()).output().unwrap();
    Said {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_file_says_what_the_command_line_says() {
    let said = stdout(&[
        "analyse",
        "--add-assign",
        "tcp 2121 ftp",
        "--kernel",
        "6.12",
        "--widen",
        "3",
        "--what-if",
        "irc=none",
        "--what-if",
        "kernel=6.1",
        SAMPLE,
    ]);
    for config in [
        "add-assign = ['tcp 2121 ftp']\nkernel = '6.12'\n[analyse]\nwiden = 3\nwhat-if = ['irc=none', 'kernel=6.1']",
        "add-assign = 'tcp 2121 ftp'\nkernel = 6.12\nwiden = '3'\nwhat-if = ['irc=none', 'kernel=6.1']\nfollow = false",
        "kernel = '7.3'\n[rules]\nwiden = 9\n[analyse]\nkernel = '6.12'\nadd-assign = 'tcp 2121 ftp'\nwiden = 3\nwhat-if = ['irc=none', 'kernel=6.1']",
    ] {
        let from_file = with(config, &["analyse", SAMPLE]);
        assert_eq!(from_file.errors, "", "{config}");
        assert_eq!(from_file.out, said, "{config}");
    }
}

#[test]
fn the_command_line_wins() {
    let series = |config: &str, arguments: &[&str]| {
        let said = with(config, &[arguments, &["-v", SAMPLE]].concat());
        let line = said.errors.lines().find(|line| line.contains("simulates"));
        line.unwrap_or_else(|| panic!("{}", said.errors)).to_owned()
    };
    let config = "kernel = '6.12'\nquiet = true\nassign = ['tcp 21 ftp', 'udp 69 tftp']";
    let line = series(config, &["analyse"]);
    assert!(
        line.ends_with("6.12, with these helpers: tcp 21 ftp, udp 69 tftp"),
        "{line}"
    );
    let line = series(
        config,
        &["analyse", "--kernel", "6.1", "--assign", "tcp 2121 ftp"],
    );
    assert!(
        line.ends_with("6.1, with these helpers: tcp 2121 ftp"),
        "{line}"
    );
    // What cannot be had together with what was asked for is left out as well.
    let said = with("follow = true", &["analyse", "--merge", SAMPLE]);
    assert_eq!(said.status, Some(0), "{}", said.errors);
    // A global option may stand before the command, and a value may be called as the command is.
    let said = with("color = 'always'", &["--color", "never", "findings"]);
    assert!(!said.out.contains('\u{1b}'));
    let said = with("color = 'always'", &["findings"]);
    assert!(said.out.contains('\u{1b}'));
}

/// What a command must be given may stand in the file.
#[test]
fn a_file_may_say_what_is_required() {
    let said = with(
        "[prove]\nrules = ['reports/office.iptables', 'reports/office.ip6tables']",
        &["prove", "samples/office.pcapng"],
    );
    assert_eq!(said.status, Some(0), "{}", said.errors);
    // Some option and some command have one name.
    let said = with(
        "rules = 'reports/office.nft'",
        &["prove", "samples/office.pcapng"],
    );
    assert_eq!(said.status, Some(0), "{}", said.errors);
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_line() {
    for (config, expected) in [
        (
            "\nkernell = '6.12'",
            "ctaudit.toml:2: 'kernell' is no option of any command: did you mean 'kernel'?",
        ),
        (
            "[rules]\ncsv = 'x'",
            "ctaudit.toml:2: 'csv' is no option of ctaudit rules",
        ),
        (
            "[analize]\ncsv = 'x'",
            "ctaudit.toml:1: 'analize' is no option of any command",
        ),
        (
            "config = 'other.toml'",
            "ctaudit.toml:1: 'config' is no option of any command",
        ),
        (
            "captures = ['x']",
            "ctaudit.toml:1: 'captures' is no option of any command",
        ),
        (
            "\n\nmerge = 'yes'",
            "ctaudit.toml:3: 'merge' takes true or false, not a string",
        ),
        (
            "kernel = ['6.12']",
            "ctaudit.toml:1: 'kernel' takes a string or a number, not a",
        ),
        (
            "kernel = true",
            "ctaudit.toml:1: 'kernel' takes a string or a number, not a boolean",
        ),
        (
            "local = [true]",
            "ctaudit.toml:1: 'local' takes a string, or a list of strings",
        ),
        (
            "kernel = '2.4'",
            "ctaudit.toml:1: invalid value '2.4' for '--kernel <SERIES>': no such series",
        ),
        (
            "[events]\nclock = 'sundial'",
            "ctaudit.toml:2: invalid value 'sundial' for '--clock",
        ),
        ("kernel = ", "ctaudit.toml:1: "),
        ("merge = true\nfollow = true", "cannot be used with"),
    ] {
        let said = with(config, &["analyse", SAMPLE]);
        assert_eq!(said.status, Some(2), "{config}: {}", said.errors);
        assert!(said.errors.contains(expected), "{config}: {}", said.errors);
        assert!(said.out.is_empty(), "{config}");
    }
    let output = ctaudit(&["--config", "none.toml", "kernels"])
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("none.toml: "), "{errors}");
}

/// A value that each option takes, as its help or its type says: what is not known here is a new option, to be added.
fn example(option: &clap::Arg, folder: &Path) -> String {
    if let Some(value) = option.get_possible_values().first() {
        return format!("'{}'", value.get_name());
    }
    if let Some(value) = option.get_default_values().first() {
        return format!("'{}'", value.to_str().unwrap());
    }
    let path = folder.join("x");
    match option.get_long().unwrap() {
        "add-assign" | "assign" => "['tcp 2121 ftp', 'tcp 2122 ftp']".to_owned(),
        "bypass" | "local" => "['192.0.2.1/24', '2001:db8::1/64']".to_owned(),
        "compare-kernel" => "6.12".to_owned(),
        "decapsulate" => "'gre,vxlan'".to_owned(),
        "dedup" | "jobs" => "2".to_owned(),
        _ => format!("'{}'", path.display()),
    }
}

/// Every option of every command, as the program itself lists them, is a key.
#[test]
fn every_option_is_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Cli::command();
    program.build();
    let mut keys = 0;
    for command in program
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        for option in command
            .get_arguments()
            .filter(|option| !option.is_positional())
        {
            let key = option.get_long().unwrap();
            let value = match option.get_action() {
                ArgAction::SetTrue => "true".to_owned(),
                ArgAction::Set | ArgAction::Append if key != "config" => {
                    example(option, folder.path())
                }
                _ => continue,
            };
            keys += 1;
            for config in [
                format!("{key} = {value}"),
                format!("[{}]\n{key} = {value}", command.get_name()),
            ] {
                let said = with(&config, &["kernels"]);
                assert_eq!(said.status, Some(0), "{config}: {}", said.errors);
            }
        }
    }
    assert!(keys > 60, "only {keys} keys");
}
