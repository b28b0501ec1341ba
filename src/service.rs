//! A server, by the helper that is attached for it.

use std::net::IpAddr;

use crate::conntrack::event::Root;
use crate::tuple::Protocol;

/// What a rule that attaches a helper names: the helper, and where control connections to it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    pub helper: &'static str,
    pub protocol: Protocol,
    pub server: IpAddr,
    pub port: u16,
}

impl Service {
    /// The service that a control connection uses.
    pub fn of(root: &Root) -> Self {
        Self {
            helper: root.helper,
            protocol: root.tuple.protocol,
            server: root.tuple.dst,
            port: root.tuple.dport,
        }
    }
}
