//! Where the next command of a conversation in lines may begin.

/// The lines of a text but for the first, and where each starts.
pub fn further_lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    let lines = text
        .split_inclusive(|&byte| byte == b'\n')
        .map(move |line| {
            let at = start;
            start += line.len();
            (at, line)
        });
    lines.skip(1)
}

/// The last places behind a line end, two at most (`find_nl_seq`, `update_nl_seq`).
#[derive(Debug, Default)]
pub struct LineEnds {
    first: Option<u32>,
    second: Option<u32>,
}

impl LineEnds {
    /// Whether a segment that begins here stands right behind a line end.
    pub fn contain(&self, seq: u32) -> bool {
        self.first == Some(seq) || self.second == Some(seq)
    }

    /// Why a command that begins here is not read.
    pub fn objection(&self) -> &'static str {
        match self.first {
            None => "before any line end was seen in its direction",
            Some(_) => "not behind a line end that was seen",
        }
    }

    /// The older of two gives way to one that is newer than it.
    pub fn note(&mut self, seq: u32) {
        let is_before = |a: u32, b: u32| a.wrapping_sub(b) > u32::MAX / 2;
        match (self.first, self.second) {
            _ if self.contain(seq) => {}
            (None, _) => self.first = Some(seq),
            (_, None) => self.second = Some(seq),
            (Some(first), Some(second)) => {
                let oldest = if is_before(first, second) {
                    &mut self.first
                } else {
                    &mut self.second
                };
                if oldest.is_some_and(|oldest| is_before(oldest, seq)) {
                    *oldest = Some(seq);
                }
            }
        }
    }
}
