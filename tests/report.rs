//! The report in its other forms: HTML, Markdown, JSON and SARIF.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{ctaudit, stdout};
use crate::support::{project, read};

const FORMS: [&str; 5] = [
    "findings.sarif",
    "report.html",
    "report.json",
    "report.md",
    "report.schema.json",
];

fn report(capture: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let text = stdout(&["analyse", "--report", to, capture]);
    (folder, text)
}

fn form(folder: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// What is in `reports/office/` is what the program writes. With BLESS set it is written anew, to be read in review.
#[test]
fn the_published_report_is_what_the_program_writes() {
    let (folder, _) = report("samples/office.pcapng");
    for name in FORMS {
        let written = form(&folder, name);
        let path = project("reports/office").join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &written).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap();
        assert!(
            written == published,
            "{name} is out of date: run with BLESS=1 and read the change"
        );
    }
}

/// What a terminal shows, in the words that it shows it in: of every table each cell, of every list each word.
#[test]
fn every_form_says_what_the_terminal_says() {
    for capture in [
        "samples/office.pcapng",
        "samples/helper/sip/registered.pcap",
    ] {
        let (folder, text) = report(capture);
        let html = without_tags(&form(&folder, "report.html"));
        let markdown = form(&folder, "report.md").replace('\\', "");
        let words = |text: &str| -> Vec<String> {
            let words = text
                .split(|letter: char| !letter.is_ascii_alphanumeric() && !".:-".contains(letter));
            words
                .filter(|word| word.len() > 3)
                .map(str::to_lowercase)
                .collect()
        };
        let told = [words(&html), words(&markdown)];
        for word in words(&text) {
            // A terminal breaks an address that is too long for its column; verdicts are no table everywhere.
            let is_header = ["because", "verdict"].contains(&word.as_str());
            let is_broken = is_header
                || word.starts_with(':')
                || word.ends_with([':', '-', '.'])
                || word.starts_with('-');
            let said = |words: &Vec<String>| words.iter().any(|other| other.contains(&word));
            assert!(is_broken || told.iter().all(said), "{capture}: {word}");
        }
    }
}

/// The text of a document: entities are those that an escaped text has.
fn without_tags(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap();
    let body = body.split("<script>").next().unwrap();
    let pieces = body
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let text = pieces.collect::<Vec<_>>().join(" ");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// It fetches nothing: no address of another file is in it, but for those of its own parts.
#[test]
fn the_page_stands_alone() {
    let (folder, _) = report("samples/office.pcapng");
    let html = form(&folder, "report.html");
    for attribute in ["src=", "href=", "url(", "@import", "srcset=", "action="] {
        for (at, _) in html.match_indices(attribute) {
            let rest = &html[at + attribute.len()..];
            assert!(
                rest.starts_with("\"#"),
                "{attribute}{}",
                &rest[..40.min(rest.len())]
            );
        }
    }
    assert!(html.contains("default-src 'none'"), "no policy");
    let namespaces = html.matches("http://").count();
    assert_eq!(
        namespaces,
        html.matches("http://www.w3.org/2000/svg").count()
    );
    for (at, _) in html.match_indices("href=\"#") {
        let target = html[at + 7..].split('"').next().unwrap();
        assert!(
            html.contains(&format!("id=\"{target}\"")),
            "#{target} leads nowhere"
        );
    }
}

/// Elements that are opened are closed, in their order (HTML, 13.1.2).
#[test]
fn tags_are_balanced() {
    let (folder, _) = report("samples/office.pcapng");
    let html = form(&folder, "report.html");
    let body = html.split("</style>").nth(1).unwrap();
    let body = body.split("<script>").next().unwrap();
    let mut open: Vec<&str> = Vec::new();
    for piece in body.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap();
        let name = tag.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some("head") => {}
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, ["body"], "what is behind the scripts closes these");
}

