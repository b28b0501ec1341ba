//! The tables as files, for notebooks: one CSV or Parquet file a table, and `schema.csv`, which explains every column.
//!
//! Rows go out in batches while the replay runs, so that memory does not grow with them. Each file is written beside
//! its place and renamed when it is whole: an interrupted run leaves nothing half written. Timestamps are UTC with
//! nanoseconds, addresses are text, durations are nanoseconds; frames and ids count from 1.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use tempfile::NamedTempFile;

use super::Analysis;
use crate::conntrack::State;
use crate::expectation::Origin;
use crate::exposure::{ClosedExpectation, EndedConntrack, Totals};
use crate::rules::{Match, Rule, nftables};
use crate::time::Timestamp;
use crate::tuple::Direction;

/// Changes whenever a column is added, removed or means something else.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Parquet,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("{path}: {error}")]
    Polars { path: PathBuf, error: PolarsError },
}

/// All tables of one format in one directory.
pub struct Frames {
    expectations: Table,
    related: Table,
    conntracks: Table,
    format: Format,
    directory: PathBuf,
}

impl Frames {
    /// Makes the directory where it is missing.
    pub fn create(directory: &Path, format: Format) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).map_err(|error| Error::Io { path: directory.to_owned(), error })?;
        let table = |name, columns| Table::create(directory, format, name, columns);
        Ok(Self {
            expectations: table("expectations", expectations(&[]))?,
            related: table("related_flows", related(&[]))?,
            conntracks: table("conntracks", conntracks(&[]))?,
            format,
            directory: directory.to_owned(),
        })
    }

    /// Writes what ended since the last call.
    pub fn append(&mut self, ended: &[ClosedExpectation], conntracks: &[EndedConntrack]) -> Result<(), Error> {
        self.expectations.write(self::expectations(ended))?;
        self.related.write(related(conntracks))?;
        self.conntracks.write(self::conntracks(conntracks))
    }

    /// Writes the tables that are known only now, and puts all of them in their place.
    pub fn finish(self, analysis: &Analysis) -> Result<(), Error> {
        let whole = [
            ("packets", packets(&analysis.exposure.totals)),
            ("helpers", helpers(analysis)),
            ("rules", rules(&analysis.rules)),
        ];
        let mut schema = Vec::new();
        let mut tables = Vec::new();
        for (name, columns) in whole {
            schema.push((name, described(&columns)));
            let mut table = Table::create(&self.directory, self.format, name, columns.iter().map(Described::empty).collect())?;
            table.write(columns)?;
            tables.push(table);
        }
        schema.push(("expectations", described(&expectations(&[]))));
        schema.push(("related_flows", described(&related(&[]))));
        schema.push(("conntracks", described(&conntracks(&[]))));
        let columns = schema_columns(&schema);
        let mut table =
            Table::create(&self.directory, Format::Csv, "schema", columns.iter().map(Described::empty).collect())?;
        table.write(columns)?;
        tables.push(table);
        tables.extend([self.expectations, self.related, self.conntracks]);
        tables.into_iter().try_for_each(Table::finish)
    }
}

/// A column with what it means.
struct Described {
    column: Column,
    unit: &'static str,
    meaning: &'static str,
}

impl Described {
    fn empty(&self) -> Self {
        Self { column: self.column.clear(), unit: self.unit, meaning: self.meaning }
    }
}

impl Described {
    fn new<T, P: ?Sized>(name: &str, unit: &'static str, meaning: &'static str, values: T) -> Self
    where
        Series: NamedFrom<T, P>,
    {
        Self { column: Series::new(name.into(), values).into(), unit, meaning }
    }

    /// Instants, as nanoseconds since 1970.
    fn time(name: &str, meaning: &'static str, values: Vec<Option<i64>>) -> Self {
        let series = Int64Chunked::new(name.into(), values).into_datetime(TimeUnit::Nanoseconds, None).into_series();
        Self { column: series.into(), unit: "UTC", meaning }
    }
}

fn nanos(at: Timestamp) -> Option<i64> {
    Some(at.nanos())
}

/// One value a row.
fn each<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn packets(totals: &Totals) -> Vec<Described> {
    let states =
        [State::New, State::Established, State::Related, State::Invalid, State::Untracked, State::None];
    vec![
        Described::new("ct_state", "", "what a rule's ct state matches; none: never came to the rules", each(&states, |state| state.name())),
        Described::new("packets", "packets", "packets that carry IP", each(&states, |state| totals.state(*state).packets)),
        Described::new("bytes", "bytes", "their length by the IP header", each(&states, |state| totals.state(*state).bytes)),
    ]
}

