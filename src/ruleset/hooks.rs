//! The chains that the hooks call.

use std::cmp::Reverse;

use super::{Chain, Hook, Match, Rule, Ruleset, TRANSLATION};
use crate::conntrack::State;
use crate::conntrack::event::Status;

/// The order in which a hook calls the chains of a rule set.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// Before conntrack, and behind it, by hook.
    chains: [[Vec<usize>; HOOKS]; 2],
    /// By chain, the states of packets that some rule of it, or its policy, may do something to. A proposal has thousands
    /// of rules at worst, and most packets are in a state that none of them asks for.
    states: Vec<Vec<State>>,
    /// Bits of flows that nobody knows, as rules may translate addresses.
    pub(super) unknown: Status,
}

impl Hooks {
    /// In the order in which the kernel calls them.
    pub fn of(rules: &Ruleset) -> Self {
        let mut based: Vec<_> = rules
            .chains
            .iter()
            .enumerate()
            .filter_map(|(index, chain)| Some((chain.base?, index)))
            .collect();
        // Of one priority, the chain that was added last is called first (`nf_hook_entries_grow`).
        based.sort_by_key(|(base, index)| (base.priority, Reverse(*index)));
        let mut hooks = Self {
            chains: Default::default(),
            states: rules.chains.iter().map(states).collect(),
            unknown: translated(rules),
        };
        for (base, index) in based {
            let is_behind = usize::from(base.priority > CONNTRACK || !base.hook.has_conntrack());
            hooks.chains[is_behind][base.hook as usize].push(index);
        }
        hooks
    }

    /// Whether any chain that is called there may do something to packets in this state.
    pub(super) fn matter(&self, hook: Hook, behind_conntrack: bool, state: State) -> bool {
        let mut chains = self.chains(hook, behind_conntrack).iter();
        chains.any(|chain| self.may_hold(*chain, state))
    }

    /// Whether any rule of the chain may hold of packets in this state, or its policy drop them.
    pub(super) fn may_hold(&self, chain: usize, state: State) -> bool {
        let states = self.states.get(chain);
        states.is_some_and(|states| states.contains(&state))
    }

    pub(super) fn chains(&self, hook: Hook, behind_conntrack: bool) -> &[usize] {
        &self.chains[usize::from(behind_conntrack)][hook as usize]
    }
}

fn states(chain: &Chain) -> Vec<State> {
    if chain.base.is_some_and(|base| !base.accepts) {
        return State::ALL.to_vec();
    }
    let allows = |rule: &Rule, state| {
        rule.conditions.iter().all(|condition| {
            let Match::State(states) = &condition.matches else {
                return true;
            };
            states.contains(&state) != condition.negated
        })
    };
    let of_some = |state: &State| chain.rules.iter().any(|rule| allows(rule, *state));
    State::ALL.into_iter().filter(of_some).collect()
}

/// The bits that the rules of address translation may set. Those that are there are listed as unread.
fn translated(rules: &Ruleset) -> Status {
    let mut bits = Status::default();
    for unread in rules.unread.iter().filter(|of| of.why == TRANSLATION) {
        let words = unread.text.to_ascii_lowercase();
        let is_source = ["masquerade", "snat"]
            .iter()
            .any(|word| words.contains(word));
        bits.set(if is_source {
            Status::SRC_NAT
        } else {
            Status::DST_NAT
        });
        if words.contains("netmap") || words.contains("same") {
            bits.set(Status::SRC_NAT);
        }
    }
    bits
}

impl Hook {
    /// Whether conntrack sits there, at -200.
    fn has_conntrack(self) -> bool {
        matches!(self, Self::Prerouting | Self::Output)
    }
}

/// `enum nf_inet_hooks`
const HOOKS: usize = 5;
/// `NF_IP_PRI_CONNTRACK`
const CONNTRACK: i32 = -200;
