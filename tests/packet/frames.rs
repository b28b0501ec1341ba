//! Frames of every link type, as hexadecimal digits.
//!
//! tshark 4.0 finds IP in the same frames, except that it does not read 166, 205, 206, 219 and 281 to 285 (of these
//! tcpdump 4.99 reads 166 and the tags of switches), nor the tags 0x9200 and 0x9300, nor NFLOG in the byte order of
//! another host, and guesses by the makers of the addresses in a pseudowire. It reads on behind a wrong version of IP or
//! PPPoE, a bad check sequence and an associated channel, and puts pieces together.

use ctaudit::packet::link::NoIp;

/// Link type, what it is, and the bytes before the IP packet.
pub const LEADS: &[(u16, &str, &str)] = &[
    (1, "Ethernet", "02aa00000001 02aa00000002 0800"),
    (1, "IPv6", "02aa00000001 02aa00000002 86dd"),
    (1, "VLAN", "02aa00000001 02aa00000002 8100 0007 0800"),
    (
        1,
        "QinQ",
        "02aa00000001 02aa00000002 88a8 0009 8100 0007 0800",
    ),
    (
        1,
        "five tags of all kinds",
        "02aa00000001 02aa00000002 9100 0001 9200 0002 88a8 0003 8100 0004 8100 0005 0800",
    ),
    (
        1,
        "the fifth kind",
        "02aa00000001 02aa00000002 9300 0001 0800",
    ),
    (1, "MPLS", "02aa00000001 02aa00000002 8847 00010140"),
    (
        1,
        "three labels behind a tag",
        "02aa00000001 02aa00000002 8100 0007 8847 00010040 00020040 00030140",
    ),
    (
        1,
        "MPLS multicast",
        "02aa00000001 02aa00000002 8848 00010140",
    ),
    (
        1,
        "Ethernet pseudowire",
        "02aa00000001 02aa00000002 8847 00010140 00000000 02aa00000003 02aa00000004 0800",
    ),
    (
        1,
        "VLAN in a pseudowire",
        "02aa00000001 02aa00000002 8847 00010140 00000007 02aa00000003 02aa00000004 8100 0007 0800",
    ),
    (
        1,
        "PPPoE",
        "02aa00000001 02aa00000002 8864 1100 0001 001e 0021",
    ),
    (
        1,
        "PPPoE behind a tag",
        "02aa00000001 02aa00000002 8100 0007 8864 1100 0001 001e 0021",
    ),
    (
        1,
        "MACsec",
        "02aa00000001 02aa00000002 88e5 0000 00000001 0800",
    ),
    (
        1,
        "MACsec with its channel, then a tag",
        "02aa00000001 02aa00000002 88e5 2000 00000001 02aa000000020001 8100 0007 0800",
    ),
    (
        1,
        "SNAP",
        "02aa00000001 02aa00000002 0024 aaaa03 000000 0800",
    ),
    (
        1,
        "SNAP of 802.1H",
        "02aa00000001 02aa00000002 0024 aaaa03 0000f8 0800",
    ),
    (
        1,
        "SNAP behind a tag",
        "02aa00000001 02aa00000002 8100 0007 0024 aaaa03 000000 0800",
    ),
    (1, "LLC", "02aa00000001 02aa00000002 001f 060603"),
    (
        1,
        "VN-Tag",
        "02aa00000001 02aa00000002 8926 00000000 8100 0007 0800",
    ),
    (
        1,
        "FabricPath",
        "02aa00000001 02aa00000002 8903 0040 02aa00000003 02aa00000004 0800",
    ),
    (113, "cooked", "0000 0001 0006 02aa000000020000 0800"),
    (113, "loopback", "0000 0304 0006 0000000000000000 0800"),
    (
        113,
        "no header of its own",
        "0000 fffe 0000 0000000000000000 0800",
    ),
    (113, "PPP device", "0000 0200 0000 0000000000000000 0800"),
    (
        113,
        "PPP frame",
        "0000 0200 0000 0000000000000000 0007 ff03 0021",
    ),
    (113, "GRE", "0000 030a 0004 c000020100000000 0800"),
    (113, "IP in IP", "0000 0300 0004 c000020100000000 0800"),
    (113, "sit", "0000 0308 0004 c000020100000000 0800"),
    (113, "tag", "0000 0001 0006 02aa000000020000 8100 0007 0800"),
    (
        113,
        "LLC",
        "0000 0001 0006 02aa000000020000 0004 aaaa03 000000 0800",
    ),
    (
        113,
        "802.11",
        "0000 0323 0006 02aa000000020000 0004 0000 0800 00000000
         0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800",
    ),
    (
        113,
        "Frame Relay",
        "0000 0302 0002 0000000000000000 0000 1841 03 cc",
    ),
    (
        276,
        "cooked, second version",
        "0800 0000 00000003 0001 00 06 02aa000000020000",
    ),
    (
        276,
        "tag, second version",
        "8100 0000 00000003 0001 00 06 02aa000000020000 0007 0800",
    ),
    (
        276,
        "Frame Relay, second version",
        "0000 0000 00000003 0302 00 02 0000000000000000 1841 03 cc",
    ),
    (12, "raw of BSD", ""),
    (14, "raw of OpenBSD", ""),
    (
        281,
        "Broadcom's tag",
        "02aa00000001 02aa00000002 00000008 0800",
    ),
    (
        282,
        "the same before the frame",
        "00000008 02aa00000001 02aa00000002 0800",
    ),
    (
        284,
        "Marvell's tag",
        "02aa00000001 02aa00000002 c0180005 0800",
    ),
    (
        285,
        "the same behind an EtherType",
        "02aa00000001 02aa00000002 dada 0000 c0180005 0800",
    ),
    (101, "raw", ""),
    (228, "raw IPv4", ""),
    (0, "little-endian", "02000000"),
    (0, "big-endian", "00000002"),
    (0, "FreeBSD's IPv6", "1c000000"),
    (0, "a serial line", "0f000800"),
    (108, "OpenBSD", "00000002"),
    (109, "ENC", "02000000 00000001 00000000"),
    (
        226,
        "ipnet",
        "01 02 0000 00000000 00000001 00000000 00000000 00000000",
    ),
    (9, "PPP", "ff03 0021"),
    (9, "without address and control", "0021"),
    (9, "short protocol", "ff03 21"),
    (9, "both", "21"),
    (9, "MPLS", "ff03 0281 00010140"),
    (50, "PPP in HDLC framing", "ff03 0021"),
    (50, "Cisco's", "0f00 0800"),
    (51, "PPPoE", "1100 0001 001e 0021"),
    (166, "pppd", "0103 0021"),
    (204, "with direction", "01 ff03 0021"),
    (104, "Cisco HDLC", "0f00 0800"),
    (205, "Cisco HDLC with direction", "00 0f00 0800"),
    (107, "Frame Relay", "1841 03 cc"),
    (107, "Frame Relay, three bytes and a pad", "184021 0300 cc"),
    (107, "Frame Relay, four bytes", "18402021 03 cc"),
    (107, "Frame Relay with SNAP", "1841 0300 80 000000 0800"),
    (
        107,
        "Frame Relay with bridged Ethernet",
        "1841 0300 80 0080c2 0007 02aa00000001 02aa00000002 0800",
    ),
    (107, "Frame Relay with PPP", "1841 03 cf 0021"),
    (107, "Frame Relay, Cisco's", "1841 0800"),
    (206, "Frame Relay with direction", "00 1841 03 cc"),
    (219, "MPLS", "00010140"),
    (100, "ATM", "aaaa03 000000 0800"),
    (100, "ATM, routed by NLPID", "fefe03 cc"),
    (
        100,
        "ATM, bridged",
        "aaaa03 0080c2 0007 0000 02aa00000001 02aa00000002 0800",
    ),
    (
        10,
        "FDDI",
        "50 02aa00000001 02aa00000002 aaaa03 000000 0800",
    ),
    (
        122,
        "Fibre Channel",
        "1000000000000001 1000000000000002 aaaa03 000000 0800",
    ),
    (138, "IEEE 1394", "02aa000000000001 02aa000000000002 0800"),
    (
        242,
        "InfiniBand",
        "60000000 0000 00 00 00000000000000000000000000000001 00000000000000000000000000000002 0800 0000",
    ),
    (
        105,
        "802.11",
        "0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800",
    ),
    (
        105,
        "with QoS",
        "8801 0000 02aa00000001 02aa00000002 02aa00000003 0010 0000 aaaa03 000000 0800",
    ),
    (
        105,
        "four addresses, QoS, HT control",
        "8883 0000 02aa00000001 02aa00000002 02aa00000003 0010 02aa00000004 0000 00000000 aaaa03 000000 0800",
    ),
    (
        105,
        "A-MSDU, IP in the second",
        "8802 0000 02aa00000001 02aa00000002 02aa00000003 0010 8000
         02aa00000005 02aa00000006 000e aaaa03 000000 88b5 0001 0000 0000
         02aa00000005 02aa00000006 0024 aaaa03 000000 0800",
    ),
    (
        127,
        "radiotap",
        "0000 0800 00000000 0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800",
    ),
    (
        127,
        "radiotap with a second word, timestamp, and padded payload",
        "0000 1900 03000080 00000000 00000000 0000000000000000 20
         8801 0000 02aa00000001 02aa00000002 02aa00000003 0010 0000 0000 aaaa03 000000 0800",
    ),
    (
        163,
        "AVS",
        "80211001 00000040 0000000000000000 0000000000000000 0000000000000000 0000000000000000
         0000000000000000 0000000000000000 0000000000000000
         0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800",
    ),
    (
        192,
        "PPI",
        "0000 0800 69000000 0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800",
    ),
    (239, "NFLOG", "02 00 0000 0800 0100 0800 03 00 2000 0900"),
    (
        239,
        "NFLOG of a big-endian host",
        "02 00 0000 0008 0001 0800 03 00 0020 0009",
    ),
    (
        239,
        "NFLOG of a bridge",
        "07 00 0000 0800 0100 0800 02 00 2000 0900",
    ),
];

