//! Which helpers the traffic needs: what the exposure and the dialogues come to, service by service.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::dialogue::{Elsewhere, Summaries, Talked};
use crate::discovery::Discovery;
use crate::exposure::{Exposure, Use};
use crate::findings::Severity;
use crate::helper::{Field, Spec};
use crate::service::{Service, Sighting};

/// What is to be said of the helper on one service.
#[derive(Debug)]
pub struct Verdict<'a> {
    pub service: Service,
    pub usage: &'a Use,
    /// `None` where no control connection said anything.
    pub talked: Option<&'a Talked>,
    pub worth: Worth,
    /// Where what it opened was wider than what the two ends could use.
    pub dangers: Vec<Danger>,
}

/// Whether the traffic needs the helper.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// Nobody answered on any control connection.
    Unanswered,
    /// The port carries something else.
    Carries(&'static str, Sighting),
    /// Expected, and nobody came.
    NobodyCame,
    /// Commands were declined; the commonest reason.
    Declined(&'static str, Sighting),
    /// Control connections on which nothing was said.
    Silent,
    /// Something was said, and no data connection negotiated.
    NothingAsked,
}

/// Why a helper is of no use here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Obstacle {
    /// The two ends encrypt, and negotiate data connections all the same, to these ports of the server.
    Encrypted { seen: Sighting, range: Range },
    /// Flows came from another address than the one that was expected.
    AnsweredElsewhere {
        elsewhere: Elsewhere,
        /// The module parameter, and its value, with which the helper lets in anybody.
        wider: Option<(&'static str, u32)>,
    },
    /// One direction alone passes here, so no connection is ever ESTABLISHED.
    OneSided(Sighting),
    /// It helps only what the firewall itself broadcasts.
    OwnBroadcastsOnly,
}

/// Ports that flows went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub low: u16,
    pub high: u16,
    pub flows: Sighting,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}-{}", self.low, self.high)
        }
    }
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

impl Worth {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Inert(_) => "inert",
            Self::CannotHelp(_) => "cannot help",
        }
    }

    /// What a longer capture could still show.
    pub const fn could_change(&self) -> &'static str {
        match self {
            Self::Needed => "more clients, ports and flows for its rules",
            Self::Inert(_) => "a flow that comes for an expectation, which makes it needed",
            Self::CannotHelp(_) => "a session without the obstacle, which makes it needed",
        }
    }
}

impl Obstacle {
    /// The setting that would do instead.
    pub fn instead(&self) -> String {
        match self {
            Self::Encrypted { range, .. } => format!(
                "pin the server's passive range (this capture shows {range}) and accept that from its clients"
            ),
            Self::AnsweredElsewhere {
                wider: Some((parameter, value)),
                ..
            } => format!("{parameter}={value}, which lets in anybody"),
            Self::AnsweredElsewhere { wider: None, .. } => {
                "have the server answer from the address that it is asked at".to_owned()
            }
            Self::OneSided(_) => {
                "route both directions of the control connection through this firewall".to_owned()
            }
            Self::OwnBroadcastsOnly => {
                "--local ADDRESS/PREFIX, where the firewall itself asks; else nothing needs it"
                    .to_owned()
            }
        }
    }
}

/// The verdicts, in the order of the services. `findings` are counted by service and severity; `assigned` are the
/// helpers by the names that rules use, of which those that `cannot_fire` no packet here could make expect anything.
pub fn of<'a>(
    exposure: &'a Exposure,
    summaries: &'a Summaries,
    discovery: &Discovery,
    findings: &BTreeMap<(Service, Severity), u64>,
    assigned: &BTreeMap<&'static str, &'static Spec>,
    cannot_fire: &BTreeSet<&'static str>,
) -> Vec<Verdict<'a>> {
    let services = exposure.services.iter();
    services
        .map(|(service, usage)| {
            let talked = summaries.services.get(service);
            let spec = assigned.get(service.helper).copied();
            let worth = match usage.is_needed() {
                true => Worth::Needed,
                false if cannot_fire.contains(service.helper) => {
                    Worth::CannotHelp(Obstacle::OwnBroadcastsOnly)
                }
                false => without_flows(service, usage, talked, discovery, spec),
            };
            Verdict {
                service: *service,
                usage,
                talked,
                worth,
                dangers: dangers(service, usage, findings),
            }
        })
        .collect()
}

