//! `ctaudit findings`: what is known to go wrong with helpers, and what it looks like.

use std::io::{self, Write};

use comfy_table::Cell;

use super::terminal::{Look, finish, heading, judged, prose, table};
use crate::findings::{self, Entry};

/// The entries at a glance, then what tells each from what is like it.
pub fn findings(out: &mut dyn Write, look: Look) -> io::Result<()> {
    heading(
        out,
        "Findings",
        "what is known to go wrong with helpers, as far as a capture shows it",
        look,
    )?;
    let mut table = table(look, &["severity", "finding", "what"], &[]);
    for entry in findings::all() {
        table.add_row([
            judged(entry.severity.name()),
            Cell::new(entry.id),
            Cell::new(entry.title),
        ]);
    }
    finish(out, table, None)?;
    let severities = "Severity: note, ordinary programs do it; low, odd and harmless by itself; medium, a hole that \
                      somebody could have wanted; high, what no honest program sends.\n\n";
    let entries: Vec<String> = findings::all().map(describe).collect();
    prose(out, &(severities.to_owned() + &entries.join("\n")), look)
}

fn describe(entry: &Entry) -> String {
    let (id, severity, title) = (entry.id, entry.severity.name(), entry.title);
    let (wire, alike) = (entry.wire, entry.alike);
    let see = match entry.references {
        [] => String::new(),
        references => format!("  See: {}\n", references.join(", ")),
    };
    format!(
        "{id} ({severity})\n  {title}.\n  On the wire: {wire}.\n  Looks the same and is not: {alike}.\n{see}"
    )
}
