//! The link types by the decoder that reads them.

/// The target's name behind `link-`, and LINKTYPE_ numbers: an input's first byte chooses among them.
pub const FAMILIES: &[(&str, &[u16])] = &[
    ("cooked", &[113, 276]),
    ("ethernet", &[1, 219, 281, 282, 284, 285]),
    ("llc", &[10, 100, 122]),
    ("loopback", &[0, 108, 109, 117, 138, 226, 242]),
    ("nflog", &[239]),
    ("raw", &[12, 14, 101, 228, 229]),
    ("serial", &[8, 9, 50, 51, 104, 107, 166, 204, 205, 206]),
    ("wifi", &[105, 119, 127, 163]),
    ("wrapped", &[192, 258]),
];
