//! A line as iptables-restore takes it apart.

/// A word of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// It stood in quotes: whatever it looks like, it is no option.
    pub quoted: bool,
}

impl Word {
    pub fn is(&self, text: &str) -> bool {
        !self.quoted && self.text == text
    }

    /// A `!`, or what begins with a dash.
    pub fn begins_an_option(&self) -> bool {
        !self.quoted && (self.text == "!" || self.text.starts_with('-'))
    }
}

/// The words of a line; `None` where a quote is not closed.
///
/// Double quotes may begin anywhere in a word and end it. A backslash means the character after it, within quotes only.
pub(super) fn split(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word = Word::default();
    let mut within_quotes = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if within_quotes => word.text.push(letters.next()?),
            '"' if within_quotes => {
                within_quotes = false;
                words.push(std::mem::take(&mut word));
            }
            '"' => {
                within_quotes = true;
                word.quoted = true;
            }
            ' ' | '\t' if !within_quotes => {
                if !word.text.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.text.push(letter),
        }
    }
    if !word.text.is_empty() {
        words.push(word);
    }
    (!within_quotes).then_some(words)
}

/// Words as they may be shown.
pub(super) fn join<'w>(words: impl IntoIterator<Item = &'w Word>) -> String {
    let shown = words.into_iter().map(|word| {
        if word.quoted {
            format!("\"{}\"", word.text)
        } else {
            word.text.clone()
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}
