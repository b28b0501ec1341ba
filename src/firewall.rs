//! Conntrack and the rules around it: the whole way of a packet through one firewall.

use crate::conntrack::config::Config;
use crate::conntrack::event::Status;
use crate::conntrack::{Entered, State, Step, Tracker};
use crate::helper::Modules;
use crate::packet::route::Fate;
use crate::packet::{Packet, Unseen, fragment};
use crate::ruleset::{Effect, Helper, Hook, Hooks, Passing, RuleId, Ruleset, Ruling, Seen};
use crate::time::Timestamp;

/// A simulated firewall.
pub struct Firewall {
    tracker: Tracker,
    rules: Option<Rules>,
}

/// A rule set at work.
struct Rules {
    set: Ruleset,
    hooks: Hooks,
    modules: Modules,
    last: Passed,
}

/// What rules did to a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    pub dropped: bool,
    /// Of a packet that is RELATED, or of a flow that a helper reads: the rules without which it would not have passed,
    /// or had no helper.
    pub hangs_on: Vec<RuleId>,
    /// Those of which nobody can say whether they held.
    pub undecided: Vec<RuleId>,
}

/// What rules would do to a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trial<'r> {
    pub dropped: bool,
    /// The helper that the first of them attaches.
    pub helper: Option<&'r str>,
}

impl Firewall {
    /// Without rules that drop anything: helpers are attached as the configuration says.
    pub fn new(config: Config) -> Self {
        Self {
            tracker: Tracker::new(config),
            rules: None,
        }
    }

    /// With these rules; what the configuration attaches is attached where no rule has done so.
    pub fn with_rules(config: Config, mut set: Ruleset) -> Self {
        set.check_helpers(|name| config.modules.registered_as(name).is_some());
        let rules = Rules {
            hooks: Hooks::of(&set),
            set,
            modules: config.modules.clone(),
            last: Passed::default(),
        };
        Self {
            tracker: Tracker::new(config),
            rules: Some(rules),
        }
    }

    /// Everything that befalls a packet.
    #[inline]
    pub fn packet(&mut self, at: Timestamp, packet: &Packet<'_>) -> Step<'_> {
        match &mut self.rules {
            None => self.tracker.packet(at, packet),
            Some(rules) => rules.packet(&mut self.tracker, at, packet),
        }
    }

    /// A packet that never comes to the rules. Time passes all the same.
    pub fn unseen(&mut self, at: Timestamp, why: Unseen) -> Step<'_> {
        self.tracker.unseen(at, why)
    }

    /// The end of the capture: what is still open is told as such.
    pub fn finish(&mut self, at: Timestamp) -> Step<'_> {
        self.tracker.finish(at)
    }

    pub fn fragment_limits(&self) -> fragment::Limits {
        self.tracker.config().fragment_limits()
    }

    /// Conntracks alive.
    pub fn conntracks(&self) -> usize {
        self.tracker.conntracks()
    }

    /// The same, and what the rules did; `None` without rules.
    pub fn judge(&mut self, at: Timestamp, packet: &Packet<'_>) -> Option<(Step<'_>, &Passed)> {
        let rules = self.rules.as_mut()?;
        let step = rules.packet(&mut self.tracker, at, packet);
        Some((step, &rules.last))
    }

    /// What rules would do to a packet that conntrack had seen so; without rules nothing.
    pub fn try_rules(&self, packet: &Packet<'_>, seen: Seen) -> Trial<'_> {
        let Some(rules) = &self.rules else {
            return Trial::default();
        };
        let mut passing = Passing {
            packet,
            seen: None,
            input: None,
            output: None,
        };
        let hooks = hooks(self.tracker.fate(packet));
        let mut trial = Trial::default();
        for (hook, seen) in [(hooks[0], None)]
            .into_iter()
            .chain(hooks.iter().map(|hook| (*hook, Some(seen))))
        {
            passing.seen = seen;
            let ruling = rules.set.decide(&rules.hooks, hook, &passing, None);
            let helper = rules.gives(&ruling).map(|helper| helper.name.as_str());
            trial.helper = trial.helper.or(helper);
            trial.dropped |= ruling.dropped;
        }
        trial
    }

    pub fn rules(&self) -> Option<&Ruleset> {
        Some(&self.rules.as_ref()?.set)
    }
}

