//! The commands of iptables(8) that a file may hold: what is done to which chain.

use super::values;
use super::words::Word;

/// A line's command, with what stands behind it.
pub(super) enum Command<'w> {
    Append(&'w str, &'w [Word]),
    /// At a place, from 1.
    Insert(&'w str, usize, &'w [Word]),
    DeleteAt(&'w str, usize),
    Delete(&'w str, &'w [Word]),
    /// All rules of a chain, or of all chains.
    Flush(Option<&'w str>),
    New(&'w str),
    Policy(&'w str, &'w str),
    /// It changes counters only.
    Nothing,
}

impl<'w> Command<'w> {
    pub fn of(words: &'w [Word]) -> Option<Self> {
        // The counters that `iptables-save -c` writes.
        let words = match words {
            [counters, rest @ ..] if counters.text.starts_with('[') => rest,
            _ => words,
        };
        let (command, rest) = words.split_first()?;
        let command = command.text.as_str();
        if matches!(command, "-Z" | "--zero") {
            return Some(Self::Nothing);
        }
        let Some((chain, behind)) = rest.split_first() else {
            let flushes = matches!(command, "-F" | "--flush");
            return flushes.then_some(Self::Flush(None));
        };
        let chain = chain.text.as_str();
        let place = behind.first().and_then(|word| values::number(&word.text));
        Some(match command {
            "-A" | "--append" => Self::Append(chain, behind),
            "-I" | "--insert" => match place {
                Some(place) => Self::Insert(chain, place, &behind[1..]),
                None => Self::Insert(chain, 1, behind),
            },
            "-D" | "--delete" => match place {
                Some(place) => Self::DeleteAt(chain, place),
                None => Self::Delete(chain, behind),
            },
            "-F" | "--flush" => Self::Flush(Some(chain)),
            "-N" | "--new-chain" => Self::New(chain),
            "-P" | "--policy" => Self::Policy(chain, &behind.first()?.text),
            _ => return None,
        })
    }
}
