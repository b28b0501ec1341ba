//! One rule in nft's own language.

use super::cursor::Cursor;
use super::values;
use super::words::{Draft, Ending, Key, Relation, Statement};
use crate::ruleset::{Place, TRANSLATION};

/// The statements up to the rule's end.
pub(super) fn rule(cursor: &mut Cursor<'_>, file: usize) -> Draft {
    let mut draft = Draft {
        place: Place {
            file,
            line: cursor.line(),
        },
        statements: Vec::new(),
        comment: None,
    };
    while !cursor.is_at_end() {
        if cursor.take("comment") {
            draft.comment = cursor.word().map(str::to_owned);
            continue;
        }
        let mark = cursor.mark();
        draft.statements.extend(statement(cursor));
        if mark == cursor.mark() {
            cursor.next();
        }
    }
    draft
}

/// `None` for what decides nothing.
fn statement(cursor: &mut Cursor<'_>) -> Option<Statement> {
    if let Some(ending) = ending(cursor) {
        return Some(Statement::Ends(ending));
    }
    let mark = cursor.mark();
    let beyond = |cursor: &mut Cursor<'_>, why, ends| {
        to_next_statement(cursor);
        let words = cursor.words_since(mark);
        Some(Statement::Beyond { words, why, ends })
    };
    match cursor.plain().unwrap_or_default() {
        "counter" | "log" | "flow" => {
            skip_idle(cursor);
            None
        }
        "add" | "update" | "delete" => set_statement(cursor),
        "notrack" => {
            cursor.next();
            Some(Statement::Untrack)
        }
        "dnat" | "snat" | "masquerade" | "redirect" => beyond(cursor, TRANSLATION, true),
        "tproxy" => beyond(cursor, "a transparent proxy is not simulated", false),
        "queue" => beyond(cursor, "a program decides", true),
        "synproxy" => beyond(cursor, "synproxy is not simulated", true),
        "fwd" => beyond(cursor, "it goes elsewhere", true),
        "xt" => beyond(
            cursor,
            "an extension of iptables that nft has no words for",
            true,
        ),
        "limit" | "quota" => {
            skip_amounts(cursor);
            let words = cursor.words_since(mark);
            Some(Statement::Unknown { words, why: AMOUNT })
        }
        _ => relation_or_setting(cursor),
    }
}

/// A verdict, where one comes next.
pub(super) fn ending(cursor: &mut Cursor<'_>) -> Option<Ending> {
    let ending = match cursor.plain()? {
        "accept" => Ending::Accept,
        "drop" => Ending::Drop,
        "return" => Ending::Return,
        "continue" => Ending::Continue,
        "jump" | "goto" => {
            let is_jump = cursor.next()?.text == "jump";
            let to = cursor.word().unwrap_or_default().to_owned();
            return Some(if is_jump {
                Ending::Jump(to)
            } else {
                Ending::Goto(to)
            });
        }
        "reject" => {
            to_next_statement(cursor);
            return Some(Ending::Drop);
        }
        _ => return None,
    };
    cursor.next();
    Some(ending)
}

/// Passes over a counter, a log with its options, or a flow's way into a flowtable.
fn skip_idle(cursor: &mut Cursor<'_>) {
    const TAKES_ONE: [&str; 12] = [
        "packets",
        "bytes",
        "name",
        "prefix",
        "level",
        "group",
        "snaplen",
        "queue-threshold",
        "flags",
        "add",
        "offload",
        "@",
    ];
    cursor.next();
    loop {
        if cursor.take("@") {
            cursor.word();
        } else if cursor.take_any(&TAKES_ONE) {
            cursor.word();
            // `flags tcp sequence,options`, `flags ip options`
            while cursor.take(",") || cursor.plain().is_some_and(|next| LOG_FLAGS.contains(&next)) {
                cursor.word();
            }
        } else {
            return;
        }
    }
}

/// Passes over `limit rate over 5/minute burst 3 packets`, `quota until 10 mbytes used 5 mbytes`.
fn skip_amounts(cursor: &mut Cursor<'_>) {
    const WORDS: [&str; 18] = [
        "rate",
        "over",
        "until",
        "burst",
        "used",
        "packets",
        "bytes",
        "kbytes",
        "mbytes",
        "gbytes",
        "/",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "bytes/second",
        "mbytes/second",
    ];
    cursor.next();
    if cursor.take("name") {
        cursor.word();
    }
    while cursor.plain().is_some_and(|next| {
        WORDS.contains(&next)
            || next.starts_with(|first: char| first.is_ascii_digit())
            || next.starts_with("kbytes/")
    }) {
        cursor.next();
    }
}

