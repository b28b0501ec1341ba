//! Scripts for `nft -f`, and what `nft list ruleset` prints.

use super::cursor::Cursor;
use super::draft::{Drafts, Hooked, Set, Where};
use super::names::{self, PRIORITIES};
use super::statement;
use super::token::{expand, tokens};
use super::values;
use super::words::{TableName, Value, family_named};
use crate::ruleset::{Base, Family, Helper, Hook, Place, Ruleset};
use crate::tuple::Protocol;

/// What a script for `nft -f`, or what `nft list ruleset` prints, says. `file` is the script's place among several.
///
/// It takes every text: what is not understood, and may decide something, is listed as unread.
pub fn read(text: &str, file: usize) -> Ruleset {
    let mut drafts = Drafts::default();
    match expand(&tokens(text)) {
        Ok(tokens) => {
            let mut reader = Reader {
                cursor: Cursor::new(&tokens),
                drafts: &mut drafts,
                file,
            };
            reader.script();
        }
        Err(line) => {
            let text = String::from("define");
            drafts.unread(Place { file, line }, text, "definitions grow without bound");
        }
    }
    drafts.finish()
}

struct Reader<'t, 'd> {
    cursor: Cursor<'t>,
    drafts: &'d mut Drafts,
    file: usize,
}

impl Reader<'_, '_> {
    fn script(&mut self) {
        while self.cursor.peek().is_some() {
            let mark = self.cursor.mark();
            if self.cursor.is_at_end() {
                self.cursor.next();
            } else if self.command().is_none() {
                self.cursor.skip_statement();
                self.unread_since(mark, "this command is not understood");
            }
        }
    }

    fn unread_since(&mut self, mark: usize, why: &'static str) {
        let text = self.cursor.words_since(mark);
        let place = Place {
            file: self.file,
            line: self.cursor.line_at(mark),
        };
        self.drafts.unread(place, text, why);
    }

    /// `None` where it is not understood.
    fn command(&mut self) -> Option<()> {
        let mark = self.cursor.mark();
        let verb = match self.cursor.plain()? {
            verb @ ("add" | "create" | "insert" | "delete" | "destroy" | "flush" | "list"
            | "replace" | "reset") => {
                self.cursor.next();
                verb
            }
            "include" => {
                self.cursor.skip_statement();
                self.unread_since(mark, "other files are not read");
                return Some(());
            }
            _ => "add",
        };
        match verb {
            "list" | "reset" => {
                self.cursor.skip_statement();
                Some(())
            }
            "delete" | "destroy" | "flush" => self.removal(verb == "flush"),
            "replace" => None,
            _ => self.addition(verb == "insert"),
        }
    }

    /// `[FAMILY] TABLE`; ip where no family is named.
    fn table_name(&mut self) -> Option<TableName> {
        let first = self.cursor.word()?;
        if family_named(first).is_none() {
            return TableName::new("ip", first);
        }
        TableName::new(first, self.cursor.word()?)
    }

    fn removal(&mut self, is_flush: bool) -> Option<()> {
        match self.cursor.word()? {
            "ruleset" => {
                let family = self.cursor.word();
                self.drafts.flush(family.and_then(family_named));
            }
            "table" => {
                let table = self.table_name()?;
                if is_flush {
                    self.drafts.empty(&table, None);
                } else {
                    self.drafts.remove(&table, None);
                }
            }
            "chain" => {
                let table = self.table_name()?;
                let chain = self.cursor.word()?;
                if is_flush {
                    self.drafts.empty(&table, Some(chain));
                } else {
                    self.drafts.remove(&table, Some(chain));
                }
            }
            "set" | "map" if is_flush => {
                let table = self.table_name()?;
                let set = self.cursor.word()?;
                self.drafts.set(&table, set).elements.clear();
            }
            "set" | "map" | "counter" | "quota" | "limit" | "flowtable" => {
                self.cursor.skip_statement();
            }
            _ => return None,
        }
        self.cursor.is_at_end().then_some(())
    }

