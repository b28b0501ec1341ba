//! What tables are written with, so that `merge` can make one audit of several: how the firewall was set up, and the sums.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Failure, Firewall};
use crate::analysis::{Analysis, Compared, Listed};
use crate::capture;
use crate::compare::Comparison;
use crate::conntrack::config::Config;
use crate::helper::Spec;
use crate::kernel::Kernel;
use crate::proposal::Wishes;
use crate::report::folder;
use crate::report::frames::SCHEMA_VERSION;
use crate::service::Service;
use crate::sums::Sums;
use crate::tuple::Protocol;
use crate::what_if::WhatIf;

/// What an analysis is asked: of which firewall, and of which others beside it.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    pub firewall: Firewall,
    pub compare_kernel: Option<Kernel>,
    pub what_if: Vec<String>,
}

impl Asked {
    /// Nothing is analysed yet.
    pub fn begin(&self, wishes: Wishes) -> Result<(Config, Analysis), Failure> {
        let firewall = &self.firewall;
        let config = firewall.config(firewall.kernel)?;
        let compared = match self.compare_kernel {
            None => None,
            Some(there) => Some(Compared {
                here: config.kernel,
                there,
                comparison: Comparison::new(firewall.config(there)?),
                deviations: Listed::default(),
            }),
        };
        let others = self.what_if.iter();
        let others = others.map(|text| Ok(WhatIf::new(text.clone(), firewall.otherwise(text)?)));
        let analysis = Analysis {
            what_if: others.collect::<Result<_, Failure>>()?,
            compared,
            ..Analysis::new(&config, wishes)
        };
        Ok((config, analysis))
    }

    /// An option of which the two differ, and how.
    pub fn differs_from(&self, other: &Self) -> Option<String> {
        let [here, there] = [self, other].map(|asked| serde_json::to_value(asked).ok());
        let (Value::Object(here), Value::Object(there)) = (here?, there?) else {
            return None;
        };
        let mut options = here.iter().zip(&there);
        let ((name, here), (_, there)) = options.find(|(here, there)| here != there)?;
        let name = name.replace('_', "-");
        Some(format!(
            "--{name} is {here} of one and {there} of the other"
        ))
    }
}

/// The file as a whole.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    schema_version: u32,
    pub asked: Asked,
    /// Whether the same run has written the rows beside it as Parquet.
    pub has_rows: bool,
    pub sums: Sums,
}

impl Kept {
    pub fn new(asked: Asked, analysis: Analysis) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            asked,
            has_rows: false,
            sums: analysis.into(),
        }
    }

    /// The rows beside it, which `append_tables` takes.
    pub fn rows(&self, directory: &Path) -> Result<(), Failure> {
        match self.has_rows {
            true => Ok(()),
            false => Err(unusable(
                directory,
                "the run that wrote it has not written rows as Parquet beside it, which tables are made of",
            )),
        }
    }

    /// Beside the tables.
    pub fn write(&self, directory: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(|error| unusable(directory, error))?;
        Ok(folder::put(directory, FILE, &text)?)
    }

    /// Of a directory that `write` was given. It may come from somebody else.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let unusable = |why: &dyn Display| unusable(directory, why);
        let value: Value =
            serde_json::from_slice(&bytes(directory)?).map_err(|error| unusable(&error))?;
        let version = value.get("schema_version").and_then(Value::as_u64);
        if version != Some(SCHEMA_VERSION.into()) {
            return Err(unusable(&OTHER_VERSION));
        }
        if let Some(why) = implausible(&value) {
            return Err(unusable(&why));
        }
        let kept: Self = serde_json::from_value(value).map_err(|error| unusable(&error))?;
        let firewall = &kept.asked.firewall;
        let config = firewall.config(firewall.kernel).ok();
        let config = config.ok_or_else(|| unusable(&OTHER_VERSION))?;
        // Rules are made of these.
        let is_known = |service: &Service| {
            let helper = service.helper;
            let has_helper = config.modules.named(helper).is_ok() || Spec::named(helper).is_some();
            has_helper && [Protocol::TCP, Protocol::UDP].contains(&service.protocol)
        };
        if let Some(unknown) = kept.sums.services().find(|service| !is_known(service)) {
            let Service {
                helper, protocol, ..
            } = unknown;
            return Err(unusable(&format_args!(
                "there is no helper {helper} for {protocol} on the firewall that it is of"
            )));
        }
        Ok(kept)
    }
}

fn bytes(directory: &Path) -> Result<Vec<u8>, Failure> {
    let path = directory.join(FILE);
    let is_file = fs::metadata(&path).map(|what| what.is_file());
    let is_file = is_file.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => unusable(
            directory,
            "not there: name a directory that ctaudit analyse --parquet or --csv has written",
        ),
        _ => unusable(directory, error),
    })?;
    let mut bytes = Vec::new();
    if is_file {
        let file = File::open(&path).map_err(|error| unusable(directory, error))?;
        let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| unusable(directory, error))?;
    }
    match bytes.len() as u64 {
        0 | LARGEST.. => Err(unusable(directory, "no file that ctaudit has written")),
        _ => Ok(bytes),
    }
}

/// What is wrong with what lies there.
fn unusable(directory: &Path, why: impl Display) -> Failure {
    Failure::Kept {
        path: directory.join(FILE),
        // What is quoted of the file is not shown as it is.
        why: why.to_string().escape_debug().to_string(),
    }
}

/// Why it is not what ctaudit writes, though it may have its form: a text that would move a cursor or turn the direction of
/// writing, or a number beyond all captures, of which sums could not be made.
fn implausible(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) if !is_line(text) => Some(NOT_PLAIN),
        Value::Number(number) if number.as_u64().is_some_and(|number| number > MOST) => {
            Some(TOO_MANY)
        }
        Value::Array(values) => values.iter().find_map(implausible),
        Value::Object(entries) => entries.iter().find_map(|(name, value)| {
            match name.as_str() {
                name if !is_line(name) => Some(NOT_PLAIN),
                // They are a capture's own words wherever they come from.
                "interfaces" => None,
                name if TIMESTAMPS.contains(&name) && value.is_i64() => None,
                _ => implausible(value),
            }
        }),
        _ => None,
    }
}

fn is_line(text: &str) -> bool {
    capture::printable(Path::new(text)) == text
}

const FILE: &str = "sums.json";
/// Bytes. Where all rooms are full (`room`), it would be some 70 MB.
const LARGEST: u64 = 256 << 20;
const OTHER_VERSION: &str = "written by another version of ctaudit: analyse its captures again";
const NOT_PLAIN: &str = "a text in it has control characters, which ctaudit does not write";
const TOO_MANY: &str = "a number in it is larger than any that ctaudit writes";
/// Bytes of a capture are 280 TB, and seconds nine million years.
const MOST: u64 = 1 << 48;
/// Nanoseconds since 1970 are more, and never summed.
const TIMESTAMPS: [&str; 6] = ["at", "first", "first_at", "last", "last_at", "latest"];
