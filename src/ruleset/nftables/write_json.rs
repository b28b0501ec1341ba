//! A rule set as commands in JSON, for `nft -j -f` (libnftables-json(5)).

use serde_json::{Value as Json, json};

use super::phrase::{self, Phrased, PhrasedChain, Unwritable};
use super::words::{Draft, Ending, Key, Op, Relation, Statement, Value};
use super::write::{family_name, hook_name};
use crate::ruleset::{Family, Helper, Ruleset};

/// The rule set as commands for `nft -j -f`. Its tables replace those of their names.
pub fn write_json(ruleset: &Ruleset) -> Result<String, Unwritable> {
    let mut commands = Vec::new();
    for table in phrase::tables(ruleset)? {
        self::table(&mut commands, &table);
    }
    let all = json!({ "nftables": commands });
    Ok(format!("{all:#}\n"))
}

fn table(commands: &mut Vec<Json>, table: &Phrased<'_>) {
    let (family, name) = (family_name(table.family), table.name);
    let is = json!({ "table": { "family": family, "name": name } });
    commands.push(json!({ "add": is }));
    commands.push(json!({ "delete": is }));
    commands.push(json!({ "add": is }));
    let objects = table.objects.iter();
    commands.extend(
        objects.map(|(object, is)| add(table, "ct helper", helper(object, is, table.family))),
    );
    // Chains first: rules jump to them.
    commands.extend(table.chains.iter().map(|is| add(table, "chain", chain(is))));
    for chain in &table.chains {
        let rules = chain.rules.iter();
        commands.extend(rules.map(|draft| add(table, "rule", rule(chain.name, draft))));
    }
}

fn add(table: &Phrased<'_>, kind: &str, mut object: Json) -> Json {
    object["family"] = json!(family_name(table.family));
    object["table"] = json!(table.name);
    json!({ "add": { kind: object } })
}

fn helper(name: &str, helper: &Helper, family: Family) -> Json {
    let mut object =
        json!({ "name": name, "type": helper.name, "protocol": helper.protocol.to_string() });
    if helper.family != family {
        object["l3proto"] = json!(family_name(helper.family));
    }
    object
}

fn chain(chain: &PhrasedChain<'_>) -> Json {
    let mut object = json!({ "name": chain.name });
    if let Some(base) = chain.base {
        object["type"] = json!("filter");
        object["hook"] = json!(hook_name(base.hook));
        object["prio"] = json!(base.priority);
        object["policy"] = json!(if base.accepts { "accept" } else { "drop" });
    }
    object
}

fn rule(chain: &str, draft: &Draft) -> Json {
    let statements: Vec<_> = draft.statements.iter().map(statement).collect();
    let mut object = json!({ "chain": chain, "expr": statements });
    if let Some(comment) = &draft.comment {
        object["comment"] = json!(comment);
    }
    object
}

fn statement(statement: &Statement) -> Json {
    match statement {
        Statement::Match(relation) => self::relation(relation),
        Statement::Help { object, .. } => json!({ "ct helper": object }),
        Statement::Untrack => json!({ "notrack": null }),
        Statement::Ends(ending) => match ending {
            Ending::Accept => json!({ "accept": null }),
            Ending::Drop => json!({ "drop": null }),
            Ending::Return => json!({ "return": null }),
            Ending::Continue => json!({ "continue": null }),
            Ending::Jump(chain) => json!({ "jump": { "target": chain } }),
            Ending::Goto(chain) => json!({ "goto": { "target": chain } }),
        },
        // `phrase` finds no such words.
        Statement::Vmap { words, .. }
        | Statement::Unknown { words, .. }
        | Statement::Beyond { words, .. } => {
            json!(words)
        }
    }
}

fn relation(relation: &Relation) -> Json {
    let mut keys: Vec<_> = relation.keys.iter().map(key).collect();
    let left = match keys.len() {
        1 => keys.remove(0),
        _ => json!({ "concat": keys }),
    };
    if let Value::Masked(mask, set) = &relation.right {
        let op = if relation.op == Op::Not { "!=" } else { "==" };
        let left = json!({ "&": [left, bits(mask)] });
        return json!({ "match": { "op": op, "left": left, "right": bits(set) } });
    }
    let right = value(&relation.right);
    let is_flags = matches!(relation.right, Value::Flags(_));
    let (op, left, right) = match relation.op {
        Op::Lacks => ("==", json!({ "&": [left, right] }), json!(0)),
        Op::Not => ("!=", left, right),
        _ if is_flags => ("in", left, right),
        _ => ("==", left, right),
    };
    json!({ "match": { "op": op, "left": left, "right": right } })
}

/// nft takes two flags beside each other, and these with a third.
fn bits(flags: &Value) -> Json {
    let Value::Flags(flags) = flags else {
        return value(flags);
    };
    let joined = flags.iter().map(value);
    let joined = joined.reduce(|all, flag| json!({ "|": [all, flag] }));
    joined.unwrap_or(json!(0))
}

fn key(key: &Key) -> Json {
    match key {
        Key::Ct(what) => json!({ "ct": { "key": what } }),
        Key::Meta(what) => json!({ "meta": { "key": what } }),
        Key::Payload(header, field) => json!({ "payload": { "protocol": header, "field": field } }),
        Key::Kind(end) => json!({ "fib": { "result": "type", "flags": [end] } }),
        Key::Other => Json::Null,
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Word(word) => self::word(word),
        Value::Text(text) => json!(text),
        Value::Range(low, high) => json!({ "range": [word(low), word(high)] }),
        Value::Many(elements) => {
            json!({ "set": elements.iter().map(self::value).collect::<Vec<_>>() })
        }
        Value::Flags(flags) => match &flags[..] {
            [only] => self::value(only),
            flags => json!(flags.iter().map(self::value).collect::<Vec<_>>()),
        },
        Value::Concat(parts) => {
            json!({ "concat": parts.iter().map(self::value).collect::<Vec<_>>() })
        }
        Value::Named(name) => json!(format!("@{name}")),
        Value::Masked(..) | Value::Mapped(..) | Value::Rest | Value::Opaque => json!("*"),
    }
}

fn word(word: &str) -> Json {
    if let Ok(number) = word.parse::<u32>() {
        return json!(number);
    }
    if let Some(number) = word
        .strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    {
        return json!(number);
    }
    match word.split_once('/') {
        Some((address, length)) => {
            json!({ "prefix": { "addr": address, "len": self::word(length) } })
        }
        None => json!(word),
    }
}
