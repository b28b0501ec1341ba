//! From what is written to what it means: rules of the model.

use std::collections::HashMap;

use super::draft::{Chain as Drafted, Hooked, Table};
use super::matches::{Comparison, Sets};
use super::words::{Draft, Ending, Key, Op, Relation, Statement, Value};
use crate::conntrack::State;
use crate::ruleset::{Chain, Condition, Effect, Family, Match, Rule, Ruleset, Unread, Verdict};

/// Everything a rule may name.
pub(super) struct Meaning<'d> {
    table: &'d Table,
    family: Family,
    /// Of this table, by name: places among all chains.
    chains: HashMap<&'d str, usize>,
    sets: Sets<'d>,
    /// How many conditions and values rules may still have: one that ends in a map is written out for each element.
    left: usize,
}

impl<'d> Meaning<'d> {
    /// The rule set that the tables come to.
    pub fn of(tables: &'d [Table], unread: Vec<Unread>) -> Ruleset {
        let mut ruleset = Ruleset {
            chains: Vec::new(),
            unread,
        };
        // Elements of named sets are written out for each rule that names them; all of them have this many.
        let mut budget = [MOST_ELEMENTS; 2];
        for table in tables.iter().filter(|table| !table.is_dormant) {
            let Some(family) = table.name.family else {
                continue;
            };
            let called = |chain: &&Drafted| chain.hooked != Some(Hooked::Elsewhere);
            let drafted: Vec<_> = table.chains.iter().filter(called).collect();
            let first = ruleset.chains.len();
            let names = drafted.iter().map(|chain| chain.name.as_str());
            let mut meaning = Meaning {
                table,
                family,
                chains: names.zip(first..).collect(),
                sets: Sets::new(&table.sets, budget[0]),
                left: budget[1],
            };
            for chain in drafted {
                let read = meaning.chain(chain, &mut ruleset.unread);
                ruleset.chains.push(read);
            }
            budget = [meaning.sets.left(), meaning.left];
        }
        ruleset.unread.sort_by_key(|unread| unread.place);
        ruleset
    }

    fn chain(&mut self, drafted: &Drafted, unread: &mut Vec<Unread>) -> Chain {
        let (base, is_nat) = match drafted.hooked {
            Some(Hooked::At { base, is_nat }) => (Some(base), is_nat),
            _ => (None, false),
        };
        let mut chain = Chain {
            family: self.family,
            table: self.table.name.name.clone(),
            name: drafted.name.clone(),
            base,
            rules: Vec::new(),
        };
        for draft in &drafted.rules {
            let mut building = Building::new(draft, is_nat, self.left);
            self.rule(&mut building, &draft.statements);
            self.left = building.finish(&mut chain.rules, unread);
        }
        chain
    }

    fn rule(&mut self, building: &mut Building<'_>, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Match(relation) => self.relation(building, relation),
                Statement::Vmap { keys, data, words } => self.vmap(building, keys, data, words),
                Statement::Help { object, words } => {
                    let mut helpers = self.table.helpers.iter();
                    match helpers.find(|(name, _)| name == object) {
                        Some((_, helper)) => building.effect(Effect::Help(helper.clone())),
                        None => building.beyond(words, "no such helper is declared in the table"),
                    }
                }
                Statement::Untrack => building.effect(Effect::Untrack),
                Statement::Ends(ending) => {
                    let words = format!("{ending:?}");
                    self.end(building, ending, &words);
                    return;
                }
                Statement::Unknown { words, why } => building.unknown(words, why),
                Statement::Beyond { words, why, ends } if *ends => {
                    building.matters = true;
                    building.unknown(words, why);
                    building.verdict(Some(Verdict::Accept));
                    return;
                }
                Statement::Beyond { words, why, .. } => building.beyond(words, why),
            }
        }
        building.verdict(None);
    }

    fn relation(&mut self, building: &mut Building<'_>, relation: &Relation) {
        let comparison = Comparison {
            keys: &relation.keys,
            op: relation.op,
            family: self.family,
        };
        match comparison.conditions(&relation.right, &mut self.sets) {
            Ok((implied, condition)) => building.conditions(implied, condition),
            Err(why) => building.unknown(&relation.words, why),
        }
    }

    /// A rule for each element; then the rest of the rule.
    fn vmap(&mut self, building: &mut Building<'_>, keys: &[Key], data: &Value, words: &str) {
        let elements = match self.sets.elements(data) {
            Ok(_) if keys.len() > MOST_KEYS => Err("too many keys"),
            found => found,
        };
        let elements = match elements {
            Ok(elements) => elements,
            Err(why) => {
                building.matters = true;
                building.unknown(words, why);
                building.push(Some(Verdict::Accept));
                building.conditions.pop();
                return;
            }
        };
        // Only what no other element has comes to the one for the rest.
        let (rest, others): (Vec<_>, Vec<_>) = elements
            .into_iter()
            .partition(|element| matches!(element, Value::Mapped(key, _) if **key == Value::Rest));
        for element in others.into_iter().chain(rest) {
            let before = building.conditions.len();
            if let Value::Mapped(key, ending) = element {
                let relation = Relation {
                    keys: keys.to_vec(),
                    op: Op::Has,
                    right: Value::Many(vec![(**key).clone()]),
                    words: words.to_owned(),
                };
                self.relation(building, &relation);
                self.end(building, ending, words);
            } else {
                building.matters = true;
                building.unknown(words, "an element of the map is not understood");
                building.push(Some(Verdict::Accept));
            }
            building.conditions.truncate(before);
        }
    }

    fn end(&self, building: &mut Building<'_>, ending: &Ending, words: &str) {
        let chain = |name: &String| self.chains.get(name.as_str()).copied();
        let verdict = match ending {
            Ending::Accept => Some(Verdict::Accept),
            Ending::Drop => Some(Verdict::Drop),
            Ending::Return => Some(Verdict::Return),
            Ending::Continue => None,
            Ending::Jump(name) => chain(name).map(Verdict::Jump),
            Ending::Goto(name) => chain(name).map(Verdict::Goto),
        };
        if verdict.is_none() && *ending != Ending::Continue {
            building.beyond(words, "there is no such chain");
        }
        building.verdict(verdict);
    }
}

