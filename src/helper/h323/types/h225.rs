//! H.225.0: call signalling (the user-user part of Q.931) and RAS.
//!
//! Source: ITU-T H.225.0 annex H; what is decoded, passed over or stopped at: nf_conntrack_h323_types.c.

use super::h235::{CLEAR_TOKEN, CRYPTO_H323_TOKEN, H245_SECURITY};
use super::h245::{CONTROL_MESSAGE, OPEN_LOGICAL_CHANNEL};
use crate::helper::h323::notation::Field::{Decode, Optional, Skip, Stop};
use crate::helper::h323::notation::Length::{Bits as InBits, Octet};
use crate::helper::h323::notation::Type::{
    Bits, Choice, Null, Number, Octets, Sequence, Unaligned,
};
use crate::helper::h323::notation::{
    BOOLEAN, OBJECT_IDENTIFIER, OCTET_STRING, Type, bmp_string, digits, items, list, names, octets,
    open_items,
};

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

pub const FAST_START: Type = open_items(&OPEN_LOGICAL_CHANNEL, 30);

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

pub const FACILITY_REASON: Type = Choice(
    &[
        Skip("routeCallToGatekeeper", Null),
        Skip("callForwarded", Null),
        Skip("routeCallToMC", Null),
        Skip("undefinedReason", Null),
    ],
    Some(&[]),
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

pub const QSERIES_OPTIONS: Type = Sequence(
    &[
        Skip("q932Full to q957Full", Bits(7)),
        Skip("q954Info", Q954_DETAILS),
    ],
    Some(&[]),
);

pub const Q954_DETAILS: Type = Sequence(
    &[Skip("conferenceCalling to threePartyService", Bits(2))],
    Some(&[]),
);

/// Requests of a gatekeeper, of an admission or of a location and answers to a request for information are read by the
/// kernel for address translation alone.
pub const RAS_MESSAGE: Type = Choice(
    &[
        Stop("gatekeeperRequest"),
        Decode("gatekeeperConfirm", GATEKEEPER_CONFIRM),
        Stop("gatekeeperReject"),
        Decode("registrationRequest", REGISTRATION_REQUEST),
        Decode("registrationConfirm", REGISTRATION_CONFIRM),
        Stop("registrationReject"),
        Decode("unregistrationRequest", UNREGISTRATION_REQUEST),
        Stop("unregistrationConfirm"),
        Stop("unregistrationReject"),
        Stop("admissionRequest"),
        Decode("admissionConfirm", ADMISSION_CONFIRM),
        Stop("admissionReject"),
        Stop("bandwidthRequest"),
        Stop("bandwidthConfirm"),
        Stop("bandwidthReject"),
        Stop("disengageRequest"),
        Stop("disengageConfirm"),
        Stop("disengageReject"),
        Stop("locationRequest"),
        Decode("locationConfirm", LOCATION_CONFIRM),
        Stop("locationReject"),
        Stop("infoRequest"),
        Stop("infoRequestResponse"),
        Stop("nonStandardMessage"),
    ],
    Some(&[
        Stop("unknownMessageResponse"),
        Stop("requestInProgress"),
        Stop("resourcesAvailableIndicate"),
        Stop("resourcesAvailableConfirm"),
        Stop("infoRequestAck"),
        Stop("infoRequestNak"),
        Stop("serviceControlIndication"),
        Stop("serviceControlResponse"),
    ]),
);

pub const LOCATION_CONFIRM: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Decode("callSignalAddress", TRANSPORT_ADDRESS),
        Decode("rasAddress", TRANSPORT_ADDRESS),
        Optional(&Stop("nonStandardData")),
    ],
    Some(&[Stop("destinationInfo")]),
);

pub const ADMISSION_CONFIRM: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Skip("bandWidth", Number { least: 0 }),
        Skip("callModel", names(2)),
        Decode("destCallSignalAddress", TRANSPORT_ADDRESS),
        Optional(&Stop("irrFrequency")),
        Optional(&Stop("nonStandardData")),
    ],
    Some(&[Stop("destinationInfo")]),
);

pub const UNREGISTRATION_REQUEST: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Decode("callSignalAddress", items(&TRANSPORT_ADDRESS, 10)),
        Optional(&Stop("endpointAlias")),
        Optional(&Stop("nonStandardData")),
        Optional(&Stop("endpointIdentifier")),
    ],
    Some(&[Stop("alternateEndpoints")]),
);

pub const REGISTRATION_CONFIRM: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
        Decode("callSignalAddress", items(&TRANSPORT_ADDRESS, 10)),
        Optional(&Skip("terminalAlias", list(&ALIAS_ADDRESS))),
        Optional(&Skip("gatekeeperIdentifier", bmp_string(InBits(7)))),
        Skip("endpointIdentifier", bmp_string(InBits(7))),
    ],
    Some(&[
        Skip("alternateGatekeeper", Null),
        Decode("timeToLive", Number { least: 1 }),
        Stop("tokens"),
    ]),
);

