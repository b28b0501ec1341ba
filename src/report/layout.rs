//! Tables on a terminal: their looks.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Row, Table,
    TableStyle,
};

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

/// An item of a list, in lines of that width.
pub fn wrapped(out: &mut dyn Write, text: &str, width: u16) -> io::Result<()> {
    let mut line = String::from("-");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > usize::from(width) {
            writeln!(out, "{line}")?;
            line = String::from(" ");
        }
        line = line + " " + word;
    }
    writeln!(out, "{line}")
}

/// How many rows were left out, if any were.
pub fn more(out: &mut dyn Write, omitted: u64) -> io::Result<()> {
    if omitted == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "and {omitted} more: --csv and --parquet hold them all\n"
    )
}

/// A line below the header and no other: what a terminal shows can be read by awk as well.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());
