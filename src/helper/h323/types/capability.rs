//! H.245: what a logical channel carries. All that is kept of it is whether that is T.120 on a connection of its own.
//!
//! Source: ITU-T H.245 annex A; nf_conntrack_h323_types.c.

use crate::helper::h323::notation::Field::{Decode, Optional, Skip};
use crate::helper::h323::notation::Type::{Bits, Choice, Null, Number, Octets, Sequence};
use crate::helper::h323::notation::{BOOLEAN, OBJECT_IDENTIFIER, OCTET_STRING, Type};

pub const DATA_TYPE: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("nullData", Null),
        Skip("videoData", VIDEO_CAPABILITY),
        Skip("audioData", AUDIO_CAPABILITY),
        Decode("data", DATA_APPLICATION),
        Skip("encryptionData", ENCRYPTION_MODE),
    ],
    Some(&[]),
);

pub const AUDIO_CAPABILITY: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("g711Alaw64k", Octets(1)),
        Skip("g711Alaw56k", Octets(1)),
        Skip("g711Ulaw64k", Octets(1)),
        Skip("g711Ulaw56k", Octets(1)),
        Skip("g722-64k", Octets(1)),
        Skip("g722-56k", Octets(1)),
        Skip("g722-48k", Octets(1)),
        Skip("g7231", G7231),
        Skip("g728", Octets(1)),
        Skip("g729", Octets(1)),
        Skip("g729AnnexA", Octets(1)),
        Skip("is11172AudioCapability", IS11172_AUDIO_CAPABILITY),
        Skip("is13818AudioCapability", IS13818_AUDIO_CAPABILITY),
    ],
    Some(&[]),
);

pub const VIDEO_CAPABILITY: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("h261VideoCapability", H261_VIDEO_CAPABILITY),
        Skip("h262VideoCapability", H262_VIDEO_CAPABILITY),
        Skip("h263VideoCapability", H263_VIDEO_CAPABILITY),
        Skip("is11172VideoCapability", IS11172_VIDEO_CAPABILITY),
    ],
    Some(&[]),
);

pub const DATA_APPLICATION: Type = Sequence(
    &[
        Decode("application", APPLICATION),
        Skip("maxBitRate", Number { least: 0 }),
    ],
    Some(&[]),
);

pub const APPLICATION: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Decode("t120", DATA_PROTOCOL),
        Skip("dsm-cc", DATA_PROTOCOL),
        Skip("userData", DATA_PROTOCOL),
        Skip("t84", T84),
        Skip("t434", DATA_PROTOCOL),
        Skip("h224", DATA_PROTOCOL),
        Skip("nlpid", NLPID),
        Skip("dsvdControl", Null),
        Skip("h222DataPartitioning", DATA_PROTOCOL),
    ],
    Some(&[]),
);

pub const DATA_PROTOCOL: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("v14buffered", Null),
        Skip("v42lapm", Null),
        Skip("hdlcFrameTunnelling", Null),
        Skip("h310SeparateVCStack", Null),
        Skip("h310SingleVCStack", Null),
        Skip("transparent", Null),
    ],
    Some(&[
        Skip("segmentationAndReassembly", Null),
        Skip("hdlcFrameTunnelingwSAR", Null),
        Skip("v120", Null),
        Skip("separateLANStack", Null),
    ]),
);

pub const ENCRYPTION_MODE: Type = Choice(
    &[
        Skip("nonStandard", NON_STANDARD_PARAMETER),
        Skip("h233Encryption", Null),
    ],
    Some(&[]),
);

pub const G7231: Type = Sequence(
    &[
        Skip("maxAl-sduAudioFrames", Octets(1)),
        Skip("silenceSuppression", BOOLEAN),
    ],
    None,
);

pub const H221_NON_STANDARD: Type = Sequence(
    &[
        Skip("t35CountryCode", Octets(1)),
        Skip("t35Extension", Octets(1)),
        Skip("manufacturerCode", Octets(2)),
    ],
    None,
);

pub const H261_VIDEO_CAPABILITY: Type = Sequence(
    &[
        Optional(&Skip("qcifMPI", Bits(2))),
        Optional(&Skip("cifMPI", Bits(2))),
        Skip("temporalSpatialTradeOffCapability", BOOLEAN),
        Skip("maxBitRate", Octets(2)),
        Skip("stillImageTransmission", BOOLEAN),
    ],
    Some(&[Skip("videoBadMBsCap", Null)]),
);

