//! The chains of a file, while it is read and when it is.

use std::collections::HashMap;

use super::{Table, Target, Why, words};
use crate::ruleset::iptables::NAT;
use crate::ruleset::{Base, Chain, Condition, Family, Match, Rule, Ruleset, Unread, Verdict};

#[derive(Default)]
pub(super) struct Chains {
    drafts: Vec<Draft>,
    /// By table and name.
    places: HashMap<(&'static str, String), usize>,
}

/// A chain as far as it is read.
pub(super) struct Draft {
    pub base: Option<Base>,
    /// With those that decide nothing: they count where a place is named.
    pub rules: Vec<Said>,
    table: &'static Table,
    name: String,
}

/// A rule, as it was said and as it is understood.
pub(super) struct Said {
    pub words: Vec<words::Word>,
    pub rule: Rule,
    pub target: Target,
    pub unread: Vec<Unread>,
}

impl Chains {
    /// The chain of that name, a new one if need be.
    pub fn declare(&mut self, table: &'static Table, name: &str) -> &mut Draft {
        let new = self.drafts.len();
        let key = (table.name, name.to_owned());
        let place = *self.places.entry(key).or_insert(new);
        if place == new {
            let base = table.hook(name).map(|hook| Base {
                hook,
                priority: table.priority,
                accepts: true,
            });
            self.drafts.push(Draft {
                base,
                rules: Vec::new(),
                table,
                name: name.to_owned(),
            });
        }
        &mut self.drafts[place]
    }

    /// A chain that was declared, or is built in.
    pub fn existing(&mut self, table: &'static Table, name: &str) -> Result<&mut Draft, Why> {
        let is_known =
            table.hook(name).is_some() || self.places.contains_key(&(table.name, name.to_owned()));
        if is_known {
            Ok(self.declare(table, name))
        } else {
            Err("there is no such chain")
        }
    }

    /// All of a table.
    pub fn of(&mut self, table: &'static Table) -> impl Iterator<Item = &mut Draft> {
        self.drafts
            .iter_mut()
            .filter(move |chain| chain.table == table)
    }

    /// The rule set that they make, with what else could not be read.
    pub fn finish(self, family: Family, unread: Vec<Unread>) -> Ruleset {
        let mut set = Ruleset {
            chains: Vec::new(),
            unread,
        };
        let is_kept = |draft: &Draft| *draft.table != NAT;
        // Where each of the chains will be that others may jump to.
        let (mut callable, mut next) = (HashMap::new(), 0);
        for draft in &self.drafts {
            if draft.base.is_none() {
                callable.insert((draft.table.name, draft.name.clone()), next);
            }
            next += usize::from(is_kept(draft));
        }
        for draft in self.drafts {
            let (table, is_kept) = (draft.table.name, is_kept(&draft));
            let find = |name: String| callable.get(&(table, name)).copied();
            let mut rules = Vec::new();
            for said in draft.rules {
                let (rule, unread) = said.finish(find);
                set.unread.extend(unread);
                rules.extend(rule);
            }
            if is_kept {
                set.chains.push(Chain {
                    family,
                    table: table.to_owned(),
                    name: draft.name,
                    base: draft.base,
                    rules,
                });
            }
        }
        refuse_circles(&mut set);
        set.unread.sort_by_key(|unread| unread.place);
        set
    }
}

impl Said {
    /// The rule with its verdict, unless it decides nothing.
    fn finish(mut self, find: impl Fn(String) -> Option<usize>) -> (Option<Rule>, Vec<Unread>) {
        self.rule.verdict = match self.target {
            Target::Nothing => return (None, self.unread),
            Target::Verdict(verdict) => Some(verdict),
            Target::Flow | Target::Unread { .. } => None,
            Target::Named { name, goes } => match find(name.clone()) {
                Some(chain) if goes => Some(Verdict::Goto(chain)),
                Some(chain) => Some(Verdict::Jump(chain)),
                None => {
                    let text = format!("{} {name}", if goes { "-g" } else { "-j" });
                    let why = "neither a chain nor a target that the simulation knows";
                    self.unread.push(doubt(&mut self.rule, text, why));
                    None
                }
            },
        };
        (Some(self.rule), self.unread)
    }
}

/// Makes a rule undecided, and says why.
fn doubt(rule: &mut Rule, text: String, why: Why) -> Unread {
    let unknown = Match::Unknown(text.clone());
    rule.conditions.push(Condition::is(unknown));
    let place = rule.place;
    Unread { place, text, why }
}

/// The kernel takes no rules by which a packet may come to a chain that it comes from (`nf_tables_check_loops`,
/// `mark_source_chains`).
fn refuse_circles(set: &mut Ruleset) {
    let ends = without_circles(&set.chains);
    let circling = set.chains.iter_mut().zip(&ends).filter(|(_, ends)| !**ends);
    for rule in circling.flat_map(|(chain, _)| &mut chain.rules) {
        if let Some(Verdict::Jump(to) | Verdict::Goto(to)) = rule.verdict
            && !ends.get(to).is_some_and(|ends| *ends)
        {
            rule.verdict = None;
            let text = "a jump in a circle".to_owned();
            let why = "the kernel refuses it";
            set.unread.push(doubt(rule, text, why));
        }
    }
}

/// Of each chain, whether every way through it ends.
fn without_circles(chains: &[Chain]) -> Vec<bool> {
    let jumps = |chain: &Chain| -> Vec<usize> {
        let verdicts = chain.rules.iter().filter_map(|rule| rule.verdict);
        let targets = verdicts.filter_map(|verdict| match verdict {
            Verdict::Jump(to) | Verdict::Goto(to) => Some(to),
            _ => None,
        });
        targets.collect()
    };
    let mut callers = vec![Vec::new(); chains.len()];
    let mut open: Vec<usize> = Vec::new();
    for (from, chain) in chains.iter().enumerate() {
        let targets = jumps(chain);
        open.push(targets.len());
        for to in targets {
            callers[to].push(from);
        }
    }
    let mut ends: Vec<bool> = open.iter().map(|open| *open == 0).collect();
    let mut settled: Vec<usize> = (0..chains.len()).filter(|at| ends[*at]).collect();
    while let Some(to) = settled.pop() {
        for &from in &callers[to] {
            open[from] -= 1;
            if open[from] == 0 {
                ends[from] = true;
                settled.push(from);
            }
        }
    }
    ends
}