/// The rules that one rule of nft's comes to.
struct Building<'d> {
    draft: &'d Draft,
    conditions: Vec<Condition>,
    effect: Option<Effect>,
    /// What was not understood. It is told where the rule does anything.
    unread: Vec<Unread>,
    matters: bool,
    rules: Vec<Rule>,
    left: usize,
}

impl<'d> Building<'d> {
    /// In a chain of type nat, which is called for the first packets of a flow only (`nf_nat_inet_fn`), or another.
    fn new(draft: &'d Draft, is_nat: bool, left: usize) -> Self {
        let first = Match::State(vec![State::New, State::Related]);
        let conditions = is_nat.then(|| Condition::is(first));
        Self {
            draft,
            conditions: conditions.into_iter().collect(),
            effect: None,
            unread: Vec::new(),
            matters: false,
            rules: Vec::new(),
            left,
        }
    }

    /// What a comparison needs to be one, where the rule has not asked for it, and the comparison.
    fn conditions(&mut self, implied: Vec<Condition>, condition: Condition) {
        self.settle();
        for needed in implied {
            if !self.conditions.contains(&needed) {
                self.conditions.push(needed);
            }
        }
        self.conditions.push(condition);
    }

    fn unknown(&mut self, words: &str, why: &'static str) {
        self.settle();
        let condition = Condition::is(Match::Unknown(words.to_owned()));
        self.conditions.push(condition);
        self.unread.push(Unread {
            place: self.draft.place,
            text: words.to_owned(),
            why,
        });
    }

    /// Something is done that is not simulated; the rule goes on.
    fn beyond(&mut self, words: &str, why: &'static str) {
        self.matters = true;
        self.unknown(words, why);
        self.push(None);
        self.conditions.pop();
    }

    fn effect(&mut self, effect: Effect) {
        self.settle();
        self.effect = Some(effect);
    }

    /// An effect has taken place before what comes behind it is asked.
    fn settle(&mut self) {
        if self.effect.is_some() {
            self.push(None);
        }
    }

    /// The verdict, or the rule's end without one.
    fn verdict(&mut self, verdict: Option<Verdict>) {
        if verdict.is_some() || self.effect.is_some() {
            self.push(verdict);
        }
    }

    fn push(&mut self, verdict: Option<Verdict>) {
        if self.left == 0 {
            self.effect = None;
            return;
        }
        let weight = 1 + self.conditions.iter().map(weight).sum::<usize>();
        self.left = self.left.saturating_sub(weight);
        if self.left == 0 {
            self.matters = true;
            self.unread.push(Unread {
                place: self.draft.place,
                text: String::new(),
                why: "from here on, rules have more conditions than can be kept",
            });
        }
        self.rules.push(Rule {
            place: self.draft.place,
            conditions: self.conditions.clone(),
            effect: self.effect.take(),
            verdict,
            comment: self.draft.comment.clone(),
        });
    }

    /// What is left.
    fn finish(mut self, rules: &mut Vec<Rule>, unread: &mut Vec<Unread>) -> usize {
        if self.matters || !self.rules.is_empty() {
            unread.append(&mut self.unread);
        }
        rules.append(&mut self.rules);
        self.left
    }
}

/// What a condition takes to keep, about.
fn weight(condition: &Condition) -> usize {
    1 + match &condition.matches {
        Match::Address(_, ranges) => ranges.len(),
        Match::Port(_, ranges) => ranges.len(),
        Match::Interface(_, names) => names.len(),
        Match::State(states) => states.len(),
        Match::Protocol(ranges) | Match::IcmpType(_, ranges) | Match::IcmpCode(_, ranges) => {
            ranges.len()
        }
        Match::Any(ways) => ways.iter().flatten().map(weight).sum(),
        _ => 0,
    }
}

const MOST_ELEMENTS: usize = 1 << 22;
/// nft has sixteen registers for all the keys of a concatenation (`NFT_REG32_COUNT`).
const MOST_KEYS: usize = 16;
