//! The right side of a comparison, and the elements of sets and maps, in nft's own language.

use super::cursor::Cursor;
use super::statement::ending;
use super::token::Kind;
use super::words::{Op, Value};

/// A value as it stands behind an operator: one, flags with commas, a set, a set's name.
pub(super) fn value(cursor: &mut Cursor<'_>) -> Value {
    let first = concat(cursor, 0);
    let mut flags = vec![first];
    while cursor.take(",") {
        flags.push(concat(cursor, 0));
    }
    if cursor.take("/") {
        return Value::Masked(Box::new(mask(cursor)), Box::new(Value::Flags(flags)));
    }
    // `new | related` is compared as a whole.
    if matches!(cursor.plain(), Some("|" | "&" | "^" | "<<" | ">>")) {
        while cursor.next().is_some() && operand_follows(cursor) {}
        return Value::Opaque;
    }
    match flags.pop() {
        Some(only) if flags.is_empty() => only,
        Some(last) => {
            flags.push(last);
            Value::Flags(flags)
        }
        None => Value::Opaque,
    }
}

/// Whether a computation goes on: a sign, or a word behind a sign.
fn operand_follows(cursor: &mut Cursor<'_>) -> bool {
    const SIGNS: [&str; 8] = ["|", "&", "^", "/", "<<", ">>", ",", ")"];
    let mark = cursor.mark();
    let _ = concat(cursor, 0);
    mark != cursor.mark() && cursor.plain().is_some_and(|next| SIGNS.contains(&next))
}

/// Flags, with the brackets around them: what stands between `&` and the operator, and behind that.
pub(super) fn mask(cursor: &mut Cursor<'_>) -> Value {
    let is_bracketed = cursor.take("(");
    let mut flags = vec![concat(cursor, 0)];
    while cursor.take("|") || cursor.take(",") {
        flags.push(concat(cursor, 0));
    }
    if is_bracketed && !cursor.take(")") {
        return Value::Opaque;
    }
    Value::Flags(flags)
}

/// The elements behind an opening brace, up to the closing one.
pub(super) fn elements(cursor: &mut Cursor<'_>, depth: usize) -> Value {
    let mut elements = Vec::new();
    loop {
        cursor.skip_ends();
        if cursor.take("}") {
            return Value::Many(elements);
        }
        if cursor.peek().is_none() {
            return Value::Opaque;
        }
        if cursor.take(",") {
            continue;
        }
        elements.push(element(cursor, depth));
    }
}

/// One element, with what a map gives it. Counters, comments and lifetimes beside it are passed over.
fn element(cursor: &mut Cursor<'_>, depth: usize) -> Value {
    let key = if cursor.take("*") {
        Value::Rest
    } else {
        concat(cursor, depth)
    };
    let mut mapped = None;
    while let Some(token) = cursor.peek() {
        match (token.kind, token.text) {
            (Kind::Symbol, "," | "}") => break,
            (Kind::Symbol, ":") => {
                cursor.next();
                cursor.skip_ends();
                mapped = Some(ending(cursor));
            }
            (Kind::Word, "limit" | "quota" | "ct") if mapped.is_none() => return rest_of(cursor),
            (Kind::Symbol, "{") => {
                cursor.next();
                cursor.skip_block();
            }
            (Kind::Symbol, "." | "&" | "|") => return rest_of(cursor),
            _ => {
                cursor.next();
            }
        }
    }
    match mapped {
        None => key,
        Some(Some(ending)) => Value::Mapped(Box::new(key), ending),
        Some(None) => Value::Opaque,
    }
}

/// Passes over an element that is not understood.
fn rest_of(cursor: &mut Cursor<'_>) -> Value {
    while let Some(token) = cursor.peek() {
        match (token.kind, token.text) {
            (Kind::Symbol, "," | "}") => break,
            (Kind::Symbol, "{") => {
                cursor.next();
                cursor.skip_block();
            }
            _ => {
                cursor.next();
            }
        }
    }
    Value::Opaque
}

fn concat(cursor: &mut Cursor<'_>, depth: usize) -> Value {
    let first = term(cursor, depth);
    if cursor.plain() != Some(".") {
        return first;
    }
    let mut parts = vec![first];
    while cursor.take(".") {
        cursor.skip_ends();
        parts.push(term(cursor, depth));
    }
    Value::Concat(parts)
}

fn term(cursor: &mut Cursor<'_>, depth: usize) -> Value {
    let Some(token) = cursor.peek() else {
        return Value::Opaque;
    };
    match (token.kind, token.text) {
        (Kind::Symbol, "{") => {
            cursor.next();
            if depth < DEEPEST {
                elements(cursor, depth + 1)
            } else {
                cursor.skip_block();
                Value::Opaque
            }
        }
        (Kind::Symbol, "@") => {
            cursor.next();
            let name = cursor.word();
            // `@th,16,16` is no set but a piece of a header.
            name.map_or(Value::Opaque, |name| Value::Named(name.to_owned()))
        }
        (Kind::Symbol, "}" | ",") | (Kind::End, _) => Value::Opaque,
        (Kind::Symbol, _) | (Kind::Variable, _) => {
            cursor.next();
            Value::Opaque
        }
        (kind, text) => {
            cursor.next();
            let low = text.to_owned();
            if cursor.take("-") {
                let high = cursor.word().unwrap_or_default();
                Value::Range(low, high.to_owned())
            } else if kind == Kind::Quoted {
                Value::Text(low)
            } else {
                Value::Word(low)
            }
        }
    }
}

/// The operator; where none is written, that is one, too.
pub(super) fn operator(cursor: &mut Cursor<'_>) -> Op {
    match cursor.plain().and_then(Op::parse) {
        Some(op) => {
            cursor.next();
            op
        }
        None => Op::Has,
    }
}

/// Sets in sets come from what is defined; nobody needs more of them.
const DEEPEST: usize = 8;