    fn addition(&mut self, is_insert: bool) -> Option<()> {
        match self.cursor.word()? {
            "table" => {
                let table = self.table_name()?;
                self.drafts.table(&table);
                if self.cursor.take("{") {
                    self.table(&table);
                }
            }
            "chain" => {
                let table = self.table_name()?;
                let name = self.cursor.word()?.to_owned();
                self.chain(&table, &name);
            }
            "rule" => self.rule(is_insert)?,
            "set" | "map" => {
                let table = self.table_name()?;
                let name = self.cursor.word()?.to_owned();
                self.set(&table, &name)?;
            }
            "element" => {
                let table = self.table_name()?;
                let name = self.cursor.word()?.to_owned();
                if !self.cursor.take("{") {
                    return None;
                }
                let elements = values::elements(&mut self.cursor, 0);
                self.drafts.set(&table, &name).extend(elements);
            }
            "ct" => {
                let kind = self.cursor.word()?;
                let table = self.table_name()?;
                self.ct_object(kind, &table)?;
            }
            "counter" | "quota" | "limit" | "flowtable" | "secmark" | "synproxy" => {
                self.cursor.skip_statement();
            }
            _ => return None,
        }
        Some(())
    }

    /// A table's block, its opening brace passed.
    fn table(&mut self, table: &TableName) {
        loop {
            self.cursor.skip_ends();
            let mark = self.cursor.mark();
            if self.cursor.take("}") || self.cursor.peek().is_none() {
                return;
            }
            if self.part_of_table(table).is_none() {
                self.cursor.skip_statement();
                self.unread_since(mark, "this part of a table is not understood");
            }
        }
    }

    fn part_of_table(&mut self, table: &TableName) -> Option<()> {
        match self.cursor.word()? {
            "chain" => {
                let name = self.cursor.word()?.to_owned();
                self.chain(table, &name);
            }
            "set" | "map" => {
                let name = self.cursor.word()?.to_owned();
                self.set(table, &name)?;
            }
            "ct" => {
                let kind = self.cursor.word()?;
                self.ct_object(kind, table)?;
            }
            "flags" => {
                if self.cursor.take("dormant") {
                    self.drafts.table(table).is_dormant = true;
                }
                self.cursor.skip_statement();
            }
            "comment" | "counter" | "quota" | "limit" | "flowtable" | "secmark" | "synproxy" => {
                self.cursor.skip_statement();
            }
            _ => return None,
        }
        Some(())
    }

    /// A chain behind its name: a block, or nothing.
    fn chain(&mut self, table: &TableName, name: &str) {
        self.drafts.chain(table, name, None);
        if !self.cursor.take("{") {
            return;
        }
        loop {
            self.cursor.skip_ends();
            let mark = self.cursor.mark();
            if self.cursor.take("}") || self.cursor.peek().is_none() {
                return;
            }
            match self.cursor.plain() {
                Some("type") => {
                    let hooked = self.hooked();
                    self.cursor.skip_statement();
                    let is_lost = hooked.is_none() && table.family.is_some();
                    if is_lost || hooked == Some(Hooked::Elsewhere) {
                        self.unread_since(mark, "chains of this hook are not simulated");
                    }
                    let hooked = hooked.unwrap_or(Hooked::Elsewhere);
                    self.drafts.chain(table, name, Some(hooked));
                }
                Some("policy") => {
                    self.cursor.next();
                    let accepts = self.cursor.word() != Some("drop");
                    self.drafts.policy(table, name, accepts);
                }
                Some("comment" | "flags" | "devices" | "device") => self.cursor.skip_statement(),
                _ => {
                    let rule = statement::rule(&mut self.cursor, self.file);
                    self.drafts.rule(table, name, rule, Where::Last);
                }
            }
        }
    }

    /// `type filter hook input priority filter + 10`
    fn hooked(&mut self) -> Option<Hooked> {
        self.cursor.next();
        let is_nat = match self.cursor.word()? {
            "nat" => true,
            "filter" | "route" => false,
            _ => return None,
        };
        if !self.cursor.take("hook") {
            return None;
        }
        let Some(hook) = hook_named(self.cursor.word()?) else {
            return Some(Hooked::Elsewhere);
        };
        if !self.cursor.take("priority") {
            return None;
        }
        let mut words = String::new();
        while !self.cursor.is_at_end() {
            words.push_str(self.cursor.next()?.text);
        }
        let base = Base {
            hook,
            priority: priority(&words)?,
            accepts: true,
        };
        Some(Hooked::At { base, is_nat })
    }

