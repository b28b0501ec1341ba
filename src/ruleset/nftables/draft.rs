//! What a script has come to so far, by table and chain, before anybody asks what it means.

use super::meaning::Meaning;
use super::words::{Draft, TableName, Value};
use crate::ruleset::{Base, Family, Helper, Place, Ruleset, Unread};

/// Tables, and what was not understood on the way.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    tables: Vec<Table>,
    unread: Vec<Unread>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub name: TableName,
    pub chains: Vec<Chain>,
    pub sets: Vec<Set>,
    pub helpers: Vec<(String, Helper)>,
    /// Nothing calls its chains (`NFT_TABLE_F_DORMANT`).
    pub is_dormant: bool,
}

#[derive(Debug)]
pub(super) struct Chain {
    pub name: String,
    pub hooked: Option<Hooked>,
    pub rules: Vec<Draft>,
}

/// Where a base chain is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hooked {
    At {
        base: Base,
        is_nat: bool,
    },
    /// At a hook that is not simulated.
    Elsewhere,
}

/// A named set or map.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub name: String,
    pub elements: Vec<Value>,
    pub is_declared: bool,
    /// Packets put something in, or time takes something out.
    pub changes: bool,
}

/// Where in its chain a rule is put.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    First,
    Last,
    At(usize),
}

impl Set {
    /// Adds the elements of a value.
    pub fn extend(&mut self, value: Value) {
        match value {
            Value::Many(mut elements) => self.elements.append(&mut elements),
            other => self.elements.push(other),
        }
    }
}

impl Drafts {
    pub fn unread(&mut self, place: Place, text: String, why: &'static str) {
        self.unread.push(Unread { place, text, why });
    }

    /// Without everything, or everything of a family.
    pub fn flush(&mut self, family: Option<Option<Family>>) {
        self.tables
            .retain(|table| family.is_some_and(|family| family != table.name.family));
    }

    /// Without the rules of a table or of a chain.
    pub fn empty(&mut self, table: &TableName, chain: Option<&str>) {
        for is in &mut self.table(table).chains {
            if chain.is_none_or(|name| is.name == name) {
                is.rules.clear();
            }
        }
    }

    /// Without a table or a chain.
    pub fn remove(&mut self, table: &TableName, chain: Option<&str>) {
        match chain {
            None => self.tables.retain(|is| is.name != *table),
            Some(chain) => self.table(table).chains.retain(|is| is.name != chain),
        }
    }

    /// The table, made where there is none.
    pub fn table(&mut self, name: &TableName) -> &mut Table {
        let known = self.tables.iter().position(|table| table.name == *name);
        let at = known.unwrap_or(self.tables.len());
        if known.is_none() {
            self.tables.push(Table {
                name: name.clone(),
                chains: Vec::new(),
                sets: Vec::new(),
                helpers: Vec::new(),
                is_dormant: false,
            });
        }
        &mut self.tables[at]
    }

    /// The chain, made where there is none, and put to its hook.
    pub fn chain(&mut self, table: &TableName, name: &str, hooked: Option<Hooked>) -> &mut Chain {
        let chains = &mut self.table(table).chains;
        let known = chains.iter().rposition(|chain| chain.name == name);
        let at = known.unwrap_or(chains.len());
        if known.is_none() {
            chains.push(Chain {
                name: name.to_owned(),
                hooked: None,
                rules: Vec::new(),
            });
        }
        let chain = &mut chains[at];
        if hooked.is_some() {
            chain.hooked = hooked;
        }
        chain
    }

    pub fn policy(&mut self, table: &TableName, name: &str, accepts: bool) {
        let chain = self.chain(table, name, None);
        if let Some(Hooked::At { base, .. }) = &mut chain.hooked {
            base.accepts = accepts;
        }
    }

    pub fn rule(&mut self, table: &TableName, chain: &str, rule: Draft, place: Where) {
        let rules = &mut self.chain(table, chain, None).rules;
        match place {
            Where::First => rules.insert(0, rule),
            Where::Last => rules.push(rule),
            Where::At(index) => rules.insert(index.min(rules.len()), rule),
        }
    }

    /// The set or map, made where there is none.
    pub fn set(&mut self, table: &TableName, name: &str) -> &mut Set {
        let sets = &mut self.table(table).sets;
        let known = sets.iter().rposition(|set| set.name == name);
        let at = known.unwrap_or(sets.len());
        if known.is_none() {
            sets.push(Set {
                name: name.to_owned(),
                ..Set::default()
            });
        }
        &mut sets[at]
    }

    pub fn helper(&mut self, table: &TableName, name: &str, helper: Helper) {
        let helpers = &mut self.table(table).helpers;
        helpers.retain(|(known, _)| known != name);
        helpers.push((name.to_owned(), helper));
    }

    /// What all of it means.
    pub fn finish(self) -> Ruleset {
        Meaning::of(&self.tables, self.unread)
    }
}