fn expectations(rows: &[ClosedExpectation]) -> Vec<Described> {
    let src = |row: &ClosedExpectation| row.record.expectation.src_addr.as_ref().map(|src| src.value.to_string());
    let sport = |row: &ClosedExpectation| row.record.expectation.src_port.as_ref().map(|port| port.value);
    vec![
        Described::new("expectation", "", "number of the expectation, in order of creation", each(rows, |row| row.record.id.0)),
        Described::new("helper", "", "the helper that made it", each(rows, |row| row.record.helper)),
        Described::new("frame", "", "the frame at which it was made", each(rows, |row| row.record.packet)),
        Described::time("made", "when it was made", each(rows, |row| nanos(row.record.at))),
        Described::new("direction", "", "direction of that frame: original is the client's", each(rows, |row| row.record.direction.name())),
        Described::new("protocol", "", "of the expected flow", each(rows, |row| row.record.expectation.protocol.to_string())),
        Described::new("src", "", "who may open the flow; empty: anybody", each(rows, src)),
        Described::new("sport", "", "from which port; empty: any", each(rows, sport)),
        Described::new("dst", "", "to which address", each(rows, |row| row.record.expectation.dst_addr.value.to_string())),
        Described::new("dport", "", "to which port", each(rows, |row| row.record.expectation.dst_port.value)),
        Described::new("src_origin", "", "where src comes from", each(rows, |row| row.record.expectation.src_addr.as_ref().map_or_else(|| "any".to_owned(), |field| origin(&field.origin)))),
        Described::new("sport_origin", "", "where sport comes from", each(rows, |row| row.record.expectation.src_port.as_ref().map_or_else(|| "any".to_owned(), |field| origin(&field.origin)))),
        Described::new("dst_origin", "", "where dst comes from", each(rows, |row| origin(&row.record.expectation.dst_addr.origin))),
        Described::new("dport_origin", "", "where dport comes from", each(rows, |row| origin(&row.record.expectation.dst_port.origin))),
        Described::new("class", "", "class of the helper's policy", each(rows, |row| row.record.expectation.class)),
        Described::new("flags", "", "1 permanent, 2 inactive", each(rows, |row| row.record.expectation.flags.bits())),
        Described::new("timeout", "s", "how long it could have stood open", each(rows, |row| row.record.timeout.as_secs())),
        Described::new("open", "ns", "how long it stood open", each(rows, |row| row.open.as_nanos() as u64)),
        Described::new("outcome", "", "what became of it", each(rows, |row| row.outcome.name())),
        Described::new("closed_frame", "", "the frame that closed it; empty: time did", each(rows, |row| row.packet)),
        Described::new("master_conntrack", "", "number of the master's conntrack", each(rows, |row| row.record.master_id.0)),
        Described::new("master_src", "", "client of the master", each(rows, |row| row.record.master.src.to_string())),
        Described::new("master_sport", "", "its port", each(rows, |row| row.record.master.sport)),
        Described::new("master_dst", "", "server of the master", each(rows, |row| row.record.master.dst.to_string())),
        Described::new("master_dport", "", "its port", each(rows, |row| row.record.master.dport)),
    ]
}

fn related(rows: &[EndedConntrack]) -> Vec<Described> {
    let rows: Vec<&EndedConntrack> = rows.iter().filter(|row| row.expected_by.is_some()).collect();
    let service = |row: &&EndedConntrack| row.expected_by;
    let mut columns = vec![
        Described::new("helper", "", "the helper that expected it", each(&rows, |row| service(row).map(|service| service.helper))),
        Described::new("server", "", "server of the master", each(&rows, |row| service(row).map(|service| service.server.to_string()))),
        Described::new("port", "", "its port", each(&rows, |row| service(row).map(|service| service.port))),
        Described::new("expectation", "", "number of the expectation that let it in", each(&rows, |row| row.record.expectation.map(|id| id.0))),
    ];
    columns.extend(flow(&rows));
    columns
}

fn conntracks(rows: &[EndedConntrack]) -> Vec<Described> {
    let rows: Vec<&EndedConntrack> = rows.iter().collect();
    let mut columns = flow(&rows);
    columns.extend([
        Described::new("helper", "", "the helper that read it", each(&rows, |row| row.record.helper)),
        Described::new("expectation", "", "number of the expectation that let it in, if one did", each(&rows, |row| row.record.expectation.map(|id| id.0))),
    ]);
    columns
}

