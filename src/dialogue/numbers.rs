//! The numbers of requests, as far as answers may still come to them.

use std::collections::VecDeque;

/// The last few.
#[derive(Debug, Default)]
pub struct Numbers(VecDeque<u32>);

impl Numbers {
    pub fn note(&mut self, number: u32) {
        if self.has(number) {
            return;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(number);
    }

    pub fn has(&self, number: u32) -> bool {
        self.0.contains(&number)
    }
}

const REMEMBERED: usize = 64;