pub const H262_VIDEO_CAPABILITY: Type = Sequence(
    &[
        Skip("profileAndLevel-SPatML to profileAndLevel-HPatHL", Bits(11)),
        Optional(&Skip("videoBitRate", Number { least: 0 })),
        Optional(&Skip("vbvBufferSize", Number { least: 0 })),
        Optional(&Skip("samplesPerLine", Octets(2))),
        Optional(&Skip("linesPerFrame", Octets(2))),
        Optional(&Skip("framesPerSecond", Bits(4))),
        Optional(&Skip("luminanceSampleRate", Number { least: 0 })),
    ],
    Some(&[Skip("videoBadMBsCap", Null)]),
);

pub const H263_VIDEO_CAPABILITY: Type = Sequence(
    &[
        Optional(&Skip("sqcifMPI", Bits(5))),
        Optional(&Skip("qcifMPI", Bits(5))),
        Optional(&Skip("cifMPI", Bits(5))),
        Optional(&Skip("cif4MPI", Bits(5))),
        Optional(&Skip("cif16MPI", Bits(5))),
        Skip("maxBitRate", Number { least: 1 }),
        Skip(
            "unrestrictedVector to temporalSpatialTradeOffCapability",
            Bits(5),
        ),
        Optional(&Skip("hrd-B", Number { least: 0 })),
        Optional(&Skip("bppMaxKb", Octets(2))),
    ],
    Some(&[
        Skip("slowSqcifMPI", Null),
        Skip("slowQcifMPI", Null),
        Skip("slowCifMPI", Null),
        Skip("slowCif4MPI", Null),
        Skip("slowCif16MPI", Null),
        Skip("errorCompensation", Null),
        Skip("enhancementLayerInfo", Null),
        Skip("h263Options", Null),
    ]),
);

pub const IS11172_AUDIO_CAPABILITY: Type = Sequence(
    &[
        Skip("audioLayer1 to twoChannels", Bits(8)),
        Skip("bitRate", Octets(2)),
    ],
    Some(&[]),
);

pub const IS11172_VIDEO_CAPABILITY: Type = Sequence(
    &[
        Skip("constrainedBitstream", BOOLEAN),
        Optional(&Skip("videoBitRate", Number { least: 0 })),
        Optional(&Skip("vbvBufferSize", Number { least: 0 })),
        Optional(&Skip("samplesPerLine", Octets(2))),
        Optional(&Skip("linesPerFrame", Octets(2))),
        Optional(&Skip("pictureRate", Bits(4))),
        Optional(&Skip("luminanceSampleRate", Number { least: 0 })),
    ],
    Some(&[Skip("videoBadMBsCap", Null)]),
);

pub const IS13818_AUDIO_CAPABILITY: Type = Sequence(
    &[
        Skip("audioLayer1 to multilingual", Bits(20)),
        Skip("bitRate", Octets(2)),
    ],
    Some(&[]),
);

pub const NLPID: Type = Sequence(
    &[
        Skip("nlpidProtocol", DATA_PROTOCOL),
        Skip("nlpidData", OCTET_STRING),
    ],
    None,
);

pub const NON_STANDARD_IDENTIFIER: Type = Choice(
    &[
        Skip("object", OBJECT_IDENTIFIER),
        Skip("h221NonStandard", H221_NON_STANDARD),
    ],
    None,
);

pub const NON_STANDARD_PARAMETER: Type = Sequence(
    &[
        Skip("nonStandardIdentifier", NON_STANDARD_IDENTIFIER),
        Skip("data", OCTET_STRING),
    ],
    None,
);

pub const T84: Type = Sequence(
    &[
        Skip("t84Protocol", DATA_PROTOCOL),
        Skip("t84Profile", T84_PROFILE),
    ],
    None,
);

pub const T84_PROFILE: Type = Choice(
    &[
        Skip("t84Unrestricted", Null),
        Skip("t84Restricted", T84_RESTRICTED),
    ],
    None,
);

pub const T84_RESTRICTED: Type = Sequence(&[Skip("qcif to digPhotoHighProg", Bits(19))], Some(&[]));