/// `add @set { ip saddr }` decides only where something in it counts or limits.
fn set_statement(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let mark = cursor.mark();
    cursor.next();
    cursor.take("@");
    cursor.word();
    if cursor.take("{") {
        cursor.skip_block();
    }
    let words = cursor.words_since(mark);
    let decides = [" limit ", " quota ", " ct count "];
    let decides = decides.iter().any(|what| words.contains(what));
    decides.then_some(Statement::Unknown { words, why: AMOUNT })
}

/// `key op value`, `key vmap ...`, or `key set value`.
fn relation_or_setting(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let mark = cursor.mark();
    let keys = keys(cursor);
    let Some(keys) = keys else {
        return Some(unknown(cursor, mark, "these words are not known"));
    };
    if cursor.take("set") {
        return setting(cursor, &keys, mark);
    }
    if cursor.take("vmap") {
        let data = values::value(cursor);
        let words = cursor.words_since(mark);
        return Some(Statement::Vmap { keys, data, words });
    }
    if cursor.take("&") || cursor.take("and") {
        let mask = values::mask(cursor);
        let op = values::operator(cursor);
        let right = values::mask(cursor);
        let words = cursor.words_since(mark);
        return Some(Statement::Match(Relation::masked(
            keys, op, mask, right, words,
        )));
    }
    if matches!(cursor.plain(), Some("|" | "^" | "<<" | ">>" | "map")) {
        return Some(unknown(cursor, mark, "it computes"));
    }
    let op = values::operator(cursor);
    let right = values::value(cursor);
    Some(Statement::Match(Relation {
        keys,
        op,
        right,
        words: cursor.words_since(mark),
    }))
}

/// Words that no comparison is found in; where they map to verdicts, they may end the rule.
fn unknown(cursor: &mut Cursor<'_>, mark: usize, why: &'static str) -> Statement {
    if cursor.mark() == mark {
        skip_one(cursor);
    }
    skip_to_statement(cursor);
    let words = cursor.words_since(mark);
    if words.contains(" vmap ") {
        return Statement::Beyond {
            words,
            why,
            ends: true,
        };
    }
    Statement::Unknown { words, why }
}

/// What is set: marks and priorities decide nothing here.
fn setting(cursor: &mut Cursor<'_>, keys: &[Key], mark: usize) -> Option<Statement> {
    let object = match keys {
        [Key::Ct(what)] if what == "helper" => cursor.word(),
        _ => None,
    };
    if object.is_none() {
        skip_set_to(cursor);
    }
    let words = cursor.words_since(mark);
    match (object, keys) {
        (Some(object), _) => Some(Statement::Help {
            object: object.to_owned(),
            words,
        }),
        (None, [key]) => set_beyond(key).map(|why| Statement::Beyond {
            words,
            why,
            ends: false,
        }),
        (None, _) => None,
    }
}

/// Why setting this matters, where it does.
pub(super) fn set_beyond(key: &Key) -> Option<&'static str> {
    match key {
        Key::Ct(what) => match what.as_str() {
            "expectation" => Some("expectations of rules are not simulated"),
            "timeout" => Some("timeouts of rules are not simulated"),
            "zone" => Some("zones are not simulated"),
            _ => None,
        },
        Key::Payload(_, field) => {
            let moves = ["saddr", "daddr", "sport", "dport", "protocol", "nexthdr"];
            moves
                .contains(&field.as_str())
                .then_some("it changes where the packet belongs")
        }
        Key::Meta(_) | Key::Kind(_) | Key::Other => None,
    }
}

/// One key, or several concatenated; `None` where the words are no key.
fn keys(cursor: &mut Cursor<'_>) -> Option<Vec<Key>> {
    let mut keys = vec![key(cursor)?];
    while cursor.take(".") {
        keys.push(key(cursor)?);
    }
    Some(keys)
}

