//! What belongs with the rules: modules, their parameters, sysctls. What conntrackd needs, `conntrackd` says.

use std::collections::BTreeSet;

use crate::conntrack::config::{Config, Sysctls};
use crate::helper::{Instances, Modules, Spec, all};
use crate::kernel::{Behaviour, Kernel};

/// Something to do on the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Sentences, with their full stops.
    pub what: String,
    /// For a root shell, line by line: some lines are text between others.
    pub commands: Vec<String>,
}

/// What to do for a firewall to behave like the simulated one, in the order in which to do it. `attached` are the
/// helpers that rules name, `unneeded` those that the analysis found no use for.
pub fn steps(config: &Config, attached: &[&'static Spec], unneeded: &[&'static Spec]) -> Vec<Step> {
    let loaded = modules_of(attached);
    let may_load = [
        Some(automatic_assignment()),
        Some(ports(&config.kernel, &config.modules)),
        keep_out(attached, unneeded, &loaded),
        parameters(&config.modules),
        load(&loaded),
        translation(&loaded),
        sysctls(&config.sysctls, &config.kernel),
        Some(reverse_path()),
    ];
    may_load.into_iter().flatten().collect()
}

/// The switch for what Linux 6.0 took out, and older kernels than that are not simulated.
fn automatic_assignment() -> Step {
    Step {
        what: String::from(
            "Take nf_conntrack_helper out, as the sysctl net.netfilter.nf_conntrack_helper and as a parameter of the \
             module nf_conntrack: helpers have not been attached by themselves since Linux 6.0, which has neither, and \
             sysctl(8) complains about a key that it does not know.",
        ),
        commands: vec![String::from(
            "grep -rsw nf_conntrack_helper /etc/sysctl.conf /etc/sysctl.d /etc/modprobe.d /proc/cmdline",
        )],
    }
}

fn ports(kernel: &Kernel, modules: &Modules) -> Step {
    let mut later = Kernel::all().iter();
    let gone = later.find(|kernel| !kernel.does(Behaviour::HelperPorts));
    let gone = gone.map_or("a later Linux", |kernel| kernel.series);
    let what = if !kernel.does(Behaviour::HelperPorts) {
        format!(
            "Take ports= of helper modules out, and what it made of helpers' names, such as ftp-2121, out of rules: \
             Linux {gone} has neither, and rules with such names do not load. The plain name serves any port."
        )
    } else if modules.names_ports() {
        format!(
            "Replace what ports= of helper modules makes of helpers' names, such as ftp-2121, by the plain names, \
             which serve any port, then take ports= out: it has attached nothing since Linux 6.0, and Linux {gone} has \
             neither, so that rules with such names no longer load."
        )
    } else {
        format!(
            "Take ports= of helper modules out: it has attached nothing since Linux 6.0. It still names helpers, as \
             in ftp-2121; Linux {gone} has neither, and rules with such names no longer load."
        )
    };
    let with_ports = all().filter(|spec| spec.instances() != Instances::One);
    let modules: Vec<&str> = with_ports.map(Spec::module).collect();
    Step {
        what,
        commands: vec![format!(
            "grep -rsE '({}).*ports=' /etc/modprobe.d /proc/cmdline",
            modules.join("|")
        )],
    }
}

/// Modules that would otherwise be loaded by any rule that names their helpers (`nf_conntrack_helper_try_module_get`):
/// also those in whose place conntrackd runs a helper.
fn keep_out(attached: &[&Spec], unneeded: &[&Spec], loaded: &BTreeSet<&str>) -> Option<Step> {
    let replaced = attached.iter().filter(|spec| spec.replaces_a_module());
    let mut idle = modules_of(unneeded);
    idle.extend(replaced.filter_map(|spec| Some(Spec::named(spec.called())?.module())));
    let idle: BTreeSet<&str> = idle.difference(loaded).copied().collect();
    let lines = idle
        .iter()
        .map(|module| format!("install {module} /bin/false"));
    (!idle.is_empty()).then(|| Step {
        what: format!(
            "Nothing here needs {}: such lines keep modprobe(8) from loading them, whoever asks; what is loaded \
             stays until the next start. Rules that name their helpers then do not load, nor do the modules \
             that translate addresses for them.",
            idle.iter().copied().collect::<Vec<_>>().join(", ")
        ),
        commands: file("/etc/modprobe.d/ctaudit-unused.conf", lines),
    })
}

fn parameters(modules: &Modules) -> Option<Step> {
    let changed = modules.changed();
    let lines = changed.iter().filter_map(|(name, value)| {
        let (module, parameter) = name.split_once('.')?;
        Some(format!("options {module} {parameter}={value}"))
    });
    (!changed.is_empty()).then(|| Step {
        what: String::from(
            "The capture was replayed with these module parameters. They hold from when a module is next loaded.",
        ),
        commands: file("/etc/modprobe.d/ctaudit-options.conf", lines),
    })
}

