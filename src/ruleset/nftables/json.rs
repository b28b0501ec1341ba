//! Rule sets in JSON: what `nft -j list ruleset` prints, and commands for `nft -j -f` (libnftables-json(5)).

use serde_json::Value as Json;

use super::draft::{Drafts, Hooked, Where};
use super::names::PRIORITIES;
use super::script::{hook_named, object};
use super::statement::set_beyond;
use super::words::{Draft, Ending, Key, Op, Relation, Statement, TableName, Value, family_named};
use crate::ruleset::{Base, Place, Ruleset, TRANSLATION};

/// What libnftables' JSON says. Places count the elements of the list from 1, for want of lines.
pub fn read_json(text: &str, file: usize) -> Ruleset {
    let mut drafts = Drafts::default();
    match serde_json::from_str::<Json>(text) {
        Ok(all) => match all.get("nftables").and_then(Json::as_array) {
            Some(elements) => elements.iter().zip(1..).for_each(|(element, line)| {
                read_element(&mut drafts, element, Place { file, line })
            }),
            None => drafts.unread(
                Place { file, line: 1 },
                String::new(),
                "there is no list \"nftables\"",
            ),
        },
        Err(error) => {
            let line = error.line();
            drafts.unread(Place { file, line }, error.to_string(), "it is no JSON");
        }
    }
    drafts.finish()
}

fn read_element(drafts: &mut Drafts, element: &Json, place: Place) {
    if command(drafts, element, place).is_none() {
        drafts.unread(place, element.to_string(), "this element is not understood");
    }
}

/// The only member of an object.
fn only(json: &Json) -> Option<(&str, &Json)> {
    let object = json.as_object()?;
    let (name, value) = object.iter().next()?;
    (object.len() == 1).then_some((name.as_str(), value))
}

fn text<'j>(object: &'j Json, member: &str) -> Option<&'j str> {
    object.get(member)?.as_str()
}

fn command(drafts: &mut Drafts, element: &Json, place: Place) -> Option<()> {
    let (verb, what) = only(element)?;
    match verb {
        "add" | "create" => {
            let (kind, object) = only(what)?;
            let is_behind = kind == "rule" && object.get("handle").is_some();
            if is_behind {
                let why = "nobody knows which rule has this handle: it is put last";
                drafts.unread(place, object.to_string(), why);
            }
            addition(drafts, kind, object, place, false)
        }
        "insert" => {
            let (kind, object) = only(what)?;
            addition(drafts, kind, object, place, true)
        }
        "delete" | "destroy" | "flush" => {
            let (kind, object) = only(what)?;
            removal(drafts, kind, object, verb == "flush")
        }
        "list" | "reset" => Some(()),
        "replace" => None,
        kind => addition(drafts, kind, what, place, false),
    }
}

/// The table that an object belongs to.
fn table_of(object: &Json) -> Option<TableName> {
    TableName::new(text(object, "family")?, text(object, "table")?)
}

fn removal(drafts: &mut Drafts, kind: &str, object: &Json, is_flush: bool) -> Option<()> {
    match kind {
        "ruleset" => drafts.flush(text(object, "family").and_then(family_named)),
        "table" => {
            let table = TableName::new(text(object, "family")?, text(object, "name")?)?;
            if is_flush {
                drafts.empty(&table, None);
            } else {
                drafts.remove(&table, None);
            }
        }
        "chain" => {
            let (table, chain) = (table_of(object)?, text(object, "name"));
            if is_flush {
                drafts.empty(&table, chain);
            } else {
                drafts.remove(&table, Some(chain?));
            }
        }
        "set" | "map" if is_flush => drafts
            .set(&table_of(object)?, text(object, "name")?)
            .elements
            .clear(),
        "set" | "map" | "counter" | "quota" | "limit" | "flowtable" => {}
        _ => return None,
    }
    Some(())
}

