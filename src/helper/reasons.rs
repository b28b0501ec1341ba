//! Why a command makes no expectation, where several helpers say so.

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
