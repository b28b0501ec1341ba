//! Reading and decoding on one thread, following the flows on another, while a third learns from both.
//!
//! Batches go round: filled ones to who follows, followed ones to the replay, in order, and empty ones back to who reads. So
//! nothing depends on who is faster, and memory is that of a few batches.

use std::panic;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::Stages;
use super::batch::Batch;
use super::follow::Follower;
use super::intake::Intake;

pub(super) struct Ahead {
    followed: Receiver<Batch>,
    empty: Sender<Batch>,
    reader: JoinHandle<Intake>,
    follower: JoinHandle<Follower>,
}

impl Ahead {
    pub fn start(stages: Stages) -> Self {
        let Stages {
            mut intake,
            mut follower,
        } = stages;
        let (empty, to_fill) = mpsc::channel::<Batch>();
        let (fill, filled) = mpsc::channel::<Batch>();
        let (hand_on, followed) = mpsc::channel();
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
        let following = thread::spawn(move || {
            for mut batch in filled {
                follower.follow(&mut batch);
                if hand_on.send(batch).is_err() {
                    break;
                }
            }
            follower
        });
        Self {
            followed,
            empty,
            reader,
            follower: following,
        }
    }

    /// The next batch, for one that was read.
    pub fn exchange(&self, read: Batch) -> Option<Batch> {
        // After the last batch the reader wants none.
        let _ = self.empty.send(read);
        self.followed.recv().ok()
    }

    /// Who reads and who follows, when all was read.
    pub fn end(self) -> Stages {
        drop(self.empty);
        Stages {
            intake: joined(self.reader),
            follower: joined(self.follower),
        }
    }
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    match thread.join() {
        Ok(whole) => whole,
        Err(cause) => panic::resume_unwind(cause),
    }
}

/// Batches that go round, besides the one that the replay has.
const BATCHES: usize = 4;
