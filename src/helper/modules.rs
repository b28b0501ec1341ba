//! What an administrator has set up: the kernel's modules with their parameters, conntrackd with its policies, and the
//! helpers that both register.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Policy, Spec, all};
use crate::tuple::Protocol;

/// A module parameter, as `MODULE.NAME=VALUE`.
#[derive(Debug)]
pub struct Parameter {
    /// `MODULE.PARAMETER`
    pub name: &'static str,
    /// Where nobody has set it.
    pub default: u32,
    /// The values that the module takes; switches have 0 and 1.
    pub range: std::ops::RangeInclusive<u32>,
    /// What it does where it is not its default, or what it counts.
    pub meaning: &'static str,
}

/// Values of the module parameters, and conntrackd's configuration.
#[derive(Clone, Debug)]
pub struct Modules {
    values: BTreeMap<&'static str, u32>,
    /// Of conntrackd's helpers, those that are not the usual ones; by `Spec::name`.
    policies: BTreeMap<&'static str, Policy>,
    registered: Vec<Registered>,
}

impl Modules {
    /// The parameter's value; the name is one of a `Spec`'s.
    pub fn get(&self, name: &str) -> u32 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// Every helper that the modules register.
    pub fn registered(&self) -> &[Registered] {
        &self.registered
    }

    /// By the name that rules use.
    pub fn registered_as(&self, name: &str) -> Option<&Registered> {
        self.registered.iter().find(|helper| helper.name == name)
    }

    /// Has conntrackd register this helper of its own, so that the kernel's of the same name is not: one of them alone
    /// can be (`nfnl_cthelper_new`, `-EBUSY`).
    pub fn replace(&mut self, spec: &'static Spec) {
        self.registered
            .retain(|helper| helper.spec.called() != spec.called());
        self.registered.push(Registered::usual(spec));
    }

    /// The helper that a rule means by this name, or by `conntrackd:NAME` where conntrackd runs it.
    pub fn named(&self, name: &str) -> Result<&Registered, String> {
        let mut registered = self.registered.iter();
        let found = registered.find(|helper| {
            helper.name == name || helper.spec.replaces_a_module() && helper.spec.name == name
        });
        found.ok_or_else(|| {
            let of_conntrackd = all().filter(|spec| spec.replaces_a_module());
            let registered = self.registered.iter().map(|helper| helper.name);
            let known: Vec<&str> = registered
                .chain(of_conntrackd.map(|spec| spec.name))
                .collect();
            format!(
                "there is no helper '{name}'; there are {}",
                known.join(", ")
            )
        })
    }

    /// How many a helper may expect and for how long, by class.
    pub fn policies(&self, spec: &Spec) -> Vec<Policy> {
        match self.policies.get(spec.name) {
            Some(&policy) => vec![policy],
            None => (spec.policies)(self),
        }
    }

    /// Reads `HELPER=MAX/SECONDS`, a `Policy` of conntrackd's configuration.
    pub fn set_policy(&mut self, text: &str) -> Result<(), String> {
        let form = || format!("'{text}' is not of the form HELPER=MAX/SECONDS, as in ssdp=8/300");
        let (name, policy) = text.split_once('=').ok_or_else(form)?;
        let (most, seconds) = policy.split_once('/').ok_or_else(form)?;
        let of_conntrackd = || all().filter(|spec| spec.in_userspace());
        let Some(spec) = of_conntrackd().find(|spec| spec.name == name.trim()) else {
            let known: Vec<&str> = of_conntrackd().map(|spec| spec.name).collect();
            return Err(format!(
                "'{name}' has no policy to set; the helpers of conntrackd's that do: {}",
                known.join(" ")
            ));
        };
        let number = |text: &str, most| text.trim().parse::<u32>().ok().filter(|n| *n <= most);
        let max_expected = number(most, MOST_EXPECTED)
            .ok_or_else(|| format!("'{most}' is no ExpectMax (0 to {MOST_EXPECTED})"))?;
        let seconds = number(seconds, MOST_SECONDS)
            .ok_or_else(|| format!("'{seconds}' is no ExpectTimeout (0 to {MOST_SECONDS})"))?;
        let timeout = Duration::from_secs(seconds.into());
        let policy = Policy {
            max_expected,
            timeout,
        };
        self.policies.insert(spec.name, policy);
        Ok(())
    }

    /// Whether some `ports=` was set, which newer kernels do not know.
    pub fn names_ports(&self) -> bool {
        self.registered.iter().any(|helper| helper.port.is_some())
    }

