//! Every way in which a packet fails to be simply part of a flow, as a value.

use crate::packet::Unseen;

/// Why a packet is not simply part of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Unseen(Unseen),
    NoTransport,
    NoTuple,
    NotInvertible,
    TableFull,
    TcpHeader,
    TcpFlags,
    TcpNew,
    TcpNotLoose,
    TcpState,
    TcpRst,
    TcpSequenceAbove,
    TcpAckAbove,
    UdpHeader,
    UdpLength,
    IcmpHeader,
    IcmpType,
    IcmpNew,
    IcmpQuote,
    IcmpUnknownFlow,
    IcmpForeign,
    IcmpRedirect,
    SctpHeader,
    SctpChunks,
    SctpNew,
    SctpTag,
    SctpState,
    DccpHeader,
    DccpCut,
    DccpNew,
    DccpState,
    Martian,
    /// A rule dropped the packet.
    Rule,
    /// A helper dropped the packet; the text is the kernel's.
    Helper(&'static str),
}

impl Reason {
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