fn addition(
    drafts: &mut Drafts,
    kind: &str,
    object: &Json,
    place: Place,
    is_insert: bool,
) -> Option<()> {
    match kind {
        "table" => {
            let name = TableName::new(text(object, "family")?, text(object, "name")?)?;
            let flags = object.get("flags").map(Json::to_string).unwrap_or_default();
            drafts.table(&name).is_dormant |= flags.contains("dormant");
        }
        "chain" => chain(drafts, object, place)?,
        "rule" => {
            let table = table_of(object)?;
            let index = object.get("index").and_then(Json::as_u64);
            let index = index.map(usize::try_from).transpose().ok()?;
            let at = match (is_insert, index) {
                (true, None) => Where::First,
                (true, Some(index)) => Where::At(index),
                (false, Some(index)) => Where::At(index.checked_add(1)?),
                (false, None) => Where::Last,
            };
            drafts.rule(&table, text(object, "chain")?, rule(object, place)?, at);
        }
        "set" | "map" => {
            let set = drafts.set(&table_of(object)?, text(object, "name")?);
            set.is_declared = true;
            let flags = object.get("flags").map(Json::to_string).unwrap_or_default();
            set.changes |= flags.contains("dynamic")
                || flags.contains("timeout")
                || object.get("timeout").is_some();
            set.extend(object.get("elem").map_or(Value::Many(Vec::new()), elements));
        }
        "element" => {
            let set = drafts.set(&table_of(object)?, text(object, "name")?);
            set.extend(elements(object.get("elem")?));
        }
        "ct helper" => {
            let table = table_of(object)?;
            let family = match text(object, "l3proto") {
                Some(name) => family_named(name)?,
                None => table.family,
            };
            let helper = self::object(text(object, "type")?, text(object, "protocol")?, family)?;
            drafts.helper(&table, text(object, "name")?, helper);
        }
        "metainfo" | "counter" | "quota" | "limit" | "flowtable" | "secmark" | "synproxy"
        | "ct timeout" | "ct expectation" => {}
        _ => return None,
    }
    Some(())
}

fn chain(drafts: &mut Drafts, object: &Json, place: Place) -> Option<()> {
    let (table, name) = (table_of(object)?, text(object, "name")?);
    let Some(hook) = text(object, "hook") else {
        drafts.chain(&table, name, None);
        return Some(());
    };
    let priority = match object.get("prio")? {
        Json::String(named) => PRIORITIES.iter().find(|(name, _)| name == named)?.1,
        number => i32::try_from(number.as_i64()?).ok()?,
    };
    let is_nat = match text(object, "type")? {
        "nat" => true,
        "filter" | "route" => false,
        _ => return None,
    };
    let hooked = match hook_named(hook) {
        Some(hook) => Hooked::At {
            base: Base {
                hook,
                priority,
                accepts: text(object, "policy") != Some("drop"),
            },
            is_nat,
        },
        None => {
            drafts.unread(
                place,
                object.to_string(),
                "chains of this hook are not simulated",
            );
            Hooked::Elsewhere
        }
    };
    drafts.chain(&table, name, Some(hooked));
    Some(())
}

fn rule(object: &Json, place: Place) -> Option<Draft> {
    let statements = object.get("expr")?.as_array()?;
    Some(Draft {
        place,
        statements: statements.iter().filter_map(statement).collect(),
        comment: text(object, "comment").map(str::to_owned),
    })
}

/// `None` for what decides nothing.
fn statement(json: &Json) -> Option<Statement> {
    let words = json.to_string();
    if let Some(ending) = ending(json) {
        return Some(Statement::Ends(ending));
    }
    let Some((kind, what)) = only(json) else {
        // `"accept"` alone is none of nft's.
        let why = "this statement is not understood";
        return Some(Statement::Unknown { words, why });
    };
    let beyond = |why, ends| {
        let words = words.clone();
        Some(Statement::Beyond { words, why, ends })
    };
    match kind {
        "match" => Some(relation(what, words)),
        "vmap" => Some(Statement::Vmap {
            keys: what.get("key").map_or(vec![Key::Other], keys),
            data: what.get("data").map_or(Value::Opaque, value),
            words,
        }),
        "ct helper" => {
            let object = what.as_str().unwrap_or_default().to_owned();
            Some(Statement::Help { object, words })
        }
        "notrack" => Some(Statement::Untrack),
        "counter" | "log" | "flow" | "dup" | "last" => None,
        "mangle" => {
            let key = what.get("key").map_or(Key::Other, key);
            set_beyond(&key).and_then(|why| beyond(why, false))
        }
        "set" | "map" => {
            let decides = ["\"limit\"", "\"quota\"", "\"ct count\""]
                .iter()
                .any(|part| words.contains(part));
            let why = "it depends on how much has passed";
            decides.then_some(Statement::Unknown { words, why })
        }
        "snat" | "dnat" | "masquerade" | "redirect" => beyond(TRANSLATION, true),
        "tproxy" => beyond("a transparent proxy is not simulated", false),
        "queue" => beyond("a program decides", true),
        "synproxy" => beyond("synproxy is not simulated", true),
        "fwd" => beyond("it goes elsewhere", true),
        "xt" => beyond("an extension of iptables that nft has no words for", true),
        "ct expectation" => beyond("expectations of rules are not simulated", false),
        "ct timeout" => beyond("timeouts of rules are not simulated", false),
        "limit" | "quota" | "ct count" => {
            let why = "it depends on how much has passed";
            Some(Statement::Unknown { words, why })
        }
        _ => {
            let why = "this statement is not known";
            Some(Statement::Unknown { words, why })
        }
    }
}

