//! Which helpers the traffic needs: what the exposure and the dialogues come to, service by service.

mod text;

pub use text::counted;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::dialogue::{Elsewhere, Summaries, Talked};
use crate::discovery::Discovery;
use crate::exposure::{Exposure, Refusals, Use};
use crate::findings::Severity;
use crate::helper::{self, Field, Freedom, Spec};
use crate::service::{Service, Sighting};

/// What is to be said of the helper on one service.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// Whom it is about.
    pub service: Service,
    /// What the helper was asked there, and what came of it.
    pub usage: &'a Use,
    /// `None` where no control connection said anything.
    pub talked: Option<&'a Talked>,
    /// Whether the traffic needs it.
    pub worth: Worth,
    /// Where what it opened was wider than what the two ends could use, and what the catalogue found.
    pub dangers: Vec<Danger>,
    /// Messages of connections that stand on their head, so that no rule attached the helper to them.
    pub reversed: Sighting,
}

/// Whether the traffic needs the helper.
#[derive(Clone, Debug, PartialEq)]
pub enum Worth {
    /// Flows came for its expectations, which would be NEW without it.
    Needed,
    /// It was attached, and no flow came of it.
    Inert(Why),
    /// Nothing could come of it here, whatever the two ends negotiate.
    CannotHelp(Obstacle),
}

/// Why no flow came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// The two ends encrypt.
    Encrypted(Sighting),
    /// Flows that had begun before the capture happened to fit an expectation.
    BegunBefore(Sighting),
    /// Expected, and nobody came.
    NobodyCame,
    /// Commands were declined; the commonest reason.
    Declined(&'static str, Sighting),
    /// Nobody replied on any control connection, from the address and port that was asked.
    Unanswered,
    /// The port carries something else.
    Carries(&'static str, Sighting),
    /// Control connections on which nothing was said.
    Silent,
    /// Something was said, and no data connection negotiated.
    NothingAsked,
}

/// Why a helper is of no use here.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// The two ends encrypt, and negotiate data connections all the same.
    Encrypted {
        /// Connections that were encrypted.
        seen: Sighting,
        /// To these ports of the server.
        passive: BTreeMap<u16, Sighting>,
        /// From the server's data port to the client.
        active: Sighting,
    },
    /// Flows came from another address than the one that was expected.
    AnsweredElsewhere {
        /// Who came, and who was expected.
        elsewhere: Elsewhere,
        /// The module parameter, and its value, with which the helper lets in anybody.
        wider: Option<(&'static str, u32)>,
    },
    /// The ends name other hosts than themselves, and with this value of a module parameter the helper would believe it.
    NamesOthers {
        /// Commands that named others.
        seen: Sighting,
        /// The module parameter, and its value.
        wider: (&'static str, u32),
    },
    /// One direction alone passes here, so no connection is ever ESTABLISHED.
    OneSided(Sighting),
    /// It helps only what the firewall itself broadcasts.
    OwnBroadcastsOnly,
}

/// A reason not to keep the helper as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// For so long, anybody could have come.
    OpenToAnybody(Duration),
    /// So many expectations led to a host that was no end of their master.
    ThirdHosts(u64),
    /// So many findings, the worst of this severity.
    Findings(u64, Severity),
}

/// What verdicts stand on.
pub struct Grounds<'a> {
    /// What was opened, and who came.
    pub exposure: &'a Exposure,
    /// What the control connections carried.
    pub summaries: &'a Summaries,
    /// Control protocols on ports without a helper.
    pub discovery: &'a Discovery,
    /// Counted by service and severity.
    pub findings: &'a BTreeMap<(Service, Severity), u64>,
    /// The helpers by the names that rules use.
    pub assigned: &'a BTreeMap<&'static str, &'static Spec>,
    /// Those that no packet here could make expect anything.
    pub cannot_fire: &'a BTreeSet<&'static str>,
}

