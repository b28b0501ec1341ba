//! PPTP: calls that nobody asked for, calls without numbers, and who else sends their packets.

use super::place::opened;
use super::{Entry, Evidence, Matcher, Severity};
use crate::dialogue::Messages;
use crate::helper::reasons::SECOND_CALL;
use crate::tuple::Protocol;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "pptp-unasked-reply",
        title: "A call that stands though nobody asked for it",
        severity: Severity::Medium,
        helpers: &["pptp"],
        wire: "an Outgoing-Call-Reply or Incoming-Call-Reply that says yes, to a call number that the other end has not \
               asked for a call with",
        alike: "a reply that is sent again, or that says no; a request before the capture began, or in a segment that it \
                does not hold or that begins or ends within a message",
        references: &["RFC 2637, 2.7 to 2.10"],
        matcher: Matcher::Message(|dialogue, heard| {
            let pptp = dialogue.pptp()?;
            if pptp.lost || !dialogue.is_whole() {
                return None;
            }
            let call =
                Messages::of(heard).find_map(|message| pptp.unasked(heard.direction, &message))?;
            Evidence::of(format!("nobody asked for call {call}"))
        }),
    },
    Entry {
        id: "pptp-stranger",
        title: "A tunnel's packets from a host that agreed on none",
        severity: Severity::Medium,
        helpers: &["pptp"],
        wire: "GRE with the number of a call that has just been agreed on, to one of its ends, and not from the other",
        alike: "another tunnel to the same host with another number; a number of 0, which plain GRE seems to have",
        references: &["RFC 2637, 4.1"],
        matcher: Matcher::Stranger(|expected, record| {
            let call = record.original.dport;
            let other_end = expected.expectation.src_addr.as_ref()?.value;
            if call == 0 || other_end.contains(&record.original.src) {
                return None;
            }
            Evidence::with(
                format!("call {call} from {}", record.original.src),
                [expected.packet],
            )
        }),
    },
    Entry {
        id: "pptp-zero-call",
        title: "A call with the number 0 at both ends",
        severity: Severity::Note,
        helpers: &["pptp"],
        wire: "both ends of a call number it 0, so that what is expected is any GRE between the two, tunnels of other \
               kinds included",
        alike: "a call with the number 0 at one end; programs count from 0, so at both ends it is no surprise",
        references: &["RFC 2637, 2.7"],
        matcher: Matcher::Expected(|_, heard, record| {
            let expectation = &record.expectation;
            let unnumbered = expectation.protocol == Protocol::GRE
                && expectation.dst_port.value == 0
                && expectation
                    .src_port
                    .as_ref()
                    .is_some_and(|port| port.value == 0);
            // Of the two expectations of a call, one.
            let once = expectation.dst_addr.value == record.master.dst && heard.place.again == 0;
            (unnumbered && once).then(|| Evidence::of(opened(record)))?
        }),
    },
    Entry {
        id: "pptp-second-call",
        title: "A second call on one control connection, which the firewall does not follow",
        severity: Severity::Note,
        helpers: &["pptp"],
        wire: "a call is agreed on while another one stands: the helper keeps the numbers of one",
        alike: "a call after the one before was cleared",
        references: &["net/netfilter/nf_conntrack_proto_gre.c, nf_ct_gre_keymap_add()"],
        matcher: Matcher::Declined(|_, _, reason, _| {
            (reason == SECOND_CALL).then(|| Evidence::of("its tunnel is not expected"))?
        }),
    },
];
