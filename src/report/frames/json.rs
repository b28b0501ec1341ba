//! The tables as one JSON document, and the schema of that document.

use polars::prelude::*;
use serde_json::{Map, Value, json};

use super::columns::{self, Described};
use super::{SCHEMA_VERSION, whole};
use crate::analysis::Analysis;

/// What an analysis comes to, for programs: the tables by their names, each a list of rows. Of expectations and related flows
/// the first are there, and how many more there were.
///
/// # Errors
///
/// What Polars says of a table.
pub fn json(analysis: &Analysis) -> PolarsResult<Value> {
    let mut document = Map::new();
    document.insert("$schema".to_owned(), ID.into());
    document.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    document.insert("ctaudit".to_owned(), env!("CARGO_PKG_VERSION").into());
    document.insert(
        "kernel".to_owned(),
        analysis.exposure.kernel().series.into(),
    );
    document.insert("nft".to_owned(), analysis.nft.clone().into());
    let omitted = json!({
        "expectations": analysis.expectations.omitted,
        "related_flows": analysis.related.omitted,
    });
    document.insert("omitted".to_owned(), omitted);
    for (name, columns) in tables(analysis) {
        document.insert(name.to_owned(), rows(&columns)?);
    }
    Ok(Value::Object(document))
}

/// JSON Schema (2020-12) of what `json` makes of any analysis.
pub fn schema(analysis: &Analysis) -> Value {
    let mut properties = Map::new();
    let mut fixed = |name: &str, kind: &str, description: &str| {
        let property = json!({ "type": kind, "description": description });
        properties.insert(name.to_owned(), property);
    };
    fixed("$schema", "string", "where this schema is published");
    fixed(
        "schema_version",
        "integer",
        "changes whenever a column is added, removed or means something else",
    );
    fixed("ctaudit", "string", "version of the program");
    fixed("kernel", "string", "the kernel series that was simulated");
    fixed("nft", "string", "the proposed rules, for nft -f");
    fixed(
        "omitted",
        "object",
        "rows of the listed tables beyond those that are here",
    );
    for (name, columns) in tables(analysis) {
        properties.insert(name.to_owned(), of_table(&columns));
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "ctaudit analyse --format json",
        "type": "object",
        "required": required,
        "properties": properties,
    })
}

fn tables(analysis: &Analysis) -> Vec<(&'static str, Vec<Described>)> {
    let mut tables = whole(analysis);
    tables.extend([
        ("findings", columns::found(analysis)),
        (
            "expectations",
            columns::expectations(&analysis.expectations.rows),
        ),
        ("related_flows", columns::related(&analysis.related.rows)),
    ]);
    tables
}

fn of_table(columns: &[Described]) -> Value {
    let properties: Map<String, Value> = columns
        .iter()
        .map(|described| {
            let name = described.column.name().to_string();
            let unit = match described.unit {
                "" => String::new(),
                unit => format!(" ({unit})"),
            };
            let property = json!({
                "type": [kind(described.column.dtype()), "null"],
                "description": format!("{}{unit}", described.meaning),
            });
            (name, property)
        })
        .collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        },
    })
}

fn kind(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Boolean => "boolean",
        dtype if dtype.is_integer() => "integer",
        dtype if dtype.is_float() => "number",
        // Instants as well, as text: programs that read numbers as floating ones would lose their last digits.
        _ => "string",
    }
}

fn rows(columns: &[Described]) -> PolarsResult<Value> {
    let height = columns.first().map_or(0, |first| first.column.len());
    let rows: PolarsResult<Vec<Value>> = (0..height)
        .map(|row| {
            let cells = columns.iter().map(|described| {
                let name = described.column.name().to_string();
                Ok((name, value(&described.column.get(row)?)))
            });
            cells
                .collect::<PolarsResult<Map<_, _>>>()
                .map(Value::Object)
        })
        .collect();
    Ok(Value::Array(rows?))
}

fn value(cell: &AnyValue<'_>) -> Value {
    match cell {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => (*value).into(),
        AnyValue::String(text) => (*text).into(),
        AnyValue::Datetime(nanos, ..) | AnyValue::DatetimeOwned(nanos, ..) => {
            let instant = jiff::Timestamp::from_nanosecond((*nanos).into());
            instant.map_or(Value::Null, |instant| format!("{instant:.9}").into())
        }
        AnyValue::StringOwned(text) => text.as_str().into(),
        number if number.is_integer() => match number.extract::<u64>() {
            Some(number) => number.into(),
            None => number.extract::<i64>().into(),
        },
        number => number.extract::<f64>().into(),
    }
}

/// A name for it, and no address that anything is fetched from.
const ID: &str = "urn:ctaudit:report";