fn load(modules: &BTreeSet<&str>) -> Option<Step> {
    let lines = modules.iter().map(|module| (*module).to_owned());
    let mut commands = file("/etc/modules-load.d/ctaudit.conf", lines);
    commands.push(format!("modprobe -a {}", spaced(modules)));
    (!modules.is_empty()).then(|| Step {
        what: String::from(
            "Load the helpers' modules at boot. Rules that name a helper load its module as well, if modules may still \
             be loaded by then.",
        ),
        commands,
    })
}

/// Only Open vSwitch and tc load these by themselves (`nf_nat_helper_try_module_get`).
fn translation(loaded: &BTreeSet<&str>) -> Option<Step> {
    let siblings: BTreeSet<&str> = TRANSLATING
        .into_iter()
        .filter(|sibling| loaded.contains(sibling.replacen("nf_nat", "nf_conntrack", 1).as_str()))
        .collect();
    let lines = siblings.iter().map(|module| (*module).to_owned());
    let mut commands = file("/etc/modules-load.d/ctaudit-nat.conf", lines);
    commands.push(format!("modprobe -a {}", spaced(&siblings)));
    (!siblings.is_empty()).then(|| Step {
        what: String::from(
            "If the firewall translates addresses of these helpers' connections, load their siblings, too, which \
             translate the addresses in the payload: rules do not load them.",
        ),
        commands,
    })
}

fn sysctls(sysctls: &Sysctls, kernel: &Kernel) -> Option<Step> {
    let exists = |name: &str| !name.contains("_dccp_") || kernel.does(Behaviour::TracksDccp);
    let changed = sysctls.changed().filter(|(name, _)| exists(name));
    let lines: Vec<String> = changed
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    // sysctl.d(5): what is set before the module is there is lost.
    let is_conntracks = |line: &String| line.starts_with("net.netfilter.");
    let needs_module = lines.iter().any(is_conntracks);
    let is_empty = lines.is_empty();
    let mut commands = Vec::new();
    if needs_module {
        let module = String::from("nf_conntrack");
        commands = file("/etc/modules-load.d/ctaudit-conntrack.conf", [module]);
        commands.push(String::from("modprobe nf_conntrack"));
    }
    commands.extend(file(SYSCTLS, lines));
    commands.push(format!("sysctl -p {SYSCTLS}"));
    let module = if needs_module {
        " Those of net.netfilter exist once nf_conntrack is loaded."
    } else {
        ""
    };
    (!is_empty).then(|| Step {
        what: format!("The capture was replayed with these sysctls.{module}"),
        commands,
    })
}

/// Documentation/networking/ip-sysctl.rst, `rp_filter`. IPv6 has none.
fn reverse_path() -> Step {
    let settings = ["all", "default"].map(|of| format!("net.ipv4.conf.{of}.rp_filter = 1"));
    let mut commands = file(REVERSE_PATH, settings);
    commands.push(format!("sysctl -p {REVERSE_PATH}"));
    commands.push(String::from(
        "for each in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >$each; done",
    ));
    Step {
        what: String::from(
            "Have the kernel drop IPv4 packets whose source it would not reach by the interface that they came by (1, \
             strict). Where packets come and go by different interfaces, set 2 (loose): a route by any interface will \
             do. Of the value of all and the interface's own, the higher counts, so that an interface with 2, as some \
             distributions set it, stays loose. There is no such sysctl for IPv6: that takes rules.",
        ),
        commands,
    }
}

/// The kernel's modules that have these helpers.
fn modules_of(helpers: &[&Spec]) -> BTreeSet<&'static str> {
    let in_kernel = helpers.iter().filter(|spec| !spec.in_userspace());
    in_kernel.map(|spec| spec.module()).collect()
}

fn spaced(modules: &BTreeSet<&str>) -> String {
    let modules: Vec<&str> = modules.iter().copied().collect();
    modules.join(" ")
}

/// Commands that write the file.
fn file(path: &str, lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut commands = vec![format!("cat >{path} <<'END'")];
    commands.extend(lines);
    commands.push(String::from("END"));
    commands
}

/// Below net/netfilter and net/ipv4/netfilter. (nf_nat_snmp_basic rewrites what agents say of their networks, which no
/// expectation depends on.)
const TRANSLATING: [&str; 7] = [
    "nf_nat_amanda",
    "nf_nat_ftp",
    "nf_nat_h323",
    "nf_nat_irc",
    "nf_nat_pptp",
    "nf_nat_sip",
    "nf_nat_tftp",
];

const SYSCTLS: &str = "/etc/sysctl.d/90-ctaudit.conf";
const REVERSE_PATH: &str = "/etc/sysctl.d/90-ctaudit-rp-filter.conf";
