//! A replay from its beginning to its end, or to where somebody interrupts it.

use std::process::ExitCode;

use super::Failure;
use super::progress::Progress;
use crate::replay::{Passage, Replay};

/// Hands each frame to `each`, and tells on standard error what is wrong with the captures. What comes back is the exit
/// status that this alone asks for.
///
/// # Errors
///
/// What `each` says; and `Told` where not a single frame could be read.
pub(super) fn drive(
    replay: &mut Replay,
    mut progress: Progress,
    mut each: impl FnMut(&Passage<'_>) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let (mut frames, mut unread, mut damaged) = (0, 0, 0);
    loop {
        match replay.advance() {
            Ok(None) => break,
            Ok(Some(passage)) => {
                frames = passage.number;
                each(&passage)?;
            }
            Err(error) => {
                let count = match error.is_damage() {
                    true => &mut damaged,
                    false => &mut unread,
                };
                *count += 1;
                if *count <= MOST_TOLD {
                    eprintln!("ctaudit: {error}");
                }
            }
        }
        progress.tell(replay, frames);
    }
    progress.finish();
    if damaged > MOST_TOLD {
        eprintln!(
            "ctaudit: and damaged at {} further places",
            damaged - MOST_TOLD
        );
    }
    if unread > MOST_TOLD {
        eprintln!("ctaudit: and {} further inputs", unread - MOST_TOLD);
    }
    // Of what nobody knows the end of, an interruption is the end.
    let is_cut_short = replay.account().interrupted && replay.total_bytes().is_some();
    if is_cut_short {
        eprintln!("ctaudit: interrupted before the captures were read to their end");
    }
    match (unread, damaged) {
        (1.., _) if frames == 0 => Err(Failure::Told),
        (1.., _) => Ok(ExitCode::FAILURE),
        (0, 1..) => Ok(ExitCode::from(DAMAGED)),
        (0, 0) if is_cut_short => Ok(ExitCode::from(INTERRUPTED)),
        (0, 0) => Ok(ExitCode::SUCCESS),
    }
}

pub(super) const DAMAGED: u8 = 4;
/// As a shell says it of a program that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Places of damage, and inputs that cannot be read, that are told one by one.
const MOST_TOLD: u64 = 10;
