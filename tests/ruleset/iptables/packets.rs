//! What each match and target does to packets, as iptables-extensions(8) tells it.

use ctaudit::conntrack::State;
use ctaudit::ruleset::{Hook, iptables};

use super::{Case, understood};

const FROM: &str = "192.0.2.11";
const TO: &str = "198.51.100.21";

/// Whether a rule with these options holds for a packet that is forwarded.
fn holds(options: &str, case: &Case) -> bool {
    let is_ipv6 = case.datagram[0] >> 4 == 6;
    let program = if is_ipv6 { "ip6tables" } else { "iptables" };
    let text = format!("# {program}\n*filter\n-A FORWARD {options} -j DROP\nCOMMIT\n");
    let outcome = case.at(&understood(&text), Hook::Forward);
    assert!(!outcome.undecided, "{options}");
    outcome.dropped
}

#[test]
fn addresses_are_compared_as_networks_and_ranges() {
    let case = Case::tcp(FROM, TO, 21);
    for (options, expected) in [
        ("-s 192.0.2.11", true),
        ("-s 192.0.2.12", false),
        ("! -s 192.0.2.12", true),
        ("-s ! 192.0.2.12", true),
        ("-s 192.0.2.99/24", true),
        ("-s 192.0.2.99/255.255.255.0", true),
        ("-s 192/8", true),
        ("-s 10.0.0.0/8,192.0.2.0/24", true),
        ("-s 10.0.0.0/8,172.16.0.0/12", false),
        ("-s 0.0.0.0/0 -d 198.51.100.21/32", true),
        ("--source 192.0.2.11 --destination 198.51.100.22", false),
        ("-m iprange --src-range 192.0.2.9-192.0.2.11", true),
        ("-m iprange --src-range 192.0.2.12-192.0.2.20", false),
        ("-m iprange ! --dst-range 198.51.100.1-198.51.100.20", true),
        ("-m iprange --src-range 192.0.2.20-192.0.2.1", false),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
    let case = Case::tcp("2001:db8:1::11", "2001:db8:2::21", 21);
    for (options, expected) in [
        ("-s 2001:db8:1::/48", true),
        ("-s 2001:db8:1::/ffff:ffff:ffff::", true),
        ("! -d 2001:db8:2::21", false),
        ("-m iprange --dst-range 2001:db8:2::1-2001:db8:2::21", true),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
}

/// The firewall is 198.51.100.1/24.
#[test]
fn addresses_are_of_kinds() {
    let to = |address| Case::udp(FROM, address, 137);
    for (options, address, expected) in [
        ("-m addrtype --dst-type LOCAL", "198.51.100.1", true),
        ("-m addrtype --dst-type LOCAL", "127.0.0.1", true),
        ("-m addrtype --dst-type LOCAL", "198.51.100.2", false),
        ("-m addrtype ! --dst-type LOCAL", "198.51.100.2", true),
        ("-m addrtype --dst-type BROADCAST", "198.51.100.255", true),
        ("-m addrtype --dst-type BROADCAST", "255.255.255.255", true),
        ("-m addrtype --dst-type broadcast", "0.1.2.3", true),
        ("-m addrtype --dst-type MULTICAST", "239.1.2.3", true),
        ("-m addrtype --dst-type UNICAST", "192.0.2.12", true),
        ("-m addrtype --dst-type UNICAST,LOCAL", "198.51.100.1", true),
        ("-m addrtype --dst-type ANYCAST", "192.0.2.12", false),
        ("-m addrtype --src-type BROADCAST", "192.0.2.12", false),
    ] {
        assert_eq!(holds(options, &to(address)), expected, "{options}");
    }
    let multicast = Case::udp("2001:db8::1", "ff02::fb", 5353);
    assert!(holds("-m addrtype --dst-type MULTICAST", &multicast));
    assert!(!holds("-m addrtype --dst-type LOCAL", &multicast));
}

#[test]
fn protocols_and_ports_are_compared() {
    let case = Case::tcp(FROM, TO, 21);
    for (options, expected) in [
        ("-p tcp", true),
        ("-p 6", true),
        ("-p all", true),
        ("-p 0", true),
        ("! -p udp", true),
        ("-p gre", false),
        ("-p tcp --dport 21", true),
        ("-p tcp -m tcp --dport ftp", true),
        ("-p tcp -m tcp ! --dport ftp", false),
        ("-p tcp -m tcp --dport=20:22", true),
        ("-p tcp -m tcp --dport :20", false),
        ("-p tcp -m tcp --dport 21: --sport 49153", true),
        ("-p tcp -m tcp --dport 21 ! --sport 49153", false),
        ("-p tcp -m multiport --dports 80,20:22,443", true),
        ("-p tcp -m multiport ! --dports 80,20:22,443", false),
        ("-p tcp -m multiport --ports 49153", true),
        ("-p tcp -m multiport --ports 21", true),
        ("-p tcp -m multiport ! --ports 21", false),
        ("-p tcp -m multiport ! --ports 22,49154", true),
        ("-p udp -m udp --dport 21", false),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
}

#[test]
fn flags_of_tcp_are_compared_under_a_mask() {
    let mut first = Case::tcp(FROM, TO, 21);
    // Behind the IP header.
    first.datagram[20 + 13] = 0x02;
    let mut later = first.clone();
    later.datagram[20 + 13] = 0x18;
    for (options, of_first, of_later) in [
        ("-p tcp --syn", true, false),
        ("-p tcp -m tcp ! --syn", false, true),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", true, false),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN SYN", false, true),
        ("-p tcp -m tcp --tcp-flags ALL PSH,ACK", false, true),
        ("-p tcp -m tcp --tcp-flags ALL NONE", false, false),
        ("-p tcp --tcp-flags fin,rst NONE --dport 21", true, true),
    ] {
        assert_eq!(holds(options, &first), of_first, "{options}");
        assert_eq!(holds(options, &later), of_later, "{options}");
    }
}

/// The template looks like a flow to the rules behind it, and `notrack` shows (nf_conntrack_core.c, xt_CT.c).
#[test]
fn what_is_set_before_conntrack_shows_before_conntrack() {
    let drops = |rules: &str| {
        let text = format!("*raw\n-A PREROUTING -p tcp --dport 21 {rules} -j DROP\nCOMMIT\n");
        Case::tcp(FROM, TO, 21).early(&understood(&text)).dropped
    };
    let template = "-j CT --helper ftp\n-A PREROUTING";
    assert!(drops("-m conntrack --ctstate INVALID"));
    assert!(!drops(&format!(
        "{template} -m conntrack --ctstate INVALID"
    )));
    assert!(drops(&format!(
        "{template} -m conntrack --ctstate NEW --ctdir ORIGINAL"
    )));
    assert!(drops(&format!(
        "{template} -m conntrack ! --ctstatus SEEN_REPLY"
    )));
    let untracked = "-j CT --notrack\n-A PREROUTING";
    assert!(drops(&format!(
        "{untracked} -m conntrack --ctstate UNTRACKED"
    )));
    assert!(!drops(&format!(
        "{template} -p tcp -j NOTRACK\n-A PREROUTING -m conntrack --ctstate UNTRACKED"
    )));
}

#[test]
fn icmp_is_compared_by_type_and_code() {
    let case = Case::new(FROM, TO, 1, [3, 4, 0, 0]);
    for (options, expected) in [
        ("-p icmp -m icmp --icmp-type 3", true),
        ("-p icmp --icmp-type destination-unreachable", true),
        ("-p icmp --icmp-type fragmentation-needed", true),
        ("-p icmp --icmp-type frag", true),
        ("-p icmp --icmp-type 3/3", false),
        ("-p icmp ! --icmp-type 3/3", true),
        ("-p icmp ! --icmp-type 3/4", false),
        ("-p icmp ! --icmp-type 11/4", true),
        ("-p icmp -m icmp --icmp-type any", true),
        ("-p icmp -m icmp ! --icmp-type any", false),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
    let case = Case::new("2001:db8::1", "2001:db8::2", 58, [2, 0, 0, 0]);
    for (options, expected) in [
        ("-p ipv6-icmp -m icmp6 --icmpv6-type packet-too-big", true),
        ("-p icmpv6 --icmpv6-type 1/4", false),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
}

#[test]
fn interfaces_are_compared_by_name_or_beginning() {
    let case = Case::tcp(FROM, TO, 21).by("eth0", "ppp12");
    for (options, expected) in [
        ("-i eth0 -o ppp12", true),
        ("-i eth+ -o +", true),
        ("-o ppp", false),
        ("-o ppp+", true),
        ("! -i eth0", false),
        ("! -i wlan+", true),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
}

/// Nobody knows by which interface it came, but for the loopback device.
#[test]
fn only_the_firewall_itself_comes_by_the_loopback_device() {
    let mut case = Case::tcp(FROM, TO, 21);
    (case.input, case.output) = (None, None);
    for option in ["-i lo", "-o lo"] {
        assert!(!holds(option, &case), "{option}");
        assert!(holds(&format!("! {option}"), &case), "{option}");
    }
    for (from, to, option) in [
        ("127.0.0.1", TO, "-i lo"),
        (FROM, "198.51.100.1", "-o lo"),
        (FROM, TO, "-i lo+"),
        (FROM, TO, "-i eth0"),
    ] {
        let mut case = Case::tcp(from, to, 21);
        (case.input, case.output) = (None, None);
        let rules = understood(&format!("*filter\n-A FORWARD {option} -j DROP\nCOMMIT\n"));
        assert!(case.at(&rules, Hook::Forward).undecided, "{option}");
    }
}

/// Conntrack puts fragments together before any table is asked.
#[test]
fn no_packet_is_a_later_fragment() {
    let case = Case::udp(FROM, TO, 137);
    assert!(!holds("-f", &case));
    assert!(holds("! -f", &case));
}

#[test]
fn flows_are_compared_by_state_status_and_helper() {
    let case = Case::tcp(FROM, TO, 40000).helped("ftp");
    for (options, expected) in [
        ("-m conntrack --ctstate RELATED", true),
        ("-m conntrack --ctstate NEW,ESTABLISHED", false),
        ("-m conntrack ! --ctstate NEW,INVALID", true),
        ("-m state --state rel", true),
        ("-m state ! --state RELATED,ESTABLISHED", false),
        ("-m conntrack --ctstate RELATED --ctstatus EXPECTED", true),
        ("-m conntrack --ctstate RELATED --ctdir REPLY", false),
        ("-m conntrack --ctstatus ASSURED", false),
        ("-m conntrack --ctstatus NONE", false),
        ("-m conntrack --ctproto tcp", true),
        ("-m conntrack ! --ctproto 6", false),
        ("-m helper --helper ftp", true),
        ("-m helper --helper ftp-2121", true),
        ("-m helper --helper sip", false),
        ("-m helper ! --helper sip", true),
        ("-m helper --helper \"\"", true),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
    // `helper_mt` negates having none, too.
    assert!(holds("-m helper ! --helper ftp", &Case::tcp(FROM, TO, 80)));
}

/// `conntrack_mt` asks for nothing but the state where there is no flow.
#[test]
fn without_a_flow_the_state_alone_is_compared() {
    let case = Case::tcp(FROM, TO, 21).in_state(State::Untracked);
    for (options, expected) in [
        ("-m conntrack --ctdir ORIGINAL", false),
        ("-m conntrack --ctstate UNTRACKED --ctdir ORIGINAL", true),
        ("-m conntrack ! --ctstate NEW --ctstatus ASSURED", true),
        ("-m conntrack --ctstate NEW --ctdir ORIGINAL", false),
        ("-m conntrack --ctproto 6", false),
    ] {
        assert_eq!(holds(options, &case), expected, "{options}");
    }
}

/// An error about a UDP flow is ICMP on the wire and UDP to xt_conntrack: which flow, the packet does not say.
#[test]
fn the_flow_s_protocol_is_open_where_an_error_is_about_it() {
    let text = "*filter\n-A FORWARD -m conntrack --ctproto 17 -j DROP\n";
    let error = Case::new(FROM, TO, 1, [3, 3, 0, 0]).in_state(State::Related);
    assert!(error.at(&understood(text), Hook::Forward).undecided);
    let echo = Case::new(FROM, TO, 1, [8, 0, 0, 0]);
    assert!(!echo.at(&understood(text), Hook::Forward).undecided);
}

#[test]
fn chains_are_called_left_and_gone_to() {
    let rules = understood(
        "*filter\n:FORWARD DROP [0:0]\n:called - [0:0]\n:gone_to - [0:0]\n\
         -A FORWARD -p tcp -j called\n-A FORWARD -p udp -g gone_to\n-A FORWARD -j ACCEPT\n\
         -A called -p tcp --dport 22 -j RETURN\n-A called -p tcp --dport 23 -j REJECT\n\
         -A gone_to -p udp --dport 53 -j ACCEPT\nCOMMIT\n",
    );
    let dropped = |case: Case| case.at(&rules, Hook::Forward).dropped;
    assert!(!dropped(Case::tcp(FROM, TO, 22)));
    assert!(dropped(Case::tcp(FROM, TO, 23)));
    assert!(!dropped(Case::tcp(FROM, TO, 24)));
    assert!(!dropped(Case::udp(FROM, TO, 53)));
    // Whoever goes to a chain does not come back: the policy decides.
    assert!(dropped(Case::udp(FROM, TO, 54)));
}

#[test]
fn helpers_are_attached_and_flows_untracked_in_the_raw_table() {
    let rules = understood(
        "*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n\
         -A PREROUTING -p udp --dport 53 -j NOTRACK\n-A PREROUTING -p udp --dport 54 -j CT --notrack\n\
         -A PREROUTING -p tcp --dport 21 -j DROP\nCOMMIT\n",
    );
    let ftp = Case::tcp(FROM, TO, 21).early(&rules);
    assert_eq!(ftp.helpers, ["ftp"]);
    assert!(ftp.dropped, "-j CT does not end the chain");
    assert!(Case::udp(FROM, TO, 53).early(&rules).untracked);
    assert!(Case::udp(FROM, TO, 54).early(&rules).untracked);
    assert!(!Case::udp(FROM, TO, 55).early(&rules).untracked);
}

#[test]
fn the_first_line_says_which_family_is_meant() {
    let body = "*filter\n-A FORWARD -p tcp -j DROP\n";
    let six = Case::tcp("2001:db8::1", "2001:db8::2", 80);
    let four = Case::tcp(FROM, TO, 80);
    let title = "# Generated by ip6tables-save v1.8.9 (nf_tables) on Sun Nov 22 00:18:42 2026";
    for (text, dropped) in [
        (body.to_owned(), [true, false]),
        (format!("{title}\n{body}"), [false, true]),
        (format!("# ip6tables\n{body}"), [false, true]),
        (format!("# iptables\n{body}"), [true, false]),
        (format!("\n# ip6tables\n{body}"), [true, false]),
    ] {
        let rules = iptables::read(&text, 0);
        let is = [&four, &six].map(|case| case.at(&rules, Hook::Forward).dropped);
        assert_eq!(is, dropped, "{text}");
    }
}