impl<'a> Grounds<'a> {
    /// The verdicts, in the order of the services.
    pub fn verdicts(&self) -> Vec<Verdict<'a>> {
        let known = Known::of(self);
        let services = self.exposure.services.iter();
        services
            .map(|(service, usage)| {
                let talked = self.summaries.services.get(service);
                let reversed = self.discovery.reversed.get(service);
                Verdict {
                    service: *service,
                    usage,
                    talked,
                    worth: self.worth(service, usage, talked, &known),
                    dangers: self.dangers(service, usage),
                    reversed: reversed.copied().unwrap_or_default(),
                }
            })
            .collect()
    }

    fn worth(
        &self,
        service: &Service,
        usage: &Use,
        talked: Option<&Talked>,
        known: &Known,
    ) -> Worth {
        if usage.is_needed() {
            return Worth::Needed;
        }
        if self.cannot_fire.contains(service.helper) {
            return Worth::CannotHelp(Obstacle::OwnBroadcastsOnly);
        }
        let nothing = Talked::default();
        let talked = talked.unwrap_or(&nothing);
        if talked.encrypted.times > 0 {
            let seen = talked.encrypted;
            let passive = known.passive_ports(service, talked);
            // One that speaks the same beside it may have opened these.
            let is_alone = known.speaks_alone(service);
            let active = Some(talked.beside.active).filter(|_| is_alone);
            let active = active.unwrap_or_default();
            return if passive.is_empty() && active.times == 0 {
                Worth::Inert(Why::Encrypted(seen))
            } else {
                Worth::CannotHelp(Obstacle::Encrypted {
                    seen,
                    passive,
                    active,
                })
            };
        }
        let spec = self.assigned.get(service.helper);
        if let Some(elsewhere) = talked.elsewhere {
            let wider = spec.and_then(|spec| wider(spec, |line| line.class == elsewhere.class));
            return Worth::CannotHelp(Obstacle::AnsweredElsewhere { elsewhere, wider });
        }
        if usage.controls > 0 && talked.one_sided.times == usage.controls {
            return Worth::CannotHelp(Obstacle::OneSided(talked.one_sided));
        }
        let names_others = usage.refusals.get(helper::NOT_THE_SPEAKER);
        let believes = spec.and_then(|spec| wider(spec, |line| line.dst_addr == Field::Command));
        if let Some((refusals, wider)) = names_others.zip(believes) {
            let seen = refusals.seen;
            return Worth::CannotHelp(Obstacle::NamesOthers { seen, wider });
        }
        Worth::Inert(why(usage, talked))
    }

    fn dangers(&self, service: &Service, usage: &Use) -> Vec<Danger> {
        let mut dangers = Vec::new();
        if usage.open_to_anybody > Duration::ZERO {
            dangers.push(Danger::OpenToAnybody(usage.open_to_anybody));
        }
        if usage.to_third_hosts > 0 {
            dangers.push(Danger::ThirdHosts(usage.to_third_hosts));
        }
        let serious = (*service, Severity::Medium)..=(*service, Severity::High);
        let mut worst = None;
        let mut count = 0;
        for ((_, severity), times) in self.findings.range(serious) {
            count += times;
            worst = Some(*severity);
        }
        dangers.extend(worst.map(|worst| Danger::Findings(count, worst)));
        dangers
    }
}

/// Where control protocols are spoken, with a helper or without.
struct Known {
    ports: BTreeSet<(IpAddr, u16)>,
    /// How many services of a server have the helper, or should have.
    helpers: BTreeMap<(IpAddr, &'static str), usize>,
}

impl Known {
    fn of(grounds: &Grounds<'_>) -> Self {
        let attached = grounds.exposure.services.keys();
        let services: BTreeSet<&Service> =
            attached.chain(grounds.discovery.services.keys()).collect();
        let mut helpers = BTreeMap::new();
        for service in &services {
            *helpers.entry((service.server, service.helper)).or_default() += 1;
        }
        Self {
            ports: services.iter().map(|one| (one.server, one.port)).collect(),
            helpers,
        }
    }

    fn speaks_alone(&self, service: &Service) -> bool {
        self.helpers.get(&(service.server, service.helper)) == Some(&1)
    }

    /// Ports of the server to which data went beside an encrypted control connection: not those at which another
    /// control protocol is known to be spoken.
    fn passive_ports(&self, service: &Service, talked: &Talked) -> BTreeMap<u16, Sighting> {
        let ports = talked.beside.ports.iter();
        let ports = ports.filter(|(port, _)| !self.ports.contains(&(service.server, **port)));
        ports.map(|(port, seen)| (*port, *seen)).collect()
    }
}

/// The module parameter, and its value, that has the helper let in anybody for what such a line describes.
fn wider(spec: &Spec, is_meant: impl Fn(&Freedom) -> bool) -> Option<(&'static str, u32)> {
    let lines = spec.freedom.iter();
    let mut lines = lines.filter(|line| line.src_addr == Field::Any && is_meant(line));
    lines.find_map(|line| line.with)
}

fn why(usage: &Use, talked: &Talked) -> Why {
    if usage.begun_before.times > 0 {
        return Why::BegunBefore(usage.begun_before);
    }
    if usage.expected > 0 {
        return Why::NobodyCame;
    }
    if let Some((content, seen)) = talked.carried.iter().max_by_key(|(_, seen)| seen.times) {
        return Why::Carries(content.name(), *seen);
    }
    // Of a connection that the capture finds open, conntrack has yet to see both directions: that is the capture's doing.
    let of_the_traffic = |reason: &str| usage.picked_up == 0 || reason != helper::NOT_ESTABLISHED;
    let refusals = usage.refusals.iter();
    let weight = |reason, refusals: &Refusals| (of_the_traffic(reason), refusals.seen.times);
    let commonest = refusals.max_by_key(|(reason, refusals)| weight(**reason, refusals));
    if let Some((reason, refusals)) = commonest {
        return Why::Declined(reason, refusals.seen);
    }
    if usage.controls > 0 && usage.unanswered == usage.controls {
        Why::Unanswered
    } else if talked.messages == 0 {
        Why::Silent
    } else {
        Why::NothingAsked
    }
}
