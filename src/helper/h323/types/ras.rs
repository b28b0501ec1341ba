//! H.225.0, RAS: the messages, then what they are made of.
//!
//! Source: ITU-T H.225.0 annex H; what is decoded, passed over or stopped at: nf_conntrack_h323_types.c.

use super::h225::{
    ALIAS_ADDRESS, ENDPOINT_TYPE, NON_STANDARD_PARAMETER, TRANSPORT_ADDRESS, VENDOR_IDENTIFIER,
};
use crate::helper::h323::notation::Field::{Decode, Optional, Skip, Stop};
use crate::helper::h323::notation::Length::Bits as InBits;
use crate::helper::h323::notation::Type::{Choice, Null, Number, Octets, Sequence};
use crate::helper::h323::notation::{
    BOOLEAN, OBJECT_IDENTIFIER, Type, bmp_string, items, list, names,
};

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

pub const LOCATION_CONFIRM: Type = Sequence(
    &[
        Skip("requestSeqNum", Octets(2)),
        Decode("callSignalAddress", TRANSPORT_ADDRESS),
        Decode("rasAddress", TRANSPORT_ADDRESS),
        Optional(&Stop("nonStandardData")),
    ],
    Some(&[Stop("destinationInfo")]),
);
