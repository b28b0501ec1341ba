//! `ctaudit merge`: several audits come to what one run over all of their captures comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use polars::prelude::{ChunkApply, IntoColumn, ParquetReader, ParquetWriter, SerReader};
use regex::Regex;
use tempfile::TempDir;

use super::{ctaudit, stdout};
use crate::support::{files_below, project};

/// Of a table, its rows by the names of columns.
fn rows(folder: &Path, table: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(folder.join(table)).unwrap();
    let mut lines = records(&text).into_iter();
    let header = lines.next().unwrap();
    let row = |cells: Vec<String>| header.iter().cloned().zip(cells).collect();
    lines.map(row).collect()
}

/// RFC 4180
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let record = records.last_mut().unwrap();
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                record.last_mut().unwrap().push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => record.push(String::new()),
            '\n' if !is_quoted => records.push(vec![String::new()]),
            letter => record.last_mut().unwrap().push(letter),
        }
    }
    records.pop();
    records
}

/// An audit of some captures, as Parquet, in a directory of that name.
fn audit(folder: &TempDir, name: &str, captures: &[&str], more: &[&str]) -> PathBuf {
    let directory = folder.path().join(name);
    let mut arguments = vec!["analyse", "-q", "--parquet", directory.to_str().unwrap()];
    arguments.extend(captures);
    arguments.extend(more);
    stdout(&arguments);
    directory
}

/// The captures of samples, each with the addresses of its conntracks that are somebody's own.
fn samples(folder: &TempDir) -> Vec<(String, BTreeSet<String>)> {
    let is_capture = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("pcap" | "pcapng"))
    };
    let files = files_below(&project("samples/helper"));
    let captures = files.into_iter().filter(is_capture);
    let with_hosts = captures.map(|path| {
        let name = path.strip_prefix(project("")).unwrap();
        let name = name.to_str().unwrap().to_owned();
        let tables = folder.path().join("hosts");
        stdout(&["analyse", "-q", "--csv", tables.to_str().unwrap(), &name]);
        let ends = rows(&tables, "conntracks.csv");
        let ends = ends
            .iter()
            .flat_map(|row| [row["src"].clone(), row["dst"].clone()]);
        let is_host = |end: &String| {
            let address: IpAddr = end.parse().unwrap();
            !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
        };
        (name, ends.filter(is_host).collect())
    });
    with_hosts.collect()
}

/// What the end of a capture decides: one run goes on, and what the first capture left open times out.
const OF_THE_END: &[&str] = &[
    "ended",
    "status",
    "outcome",
    "open",
    "open_for_nobody",
    "open_to_anybody",
    "dangers",
];
/// What takes packets.
const OF_THE_PROOF: &[&str] = &["forged.csv", "reach.csv"];

#[test]
fn audits_of_networks_without_a_common_host_come_to_one_run_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(&folder);
    let mut pairs = Vec::new();
    for (index, (one, hosts)) in samples.iter().enumerate() {
        let others = samples[index + 1..].iter();
        let mut others = others.filter(|(_, others)| hosts.is_disjoint(others));
        // Another one for each.
        let count = others.clone().count().max(1);
        pairs.extend(others.nth(index * 7 % count).map(|(other, _)| (one, other)));
    }
    assert!(pairs.len() > 20, "{} pairs", pairs.len());
    let mut compared = 0;
    for (one, other) in pairs {
        let together = folder.path().join("together");
        let merged = folder.path().join("merged");
        let [tables, csv] = [&together, &merged].map(|path| path.to_str().unwrap());
        stdout(&["analyse", "-q", "--csv", tables, one, other]);
        let [one, other] = [("one", one), ("other", other)]
            .map(|(name, capture)| audit(&folder, name, &[capture], &[]));
        // The order of time is found whatever that of the arguments.
        let [one, other] = [&other, &one].map(|path| path.to_str().unwrap());
        stdout(&["merge", one, other, "--csv", csv]);
        for path in files_below(&together) {
            let table = path.file_name().unwrap().to_str().unwrap();
            if OF_THE_PROOF.contains(&table) || table == "sums.json" {
                continue;
            }
            let [mut wanted, mut found] = [&together, &merged].map(|folder| rows(folder, table));
            // They are written in the order in which they end.
            let number = match table {
                "conntracks.csv" | "related_flows.csv" => "conntrack",
                "expectations.csv" => "expectation",
                _ => "",
            };
            for rows in [&mut wanted, &mut found] {
                rows.sort_by_key(|row| {
                    row.get(number).map(|number| number.parse::<u64>().unwrap())
                });
                for column in OF_THE_END.iter().chain(&["lost_without"]) {
                    rows.iter_mut().for_each(|row| drop(row.remove(*column)));
                }
            }
            assert_eq!(found, wanted, "{table} of {one} and {other}");
            compared += wanted.len();
        }
    }
    assert!(compared > 5000, "{compared} rows");
}

