//! Why a command makes no expectation, where several helpers say so, or somebody asks whether it was that.

/// Helpers of TCP read nothing before.
pub const NOT_ESTABLISHED: &str = "said before there was traffic both ways";
/// Who speaks may not open a hole to others.
pub const NOT_THE_SPEAKER: &str = "names an address that is not the speaker's";
/// Nobody listens there.
pub const PORT_0: &str = "names port 0";
/// Helpers read a segment by itself.
pub const NOT_WHOLE: &str = "the segment does not hold all of the message";

// FTP
/// By the direction in which it was said.
pub const WRONG_END: [&str; 2] = [
    "a server's reply, said by the client",
    "a client's command, said by the server",
];
/// nf_conntrack_ftp reads the first alone.
pub const NOT_THE_FIRST_LINE: &str = "not on the first line of its segment";

// Amanda
/// nf_conntrack_amanda reads answers alone.
pub const SAID_BY_ASKER: &str = "a CONNECT line, said by the one who asks";

// SANE
/// nf_conntrack_sane reads requests of one length.
pub const NOT_ALONE: &str = "NET_START not in a segment of its own";
/// nf_conntrack_sane reads an answer behind its request alone.
pub const UNASKED: &str = "answers a NET_START that was not read";

// PPTP
/// nf_conntrack_pptp has room for one.
pub const SECOND_CALL: &str = "a second call on one control connection";

// SSDP
/// conntrackd's ssdp takes a callback to the subscriber alone.
pub const FOREIGN_CALLBACK: &str = "CALLBACK names another host";

// H.323: what kernels read beyond the message for, or calculated with, before they were mended.
/// In `get_bitmap` (nf_conntrack_h323_asn1.c).
pub const LONG_BITMAP: &str = "an extension bitmap of more than 32 bits (CVE-2024-26851)";
/// In `decode_int`, likewise.
pub const MISSING_INTEGER: &str = "an integer whose bytes are not there (CVE-2026-23456)";
/// In `decode_choice`, likewise.
pub const CHOICE_AT_THE_END: &str = "a choice that ends where the message does (CVE-2026-43233)";
/// In `DecodeQ931`, likewise.
pub const EMPTY_ELEMENT: &str = "a user-user element of length 0 (CVE-2026-23455)";
