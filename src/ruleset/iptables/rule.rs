//! One rule: its options, from the left to the right.

mod flow;
mod packet;
mod target;

pub(super) use packet::{WITH_SEVERAL_PORTS, hook_has};
pub(super) use target::{Target, is_no_target};

use super::Table;
use super::values::{self, Why};
use super::words::{self, Word};
use crate::ruleset::{Condition, End, Hook, Match, Rule, Way};
use crate::tuple::Protocol;
use flow::Flow;
use packet::{WITH_PORTS, end};
use target::Helping;

/// Where a rule stands, as far as that says what it may hold.
#[derive(Clone, Copy)]
pub(super) struct Within {
    pub ipv6: bool,
    pub table: &'static Table,
    /// Of a built-in chain.
    pub hook: Option<Hook>,
}

/// A rule as it is understood; its verdict may be a chain that only has a name yet.
pub(super) struct Parsed {
    pub rule: Rule,
    pub target: Target,
    pub unread: Vec<(String, Why)>,
    /// It is meant for the other family's kernel, and skipped.
    pub is_foreign: bool,
}

/// Reads what stands behind `-A CHAIN`.
pub(super) fn parse(words: &[Word], within: Within) -> Parsed {
    let mut reading = Reading::new(words, within);
    while let Some(word) = reading.next() {
        if word.is("!") {
            match reading.next() {
                Some(word) => reading.option(word, true),
                None => reading.refuse("!".to_owned(), "nothing stands behind it"),
            }
        } else {
            reading.option(word, false);
        }
    }
    reading.finish()
}

struct Reading<'w> {
    words: &'w [Word],
    at: usize,
    within: Within,
    conditions: Vec<Condition>,
    comment: Option<String>,
    /// Of `-p`, where it names one and does not deny it.
    protocol: Option<u8>,
    /// Protocols of which the rule must name one, and what asks for them.
    needs: Vec<(&'static [u8], String)>,
    matches: Vec<&'w str>,
    flow: Flow,
    /// Where its conditions belong.
    flow_at: usize,
    target: Target,
    helping: Helping,
    /// What an option that is not known belongs to.
    open: Open,
    unread: Vec<(String, Why)>,
    is_foreign: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    /// The last of what was unread is a match whose options are not known.
    UnknownMatch,
    Target,
}

impl<'w> Reading<'w> {
    fn new(words: &'w [Word], within: Within) -> Self {
        Self {
            words,
            at: 0,
            within,
            conditions: Vec::new(),
            comment: None,
            protocol: None,
            needs: Vec::new(),
            matches: Vec::new(),
            flow: Flow::default(),
            flow_at: 0,
            target: Target::Nothing,
            helping: Helping::default(),
            open: Open::Nothing,
            unread: Vec::new(),
            is_foreign: false,
        }
    }

