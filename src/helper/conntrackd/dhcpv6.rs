//! DHCPv6 (RFC 8415): a host asks all servers by multicast, and is answered from an address that nobody knew before.
//!
//! Why a second flow: the answer comes from the server's own address, not from the group that was asked.
//!
//! Every packet to a multicast address is read, one byte of it: the message type. It decides how long the connection
//! lives, and a type that the helper does not know costs the packet; those are all that came after RFC 3315
//! (LEASEQUERY, 14, and DHCPv4-QUERY, 20, among them). Not checked: anything else. Whoever sends a packet from port P of
//! an address opens port 546 of that address, for a relay as well, which is answered at port 547.
//!
//! Source: src/helpers/dhcpv6.c `dhcpv6_helper_cb()`.

use std::time::Duration;

use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, policy};
use crate::expectation::{Expectation, Origin, Sourced};
use crate::tuple::Protocol;

pub const SPECS: &[Spec] = &[Spec {
    name: "dhcpv6",
    source: "src/helpers/dhcpv6.c",
    ports: &[(Protocol::UDP, Some(547))],
    families: Families::Ipv6,
    home: Home::Conntrackd {
        since: "1.4.3",
        private: 0,
    },
    why: "servers that were asked by multicast answer from addresses of their own",
    policies: |_| policy(1, 300),
    parameters: &[],
    freedom: &[Freedom {
        permanent: true,
        ..Freedom::new(
            Field::Any,
            Field::Any,
            Field::Fixed,
            Field::Helper,
            Protocol::UDP,
        )
    }],
    defects: &[
        "messages of types above 13 are dropped, if sent to a group: all that came after RFC 3315, such as LEASEQUERY",
        "answers to relay agents, which go to port 547, are not expected",
    ],
    start: |_, _| Box::new(Dhcpv6),
}];

struct Dhcpv6;

impl Helper for Dhcpv6 {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if !message.same().dst.is_multicast() {
            return Ok(());
        }
        let kind = message.payload.first().copied().unwrap_or(0);
        let Some(&seconds) = TIMEOUTS.get(usize::from(kind)) else {
            return Err(Dropped("DHCPv6 message of an unknown type"));
        };
        let mut expectation = Expectation::new(
            Protocol::UDP,
            None,
            Sourced::conntrack(message.opposite().dst, !message.direction),
            Sourced {
                value: CLIENT_PORT,
                origin: Origin::Helper,
            },
        );
        expectation.flags.permanent = true;
        if seconds > 0 {
            master.refresh(Duration::from_secs(seconds));
        }
        attach(master, expectation);
        Ok(())
    }
}

/// Seconds that the connection lives after a message, by its type (RFC 8415, 7.3); 0 leaves it as it is. They are the
/// longest waits of RFC 3315, 5.5, and of Release and Decline the first; since RFC 7083 a client may wait an hour for the
/// answer to Solicit and Information-request.
const TIMEOUTS: [u64; 14] = [0, 120, 0, 30, 4, 600, 600, 0, 1, 1, 0, 120, 0, 0];
const CLIENT_PORT: u16 = 546;
