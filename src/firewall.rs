//! Conntrack and the rules around it: the whole way of a packet through one firewall.

use ipnet::IpNet;

use crate::conntrack::config::Config;
use crate::conntrack::event::{Event, Status};
use crate::conntrack::{Entered, Examined, Late, State, Step, Tracker, Verdict};
use crate::helper::Modules;
use crate::packet::route::Fate;
use crate::packet::{Packet, Unseen, fragment};
use crate::ruleset::{Effect, Helper, Hook, Hooks, Passing, RuleId, Ruleset, Ruling, Seen};
use crate::time::Timestamp;
use crate::topology::Topology;
use crate::tuple::Protocol;

/// A simulated firewall.
pub struct Firewall {
    tracker: Tracker,
    rules: Option<Rules>,
    /// What the rules did to the packet before.
    passed: Passed,
}

/// A rule set at work.
struct Rules {
    set: Ruleset,
    hooks: Hooks,
    modules: Modules,
    local: Vec<IpNet>,
    topology: Option<Topology>,
}

/// What rules did to a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// A rule or a policy drops it.
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
    /// A rule or a policy drops it.
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
            passed: Passed::default(),
        }
    }

    /// With these rules; what the configuration attaches is attached where no rule has done so. Without a topology,
    /// nobody knows which interfaces a packet comes and goes by.
    pub fn with_rules(mut config: Config, set: Ruleset, topology: Option<Topology>) -> Self {
        config.runs.extend(named(&set, &config.modules));
        Self {
            rules: Some(Rules::new(&config, set, topology)),
            tracker: Tracker::new(config),
            passed: Passed::default(),
        }
    }

    /// Everything that befalls a packet.
    #[inline]
    pub fn packet(&mut self, at: Timestamp, packet: &Packet<'_>) -> Step<'_> {
        self.judge(at, packet).0
    }

    /// The same, and what the rules did to it: nothing, where there are none.
    #[inline]
    pub fn judge(&mut self, at: Timestamp, packet: &Packet<'_>) -> (Step<'_>, &Passed) {
        let step = match &self.rules {
            None => self.tracker.packet(at, packet),
            Some(rules) => rules.packet(&mut self.tracker, at, packet, &mut self.passed),
        };
        (step, &self.passed)
    }

    /// Lets time pass, and nothing else happen.
    pub fn advance(&mut self, at: Timestamp) {
        self.tracker.advance(at);
    }

    /// The same as `packet`, once time has passed up to then, with a close look at its flow.
    pub fn examine(&mut self, at: Timestamp, packet: &Packet<'_>) -> (Verdict, Examined) {
        let before = self.tracker.begin_examination(packet);
        let verdict = self.packet(at, packet).verdict;
        (verdict, self.tracker.end_examination(before, packet))
    }

    /// Looks at flows whose packets come soon, by their keys' hashes, so that they are in the cache then.
    pub fn warm_up(&self, hashes: impl Iterator<Item = u64>) {
        self.tracker.warm_up(hashes);
    }

    /// A packet that never comes to the rules. Time passes all the same.
    pub fn unseen(&mut self, at: Timestamp, why: Unseen) -> Step<'_> {
        self.tracker.unseen(at, why)
    }

    /// Hands over what the last step told, whose slices are empty then.
    #[inline]
    pub fn tell(&mut self, late: &mut Vec<Late>, events: &mut Vec<Event>) {
        self.tracker.tell(late, events);
    }

    /// The end of the capture: what is still open is told as such, a few flows at a time, and `None` when all of it was.
    pub fn finish(&mut self, at: Timestamp) -> Option<Step<'_>> {
        self.tracker.finish(at)
    }

    /// What it is set up like.
    pub fn config(&self) -> &Config {
        self.tracker.config()
    }

    /// What its sysctls allow fragments that wait.
    pub fn fragment_limits(&self) -> fragment::Limits {
        self.tracker.config().fragment_limits()
    }

    /// Conntracks alive.
    pub fn conntracks(&self) -> usize {
        self.tracker.conntracks()
    }

    /// Conntracks that were alive at once, at the most.
    pub fn most_conntracks(&self) -> usize {
        self.tracker.most_conntracks()
    }

    /// What the rules do to a packet of which conntrack, which is not asked, says this: nothing, where there are none. Of
    /// rules that untrack it nothing is known here.
    pub fn judge_seen(&self, packet: &Packet<'_>, seen: Seen) -> Passed {
        let mut passed = Passed::default();
        let Some(rules) = &self.rules else {
            return passed;
        };
        let fate = self.tracker.fate(packet);
        let matters = seen.state == State::Related;
        for (hook, seen) in ways(fate, seen) {
            let passing = Passing {
                seen,
                ..rules.passing(packet, fate)
            };
            let ruling = rules.decide(hook, &passing, matters && seen.is_some(), &mut passed);
            if ruling.dropped {
                break;
            }
        }
        passed
    }

    /// What rules would do to a packet that conntrack had seen so. What comes to no host is dropped.
    pub fn try_rules(&self, packet: &Packet<'_>, seen: Seen) -> Trial<'_> {
        let fate = self.tracker.fate(packet);
        let mut local = self.tracker.config().local.iter();
        let arrives = fate == Fate::Forwarded || local.any(|own| own.addr() == packet.dst);
        let mut trial = Trial {
            dropped: !arrives,
            helper: None,
        };
        let Some(rules) = &self.rules else {
            return trial;
        };
        for (hook, seen) in ways(fate, seen) {
            let passing = Passing {
                seen,
                ..rules.passing(packet, fate)
            };
            let ruling = rules.set.decide(&rules.hooks, hook, &passing, None);
            let helper = rules.gives(&ruling, seen.is_some(), packet);
            trial.helper = trial.helper.or(helper.map(|helper| helper.name.as_str()));
            trial.dropped |= ruling.dropped;
        }
        trial
    }

    /// Those that it was given.
    pub fn rules(&self) -> Option<&Ruleset> {
        Some(&self.rules.as_ref()?.set)
    }
}

