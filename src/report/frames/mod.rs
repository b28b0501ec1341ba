//! The tables as files, for notebooks: one CSV or Parquet file a table, and `schema.csv`, which explains every column.
//!
//! Rows go out in batches while the replay runs, so that memory does not grow with them. Each file is written beside
//! its place and renamed when it is whole: an interrupted run leaves nothing half written. Timestamps are UTC with
//! nanoseconds, addresses are text, durations are nanoseconds; frames and ids count from 1.

mod columns;
mod earlier;
mod json;

pub use json::{json, schema};

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use tempfile::NamedTempFile;

use crate::analysis::Analysis;
use crate::compare::Deviation;
use crate::exposure::Exposure;
use crate::findings::Finding;
use columns::{
    Described, conntracks, described, deviations, expectations, findings, refusals, related,
    schema_columns,
};
use earlier::Numbered;

/// Changes whenever a column is added, removed or means something else, or what `Sums` holds does.
pub const SCHEMA_VERSION: u32 = 5;

/// What tables are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header and text.
    Csv,
    /// Typed columns, compressed.
    Parquet,
}

/// Why a table is not there, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or directory, and what the system says.
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    /// The table, and what Polars says.
    #[error("{path}: {error}")]
    Polars { path: PathBuf, error: PolarsError },
}

impl Error {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    fn polars(path: &Path) -> impl Fn(PolarsError) -> Self {
        move |error| Self::Polars {
            path: path.to_owned(),
            error,
        }
    }
}

/// All tables of one format in one directory.
pub struct Frames {
    expectations: Table,
    related: Table,
    conntracks: Table,
    refusals: Table,
    findings: Table,
    deviations: Table,
    format: Format,
    directory: PathBuf,
    numbered: Numbered,
}

impl Frames {
    /// Makes the directory where it is missing.
    pub fn create(directory: &Path, format: Format) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).map_err(Error::io(directory))?;
        let table = |name, columns| Table::create(directory, format, name, columns);
        Ok(Self {
            expectations: table("expectations", expectations(&[]))?,
            related: table("related_flows", related(&[]))?,
            conntracks: table("conntracks", conntracks(&[]))?,
            refusals: table("refusals", refusals(&[]))?,
            findings: table("findings", findings(&[]))?,
            deviations: table("kernel_differences", deviations(&[]))?,
            format,
            directory: directory.to_owned(),
            numbered: Numbered::default(),
        })
    }

    /// Writes what ended since the last call.
    pub fn append(
        &mut self,
        exposure: &Exposure,
        found: &[Finding],
        differences: &[Deviation],
    ) -> Result<(), Error> {
        self.expectations
            .write(expectations(&exposure.expectations))?;
        self.related.write(related(&exposure.conntracks))?;
        self.conntracks.write(conntracks(&exposure.conntracks))?;
        self.refusals.write(refusals(&exposure.refusals))?;
        self.findings.write(findings(found))?;
        self.deviations.write(deviations(differences))
    }

    /// Writes the tables that are known only now, and puts all of them in their place.
    pub fn finish(self, analysis: &Analysis) -> Result<(), Error> {
        let mut schema = Vec::new();
        let mut tables = Vec::new();
        for (name, columns) in whole(analysis) {
            schema.push((name, described(&columns)));
            let mut table = Table::create(
                &self.directory,
                self.format,
                name,
                columns.iter().map(Described::empty).collect(),
            )?;
            table.write(columns)?;
            tables.push(table);
        }
        schema.push(("expectations", described(&expectations(&[]))));
        schema.push(("related_flows", described(&related(&[]))));
        schema.push(("conntracks", described(&conntracks(&[]))));
        schema.push(("refusals", described(&refusals(&[]))));
        schema.push(("findings", described(&findings(&[]))));
        schema.push(("kernel_differences", described(&deviations(&[]))));
        let columns = schema_columns(&schema);
        let mut table = Table::create(
            &self.directory,
            Format::Csv,
            "schema",
            columns.iter().map(Described::empty).collect(),
        )?;
        table.write(columns)?;
        tables.push(table);
        tables.extend([
            self.expectations,
            self.related,
            self.conntracks,
            self.refusals,
            self.findings,
            self.deviations,
        ]);
        tables.into_iter().try_for_each(Table::finish)
    }
}

