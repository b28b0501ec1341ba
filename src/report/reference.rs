//! The tables of `ctaudit helpers` and `ctaudit kernels`: what is known without a capture.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::terminal::{Look, finish, heading, prose, table};
use crate::helper::{
    self, Families, Freedom, Home, Instances, MOST_EXPECTED, MOST_PORTS, Policy, Spec,
};
use crate::kernel::{Behaviour, Difference, Kernel};
use crate::proposal::conntrackd::{self, Instance};

/// The table of degrees of freedom, from the helpers' own records.
pub fn freedom(out: &mut dyn Write, look: Look) -> io::Result<()> {
    heading(
        out,
        "Degrees of freedom",
        "what decides each field of a helper's expectations",
        look,
    )?;
    let headers = [
        "helper", "expects", "src addr", "src port", "dst addr", "dst port", "proto", "flows",
        "max", "timeout",
    ];
    let mut table = table(look, &headers, &[8, 9]);
    let modules = helper::Modules::default();
    for spec in helper::all() {
        let policies = modules.policies(spec);
        for line in spec.freedom {
            let policy = policies.get(usize::from(line.class));
            let protocol = line.protocol;
            table.add_row([
                spec.name.to_owned(),
                condition(line),
                line.src_addr.name().to_owned(),
                line.src_port.name().to_owned(),
                line.dst_addr.name().to_owned(),
                line.dst_port.name().to_owned(),
                protocol.map_or_else(|| "fixed".to_owned(), |protocol| protocol.to_string()),
                if line.permanent { "many" } else { "one" }.to_owned(),
                policy.map_or(String::new(), |policy| policy.max_expected.to_string()),
                policy.map_or(String::new(), |policy| {
                    format!("{} s", policy.timeout.as_secs())
                }),
            ]);
        }
    }
    finish(out, table, None)?;
    prose(out, FREEDOM_NOTE, look)?;
    writeln!(out)?;
    let mut helpers = Vec::new();
    helper::all().try_for_each(|spec| describe(&mut helpers, spec))?;
    prose(out, &String::from_utf8_lossy(&helpers), look)?;
    set_up(out, look)
}

/// What is expected, and under which conditions.
fn condition(line: &Freedom) -> String {
    let mut parts = Vec::new();
    if !line.what.is_empty() {
        parts.push(line.what.to_owned());
    }
    if let Some((parameter, value)) = line.with {
        let name = parameter.rsplit('.').next().unwrap_or(parameter);
        parts.push(format!("if {name}={value}"));
    }
    if let Some((behaviour, does)) = line.kernels {
        parts.push(format!("on {}", series_that(behaviour, does)));
    }
    parts.join(" ")
}

/// The series that do this or do not, which are consecutive.
fn series_that(behaviour: Behaviour, does: bool) -> String {
    let kernels = Kernel::all().iter();
    let series: Vec<&str> = kernels
        .filter(|kernel| kernel.does(behaviour) == does)
        .map(|kernel| kernel.series)
        .collect();
    match series[..] {
        [first, .., last] => format!("{first} to {last}"),
        _ => series.concat(),
    }
}

/// A helper's ports, source, reason and parameters.
fn describe(out: &mut dyn Write, spec: &'static Spec) -> io::Result<()> {
    let ports: Vec<String> = spec
        .ports
        .iter()
        .map(|(protocol, port)| match port {
            Some(port) => format!("{protocol} {port}"),
            None => protocol.to_string(),
        })
        .collect();
    let ports = if ports.is_empty() {
        "by inheritance alone".to_owned()
    } else {
        ports.join(", ")
    };
    let families = match spec.families {
        Families::Ipv4 => "IPv4",
        Families::Ipv6 => "IPv6",
        Families::Both => "IPv4 and IPv6",
    };
    let Spec {
        name, source, why, ..
    } = spec;
    let since = match spec.home {
        Home::Module(_) => String::new(),
        Home::Conntrackd { since, .. } => format!(", conntrack-tools {since} and later"),
    };
    writeln!(out, "{name} ({families}, {ports}, {source}{since}): {why}.")?;
    for defect in spec.defects {
        writeln!(out, "    defect: {defect}")?;
    }
    let readers = spec.freedom.iter().filter_map(|line| line.read_by);
    let readers: BTreeSet<&str> = readers.collect();
    if !readers.is_empty() {
        let readers: Vec<&str> = readers.into_iter().collect();
        let readers = readers.join(" and ");
        writeln!(
            out,
            "    flows that it expects may be read in turn by {readers}"
        )?;
    }
    let named = match spec.instances() {
        Instances::One => None,
        Instances::ByPort => Some("PORT"),
        Instances::ByIndex => Some("INDEX"),
    };
    if let (Some(suffix), [(_, Some(port)), ..]) = (named, spec.ports) {
        writeln!(
            out,
            "    --module {}.ports={port}  (up to {MOST_PORTS}, on {}) a helper for each port, {name}-{suffix} \
             where it is not {port}",
            spec.module(),
            series_that(Behaviour::HelperPorts, true)
        )?;
    }
    for parameter in spec.parameters {
        let (least, most) = (parameter.range.start(), parameter.range.end());
        writeln!(
            out,
            "    --module {}={}  ({least} to {most}) {}",
            parameter.name, parameter.default, parameter.meaning
        )?;
    }
    for instance in of_conntrackd(spec) {
        writeln!(out, "    {}", instance.command())?;
    }
    if let Some(instance) = of_conntrackd(spec).next() {
        let Policy {
            max_expected,
            timeout,
        } = instance.policy;
        let seconds = timeout.as_secs();
        writeln!(
            out,
            "    --policy {name}={max_expected}/{seconds}  (ExpectMax up to {MOST_EXPECTED} / ExpectTimeout in seconds)"
        )?;
    }
    Ok(())
}

