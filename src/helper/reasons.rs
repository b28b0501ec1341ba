//! Why a command makes no expectation, where several helpers say so, or somebody asks whether it was that.

pub const NOT_ESTABLISHED: &str = "said before there was traffic both ways";
pub const NOT_THE_SPEAKER: &str = "names an address that is not the speaker's";
pub const PORT_0: &str = "names port 0";
pub const NOT_WHOLE: &str = "the segment does not hold all of the message";

// FTP. By direction:
pub const WRONG_END: [&str; 2] = [
    "a server's reply, said by the client",
    "a client's command, said by the server",
];
pub const NOT_THE_FIRST_LINE: &str = "not on the first line of its segment";

// Amanda
pub const SAID_BY_ASKER: &str = "a CONNECT line, said by the one who asks";

// SANE
pub const NOT_ALONE: &str = "NET_START not in a segment of its own";
pub const UNASKED: &str = "answers a NET_START that was not read";

// PPTP
pub const SECOND_CALL: &str = "a second call on one control connection";

// SSDP
pub const FOREIGN_CALLBACK: &str = "CALLBACK names another host";

// H.323: what kernels read beyond the message for, or calculated with, before they were mended.
pub const LONG_BITMAP: &str = "an extension bitmap of more than 32 bits (CVE-2024-26851)";
pub const MISSING_INTEGER: &str = "an integer whose bytes are not there (CVE-2026-23456)";
pub const CHOICE_AT_THE_END: &str = "a choice that ends where the message does (CVE-2026-43233)";
pub const EMPTY_ELEMENT: &str = "a user-user element of length 0 (CVE-2026-23455)";