/// Link type, what it is, all of its bytes, and what they come to.
pub const LEFT_OUT: &[(u16, &str, &str, NoIp)] = &[
    (
        1,
        "ARP",
        "02aa00000001 02aa00000002 0806 0001",
        NoIp::OtherProtocol,
    ),
    (
        1,
        "STP",
        "02aa00000001 02aa00000002 0026 424203 0000",
        NoIp::OtherProtocol,
    ),
    (
        1,
        "PPPoE discovery",
        "02aa00000001 02aa00000002 8863 1109 0000 0000",
        NoIp::OtherProtocol,
    ),
    (
        1,
        "PPPoE, another version",
        "02aa00000001 02aa00000002 8864 2100 0001 0002 0021",
        NoIp::Malformed,
    ),
    (
        1,
        "MACsec encrypted",
        "02aa00000001 02aa00000002 88e5 0c00 00000001 0800 45",
        NoIp::Encrypted,
    ),
    (
        1,
        "MACsec changed",
        "02aa00000001 02aa00000002 88e5 0400 00000001 0800 45",
        NoIp::Encrypted,
    ),
    (
        1,
        "labels without end",
        "02aa00000001 02aa00000002 8847 00010040 00010040",
        NoIp::Malformed,
    ),
    (
        1,
        "associated channel",
        "02aa00000001 02aa00000002 8847 00010140 10000021 45",
        NoIp::OtherProtocol,
    ),
    (
        1,
        "an address that begins like a control word",
        "02aa00000001 02aa00000002 8847 00010140 000000000001 02aa00000004 0806 0001 0800",
        NoIp::OtherProtocol,
    ),
    (
        1,
        "IP version 5",
        "02aa00000001 02aa00000002 0800 55",
        NoIp::Malformed,
    ),
    (
        113,
        "netlink",
        "0000 0338 0000 0000000000000000 0800 45",
        NoIp::OtherProtocol,
    ),
    (
        113,
        "IPX in 802.3",
        "0004 0001 0006 02aa000000020000 0001 ffff",
        NoIp::OtherProtocol,
    ),
    (0, "AppleTalk", "10000000 45", NoIp::OtherProtocol),
    (0, "no family", "02020202 45", NoIp::OtherProtocol),
    (9, "LCP", "ff03 c021 0101", NoIp::OtherProtocol),
    (9, "multilink", "ff03 003d c0000001 0021", NoIp::Piece),
    (9, "encrypted", "ff03 0053 0001", NoIp::Encrypted),
    (9, "CCP or MPPE", "ff03 00fd 9001", NoIp::Compressed),
    (9, "Van Jacobson", "ff03 002d 0001", NoIp::Compressed),
    (9, "nothing", "", NoIp::Malformed),
    (107, "LMI", "0001 0308 00 75", NoIp::OtherProtocol),
    (107, "FRF.12", "1841 03 b1 c000 cc", NoIp::Piece),
    (
        107,
        "an address without end",
        "18404040 4003cc",
        NoIp::Malformed,
    ),
    (
        10,
        "token",
        "80 02aa00000001 02aa00000002",
        NoIp::OtherProtocol,
    ),
    (
        105,
        "protected",
        "0841 0000 02aa00000001 02aa00000002 02aa00000003 0010 00000020 00000000",
        NoIp::Encrypted,
    ),
    (
        105,
        "first fragment",
        "0804 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800 45",
        NoIp::Piece,
    ),
    (
        105,
        "second fragment",
        "0800 0000 02aa00000001 02aa00000002 02aa00000003 0110 45",
        NoIp::Piece,
    ),
    (
        105,
        "beacon",
        "8000 0000 02aa00000001 02aa00000002 02aa00000003 0010",
        NoIp::OtherProtocol,
    ),
    (
        105,
        "acknowledgement",
        "d400 0000 02aa00000001",
        NoIp::OtherProtocol,
    ),
    (
        105,
        "no data",
        "4801 0000 02aa00000001 02aa00000002 02aa00000003 0010",
        NoIp::OtherProtocol,
    ),
    (
        105,
        "A-MSDU without IP",
        "8802 0000 02aa00000001 02aa00000002 02aa00000003 0010 8000
         02aa00000005 02aa00000006 000a aaaa03 000000 0806 0001",
        NoIp::OtherProtocol,
    ),
    (
        127,
        "bad check sequence",
        "0000 0900 02000000 40 0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800 45",
        NoIp::Malformed,
    ),
    (
        239,
        "NFLOG without payload",
        "02 00 0000 0800 0100 0800 03 00",
        NoIp::OtherProtocol,
    ),
    (
        239,
        "NFLOG of another version",
        "02 01 0000 0800 0100 0800 03 00",
        NoIp::Malformed,
    ),
    (147, "private use", "45", NoIp::UnreadLink),
    (220, "USB", "45", NoIp::UnreadLink),
    (
        192,
        "PPI with USB",
        "0000 0800 dc000000 45",
        NoIp::UnreadLink,
    ),
];