/// The tables that are known at the end.
fn whole(analysis: &Analysis) -> Vec<(&'static str, Vec<Described>)> {
    vec![
        ("packets", columns::packets(&analysis.exposure.totals)),
        ("captures", columns::captures(&analysis.account)),
        ("damage", columns::damage(&analysis.account)),
        ("links", columns::links(&analysis.exposure.totals)),
        ("nflog", columns::nflog(&analysis.exposure.totals.logged)),
        ("verdicts", columns::verdicts(analysis)),
        ("exposure", columns::exposure(&analysis.exposure)),
        ("control_protocols", columns::control_protocols(analysis)),
        ("what_if", columns::what_if(analysis)),
        ("rules", columns::rules(analysis)),
        ("reach", columns::reach(analysis)),
        ("forged", columns::forged(analysis)),
    ]
}

/// One file that grows until it is put in its place.
struct Table {
    path: PathBuf,
    file: NamedTempFile,
    writer: Writer,
    schema: SchemaRef,
}

enum Writer {
    Csv(Box<polars::io::csv::write::BatchedWriter<File>>),
    Parquet(Box<polars::io::parquet::write::BatchedWriter<File>>),
}

impl Table {
    fn create(
        directory: &Path,
        format: Format,
        name: &str,
        columns: Vec<Described>,
    ) -> Result<Self, Error> {
        let path = directory.join(match format {
            Format::Csv => format!("{name}.csv"),
            Format::Parquet => format!("{name}.parquet"),
        });
        let (io, polars) = (Error::io(&path), Error::polars(&path));
        let file = temporary(directory).map_err(&io)?;
        let sink = file.reopen().map_err(&io)?;
        let frame = frame(columns).map_err(&polars)?;
        let schema = Arc::clone(frame.schema());
        let writer = match format {
            Format::Csv => Writer::Csv(Box::new(
                CsvWriter::new(sink).batched(&schema).map_err(&polars)?,
            )),
            Format::Parquet => {
                let writer = ParquetWriter::new(sink).with_key_value_metadata(Some(metadata()));
                // One thread: the same bytes on every machine.
                let writer = writer
                    .set_parallel(false)
                    .batched(&schema)
                    .map_err(&polars)?;
                Writer::Parquet(Box::new(writer))
            }
        };
        Ok(Self {
            path: path.clone(),
            file,
            writer,
            schema,
        })
    }

    fn write(&mut self, columns: Vec<Described>) -> Result<(), Error> {
        let frame = frame(columns).map_err(Error::polars(&self.path))?;
        self.append(&frame)
    }

    fn append(&mut self, frame: &DataFrame) -> Result<(), Error> {
        let written = match &mut self.writer {
            _ if frame.height() == 0 => Ok(()),
            Writer::Csv(writer) => writer.write_batch(frame),
            Writer::Parquet(writer) => writer.write_batch(frame),
        };
        written.map_err(Error::polars(&self.path))
    }

    fn finish(self) -> Result<(), Error> {
        let Self {
            path, file, writer, ..
        } = self;
        let done = match writer {
            Writer::Csv(mut writer) => writer.finish(),
            Writer::Parquet(writer) => writer.finish().map(|_| ()),
        };
        done.map_err(Error::polars(&path))?;
        file.as_file().sync_all().map_err(Error::io(&path))?;
        let persisted = file.persist(&path).map_err(|error| error.error);
        persisted.map(drop).map_err(Error::io(&path))
    }
}

/// With the permissions that any new file gets; temporary files are private by default.
pub(super) fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ctaudit-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

fn frame(columns: Vec<Described>) -> PolarsResult<DataFrame> {
    DataFrame::new_infer_height(columns.into_iter().map(|one| one.column).collect())
}

fn metadata() -> KeyValueMetadata {
    KeyValueMetadata::from_static(vec![(
        "ctaudit_schema_version".to_owned(),
        SCHEMA_VERSION.to_string(),
    )])
}