/// The worth of a helper for whose expectations no flow came.
fn without_flows(
    service: &Service,
    usage: &Use,
    talked: Option<&Talked>,
    discovery: &Discovery,
    spec: Option<&Spec>,
) -> Worth {
    let nothing = Talked::default();
    let talked = talked.unwrap_or(&nothing);
    if talked.encrypted.times > 0 {
        return match passive_range(service, talked, discovery) {
            Some(range) => Worth::CannotHelp(Obstacle::Encrypted {
                seen: talked.encrypted,
                range,
            }),
            None => Worth::Inert(Why::Encrypted(talked.encrypted)),
        };
    }
    if let Some(elsewhere) = talked.elsewhere {
        let wider = spec.and_then(|spec| wider(spec, elsewhere.class));
        return Worth::CannotHelp(Obstacle::AnsweredElsewhere { elsewhere, wider });
    }
    if usage.controls > 0 && talked.one_sided.times == usage.controls {
        return Worth::CannotHelp(Obstacle::OneSided(talked.one_sided));
    }
    Worth::Inert(why(usage, talked))
}

/// What would have it let in anybody for expectations of this class.
fn wider(spec: &Spec, class: u8) -> Option<(&'static str, u32)> {
    let lines = spec.freedom.iter();
    let mut lines = lines.filter(|line| line.class == class && line.src_addr == Field::Any);
    lines.find_map(|line| line.with)
}

/// Ports of the server to which data went beside an encrypted control connection: not those of which another control
/// protocol is known.
fn passive_range(service: &Service, talked: &Talked, discovery: &Discovery) -> Option<Range> {
    let is_known = |port: u16| {
        let mut known = discovery.services.keys();
        known.any(|other| (other.server, other.port) == (service.server, port))
    };
    let ports = talked.beside.ports.iter();
    let mut ports = ports.filter(|(port, _)| !is_known(**port)).peekable();
    let &(&low, first) = ports.peek()?;
    let mut range = Range {
        low,
        high: low,
        flows: Sighting {
            times: talked.beside.omitted,
            first: first.first,
        },
    };
    for (&port, seen) in ports {
        range.high = port;
        range.flows.merge(*seen);
    }
    Some(range)
}

fn why(usage: &Use, talked: &Talked) -> Why {
    if usage.controls > 0 && usage.unanswered == usage.controls {
        return Why::Unanswered;
    }
    if usage.expected > 0 {
        return Why::NobodyCame;
    }
    if let Some((content, seen)) = talked.carried.iter().max_by_key(|(_, seen)| seen.times) {
        return Why::Carries(content.name(), *seen);
    }
    let refusals = usage.declined.iter().chain(&usage.dropped);
    match refusals.max_by_key(|(_, seen)| seen.times) {
        Some((reason, seen)) => Why::Declined(reason, *seen),
        None if talked.messages == 0 => Why::Silent,
        None => Why::NothingAsked,
    }
}

fn dangers(
    service: &Service,
    usage: &Use,
    findings: &BTreeMap<(Service, Severity), u64>,
) -> Vec<Danger> {
    let mut dangers = Vec::new();
    if usage.open_to_anybody > Duration::ZERO {
        dangers.push(Danger::OpenToAnybody(usage.open_to_anybody));
    }
    if usage.to_third_hosts > 0 {
        dangers.push(Danger::ThirdHosts(usage.to_third_hosts));
    }
    let serious = findings.range((*service, Severity::Medium)..=(*service, Severity::High));
    let (mut count, mut worst) = (0, None);
    for ((_, severity), times) in serious {
        count += times;
        worst = Some(*severity);
    }
    if let Some(worst) = worst {
        dangers.push(Danger::Findings(count, worst));
    }
    dangers
}

impl Danger {
    pub fn text(&self) -> String {
        match self {
            Self::OpenToAnybody(time) => format!("open to anybody for {:.3} s", time.as_secs_f64()),
            Self::ThirdHosts(1) => "one expectation led to a third host".to_owned(),
            Self::ThirdHosts(times) => format!("{times} expectations led to third hosts"),
            Self::Findings(1, severity) => format!("one finding of severity {}", severity.name()),
            Self::Findings(times, severity) => {
                format!(
                    "{times} findings, the worst of severity {}",
                    severity.name()
                )
            }
        }
    }
}

