//! Reading and decoding on one processor while the other follows the flows.
//!
//! Batches go round between the two: filled ones to the replay, in order, and empty ones back. So nothing depends on who
//! is faster, and memory is that of a few batches.

use std::panic;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::batch::{Batch, Intake};

pub(super) struct Ahead {
    filled: Receiver<Batch>,
    empty: Sender<Batch>,
    reader: JoinHandle<Intake>,
}

impl Ahead {
    pub fn start(mut intake: Intake) -> Self {
        let (empty, to_fill) = mpsc::channel::<Batch>();
        let (fill, filled) = mpsc::channel();
        for _ in 0..BATCHES {
            // Nobody has hung up yet.
            let _ = empty.send(Batch::default());
        }
        let reader = thread::spawn(move || {
            for mut batch in to_fill {
                intake.fill(&mut batch);
                let is_last = batch.is_last;
                if fill.send(batch).is_err() || is_last {
                    break;
                }
            }
            intake
        });
        Self {
            filled,
            empty,
            reader,
        }
    }

    /// The next batch, for one that was read.
    pub fn exchange(&self, read: Batch) -> Option<Batch> {
        // After the last batch the reader wants none.
        let _ = self.empty.send(read);
        self.filled.recv().ok()
    }

    /// Who reads, when all was read.
    pub fn end(self) -> Intake {
        drop(self.empty);
        match self.reader.join() {
            Ok(intake) => intake,
            Err(cause) => panic::resume_unwind(cause),
        }
    }
}

/// Batches that go round, besides the one that is being followed.
const BATCHES: usize = 3;
