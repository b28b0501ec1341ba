//! The report as files: for people, for a ticket, for programs, and for those that collect findings.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::frames;
use super::page::Page;
use super::{html, markdown, sarif};
use crate::analysis::Analysis;

/// Why a report is not there, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or directory, and what the system says.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// What Polars says of a table.
    #[error("{0}")]
    Tables(#[from] polars::error::PolarsError),
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One file for a meeting.
    Html,
    /// For a ticket.
    Markdown,
    /// For programs; its schema is written beside it.
    Json,
    /// The findings alone, for what collects them.
    Sarif,
}

impl Form {
    const fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Markdown => "report.md",
            Self::Json => "report.json",
            Self::Sarif => "findings.sarif",
        }
    }

    /// The report in this form, of an analysis and what there is to be read of it.
    ///
    /// # Errors
    ///
    /// What Polars says of a table.
    pub fn text(self, page: &Page, analysis: &Analysis) -> Result<String, Error> {
        let title = title(analysis);
        Ok(match self {
            Self::Html => html::page(&title, page, analysis),
            Self::Markdown => markdown::page(&title, page),
            Self::Json => format!("{:#}\n", frames::json(analysis)?),
            Self::Sarif => format!("{:#}\n", sarif::log(analysis)),
        })
    }
}

/// Writes every form into a directory, which is made where it is missing. Each file is whole before it has its name.
///
/// # Errors
///
/// Where a file cannot be written.
pub fn write(directory: &Path, page: &Page, analysis: &Analysis) -> Result<(), Error> {
    let io = |error| Error::Io {
        path: directory.to_owned(),
        error,
    };
    std::fs::create_dir_all(directory).map_err(io)?;
    for form in Form::value_variants() {
        put(directory, form.file(), &form.text(page, analysis)?)?;
    }
    put(
        directory,
        SCHEMA,
        &format!("{:#}\n", frames::schema(analysis)),
    )
}

/// One file, which is whole before it has its name.
///
/// # Errors
///
/// Where it cannot be written.
pub fn put(directory: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = directory.join(name);
    let io = |error| Error::Io {
        path: path.clone(),
        error,
    };
    let mut file = frames::temporary(directory).map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    let kept = file.persist(&path);
    kept.map(drop).map_err(|error| io(error.error))
}

/// What the report is about.
fn title(analysis: &Analysis) -> String {
    let inputs = &analysis.account.inputs;
    match &inputs[..] {
        [one] => format!("Connection tracking helpers in {}", one.name),
        _ => format!("Connection tracking helpers in {} captures", inputs.len()),
    }
}

/// Of the JSON form.
const SCHEMA: &str = "report.schema.json";