fn ending(json: &Json) -> Option<Ending> {
    let (kind, what) = only(json)?;
    let target = || text(what, "target").unwrap_or_default().to_owned();
    Some(match kind {
        "accept" => Ending::Accept,
        "drop" | "reject" => Ending::Drop,
        "return" => Ending::Return,
        "continue" => Ending::Continue,
        "jump" => Ending::Jump(target()),
        "goto" => Ending::Goto(target()),
        _ => return None,
    })
}

fn relation(what: &Json, words: String) -> Statement {
    let right = what.get("right").map_or(Value::Opaque, value);
    let Some(op) = text(what, "op").and_then(Op::parse) else {
        let why = "this operator is not known";
        return Statement::Unknown { words, why };
    };
    let left = what.get("left").unwrap_or(&Json::Null);
    if let Some(("&", operands)) = only(left)
        && let Some([left, flags]) = operands.as_array().map(Vec::as_slice)
    {
        let [mask, right] = [flags, what.get("right").unwrap_or(&Json::Null)].map(mask);
        return Statement::Match(Relation::masked(keys(left), op, mask, right, words));
    }
    Statement::Match(Relation {
        keys: keys(left),
        op,
        right,
        words,
    })
}

/// Flags in a list, or joined by `|`, of which nft nests one in the other.
fn mask(json: &Json) -> Value {
    let mut flags = Vec::new();
    let mut left = vec![json];
    while let Some(json) = left.pop() {
        match (json, only(json)) {
            (Json::Array(parts), _) | (_, Some(("|", Json::Array(parts)))) => left.extend(parts),
            _ => flags.push(value(json)),
        }
    }
    Value::Flags(flags)
}

fn keys(json: &Json) -> Vec<Key> {
    match only(json) {
        Some(("concat", Json::Array(parts))) => parts.iter().map(key).collect(),
        _ => vec![key(json)],
    }
}

fn key(json: &Json) -> Key {
    let known = only(json).and_then(|(kind, what)| {
        Some(match kind {
            "ct" if what.get("dir").is_none() => Key::Ct(text(what, "key")?.to_owned()),
            "meta" => Key::Meta(text(what, "key")?.to_owned()),
            "payload" => Key::Payload(
                text(what, "protocol")?.to_owned(),
                text(what, "field")?.to_owned(),
            ),
            "fib" if text(what, "result") == Some("type") => match &what["flags"] {
                Json::Array(flags) if flags.len() == 1 => Key::Kind(flags[0].as_str()?.to_owned()),
                Json::String(end) => Key::Kind(end.clone()),
                _ => return None,
            },
            _ => return None,
        })
    });
    known.unwrap_or(Key::Other)
}

/// serde_json reads nothing that is nested deeper than 128 levels, and so the walk ends.
fn value(json: &Json) -> Value {
    match json {
        Json::Number(number) => Value::Word(number.to_string()),
        Json::String(text) => match text.strip_prefix('@') {
            Some(name) => Value::Named(name.to_owned()),
            None => Value::Text(text.clone()),
        },
        Json::Array(flags) => Value::Flags(flags.iter().map(value).collect()),
        _ => object_value(json).unwrap_or(Value::Opaque),
    }
}

fn object_value(json: &Json) -> Option<Value> {
    let (kind, what) = only(json)?;
    Some(match kind {
        "set" => elements(what),
        "range" => match &what.as_array()?[..] {
            [low, high] => Value::Range(scalar(low)?, scalar(high)?),
            _ => return None,
        },
        "prefix" => Value::Word(format!(
            "{}/{}",
            text(what, "addr")?,
            what.get("len")?.as_u64()?
        )),
        "concat" => Value::Concat(what.as_array()?.iter().map(value).collect()),
        "elem" => {
            let limits = ["limit", "quota", "ct count"];
            if limits.iter().any(|limit| what.get(limit).is_some()) {
                return None;
            }
            element(what.get("val")?)
        }
        _ => return None,
    })
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The elements of a set or map; one need not be in a list.
fn elements(json: &Json) -> Value {
    match json {
        Json::Array(all) => Value::Many(all.iter().map(element).collect()),
        one => Value::Many(vec![element(one)]),
    }
}

fn element(json: &Json) -> Value {
    match json {
        Json::String(rest) if rest == "*" => Value::Rest,
        Json::Array(pair) => match &pair[..] {
            [key, verdict] => match ending(verdict) {
                Some(ending) => Value::Mapped(Box::new(element(key)), ending),
                None => Value::Opaque,
            },
            _ => Value::Opaque,
        },
        other => value(other),
    }
}