    /// The parameters that do not have their defaults, as `MODULE.PARAMETER` and value, in the order of their names;
    /// `ports=` wherever it was set.
    pub fn changed(&self) -> BTreeMap<String, String> {
        let mut changed = BTreeMap::new();
        for parameter in all().flat_map(|spec| spec.parameters) {
            let value = self.get(parameter.name);
            if value != parameter.default {
                changed.insert(parameter.name.to_owned(), value.to_string());
            }
        }
        for helper in &self.registered {
            let Some(port) = helper.port else { continue };
            let list: &mut String = changed.entry(ports(helper.spec)).or_default();
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&port.to_string());
        }
        changed
    }

    /// Reads `MODULE.PARAMETER=VALUE`; a switch takes 0, 1, n, y.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            format!(
                "'{text}' is not of the form MODULE.PARAMETER=VALUE, as in nf_conntrack_ftp.loose=1"
            )
        })?;
        let mut with_ports = all().filter(|spec| spec.instances() != Instances::One);
        if let Some(spec) = with_ports.find(|spec| name.trim() == ports(spec)) {
            return self.register(spec, value);
        }
        let mut parameters = all().flat_map(|spec| spec.parameters);
        let Some(parameter) = parameters.find(|parameter| parameter.name == name.trim()) else {
            let with_ports = all().filter(|spec| spec.instances() != Instances::One);
            let values = self.values.keys().map(|name| (*name).to_owned());
            let mut known: Vec<String> = values.chain(with_ports.map(ports)).collect();
            known.sort();
            return Err(format!(
                "'{name}' decides nothing in this simulation; the parameters that do: {}",
                known.join(" ")
            ));
        };
        let number = match value.trim() {
            "n" | "N" if parameter.range == (0..=1) => Some(0),
            "y" | "Y" if parameter.range == (0..=1) => Some(1),
            digits => digits.parse().ok(),
        };
        match number.filter(|number| parameter.range.contains(number)) {
            Some(number) => self.values.insert(parameter.name, number),
            None => {
                let (least, most) = (parameter.range.start(), parameter.range.end());
                return Err(format!(
                    "'{value}' is no value for {name} ({least} to {most})"
                ));
            }
        };
        Ok(())
    }

    /// `ports=21,2121`
    fn register(&mut self, spec: &'static Spec, list: &str) -> Result<(), String> {
        let ports = list.split(',').map(|port| port.trim().parse::<u16>().ok());
        let ports: Vec<u16> = ports.collect::<Option<_>>().unwrap_or_default();
        if !(1..=MOST_PORTS).contains(&ports.len()) {
            return Err(format!(
                "'{list}' is no list of 1 to {MOST_PORTS} ports, as in 21,2121"
            ));
        }
        // Two helpers of one name cannot be registered, and the module would not load.
        if ports
            .iter()
            .enumerate()
            .any(|(at, port)| ports[..at].contains(port))
        {
            return Err(format!("'{list}' names a port twice"));
        }
        self.registered
            .retain(|helper| helper.spec.name != spec.name);
        for (index, &port) in ports.iter().enumerate() {
            let usual = spec.ports.iter().any(|&(_, usual)| usual == Some(port));
            let name = match spec.instances() {
                _ if usual => spec.name,
                Instances::ByIndex => leaked(format!("{}-{index}", spec.name)),
                Instances::One | Instances::ByPort => leaked(format!("{}-{port}", spec.name)),
            };
            self.registered.push(Registered {
                name,
                spec,
                port: Some(port),
            });
        }
        Ok(())
    }
}

/// The parameter that says which ports a helper is registered for.
fn ports(spec: &Spec) -> String {
    format!("{}.ports", spec.module())
}

/// Names of helpers are few, and live as long as the program.
fn leaked(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

/// Seconds that a time-out in a parameter may have: so far ahead a 32-bit count of ticks can say that something lies.
/// Kernels take more, and it wraps.
pub const MOST_SECONDS: u32 = i32::MAX as u32 / 250;

/// `MAX_PORTS`
pub const MOST_PORTS: usize = 8;

/// `NF_CT_EXPECT_MAX_CNT`: a policy that asks for more is refused (`nfnl_cthelper_expect_policy`).
pub const MOST_EXPECTED: u32 = 255;

impl Default for Modules {
    fn default() -> Self {
        let parameters = all().flat_map(|spec| spec.parameters);
        Self {
            values: parameters
                .map(|parameter| (parameter.name, parameter.default))
                .collect(),
            policies: BTreeMap::new(),
            registered: all()
                .filter(|spec| !spec.replaces_a_module())
                .map(Registered::usual)
                .collect(),
        }
    }
}

/// What the module parameter `ports=` makes of a helper, on kernels that have it (`nf_ct_helper_init`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// There is no such parameter.
    One,
    /// One for each port, the port in its name where it is not the usual one: `ftp-2121`.
    ByPort,
    /// The same with the port's place in the list: `irc-1`.
    ByIndex,
}

/// A helper under the name by which rules know it.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// With its port or index, where `ports=` asks for that.
    pub name: &'static str,
    /// What it is.
    pub spec: &'static Spec,
    /// Where it is registered for another port than the usual one.
    port: Option<u16>,
}

impl Registered {
    fn usual(spec: &'static Spec) -> Self {
        Self {
            name: spec.called(),
            spec,
            port: None,
        }
    }

    /// Its protocols, and the port of each where it has one.
    pub fn ports(&self) -> impl Iterator<Item = (Protocol, Option<u16>)> {
        let ports = self.spec.ports.iter();
        ports.map(|&(protocol, usual)| (protocol, self.port.or(usual)))
    }
}
