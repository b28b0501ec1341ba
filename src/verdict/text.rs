//! Verdicts in words: no sentence has its full stop, and nothing of a payload is in one.

use std::collections::BTreeMap;

use super::{Danger, Obstacle, Verdict, Why, Worth};
use crate::dialogue::Elsewhere;
use crate::service::Sighting;

impl Worth {
    /// As reports and tables call it.
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

impl Why {
    fn text(&self, verdict: &Verdict<'_>) -> String {
        let usage = verdict.usage;
        match self {
            Self::Encrypted(seen) => format!("encrypted from frame {} on", seen.first),
            Self::BegunBefore(seen) => format!(
                "{} for its expectations had begun before the capture",
                counted(seen.times, "flow")
            ),
            Self::NobodyCame => {
                let nobody = format!("nobody came for {}", counted(usage.expected, "expectation"));
                if usage.unanswered == usage.controls {
                    format!("{nobody}; UNREPLIED")
                } else {
                    nobody
                }
            }
            Self::Declined(reason, seen) => {
                format!(
                    "every command was declined: {reason} (frame {})",
                    seen.first
                )
            }
            Self::Unanswered => {
                "UNREPLIED: no answer from the address and port that was asked".to_owned()
            }
            Self::Carries(content, seen) => {
                format!("the port carries {content} (frame {})", seen.first)
            }
            Self::Silent => "nothing was said".to_owned(),
            Self::NothingAsked => "no data connection was asked for".to_owned(),
        }
    }
}

impl Obstacle {
    fn text(&self) -> String {
        match self {
            Self::Encrypted {
                seen,
                passive,
                active,
            } => {
                let mut text = format!("encrypted from frame {} on", seen.first);
                if !passive.is_empty() {
                    let flows = passive.values().map(|seen| seen.times).sum();
                    let flows = counted(flows, "flow");
                    text += &format!("; {flows} to port {} came unexpected", ports(passive));
                }
                if active.times > 0 {
                    let flows = counted(active.times, "flow");
                    text += &format!("; {flows} from the server's data port came unexpected");
                }
                text
            }
            Self::AnsweredElsewhere { elsewhere, .. } => {
                let Elsewhere {
                    from,
                    expected,
                    seen,
                    ..
                } = elsewhere;
                format!(
                    "{expected} was expected, {from} came (frame {})",
                    seen.first
                )
            }
            Self::NamesOthers { seen, .. } => format!(
                "its ends name other hosts than themselves (frame {}), which it does not believe",
                seen.first
            ),
            Self::OneSided(seen) => format!(
                "the other direction does not pass here, or with other addresses (frame {})",
                seen.first
            ),
            Self::OwnBroadcastsOnly => {
                "it helps only what the firewall itself broadcasts".to_owned()
            }
        }
    }

    /// The setting that would do instead.
    pub fn instead(&self) -> String {
        match self {
            Self::Encrypted { passive, .. } if !passive.is_empty() => format!(
                "pin the server's passive range, which is at least {} here, and accept that from its clients",
                ports(passive)
            ),
            Self::Encrypted { .. } => "use passive mode with a pinned range, or accept what the server opens from its \
                                       data port to its clients"
                .to_owned(),
            Self::AnsweredElsewhere {
                wider: Some((parameter, value)),
                ..
            }
            | Self::NamesOthers {
                wider: (parameter, value),
                ..
            } => format!("{parameter}={value}, which lets in anybody"),
            Self::AnsweredElsewhere { wider: None, .. } => {
                "have the server answer from the address that it is asked at".to_owned()
            }
            Self::OneSided(_) => {
                "route both directions of the control connection through this firewall, untranslated".to_owned()
            }
            Self::OwnBroadcastsOnly => "nothing, for what the firewall forwards; where it asks itself, --local \
                                        ADDRESS/PREFIX shows what it needs"
                .to_owned(),
        }
    }
}

impl Danger {
    /// In words, without a full stop.
    pub fn text(&self) -> String {
        match self {
            Self::OpenToAnybody(time) => format!("open to anybody for {:.3} s", time.as_secs_f64()),
            Self::ThirdHosts(1) => "one expectation led to a third host".to_owned(),
            Self::ThirdHosts(times) => format!("{times} expectations led to third hosts"),
            Self::Findings(1, severity) => format!("one finding of severity {}", severity.name()),
            Self::Findings(times, severity) => {
                let worst = severity.name();
                format!("{times} findings, the worst of severity {worst}")
            }
        }
    }
}

impl Verdict<'_> {
    /// What the verdict stands on.
    pub fn because(&self) -> String {
        match &self.worth {
            Worth::Needed => {
                let flows = counted(self.usage.related_flows(), "flow");
                let needed = format!("{flows} would be NEW without it");
                match self.talked.map_or(0, |talked| talked.encrypted.times) {
                    0 => needed,
                    times => {
                        let blind = counted(times, "connection");
                        format!("{needed}; it is blind on {blind} more, encrypted")
                    }
                }
            }
            Worth::Inert(why) => why.text(self),
            Worth::CannotHelp(obstacle) => obstacle.text(),
        }
    }

    /// The frames that show it, the first few.
    pub fn frames(&self) -> Vec<u64> {
        let mut frames: Vec<u64> = match &self.worth {
            Worth::Needed => {
                let related = self.usage.related.values();
                related
                    .flat_map(|related| related.packets.iter().copied())
                    .collect()
            }
            Worth::Inert(
                Why::Encrypted(seen)
                | Why::BegunBefore(seen)
                | Why::Carries(_, seen)
                | Why::Declined(_, seen),
            )
            | Worth::CannotHelp(Obstacle::OneSided(seen) | Obstacle::NamesOthers { seen, .. }) => {
                vec![seen.first]
            }
            Worth::CannotHelp(Obstacle::AnsweredElsewhere { elsewhere, .. }) => {
                vec![elsewhere.seen.first]
            }
            Worth::CannotHelp(Obstacle::Encrypted {
                seen,
                passive,
                active,
            }) => {
                let beside = passive
                    .values()
                    .chain([active])
                    .filter(|seen| seen.times > 0);
                [seen]
                    .into_iter()
                    .chain(beside)
                    .map(|seen| seen.first)
                    .collect()
            }
            Worth::Inert(Why::NobodyCame | Why::Unanswered | Why::Silent | Why::NothingAsked)
            | Worth::CannotHelp(Obstacle::OwnBroadcastsOnly) => vec![self.usage.first_packet],
        };
        frames.sort_unstable();
        frames.dedup();
        frames.truncate(EVIDENCE);
        frames
    }

    /// What of the control connections and of what they expect the capture lacks; empty where it has all.
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
        if self.usage.begun_before.times > 0 {
            let flows = counted(self.usage.begun_before.times, "related flow");
            lacks.push(format!("{flows} begun before it"));
        }
        if self.reversed.times > 0 {
            let frame = self.reversed.first;
            lacks.push(format!("more begin with a server's packet (frame {frame})"));
        }
        lacks.join(", ")
    }
}

/// Ports, or how far they reach where there are many.
fn ports(seen: &BTreeMap<u16, Sighting>) -> String {
    let mut ports = seen.keys();
    match (ports.next(), ports.next_back()) {
        (Some(low), Some(high)) if seen.len() > FEW => format!("{low}-{high}"),
        _ => {
            let ports: Vec<String> = seen.keys().map(u16::to_string).collect();
            ports.join(", ")
        }
    }
}

/// A number and its noun, in the plural where it takes one.
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Frames that are named as evidence.
const EVIDENCE: usize = 3;
/// Ports that are told one by one.
const FEW: usize = 4;
