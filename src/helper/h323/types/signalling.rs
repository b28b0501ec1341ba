//! H.225.0, call signalling: the user-user part of Q.931. The messages, then what they are made of.
//!
//! Source: ITU-T H.225.0 annex H; what is decoded, passed over or stopped at: nf_conntrack_h323_types.c.

use super::h225::{ALIAS_ADDRESS, ENDPOINT_TYPE, NON_STANDARD_PARAMETER, TRANSPORT_ADDRESS};
use super::h235::{CLEAR_TOKEN, CRYPTO_H323_TOKEN, H245_SECURITY};
use super::h245::{CONTROL_MESSAGE, OPEN_LOGICAL_CHANNEL};
use crate::helper::h323::notation::Field::{Decode, Optional, Skip, Stop};
use crate::helper::h323::notation::Type::{Bits, Choice, Null, Octets, Sequence};
use crate::helper::h323::notation::{BOOLEAN, OBJECT_IDENTIFIER, Type, list, names, open_items};

pub const H323_USER_INFORMATION: Type = Sequence(
    &[
        Decode("h323-uu-pdu", H323_UU_PDU),
        Optional(&Stop("user-data")),
    ],
    Some(&[]),
);

pub const H323_UU_PDU: Type = Sequence(
    &[
        Decode("h323-message-body", MESSAGE_BODY),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
    ],
    Some(&[
        Skip("h4501SupplementaryService", Null),
        Skip("h245Tunneling", Null),
        Decode("h245Control", open_items(&CONTROL_MESSAGE, 4)),
        Stop("nonStandardControl"),
    ]),
);

pub const MESSAGE_BODY: Type = Choice(
    &[
        Decode("setup", SETUP),
        Decode("callProceeding", CALL_PROCEEDING),
        Decode("connect", CONNECT),
        Decode("alerting", ALERTING),
        Skip("information", INFORMATION),
        Skip("releaseComplete", RELEASE_COMPLETE),
        Decode("facility", FACILITY),
    ],
    Some(&[Decode("progress", PROGRESS)]),
);

pub const SETUP: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Decode("h245Address", TRANSPORT_ADDRESS)),
        Optional(&Skip("sourceAddress", list(&ALIAS_ADDRESS))),
        Skip("sourceInfo", ENDPOINT_TYPE),
        Optional(&Skip("destinationAddress", list(&ALIAS_ADDRESS))),
        Optional(&Decode("destCallSignalAddress", TRANSPORT_ADDRESS)),
        Optional(&Skip("destExtraCallInfo", list(&ALIAS_ADDRESS))),
        Optional(&Skip("destExtraCRV", list(&Octets(2)))),
        Skip("activeMC", BOOLEAN),
        Skip("conferenceID", Octets(16)),
        Skip("conferenceGoal", names(3)),
        Optional(&Skip("callServices", QSERIES_OPTIONS)),
        Skip("callType", names(4)),
    ],
    Some(&[
        Decode("sourceCallSignalAddress", TRANSPORT_ADDRESS),
        Skip("remoteExtensionAddress", Null),
        Skip("callIdentifier", Null),
        Skip("h245SecurityCapability", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Decode("fastStart", FAST_START),
        Skip("mediaWaitForConnect", Null),
        Skip("canOverlapSend", Null),
        Stop("endpointIdentifier"),
    ]),
);

pub const CALL_PROCEEDING: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Skip("destinationInfo", ENDPOINT_TYPE),
        Optional(&Decode("h245Address", TRANSPORT_ADDRESS)),
    ],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("h245SecurityMode", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Decode("fastStart", FAST_START),
        Skip("multipleCalls", Null),
        Skip("maintainConnection", Null),
        Skip("fastConnectRefused", Null),
        Skip("featureSet", Null),
    ]),
);

pub const CONNECT: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Decode("h245Address", TRANSPORT_ADDRESS)),
        Skip("destinationInfo", ENDPOINT_TYPE),
        Skip("conferenceID", Octets(16)),
    ],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("h245SecurityMode", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Decode("fastStart", FAST_START),
        Skip("multipleCalls", Null),
        Skip("maintainConnection", Null),
        Skip("language", Null),
        Skip("connectedAddress", Null),
        Skip("presentationIndicator", Null),
        Skip("screeningIndicator", Null),
        Skip("fastConnectRefused", Null),
        Skip("serviceControl", Null),
        Skip("capacity", Null),
        Skip("featureSet", Null),
    ]),
);

