//! What has to be set up for helpers that conntrackd runs, before a rule can name them.

use std::collections::BTreeMap;

use super::{Accept, Attach, Proposed, What};
use crate::helper::{Families, Freedom, Modules, Policy, Spec};
use crate::tuple::Protocol;

/// A helper of conntrackd's for one protocol: a `Type` block of its configuration, with a queue of its own.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Which helper.
    pub spec: &'static Spec,
    /// TCP or UDP: conntrackd registers a helper for one.
    pub protocol: Protocol,
    /// What it may expect.
    pub policy: Policy,
}

/// Those that rules name, and those that flows have from their expectations, by names and protocols.
pub fn instances(rules: &[Proposed], modules: &Modules) -> Vec<Instance> {
    let named = rules.iter().filter_map(|rule| match &rule.what {
        What::Attach(Attach {
            helper, protocol, ..
        }) => Some((*helper, *protocol)),
        What::Accept(Accept {
            helper, protocol, ..
        }) => {
            let mut freedom = modules.registered_as(helper)?.spec.freedom.iter();
            let inherits =
                |line: &Freedom| (line.read_by, line.protocol) == (Some(*helper), Some(*protocol));
            freedom.any(inherits).then_some((*helper, *protocol))
        }
        What::IcmpError { .. } => None,
    });
    let instances: BTreeMap<_, _> = named
        .filter_map(|(name, protocol)| {
            let spec = modules.registered_as(name)?.spec;
            Some(((name, protocol), Instance::of(spec, protocol, modules)?))
        })
        .collect();
    instances.into_values().collect()
}

impl Instance {
    /// `None` for a helper of the kernel's.
    pub fn of(spec: &'static Spec, protocol: Protocol, modules: &Modules) -> Option<Self> {
        if !spec.in_userspace() {
            return None;
        }
        let policy = *modules.policies(spec).first()?;
        Some(Self {
            spec,
            protocol,
            policy,
        })
    }

    /// The address family in conntrackd's words.
    fn family(&self) -> &'static str {
        match self.spec.families {
            Families::Ipv4 | Families::Both => "inet",
            Families::Ipv6 => "inet6",
        }
    }

    /// The command that has the kernel know the helper (nfct(8)).
    pub fn command(&self) -> String {
        let (name, family) = (self.spec.called(), self.family());
        format!("nfct add helper {name} {family} {}", self.protocol)
    }
}

/// Commands for a root shell that set up a conntrackd which does nothing else, beside any that is there.
pub fn script(instances: &[Instance]) -> String {
    let mut text = String::from("sh -e <<'SET_UP'\n");
    for instance in instances {
        if instance.spec.replaces_a_module() {
            let name = instance.spec.called();
            text +=
                &format!("modprobe -qr nf_nat_{name} || true\nmodprobe -r nf_conntrack_{name}\n");
        }
    }
    text += "modprobe -a nfnetlink_cthelper nfnetlink_queue\n";
    for instance in instances {
        text += &instance.command();
        text.push('\n');
    }
    text += &format!(
        "cat >{CONFIGURATION} <<'END'\n{}END\n",
        configuration(instances)
    );
    text += &format!("conntrackd -C {CONFIGURATION} -d\nSET_UP\n");
    text
}

/// conntrackd.conf(5). Any queue will do that nothing else reads.
fn configuration(instances: &[Instance]) -> String {
    let mut text = String::from(
        "Helper {\n\t# before conntrack-tools 1.4.7 there is no Setup: leave it out\n\tSetup yes\n",
    );
    for (queue, instance) in (FIRST_QUEUE..).zip(instances) {
        let Instance {
            spec,
            protocol,
            policy,
        } = instance;
        let (name, family) = (spec.called(), instance.family());
        let (most, seconds) = (policy.max_expected, policy.timeout.as_secs());
        text += &format!("\tType {name} {family} {protocol} {{\n");
        text += &format!("\t\tQueueNum {queue}\n\t\tQueueLen {QUEUE_LENGTH}\n");
        text += &format!(
            "\t\tPolicy {name} {{\n\t\t\tExpectMax {most}\n\t\t\tExpectTimeout {seconds}\n"
        );
        text += "\t\t}\n\t}\n";
    }
    text + "}\n" + GENERAL
}

/// Packets; what comes when so many wait is dropped. The number is the documented example's.
const QUEUE_LENGTH: u32 = 10_240;

/// Others that use queues begin at 0.
const FIRST_QUEUE: u16 = 200;

/// Not conntrackd's usual one, which may be in use.
const CONFIGURATION: &str = "/etc/conntrackd/helpers.conf";

const GENERAL: &str = "\
General {
\tLogFile /var/log/conntrackd-helpers.log
\tLockFile /run/conntrackd-helpers.lock
\tUNIX {
\t\tPath /run/conntrackd-helpers.ctl
\t}
}
";
