//! Names that nft gives to numbers (`nft describe`, nft(8)).

use crate::tuple::Protocol;

/// Priorities of chains, as nft(8) lists them for ip, ip6 and inet.
pub(super) const PRIORITIES: [(&str, i32); 6] = [
    ("raw", -300),
    ("mangle", -150),
    ("dstnat", -100),
    ("filter", 0),
    ("security", 50),
    ("srcnat", 100),
];

pub(super) const ICMP_TYPES: &[(&str, u8)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];

pub(super) const ICMP_CODES: &[(&str, u8)] = &[
    ("net-unreachable", 0),
    ("host-unreachable", 1),
    ("prot-unreachable", 2),
    ("port-unreachable", 3),
    ("frag-needed", 4),
    ("net-prohibited", 9),
    ("host-prohibited", 10),
    ("admin-prohibited", 13),
];

pub(super) const ICMPV6_TYPES: &[(&str, u8)] = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];

pub(super) const ICMPV6_CODES: &[(&str, u8)] = &[
    ("no-route", 0),
    ("admin-prohibited", 1),
    ("addr-unreachable", 3),
    ("port-unreachable", 4),
    ("policy-fail", 5),
    ("reject-route", 6),
];

/// Those of /etc/services that firewalls name.
pub(super) const SERVICES: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("ntp", 123),
    ("netbios-ns", 137),
    ("netbios-dgm", 138),
    ("netbios-ssn", 139),
    ("imap2", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("irc", 194),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("submission", 587),
    ("imaps", 993),
    ("pop3s", 995),
    ("h323", 1720),
    ("pptp", 1723),
    ("nfs", 2049),
    ("mysql", 3306),
    ("sip", 5060),
    ("sip-tls", 5061),
    ("mdns", 5353),
    ("postgresql", 5432),
    ("sane-port", 6566),
    ("ircd", 6667),
    ("amanda", 10080),
];

/// Names of /etc/protocols beside those that netfilter uses.
const PROTOCOLS: &[(&str, u8)] = &[
    ("ipencap", 4),
    ("ipv6", 41),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("pim", 103),
    ("ipcomp", 108),
    ("comp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("ip", 0),
    ("hopopt", 0),
    ("ggp", 3),
    ("st", 5),
    ("egp", 8),
    ("igp", 9),
    ("pup", 12),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("iso-tp4", 29),
    ("xtp", 36),
    ("ddp", 37),
    ("idpr-cmtp", 38),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("idrp", 45),
    ("rsvp", 46),
    ("skip", 57),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("rspf", 73),
    ("vmtp", 81),
    ("eigrp", 88),
    ("ax.25", 93),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("isis", 124),
    ("fc", 133),
    ("mobility-header", 135),
    ("mpls-in-ip", 137),
    ("manet", 138),
    ("hip", 139),
    ("shim6", 140),
    ("wesp", 141),
    ("rohc", 142),
    ("ethernet", 143),
];

/// A protocol by one of its names.
pub(super) fn protocol(name: &str) -> Option<u8> {
    let netfilters = (0..=u8::MAX).find(|number| Protocol(*number).name() == Some(name));
    netfilters.or_else(|| number(PROTOCOLS, name))
}

pub(super) fn number<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    let known = names.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number)
}

pub(super) fn name<T: PartialEq>(names: &[(&'static str, T)], number: &T) -> Option<&'static str> {
    let known = names.iter().find(|(_, known)| known == number);
    known.map(|(name, _)| *name)
}

/// Whether nft takes it for a table, chain or object as it stands: a letter, then letters, digits and a few signs.
pub(super) fn is_identifier(name: &str) -> bool {
    name.len() < LONGEST
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(is_of_identifier)
        && !RESERVED.contains(&name)
}

pub(super) fn is_of_identifier(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '/' | '_' | '.' | '-')
}

/// `NFT_NAME_MAXLEN` is 256, with the byte that ends it; nft itself takes no more than half of that.
const LONGEST: usize = 128;

/// Words of nft's that chains and tables may well be called, and must not be. Of its many others, none is likely.
const RESERVED: [&str; 24] = [
    "accept", "add", "chain", "comment", "continue", "counter", "ct", "drop", "flush", "goto",
    "ip", "ip6", "jump", "log", "mark", "meta", "policy", "queue", "reject", "return", "rule",
    "set", "table", "type",
];
