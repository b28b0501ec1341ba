//! What belongs to the program in a shell: completions, manual pages, colour, and how much it tells.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::CommandFactory;
use ctaudit::cli::Cli;

use super::{ctaudit, stdout};
use crate::support::{files_below, project, read};

const SAMPLE: &str = "samples/helper/ftp/passive.pcap";

/// Runs a shell that reads this; `None` where there is no such shell.
fn shell(name: &str, arguments: &[&str], script: &str) -> Option<(bool, String)> {
    let spawned = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        println!("{name} is not installed: its completions were not tried");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

#[test]
fn completions_know_every_command_and_option() {
    for name in ["bash", "zsh", "fish"] {
        let script = stdout(&["completions", name]);
        let mut program = Cli::command();
        program.build();
        for command in program.get_subcommands() {
            assert!(script.contains(command.get_name()), "{name}");
            for option in command.get_opts().filter_map(|option| option.get_long()) {
                let is_known = script.contains(&format!("--{option}"))
                    || script.contains(&format!("-l {option}"));
                assert!(is_known, "{name} does not know --{option}");
            }
        }
        if let Some((accepted, said)) = shell(name, &["-n"], &script) {
            assert!(accepted, "{name}: {said}");
        }
    }
}

#[test]
fn bash_completes_a_command_and_an_option() {
    let script = stdout(&["completions", "bash"]);
    for (words, expected) in [
        ("ctaudit ana", "analyse"),
        ("ctaudit rules --byp", "--bypass"),
    ] {
        let last = words.split(' ').count() - 1;
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={last}\n_ctaudit ctaudit \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{}]}}\"\necho \"${{COMPREPLY[@]}}\"\n",
            last - 1
        );
        let Some((_, said)) = shell("bash", &["--norc"], &ask) else {
            return;
        };
        assert_eq!(said.trim(), expected);
    }
}

/// The pages in `reports/man/` are those of this program. With BLESS set they are written anew.
#[test]
fn the_manual_pages_are_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = project("reports/man");
    stdout(&["man", folder.path().to_str().unwrap()]);
    if std::env::var_os("BLESS").is_some() {
        stdout(&["man", shipped.to_str().unwrap()]);
    }
    let names = |folder: &Path| -> Vec<String> {
        let files = files_below(folder);
        let names = files.iter().map(|path| path.file_name().unwrap());
        names
            .map(|name| name.to_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(folder.path()), names(&shipped));
    for name in names(&shipped) {
        let of = |folder: &Path| fs::read_to_string(folder.join(&name)).unwrap();
        let out_of_date = "is out of date: run with BLESS=1 and read the change";
        assert_eq!(of(folder.path()), of(&shipped), "{name} {out_of_date}");
    }
    for command in Cli::command().get_subcommands() {
        let name = format!("ctaudit-{}.1", command.get_name());
        assert!(shipped.join(&name).exists(), "{name} is missing");
    }
}

#[test]
fn man_renders_the_pages_without_a_complaint() {
    for path in files_below(&project("reports/man")) {
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .arg(&path)
            .output();
        let Ok(output) = groff else {
            println!("groff is not installed: the pages were not tried");
            return;
        };
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.is_empty(), "{}: {said}", path.display());
    }
}

fn with(arguments: &[&str], no_color: Option<&str>) -> String {
    let mut command = ctaudit(arguments);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Without colour the text is complete: it is the same without the escape sequences.
#[test]
fn color_is_what_was_asked_for() {
    let escapes = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    for screen in [
        &["analyse", SAMPLE][..],
        &["findings"],
        &["helpers"],
        &["--help"],
    ] {
        let plain = with(screen, None);
        assert!(!plain.contains('\u{1b}'), "{screen:?}: no terminal");
        for (when, no_color, is_coloured) in [
            ("auto", None, false),
            ("never", None, false),
            ("always", None, true),
            ("always", Some("1"), true),
            ("auto", Some("1"), false),
        ] {
            let said = with(&[&["--color", when], screen].concat(), no_color);
            assert_eq!(said.contains('\u{1b}'), is_coloured, "{screen:?} {when}");
            assert_eq!(escapes.replace_all(&said, ""), plain, "{screen:?} {when}");
        }
    }
}

/// Verdicts, severities and the proof are set off; what the capture says never is.
#[test]
fn only_words_of_ours_are_coloured() {
    let coloured = regex::Regex::new("\u{1b}\\[38;5;[0-9]+m([^\u{1b}]*)\u{1b}").unwrap();
    let words = |arguments: &[&str]| -> Vec<String> {
        let said = with(&[&["--color", "always"], arguments].concat(), None);
        let found = coloured.captures_iter(&said);
        let mut words: Vec<String> = found.map(|found| found[1].to_owned()).collect();
        words.sort();
        words.dedup();
        words
    };
    assert_eq!(words(&["analyse", SAMPLE]), ["needed", "proved"]);
    assert_eq!(words(&["findings"]), ["high", "medium"]);
    let verdicts = [
        "cannot help",
        "dangerous",
        "inert",
        "needed",
        "needed,",
        "proved",
    ];
    assert_eq!(words(&["analyse", "samples/office.pcapng"]), verdicts);
}

/// Half of a capture, of which the last packet is cut.
fn damaged(arguments: &[&str]) -> (Option<i32>, String, String) {
    let whole = read(&project(SAMPLE));
    let output = ctaudit(&[&["analyse", "-"], arguments].concat())
        .write_stdin(&whole[..whole.len() - 5])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn quiet_tells_nothing_but_errors() {
    let (status, report, said) = damaged(&[]);
    assert_eq!((status, said.lines().count()), (Some(4), 1), "{said}");
    assert_eq!(
        damaged(&["--quiet"]),
        (status, report.clone(), String::new())
    );
    assert_eq!(damaged(&["-q"]), (status, report.clone(), String::new()));
    assert!(report.contains("damaged at 1 place"), "{report}");
    let output = ctaudit(&["--quiet", "analyse", "README.md"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("README.md: not a pcap"), "{said}");
}

#[test]
fn verbose_tells_what_is_done_and_prints_the_same() {
    let arguments = [
        "analyse",
        "--kernel",
        "6.12",
        "samples/helper/ftp/active.pcap",
        SAMPLE,
    ];
    let output = ctaudit(&[&arguments[..], &["-v"]].concat())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        stdout(&arguments)
    );
    let said = String::from_utf8(output.stderr).unwrap();
    for pattern in [
        "(?m)^ctaudit: simulates Linux 6.12, with these helpers: .*tcp 21 ftp.*$",
        r"(?ms)^ctaudit: read \S+: pcap.*?, \d+ packets$.*^ctaudit: read \S+: pcap.*?, \d+ packets$",
        r"(?m)^ctaudit: replayed \d+ frames, up to \d+ flows alive at once: \d+\.\d{3} s$",
        r"(?m)^ctaudit: proposed rules and tried them: \d+\.\d{3} s$",
    ] {
        let pattern = regex::Regex::new(pattern).unwrap();
        assert!(pattern.is_match(&said), "{pattern} in\n{said}");
    }
    let output = ctaudit(&["-v", "-q", "kernels"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