pub const REGISTRATION_REQUEST: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
        Skip("discoveryComplete", BOOLEAN),
        Decode("callSignalAddress", items(&TRANSPORT_ADDRESS, 10)),
        Decode("rasAddress", items(&TRANSPORT_ADDRESS, 10)),
        Skip("terminalType", ENDPOINT_TYPE),
        Optional(&Skip("terminalAlias", list(&ALIAS_ADDRESS))),
        Optional(&Skip("gatekeeperIdentifier", bmp_string(InBits(7)))),
        Skip("endpointVendor", VENDOR_IDENTIFIER),
    ],
    Some(&[
        Skip("alternateEndpoints", Null),
        Decode("timeToLive", Number { least: 1 }),
        Stop("tokens"),
    ]),
);

pub const ALIAS_ADDRESS: Type = Choice(
    &[
        Skip("dialedDigits", digits(7)),
        Skip("h323-ID", bmp_string(Octet)),
    ],
    Some(&[]),
);

pub const ENDPOINT_TYPE: Type = Sequence(
    &[
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
        Optional(&Skip("vendor", VENDOR_IDENTIFIER)),
        Optional(&Skip("gatekeeper", GATEKEEPER_INFO)),
        Optional(&Skip("gateway", GATEWAY_INFO)),
        Optional(&Skip("mcu", MCU_INFO)),
        Optional(&Skip("terminal", GATEKEEPER_INFO)),
        Skip("mc to undefinedNode", Bits(2)),
    ],
    Some(&[Skip("set", Null), Skip("supportedTunnelledProtocols", Null)]),
);

pub const MCU_INFO: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[Skip("protocol", Null)]),
);

pub const GATEWAY_INFO: Type = Sequence(
    &[
        Optional(&Skip("protocol", list(&SUPPORTED_PROTOCOL))),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
    ],
    Some(&[]),
);

pub const SUPPORTED_PROTOCOL: Type = Choice(
    &[
        Skip("nonStandardData", NON_STANDARD_PARAMETER),
        Skip("h310", GATEWAY_CAPS),
        Skip("h320", GATEWAY_CAPS),
        Skip("h321", GATEWAY_CAPS),
        Skip("h322", GATEWAY_CAPS),
        Skip("h323", GATEWAY_CAPS),
        Skip("h324", GATEWAY_CAPS),
        Skip("voice", GATEWAY_CAPS),
        Skip("t120-only", GATEWAY_CAPS),
    ],
    Some(&[]),
);

pub const GATEWAY_CAPS: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[
        Skip("dataRatesSupported", Null),
        Skip("supportedPrefixes", Null),
    ]),
);

pub const GATEKEEPER_INFO: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[]),
);

pub const VENDOR_IDENTIFIER: Type = Sequence(
    &[
        Skip("vendor", H221_NON_STANDARD),
        Optional(&Skip("productId", octets(Octet, 1))),
        Optional(&Skip("versionId", octets(Octet, 1))),
    ],
    Some(&[]),
);

pub const GATEKEEPER_CONFIRM: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Skip("protocolIdentifier", OBJECT_IDENTIFIER),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
        Optional(&Skip("gatekeeperIdentifier", bmp_string(InBits(7)))),
        Decode("rasAddress", TRANSPORT_ADDRESS),
    ],
    Some(&[Stop("alternateGatekeeper")]),
);

pub const TRANSPORT_ADDRESS: Type = Choice(
    &[
        Decode("ipAddress", IP),
        Skip("ipSourceRoute", SOURCE_ROUTE),
        Skip("ipxAddress", IPX),
        Decode("ip6Address", IP6),
        Skip("netBios", Octets(16)),
        Skip("nsap", octets(InBits(5), 1)),
        Skip("nonStandardAddress", NON_STANDARD_PARAMETER),
    ],
    Some(&[]),
);

pub const IP6: Type = Sequence(
    &[Decode("ip", Octets(16)), Skip("port", Octets(2))],
    Some(&[]),
);

pub const IPX: Type = Sequence(
    &[
        Skip("node", Octets(6)),
        Skip("netnum", Octets(4)),
        Skip("port", Unaligned(2)),
    ],
    None,
);

pub const SOURCE_ROUTE: Type = Sequence(
    &[
        Skip("ip", Octets(4)),
        Skip("port", Octets(2)),
        Skip("route", list(&Octets(4))),
        Skip("routing", names(2)),
    ],
    Some(&[]),
);

pub const IP: Type = Sequence(&[Decode("ip", Octets(4)), Skip("port", Octets(2))], None);

pub const NON_STANDARD_PARAMETER: Type = Sequence(
    &[
        Skip("nonStandardIdentifier", NON_STANDARD_IDENTIFIER),
        Skip("data", OCTET_STRING),
    ],
    None,
);

pub const NON_STANDARD_IDENTIFIER: Type = Choice(
    &[
        Skip("object", OBJECT_IDENTIFIER),
        Skip("h221NonStandard", H221_NON_STANDARD),
    ],
    Some(&[]),
);

pub const H221_NON_STANDARD: Type = Sequence(
    &[
        Skip("t35CountryCode", Octets(1)),
        Skip("t35Extension", Octets(1)),
        Skip("manufacturerCode", Octets(2)),
    ],
    Some(&[]),
);
