//! From chains to the text of a file.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::rule::{hook_has, is_no_target};
use super::say::{self, plain, unsayable};
use super::{TABLES, Table, built_in};
use crate::ruleset::{
    Chain, Condition, Effect, Family, Helper, Hook, Match, Rule, Ruleset, Verdict,
};
use crate::tuple::Protocol;

/// What iptables has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("iptables cannot say: {0}")]
pub struct Unsayable(pub String);

/// The chains of a family, for `iptables-restore --noflush` or `ip6tables-restore --noflush`, with `head` as comments.
///
/// A built-in chain that accepts what it does not decide is not declared, so that its policy stays as it is; rules at its
/// beginning that jump from the filter table stand before what is there already, all others behind it.
pub fn write(ruleset: &Ruleset, family: Family, head: &[String]) -> Result<String, Unsayable> {
    let (ipv6, name) = match family {
        Family::Ipv4 => (false, "iptables"),
        Family::Ipv6 => (true, "ip6tables"),
        Family::Inet => return Err(unsayable("two families in one file")),
    };
    let chains = ruleset.chains.iter();
    let chains: Vec<&Chain> = chains.filter(|chain| chain.family.has(ipv6)).collect();
    let mut text = format!("# {name}\n");
    for line in head.iter().flat_map(|words| words.lines()) {
        let _ = writeln!(text, "# {line}");
    }
    for chain in &chains {
        check(chain)?;
    }
    for table in &TABLES {
        let own = chains.iter().filter(|chain| chain.table == table.name);
        let mut own: Vec<&Chain> = own.copied().collect();
        own.sort_by_key(|chain| chain.base.map_or(usize::MAX, |base| base.hook as usize));
        let writer = Writer {
            ruleset,
            table,
            ipv6,
        };
        let body = writer.chains(&own)?;
        if !body.is_empty() {
            let _ = write!(text, "*{}\n{body}COMMIT\n", table.name);
        }
    }
    Ok(text)
}

/// Whether iptables can have that chain.
fn check(chain: &Chain) -> Result<(), Unsayable> {
    let Chain { table, name, .. } = chain;
    let known = TABLES.iter().find(|known| known.name == table);
    let known = known.ok_or_else(|| unsayable(&format!("the table '{table}'")))?;
    let is_right = match chain.base {
        Some(base) => known.hook(name) == Some(base.hook) && base.priority == known.priority,
        None => known.hook(name).is_none() && is_no_target(name),
    };
    if !is_right || name.len() > LONGEST_NAME {
        return Err(unsayable(&format!("the chain '{name}' of '{table}'")));
    }
    plain(name)
}

struct Writer<'w> {
    ruleset: &'w Ruleset,
    table: &'static Table,
    ipv6: bool,
}

