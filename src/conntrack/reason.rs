//! Every way in which a packet fails to be simply part of a flow, as a value.

use serde::{Deserialize, Serialize};

use crate::packet::Unseen;
use crate::stored::{self, Word};

/// Why a packet is not simply part of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// It never came to the rules.
    Unseen(Unseen),
    /// No transport header.
    NoTransport,
    /// Transport header cut off.
    NoTuple,
    /// ICMP type that opens nothing and answers nothing.
    NotInvertible,
    /// Conntrack table full.
    TableFull,
    /// TCP header malformed.
    TcpHeader,
    /// TCP flags that no TCP sends.
    TcpFlags,
    /// TCP packet that opens no connection.
    TcpNew,
    /// TCP connection already open, and not loose.
    TcpNotLoose,
    /// TCP packet that does not fit the state.
    TcpState,
    /// TCP RST before what was acknowledged.
    TcpRst,
    /// TCP sequence number above the window.
    TcpSequenceAbove,
    /// TCP acknowledgement of data never seen.
    TcpAckAbove,
    /// UDP header cut off.
    UdpHeader,
    /// UDP length wrong.
    UdpLength,
    /// ICMP header cut off.
    IcmpHeader,
    /// ICMP type unknown.
    IcmpType,
    /// ICMP type that opens nothing.
    IcmpNew,
    /// ICMP error that quotes no packet.
    IcmpQuote,
    /// ICMP error about an unknown flow.
    IcmpUnknownFlow,
    /// ICMP error to a host that is not part of the flow.
    IcmpForeign,
    /// ICMPv6 redirect that may not be believed.
    IcmpRedirect,
    /// SCTP header cut off.
    SctpHeader,
    /// SCTP chunks that do not go together.
    SctpChunks,
    /// SCTP packet that opens no association.
    SctpNew,
    /// SCTP verification tag wrong.
    SctpTag,
    /// SCTP chunk that does not fit the state.
    SctpState,
    /// DCCP header malformed.
    DccpHeader,
    /// DCCP header cut off.
    DccpCut,
    /// DCCP packet that opens no connection.
    DccpNew,
    /// DCCP packet that does not fit the state.
    DccpState,
    /// Discarded by routing.
    Martian,
    /// A rule dropped the packet.
    Rule,
    /// A helper dropped the packet; the text is the kernel's.
    Helper(#[serde(deserialize_with = "stored::word")] Word),
}

impl Reason {
    /// In words without a full stop; a helper's are the kernel's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseen(why) => why.name(),
            Self::NoTransport => "no transport header",
            Self::NoTuple => "transport header cut off",
            Self::NotInvertible => "ICMP type that opens nothing and answers nothing",
            Self::TableFull => "conntrack table full",
            Self::TcpHeader => "TCP header malformed",
            Self::TcpFlags => "TCP flags that no TCP sends",
            Self::TcpNew => "TCP packet that opens no connection",
            Self::TcpNotLoose => "TCP connection already open, and not loose",
            Self::TcpState => "TCP packet that does not fit the state",
            Self::TcpRst => "TCP RST before what was acknowledged",
            Self::TcpSequenceAbove => "TCP sequence number above the window",
            Self::TcpAckAbove => "TCP acknowledgement of data never seen",
            Self::UdpHeader => "UDP header cut off",
            Self::UdpLength => "UDP length wrong",
            Self::IcmpHeader => "ICMP header cut off",
            Self::IcmpType => "ICMP type unknown",
            Self::IcmpNew => "ICMP type that opens nothing",
            Self::IcmpQuote => "ICMP error that quotes no packet",
            Self::IcmpUnknownFlow => "ICMP error about an unknown flow",
            Self::IcmpForeign => "ICMP error to a host that is not part of the flow",
            Self::IcmpRedirect => "ICMPv6 redirect that may not be believed",
            Self::SctpHeader => "SCTP header cut off",
            Self::SctpChunks => "SCTP chunks that do not go together",
            Self::SctpNew => "SCTP packet that opens no association",
            Self::SctpTag => "SCTP verification tag wrong",
            Self::SctpState => "SCTP chunk that does not fit the state",
            Self::DccpCut => "DCCP header cut off",
            Self::DccpHeader => "DCCP header malformed",
            Self::DccpNew => "DCCP packet that opens no connection",
            Self::DccpState => "DCCP packet that does not fit the state",
            Self::Martian => "discarded by routing",
            Self::Rule => "dropped by a rule",
            Self::Helper(text) => text,
        }
    }
}
