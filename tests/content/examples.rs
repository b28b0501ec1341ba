//! A message of each kind.

use ctaudit::content::Content;
use ctaudit::tuple::Protocol;

use super::{TCP, UDP};

/// A message of each kind, as its standard has it or a program sent it.
pub fn examples() -> Vec<(Content, Protocol, Vec<u8>)> {
    let text = |kind, protocol, texts: &[&str]| -> Vec<(Content, Protocol, Vec<u8>)> {
        let example = |text: &&str| (kind, protocol, text.as_bytes().to_vec());
        texts.iter().map(example).collect()
    };
    let bytes = |helper, protocol, parts: &[&[u8]]| {
        vec![(Content::Control(helper), protocol, parts.concat())]
    };
    let sip = [
        "INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n",
        "REGISTER sips:example.net SIP/2.0\r\nv : SIP/2.0/TLS 192.0.2.1\r\n\r\n",
        "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n",
    ];
    [
        text(
            Content::Control("ftp"),
            TCP,
            &[
                "PORT 192,0,2,1,4,1\r\n",
                "port 192,0,2,1,4,1\r\n",
                "EPRT |1|132.235.1.2|6275|\r\n",
                "EPRT |2|1080::8:800:200C:417A|5282|\r\n",
                "PASV\r\n",
                "EPSV\r\n",
                "EPSV ALL\r\n",
                "227 Entering Passive Mode (192,0,2,1,4,1).\r\n",
                "227 =192,0,2,1,4,1\r\n",
                "229 Entering Extended Passive Mode (|||6446|)\r\n",
                "220 ProFTPD Server ready.\r\n",
                "220---------- Welcome to Pure-FTPd ----------\r\n220 You\r\n",
                "331 Anonymous FTP: your e-mail address, please\r\n",
            ],
        ),
        text(
            Content::Control("irc"),
            TCP,
            &[
                "NICK alice\r\nUSER alice 0 * :Alice\r\n",
                "CAP LS 302\r\nPASS x\r\nNICK alice\r\nUSER alice 0 * :Alice A.\r\n",
                ":irc.example.net 001 alice :Welcome\r\n",
                "PRIVMSG bob :\x01DCC SEND a.txt 3221225985 1025 7\x01\r\n",
                ":a!b@192.0.2.1 PRIVMSG bob :\x01DCC CHAT chat 3221225985 1025\x01\r\n",
            ],
        ),
        text(Content::Control("sip"), TCP, &sip),
        text(Content::Control("sip"), UDP, &sip),
        text(
            Content::Control("ssdp"),
            UDP,
            &[
                "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n",
                "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\n\r\n",
            ],
        ),
        text(
            Content::Control("amanda"),
            UDP,
            &["Amanda 2.6 REQ HANDLE 000-00000000 SEQ 1795719185\nSERVICE noop\n"],
        ),
        text(
            Content::Control("tftp"),
            UDP,
            &[
                "\0\x01boot/kernel\0octet\0",
                "\0\x02a b\0NetASCII\0blksize\x001428\0",
            ],
        ),
        // PCs that look for each other, and one that asks all for a name of a service.
        bytes(
            "netbios-ns",
            UDP,
            &[
                &[0x12, 0x34, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32],
                b"FHEPFCELEHFCEPFFFACACACACACACABN",
                &[0, 0, 0x20, 0, 1],
            ],
        ),
        bytes(
            "mdns",
            UDP,
            &[
                &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
                b"\x04pc12\x05local\0\0\x01\x80\x01",
            ],
        ),
        bytes(
            "mdns",
            UDP,
            &[
                &[0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
                b"\x05_http\x04_tcp\x05LOCAL\0\0\x0c\0\x01",
            ],
        ),
        // get of version 2c, get-bulk of version 3.
        bytes(
            "snmp",
            UDP,
            &[
                b"\x30\x1a\x02\x01\x01\x04\x06public",
                b"\xa0\x0d\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00",
            ],
        ),
        bytes(
            "snmp",
            UDP,
            &[
                b"\x30\x1a\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\x00\x04\x01\x07\x02\x01\x03",
                b"\x04\x02xx\x04\x02yy",
            ],
        ),
        bytes(
            "slp",
            UDP,
            &[
                &[2, 1, 0, 0, 28, 0x20, 0, 0, 0, 0, 0, 9, 0, 2],
                b"en\0\0\0\x01a\0\x01b\0\0\0\0",
            ],
        ),
        bytes(
            "dhcpv6",
            UDP,
            &[
                &[1, 0x17, 0x50, 0xa6, 0, 1, 0, 10],
                &[0, 3, 0, 1, 2, 0, 0x5e, 0, 1, 0x11],
                &[0, 8, 0, 2, 0, 0],
            ],
        ),
        bytes(
            "dhcpv6",
            UDP,
            &[&[12, 0], &[0xfe; 32], &[0, 9, 0, 4, 1, 2, 3, 4]],
        ),
        bytes("rpc", UDP, &[&getport()]),
        bytes("rpc", TCP, &[&[0x80, 0, 0, 56], &getport()]),
        // gatekeeperRequest and registrationRequest
        bytes(
            "RAS",
            UDP,
            &[b"\x00\x00\x00\x00\x06\x00\x08\x91\x4a\x00\x04\x00"],
        ),
        bytes(
            "RAS",
            UDP,
            &[b"\x0e\x80\x00\x01\x06\x00\x08\x91\x4a\x00\x07\x80"],
        ),
        // SETUP with a display, and a bearer capability in front.
        bytes(
            "Q.931",
            TCP,
            &[
                &[3, 0, 0, 25, 8, 2, 0, 1, 5, 4, 3, 0x88, 0x93, 0xa5],
                b"\xa1\x28\x01a\x7e\x00\x04\x05\x20\x88\x06",
            ],
        ),
        bytes(
            "pptp",
            TCP,
            &[
                &[0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0],
                &[0; 144],
            ],
        ),
        bytes(
            "sane",
            TCP,
            &[&[0, 0, 0, 0, 1, 1, 0, 3, 0, 0, 0, 6], b"alice\0"],
        ),
        bytes("sane", TCP, &[&[0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 0]]),
        bytes("tns", TCP, &[&tns_connect(68, 10), b"(A=(B=C)))"]),
        bytes("tns", TCP, &[&tns_connect(58, 300)]),
        bytes(
            "tns",
            TCP,
            &[
                &[0, 41, 0, 0, 5, 0, 0, 0, 0, 31],
                b"(ADDRESS=(HOST=192.0.2.1)(P=1))",
            ],
        ),
        text(
            Content::Http,
            TCP,
            &[
                "GET /index.html HTTP/1.1\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\n\r\n",
                "SUBSCRIBE /events HTTP/1.1\r\nCALLBACK: <http://192.0.2.1/>\r\n\r\n",
                "HTTP/1.0 404 Not Found\r\n",
            ],
        ),
        text(
            Content::Smtp,
            TCP,
            &[
                "220 ftp.example.net ESMTP\r\n",
                "220 FTP.EXAMPLE.NET Simple Mail (smtp) ready\r\n",
                "EHLO example.net\r\n",
            ],
        ),
        text(
            Content::Ssh,
            TCP,
            &["SSH-2.0-OpenSSH_9.2\r\n", "SSH-1.99-x\r\n"],
        ),
        vec![(
            Content::Tls,
            TCP,
            [&[0x16, 3, 1, 0, 48, 1, 0, 0, 44, 3, 3][..], &[7; 42]].concat(),
        )],
    ]
    .concat()
}

/// A call to the portmapper for the UDP port of MOUNT.
fn getport() -> Vec<u8> {
    let words = [
        0x6b0b_e06d_u32,
        0,
        2,
        100_000,
        2,
        3,
        0,
        0,
        0,
        0,
        100_005,
        3,
        17,
        0,
    ];
    words
        .iter()
        .flat_map(|word: &u32| word.to_be_bytes())
        .collect()
}

/// The header of CONNECT, for a text of so many bytes, which may not be in the packet.
fn tns_connect(length: u8, text: u16) -> Vec<u8> {
    let [high, low] = text.to_be_bytes();
    let mut packet = vec![0; 58];
    packet[..12].copy_from_slice(&[0, length, 0, 0, 1, 0, 0, 0, 1, 0x3b, 1, 0x2c]);
    packet[24..28].copy_from_slice(&[high, low, 0, 58]);
    packet
}
