//! H.245: messages that open logical channels, and the addresses in them.
//!
//! Source: ITU-T H.245 annex A; what is decoded, passed over or stopped at: nf_conntrack_h323_types.c.

use super::capability::{DATA_TYPE, NON_STANDARD_PARAMETER};
use crate::helper::h323::notation::Field::{Decode, Optional, Skip, Stop};
use crate::helper::h323::notation::Length::Bits as InBits;
use crate::helper::h323::notation::Type::{
    Bits, Choice, Names, Null, Number, Octets, Sequence, Unaligned,
};
use crate::helper::h323::notation::{BOOLEAN, OCTET_STRING, Type, digits, list, names, octets};

pub const CONTROL_MESSAGE: Type = Choice(
    &[
        Decode("request", REQUEST_MESSAGE),
        Decode("response", RESPONSE_MESSAGE),
        Stop("command"),
        Stop("indication"),
    ],
    Some(&[]),
);

pub const REQUEST_MESSAGE: Type = Choice(
    &[
        Stop("nonStandard"),
        Stop("masterSlaveDetermination"),
        Stop("terminalCapabilitySet"),
        Decode("openLogicalChannel", OPEN_LOGICAL_CHANNEL),
        Stop("closeLogicalChannel"),
        Stop("requestChannelClose"),
        Stop("multiplexEntrySend"),
        Stop("requestMultiplexEntry"),
        Stop("requestMode"),
        Stop("roundTripDelayRequest"),
        Stop("maintenanceLoopRequest"),
    ],
    Some(&[
        Stop("communicationModeRequest"),
        Stop("conferenceRequest"),
        Stop("multilinkRequest"),
        Stop("logicalChannelRateRequest"),
    ]),
);

pub const RESPONSE_MESSAGE: Type = Choice(
    &[
        Stop("nonStandard"),
        Stop("masterSlaveDeterminationAck"),
        Stop("masterSlaveDeterminationReject"),
        Stop("terminalCapabilitySetAck"),
        Stop("terminalCapabilitySetReject"),
        Decode("openLogicalChannelAck", OPEN_LOGICAL_CHANNEL_ACK),
        Stop("openLogicalChannelReject"),
        Stop("closeLogicalChannelAck"),
        Stop("requestChannelCloseAck"),
        Stop("requestChannelCloseReject"),
        Stop("multiplexEntrySendAck"),
        Stop("multiplexEntrySendReject"),
        Stop("requestMultiplexEntryAck"),
        Stop("requestMultiplexEntryReject"),
        Stop("requestModeAck"),
        Stop("requestModeReject"),
        Stop("roundTripDelayResponse"),
        Stop("maintenanceLoopAck"),
        Stop("maintenanceLoopReject"),
    ],
    Some(&[
        Stop("communicationModeResponse"),
        Stop("conferenceResponse"),
        Stop("multilinkResponse"),
        Stop("logicalChannelRateAcknowledge"),
        Stop("logicalChannelRateReject"),
    ]),
);

pub const OPEN_LOGICAL_CHANNEL: Type = Sequence(
    &[
        Skip("forwardLogicalChannelNumber", Octets(2)),
        Decode("forwardLogicalChannelParameters", FORWARD_PARAMETERS),
        Optional(&Decode(
            "reverseLogicalChannelParameters",
            REVERSE_PARAMETERS,
        )),
    ],
    Some(&[
        Decode("separateStack", NETWORK_ACCESS_PARAMETERS),
        Stop("encryptionSync"),
    ]),
);

pub const OPEN_LOGICAL_CHANNEL_ACK: Type = Sequence(
    &[
        Skip("forwardLogicalChannelNumber", Octets(2)),
        Optional(&Decode(
            "reverseLogicalChannelParameters",
            ACK_REVERSE_PARAMETERS,
        )),
    ],
    Some(&[
        Decode("separateStack", NETWORK_ACCESS_PARAMETERS),
        Decode("forwardMultiplexAckParameters", ACK_FORWARD_MULTIPLEX),
        Stop("encryptionSync"),
    ]),
);

pub const ACK_FORWARD_MULTIPLEX: Type = Choice(
    &[Decode(
        "h2250LogicalChannelAckParameters",
        H2250_ACK_PARAMETERS,
    )],
    Some(&[]),
);

pub const ACK_REVERSE_MULTIPLEX: Type = Choice(
    &[Skip("h222LogicalChannelParameters", H222_PARAMETERS)],
    Some(&[Decode("h2250LogicalChannelParameters", H2250_PARAMETERS)]),
);