/// What any conntrack has.
fn flow(rows: &[&EndedConntrack]) -> Vec<Described> {
    let icmp = |row: &&EndedConntrack| row.record.original.icmp();
    let port = |row: &&EndedConntrack, port: u16| row.record.original.icmp().is_none().then_some(port);
    let original = Direction::Original.index();
    let reply = Direction::Reply.index();
    vec![
        Described::new("conntrack", "", "number of the conntrack, in order of creation", each(rows, |row| row.record.id.0)),
        Described::new("protocol", "", "name, or number where it has none", each(rows, |row| row.record.original.protocol.to_string())),
        Described::new("src", "", "who opened it", each(rows, |row| row.record.original.src.to_string())),
        Described::new("sport", "", "source port or key; empty for ICMP", each(rows, |row| port(row, row.record.original.sport))),
        Described::new("dst", "", "to whom", each(rows, |row| row.record.original.dst.to_string())),
        Described::new("dport", "", "destination port or key; empty for ICMP", each(rows, |row| port(row, row.record.original.dport))),
        Described::new("icmp_type", "", "of the query", each(rows, |row| icmp(row).map(|[kind, _]| kind))),
        Described::new("icmp_code", "", "of the query", each(rows, |row| icmp(row).map(|[_, code]| code))),
        Described::new("icmp_id", "", "of the query", each(rows, |row| icmp(row).map(|_| row.record.original.sport))),
        Described::new("first_frame", "", "the frame that opened it", each(rows, |row| row.record.life.first_packet)),
        Described::time("first", "when that was", each(rows, |row| nanos(row.record.life.first_at))),
        Described::time("last", "when its last packet came", each(rows, |row| nanos(row.record.life.last_at))),
        Described::new("packets_original", "packets", "in the direction of the one that opened it", each(rows, |row| row.record.life.packets[original])),
        Described::new("bytes_original", "bytes", "IP bytes of these", each(rows, |row| row.record.life.bytes[original])),
        Described::new("packets_reply", "packets", "against it", each(rows, |row| row.record.life.packets[reply])),
        Described::new("bytes_reply", "bytes", "IP bytes of these", each(rows, |row| row.record.life.bytes[reply])),
        Described::new("status", "", "status bits by name", each(rows, |row| row.record.status.names().collect::<Vec<_>>().join(" "))),
        Described::new("state", "", "last state of TCP, SCTP or DCCP", each(rows, |row| row.record.state)),
        Described::new("ended", "", "why it left the table", each(rows, |row| row.ended.name())),
    ]
}

fn helpers(analysis: &Analysis) -> Vec<Described> {
    let rows: Vec<_> = analysis.exposure.services.iter().collect();
    let declined = |counts: &std::collections::BTreeMap<&str, u64>| counts.values().sum::<u64>();
    vec![
        Described::new("helper", "", "name that rules use", each(&rows, |(key, _)| key.helper)),
        Described::new("protocol", "", "of the control connections", each(&rows, |(key, _)| key.protocol.to_string())),
        Described::new("server", "", "their destination", each(&rows, |(key, _)| key.server.to_string())),
        Described::new("port", "", "its port", each(&rows, |(key, _)| key.port)),
        Described::new("verdict", "", "needed: flows came for its expectations; inert: none did", each(&rows, |(_, service)| service.verdict().name())),
        Described::new("clients", "", "addresses that opened control connections", each(&rows, |(_, service)| service.clients.len() as u64)),
        Described::new("control_conntracks", "", "control connections", each(&rows, |(_, service)| service.controls)),
        Described::new("first_frame", "", "the frame that opened the first of them", each(&rows, |(_, service)| service.first_packet)),
        Described::new("expectations", "", "made", each(&rows, |(_, service)| service.expectations)),
        Described::new("used", "", "those that a flow came for", each(&rows, |(_, service)| service.used)),
        Described::new("burned", "", "those that an INVALID packet matched", each(&rows, |(_, service)| service.burned)),
        Described::new("declined", "", "commands that made none", each(&rows, |(_, service)| declined(&service.declined))),
        Described::new("dropped", "packets", "packets that the helper dropped", each(&rows, |(_, service)| declined(&service.dropped))),
        Described::new("related_flows", "", "flows that came for its expectations", each(&rows, |(_, service)| service.related_flows())),
        Described::new("open", "ns", "how long its expectations stood open, all together", each(&rows, |(_, service)| service.open.as_nanos() as u64)),
    ]
}

