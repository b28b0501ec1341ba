//! What a terminal shows: tables and texts, and their looks.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, ContentLineStyle,
    LineStyle, Row, Table, TableStyle, Width,
};
use crossterm::style::Stylize;
use unicode_width::UnicodeWidthStr;

use super::page::{Block, Page, Tone};

/// The terminal that is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns that lines are fitted to.
    pub width: u16,
    /// Whether it is shown in bold and in colour what is to be seen first.
    pub is_coloured: bool,
}

/// In lines of the terminal's width.
pub fn heading(out: &mut dyn Write, title: &str, remark: &str, look: Look) -> io::Result<()> {
    let text = match remark {
        "" => title.to_owned(),
        remark => format!("{title}: {remark}"),
    };
    if !look.is_coloured {
        return wrapped(out, "", &text, look.width);
    }
    let mut plain = Vec::new();
    wrapped(&mut plain, "", &text, look.width)?;
    // What was broken over two lines stays as it is.
    let mut lines = String::from_utf8_lossy(&plain).replacen(title, &title.bold().to_string(), 1);
    let word = remark.split(':').next().unwrap_or_default();
    if let Some(tone) = Tone::of(word) {
        lines = lines.replacen(word, &word.with(colour(tone)).to_string(), 1);
    }
    out.write_all(lines.as_bytes())
}

/// A table with these headers; the columns of these indices hold numbers.
pub fn table(look: Look, headers: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(look.width)
        .force_no_tty()
        .style_text_only();
    if look.is_coloured {
        table.enforce_styling();
    }
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

/// A cell with a word of ours.
pub fn judged(word: &str) -> Cell {
    let cell = Cell::new(word);
    match Tone::of(word) {
        Some(tone) => cell.fg(colour(tone)),
        None => cell,
    }
}

/// Those that can be read on black and on white.
fn colour(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::DarkGreen,
        Tone::Doubtful => Color::DarkYellow,
        Tone::Bad => Color::DarkRed,
    }
}

/// Prints a table; one without rows says nothing.
pub fn finish(out: &mut dyn Write, mut table: Table, whole: Option<usize>) -> io::Result<()> {
    if table.row_count() == 0 {
        return Ok(());
    }
    fit(&mut table, whole);
    writeln!(out, "{}\n", table.trim_fmt())
}

/// In the column `whole`, cells are broken as late as words are.
fn fit(table: &mut Table, whole: Option<usize>) {
    let least = least(table, whole);
    for (column, least) in table.column_iter_mut().zip(least) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
}

/// Columns that each takes so that no word is broken. Where there is no room for that, headers give way before cells do, and
/// the longest word first.
fn least(table: &mut Table, whole: Option<usize>) -> Vec<u16> {
    let header = table.header().into_iter().flat_map(Row::cell_iter);
    let headers: Vec<usize> = header.map(|cell| longest(&cell.content())).collect();
    let mut cells = vec![0; headers.len()];
    let mut wanted = headers.clone();
    for row in table.row_iter() {
        for (index, cell) in row.cell_iter().enumerate().take(headers.len()) {
            let text = cell.content();
            cells[index] = longest(&text).max(cells[index]);
            let kept = match whole == Some(index) {
                true => text.width().min(WHOLE),
                false => cells[index],
            };
            wanted[index] = kept.max(wanted[index]);
        }
    }
    let kept = headers.iter().zip(&cells).map(|(&header, &cells)| {
        let is_worth_breaking = header > cells + 2;
        if is_worth_breaking {
            cells
        } else {
            header.max(cells)
        }
    });
    let kept: Vec<usize> = kept.collect();
    // A blank ends each column, and one stands between them.
    let room = usize::from(table.width().unwrap_or(0)).saturating_sub(2 * wanted.len());
    let mut least = wanted;
    while least.iter().sum::<usize>() > room {
        let columns = least.iter_mut().zip(&kept);
        let gives_way = columns.max_by_key(|(least, kept)| (**least > **kept, **least, **kept));
        match gives_way {
            Some((least, _)) if *least > 1 => *least -= 1,
            _ => break,
        }
    }
    let least = least.into_iter().map(|least| least + 1);
    least
        .map(|least| u16::try_from(least).unwrap_or(u16::MAX))
        .collect()
}

/// Of its words the longest, as far as it is to be kept; of a number with its unit, both.
fn longest(text: &str) -> usize {
    if text.width() <= SHORT {
        return text.width();
    }
    let words = text.split_whitespace().map(UnicodeWidthStr::width);
    words.max().unwrap_or(0).min(WORD)
}

/// Everything that there is to be read, in lines of that width where they may be broken.
pub fn page(out: &mut dyn Write, page: &Page, look: Look) -> io::Result<()> {
    for (index, section) in page.sections.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        heading(out, &section.title, &section.remark, look)?;
        for (index, block) in section.blocks.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            self::block(out, block, look)?;
        }
    }
    Ok(())
}

fn block(out: &mut dyn Write, block: &Block, look: Look) -> io::Result<()> {
    match block {
        Block::Table(rows) => {
            let headers: Vec<&str> = rows.headers.iter().map(String::as_str).collect();
            let mut table = table(look, &headers, &rows.numbers);
            for row in &rows.rows {
                let cells = row.iter().enumerate();
                table.add_row(
                    cells.map(|(column, text)| match rows.judged == Some(column) {
                        true => judged(text),
                        false => Cell::new(text),
                    }),
                );
            }
            fit(&mut table, rows.whole);
            writeln!(out, "{}", table.trim_fmt())?;
            match rows.omitted {
                0 => Ok(()),
                _ => writeln!(out, "\n{}", rows.more()),
            }
        }
        Block::Text(text) => wrapped(out, "", text, look.width),
        Block::List(items) => items.iter().try_for_each(|item| {
            wrapped(out, "- ", &item.text, look.width)?;
            item.commands
                .iter()
                .try_for_each(|command| writeln!(out, "{command}"))
        }),
        Block::Code(text) => out.write_all(text.as_bytes()),
    }
}

/// Paragraphs, a line each, in lines of the terminal's width: what is indented, and what is an item of a list, goes on two
/// columns further in.
pub fn prose(out: &mut dyn Write, text: &str, look: Look) -> io::Result<()> {
    for line in text.lines() {
        let begin = line.len() - line.trim_start().len();
        let text = &line[begin..];
        let further = if begin > 0 || text.starts_with("- ") {
            2
        } else {
            0
        };
        let indent = " ".repeat(begin);
        wrap(out, &indent, &" ".repeat(begin + further), text, look.width)?;
    }
    Ok(())
}

/// A text behind this mark, in lines of that width.
fn wrapped(out: &mut dyn Write, mark: &str, text: &str, width: u16) -> io::Result<()> {
    wrap(out, mark, &" ".repeat(mark.len()), text, width)
}

/// A text in lines of that width, the first of which begins with `first`, and each further one with `further`.
fn wrap(out: &mut dyn Write, first: &str, further: &str, text: &str, width: u16) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.width() + 1 + word.width() > usize::from(width) {
            writeln!(out, "{line}")?;
            further.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    writeln!(out, "{line}")
}

/// Columns that a service of IPv4 takes, or a short one of IPv6.
const WHOLE: usize = 23;
/// Columns that an address of IPv4 takes with its port, but for the longest.
const WORD: usize = 20;
/// Columns of a text that is not broken at blanks either.
const SHORT: usize = 9;

/// A line below the header and no other: what a terminal shows can be read by awk as well.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());
