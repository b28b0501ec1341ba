//! H.235: the tokens of calls. Nothing of them is kept, but a PROGRESS message has its fastStart behind them.
//!
//! Source: ITU-T H.235 annex A and H.225.0 annex H; nf_conntrack_h323_types.c.

use super::h225::{ALIAS_ADDRESS, NON_STANDARD_PARAMETER};
use crate::helper::h323::notation::Field::{Optional, Skip};
use crate::helper::h323::notation::Length::Bits as InBits;
use crate::helper::h323::notation::Type::{Choice, Null, Number, Octets, Open, Sequence};
use crate::helper::h323::notation::{
    BIT_STRING, LONG_BIT_STRING, OBJECT_IDENTIFIER, OCTET_STRING, Type, bmp_string, octets,
};

pub const CLEAR_TOKEN: Type = Sequence(
    &[
        Skip("tokenOID", OBJECT_IDENTIFIER),
        Optional(&Skip("timeStamp", Number { least: 1 })),
        Optional(&Skip("password", bmp_string(InBits(7)))),
        Optional(&Skip("dhkey", DH_SET)),
        Optional(&Skip("challenge", octets(InBits(7), 8))),
        Optional(&Skip("random", OCTET_STRING)),
        Optional(&Skip("certificate", TYPED_CERTIFICATE)),
        Optional(&Skip("generalID", bmp_string(InBits(7)))),
        Optional(&Skip("nonStandard", H235_NON_STANDARD)),
    ],
    Some(&[Skip("eckasdhkey", Null), Skip("sendersID", Null)]),
);

pub const CRYPTO_H323_TOKEN: Type = Choice(
    &[
        Skip("cryptoEPPwdHash", EP_PWD_HASH),
        Skip("cryptoGKPwdHash", GK_PWD_HASH),
        Skip("cryptoEPPwdEncr", ENCRYPTED),
        Skip("cryptoGKPwdEncr", ENCRYPTED),
        Skip("cryptoEPCert", SIGNED),
        Skip("cryptoGKCert", SIGNED),
        Skip("cryptoFastStart", SIGNED),
        Skip("nestedcryptoToken", CRYPTO_TOKEN),
    ],
    Some(&[]),
);

pub const H245_SECURITY: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("noSecurity", Null),
        Skip("tls", SECURITY_CAPABILITIES),
        Skip("ipsec", SECURITY_CAPABILITIES),
    ],
    Some(&[]),
);

pub const CRYPTO_TOKEN: Type = Choice(
    &[
        Skip("cryptoEncryptedToken", ENCRYPTED_TOKEN),
        Skip("cryptoSignedToken", SIGNED_TOKEN),
        Skip("cryptoHashedToken", HASHED_TOKEN),
        Skip("cryptoPwdEncr", ENCRYPTED),
    ],
    Some(&[]),
);

pub const DH_SET: Type = Sequence(
    &[
        Skip("halfkey", LONG_BIT_STRING),
        Skip("modSize", LONG_BIT_STRING),
        Skip("generator", LONG_BIT_STRING),
    ],
    Some(&[]),
);

pub const ENCRYPTED: Type = Sequence(
    &[
        Skip("algorithmOID", OBJECT_IDENTIFIER),
        Skip("paramS", PARAMS),
        Skip("encryptedData", OCTET_STRING),
    ],
    None,
);

pub const ENCRYPTED_TOKEN: Type = Sequence(
    &[
        Skip("tokenOID", OBJECT_IDENTIFIER),
        Skip("token", ENCRYPTED),
    ],
    None,
);

pub const EP_PWD_HASH: Type = Sequence(
    &[
        Skip("alias", ALIAS_ADDRESS),
        Skip("timeStamp", Number { least: 1 }),
        Skip("token", HASHED),
    ],
    None,
);

pub const GK_PWD_HASH: Type = Sequence(
    &[
        Skip("gatekeeperId", bmp_string(InBits(7))),
        Skip("timeStamp", Number { least: 1 }),
        Skip("token", HASHED),
    ],
    None,
);

pub const H235_NON_STANDARD: Type = Sequence(
    &[
        Skip("nonStandardIdentifier", OBJECT_IDENTIFIER),
        Skip("data", OCTET_STRING),
    ],
    None,
);

pub const HASHED: Type = Sequence(
    &[
        Skip("algorithmOID", OBJECT_IDENTIFIER),
        Skip("paramS", PARAMS),
        Skip("hash", BIT_STRING),
    ],
    None,
);

pub const HASHED_TOKEN: Type = Sequence(
    &[
        Skip("tokenOID", OBJECT_IDENTIFIER),
        Skip("hashedVals", CLEAR_TOKEN),
        Skip("token", HASHED),
    ],
    None,
);

pub const PARAMS: Type = Sequence(
    &[
        Optional(&Skip("ranInt", OCTET_STRING)),
        Optional(&Skip("iv8", Octets(8))),
    ],
    Some(&[Skip("iv16", Null)]),
);

pub const SECURITY_CAPABILITIES: Type = Sequence(
    &[
        Optional(&Skip("nonStandard", NON_STANDARD_PARAMETER)),
        Skip("encryption", SECURITY_SERVICE_MODE),
        Skip("authenticaton", SECURITY_SERVICE_MODE),
        Skip("integrity", SECURITY_SERVICE_MODE),
    ],
    Some(&[]),
);

pub const SECURITY_SERVICE_MODE: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("none", Null),
        Skip("default", Null),
    ],
    Some(&[]),
);

pub const SIGNED: Type = Sequence(
    &[
        Skip("toBeSigned", Open),
        Skip("algorithmOID", OBJECT_IDENTIFIER),
        Skip("paramS", PARAMS),
        Skip("signature", BIT_STRING),
    ],
    None,
);

pub const SIGNED_TOKEN: Type = Sequence(
    &[Skip("tokenOID", OBJECT_IDENTIFIER), Skip("token", SIGNED)],
    None,
);

pub const TYPED_CERTIFICATE: Type = Sequence(
    &[
        Skip("type", OBJECT_IDENTIFIER),
        Skip("certificate", OCTET_STRING),
    ],
    Some(&[]),
);