fn rules(rules: &[Rule]) -> Vec<Described> {
    let kind = |rule: &Rule| match &rule.matches {
        Match::Assign { .. } => "assign",
        Match::Related { .. } => "related",
        Match::IcmpError(_) => "icmp",
    };
    let helper = |rule: &Rule| match &rule.matches {
        Match::Assign { service, .. } => Some(service.helper),
        Match::Related { helper, .. } => Some(*helper),
        Match::IcmpError(_) => None,
    };
    let frames = |rule: &Rule| rule.evidence.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    vec![
        Described::new("kind", "", "assign a helper, accept what it expects, accept an ICMP error", each(rules, kind)),
        Described::new("helper", "", "name of the helper", each(rules, helper)),
        Described::new("nft", "", "the rule in the language of nft", each(rules, nftables::rule)),
        Described::new("needed_by", "", "flows that need it; for ICMP, packets", each(rules, |rule| rule.needed_by)),
        Described::new("frames", "", "frames that show it, the first few", each(rules, frames)),
    ]
}

/// A field's origin in one word, with the bytes where it was read.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Conntrack(direction) => format!("conntrack {}", direction.name()),
        Origin::Command { packet, bytes } => format!("frame {packet} payload {}..{}", bytes.start, bytes.end),
        Origin::Helper => "helper".to_owned(),
        Origin::Config => "configuration".to_owned(),
    }
}

/// Name, type, unit and meaning of each column.
type Documented = (String, String, &'static str, &'static str);

fn described(columns: &[Described]) -> Vec<Documented> {
    let document = |one: &Described| (one.column.name().to_string(), one.column.dtype().to_string(), one.unit, one.meaning);
    columns.iter().map(document).collect()
}

fn schema_columns(schema: &[(&'static str, Vec<Documented>)]) -> Vec<Described> {
    let rows: Vec<(&str, &Documented)> =
        schema.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (*table, column))).collect();
    vec![
        Described::new("schema_version", "", "", each(&rows, |_| SCHEMA_VERSION)),
        Described::new("table", "", "", each(&rows, |(table, _)| *table)),
        Described::new("column", "", "", each(&rows, |(_, column)| column.0.as_str())),
        Described::new("type", "", "", each(&rows, |(_, column)| column.1.as_str())),
        Described::new("unit", "", "", each(&rows, |(_, column)| column.2)),
        Described::new("meaning", "", "", each(&rows, |(_, column)| column.3)),
    ]
}

/// One file that grows until it is put in its place.
struct Table {
    path: PathBuf,
    file: NamedTempFile,
    writer: Writer,
}

enum Writer {
    Csv(polars::io::csv::write::BatchedWriter<File>),
    Parquet(polars::io::parquet::write::BatchedWriter<File>),
}

impl Table {
    fn create(directory: &Path, format: Format, name: &str, columns: Vec<Described>) -> Result<Self, Error> {
        let path = directory.join(match format {
            Format::Csv => format!("{name}.csv"),
            Format::Parquet => format!("{name}.parquet"),
        });
        let io = |error| Error::Io { path: path.clone(), error };
        let polars = |error| Error::Polars { path: path.clone(), error };
        let file = NamedTempFile::new_in(directory).map_err(io)?;
        let sink = file.reopen().map_err(io)?;
        let frame = frame(columns).map_err(polars)?;
        let schema = frame.schema();
        let writer = match format {
            Format::Csv => Writer::Csv(CsvWriter::new(sink).batched(schema).map_err(polars)?),
            Format::Parquet => Writer::Parquet(
                ParquetWriter::new(sink)
                    .with_key_value_metadata(Some(metadata()))
                    // One thread: the same bytes on every machine.
                    .set_parallel(false)
                    .batched(schema)
                    .map_err(polars)?,
            ),
        };
        Ok(Self { path, file, writer })
    }

    fn write(&mut self, columns: Vec<Described>) -> Result<(), Error> {
        let frame = frame(columns);
        let written = frame.and_then(|frame| match &mut self.writer {
            _ if frame.height() == 0 => Ok(()),
            Writer::Csv(writer) => writer.write_batch(&frame),
            Writer::Parquet(writer) => writer.write_batch(&frame),
        });
        written.map_err(|error| Error::Polars { path: self.path.clone(), error })
    }

    fn finish(self) -> Result<(), Error> {
        let Self { path, file, writer } = self;
        let done = match writer {
            Writer::Csv(mut writer) => writer.finish(),
            Writer::Parquet(writer) => writer.finish().map(|_| ()),
        };
        done.map_err(|error| Error::Polars { path: path.clone(), error })?;
        file.as_file().sync_all().map_err(|error| Error::Io { path: path.clone(), error })?;
        file.persist(&path).map(|_| ()).map_err(|error| Error::Io { path, error: error.error })
    }
}

fn frame(columns: Vec<Described>) -> PolarsResult<DataFrame> {
    DataFrame::new_infer_height(columns.into_iter().map(|one| one.column).collect())
}

fn metadata() -> KeyValueMetadata {
    KeyValueMetadata::from_static(vec![("ctaudit_schema_version".to_owned(), SCHEMA_VERSION.to_string())])
}