/// Also of what another kernel and another firewall would have done: twice the same differs twice, at frames that count on.
#[test]
fn what_was_asked_besides_is_merged_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let asked = [
        "--kernel",
        "7.1",
        "--compare-kernel",
        "7.2",
        "--what-if",
        "nf_conntrack_ftp.loose=1",
    ];
    let capture = "tests/recorded/ftp-1.pcap.gz";
    let [one, other] = ["one", "other"].map(|name| audit(&folder, name, &[capture], &asked));
    let alone = folder.path().join("alone");
    let merged = folder.path().join("merged");
    let [one, other] = [&one, &other].map(|path| path.to_str().unwrap());
    stdout(&["merge", one, "--csv", alone.to_str().unwrap()]);
    let report = stdout(&["merge", one, other, "--csv", merged.to_str().unwrap()]);

    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<u64>().unwrap();
    let [once, twice] = [&alone, &merged].map(|folder| rows(folder, "kernel_differences.csv"));
    assert!(!once.is_empty());
    assert_eq!(twice.len(), 2 * once.len());
    let frames = number(&rows(&alone, "captures.csv")[0], "packets");
    for (first, second) in once.iter().zip(&twice[once.len()..]) {
        assert_eq!(number(first, "frame") + frames, number(second, "frame"));
        assert_eq!(first["what"], second["what"]);
    }
    let states = twice.iter().filter(|row| row["what"] == "ct state");
    let told = format!("ct state {}", states.count());
    assert!(report.contains(&told), "{told}: {report}");

    let [once, twice] = [&alone, &merged].map(|folder| rows(folder, "what_if.csv"));
    assert!(!once.is_empty());
    for (once, twice) in once.iter().zip(&twice) {
        for column in ["expectations", "used", "open"] {
            assert_eq!(number(twice, column), 2 * number(once, column), "{column}");
        }
    }
}

#[test]
fn merging_in_steps_is_merging_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // In the order of time the last is the second.
    let captures = ["ftp/passive", "irc/dcc-send", "tftp/read-ipv6"];
    let audits = captures.map(|name| {
        let capture = format!("samples/helper/{name}.pcap");
        audit(&folder, &name.replace('/', "-"), &[&capture], &[])
    });
    let [first, second, third] = audits.each_ref().map(|path| path.to_str().unwrap());
    let two = folder.path().join("two");
    let two = two.to_str().unwrap();
    stdout(&["merge", third, first, "--parquet", two]);
    let at_once = stdout(&["merge", third, first, second]);
    assert_eq!(stdout(&["merge", second, two]), at_once);
    assert!(
        at_once.contains("3 audits, each with a conntrack of its own"),
        "{at_once}"
    );
    let [report, again] = ["report", "again"].map(|name| folder.path().join(name));
    stdout(&["merge", second, two, "--report", report.to_str().unwrap()]);
    stdout(&[
        "merge",
        first,
        second,
        third,
        "--report",
        again.to_str().unwrap(),
    ]);
    for path in files_below(&report) {
        let name = path.file_name().unwrap();
        assert_eq!(
            fs::read(&path).unwrap(),
            fs::read(again.join(name)).unwrap()
        );
    }
}

