//! Processes, and what they took.

use std::io;
use std::ops::Div;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

pub const ROUNDS: usize = 5;

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub wall: Duration,
    /// Bytes. Never less than this process itself has had, from which the other was forked: a few megabytes, as
    /// workloads are made in a process of their own.
    pub peak: f64,
}

impl Div for Run {
    type Output = f64;

    fn div(self, other: Self) -> f64 {
        self.wall.as_secs_f64() / other.wall.as_secs_f64()
    }
}

/// Runs it, and throws away what it prints; `None` where it is not installed.
pub fn run(command: &mut Command) -> io::Result<Option<Run>> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begin = Instant::now();
    let child = match command.stderr(Stdio::null()).spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        child => child?,
    };
    let ended = child.wait4()?;
    let wall = begin.elapsed();
    if !ended.status.success() {
        return Err(io::Error::other(format!("{command:?}: {}", ended.status)));
    }
    let peak = ended.rusage.maxrss as f64;
    Ok(Some(Run { wall, peak }))
}

/// Runs them in turns. What is best of each is of any of its rounds but the first.
pub fn best(commands: &mut [Command]) -> io::Result<Vec<Option<Run>>> {
    let mut best: Vec<Option<Run>> = vec![None; commands.len()];
    for round in 0..=ROUNDS {
        for (command, best) in commands.iter_mut().zip(&mut best) {
            let run = run(command)?;
            if round == 0 {
                continue;
            }
            *best = match (*best, run) {
                (Some(best), Some(run)) => Some(Run {
                    wall: run.wall.min(best.wall),
                    peak: f64::max(run.peak, best.peak),
                }),
                (_, run) => run,
            };
        }
    }
    Ok(best)
}

/// How many instructions it executes, as callgrind counts them.
pub fn instructions(command: &Command) -> io::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let number = (said.lines())
        .filter_map(|line| line.split_once("Collected : "))
        .find_map(|(_, number)| number.trim().parse().ok());
    match number {
        Some(number) if output.status.success() => Ok(number),
        _ => Err(io::Error::other(format!("{command:?} in valgrind: {said}"))),
    }
}