/// A capture's name may be anything that a file's may.
#[test]
fn names_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let name = "<b onload=x>&\"'|`[a](b)_*\u{1b}[31m.pcap";
    let capture = folder.path().join(name);
    fs::write(&capture, read(&project("samples/helper/ftp/passive.pcap"))).unwrap();
    let (written, _) = report(capture.to_str().unwrap());
    for name in FORMS {
        let text = form(&written, name);
        assert!(!text.contains('\u{1b}'), "{name} has an escape");
    }
    assert!(!form(&written, "report.html").contains("<b "));
    let markdown = form(&written, "report.md");
    assert!(
        markdown.contains(r"\<b onload=x\>\&"),
        "{}",
        &markdown[..200]
    );
    let sarif: Value = serde_json::from_str(&form(&written, "findings.sarif")).unwrap();
    let uri = &sarif["runs"][0]["artifacts"][0]["location"]["uri"];
    let uri = uri.as_str().unwrap();
    assert!(uri.contains("%3Cb%20onload%3Dx%3E%26%22%27%7C%60"), "{uri}");
}

/// Every value has a type that the schema allows, and no row has more or fewer than the schema knows.
#[test]
fn the_json_follows_its_schema() {
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(project("reports/office/report.schema.json")).unwrap(),
    )
    .unwrap();
    for capture in [
        "samples/office.pcapng",
        "samples/helper/sip/registered.pcap",
        "samples/helper/pptp/two-clients.pcap",
    ] {
        let json: Value =
            serde_json::from_str(&stdout(&["analyse", "--format", "json", capture])).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let names: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(names, properties.keys().collect::<Vec<_>>());
        let mut rows = 0;
        for (name, table) in properties
            .iter()
            .filter(|(_, property)| property["type"] == "array")
        {
            let columns = table["items"]["properties"].as_object().unwrap();
            for row in json[name].as_array().unwrap() {
                let row = row.as_object().unwrap();
                assert_eq!(
                    row.keys().collect::<Vec<_>>(),
                    columns.keys().collect::<Vec<_>>(),
                    "{name}"
                );
                for (column, value) in row {
                    let kind = match value {
                        Value::Null => "null",
                        Value::Bool(_) => "boolean",
                        Value::Number(number) if number.is_f64() => "number",
                        Value::Number(_) => "integer",
                        Value::String(_) => "string",
                        _ => "none",
                    };
                    let allowed = columns[column]["type"].as_array().unwrap();
                    assert!(allowed.contains(&kind.into()), "{name}.{column}: {value}");
                }
                rows += 1;
            }
        }
        assert!(rows > 20, "{capture}: {rows} rows");
    }
}

/// The figures of the JSON are those that the audit by hand came to: thirteen expectations at the first server, twelve of
/// which flows came for; 51 related packets.
#[test]
fn the_json_has_the_figures() {
    let json: Value = serde_json::from_str(&stdout(&[
        "analyse",
        "--format",
        "json",
        "samples/office.pcapng",
    ]))
    .unwrap();
    let exposure = json["exposure"].as_array().unwrap();
    let server = |row: &&Value| row["server"] == "198.51.100.21" && row["helper"] == "ftp";
    let row = exposure.iter().find(server).unwrap();
    assert_eq!(
        (&row["expectations"], &row["used"]),
        (&13.into(), &12.into()),
        "{row}"
    );
    let related = json["packets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["ct_state"] == "related");
    assert_eq!(related.unwrap()["packets"], 51);
}

/// What a reader of SARIF needs (2.1.0, 3.13 and 3.27): rules for all results, levels, and how often.
#[test]
fn findings_are_results() {
    let text = stdout(&["analyse", "--format", "sarif", "samples/office.pcapng"]);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(rules.len(), 1);
    assert_eq!(results[0]["ruleId"], "ftp-encrypted");
    assert_eq!(results[0]["ruleId"], rules[0]["id"]);
    assert_eq!(results[0]["level"], "note");
    assert_eq!(results[0]["occurrenceCount"], 2);
    assert_eq!(
        results[0]["properties"]["frames"],
        serde_json::json!([539, 1210])
    );
}

/// Each of several networks has a report of its own.
#[test]
fn jobs_have_reports_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let captures = ["samples/office.pcapng", "samples/helper/ftp/passive.pcap"];
    let output = ctaudit(&[
        "analyse",
        "--jobs",
        "2",
        "--report",
        to,
        captures[0],
        captures[1],
    ])
    .output()
    .unwrap();
    assert!(output.status.success());
    for name in ["office.pcapng", "passive.pcap"] {
        let html = fs::read_to_string(Path::new(to).join(name).join("report.html")).unwrap();
        assert!(html.contains(name));
    }
}
