//! A walk over a script's tokens.

use super::token::{Kind, Token};

pub(super) struct Cursor<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(tokens: &'t [Token<'t>]) -> Self {
        Self { tokens, at: 0 }
    }

    pub fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    pub fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Where it stands, for `words_since`.
    pub fn mark(&self) -> usize {
        self.at
    }

    pub fn line(&self) -> usize {
        self.line_at(self.at)
    }

    /// The line of a mark.
    pub fn line_at(&self, mark: usize) -> usize {
        let at = mark.min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).map_or(1, |token| token.line)
    }

    /// The word or sign that comes next, if it is not quoted.
    pub fn plain(&self) -> Option<&'t str> {
        let token = self.peek()?;
        matches!(token.kind, Kind::Word | Kind::Symbol).then_some(token.text)
    }

    /// Whether this unquoted word or sign came next; it is passed.
    pub fn take(&mut self, text: &str) -> bool {
        let is_next = self.plain() == Some(text);
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether one of these came next, unquoted; it is passed.
    pub fn take_any(&mut self, texts: &[&str]) -> bool {
        let is_next = self.plain().is_some_and(|next| texts.contains(&next));
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether `ct ... set` comes next.
    pub fn is_at_ct_setting(&self) -> bool {
        let next = self.tokens.get(self.at..self.at + 3);
        next.is_some_and(|next| (next[0].text, next[2].text) == ("ct", "set"))
    }

    /// The next word, quoted or not.
    pub fn word(&mut self) -> Option<&'t str> {
        let token = self.peek()?;
        if !matches!(token.kind, Kind::Word | Kind::Quoted) {
            return None;
        }
        self.at += 1;
        Some(token.text)
    }

    /// Whether a line's end, a semicolon, the end of a block or of the script comes next.
    pub fn is_at_end(&self) -> bool {
        self.peek()
            .is_none_or(|token| token.kind == Kind::End || (token.kind, token.text) == BLOCK_END)
    }

    pub fn skip_ends(&mut self) {
        while self.peek().is_some_and(|token| token.kind == Kind::End) {
            self.at += 1;
        }
    }

    /// To the end of the statement, blocks in it included.
    pub fn skip_statement(&mut self) {
        while !self.is_at_end() {
            if self.take("{") {
                self.skip_block();
            } else {
                self.at += 1;
            }
        }
    }

    /// To behind the brace that closes the block it is in.
    pub fn skip_block(&mut self) {
        let mut depth = 1;
        while let Some(token) = self.next() {
            match (token.kind, token.text) {
                (Kind::Symbol, "{") => depth += 1,
                BLOCK_END => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// What was passed since, as one would write it.
    pub fn words_since(&self, mark: usize) -> String {
        let mut text = String::new();
        for token in self.tokens.get(mark..self.at).unwrap_or_default() {
            let is_close = matches!(token.text, "," | ";" | ")") || token.kind == Kind::End;
            if !is_close && !text.is_empty() && !text.ends_with(['(', '@', ' ']) {
                text.push(' ');
            }
            match token.kind {
                Kind::Quoted => text.extend(["\"", token.text, "\""]),
                Kind::Variable => text.extend(["$", token.text]),
                Kind::End => {}
                Kind::Word | Kind::Symbol => text.push_str(token.text),
            }
        }
        text
    }
}

const BLOCK_END: (Kind, &str) = (Kind::Symbol, "}");