/// What conntrackd has to be told of, a protocol each; nothing for a helper of the kernel's.
fn of_conntrackd(spec: &'static Spec) -> impl Iterator<Item = Instance> {
    let modules = helper::Modules::default();
    let protocols = spec.ports.iter().map(|&(protocol, _)| protocol);
    protocols.filter_map(move |protocol| Instance::of(spec, protocol, &modules))
}

/// How the helpers come to work that conntrackd alone has.
fn set_up(out: &mut dyn Write, look: Look) -> io::Result<()> {
    let instances: Vec<Instance> = helper::all()
        .filter(|spec| !spec.replaces_a_module())
        .flat_map(of_conntrackd)
        .collect();
    prose(
        out,
        "\nTo set up those that conntrackd alone has, in a root shell, before any rule names them:\n\n",
        look,
    )?;
    writeln!(out, "{}", conntrackd::script(&instances))?;
    prose(out, SET_UP_NOTE, look)
}

const FREEDOM_NOTE: &str = "\
fixed: an address, port or protocol of the control connection. checked: the payload names it, and nothing is expected \
unless it is the speaker's own. command: whatever the payload says. packet: the port that the request came from. \
helper's: the port that the helper is registered for, of dhcpv6 the clients'. network: any host of the network of the \
firewall's own interface. any: not compared. flows: how many may come for one expectation before it times out. max: \
expectations of the kind that one control connection may have at a time. What holds for IPv4 holds for IPv6, where the \
helper reads both.

Where this differs from the table of \"Secure use of iptables and connection tracking helpers\":
- ftp expects the other end of the control connection whatever loose says, which decides on the destination alone; with \
loose=0 that is the control connection's, and the command's address is only compared with it.
- irc's destination is fixed there: the command must name it all the same.
- sip's calls have the protocol of the registration: transport= is compared, not believed. With \
sip_direct_signalling=0 their destination is the registering end's own address all the same.
- H.323 expects UDP for voice and video alone: calls, H.245 and T.120 travel over TCP.
- netbios-ns expects answers from the helper's port, since Linux 7.3 from the port that was asked. snmp does the same.
- Not in that table: snmp, sip_external_media, conntrackd's helpers, how many flows may come, and which helper reads them.";

const SET_UP_NOTE: &str = "\
This needs conntrackd and nfct (Debian has a package of each) and does not outlast a reboot: run it before rules are loaded \
that name these helpers, or none of them are. A queue is any number that no other program reads.

Until conntrackd has started once, connections pass and nothing is expected. If it ends after that, connections with these \
helpers no longer enter the table, so answers to them are NEW or INVALID, until it runs again. A packet of more than about \
3,800 bytes, which only a datagram put together from fragments is, comes to nothing: conntrackd reads a page at once, so the \
packet waits in the queue for ever, and when QueueLen of them wait no connection with that helper gets through.

--userspace attaches these helpers; --assign 'tcp 21 conntrackd:ftp' has conntrackd read FTP in place of the kernel, whose \
nf_conntrack_ftp must not be loaded then. So with tftp, sane and amanda.";

/// What distinguishes the kernel series.
pub fn kernels(out: &mut dyn Write, look: Look) -> io::Result<()> {
    heading(out, "Kernels", "what each series does differently", look)?;
    let series = Kernel::all().iter().map(|kernel| kernel.series);
    let headers: Vec<&str> = ["behaviour"].into_iter().chain(series).collect();
    let mut table = table(look, &headers, &[]);
    for difference in Difference::all() {
        let cells = Kernel::all().iter().map(|kernel| {
            if difference.holds_for(kernel) {
                "yes"
            } else {
                "-"
            }
        });
        table.add_row([difference.name].into_iter().chain(cells));
    }
    finish(out, table, None)?;
    for difference in Difference::all() {
        let text = format!(
            "{} (net/netfilter/{}): {}.",
            difference.name, difference.source, difference.meaning
        );
        prose(out, &text, look)?;
    }
    let releases = |was_asked| {
        let of_these = Kernel::all().iter();
        let releases = of_these.filter(|kernel| kernel.was_asked == was_asked);
        let names: Vec<&str> = releases.map(|kernel| kernel.release).collect();
        names.join(", ")
    };
    let text = format!(
        "\nA series stands for the release that was examined, since stable updates change verdicts inside one series. \
         Compared with that kernel, packet by packet: {}. From its sources alone: {}.",
        releases(true),
        releases(false)
    );
    prose(out, &text, look)
}
