//! `ctaudit findings`: what is known to go wrong with helpers, and what it looks like.

use std::io::{self, Write};

use super::terminal::{finish, heading, table};
use crate::findings::{self, Entry};

/// The entries at a glance, then what tells each from what is like it.
pub fn findings(out: &mut dyn Write, width: u16) -> io::Result<()> {
    heading(
        out,
        "Findings",
        "what is known to go wrong with helpers, as far as a capture shows it",
    )?;
    let mut table = table(width, &["severity", "finding", "what"], &[]);
    for entry in findings::all() {
        table.add_row([entry.severity.name(), entry.id, entry.title]);
    }
    finish(out, table)?;
    writeln!(
        out,
        "Severity: note, ordinary programs do it; low, odd and harmless by itself; medium, a hole that somebody\n\
         could have wanted; high, what no honest program sends.\n"
    )?;
    findings::all().try_for_each(|entry| describe(out, entry))
}

fn describe(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    writeln!(out, "{} ({})", entry.id, entry.severity.name())?;
    writeln!(out, "  {}.", entry.title)?;
    writeln!(out, "  On the wire: {}.", entry.wire)?;
    writeln!(out, "  Looks the same and is not: {}.", entry.alike)?;
    if !entry.references.is_empty() {
        writeln!(out, "  See: {}", entry.references.join(", "))?;
    }
    writeln!(out)
}
