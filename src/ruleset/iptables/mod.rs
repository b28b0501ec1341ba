//! The language of iptables-save(8) and ip6tables-save(8), which iptables-restore(8) and ip6tables-restore(8) load.
//!
//! What the options mean is told in iptables(8) and iptables-extensions(8). Where those are silent, it was asked of
//! iptables 1.8.9.

mod commands;
mod names;
mod read;
mod rule;
mod say;
mod values;
mod words;
mod write;

pub use read::read;
pub use write::{Unsayable, write};

use super::Hook;

/// A table, the priority of its built-in chains (`enum nf_ip_hook_priorities`), and their hooks.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: &'static str,
    priority: i32,
    hooks: &'static [Hook],
}

/// Those that are simulated.
static TABLES: [Table; 4] = [
    Table {
        name: "raw",
        priority: -300,
        hooks: &[Hook::Prerouting, Hook::Output],
    },
    Table {
        name: "mangle",
        priority: -150,
        hooks: &EVERYWHERE,
    },
    Table {
        name: "filter",
        priority: 0,
        hooks: &WHERE_FILTERED,
    },
    Table {
        name: "security",
        priority: 50,
        hooks: &WHERE_FILTERED,
    },
];

/// Its rules see the first packet of a flow, and translate.
static NAT: Table = Table {
    name: "nat",
    priority: -100,
    hooks: &[
        Hook::Prerouting,
        Hook::Input,
        Hook::Output,
        Hook::Postrouting,
    ],
};

const WHERE_FILTERED: [Hook; 3] = [Hook::Input, Hook::Forward, Hook::Output];

const EVERYWHERE: [Hook; 5] = [
    Hook::Prerouting,
    Hook::Input,
    Hook::Forward,
    Hook::Output,
    Hook::Postrouting,
];

impl Table {
    fn named(name: &str) -> Option<&'static Self> {
        let mut known = TABLES.iter().chain([&NAT]);
        known.find(|table| table.name == name)
    }

    /// The hook of a built-in chain.
    fn hook(&self, chain: &str) -> Option<Hook> {
        let mut hooks = self.hooks.iter().copied();
        hooks.find(|hook| built_in(*hook) == chain)
    }
}

/// The name of the chain at a hook.
fn built_in(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "PREROUTING",
        Hook::Input => "INPUT",
        Hook::Forward => "FORWARD",
        Hook::Output => "OUTPUT",
        Hook::Postrouting => "POSTROUTING",
    }
}