impl Rules {
    fn new(config: &Config, mut set: Ruleset, topology: Option<Topology>) -> Self {
        set.check_helpers(|name| config.modules.registered_as(name).is_some());
        Self {
            hooks: Hooks::of(&set),
            set,
            modules: config.modules.clone(),
            local: config.local.clone(),
            topology,
        }
    }

    fn packet<'t>(
        &self,
        tracker: &'t mut Tracker,
        at: Timestamp,
        packet: &Packet<'_>,
        passed: &mut Passed,
    ) -> Step<'t> {
        *passed = Passed::default();
        let fate = tracker.fate(packet);
        let hooks = hooks(fate);
        let mut passing = self.passing(packet, fate);
        let early = self.decide(hooks[0], &passing, false, passed);
        if early.dropped {
            return tracker.drop_early(at);
        }
        let first = self.effects(&early).find(|effect| is_early(effect));
        let mut entered = tracker.enter(at, packet, first != Some(&Effect::Untrack));
        if entered.is_dropped() {
            return tracker.leave(entered, packet);
        }
        if let Some(Effect::Template(helper)) = first
            && !tracker.status(&entered).has(Status::EXPECTED)
        {
            self.attach(tracker, &mut entered, packet, helper);
        }
        for (index, hook) in hooks.iter().enumerate() {
            passing.seen = Some(Seen {
                state: entered.verdict.state,
                direction: entered.verdict.direction,
                status: tracker.status(&entered),
                helper: entered.verdict.helper,
            });
            let matters = entered.verdict.state == State::Related || entered.verdict.attached;
            let ruling = self.decide(*hook, &passing, matters, passed);
            if let Some(helper) = self.gives(&ruling, true, packet) {
                self.attach(tracker, &mut entered, packet, helper);
            }
            if entered.verdict.state == State::Invalid && self.untracks(&ruling) {
                entered.verdict.state = State::Untracked;
            }
            if ruling.dropped {
                return tracker.discard(entered);
            }
            if index == 0 {
                tracker.attach_configured(&mut entered, packet);
            }
        }
        tracker.leave(entered, packet)
    }

    /// The packet before conntrack. The firewall's own comes from no interface, and what it takes in goes to none.
    fn passing<'p>(&'p self, packet: &'p Packet<'_>, fate: Fate) -> Passing<'p> {
        let interface = |address| self.topology.as_ref()?.interface_of(address);
        let (comes, goes) = match fate {
            Fate::Forwarded | Fate::Discarded => (true, true),
            Fate::Delivered => (true, false),
            Fate::Sent | Fate::Broadcast | Fate::Looped => (false, true),
        };
        Passing {
            packet,
            seen: None,
            input: if comes {
                interface(packet.src)
            } else {
                Some("")
            },
            output: if goes {
                interface(packet.dst)
            } else {
                Some("")
            },
            local: &self.local,
        }
    }

    fn decide(
        &self,
        hook: Hook,
        passing: &Passing<'_>,
        matters: bool,
        passed: &mut Passed,
    ) -> Ruling {
        let ruling = self.set.decide(&self.hooks, hook, passing, None);
        passed.dropped |= ruling.dropped;
        passed.undecided.extend_from_slice(&ruling.undecided);
        if matters || !ruling.effects.is_empty() {
            for &id in ruling.by.iter().chain(&ruling.effects) {
                let without = self.set.decide(&self.hooks, hook, passing, Some(id));
                let helps = |ruling| self.gives(ruling, passing.seen.is_some(), passing.packet);
                if without.dropped != ruling.dropped || helps(&without) != helps(&ruling) {
                    passed.hangs_on.push(id);
                }
            }
        }
        ruling
    }

    fn effects(&self, ruling: &Ruling) -> impl Iterator<Item = &Effect> {
        let rules = ruling.effects.iter();
        rules.filter_map(|id| self.set.rule(*id)?.effect.as_ref())
    }

    /// Whether a rule marked a packet without a flow as one that shall have none (`nft_notrack_eval`).
    fn untracks(&self, ruling: &Ruling) -> bool {
        self.effects(ruling)
            .any(|effect| *effect == Effect::Untrack)
    }

    /// The helper that comes first and takes effect there, before conntrack or behind it.
    fn gives(&self, ruling: &Ruling, is_behind: bool, packet: &Packet<'_>) -> Option<&Helper> {
        let helpers = self.effects(ruling).filter_map(|effect| match effect {
            Effect::Help(helper) if is_behind => Some(helper),
            Effect::Template(helper) if !is_behind => Some(helper),
            _ => None,
        });
        let mut fitting = helpers.filter(|helper| is_for(helper, packet));
        fitting.next()
    }

    /// To a flow of the helper's protocol and family (`nft_ct_helper_obj_eval`, `xt_ct_set_helper`).
    fn attach(
        &self,
        tracker: &mut Tracker,
        entered: &mut Entered,
        packet: &Packet<'_>,
        helper: &Helper,
    ) {
        let registered = self.modules.registered_as(&helper.name);
        let registered = registered.filter(|registered| {
            let ipv6 = packet.src.is_ipv6();
            is_for(helper, packet) && registered.spec.reads(helper.protocol, ipv6)
        });
        if let Some(registered) = registered {
            tracker.attach(entered, registered);
        }
    }
}

