//! From the text of a file to chains.

mod chains;

use super::commands::Command;
use super::rule::{self, Target, Within};
use super::values::Why;
use super::{NAT, Table, words};
use crate::ruleset::{Family, Place, Ruleset, TRANSLATION, Unread};
use chains::{Chains, Said};

/// What a file for iptables-restore or ip6tables-restore says. `file` is its place among several.
///
/// Several sections of one table add up, as with `--noflush`. A first line that is a comment and names ip6tables makes
/// it IPv6.
pub fn read(text: &str, file: usize) -> Ruleset {
    let first = text.lines().next().unwrap_or_default().trim();
    let mut reader = Reader {
        ipv6: first.starts_with('#') && first.contains("ip6tables"),
        section: Section::None,
        chains: Chains::default(),
        unread: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let place = Place {
            file,
            line: line_number,
        };
        reader.line(place, line.trim());
    }
    let family = if reader.ipv6 {
        Family::Ipv6
    } else {
        Family::Ipv4
    };
    reader.chains.finish(family, reader.unread)
}

struct Reader {
    ipv6: bool,
    section: Section,
    chains: Chains,
    unread: Vec<Unread>,
}

/// The part of a file between `*TABLE` and `COMMIT`.
#[derive(Clone, Copy)]
enum Section {
    None,
    Of(&'static Table),
    /// The table's name is not known; that was said.
    Skipped,
}

impl Reader {
    fn line(&mut self, place: Place, line: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(name) = line.strip_prefix('*') {
            self.section = match Table::named(name.trim()) {
                Some(table) => Section::Of(table),
                None => {
                    self.refuse(place, line, "no table of iptables");
                    Section::Skipped
                }
            };
            return;
        }
        if line == "COMMIT" {
            self.section = Section::None;
            return;
        }
        let done = match self.section {
            Section::Skipped => return,
            Section::None => Err("it stands in no table"),
            Section::Of(table) => match line.strip_prefix(':') {
                Some(declaration) => self.declare(table, declaration),
                None => self.command(table, place, line),
            },
        };
        if let Err(why) = done {
            self.refuse(place, line, why);
        }
    }

    fn refuse(&mut self, place: Place, text: &str, why: Why) {
        self.unread.push(Unread {
            place,
            text: text.to_owned(),
            why,
        });
    }

    /// `:CHAIN POLICY [PACKETS:BYTES]`; a chain of the user's has no policy, and is emptied.
    fn declare(&mut self, table: &'static Table, declaration: &str) -> Result<(), Why> {
        let mut words = declaration.split_whitespace();
        let name = words.next().ok_or("a chain without a name")?;
        let policy = words.next().ok_or("a chain without a policy")?;
        if table.hook(name).is_some() {
            return match policy {
                "-" => Ok(()),
                policy => self.policy(table, name, policy),
            };
        }
        if policy != "-" {
            return Err("only a built-in chain has a policy");
        }
        self.chains.declare(table, name).rules.clear();
        Ok(())
    }

    fn policy(&mut self, table: &'static Table, name: &str, policy: &str) -> Result<(), Why> {
        let accepts = match policy {
            "ACCEPT" => true,
            "DROP" if *table == NAT => return Err(TRANSLATION),
            "DROP" => false,
            _ => return Err("no policy"),
        };
        let chain = self.chains.existing(table, name)?;
        let base = chain
            .base
            .as_mut()
            .ok_or("only a built-in chain has a policy")?;
        base.accepts = accepts;
        Ok(())
    }

    fn command(&mut self, table: &'static Table, place: Place, line: &str) -> Result<(), Why> {
        let words = words::split(line).ok_or("a quote is not closed")?;
        match Command::of(&words).ok_or("a command that the simulation does not know")? {
            Command::Append(chain, words) => {
                let said = self.said(table, chain, place, words);
                let chain = self.chains.existing(table, chain)?;
                chain.rules.extend(said);
            }
            Command::Insert(chain, at, words) => {
                let said = self.said(table, chain, place, words);
                let chain = self.chains.existing(table, chain)?;
                let at = at.checked_sub(1).filter(|at| *at <= chain.rules.len());
                let at = at.ok_or("the chain has no such place")?;
                chain.rules.splice(at..at, said);
            }
            Command::DeleteAt(chain, at) => {
                let chain = self.chains.existing(table, chain)?;
                let at = at.checked_sub(1).filter(|at| *at < chain.rules.len());
                chain.rules.remove(at.ok_or("the chain has no such rule")?);
            }
            Command::Delete(chain, words) => {
                let chain = self.chains.existing(table, chain)?;
                let at = chain.rules.iter().position(|said| said.words == words);
                chain
                    .rules
                    .remove(at.ok_or("no rule is said in these words")?);
            }
            Command::Flush(Some(chain)) => self.chains.existing(table, chain)?.rules.clear(),
            Command::Flush(None) => self.chains.of(table).for_each(|chain| chain.rules.clear()),
            Command::New(chain) => {
                self.chains.declare(table, chain);
            }
            Command::Policy(chain, policy) => self.policy(table, chain, policy)?,
            Command::Nothing => {}
        }
        Ok(())
    }

    /// The rule of a line; `None` where it is meant for the other family.
    fn said(
        &self,
        table: &'static Table,
        chain: &str,
        place: Place,
        words: &[words::Word],
    ) -> Option<Said> {
        let within = Within {
            ipv6: self.ipv6,
            table,
            hook: table.hook(chain),
        };
        let mut parsed = rule::parse(words, within);
        if parsed.is_foreign {
            return None;
        }
        if *table == NAT {
            // Whatever else it says, it decides nothing.
            let is_unread = matches!(parsed.target, Target::Unread { .. });
            let target = parsed.unread.pop().filter(|_| is_unread);
            parsed.unread = target.into_iter().collect();
        }
        if parsed.target == Target::Nothing {
            parsed.unread.clear();
        }
        parsed.rule.place = place;
        let unread = parsed.unread.into_iter();
        let unread = unread.map(|(text, why)| Unread { place, text, why });
        Some(Said {
            words: words.to_vec(),
            rule: parsed.rule,
            target: parsed.target,
            unread: unread.collect(),
        })
    }
}