    fn next(&mut self) -> Option<&'w Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// An option with the values that belong to it.
    fn option(&mut self, word: &'w Word, mut negated: bool) {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word.text.as_str(), None),
        };
        if word.quoted || !takes_a_value(name) {
            return self.flag(word, negated);
        }
        // The form of before 2010: `-s ! ADDRESS`.
        if value.is_none() && self.words.get(self.at).is_some_and(|word| word.is("!")) {
            negated = true;
            self.at += 1;
        }
        let Some(value) = value.or_else(|| self.next().map(|word| word.text.as_str())) else {
            return match name {
                "-j" | "--jump" => self.jump("", false),
                _ => self.refuse(name.to_owned(), "nothing stands behind it"),
            };
        };
        let not = if negated { "! " } else { "" };
        let words = format!("{not}{name} {value}");
        if let Err(why) = self.valued(name, value, negated, &words) {
            self.refuse(words, why);
        }
    }

    fn valued(
        &mut self,
        name: &str,
        value: &'w str,
        negated: bool,
        words: &str,
    ) -> Result<(), Why> {
        match name {
            "-p" | "--protocol" => self.protocol(value, negated)?,
            "-s" | "--source" | "--src" => self.address(End::Src, value, negated)?,
            "-d" | "--destination" | "--dst" => self.address(End::Dst, value, negated)?,
            "-i" | "--in-interface" => self.interface(Way::In, value, negated)?,
            "-o" | "--out-interface" => self.interface(Way::Out, value, negated)?,
            "-m" | "--match" => self.module(value),
            "-j" | "--jump" => self.jump(value, false),
            "-g" | "--goto" => self.jump(value, true),
            "-c" | "--set-counters" => self.at += 1,
            "--helper" if self.open == Open::Target => self.helping.helper(value),
            // It says how.
            "--reject-with" => {}
            _ => self.of_match(name, value, negated, words)?,
        }
        Ok(())
    }

    /// Options of matches that are known.
    fn of_match(&mut self, name: &str, value: &str, negated: bool, words: &str) -> Result<(), Why> {
        let ipv6 = self.within.ipv6;
        match name {
            "--helper" => {
                self.asks_for("helper")?;
                self.add(Match::HelperBegins(value.to_owned()), negated);
            }
            "--comment" => {
                self.asks_for("comment")?;
                self.comment = Some(value.to_owned());
            }
            "--state" => {
                self.asks_for("state")?;
                let state = flow::state(value, negated, words)?;
                self.conditions.push(state);
            }
            "--ctstate" | "--ctstatus" | "--ctdir" | "--ctproto" => {
                self.asks_for("conntrack")?;
                self.flow.option(name, value, negated, words, ipv6)?;
            }
            "--src-range" | "--dst-range" => {
                self.asks_for("iprange")?;
                let range = values::range(value, ipv6)?;
                self.add(Match::addresses(end(name), vec![range]), negated);
            }
            "--sport" | "--source-port" | "--dport" | "--destination-port" => {
                self.needs.push((&WITH_PORTS, words.to_owned()));
                let range = values::ports(value)?;
                if negated || range != (0..=u16::MAX) {
                    self.add(Match::Port(end(name), vec![range]), negated);
                }
            }
            "--src-type" | "--dst-type" => {
                self.asks_for("addrtype")?;
                self.add(Match::Kind(end(name), values::kinds(value, ipv6)?), negated);
            }
            "--tcp-flags" => self.tcp_flags(value, negated, words)?,
            "--sports" | "--source-ports" | "--dports" | "--destination-ports" | "--ports" => {
                self.asks_for("multiport")?;
                self.several_ports(name, value, negated, words)?;
            }
            "--icmp-type" | "--icmpv6-type" => self.icmp(name, value, negated, words)?,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, matches: Match, negated: bool) {
        self.conditions.push(Condition { matches, negated });
    }

    /// iptables knows the options of a match once it is named.
    fn asks_for(&self, module: &str) -> Result<(), Why> {
        let is_named = self.matches.contains(&module);
        is_named.then_some(()).ok_or("its match is not named")
    }

    fn module(&mut self, name: &'w str) {
        self.open = Open::Nothing;
        self.matches.push(name);
        let needs: &[u8] = match name {
            "tcp" => &[Protocol::TCP.0],
            "udp" => &[Protocol::UDP.0],
            "sctp" => &[Protocol::SCTP.0],
            "dccp" => &[Protocol::DCCP.0],
            "icmp" if !self.within.ipv6 => &[Protocol::ICMP.0],
            "icmp6" if self.within.ipv6 => &[Protocol::ICMPV6.0],
            "conntrack" => {
                self.end_flow();
                self.flow_at = self.conditions.len();
                return;
            }
            "state" | "helper" | "multiport" | "comment" | "iprange" | "addrtype" => return,
            _ => {
                let why = "a match that the simulation does not know";
                self.unread.push((format!("-m {name}"), why));
                self.open = Open::UnknownMatch;
                return;
            }
        };
        self.needs.push((needs, format!("-m {name}")));
    }

    fn end_flow(&mut self) {
        let at = self.flow_at..self.flow_at;
        self.conditions.splice(at, self.flow.end());
    }

    fn jump(&mut self, name: &str, goes: bool) {
        if self.target != Target::Nothing {
            let why = "iptables takes one target";
            return self.refuse(format!("-j {name}"), why);
        }
        self.target = Target::named(name, goes);
        if name == "NOTRACK" {
            self.helping.untrack();
        }
        self.open = Open::Target;
    }

    /// An option without a value, or one whose values are not known.
    fn flag(&mut self, word: &'w Word, negated: bool) {
        match word.text.as_str() {
            _ if word.quoted => {}
            "-4" | "--ipv4" => return self.is_foreign |= self.within.ipv6,
            "-6" | "--ipv6" => return self.is_foreign |= !self.within.ipv6,
            // What is a piece of a packet was put together before the first table (`NF_IP_PRI_CONNTRACK_DEFRAG`).
            "-f" | "--fragment" if !self.within.ipv6 => {
                return self.add(Match::Any(Vec::new()), negated);
            }
            "--syn" => return self.syn(negated),
            "--notrack" if self.open == Open::Target => return self.helping.untrack(),
            _ => {}
        }
        let from = self.at - 1 - usize::from(negated);
        let rest = &self.words[self.at..];
        let values = rest.iter().take_while(|word| !word.begins_an_option());
        self.at += values.count();
        let words = words::join(&self.words[from..self.at]);
        match self.open {
            Open::Target => self.helping.other(words),
            Open::UnknownMatch => {
                if let Some((of, _)) = self.unread.last_mut() {
                    *of = format!("{of} {words}");
                }
            }
            Open::Nothing => self.refuse(words, "an option that the simulation does not know"),
        }
    }

    fn refuse(&mut self, words: String, why: Why) {
        self.open = Open::Nothing;
        self.unread.push((words, why));
    }

    fn finish(mut self) -> Parsed {
        self.end_flow();
        for (protocols, words) in std::mem::take(&mut self.needs) {
            if !self.protocol.is_some_and(|is| protocols.contains(&is)) {
                let why = "iptables refuses it without -p of such a protocol";
                self.unread.push((words, why));
            }
        }
        let effect = self.effect();
        let unknown = self.unread.iter();
        let unknown = unknown.map(|(words, _)| Condition::is(Match::Unknown(words.clone())));
        self.conditions.extend(unknown);
        let rule = Rule {
            conditions: self.conditions,
            effect,
            comment: self.comment,
            ..Rule::default()
        };
        Parsed {
            rule,
            target: self.target,
            unread: self.unread,
            is_foreign: self.is_foreign,
        }
    }
}

fn takes_a_value(name: &str) -> bool {
    let mut known = SHORT.iter().chain(&LONG).chain(&OF_MATCHES);
    known.any(|known| *known == name)
}

const SHORT: [&str; 9] = ["-p", "-s", "-d", "-i", "-o", "-m", "-j", "-g", "-c"];

const LONG: [&str; 11] = [
    "--protocol",
    "--source",
    "--src",
    "--destination",
    "--dst",
    "--in-interface",
    "--out-interface",
    "--match",
    "--jump",
    "--goto",
    "--set-counters",
];

const OF_MATCHES: [&str; 24] = [
    "--helper",
    "--comment",
    "--state",
    "--ctstate",
    "--ctstatus",
    "--ctdir",
    "--ctproto",
    "--src-range",
    "--dst-range",
    "--sport",
    "--source-port",
    "--dport",
    "--destination-port",
    "--sports",
    "--source-ports",
    "--dports",
    "--destination-ports",
    "--ports",
    "--src-type",
    "--dst-type",
    "--tcp-flags",
    "--icmp-type",
    "--icmpv6-type",
    "--reject-with",
];
