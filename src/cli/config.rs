//! `--config`: options from a file.
//!
//! What an option is called, whether it takes a value and which, clap alone knows: the file becomes arguments, and each is
//! shown to clap by itself first, so that an error can name the line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::de::{DeTable, DeValue};

use super::{Failure, read_text};

/// The arguments, and behind the name of the command what the file says that they name. What they say themselves, or what
/// cannot be had together with that, is not taken from the file.
pub(super) fn with_file(
    program: &Command,
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>, Failure> {
    // What must be given may stand in the file. Whatever else is wrong clap finds again, and says it.
    let mut program = program
        .clone()
        .subcommand_required(false)
        .arg_required_else_help(false)
        .mut_subcommands(nothing_required);
    let read = program.try_get_matches_from_mut(&arguments);
    let Ok(given) = read else {
        return Ok(arguments);
    };
    let (Some(path), Some((name, given))) =
        (given.get_one::<PathBuf>("config"), given.subcommand())
    else {
        return Ok(arguments);
    };
    let text = read_text(path)?;
    let file = File {
        path,
        text: &text,
        program: &program,
    };
    let added = file.arguments(name, given)?;
    let is_name = |at: &usize| {
        let before = program.clone().try_get_matches_from(&arguments[..*at]);
        arguments[*at] == name && before.is_ok()
    };
    let behind = (1..arguments.len()).find(is_name).map_or(1, |at| at + 1);
    let mut all = arguments;
    all.splice(behind..behind, added);
    Ok(all)
}

/// Of what stands behind a list and may be left out, clap cannot tell where it begins: it counts to the list.
fn nothing_required(command: Command) -> Command {
    let has_several = command.get_positionals().count() > 1;
    command.mut_args(|arg| {
        let is_behind = has_several && arg.is_positional() && arg.get_num_args().is_none();
        arg.required(false).last(is_behind)
    })
}

struct File<'f> {
    path: &'f Path,
    text: &'f str,
    program: &'f Command,
}

impl File<'_> {
    /// Of the whole file, which is checked for all commands, what this one takes.
    fn arguments(&self, name: &str, given: &ArgMatches) -> Result<Vec<OsString>, Failure> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            self.error(at, error.message())
        })?;
        let mut common = BTreeMap::new();
        let mut own = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let (key, at) = (key.get_ref().as_ref(), key.span());
            if let (Some(command), DeValue::Table(options)) =
                (self.program.find_subcommand(key), value.get_ref())
            {
                for (key, value) in options {
                    let (key, at) = (key.get_ref().as_ref(), key.span());
                    let Some(option) = option(command, key) else {
                        return Err(self.unknown(key, at, &[command]));
                    };
                    let arguments = self.checked(command, option, value.get_ref(), at)?;
                    if command.get_name() == name && !is_settled(command, option, given) {
                        own.insert(key, arguments);
                    }
                }
                continue;
            }
            let commands: Vec<&Command> = self.program.get_subcommands().collect();
            let mut is_known = false;
            for command in &commands {
                let Some(option) = option(command, key) else {
                    continue;
                };
                is_known = true;
                let arguments = self.checked(command, option, value.get_ref(), at.clone())?;
                if command.get_name() == name && !is_settled(command, option, given) {
                    common.insert(key, arguments);
                }
            }
            if !is_known {
                return Err(self.unknown(key, at, &commands));
            }
        }
        common.extend(own);
        Ok(common.into_values().flatten().collect())
    }

    /// What says this on the command line, if it can be said there.
    fn checked(
        &self,
        command: &Command,
        option: &Arg,
        value: &DeValue<'_>,
        at: Range<usize>,
    ) -> Result<Vec<OsString>, Failure> {
        let arguments = arguments(option, value).ok_or_else(|| {
            let key = option.get_long().unwrap_or_default();
            let (wanted, found) = (wanted(option), value.type_str());
            self.error(at.clone(), format!("'{key}' takes {wanted}, not a {found}"))
        })?;
        for argument in &arguments {
            let command = command.clone().no_binary_name(true);
            if let Err(error) = command.try_get_matches_from([argument]) {
                let text = error.to_string();
                let text = text.split("\n\n").next().unwrap_or_default();
                return Err(self.error(at, text.trim_start_matches("error: ")));
            }
        }
        Ok(arguments)
    }

    fn unknown(&self, key: &str, at: Range<usize>, commands: &[&Command]) -> Failure {
        let known = commands.iter().flat_map(|command| options(command));
        let known = known.filter_map(Arg::get_long);
        let likeness = |name: &&str| strsim::jaro_winkler(key, name);
        let nearest = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        let advice = match nearest.filter(|name| likeness(name) > LIKE) {
            Some(name) => format!("did you mean '{name}'?"),
            None => String::from("--help lists the options, which are the keys"),
        };
        let of = match commands {
            [command] => format!("ctaudit {}", command.get_name()),
            _ => String::from("any command"),
        };
        self.error(at, format!("'{key}' is no option of {of}: {advice}"))
    }

    fn error(&self, at: Range<usize>, what: impl Display) -> Failure {
        let before = self.text.bytes().take(at.start);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        let path = self.path.display();
        Failure::Usage(clap::Error::raw(
            ErrorKind::ValueValidation,
            format!("{path}:{line}: {what}\n"),
        ))
    }
}

/// Whether the command line says it, or what excludes it.
fn is_settled(command: &Command, option: &Arg, given: &ArgMatches) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        let excluded = command.get_arg_conflicts_with(one);
        excluded.iter().any(|arg| arg.get_id() == other.get_id())
    };
    let mut said = command
        .get_arguments()
        .filter(|arg| given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine));
    said.any(|said| {
        said.get_id() == option.get_id() || excludes(said, option) || excludes(option, said)
    })
}

/// All that a file may set.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        let does = matches!(
            arg.get_action(),
            ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
        );
        does && !arg.is_positional() && arg.get_id() != "config"
    })
}

fn option<'c>(command: &'c Command, key: &str) -> Option<&'c Arg> {
    options(command).find(|arg| arg.get_long() == Some(key))
}

/// `None` where the value is not of the kind that the option takes.
fn arguments(option: &Arg, value: &DeValue<'_>) -> Option<Vec<OsString>> {
    let name = option.get_long()?;
    let with = |value: &DeValue<'_>| {
        let text = text(value)?;
        Some(OsString::from(format!("--{name}={text}")))
    };
    match value {
        DeValue::Boolean(false) if may_stand_alone(option) => Some(Vec::new()),
        DeValue::Boolean(true) if may_stand_alone(option) => {
            Some(vec![OsString::from(format!("--{name}"))])
        }
        DeValue::Array(values) if is_list(option) => {
            values.iter().map(|value| with(value.get_ref())).collect()
        }
        _ if takes_value(option) => Some(vec![with(value)?]),
        _ => None,
    }
}

/// Numbers as they are written: a kernel is 6.10, not 6.1.
fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn wanted(option: &Arg) -> &'static str {
    match (takes_value(option), may_stand_alone(option)) {
        _ if is_list(option) => "a string, or a list of strings",
        (false, _) => "true or false",
        (true, false) => "a string or a number",
        (true, true) => "a number, true or false",
    }
}

fn is_list(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

fn may_stand_alone(option: &Arg) -> bool {
    let values = option.get_num_args();
    !takes_value(option) || values.is_some_and(|values| values.min_values() == 0)
}

/// How like a known name must be that is offered for an unknown one, of 1.
const LIKE: f64 = 0.75;
