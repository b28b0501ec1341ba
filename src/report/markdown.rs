//! The report for a ticket: Markdown with tables, as GitHub and GitLab read it.

use super::page::{Block, Page, Table};

/// The whole of it, under this title.
pub fn page(title: &str, page: &Page) -> String {
    let mut text = format!("# {}\n", escaped(title));
    for section in &page.sections {
        text += &format!("\n## {}\n", escaped(&section.title));
        if !section.remark.is_empty() {
            text += &format!("\n{}\n", sentence(&section.remark));
        }
        for block in &section.blocks {
            text.push('\n');
            text += &self::block(block);
        }
    }
    text
}

fn block(block: &Block) -> String {
    match block {
        Block::Table(table) => self::table(table),
        Block::Text(text) => format!("{}\n", sentence(text)),
        Block::List(items) => {
            let items = items.iter().map(|item| {
                let commands = item.commands.join("\n");
                match item.commands.is_empty() {
                    true => format!("- {}\n", escaped(&item.text)),
                    false => format!(
                        "- {}\n\n{}",
                        escaped(&item.text),
                        indented(&fenced(&commands))
                    ),
                }
            });
            items.collect()
        }
        Block::Code(text) => fenced(text),
    }
}

fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(table.headers.iter().map(|header| escaped(header)).collect());
    let rules = (0..table.headers.len()).map(|column| match table.numbers.contains(&column) {
        true => "---:".to_owned(),
        false => "---".to_owned(),
    });
    text += &line(rules.collect());
    for row in &table.rows {
        text += &line(row.iter().map(|cell| escaped(cell)).collect());
    }
    if table.omitted > 0 {
        text += &format!("\n{}\n", sentence(&table.more()));
    }
    text
}

/// In a fence that is longer than any in the text (CommonMark 0.31, 4.5).
fn fenced(text: &str) -> String {
    let runs = text.split(|character| character != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("{fence}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// As a part of a list's item.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => escaped(&format!("{}{}.", first.to_uppercase(), letters.as_str())),
        None => String::new(),
    }
}

/// What Markdown, or HTML in it, would take for its own (CommonMark 0.31, 2.4; a bar ends a cell).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}