/// Two days of one network: the same servers, asked on both, and all that is counted of them doubled.
#[test]
fn what_servers_were_asked_on_several_days_is_summed() {
    let folder = tempfile::tempdir().unwrap();
    let capture = "samples/office.pcapng";
    let [one, other] = ["one", "other"].map(|name| audit(&folder, name, &[capture], &[]));
    let merged = folder.path().join("merged");
    let alone = folder.path().join("alone");
    let [one, other, csv] = [&one, &other, &merged].map(|path| path.to_str().unwrap());
    stdout(&["merge", one, "--csv", alone.to_str().unwrap()]);
    stdout(&["merge", one, other, "--csv", csv]);
    let of_both = |table: &str| [&alone, &merged].map(|folder| rows(folder, table));
    for (table, columns) in [
        (
            "verdicts.csv",
            &[
                "control_conntracks",
                "picked_up",
                "unanswered",
                "expectations",
                "refreshed",
                "used",
                "declined",
                "related_flows",
                "open",
                "open_for_nobody",
                "open_to_anybody",
            ][..],
        ),
        (
            "exposure.csv",
            &["expectations", "used", "open", "open_to_anybody"],
        ),
        ("packets.csv", &["packets", "bytes"]),
    ] {
        let [once, twice] = of_both(table);
        assert_eq!(once.len(), twice.len(), "{table}");
        for column in columns {
            let number = |row: &BTreeMap<String, String>| row[*column].parse::<u64>().unwrap();
            let counted: u64 = once.iter().map(number).sum();
            assert!(counted > 0, "{table}: {column}");
            for (once, twice) in once.iter().zip(&twice) {
                assert_eq!(number(twice), 2 * number(once), "{table}: {column}");
            }
        }
    }
    let [once, twice] = of_both("verdicts.csv");
    for column in ["verdict", "clients"] {
        let values = |rows: &[BTreeMap<String, String>]| -> Vec<Option<String>> {
            rows.iter().map(|row| row.get(column).cloned()).collect()
        };
        assert_eq!(values(&once), values(&twice), "{column}");
    }
    // Helpers are attached where they were; that more flows show more of a range of ports changes what they let in.
    let [once, twice] = of_both("rules.csv");
    let attached = |rows: &[BTreeMap<String, String>]| -> Vec<String> {
        let attach = rows.iter().filter(|row| row["kind"] == "attach");
        let rules = attach.map(|row| row["nft"].split(" comment ").next().map(str::to_owned));
        rules.flatten().collect()
    };
    assert!(attached(&once).len() > 2);
    assert_eq!(attached(&once), attached(&twice));
    // No two conntracks, and no two expectations, have one number.
    for (table, number) in [
        ("conntracks.csv", "conntrack"),
        ("expectations.csv", "expectation"),
    ] {
        let [once, twice] = of_both(table);
        let numbers: BTreeSet<&String> = twice.iter().map(|row| &row[number]).collect();
        assert_eq!(
            (twice.len(), numbers.len()),
            (2 * once.len(), 2 * once.len())
        );
    }
}