    /// `FAMILY TABLE CHAIN [position N | handle N | index N] ...`
    fn rule(&mut self, is_insert: bool) -> Option<()> {
        let mark = self.cursor.mark();
        let table = self.table_name()?;
        let chain = self.cursor.word()?.to_owned();
        let mut place = if is_insert { Where::First } else { Where::Last };
        let how = self.cursor.plain();
        if let Some("position" | "handle" | "index") = how {
            self.cursor.next();
            let number = self.cursor.word()?.parse().ok()?;
            if how == Some("index") {
                place = Where::At(if is_insert {
                    number
                } else {
                    number.checked_add(1)?
                });
            } else {
                self.unread_since(
                    mark,
                    "nobody knows which rule has this handle: it is put last",
                );
                place = Where::Last;
            }
        }
        let rule = statement::rule(&mut self.cursor, self.file);
        self.drafts.rule(&table, &chain, rule, place);
        Some(())
    }

    /// A set or map behind its name.
    fn set(&mut self, table: &TableName, name: &str) -> Option<()> {
        let set: &mut Set = self.drafts.set(table, name);
        set.is_declared = true;
        if !self.cursor.take("{") {
            return None;
        }
        loop {
            self.cursor.skip_ends();
            if self.cursor.take("}") || self.cursor.peek().is_none() {
                return Some(());
            }
            match self.cursor.word().unwrap_or_default() {
                "elements" if self.cursor.take("=") => {
                    let is_braced = self.cursor.take("{");
                    let elements = if is_braced {
                        values::elements(&mut self.cursor, 0)
                    } else {
                        Value::Opaque
                    };
                    set.extend(elements);
                }
                "flags" => {
                    let mark = self.cursor.mark();
                    self.cursor.skip_statement();
                    let flags = self.cursor.words_since(mark);
                    set.changes |= flags.contains("dynamic") || flags.contains("timeout");
                }
                "timeout" => {
                    set.changes = true;
                    self.cursor.skip_statement();
                }
                _ => {
                    self.cursor.next();
                    self.cursor.skip_statement();
                }
            }
        }
    }

    /// `helper NAME { type "ftp" protocol tcp; l3proto ip; }`. A timeout or an expectation is nothing until it is used.
    fn ct_object(&mut self, kind: &str, table: &TableName) -> Option<()> {
        let name = self.cursor.word()?.to_owned();
        if !self.cursor.take("{") {
            return None;
        }
        if kind != "helper" {
            self.cursor.skip_block();
            return Some(());
        }
        let (mut helper, mut protocol, mut family) = (None, None, table.family);
        loop {
            self.cursor.skip_ends();
            if self.cursor.take("}") || self.cursor.peek().is_none() {
                break;
            }
            match self.cursor.word() {
                Some("type") => helper = self.cursor.word(),
                Some("protocol") => protocol = self.cursor.word(),
                Some("l3proto") => family = family_named(self.cursor.word()?)?,
                Some(_) => self.cursor.skip_statement(),
                None => {
                    self.cursor.next();
                }
            }
        }
        self.drafts
            .helper(table, &name, object(helper?, protocol?, family)?);
        Some(())
    }
}

/// A helper object's parts.
pub(super) fn object(name: &str, protocol: &str, family: Option<Family>) -> Option<Helper> {
    let number = protocol.parse().ok();
    Some(Helper {
        name: name.to_owned(),
        protocol: Protocol(number.or_else(|| names::protocol(protocol))?),
        // A bridge's table has none of its own.
        family: family.unwrap_or(Family::Inet),
    })
}

pub(super) fn hook_named(name: &str) -> Option<Hook> {
    Some(match name {
        "prerouting" => Hook::Prerouting,
        "input" => Hook::Input,
        "forward" => Hook::Forward,
        "output" => Hook::Output,
        "postrouting" => Hook::Postrouting,
        _ => return None,
    })
}

/// A number, a name, a name with a number added.
fn priority(words: &str) -> Option<i32> {
    if let Ok(number) = words.parse() {
        return Some(number);
    }
    let (name, base) = PRIORITIES
        .iter()
        .find(|(name, _)| words.starts_with(name))?;
    let offset = &words[name.len()..];
    if offset.is_empty() {
        return Some(*base);
    }
    let offset: i32 = offset.strip_prefix('+').unwrap_or(offset).parse().ok()?;
    base.checked_add(offset)
}
