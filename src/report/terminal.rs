//! What a terminal shows: tables and texts, and their looks.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle,
    LineStyle, Row, Table, TableStyle, Width,
};

use super::page::{Block, Page};

pub fn heading(out: &mut dyn Write, title: &str, remark: &str) -> io::Result<()> {
    if remark.is_empty() {
        writeln!(out, "{title}")
    } else {
        writeln!(out, "{title}: {remark}")
    }
}

/// A table with these headers; the columns of these indices hold numbers.
pub fn table(width: u16, headers: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    let header: Vec<Cell> = headers
        .iter()
        .map(|name| Cell::new(name).add_attribute(Attribute::Bold))
        .collect();
    table.set_header(Row::from(header));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints a table; one without rows says nothing.
pub fn finish(out: &mut dyn Write, table: Table) -> io::Result<()> {
    if table.row_count() == 0 {
        return Ok(());
    }
    writeln!(out, "{}\n", table.trim_fmt())
}

/// Everything that there is to be read, in lines of that width where they may be broken.
pub fn page(out: &mut dyn Write, page: &Page, width: u16) -> io::Result<()> {
    for (index, section) in page.sections.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        heading(out, &section.title, &section.remark)?;
        for (index, block) in section.blocks.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            self::block(out, block, width)?;
        }
    }
    Ok(())
}

fn block(out: &mut dyn Write, block: &Block, width: u16) -> io::Result<()> {
    match block {
        Block::Table(rows) => {
            let headers: Vec<&str> = rows.headers.iter().map(String::as_str).collect();
            let mut table = table(width, &headers, &rows.numbers);
            if let Some(column) = rows.whole.and_then(|whole| table.column_mut(whole)) {
                column.set_constraint(ColumnConstraint::LowerBoundary(WHOLE));
            }
            table.add_rows(&rows.rows);
            writeln!(out, "{}", table.trim_fmt())?;
            match rows.omitted {
                0 => Ok(()),
                _ => writeln!(out, "\n{}", rows.more()),
            }
        }
        Block::Text(text) => wrapped(out, "", text, width),
        Block::List(items) => items.iter().try_for_each(|item| {
            wrapped(out, "- ", &item.text, width)?;
            item.commands
                .iter()
                .try_for_each(|command| writeln!(out, "{command}"))
        }),
        Block::Code(text) => out.write_all(text.as_bytes()),
    }
}

/// A text behind this mark, in lines of that width.
fn wrapped(out: &mut dyn Write, mark: &str, text: &str, width: u16) -> io::Result<()> {
    let room = usize::from(width).saturating_sub(mark.len());
    let mut begin = mark.to_owned();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            writeln!(out, "{begin}{line}")?;
            begin = " ".repeat(mark.len());
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    writeln!(out, "{begin}{line}")
}

/// Columns that a service of IPv4 takes, or a short one of IPv6.
const WHOLE: Width = Width::Fixed(24);

/// A line below the header and no other: what a terminal shows can be read by awk as well.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());
