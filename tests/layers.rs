//! What may use what: the layers of `src/lib.rs`, held against the `use crate::` lines.

use std::fs;
use std::path::Path;

use crate::support::{files_below, project};

/// A module (the longest prefix of a file's path counts) and what of ours it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("tuple", &[]),
    ("stored", &[]),
    ("expectation", &["stored", "tuple"]),
    ("capture", &["stored", "time"]),
    ("packet", &["time", "tuple"]),
    ("kernel", &[]),
    ("room", &[]),
    ("helper", &["expectation", "kernel", "tuple"]),
    (
        "conntrack",
        &[
            "expectation",
            "helper",
            "kernel",
            "packet",
            "stored",
            "time",
            "tuple",
        ],
    ),
    ("topology", &[]),
    ("ruleset", &["conntrack", "helper", "packet", "tuple"]),
    (
        "firewall",
        &[
            "conntrack",
            "helper",
            "packet",
            "ruleset",
            "time",
            "topology",
            "tuple",
        ],
    ),
    (
        "replay",
        &[
            "capture",
            "conntrack",
            "firewall",
            "packet",
            "ruleset",
            "time",
            "tuple",
        ],
    ),
    ("content", &["stored", "tuple"]),
    ("service", &["conntrack", "stored", "tuple"]),
    (
        "forgery",
        &[
            "conntrack",
            "expectation",
            "firewall",
            "packet",
            "service",
            "time",
            "tuple",
        ],
    ),
    (
        "dialogue",
        &[
            "conntrack",
            "content",
            "packet",
            "replay",
            "room",
            "service",
            "stored",
            "time",
            "tuple",
        ],
    ),
    (
        "findings",
        &[
            "conntrack",
            "content",
            "dialogue",
            "expectation",
            "helper",
            "packet",
            "replay",
            "room",
            "service",
            "stored",
            "time",
            "tuple",
        ],
    ),
    (
        "exposure",
        &[
            "conntrack",
            "expectation",
            "helper",
            "kernel",
            "packet",
            "replay",
            "room",
            "service",
            "stored",
            "time",
            "tuple",
        ],
    ),
    (
        "discovery",
        &[
            "conntrack",
            "content",
            "helper",
            "packet",
            "replay",
            "room",
            "service",
            "stored",
            "tuple",
        ],
    ),
    (
        "verdict",
        &[
            "dialogue",
            "discovery",
            "exposure",
            "findings",
            "helper",
            "service",
        ],
    ),
    ("what_if", &["conntrack", "exposure", "replay", "time"]),
    ("compare", &["conntrack", "expectation", "replay", "time"]),
    (
        "proposal",
        &[
            "conntrack",
            "expectation",
            "exposure",
            "helper",
            "kernel",
            "ruleset",
            "service",
            "topology",
            "tuple",
            "verdict",
        ],
    ),
    (
        "proof",
        &[
            "conntrack",
            "expectation",
            "exposure",
            "firewall",
            "forgery",
            "helper",
            "kernel",
            "packet",
            "proposal",
            "replay",
            "ruleset",
            "time",
            "topology",
            "tuple",
        ],
    ),
    (
        "excerpt",
        &[
            "conntrack",
            "firewall",
            "helper",
            "packet",
            "proof",
            "replay",
            "ruleset",
            "time",
            "tuple",
        ],
    ),
    (
        "analysis",
        &[
            "capture",
            "compare",
            "conntrack",
            "discovery",
            "excerpt",
            "exposure",
            "findings",
            "firewall",
            "helper",
            "kernel",
            "proof",
            "proposal",
            "replay",
            "ruleset",
            "verdict",
            "what_if",
        ],
    ),
    (
        "sums",
        &[
            "analysis",
            "capture",
            "compare",
            "dialogue",
            "discovery",
            "excerpt",
            "exposure",
            "findings",
            "service",
            "time",
        ],
    ),
    (
        "explain",
        &[
            "conntrack",
            "expectation",
            "packet",
            "replay",
            "time",
            "tuple",
        ],
    ),
    (
        "report",
        &[
            "analysis",
            "capture",
            "compare",
            "conntrack",
            "expectation",
            "explain",
            "exposure",
            "findings",
            "forgery",
            "helper",
            "kernel",
            "packet",
            "proof",
            "proposal",
            "ruleset",
            "service",
            "time",
            "tuple",
            "verdict",
        ],
    ),
    (
        "cli",
        &[
            "analysis",
            "capture",
            "compare",
            "conntrack",
            "explain",
            "exposure",
            "findings",
            "firewall",
            "helper",
            "kernel",
            "packet",
            "proof",
            "proposal",
            "replay",
            "report",
            "ruleset",
            "service",
            "sums",
            "time",
            "topology",
            "tuple",
            "what_if",
        ],
    ),
];

#[test]
fn no_module_uses_what_its_layer_must_not_know() {
    let source = project("src");
    let mut checked = 0;
    for path in files_below(&source) {
        let file = path
            .strip_prefix(&source)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let module = file.split(['/', '.']).next().unwrap();
        // The guide is words about all of them.
        if ["guide", "lib", "main"].contains(&module) {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == module);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{file}: a module without a layer"));
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let used = used
                    .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .next()
                    .unwrap();
                checked += 1;
                assert!(
                    used == module || allowed.contains(&used),
                    "{file}:{}: {module} must not use {used}",
                    index + 1
                );
            }
        }
    }
    assert!(checked > 50, "only {checked} uses were found");
}

/// A helper knows its own file, the messages and the texts; not another helper.
#[test]
fn no_helper_uses_another() {
    let helpers = project("src/helper");
    let module_of = |path: &Path| {
        let below = path.strip_prefix(&helpers).unwrap().to_string_lossy();
        below.split(['/', '\\', '.']).next().unwrap().to_owned()
    };
    let files = files_below(&helpers);
    let shared = ["freedom", "line_ends", "mod", "modules", "reasons", "text"];
    for path in &files {
        let (own, text) = (module_of(path), fs::read_to_string(path).unwrap());
        for other in files.iter().map(|path| module_of(path)) {
            if shared.contains(&own.as_str()) || other == own || shared.contains(&other.as_str()) {
                continue;
            }
            for line in text.lines().filter(|line| line.starts_with("use ")) {
                assert!(!line.contains(&other), "{own} uses {other}: {line}");
            }
        }
    }
}

/// The simulation's only clock is the capture's. The command line may say how long something took.
#[test]
fn nothing_asks_what_time_it_is() {
    for path in files_below(&project("src")) {
        if path.starts_with(project("src/cli")) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for clock in ["::now(", ".elapsed(", "UNIX_EPOCH"] {
            assert!(!text.contains(clock), "{} uses {clock}", path.display());
        }
    }
}
