//! Findings for programs that collect them: SARIF 2.1.0 (OASIS).

use serde_json::{Value, json};

use super::listed;
use crate::analysis::Analysis;
use crate::findings::{Entry, Severity, Sum};
use crate::verdict::counted;

/// One run with a result for each sum of a finding and a service.
pub fn log(analysis: &Analysis) -> Value {
    let sums: Vec<&Sum> = analysis.found.sums().collect();
    let mut entries: Vec<&Entry> = sums.iter().map(|sum| sum.entry).collect();
    entries.sort_by_key(|entry| entry.id);
    entries.dedup_by_key(|entry| entry.id);
    let captures = analysis.account.inputs.iter();
    let captures: Vec<Value> = captures
        .map(|input| json!({ "location": { "uri": uri(&input.name) } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ctaudit",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": entries.iter().map(|entry| rule(entry)).collect::<Vec<_>>(),
            } },
            "artifacts": captures,
            "results": sums.iter().map(|sum| result(sum, analysis)).collect::<Vec<_>>(),
        }],
    })
}

fn rule(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "shortDescription": { "text": entry.title },
        "fullDescription": { "text": format!("On the wire: {}.", entry.wire) },
        "help": { "text": format!("Looks the same and is not: {}.", entry.alike) },
        "defaultConfiguration": { "level": level(entry.severity) },
        "properties": { "severity": entry.severity.name(), "references": entry.references },
    })
}

fn result(sum: &Sum, analysis: &Analysis) -> Value {
    let service = sum.service.as_ref();
    let service = service.map(|of| {
        json!({
            "helper": of.helper,
            "protocol": of.protocol.to_string(),
            "server": of.server.to_string(),
            "port": of.port,
        })
    });
    // Frames are counted through all captures: which of several one is in, they do not say.
    let location = match &analysis.account.inputs[..] {
        [one] => {
            json!([{ "physicalLocation": { "artifactLocation": { "uri": uri(&one.name), "index": 0 } } }])
        }
        _ => json!([]),
    };
    json!({
        "ruleId": sum.entry.id,
        "level": level(sum.entry.severity),
        "message": { "text": format!(
            "{}: {} ({}, frames {})",
            sum.entry.title,
            sum.detail,
            counted(sum.times, "time"),
            listed(&sum.frames),
        ) },
        "locations": location,
        "occurrenceCount": sum.times,
        "properties": { "service": service, "frames": sum.frames },
    })
}

/// SARIF has three levels (3.27.10).
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Low | Severity::Medium => "warning",
        Severity::High => "error",
    }
}

/// A path as a reference: what is no letter, digit or separator is percent-encoded (RFC 3986, 2.1).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'_' | b'~' | b'-' => uri.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}
