//! H.225.0, what call signalling and RAS share: addresses first.
//!
//! Source: ITU-T H.225.0 annex H; what is decoded, passed over or stopped at: nf_conntrack_h323_types.c.

use crate::helper::h323::notation::Field::{Decode, Optional, Skip};
use crate::helper::h323::notation::Length::{Bits as InBits, Octet};
use crate::helper::h323::notation::Type::{Bits, Choice, Null, Octets, Sequence, Unaligned};
use crate::helper::h323::notation::{
    OBJECT_IDENTIFIER, OCTET_STRING, Type, bmp_string, digits, list, names, octets,
};

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

pub const IP: Type = Sequence(&[Decode("ip", Octets(4)), Skip("port", Octets(2))], None);

pub const IP6: Type = Sequence(
    &[Decode("ip", Octets(16)), Skip("port", Octets(2))],
    Some(&[]),
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

pub const GATEKEEPER_INFO: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[]),
);

pub const GATEWAY_CAPS: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[
        Skip("dataRatesSupported", Null),
        Skip("supportedPrefixes", Null),
    ]),
);

pub const GATEWAY_INFO: Type = Sequence(
    &[
        Optional(&Skip("protocol", list(&SUPPORTED_PROTOCOL))),
        Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER)),
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

pub const IPX: Type = Sequence(
    &[
        Skip("node", Octets(6)),
        Skip("netnum", Octets(4)),
        Skip("port", Unaligned(2)),
    ],
    None,
);

pub const MCU_INFO: Type = Sequence(
    &[Optional(&Skip("nonStandardData", NON_STANDARD_PARAMETER))],
    Some(&[Skip("protocol", Null)]),
);

pub const NON_STANDARD_IDENTIFIER: Type = Choice(
    &[
        Skip("object", OBJECT_IDENTIFIER),
        Skip("h221NonStandard", H221_NON_STANDARD),
    ],
    Some(&[]),
);

pub const NON_STANDARD_PARAMETER: Type = Sequence(
    &[
        Skip("nonStandardIdentifier", NON_STANDARD_IDENTIFIER),
        Skip("data", OCTET_STRING),
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

pub const VENDOR_IDENTIFIER: Type = Sequence(
    &[
        Skip("vendor", H221_NON_STANDARD),
        Optional(&Skip("productId", octets(Octet, 1))),
        Optional(&Skip("versionId", octets(Octet, 1))),
    ],
    Some(&[]),
);