pub const ACK_REVERSE_PARAMETERS: Type = Sequence(
    &[
        Skip("reverseLogicalChannelNumber", Octets(2)),
        Optional(&Skip("portNumber", Octets(2))),
        Optional(&Decode("multiplexParameters", ACK_REVERSE_MULTIPLEX)),
    ],
    Some(&[Skip("replacementFor", Null)]),
);

pub const ADAPTATION_LAYER: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("al1Framed", Null),
        Skip("al1NotFramed", Null),
        Skip("al2WithoutSequenceNumbers", Null),
        Skip("al2WithSequenceNumbers", Null),
        Skip("al3", AL3),
    ],
    Some(&[]),
);

pub const AL3: Type = Sequence(
    &[
        Skip("controlFieldOctets", Bits(2)),
        Skip("sendBufferSize", Number { least: 0 }),
    ],
    None,
);

pub const FORWARD_MULTIPLEX: Type = Choice(
    &[
        Skip("h222LogicalChannelParameters", H222_PARAMETERS),
        Skip("h223LogicalChannelParameters", H223_PARAMETERS),
        Skip("v76LogicalChannelParameters", V76_PARAMETERS),
    ],
    Some(&[Decode("h2250LogicalChannelParameters", H2250_PARAMETERS)]),
);

pub const FORWARD_PARAMETERS: Type = Sequence(
    &[
        Optional(&Skip("portNumber", Octets(2))),
        Decode("dataType", DATA_TYPE),
        Decode("multiplexParameters", FORWARD_MULTIPLEX),
    ],
    Some(&[
        Skip("forwardLogicalChannelDependency", Null),
        Skip("replacementFor", Null),
    ]),
);

pub const H222_PARAMETERS: Type = Sequence(
    &[
        Skip("resourceID", Octets(2)),
        Skip("subChannelID", Octets(2)),
        Optional(&Skip("pcr-pid", Octets(2))),
        Optional(&Skip("programDescriptors", OCTET_STRING)),
        Optional(&Skip("streamDescriptors", OCTET_STRING)),
    ],
    Some(&[]),
);

pub const H223_PARAMETERS: Type = Sequence(
    &[
        Skip("adaptationLayerType", ADAPTATION_LAYER),
        Skip("segmentableFlag", BOOLEAN),
    ],
    Some(&[]),
);

pub const H2250_ACK_PARAMETERS: Type = Sequence(
    &[
        Optional(&Skip("nonStandard", list(&NON_STANDARD_PARAMETER))),
        Optional(&Skip("sessionID", Bits(8))),
        Optional(&Decode("mediaChannel", TRANSPORT_ADDRESS)),
        Optional(&Decode("mediaControlChannel", TRANSPORT_ADDRESS)),
        Optional(&Skip("dynamicRTPPayloadType", Bits(5))),
    ],
    Some(&[Skip("flowControlToZero", Null), Skip("portNumber", Null)]),
);

pub const H2250_PARAMETERS: Type = Sequence(
    &[
        Optional(&Skip("nonStandard", list(&NON_STANDARD_PARAMETER))),
        Skip("sessionID", Octets(1)),
        Optional(&Skip("associatedSessionID", Bits(8))),
        Optional(&Decode("mediaChannel", TRANSPORT_ADDRESS)),
        Optional(&Skip("mediaGuaranteedDelivery", BOOLEAN)),
        Optional(&Decode("mediaControlChannel", TRANSPORT_ADDRESS)),
        Optional(&Stop("mediaControlGuaranteedDelivery")),
        Optional(&Stop("silenceSuppression")),
        Optional(&Stop("destination")),
        Optional(&Stop("dynamicRTPPayloadType")),
        Optional(&Stop("mediaPacketization")),
    ],
    Some(&[Stop("transportCapability")]),
);

pub const MULTICAST_ADDRESS: Type = Choice(
    &[
        Skip("iPAddress", MULTICAST_IP),
        Skip("iP6Address", MULTICAST_IP6),
    ],
    Some(&[]),
);

pub const MULTICAST_IP: Type = Sequence(
    &[
        Skip("network", Octets(4)),
        Skip("tsapIdentifier", Octets(2)),
    ],
    Some(&[]),
);

pub const MULTICAST_IP6: Type = Sequence(
    &[
        Skip("network", Octets(16)),
        Skip("tsapIdentifier", Octets(2)),
    ],
    Some(&[]),
);

