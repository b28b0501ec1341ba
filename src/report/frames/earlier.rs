//! Rows that an earlier run has written, behind those of others. Frames are counted on as if all had been read in one run;
//! conntracks and expectations so that no two have one number. The files may come from somebody else.

use std::fs::File;
use std::io;
use std::path::Path;

use polars::prelude::*;

use super::{Error, Frames, Table};
use crate::capture::printable;

/// How many there are in the tables so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbered {
    conntracks: u64,
    expectations: u64,
}

impl Frames {
    /// Adds the rows of the Parquet tables in a directory, whose captures come behind so many frames.
    ///
    /// # Errors
    ///
    /// Where a table is not there, or not as this version writes it.
    pub fn append_tables(&mut self, directory: &Path, frames: u64) -> Result<(), Error> {
        let before = self.numbered;
        let tables = [
            ("expectations", &mut self.expectations),
            ("related_flows", &mut self.related),
            ("conntracks", &mut self.conntracks),
            ("refusals", &mut self.refusals),
            ("findings", &mut self.findings),
            ("kernel_differences", &mut self.deviations),
        ];
        for (name, table) in tables {
            let path = directory.join(format!("{name}.parquet"));
            let (io, polars) = (Error::io(&path), Error::polars(&path));
            let file = File::open(&path).map_err(&io)?;
            let mut whole = reader(&file).map_err(&io)?;
            let groups = &whole.get_metadata().map_err(&polars)?.row_groups;
            if groups.iter().any(|group| group.num_rows() > LARGEST_GROUP) {
                return Err(polars(foreign()));
            }
            let rows = whole.num_rows().map_err(&polars)?;
            for begin in (0..rows).step_by(BATCH) {
                let slice = Some((begin, BATCH));
                let batch = reader(&file).map_err(&io)?.with_slice(slice).finish();
                let batch = batch
                    .and_then(|batch| counted_on(batch, frames, before))
                    .map_err(&polars)?;
                self.numbered.see(&batch);
                append(table, &batch, &path)?;
            }
        }
        Ok(())
    }
}

impl Numbered {
    fn see(&mut self, batch: &DataFrame) {
        let highest = |name| {
            let column = batch.column(name).ok()?;
            column.u64().ok()?.max()
        };
        for name in ["conntrack", "master_conntrack"] {
            self.conntracks = self.conntracks.max(highest(name).unwrap_or(0));
        }
        self.expectations = self.expectations.max(highest("expectation").unwrap_or(0));
    }
}

/// One thread: the rows come in their order.
fn reader(file: &File) -> io::Result<ParquetReader<File>> {
    Ok(ParquetReader::new(file.try_clone()?).read_parallel(ParallelStrategy::None))
}

fn append(table: &mut Table, batch: &DataFrame, path: &Path) -> Result<(), Error> {
    if batch.schema() != &table.schema || !is_ours(batch) {
        return Err(Error::polars(path)(foreign()));
    }
    table.append(batch)
}

fn foreign() -> PolarsError {
    let message = "not a table as this version of ctaudit writes it: analyse its captures again";
    PolarsError::SchemaMismatch(message.into())
}

/// Whether texts are what ours are: nothing in them moves a cursor, or is a formula to a spreadsheet.
fn is_ours(batch: &DataFrame) -> bool {
    let is_plain = |text: &str| {
        // A lone hyphen stands for nothing.
        let is_formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@']);
        !is_formula && printable(Path::new(text)) == text
    };
    let mut columns = batch.columns().iter();
    columns.all(|column| match column.str() {
        Ok(texts) => texts.iter().flatten().all(is_plain),
        Err(_) => true,
    })
}

/// The same rows behind so many frames, conntracks and expectations.
fn counted_on(mut batch: DataFrame, frames: u64, before: Numbered) -> PolarsResult<DataFrame> {
    let names = batch.get_column_names_owned();
    for name in names {
        let more = match name.as_str() {
            "frame" | "first_frame" | "closed_frame" => frames,
            "conntrack" | "master_conntrack" => before.conntracks,
            "expectation" => before.expectations,
            "other_frames" | "src_origin" | "sport_origin" | "dst_origin" | "dport_origin" => {
                let texts = batch.column(&name)?.str()?;
                let texts = texts.apply_values(|text| frames_named(text, frames).into());
                batch.with_column(texts.into_column())?;
                continue;
            }
            _ => continue,
        };
        let numbers = batch.column(&name)?.u64()?;
        let numbers = numbers.apply_values(|number| number.saturating_add(more));
        batch.with_column(numbers.into_column())?;
    }
    Ok(batch)
}

/// Frames in a text: a list of them, or `frame 7 payload 5..23`.
fn frames_named(text: &str, more: u64) -> String {
    let is_origin = text.starts_with("frame ");
    let words = text.split(' ').enumerate().map(|(at, word)| {
        let is_frame = !is_origin || at == 1;
        match word.parse::<u64>() {
            Ok(frame) if is_frame => frame.saturating_add(more).to_string(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Rows that are held at a time.
const BATCH: usize = 65_536;
/// Rows of a group, which is unpacked as a whole: ours are cut at a quarter of it.
const LARGEST_GROUP: usize = 1 << 20;
