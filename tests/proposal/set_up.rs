//! What belongs with the rules, by kernel and configuration.

use ctaudit::conntrack::config::Config;
use ctaudit::helper::{Modules, Spec};
use ctaudit::kernel::Kernel;
use ctaudit::proposal::set_up::{Step, steps};

fn config(series: &str, parameters: &[&str]) -> Config {
    let mut modules = Modules::default();
    for parameter in parameters {
        modules.set(parameter).unwrap();
    }
    Config::new(Kernel::of(series).unwrap(), modules)
}

fn specs(names: &[&str]) -> Vec<&'static Spec> {
    names
        .iter()
        .map(|name| Spec::named(name).unwrap())
        .collect()
}

fn set_up(config: &Config, attached: &[&str], unneeded: &[&str]) -> Vec<Step> {
    steps(config, &specs(attached), &specs(unneeded))
}

fn lines(steps: &[Step]) -> Vec<&str> {
    let lines = steps.iter().flat_map(|step| &step.commands);
    lines.map(String::as_str).collect()
}

/// The lines of the only file of this name that is written.
fn file<'s>(steps: &'s [Step], path: &str) -> Vec<&'s str> {
    let lines = lines(steps);
    let first = format!("cat >{path} <<'END'");
    let mut starts = (0..lines.len()).filter(|at| lines[*at] == first);
    let Some(start) = starts.next() else {
        return Vec::new();
    };
    assert_eq!(starts.next(), None, "{path} is written twice");
    let text = lines[start + 1..].iter();
    text.take_while(|line| **line != "END").copied().collect()
}

const LOADED: &str = "/etc/modules-load.d/ctaudit.conf";
const TRANSLATING: &str = "/etc/modules-load.d/ctaudit-nat.conf";
const UNUSED: &str = "/etc/modprobe.d/ctaudit-unused.conf";
const OPTIONS: &str = "/etc/modprobe.d/ctaudit-options.conf";
const SYSCTLS: &str = "/etc/sysctl.d/90-ctaudit.conf";
const CONNTRACK: &str = "/etc/modules-load.d/ctaudit-conntrack.conf";

#[test]
fn modules_are_loaded_for_the_kernels_helpers_alone() {
    let config = config("6.18", &[]);
    let steps = set_up(&config, &["tftp", "Q.931", "RAS", "rpc", "netbios-ns"], &[]);
    let modules = [
        "nf_conntrack_h323",
        "nf_conntrack_netbios_ns",
        "nf_conntrack_tftp",
    ];
    assert_eq!(file(&steps, LOADED), modules);
    assert_eq!(file(&steps, TRANSLATING), ["nf_nat_h323", "nf_nat_tftp"]);
    let load = steps
        .iter()
        .find(|step| step.what.starts_with("If the firewall translates"));
    assert!(load.is_some());
    for none in [&["rpc"][..], &[]] {
        let steps = set_up(&config, none, &[]);
        assert!(file(&steps, LOADED).is_empty());
        assert!(
            !lines(&steps)
                .iter()
                .any(|line| line.starts_with("modprobe"))
        );
    }
    let steps = set_up(&config, &["sane"], &[]);
    assert!(file(&steps, TRANSLATING).is_empty());
}

#[test]
fn modules_that_nothing_needs_are_kept_out() {
    let config = config("6.18", &[]);
    let steps = set_up(&config, &["ftp", "Q.931"], &["RAS", "irc", "mdns", "sip"]);
    assert_eq!(
        file(&steps, UNUSED),
        [
            "install nf_conntrack_irc /bin/false",
            "install nf_conntrack_sip /bin/false"
        ]
    );
    assert!(file(&set_up(&config, &["ftp"], &[]), UNUSED).is_empty());
}

/// A rule that names ftp before conntrackd runs would load the kernel's, and conntrackd's could not be registered.
#[test]
fn a_module_that_conntrackd_stands_in_for_is_kept_out() {
    let config = config("6.18", &[]);
    let steps = set_up(&config, &["conntrackd:ftp"], &[]);
    assert_eq!(
        file(&steps, UNUSED),
        ["install nf_conntrack_ftp /bin/false"]
    );
    assert!(file(&steps, LOADED).is_empty());
}