pub const NETWORK_ACCESS_PARAMETERS: Type = Sequence(
    &[
        Optional(&Skip("distribution", names(2))),
        Decode("networkAddress", NETWORK_ADDRESS),
        Skip("associateConference", BOOLEAN),
        Optional(&Skip("externalReference", octets(InBits(8), 1))),
    ],
    Some(&[Skip("t120SetupProcedure", Null)]),
);

pub const NETWORK_ADDRESS: Type = Choice(
    &[
        Skip("q2931Address", Q2931_ADDRESS),
        Skip("e164Address", digits(7)),
        Decode("localAreaAddress", TRANSPORT_ADDRESS),
    ],
    Some(&[]),
);

pub const Q2931_ADDRESS: Type = Sequence(
    &[
        Skip("address", Q2931_NUMBER),
        Optional(&Skip("subaddress", octets(InBits(5), 1))),
    ],
    Some(&[]),
);

pub const Q2931_NUMBER: Type = Choice(
    &[
        Skip("internationalNumber", digits(4)),
        Skip("nsapAddress", octets(InBits(5), 1)),
    ],
    Some(&[]),
);

pub const REVERSE_MULTIPLEX: Type = Choice(
    &[
        Skip("h223LogicalChannelParameters", H223_PARAMETERS),
        Skip("v76LogicalChannelParameters", V76_PARAMETERS),
    ],
    Some(&[Decode("h2250LogicalChannelParameters", H2250_PARAMETERS)]),
);

pub const REVERSE_PARAMETERS: Type = Sequence(
    &[
        Skip("dataType", DATA_TYPE),
        Optional(&Decode("multiplexParameters", REVERSE_MULTIPLEX)),
    ],
    Some(&[
        Skip("reverseLogicalChannelDependency", Null),
        Skip("replacementFor", Null),
    ]),
);

pub const SOURCE_ROUTE: Type = Sequence(
    &[
        Skip(
            "routing",
            Names {
                number: 2,
                extensible: false,
            },
        ),
        Skip("network", Octets(4)),
        Skip("tsapIdentifier", Octets(2)),
        Skip("route", list(&Octets(4))),
    ],
    Some(&[]),
);

pub const TRANSPORT_ADDRESS: Type = Choice(
    &[
        Decode("unicastAddress", UNICAST_ADDRESS),
        Skip("multicastAddress", MULTICAST_ADDRESS),
    ],
    Some(&[]),
);

pub const UNICAST_ADDRESS: Type = Choice(
    &[
        Decode("iPAddress", UNICAST_IP),
        Skip("iPXAddress", UNICAST_IPX),
        Decode("iP6Address", UNICAST_IP6),
        Skip("netBios", Octets(16)),
        Skip("iPSourceRouteAddress", SOURCE_ROUTE),
    ],
    Some(&[]),
);

pub const UNICAST_IP: Type = Sequence(
    &[
        Decode("network", Octets(4)),
        Skip("tsapIdentifier", Octets(2)),
    ],
    Some(&[]),
);

pub const UNICAST_IP6: Type = Sequence(
    &[
        Decode("network", Octets(16)),
        Skip("tsapIdentifier", Octets(2)),
    ],
    Some(&[]),
);

pub const UNICAST_IPX: Type = Sequence(
    &[
        Skip("node", Octets(6)),
        Skip("netnum", Octets(4)),
        Skip("tsapIdentifier", Unaligned(2)),
    ],
    Some(&[]),
);

pub const V75_PARAMETERS: Type = Sequence(&[Skip("audioHeaderPresent", BOOLEAN)], Some(&[]));

pub const V76_ERM: Type = Sequence(
    &[Skip("windowSize", Bits(7)), Skip("recovery", names(3))],
    Some(&[]),
);

pub const V76_HDLC_PARAMETERS: Type = Sequence(
    &[
        Skip("crcLength", names(3)),
        Skip("n401", Octets(2)),
        Skip("loopbackTestProcedure", BOOLEAN),
    ],
    Some(&[]),
);

pub const V76_MODE: Type = Choice(&[Skip("eRM", V76_ERM), Skip("uNERM", Null)], Some(&[]));

pub const V76_PARAMETERS: Type = Sequence(
    &[
        Skip("hdlcParameters", V76_HDLC_PARAMETERS),
        Skip("suspendResume", names(3)),
        Skip("uIH", BOOLEAN),
        Skip("mode", V76_MODE),
        Skip("v75Parameters", V75_PARAMETERS),
    ],
    Some(&[]),
);
