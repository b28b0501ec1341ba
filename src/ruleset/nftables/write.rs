//! A rule set as a script for `nft -f`.

use std::fmt::Write;

use super::phrase::{self, Phrased, PhrasedChain, Unwritable};
use super::words::{Draft, Ending, Key, Op, Relation, Statement, Value};
use crate::ruleset::{Family, Helper, Hook, Rule, Ruleset};

/// The rule set as a script for `nft -f`, laid out as `nft list ruleset` does. Its tables replace those of their names:
/// what is loaded twice is there once.
pub fn write(ruleset: &Ruleset) -> Result<String, Unwritable> {
    let mut text = String::new();
    for table in phrase::tables(ruleset)? {
        self::table(&mut text, &table);
    }
    Ok(text)
}

/// A rule alone, without its comment; `None` for one that jumps, or that nft has no words for.
pub fn write_rule(rule: &Rule) -> Option<String> {
    let alone = Rule {
        comment: None,
        ..rule.clone()
    };
    Some(self::rule(&phrase::alone(&alone).ok()?))
}

// Writing to a String cannot fail.

fn table(text: &mut String, table: &Phrased<'_>) {
    let (family, name) = (family_name(table.family), table.name);
    let _ = writeln!(text, "table {family} {name}\ndelete table {family} {name}");
    let _ = writeln!(text, "table {family} {name} {{");
    let mut is_first = true;
    let mut part = |text: &mut String| {
        let separator = if is_first { "" } else { "\n" };
        text.push_str(separator);
        is_first = false;
    };
    for (name, helper) in &table.objects {
        part(text);
        object(text, name, helper, table.family);
    }
    for is in &table.chains {
        part(text);
        chain(text, is);
    }
    text.push_str("}\n");
}

/// The kernel takes the table's family where none is named.
fn object(text: &mut String, name: &str, helper: &Helper, family: Family) {
    let Helper {
        name: kind,
        protocol,
        ..
    } = helper;
    let _ = writeln!(
        text,
        "\tct helper {name} {{\n\t\ttype \"{kind}\" protocol {protocol}"
    );
    if helper.family != family {
        let _ = writeln!(text, "\t\tl3proto {}", family_name(helper.family));
    }
    text.push_str("\t}\n");
}

fn chain(text: &mut String, chain: &PhrasedChain<'_>) {
    let _ = writeln!(text, "\tchain {} {{", chain.name);
    if let Some(base) = chain.base {
        let policy = if base.accepts { "accept" } else { "drop" };
        let (hook, priority) = (hook_name(base.hook), base.priority);
        let _ = writeln!(
            text,
            "\t\ttype filter hook {hook} priority {priority}; policy {policy};"
        );
    }
    for draft in &chain.rules {
        let _ = writeln!(text, "\t\t{}", rule(draft));
    }
    text.push_str("\t}\n");
}

fn rule(draft: &Draft) -> String {
    let mut parts: Vec<_> = draft.statements.iter().map(statement).collect();
    let comment = draft.comment.as_ref();
    parts.extend(comment.map(|comment| format!("comment \"{comment}\"")));
    parts.join(" ")
}

fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Match(relation) => self::relation(relation),
        Statement::Help { object, .. } => format!("ct helper set \"{object}\""),
        Statement::Untrack => String::from("notrack"),
        Statement::Ends(ending) => match ending {
            Ending::Accept => String::from("accept"),
            Ending::Drop => String::from("drop"),
            Ending::Return => String::from("return"),
            Ending::Continue => String::from("continue"),
            Ending::Jump(chain) => format!("jump {chain}"),
            Ending::Goto(chain) => format!("goto {chain}"),
        },
        Statement::Vmap { words, .. }
        | Statement::Unknown { words, .. }
        | Statement::Beyond { words, .. } => words.clone(),
    }
}

/// `ct status ! expected` is younger than `ct status & expected == 0`, and means the same.
fn relation(relation: &Relation) -> String {
    let keys: Vec<_> = relation.keys.iter().map(key).collect();
    let (keys, right) = (keys.join(" . "), value(&relation.right));
    match (relation.op, &relation.right) {
        (op, Value::Masked(mask, set)) => {
            let op = if op == Op::Not { "!=" } else { "==" };
            format!("{keys} & {} {op} {}", bits(mask), bits(set))
        }
        (Op::Lacks, Value::Flags(flags)) if flags.len() > 1 => {
            format!("{keys} & ({}) == 0", joined(flags, "|"))
        }
        (Op::Lacks, _) => format!("{keys} & {right} == 0"),
        (Op::Not, _) => format!("{keys} != {right}"),
        _ => format!("{keys} {right}"),
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Ct(what) => format!("ct {what}"),
        Key::Meta(what) if ["iifname", "oifname"].contains(&what.as_str()) => what.clone(),
        Key::Meta(what) => format!("meta {what}"),
        Key::Payload(header, field) => format!("{header} {field}"),
        Key::Kind(end) => format!("fib {end} type"),
        Key::Other => String::new(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Word(word) => word.clone(),
        Value::Text(text) => format!("\"{text}\""),
        Value::Range(low, high) => format!("{low}-{high}"),
        Value::Many(elements) => format!("{{ {} }}", joined(elements, ", ")),
        Value::Flags(flags) => joined(flags, ","),
        Value::Concat(parts) => joined(parts, " . "),
        Value::Named(name) => format!("@{name}"),
        Value::Masked(..) | Value::Mapped(..) | Value::Rest | Value::Opaque => String::from("*"),
    }
}

fn bits(flags: &Value) -> String {
    match flags {
        Value::Flags(flags) if flags.len() > 1 => format!("({})", joined(flags, "|")),
        flags => value(flags),
    }
}

fn joined(values: &[Value], separator: &str) -> String {
    let words: Vec<_> = values.iter().map(value).collect();
    words.join(separator)
}

pub(super) fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ip",
        Family::Ipv6 => "ip6",
        Family::Inet => "inet",
    }
}

pub(super) fn hook_name(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "prerouting",
        Hook::Input => "input",
        Hook::Forward => "forward",
        Hook::Output => "output",
        Hook::Postrouting => "postrouting",
    }
}