impl Rules {
    fn packet<'t>(
        &mut self,
        tracker: &'t mut Tracker,
        at: Timestamp,
        packet: &Packet<'_>,
    ) -> Step<'t> {
        self.last = Passed::default();
        let hooks = hooks(tracker.fate(packet));
        let mut passing = Passing {
            packet,
            seen: None,
            input: None,
            output: None,
        };
        let early = self.decide(hooks[0], &passing, false);
        if early.dropped {
            return tracker.drop_early(at);
        }
        let mut entered = tracker.enter(at, packet, !self.untracks(&early));
        if entered.is_dropped() {
            return tracker.leave(entered, packet);
        }
        // A template: its helper goes to a flow that nobody expected (`__nf_ct_try_assign_helper`).
        if !tracker.status(&entered).has(Status::EXPECTED) {
            self.attach(tracker, &mut entered, packet, &early);
        }
        for (index, hook) in hooks.iter().enumerate() {
            passing.seen = Some(Seen {
                state: entered.verdict.state,
                direction: entered.verdict.direction,
                status: tracker.status(&entered),
                helper: entered.verdict.helper,
            });
            let matters = entered.verdict.state == State::Related || entered.verdict.attached;
            let ruling = self.decide(*hook, &passing, matters);
            self.attach(tracker, &mut entered, packet, &ruling);
            if ruling.dropped {
                return tracker.discard(entered);
            }
            if index == 0 {
                tracker.attach_configured(&mut entered, packet);
            }
        }
        tracker.leave(entered, packet)
    }

    fn decide(&mut self, hook: Hook, passing: &Passing<'_>, matters: bool) -> Ruling {
        let ruling = self.set.decide(&self.hooks, hook, passing, None);
        self.last.dropped |= ruling.dropped;
        self.last.undecided.extend_from_slice(&ruling.undecided);
        if matters || !ruling.effects.is_empty() {
            for &id in ruling.by.iter().chain(&ruling.effects) {
                let without = self.set.decide(&self.hooks, hook, passing, Some(id));
                if without.dropped != ruling.dropped || self.gives(&without) != self.gives(&ruling)
                {
                    self.last.hangs_on.push(id);
                }
            }
        }
        ruling
    }

    /// The helper that comes first.
    fn gives(&self, ruling: &Ruling) -> Option<&Helper> {
        let mut effects = ruling.effects.iter();
        effects.find_map(|id| match &self.set.rule(*id)?.effect {
            Some(Effect::Help(helper)) => Some(helper),
            _ => None,
        })
    }

    fn untracks(&self, ruling: &Ruling) -> bool {
        let mut effects = ruling.effects.iter();
        effects.any(|id| {
            let rule = self.set.rule(*id);
            rule.is_some_and(|rule| rule.effect == Some(Effect::Untrack))
        })
    }

    /// `nft_ct_helper_obj_eval`
    fn attach(
        &mut self,
        tracker: &mut Tracker,
        entered: &mut Entered,
        packet: &Packet<'_>,
        ruling: &Ruling,
    ) {
        let protocol = packet.transport.map(|(protocol, _)| protocol);
        for id in &ruling.effects {
            let Some(Effect::Help(helper)) =
                self.set.rule(*id).and_then(|rule| rule.effect.as_ref())
            else {
                continue;
            };
            let ipv6 = packet.src.is_ipv6();
            let registered = self
                .modules
                .registered_as(&helper.name)
                .filter(|registered| {
                    Some(helper.protocol) == protocol
                        && helper.family.has(ipv6)
                        && registered.spec.reads(helper.protocol, ipv6)
                });
            if let Some(registered) = registered {
                tracker.attach(entered, registered);
            }
        }
    }
}

/// The hooks that a packet passes where nothing drops it. What comes back in by the loopback device has a flow already.
fn hooks(fate: Fate) -> &'static [Hook] {
    match fate {
        Fate::Forwarded => &[Hook::Prerouting, Hook::Forward, Hook::Postrouting],
        Fate::Delivered => &[Hook::Prerouting, Hook::Input],
        Fate::Discarded => &[Hook::Prerouting],
        Fate::Sent | Fate::Broadcast | Fate::Looped => &[Hook::Output, Hook::Postrouting],
    }
}
