//! The columns of every table, each with its unit and what it means.

mod audit;
mod captures;
mod conntracks;
mod expectations;
mod links;
mod rules;
mod summary;

use std::time::Duration;

use polars::prelude::*;

use super::SCHEMA_VERSION;
use crate::packet::tunnel::Tunnel;
use crate::time::Timestamp;

pub use audit::{control_protocols, exposure, findings, found, refusals, verdicts, what_if};
pub use captures::{captures, damage};
pub use conntracks::{conntracks, related};
pub use expectations::expectations;
pub use links::{links, nflog};
pub use rules::{forged, reach, rules};
pub use summary::{deviations, packets};

/// A column with what it means.
pub struct Described {
    pub column: Column,
    pub unit: &'static str,
    pub meaning: &'static str,
}

impl Described {
    pub fn empty(&self) -> Self {
        Self {
            column: self.column.clear(),
            unit: self.unit,
            meaning: self.meaning,
        }
    }

    fn new<T, P: ?Sized>(name: &str, unit: &'static str, meaning: &'static str, values: T) -> Self
    where
        Series: NamedFrom<T, P>,
    {
        Self {
            column: Series::new(name.into(), values).into(),
            unit,
            meaning,
        }
    }

    /// Instants, as nanoseconds since 1970.
    fn time(name: &str, meaning: &'static str, values: Vec<Option<i64>>) -> Self {
        let series = Int64Chunked::new(name.into(), values)
            .into_datetime(TimeUnit::Nanoseconds, None)
            .into_series();
        Self {
            column: series.into(),
            unit: "UTC",
            meaning,
        }
    }
}

fn instant(at: Timestamp) -> Option<i64> {
    Some(at.nanos())
}

/// Nanoseconds; 585 years at most.
fn length(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The columns that name the tunnel of a row's first packet.
fn tunnels<R>(rows: &[R], of: impl Fn(&R) -> Option<Tunnel>) -> Vec<Described> {
    vec![
        Described::new(
            "tunnel",
            "",
            "kind of the tunnel that its first packet was taken out of; empty: none",
            each(rows, |row| of(row).map(|tunnel| tunnel.kind.name())),
        ),
        Described::new(
            "tunnel_id",
            "",
            "the tunnel's number: key, VNI, TEID or session; empty: it has none",
            each(rows, |row| of(row).and_then(|tunnel| tunnel.id)),
        ),
        Described::new(
            "tunnel_src",
            "",
            "the end of the tunnel that sent that packet",
            each(rows, |row| of(row).map(|tunnel| tunnel.src.to_string())),
        ),
        Described::new(
            "tunnel_dst",
            "",
            "the other end",
            each(rows, |row| of(row).map(|tunnel| tunnel.dst.to_string())),
        ),
    ]
}

/// One value a row.
fn each<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
/// Name, type, unit and meaning of each column.
pub type Documented = (String, String, &'static str, &'static str);

pub fn described(columns: &[Described]) -> Vec<Documented> {
    let document = |one: &Described| {
        (
            one.column.name().to_string(),
            one.column.dtype().to_string(),
            one.unit,
            one.meaning,
        )
    };
    columns.iter().map(document).collect()
}

pub fn schema_columns(schema: &[(&'static str, Vec<Documented>)]) -> Vec<Described> {
    let rows: Vec<(&str, &Documented)> = schema
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |column| (*table, column)))
        .collect();
    vec![
        Described::new("schema_version", "", "", each(&rows, |_| SCHEMA_VERSION)),
        Described::new("table", "", "", each(&rows, |(table, _)| *table)),
        Described::new(
            "column",
            "",
            "",
            each(&rows, |(_, column)| column.0.as_str()),
        ),
        Described::new("type", "", "", each(&rows, |(_, column)| column.1.as_str())),
        Described::new("unit", "", "", each(&rows, |(_, column)| column.2)),
        Described::new("meaning", "", "", each(&rows, |(_, column)| column.3)),
    ]
}

/// Text that a spreadsheet takes for text. What else it might not, a tab or a line's end, is escaped already.
fn no_formula(text: String) -> String {
    match text.starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text,
    }
}
