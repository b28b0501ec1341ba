//! Conntrack and the rules around it: the whole way of a packet through one firewall.

use crate::conntrack::config::Config;
use crate::conntrack::event::Status;
use crate::conntrack::{Entered, Step, Tracker};
use crate::helper::Modules;
use crate::packet::route::Fate;
use crate::packet::{Packet, Unseen};
use crate::ruleset::{Effect, Hook, Hooks, Passing, RuleId, Ruleset, Ruling, Seen};
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

/// Interfaces that a packet comes and goes by, where they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways<'w> {
    pub input: Option<&'w str>,
    pub output: Option<&'w str>,
}

/// What rules did to a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    pub dropped: bool,
    /// Those that ended a chain.
    pub by: Vec<RuleId>,
    /// The one that attached a helper.
    pub helped_by: Option<RuleId>,
    /// Those of which nobody can say whether they held.
    pub undecided: Vec<RuleId>,
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
    pub fn with_rules(config: Config, set: Ruleset) -> Self {
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
    pub fn packet(&mut self, at: Timestamp, packet: &Packet<'_>, ways: Ways<'_>) -> Step<'_> {
        match &mut self.rules {
            None => self.tracker.packet(at, packet),
            Some(rules) => rules.packet(&mut self.tracker, at, packet, ways),
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

    /// Conntracks alive.
    pub fn conntracks(&self) -> usize {
        self.tracker.conntracks()
    }

    /// What the rules did to the packet before; `None` where there are none.
    pub fn passed(&self) -> Option<&Passed> {
        Some(&self.rules.as_ref()?.last)
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
        ways: Ways<'_>,
    ) -> Step<'t> {
        self.last = Passed::default();
        let hooks = hooks(tracker.fate(packet));
        let mut passing = Passing {
            packet,
            seen: None,
            input: ways.input,
            output: ways.output,
        };
        let early = self.decide(hooks[0], &passing);
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
            let ruling = self.decide(*hook, &passing);
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

    fn decide(&mut self, hook: Hook, passing: &Passing<'_>) -> Ruling {
        let ruling = self.set.decide(&self.hooks, hook, passing, None);
        self.last.dropped |= ruling.dropped;
        self.last.by.extend_from_slice(&ruling.by);
        self.last.undecided.extend_from_slice(&ruling.undecided);
        ruling
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
            if registered.is_some_and(|registered| tracker.attach(entered, registered)) {
                self.last.helped_by = Some(*id);
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
