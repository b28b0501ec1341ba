//! A script in tokens, with what it defines put in its place.

use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// From 1.
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    /// `$name`
    Variable,
    Symbol,
    /// A line's end, or a semicolon.
    End,
}

/// Every token of a script. Comments and continued lines are passed over.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Lexer<'t> {
    fn token(&mut self) -> Option<Token<'t>> {
        loop {
            self.skip_blank();
            let line = self.line;
            let first = self.rest.chars().next()?;
            let (kind, text) = match first {
                '\n' | ';' => (Kind::End, self.take(1)),
                '#' => match self.comment() {
                    Some(text) => (Kind::Word, text),
                    None => continue,
                },
                '"' => (Kind::Quoted, self.quoted()),
                '$' => {
                    self.take(1);
                    (Kind::Variable, self.word())
                }
                _ => match self.address_length() {
                    0 if self.word_length() > 0 => (Kind::Word, self.word()),
                    0 => (Kind::Symbol, self.symbol()),
                    length => (Kind::Word, self.take(length)),
                },
            };
            self.line += text.matches('\n').count();
            return Some(Token { kind, text, line });
        }
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn skip_blank(&mut self) {
        loop {
            let is_blank = |sign: char| sign.is_whitespace() && sign != '\n';
            self.rest = self.rest.trim_start_matches(is_blank);
            let continued = self.rest.strip_prefix("\\\n");
            let Some(rest) = continued.or_else(|| self.rest.strip_prefix("\\\r\n")) else {
                return;
            };
            self.rest = rest;
            self.line += 1;
        }
    }

    /// What iptables-nft has put into a rule and nft has no words for, older versions print as if it were a comment
    /// (`# xt_owner`); it stands for what decides.
    fn comment(&mut self) -> Option<&'t str> {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let text = self.take(end).trim_start_matches('#').trim();
        text.starts_with("xt_").then_some("xt")
    }

    /// There are no escapes in nft's strings. One that nobody ends goes to the end of the line.
    fn quoted(&mut self) -> &'t str {
        self.take(1);
        if let Some(end) = self.rest.find('"') {
            let text = self.take(end);
            self.take(1);
            return text;
        }
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.take(end)
    }

    /// Of a word with colons: an IPv6 address, a prefix or range of such, a hardware address. One colon alone stands
    /// between an element and its verdict.
    fn address_length(&self) -> usize {
        let of_address = |sign: char| sign.is_ascii_hexdigit() || matches!(sign, ':' | '.');
        let address = self.rest.trim_start_matches(of_address);
        let length = self.rest.len() - address.len();
        let (head, tail) = self.rest.split_at(length);
        let head = head.trim_end_matches('.');
        if head.matches(':').count() < 2 || tail.starts_with(|next: char| next.is_alphanumeric()) {
            return 0;
        }
        let of_rest = |sign: char| of_address(sign) || matches!(sign, '/' | '-');
        let rest = self.rest[head.len()..].trim_start_matches(of_rest);
        self.rest[..self.rest.len() - rest.len()]
            .trim_end_matches('.')
            .len()
    }

    fn word(&mut self) -> &'t str {
        let length = self.word_length();
        self.take(length)
    }

    fn word_length(&self) -> usize {
        let is_negative = self.rest.starts_with('-')
            && self.rest[1..].starts_with(|digit: char| digit.is_ascii_digit());
        let sign = usize::from(is_negative);
        let is_part = |part: char| part.is_alphanumeric() || matches!(part, '/' | '_' | '.' | '-');
        let starts = |first: char| is_part(first) && !matches!(first, '-' | '/');
        if !self.rest[sign..].starts_with(starts) || self.rest.starts_with(". ") {
            return 0;
        }
        let mut length = sign;
        for part in self.rest[sign..].chars() {
            // `eth*`, `eth\*`
            let is_last = part == '*';
            if !is_part(part) && part != '\\' && !is_last {
                break;
            }
            if part == '\\' && !self.rest[length..].starts_with("\\*") {
                break;
            }
            length += part.len_utf8();
            if is_last {
                break;
            }
        }
        length
    }

    fn symbol(&mut self) -> &'t str {
        const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "<<", ">>"];
        let is_pair = PAIRS.iter().any(|pair| self.rest.starts_with(pair));
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        self.take(if is_pair { 2 } else { first })
    }
}

/// The tokens without `define` and what is defined. What nobody defines stays; `Err` where definitions of definitions
/// come to more than any script needs.
pub(super) fn expand<'t>(tokens: &[Token<'t>]) -> Result<Vec<Token<'t>>, usize> {
    let mut defined: HashMap<&str, Vec<Token<'t>>> = HashMap::new();
    let mut all = Vec::with_capacity(tokens.len());
    let (mut at, mut spliced) = (0, 0);
    while let Some(token) = tokens.get(at) {
        let is_first = at
            .checked_sub(1)
            .is_none_or(|before| matches!(tokens[before].text, "\n" | ";" | "{" | "}"));
        let definition = is_first.then(|| definition(&tokens[at..])).flatten();
        if let Some((name, length)) = definition {
            let value = &tokens[at + 3..at + length];
            let mut is = Vec::new();
            for token in value {
                splice(&defined, token, &mut is);
                if is.len() > value.len() + MOST_SPLICED {
                    return Err(token.line);
                }
            }
            spliced += is.len();
            defined.insert(name, is);
            at += length;
        } else {
            let before = all.len();
            splice(&defined, token, &mut all);
            spliced += all.len() - before - 1;
            at += 1;
        }
        if spliced > tokens.len() + MOST_SPLICED {
            return Err(token.line);
        }
    }
    Ok(all)
}

/// `define NAME = value`: the name, and how many tokens there are.
fn definition<'t>(tokens: &[Token<'t>]) -> Option<(&'t str, usize)> {
    let [define, name, equals, ..] = tokens else {
        return None;
    };
    if !["define", "redefine"].contains(&define.text) || equals.text != "=" {
        return None;
    }
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(3) {
        match (token.kind, token.text) {
            (Kind::Symbol, "{") => depth += 1,
            (Kind::Symbol, "}") => depth = depth.saturating_sub(1),
            (Kind::End, _) if depth == 0 => return Some((name.text, index)),
            _ => {}
        }
    }
    Some((name.text, tokens.len()))
}

/// The token, or what it stands for, on the line where it is used.
fn splice<'t>(
    defined: &HashMap<&str, Vec<Token<'t>>>,
    token: &Token<'t>,
    into: &mut Vec<Token<'t>>,
) {
    match defined.get(token.text) {
        Some(value) if token.kind == Kind::Variable => {
            let line = token.line;
            into.extend(value.iter().map(|part| Token { line, ..*part }));
        }
        _ => into.push(*token),
    }
}

const MOST_SPLICED: usize = 1 << 20;