#[test]
fn parameters_and_sysctls_are_told_where_they_are_not_the_defaults() {
    let plain = set_up(&config("6.18", &[]), &["ftp"], &[]);
    for path in [OPTIONS, SYSCTLS, CONNTRACK] {
        assert!(file(&plain, path).is_empty(), "{path}");
    }
    let parameters = [
        "nf_conntrack_sip.sip_timeout=3600",
        "nf_conntrack_ftp.loose=1",
        "nf_conntrack_ftp.ports=21,2121",
        "nf_conntrack_h323.gkrouted_only=0",
    ];
    let mut config = config("6.18", &parameters);
    config
        .sysctls
        .set("net.netfilter.nf_conntrack_udp_timeout=60")
        .unwrap();
    config
        .sysctls
        .set("net.netfilter.nf_conntrack_tcp_loose=1")
        .unwrap();
    config.sysctls.set("net.ipv4.ipfrag_time=20").unwrap();
    let steps = set_up(&config, &["ftp"], &[]);
    assert_eq!(
        file(&steps, OPTIONS),
        [
            "options nf_conntrack_ftp loose=1",
            "options nf_conntrack_ftp ports=21,2121",
            "options nf_conntrack_h323 gkrouted_only=0",
        ]
    );
    assert_eq!(
        file(&steps, SYSCTLS),
        [
            "net.netfilter.nf_conntrack_udp_timeout = 60",
            "net.ipv4.ipfrag_time = 20"
        ]
    );
    assert_eq!(file(&steps, CONNTRACK), ["nf_conntrack"]);
}

/// What a kernel does not have cannot be set.
#[test]
fn sysctls_of_dccp_go_with_its_tracker() {
    for (series, exists) in [("6.12", true), ("6.18", false)] {
        let mut config = config(series, &[]);
        config
            .sysctls
            .set("net.netfilter.nf_conntrack_dccp_loose=0")
            .unwrap();
        let lines = file(&set_up(&config, &[], &[]), SYSCTLS).len();
        assert_eq!(lines, usize::from(exists), "{series}");
    }
}

fn says(steps: &[Step], parts: &[&str]) -> bool {
    let mut steps = steps.iter();
    steps.any(|step| parts.iter().all(|part| step.what.contains(part)))
}

#[test]
fn ports_go_before_they_are_gone() {
    let newest = set_up(&config("7.2", &[]), &["ftp"], &[]);
    assert!(says(
        &newest,
        &[
            "Take ports= of",
            "It still names helpers",
            "Linux 7.3 has neither"
        ]
    ));
    let named = config("7.2", &["nf_conntrack_ftp.ports=2121"]);
    assert!(says(
        &set_up(&named, &["ftp"], &[]),
        &["Replace what ports=", "no longer load"]
    ));
    let gone = set_up(&config("7.3", &[]), &["ftp"], &[]);
    assert!(says(
        &gone,
        &["Take ports= of", "rules with such names do not load"]
    ));
    assert!(!says(&gone, &["It still names helpers"]));
    for steps in [newest, gone] {
        let search = "grep -rsE '(nf_conntrack_ftp|nf_conntrack_irc|nf_conntrack_sane|nf_conntrack_sip|nf_conntrack_tftp).*ports=' /etc/modprobe.d /proc/cmdline";
        assert!(lines(&steps).contains(&search));
    }
}

#[test]
fn every_kernel_has_lost_the_automatic_assignment_and_can_check_sources() {
    for kernel in Kernel::all() {
        let steps = set_up(&config(kernel.series, &[]), &[], &[]);
        assert_eq!(steps.len(), 3, "{kernel}: {steps:?}");
        assert!(says(
            &steps,
            &["net.netfilter.nf_conntrack_helper", "since Linux 6.0"]
        ));
        assert!(says(
            &steps,
            &["the higher counts", "no such sysctl for IPv6"]
        ));
        assert!(lines(&steps).contains(&"net.ipv4.conf.all.rp_filter = 1"));
    }
}