#[test]
fn what_cannot_be_merged_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let capture = "samples/helper/tftp/read.pcap";
    let ours = audit(&folder, "ours", &[capture], &[]);
    let older = audit(&folder, "older", &[capture], &["--kernel", "6.1"]);
    let [ours, older] = [&ours, &older].map(|path| path.to_str().unwrap());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(ours, &link).unwrap();
    let refused = |arguments: &[&str]| {
        let output = ctaudit(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), output.stdout.len(), told)
    };
    let (status, printed, told) = refused(&["merge", ours, older]);
    assert_eq!((status, printed), (Some(2), 0), "{told}");
    assert!(
        told.contains(r#"--kernel is "6.1" of one and "6.18" of the other"#),
        "{told}"
    );
    let (status, _, told) = refused(&["merge", ours, link.to_str().unwrap()]);
    assert_eq!(status, Some(2));
    assert!(told.contains("given twice"), "{told}");
    let (status, _, told) = refused(&["merge", "samples"]);
    assert_eq!(status, Some(1));
    assert!(
        told.contains("samples/sums.json: not there") && told.contains("--parquet"),
        "{told}"
    );

    // Sums are there, the rows as Parquet are not, or they are another run's.
    let tables = folder.path().join("tables");
    let tables = ["--csv", tables.to_str().unwrap()];
    let text = folder.path().join("text");
    let text = text.to_str().unwrap();
    for format in ["--csv", "--parquet", "--csv"] {
        stdout(&["analyse", "-q", format, text, capture]);
        stdout(&["merge", text]);
        let (status, _, told) = refused(&[&["merge", text][..], &tables].concat());
        let has_rows = format == "--parquet";
        assert_eq!(status, Some(i32::from(!has_rows)), "{told}");
        assert_eq!(
            told.contains("not written rows as Parquet"),
            !has_rows,
            "{told}"
        );
    }
    // Nobody waits for a pipe, or reads what has no end.
    for (name, what) in [("endless", "/dev/zero"), ("directory", "/")] {
        let directory = folder.path().join(name);
        fs::create_dir(&directory).unwrap();
        std::os::unix::fs::symlink(what, directory.join("sums.json")).unwrap();
        let (status, _, told) = refused(&["merge", directory.to_str().unwrap()]);
        assert_eq!(status, Some(1));
        assert!(told.contains("no file that ctaudit has written"), "{told}");
    }

    let sums = folder.path().join("ours/sums.json");
    let genuine = fs::read_to_string(&sums).unwrap();
    let version = Regex::new(r#""schema_version":\d+"#).unwrap();
    let forged = [
        (
            version
                .replace(&genuine, r#""schema_version":1"#)
                .into_owned(),
            "another version",
        ),
        (
            genuine.replace("read.pcap", r"read\u001b]0;owned\u0007.pcap"),
            "control characters",
        ),
        (
            genuine.replace("read.pcap", r"read\u202e.pcap"),
            "control characters",
        ),
        (
            genuine.replacen(r#""frames":"#, r#""frames":1000000000000000"#, 1),
            "larger than any",
        ),
        (genuine[..genuine.len() / 2].to_owned(), "EOF"),
        (
            genuine.replace(r#""tftp""#, &format!("{:?}", "t".repeat(300))),
            "words",
        ),
        (
            genuine.replace(
                r#""helper":"tftp""#,
                r#""helper":"tftp\" accept; flush ruleset; #""#,
            ),
            "no helper",
        ),
    ];
    for (text, why) in forged {
        assert_ne!(text, genuine);
        fs::write(&sums, text).unwrap();
        let (status, printed, told) = refused(&["merge", ours]);
        assert_eq!((status, printed), (Some(1), 0), "{told}");
        assert!(told.contains(why), "{why}: {told}");
        assert!(
            !told.contains('\u{1b}') && !told.contains('\u{202e}'),
            "{told:?}"
        );
    }
    fs::write(&sums, genuine).unwrap();
    stdout(&["merge", ours]);
}

/// Words of an option may have any blanks between them.
#[test]
fn what_analyse_has_written_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let assigned = ["--add-assign", "tcp\t2121  ftp"];
    let capture = "samples/helper/ftp/port-2121.pcap";
    let one = audit(&folder, "one", &[capture], &assigned);
    let merged = stdout(&["merge", one.to_str().unwrap()]);
    assert!(merged.contains("tcp 198.51.100.22:2121"), "{merged}");
}

/// A table with another's text in it: a command to a terminal, a formula to a spreadsheet.
#[test]
fn forged_rows_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let audited = audit(&folder, "audited", &["samples/office.pcapng"], &[]);
    let csv = folder.path().join("csv");
    let [directory, csv] = [&audited, &csv].map(|path| path.to_str().unwrap());
    stdout(&["merge", directory, "--csv", csv]);
    let path = audited.join("refusals.parquet");
    let genuine = ParquetReader::new(fs::File::open(&path).unwrap())
        .finish()
        .unwrap();
    for forged in ["\u{1b}[2J", "=1+1", "\u{202e}"] {
        let mut table = genuine.clone();
        let reasons = table.column("reason").unwrap().str().unwrap();
        let reasons = reasons.apply_values(|_| forged.into());
        table.with_column(reasons.into_column()).unwrap();
        let file = fs::File::create(&path).unwrap();
        ParquetWriter::new(file).finish(&mut table).unwrap();
        let output = ctaudit(&["merge", directory, "--csv", csv])
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            told.contains("refusals.parquet") && told.contains("again"),
            "{told}"
        );
    }
}

/// As of a run over the captures.
#[test]
fn the_exit_status_tells_of_findings_and_damage() {
    let folder = tempfile::tempdir().unwrap();
    let found = audit(&folder, "found", &["samples/office.pcapng"], &[]);
    let found = found.to_str().unwrap();
    let status = |arguments: &[&str]| ctaudit(arguments).output().unwrap().status.code();
    assert_eq!(status(&["merge", found]), Some(0));
    assert_eq!(status(&["merge", found, "--fail-on", "note"]), Some(3));

    let whole = fs::read(project("samples/helper/tftp/read.pcap")).unwrap();
    let cut = folder.path().join("cut.pcap");
    fs::write(&cut, &whole[..whole.len() - 5]).unwrap();
    let damaged = folder.path().join("damaged");
    let [cut, damaged] = [&cut, &damaged].map(|path| path.to_str().unwrap());
    assert_eq!(
        status(&["analyse", "-q", "--parquet", damaged, cut]),
        Some(4)
    );
    assert_eq!(status(&["merge", damaged, found]), Some(4));
    let output = ctaudit(&["merge", damaged, found]).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("cut off or damaged"), "{report}");
}
