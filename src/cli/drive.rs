//! A replay from its beginning to its end, or to where somebody interrupts it.

use std::process::ExitCode;
use std::time::Instant;

use super::progress::Progress;
use super::{Failure, Screen};
use crate::replay::{Passage, Replay};

/// Hands each frame to `each`, and tells on standard error what is wrong with the captures. What comes back is the exit
/// status that this alone asks for.
///
/// # Errors
///
/// What `each` says; and `Told` where not a single frame could be read.
pub(super) fn drive(
    replay: &mut Replay,
    screen: &Screen,
    mut progress: Progress,
    mut each: impl FnMut(&Passage<'_>) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let (mut frames, mut unread, mut damaged) = (0, 0, 0);
    loop {
        match replay.advance() {
            Ok(None) => break,
            Ok(Some(passage)) => {
                frames = passage.number;
                each(&passage)?;
            }
            Err(error) => {
                // Damage is in the report and the exit status as well.
                if error.is_damage() {
                    damaged += 1;
                    if damaged <= MOST_TOLD {
                        screen.note(error);
                    }
                } else {
                    unread += 1;
                    if unread <= MOST_TOLD {
                        eprintln!("ctaudit: {error}");
                    }
                }
            }
        }
        progress.tell(replay, frames);
    }
    progress.finish();
    if damaged > MOST_TOLD {
        screen.note(format_args!(
            "and damaged at {} further places",
            damaged - MOST_TOLD
        ));
    }
    if unread > MOST_TOLD {
        eprintln!("ctaudit: and {} further inputs", unread - MOST_TOLD);
    }
    // Of what nobody knows the end of, an interruption is the end.
    let account = replay.account();
    let is_cut_short = account.interrupted && replay.total_bytes().is_some();
    if is_cut_short {
        screen.note("interrupted before the captures were read to their end");
    }
    for input in &account.inputs {
        let packing = input.compression.map(|name| format!(", {name}"));
        screen.step(format_args!(
            "read {}: {}{}, {} packets",
            input.name,
            input.format,
            packing.unwrap_or_default(),
            input.packets
        ));
    }
    let most = replay.most_conntracks();
    screen.done(
        format_args!("replayed {frames} frames, up to {most} flows alive at once"),
        began,
    );
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
