//! What a rule asks of the flow: `-m state` and `-m conntrack`.

use super::Why;
use crate::conntrack::State;
use crate::ruleset::iptables::values;
use crate::ruleset::{Condition, Match};
use crate::tuple::Protocol;

/// One `-m conntrack`.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    state: Option<Condition>,
    others: Vec<Condition>,
}

impl Flow {
    pub fn option(
        &mut self,
        name: &str,
        value: &str,
        negated: bool,
        words: &str,
        ipv6: bool,
    ) -> Result<(), Why> {
        match name {
            "--ctstate" => self.state = Some(state(value, negated, words)?),
            "--ctstatus" => {
                let matches = Match::Status(values::status(value)?);
                self.others.push(Condition { matches, negated });
            }
            "--ctdir" if negated => return Err("iptables refuses to negate it"),
            "--ctdir" => {
                let direction = values::direction(value)?;
                self.others.push(Condition::is(Match::Direction(direction)));
            }
            _ => {
                let is = values::protocol(value)?.ok_or("no flow has it")?;
                self.others.push(protocol(is, negated, words, ipv6));
            }
        }
        Ok(())
    }

    /// What was asked, and nothing any more.
    ///
    /// `conntrack_mt` (xt_conntrack.c) lets a packet without a flow pass whatever else is asked, as long as its state is
    /// right.
    pub fn end(&mut self) -> Vec<Condition> {
        let Self { state, others } = std::mem::take(self);
        match state {
            Some(state) if !others.is_empty() && may_lack_a_flow(&state) => {
                let lacks_one = Condition::is(Match::State(NO_FLOW.to_vec()));
                let without = vec![state.clone(), lacks_one];
                let with = [state].into_iter().chain(others).collect();
                vec![Condition::is(Match::Any(vec![without, with]))]
            }
            state => state.into_iter().chain(others).collect(),
        }
    }
}

/// Of `--state` and `--ctstate`.
pub(super) fn state(value: &str, negated: bool, words: &str) -> Result<Condition, Why> {
    let (states, is_translated) = values::states(value)?;
    let mut matches = Match::State(states);
    if is_translated {
        // Nothing says of a capture what was translated before it came there.
        let ways = [matches, Match::Unknown(words.to_owned())];
        matches = Match::Any(ways.map(|way| vec![Condition::is(way)]).to_vec());
    }
    Ok(Condition { matches, negated })
}

/// The flow's protocol: the packet's, but for an error about a flow, which comes as ICMP.
fn protocol(is: u8, negated: bool, words: &str, ipv6: bool) -> Condition {
    let icmp = if ipv6 {
        Protocol::ICMPV6
    } else {
        Protocol::ICMP
    };
    let related = Match::State(vec![State::Related]);
    let packet = |number: u8| Match::Protocol(vec![number..=number]);
    let own = Condition {
        matches: packet(is),
        negated,
    };
    let tracked = Condition::not(Match::State(NO_FLOW.to_vec()));
    Condition::is(Match::Any(vec![
        vec![
            tracked.clone(),
            Condition::not(related.clone()),
            own.clone(),
        ],
        vec![tracked, Condition::not(packet(icmp.0)), own],
        vec![
            Condition::is(related),
            Condition::is(packet(icmp.0)),
            Condition::is(Match::Unknown(words.to_owned())),
        ],
    ]))
}

fn may_lack_a_flow(state: &Condition) -> bool {
    match &state.matches {
        Match::State(states) if state.negated => !NO_FLOW.iter().all(|no| states.contains(no)),
        Match::State(states) => NO_FLOW.iter().any(|no| states.contains(no)),
        _ => true,
    }
}

const NO_FLOW: [State; 2] = [State::Invalid, State::Untracked];