pub const ALERTING: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Skip("destinationInfo", ENDPOINT_TYPE),
        Optional(&Decode("h245Address", TRANSPORT_ADDRESS)),
    ],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("h245SecurityMode", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Decode("fastStart", FAST_START),
        Skip("multipleCalls", Null),
        Skip("maintainConnection", Null),
        Skip("alertingAddress", Null),
        Skip("presentationIndicator", Null),
        Skip("screeningIndicator", Null),
        Skip("fastConnectRefused", Null),
        Skip("serviceControl", Null),
        Skip("capacity", Null),
        Skip("featureSet", Null),
    ]),
);

pub const INFORMATION: Type = Sequence(
    &[Skip("protocolIdentifier", OBJECT_IDENTIFIER)],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Skip("fastStart", Null),
        Skip("fastConnectRefused", Null),
        Skip("circuitInfo", Null),
    ]),
);

pub const RELEASE_COMPLETE: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Skip("reason", names(12))),
    ],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Skip("busyAddress", Null),
        Skip("presentationIndicator", Null),
        Skip("screeningIndicator", Null),
        Skip("capacity", Null),
        Skip("serviceControl", Null),
        Skip("featureSet", Null),
    ]),
);

pub const FACILITY: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Decode("alternativeAddress", TRANSPORT_ADDRESS)),
        Optional(&Skip("alternativeAliasAddress", list(&ALIAS_ADDRESS))),
        Optional(&Skip("conferenceID", Octets(16))),
        Decode("reason", FACILITY_REASON),
    ],
    Some(&[
        Skip("callIdentifier", Null),
        Skip("destExtraCallInfo", Null),
        Skip("remoteExtensionAddress", Null),
        Skip("tokens", Null),
        Skip("cryptoTokens", Null),
        Skip("conferences", Null),
        Decode("h245Address", TRANSPORT_ADDRESS),
        Decode("fastStart", FAST_START),
        Skip("multipleCalls", Null),
        Skip("maintainConnection", Null),
        Skip("fastConnectRefused", Null),
        Skip("serviceControl", Null),
        Skip("circuitInfo", Null),
        Skip("featureSet", Null),
        Skip("destinationInfo", Null),
        Skip("h245SecurityMode", Null),
    ]),
);

pub const PROGRESS: Type = Sequence(
    &[
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Skip("destinationInfo", ENDPOINT_TYPE),
        Optional(&Decode("h245Address", TRANSPORT_ADDRESS)),
        Skip("callIdentifier", CALL_IDENTIFIER),
        Optional(&Skip("h245SecurityMode", H245_SECURITY)),
        Optional(&Skip("tokens", list(&CLEAR_TOKEN))),
        Optional(&Skip("cryptoTokens", list(&CRYPTO_H323_TOKEN))),
        Optional(&Decode("fastStart", FAST_START)),
    ],
    Some(&[
        Skip("multipleCalls", Null),
        Skip("maintainConnection", Null),
        Skip("fastConnectRefused", Null),
    ]),
);

pub const CALL_IDENTIFIER: Type = Sequence(&[Skip("guid", Octets(16))], Some(&[]));

pub const FACILITY_REASON: Type = Choice(
    &[
        Skip("routeCallToGatekeeper", Null),
        Skip("callForwarded", Null),
        Skip("routeCallToMC", Null),
        Skip("undefinedReason", Null),
    ],
    Some(&[]),
);

pub const FAST_START: Type = open_items(&OPEN_LOGICAL_CHANNEL, 30);

pub const Q954_DETAILS: Type = Sequence(
    &[Skip("conferenceCalling to threePartyService", Bits(2))],
    Some(&[]),
);

pub const QSERIES_OPTIONS: Type = Sequence(
    &[
        Skip("q932Full to q957Full", Bits(7)),
        Skip("q954Info", Q954_DETAILS),
    ],
    Some(&[]),
);