fn key(cursor: &mut Cursor<'_>) -> Option<Key> {
    let first = cursor.plain()?;
    if META_ALONE.contains(&first) {
        cursor.next();
        return Some(Key::Meta(first.to_owned()));
    }
    if first == "fib" {
        return kind_of_address(cursor);
    }
    if !["meta", "ct"].contains(&first) && !HEADERS.contains(&first) {
        return None;
    }
    cursor.next();
    let field = cursor.word()?.to_owned();
    Some(match (first, field.as_str()) {
        ("meta", _) => Key::Meta(field),
        // `ct original ip saddr`, `ct reply proto-dst`
        ("ct", "original" | "reply") => {
            if ["ip", "ip6"].contains(&cursor.plain()?) {
                cursor.next();
            }
            cursor.word()?;
            Key::Other
        }
        // `ct count over 5`
        ("ct", "count") => {
            cursor.take("over");
            Key::Other
        }
        ("ct", _) => Key::Ct(field),
        // `tcp option maxseg size`, `sctp chunk init`
        (_, "option" | "chunk") => {
            cursor.word()?;
            if cursor
                .peek()
                .is_some_and(|next| OPTION_FIELDS.contains(&next.text))
            {
                cursor.next();
            }
            Key::Other
        }
        _ => Key::Payload(first.to_owned(), field),
    })
}

/// `fib daddr type`; what depends on routes and interfaces is none of the model's.
fn kind_of_address(cursor: &mut Cursor<'_>) -> Option<Key> {
    cursor.next();
    let end = cursor.word()?.to_owned();
    let is_known = ["saddr", "daddr"].contains(&end.as_str()) && cursor.take("type");
    is_known.then_some(Key::Kind(end))
}

/// Passes over what something is set to: a value, or what is computed from another key.
fn skip_set_to(cursor: &mut Cursor<'_>) {
    const SIGNS: [&str; 9] = ["&", "|", "^", "<<", ">>", "and", "or", "xor", ":"];
    loop {
        let mark = cursor.mark();
        if keys(cursor).is_none() && cursor.mark() == mark {
            values::value(cursor);
        }
        if cursor.take("map") {
            values::value(cursor);
        }
        if !cursor.take_any(&SIGNS) {
            return;
        }
    }
}

/// Passes over the words of a statement, up to one that begins another for certain.
fn to_next_statement(cursor: &mut Cursor<'_>) {
    skip_one(cursor);
    skip_to_statement(cursor);
}

fn skip_to_statement(cursor: &mut Cursor<'_>) {
    while !begins_statement(cursor) && !cursor.is_at_end() {
        skip_one(cursor);
    }
}

/// Passes over a token, or a block.
fn skip_one(cursor: &mut Cursor<'_>) {
    if cursor.take("{") {
        cursor.skip_block();
    } else {
        cursor.next();
    }
}

fn begins_statement(cursor: &Cursor<'_>) -> bool {
    cursor.is_at_ct_setting() || cursor.plain().is_some_and(|next| BEGINS.contains(&next))
}

const AMOUNT: &str = "it depends on how much has passed";

/// Words of a log's flags that stand without a comma.
const LOG_FLAGS: [&str; 3] = ["sequence", "options", "all"];

/// Statements begin with these and no part of one is called so.
const BEGINS: [&str; 16] = [
    "accept",
    "drop",
    "reject",
    "return",
    "continue",
    "jump",
    "goto",
    "queue",
    "counter",
    "log",
    "comment",
    "notrack",
    "dnat",
    "snat",
    "masquerade",
    "redirect",
];

/// Keys that stand without `meta` (nft(8), META EXPRESSIONS).
const META_ALONE: [&str; 17] = [
    "iif",
    "oif",
    "iifname",
    "oifname",
    "iiftype",
    "oiftype",
    "iifgroup",
    "oifgroup",
    "mark",
    "skuid",
    "skgid",
    "rtclassid",
    "pkttype",
    "cpu",
    "cgroup",
    "ibrname",
    "obrname",
];

const HEADERS: [&str; 18] = [
    "ip", "ip6", "tcp", "udp", "udplite", "sctp", "dccp", "th", "icmp", "icmpv6", "igmp", "arp",
    "ether", "vlan", "esp", "ah", "comp", "gre",
];

const OPTION_FIELDS: [&str; 9] = [
    "size", "length", "kind", "count", "left", "right", "tsval", "tsecr", "type",
];