impl Writer<'_> {
    fn chains(&self, chains: &[&Chain]) -> Result<String, Unsayable> {
        let mut text = String::new();
        let mut names = BTreeSet::new();
        for chain in chains {
            if !names.insert(&chain.name) {
                return Err(unsayable(&format!("two chains '{}'", chain.name)));
            }
            let policy = match chain.base {
                None => "-",
                Some(base) if base.accepts => continue,
                Some(_) => "DROP",
            };
            let _ = writeln!(text, ":{} {policy} [0:0]", chain.name);
        }
        for chain in chains {
            self.rules(chain, &mut text)?;
        }
        Ok(text)
    }

    fn rules(&self, chain: &Chain, text: &mut String) -> Result<(), Unsayable> {
        let mut inserts = chain.base.is_some() && chain.table == "filter";
        let mut inserted = 0;
        for rule in &chain.rules {
            let jumps = matches!(rule.verdict, Some(Verdict::Jump(_) | Verdict::Goto(_)));
            for line in self.rule(chain, rule)? {
                let name = &chain.name;
                inserts &= jumps;
                let _ = if inserts {
                    inserted += 1;
                    writeln!(text, "-I {name} {inserted} {line}")
                } else {
                    writeln!(text, "-A {name} {line}")
                };
            }
        }
        Ok(())
    }

    /// The rules that it takes: none for one that decides nothing.
    fn rule(&self, chain: &Chain, rule: &Rule) -> Result<Vec<String>, Unsayable> {
        if let Some(base) = chain.base
            && asks_for_what_is_missing(&rule.conditions, base.hook)
        {
            let name = built_in(base.hook);
            return Err(unsayable(&format!("an interface that {name} has not")));
        }
        // It takes two rules, and the packet comes to the second as the first has left it.
        let changes = rule.effect.is_some() && rule.verdict.is_some();
        if changes && asks_for_state(&rule.conditions) {
            return Err(unsayable(
                "a verdict behind a CT target that changes the state it asks for",
            ));
        }
        let mut lines = Vec::new();
        if let Some(effect) = &rule.effect {
            lines.append(&mut self.effect(effect, rule)?);
        }
        if let Some(verdict) = rule.verdict {
            let target = self.verdict(verdict)?;
            lines.append(&mut self.lines(rule, &target, None)?);
        }
        Ok(lines)
    }

    fn effect(&self, effect: &Effect, rule: &Rule) -> Result<Vec<String>, Unsayable> {
        if self.table.name != "raw" {
            return Err(unsayable("-j CT outside the raw table"));
        }
        match effect {
            Effect::Untrack => self.lines(rule, "-j CT --notrack", None),
            Effect::Help(_) => Err(unsayable("a helper for a flow that is there")),
            // Conntrack takes no notice of the helper of another family.
            Effect::Template(helper) if !helper.family.has(self.ipv6) => Ok(Vec::new()),
            Effect::Template(Helper { name, protocol, .. }) => {
                plain(name)?;
                let target = format!("-j CT --helper {name}");
                self.lines(rule, &target, Some(*protocol))
            }
        }
    }

    fn verdict(&self, verdict: Verdict) -> Result<String, Unsayable> {
        let (option, to) = match verdict {
            Verdict::Accept => return Ok("-j ACCEPT".to_owned()),
            Verdict::Drop => return Ok("-j DROP".to_owned()),
            Verdict::Return => return Ok("-j RETURN".to_owned()),
            Verdict::Jump(to) => ("-j", to),
            Verdict::Goto(to) => ("-g", to),
        };
        let called = self.ruleset.chains.get(to).filter(|chain| {
            chain.base.is_none() && chain.table == self.table.name && chain.family.has(self.ipv6)
        });
        let called = called.ok_or_else(|| unsayable("a jump out of the table"))?;
        Ok(format!("{option} {}", called.name))
    }

    fn lines(
        &self,
        rule: &Rule,
        target: &str,
        only: Option<Protocol>,
    ) -> Result<Vec<String>, Unsayable> {
        let comment = rule.comment.as_deref().map(comment).unwrap_or_default();
        let options = say::options(&rule.conditions, self.ipv6, only)?;
        let line = |options: String| {
            let words = [options.as_str(), &comment, target];
            let words = words.into_iter().filter(|words| !words.is_empty());
            words.collect::<Vec<_>>().join(" ")
        };
        Ok(options.into_iter().map(line).collect())
    }
}

/// Whether a condition is about an interface that no packet has there.
fn asks_for_what_is_missing(conditions: &[Condition], hook: Hook) -> bool {
    conditions.iter().any(|condition| match &condition.matches {
        Match::Interface(way, _) => !hook_has(hook, *way),
        Match::Any(ways) => ways.iter().any(|way| asks_for_what_is_missing(way, hook)),
        _ => false,
    })
}

fn asks_for_state(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match &condition.matches {
        Match::State(_) => true,
        Match::Any(ways) => ways.iter().any(|way| asks_for_state(way)),
        _ => false,
    })
}

/// Without what a reader might take for the end of it.
fn comment(text: &str) -> String {
    let is_harmless = |letter: &char| !letter.is_control() && !['"', '\'', '\\'].contains(letter);
    let mut text: String = text.chars().filter(is_harmless).collect();
    while text.len() > LONGEST_COMMENT {
        text.pop();
    }
    if text.is_empty() {
        return text;
    }
    format!("-m comment --comment \"{text}\"")
}

/// `XT_EXTENSION_MAXNAMELEN`, without the zero at its end.
const LONGEST_NAME: usize = 28;
/// `XT_MAX_COMMENT_LEN`, without the zero at its end.
const LONGEST_COMMENT: usize = 255;