impl Verdict<'_> {
    /// What the verdict stands on, in a sentence without its full stop.
    pub fn because(&self) -> String {
        let usage = self.usage;
        match self.worth {
            Worth::Needed => {
                let flows = usage.related_flows();
                let encrypted = self.talked.map_or(0, |talked| talked.encrypted.times);
                let needed = format!("{} would be NEW without it", counted(flows, "flow"));
                match encrypted {
                    0 => needed,
                    _ => format!(
                        "{needed}; it is blind on {}, which encrypt",
                        counted(encrypted, "more connection")
                    ),
                }
            }
            Worth::Inert(why) => match why {
                Why::Encrypted(seen) => format!("encrypted from frame {} on", seen.first),
                Why::Unanswered => "nobody answered".to_owned(),
                Why::Carries(content, seen) => {
                    format!("the port carries {content} (frame {})", seen.first)
                }
                Why::NobodyCame => {
                    format!("nobody came for {}", counted(usage.expected, "expectation"))
                }
                Why::Declined(reason, seen) => {
                    format!(
                        "every command was declined: {reason} (frame {})",
                        seen.first
                    )
                }
                Why::Silent => "nothing was said".to_owned(),
                Why::NothingAsked => "no data connection was asked for".to_owned(),
            },
            Worth::CannotHelp(obstacle) => match obstacle {
                Obstacle::Encrypted { seen, range } => format!(
                    "encrypted from frame {} on; {} to port {range} came unexpected",
                    seen.first,
                    counted(range.flows.times, "flow"),
                ),
                Obstacle::AnsweredElsewhere {
                    elsewhere:
                        Elsewhere {
                            from,
                            expected,
                            seen,
                            ..
                        },
                    ..
                } => format!(
                    "{expected} was expected, {from} came (frame {})",
                    seen.first
                ),
                Obstacle::OneSided(seen) => {
                    format!("one direction alone passes here (frame {})", seen.first)
                }
                Obstacle::OwnBroadcastsOnly => {
                    "it helps only what the firewall itself broadcasts".to_owned()
                }
            },
        }
    }

    /// The frames that show it, the first few.
    pub fn frames(&self) -> Vec<u64> {
        let mut frames: Vec<u64> = match self.worth {
            Worth::Needed => {
                let related = self.usage.related.values();
                related
                    .flat_map(|related| related.packets.iter().copied())
                    .collect()
            }
            Worth::CannotHelp(Obstacle::Encrypted { seen, range }) => {
                vec![seen.first, range.flows.first]
            }
            Worth::CannotHelp(Obstacle::AnsweredElsewhere { elsewhere, .. }) => {
                vec![elsewhere.seen.first]
            }
            Worth::Inert(Why::Encrypted(seen) | Why::Carries(_, seen) | Why::Declined(_, seen))
            | Worth::CannotHelp(Obstacle::OneSided(seen)) => vec![seen.first],
            Worth::Inert(Why::Unanswered | Why::NobodyCame | Why::Silent | Why::NothingAsked)
            | Worth::CannotHelp(Obstacle::OwnBroadcastsOnly) => vec![self.usage.first_packet],
        };
        frames.sort_unstable();
        frames.dedup();
        frames.truncate(EVIDENCE);
        frames
    }

    /// What of the control connections the capture lacks; empty where it has all.
    pub fn lacks(&self) -> String {
        let mut lacks = Vec::new();
        let of_all = |times| format!("{times} of {}", self.usage.controls);
        if self.usage.picked_up > 0 {
            lacks.push(format!("{} begin before it", of_all(self.usage.picked_up)));
        }
        if let Some(talked) = self.talked {
            if talked.one_sided.times > 0 {
                lacks.push(format!("{} one way only", of_all(talked.one_sided.times)));
            }
            if talked.missing > 0 {
                lacks.push(format!("{} bytes lost", talked.missing));
            }
            if talked.cut > 0 {
                lacks.push(format!("{} cut", counted(talked.cut, "message")));
            }
        }
        lacks.join(", ")
    }
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Frames that are named as evidence.
const EVIDENCE: usize = 4;
