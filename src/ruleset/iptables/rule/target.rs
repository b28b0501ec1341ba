//! What a rule does where it holds.

use super::{Reading, Why};
use crate::ruleset::{Effect, Family, Helper, TRANSLATION, Verdict};
use crate::tuple::Protocol;

/// Whether a chain may have that name.
pub(in super::super) fn is_no_target(name: &str) -> bool {
    matches!(Target::named(name, false), Target::Named { .. })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Target {
    /// None, or one that decides nothing about helpers and states.
    Nothing,
    Verdict(Verdict),
    /// A chain, where there is one of that name.
    Named {
        name: String,
        goes: bool,
    },
    /// `CT` or `NOTRACK`: see the effect.
    Flow,
    /// It decides, and is not simulated.
    Unread {
        name: String,
        why: Why,
    },
}

/// The options of `-j CT`.
#[derive(Clone, Debug, Default)]
pub(super) struct Helping {
    helper: Option<String>,
    untracks: bool,
    others: Vec<String>,
}

impl Target {
    pub(super) fn named(name: &str, goes: bool) -> Self {
        match name {
            _ if goes => {}
            "ACCEPT" => return Self::Verdict(Verdict::Accept),
            "DROP" | "REJECT" => return Self::Verdict(Verdict::Drop),
            "RETURN" => return Self::Verdict(Verdict::Return),
            "CT" | "NOTRACK" => return Self::Flow,
            _ if DECIDE_NOTHING.contains(&name) => return Self::Nothing,
            _ => {}
        }
        let name = name.to_owned();
        let why = match name.as_str() {
            "" => Some("nothing stands behind it"),
            _ if goes => None,
            _ if TRANSLATE.contains(&&*name) => Some(TRANSLATION),
            "QUEUE" | "NFQUEUE" => Some("a program decides"),
            "SYNPROXY" | "TPROXY" => Some("proxies are not simulated"),
            _ => None,
        };
        match why {
            Some(why) => Self::Unread { name, why },
            None => Self::Named { name, goes },
        }
    }
}

impl Helping {
    pub fn helper(&mut self, name: &str) {
        self.helper = Some(name.to_owned());
    }

    pub fn untrack(&mut self) {
        self.untracks = true;
    }

    pub fn other(&mut self, words: String) {
        self.others.push(words);
    }

    fn words(&self) -> String {
        match &self.helper {
            Some(name) => format!("-j CT --helper {name}"),
            None if self.untracks => "-j CT --notrack".to_owned(),
            None => "-j CT".to_owned(),
        }
    }
}

impl Reading<'_> {
    /// What the target does; what cannot be read of it is the last of what is unread.
    pub(super) fn effect(&mut self) -> Option<Effect> {
        let options = std::mem::take(&mut self.helping);
        match &self.target {
            Target::Flow => self.of_flow(options),
            Target::Unread { name, why } => {
                let mut words = vec![format!("-j {name}").trim_end().to_owned()];
                words.extend(options.others);
                self.unread.push((words.join(" "), why));
                None
            }
            Target::Nothing => None,
            Target::Verdict(_) | Target::Named { .. } => {
                let others = options.others.into_iter();
                let why = "an option that the simulation does not know";
                self.unread.extend(others.map(|words| (words, why)));
                None
            }
        }
    }

    /// `xt_ct_tg_check` (xt_CT.c) refuses other tables and, by `xt_ct_find_proto`, a helper without a protocol.
    fn of_flow(&mut self, options: Helping) -> Option<Effect> {
        if self.within.table.name != "raw" {
            let why = "iptables refuses it outside the raw table";
            self.unread.push((options.words(), why));
            return None;
        }
        for words in &options.others {
            if !EVENTS.iter().any(|event| words.starts_with(event)) {
                let why = "zones and time-outs are not simulated";
                self.unread.push((words.clone(), why));
            }
        }
        match (options.untracks, options.helper) {
            (true, _) => Some(Effect::Untrack),
            (false, Some(name)) => self.help(name),
            (false, None) => {
                let why = "it keeps rules behind it from attaching a helper";
                self.unread.push(("-j CT".to_owned(), why));
                None
            }
        }
    }

    fn help(&mut self, name: String) -> Option<Effect> {
        let protocol = self.protocol.map(Protocol);
        let protocol = protocol.filter(|is| [Protocol::TCP, Protocol::UDP].contains(is));
        let Some(protocol) = protocol else {
            let why = "iptables refuses a helper without -p tcp or -p udp";
            self.unread.push((format!("-j CT --helper {name}"), why));
            return None;
        };
        let family = if self.within.ipv6 {
            Family::Ipv6
        } else {
            Family::Ipv4
        };
        Some(Effect::Template(Helper {
            name,
            protocol,
            family,
        }))
    }
}

const DECIDE_NOTHING: [&str; 24] = [
    "ACCOUNT",
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CONNMARK",
    "CONNSECMARK",
    "DSCP",
    "ECN",
    "HL",
    "HMARK",
    "IDLETIMER",
    "LED",
    "LOG",
    "MARK",
    "NFLOG",
    "RATEEST",
    "SECMARK",
    "SET",
    "TCPMSS",
    "TCPOPTSTRIP",
    "TOS",
    "TRACE",
    "TTL",
    "ULOG",
];

const TRANSLATE: [&str; 9] = [
    "DNAT",
    "SNAT",
    "MASQUERADE",
    "REDIRECT",
    "NETMAP",
    "SAME",
    "MIRROR",
    "DNPT",
    "SNPT",
];

/// Options of `-j CT` that decide nothing: which events are told to programs.
const EVENTS: [&str; 2] = ["--ctevents", "--expevents"];