/// Whether the helper is one of the packet's protocol and family. Another one leaves the flow to those behind it.
fn is_for(helper: &Helper, packet: &Packet<'_>) -> bool {
    let protocol = packet.transport.map(|(protocol, _)| protocol);
    protocol == Some(helper.protocol) && helper.family.has(packet.src.is_ipv6())
}

/// What takes effect before conntrack. The first such rule counts: a packet that has a template, or is untracked, the CT
/// target leaves alone (`xt_ct_target`).
fn is_early(effect: &Effect) -> bool {
    matches!(effect, Effect::Template(_) | Effect::Untrack)
}

/// The helpers that rules name: without them in conntrackd's configuration the rules would not load.
fn named(set: &Ruleset, modules: &Modules) -> Vec<(&'static str, Protocol)> {
    let effects = set.rules().filter_map(|(_, rule)| rule.effect.as_ref());
    let named = effects.filter_map(|effect| match effect {
        Effect::Help(helper) | Effect::Template(helper) => {
            let spec = modules.registered_as(&helper.name)?.spec;
            Some((spec.name, helper.protocol))
        }
        Effect::Untrack => None,
    });
    named.collect()
}

/// The hooks that a packet passes, and what is known of it there: at the first one twice, before conntrack and behind it.
fn ways(fate: Fate, seen: Seen) -> impl Iterator<Item = (Hook, Option<Seen>)> {
    let hooks = hooks(fate);
    let behind = hooks.iter().map(move |hook| (*hook, Some(seen)));
    [(hooks[0], None)].into_iter().chain(behind)
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
