//! Link types, read or not: their numbers and what they are called.

// The link types that are read, by the numbers that <https://www.tcpdump.org/linktypes.html> gives them.
/// BSD loopback
pub const NULL: u16 = 0;
/// Ethernet
pub const ETHERNET: u16 = 1;
/// SLIP
pub const SLIP: u16 = 8;
/// PPP
pub const PPP: u16 = 9;
/// FDDI
pub const FDDI: u16 = 10;
/// Raw IP
pub const RAW_BSD: u16 = 12;
/// Raw IP
pub const RAW_OPENBSD: u16 = 14;
/// PPP in HDLC framing
pub const PPP_HDLC: u16 = 50;
/// PPPoE session
pub const PPP_ETHER: u16 = 51;
/// ATM with LLC (RFC 1483)
pub const ATM_RFC1483: u16 = 100;
/// Raw IP
pub const RAW: u16 = 101;
/// Cisco HDLC
pub const C_HDLC: u16 = 104;
/// 802.11
pub const IEEE802_11: u16 = 105;
/// Frame Relay
pub const FRELAY: u16 = 107;
/// OpenBSD loopback
pub const LOOP: u16 = 108;
/// OpenBSD encapsulated IP
pub const ENC: u16 = 109;
/// Linux cooked v1
pub const LINUX_SLL: u16 = 113;
/// OpenBSD pflog
pub const PFLOG: u16 = 117;
/// 802.11 with Prism header
pub const IEEE802_11_PRISM: u16 = 119;
/// IP over Fibre Channel
pub const IP_OVER_FC: u16 = 122;
/// 802.11 with radiotap header
pub const IEEE802_11_RADIOTAP: u16 = 127;
/// IP over IEEE 1394
pub const APPLE_IP_OVER_IEEE1394: u16 = 138;
/// 802.11 with AVS header
pub const IEEE802_11_AVS: u16 = 163;
/// PPP with direction, as pppd writes it
pub const PPP_PPPD: u16 = 166;
/// Per-Packet Information
pub const PPI: u16 = 192;
/// PPP with direction
pub const PPP_WITH_DIR: u16 = 204;
/// Cisco HDLC with direction
pub const C_HDLC_WITH_DIR: u16 = 205;
/// Frame Relay with direction
pub const FRELAY_WITH_DIR: u16 = 206;
/// MPLS
pub const MPLS: u16 = 219;
/// Solaris ipnet
pub const IPNET: u16 = 226;
/// Raw IPv4
pub const IPV4: u16 = 228;
/// Raw IPv6
pub const IPV6: u16 = 229;
/// NFLOG
pub const NFLOG: u16 = 239;
/// IP over InfiniBand
pub const IPOIB: u16 = 242;
/// Apple PKTAP
pub const PKTAP: u16 = 258;
/// Linux cooked v2
pub const LINUX_SLL2: u16 = 276;
/// Ethernet with Broadcom switch tag
pub const DSA_TAG_BRCM: u16 = 281;
/// Ethernet behind Broadcom switch tag
pub const DSA_TAG_BRCM_PREPEND: u16 = 282;
/// Ethernet with Marvell switch tag
pub const DSA_TAG_DSA: u16 = 284;
/// Ethernet with Marvell switch tag and EtherType
pub const DSA_TAG_EDSA: u16 = 285;

/// In words, as tcpdump and Wireshark have it; nothing for a number that nobody was given.
pub fn name(link: u16) -> Option<&'static str> {
    Some(assigned(link)?.2)
}

/// In words and with its number: `Ethernet (LINKTYPE_ETHERNET 1)`.
pub fn described(link: u16) -> String {
    match assigned(link) {
        Some((number, constant, words)) => format!("{words} ({constant} {number})"),
        None => format!("an unassigned link type ({link})"),
    }
}

fn assigned(link: u16) -> Option<&'static (u16, &'static str, &'static str)> {
    let at = ASSIGNED.binary_search_by_key(&link, |&(number, ..)| number);
    ASSIGNED.get(at.ok()?)
}

/// As libpcap has them. 12 and 14 are raw IP where BSD wrote its own number in place of that of the format.
const ASSIGNED: &[(u16, &str, &str)] = &[
    (NULL, "LINKTYPE_NULL", "BSD loopback"),
    (ETHERNET, "LINKTYPE_ETHERNET", "Ethernet"),
    (2, "LINKTYPE_EXP_ETHERNET", "experimental Ethernet (3Mb/s)"),
    (3, "LINKTYPE_AX25", "AX.25 layer 2"),
    (4, "LINKTYPE_PRONET", "Proteon ProNET Token Ring"),
    (5, "LINKTYPE_CHAOS", "MIT Chaosnet"),
    (6, "LINKTYPE_IEEE802_5", "Token Ring (802.5)"),
    (7, "LINKTYPE_ARCNET_BSD", "BSD ARCnet"),
    (SLIP, "LINKTYPE_SLIP", "SLIP"),
    (PPP, "LINKTYPE_PPP", "PPP"),
    (FDDI, "LINKTYPE_FDDI", "FDDI"),
    (RAW_BSD, "DLT_RAW", "raw IP"),
    (RAW_OPENBSD, "DLT_RAW", "raw IP"),
    (PPP_HDLC, "LINKTYPE_PPP_HDLC", "PPP in HDLC framing"),
    (PPP_ETHER, "LINKTYPE_PPP_ETHER", "PPPoE session"),
    (99, "LINKTYPE_SYMANTEC_FIREWALL", "Symantec Firewall"),
    (
        ATM_RFC1483,
        "LINKTYPE_ATM_RFC1483",
        "ATM with LLC (RFC 1483)",
    ),
    (RAW, "LINKTYPE_RAW", "raw IP"),
    (102, "LINKTYPE_SLIP_BSDOS", "BSD/OS SLIP"),
    (103, "LINKTYPE_PPP_BSDOS", "BSD/OS PPP"),
    (C_HDLC, "LINKTYPE_C_HDLC", "Cisco HDLC"),
    (IEEE802_11, "LINKTYPE_IEEE802_11", "802.11"),
    (106, "LINKTYPE_ATM_CLIP", "Linux Classical IP over ATM"),
    (FRELAY, "LINKTYPE_FRELAY", "Frame Relay"),
    (LOOP, "LINKTYPE_LOOP", "OpenBSD loopback"),
    (ENC, "LINKTYPE_ENC", "OpenBSD encapsulated IP"),
    (110, "LINKTYPE_LANE8023", "ATM LAN emulation"),
    (111, "LINKTYPE_HIPPI", "HIPPI"),
    (112, "LINKTYPE_NETBSD_HDLC", "NetBSD HDLC framing"),
    (LINUX_SLL, "LINKTYPE_LINUX_SLL", "Linux cooked v1"),
    (114, "LINKTYPE_LTALK", "LocalTalk"),
    (115, "LINKTYPE_ECONET", "Acorn Econet"),
    (116, "LINKTYPE_IPFILTER", "IPFilter log"),
    (PFLOG, "LINKTYPE_PFLOG", "OpenBSD pflog"),
    (118, "LINKTYPE_CISCO_IOS", "Cisco IOS internal"),
    (
        IEEE802_11_PRISM,
        "LINKTYPE_IEEE802_11_PRISM",
        "802.11 with Prism header",
    ),
    (
        120,
        "LINKTYPE_IEEE802_11_AIRONET",
        "802.11 with Aironet header",
    ),
    (121, "LINKTYPE_HHDLC", "Siemens HiPath HDLC"),
    (IP_OVER_FC, "LINKTYPE_IP_OVER_FC", "IP over Fibre Channel"),
    (123, "LINKTYPE_SUNATM", "Sun raw ATM"),
    (124, "LINKTYPE_RIO", "RapidIO"),
    (125, "LINKTYPE_PCI_EXP", "PCI Express"),
    (126, "LINKTYPE_AURORA", "Xilinx Aurora"),
    (
        IEEE802_11_RADIOTAP,
        "LINKTYPE_IEEE802_11_RADIOTAP",
        "802.11 with radiotap header",
    ),
    (128, "LINKTYPE_TZSP", "TaZmen Sniffer Protocol"),
    (129, "LINKTYPE_ARCNET_LINUX", "Linux ARCnet"),
    (130, "LINKTYPE_JUNIPER_MLPPP", "Juniper Multi-Link PPP"),
    (
        131,
        "LINKTYPE_JUNIPER_MLFR",
        "Juniper Multi-Link Frame Relay",
    ),
    (
        132,
        "LINKTYPE_JUNIPER_ES",
        "Juniper Encryption Services PIC",
    ),
    (133, "LINKTYPE_JUNIPER_GGSN", "Juniper GGSN PIC"),
    (134, "LINKTYPE_JUNIPER_MFR", "Juniper FRF.16 Frame Relay"),
    (135, "LINKTYPE_JUNIPER_ATM2", "Juniper ATM2 PIC"),
    (
        136,
        "LINKTYPE_JUNIPER_SERVICES",
        "Juniper Advanced Services PIC",
    ),
    (137, "LINKTYPE_JUNIPER_ATM1", "Juniper ATM1 PIC"),
    (
        APPLE_IP_OVER_IEEE1394,
        "LINKTYPE_APPLE_IP_OVER_IEEE1394",
        "IP over IEEE 1394",
    ),
    (
        139,
        "LINKTYPE_MTP2_WITH_PHDR",
        "SS7 MTP2 with Pseudo-header",
    ),
    (140, "LINKTYPE_MTP2", "SS7 MTP2"),
    (141, "LINKTYPE_MTP3", "SS7 MTP3"),
    (142, "LINKTYPE_SCCP", "SS7 SCCP"),
    (143, "LINKTYPE_DOCSIS", "DOCSIS"),
    (144, "LINKTYPE_LINUX_IRDA", "Linux IrDA"),
    (145, "LINKTYPE_IBM_SP", "IBM SP switch"),
    (146, "LINKTYPE_IBM_SN", "IBM Next Federation switch"),
    (147, "LINKTYPE_USER0", "private use 0"),
    (148, "LINKTYPE_USER1", "private use 1"),
    (149, "LINKTYPE_USER2", "private use 2"),
    (150, "LINKTYPE_USER3", "private use 3"),
    (151, "LINKTYPE_USER4", "private use 4"),
    (152, "LINKTYPE_USER5", "private use 5"),
    (153, "LINKTYPE_USER6", "private use 6"),
    (154, "LINKTYPE_USER7", "private use 7"),
    (155, "LINKTYPE_USER8", "private use 8"),
    (156, "LINKTYPE_USER9", "private use 9"),
    (157, "LINKTYPE_USER10", "private use 10"),
    (158, "LINKTYPE_USER11", "private use 11"),
    (159, "LINKTYPE_USER12", "private use 12"),
    (160, "LINKTYPE_USER13", "private use 13"),
    (161, "LINKTYPE_USER14", "private use 14"),
    (162, "LINKTYPE_USER15", "private use 15"),
    (
        IEEE802_11_AVS,
        "LINKTYPE_IEEE802_11_AVS",
        "802.11 with AVS header",
    ),
    (
        164,
        "LINKTYPE_JUNIPER_MONITOR",
        "Juniper Passive Monitor PIC",
    ),
    (165, "LINKTYPE_BACNET_MS_TP", "BACnet MS/TP"),
    (
        PPP_PPPD,
        "LINKTYPE_PPP_PPPD",
        "PPP with direction, as pppd writes it",
    ),
    (167, "LINKTYPE_JUNIPER_PPPOE", "Juniper PPPoE"),
    (168, "LINKTYPE_JUNIPER_PPPOE_ATM", "Juniper PPPoE/ATM"),
    (169, "LINKTYPE_GPRS_LLC", "GPRS LLC"),
    (170, "LINKTYPE_GPF_T", "GPF-T"),
    (171, "LINKTYPE_GPF_F", "GPF-F"),
    (172, "LINKTYPE_GCOM_T1E1", "Gcom T1/E1"),
    (173, "LINKTYPE_GCOM_SERIAL", "Gcom serial"),
    (174, "LINKTYPE_JUNIPER_PIC_PEER", "Juniper PIC Peer"),
    (175, "LINKTYPE_ERF_ETH", "Ethernet with Endace ERF header"),
    (
        176,
        "LINKTYPE_ERF_POS",
        "Packet-over-SONET with Endace ERF header",
    ),
    (177, "LINKTYPE_LINUX_LAPD", "Linux vISDN LAPD"),
    (178, "LINKTYPE_JUNIPER_ETHER", "Juniper Ethernet"),
    (179, "LINKTYPE_JUNIPER_PPP", "Juniper PPP"),
    (180, "LINKTYPE_JUNIPER_FRELAY", "Juniper Frame Relay"),
    (181, "LINKTYPE_JUNIPER_CHDLC", "Juniper C-HDLC"),
    (182, "LINKTYPE_MFR", "FRF.16 Frame Relay"),
    (183, "LINKTYPE_JUNIPER_VP", "Juniper Voice PIC"),
    (184, "LINKTYPE_A429", "ARINC 429"),
    (185, "LINKTYPE_A653_ICM", "ARINC 653"),
    (186, "LINKTYPE_USB_FREEBSD", "USB with FreeBSD header"),
    (187, "LINKTYPE_BLUETOOTH_HCI_H4", "Bluetooth HCI H4"),
    (188, "LINKTYPE_IEEE802_16_MAC_CPS", "802.16 MAC"),
    (189, "LINKTYPE_USB_LINUX", "USB with Linux header"),
    (190, "LINKTYPE_CAN20B", "CAN 2.0B"),
    (
        191,
        "LINKTYPE_IEEE802_15_4_LINUX",
        "802.15.4 with Linux padding",
    ),
    (PPI, "LINKTYPE_PPI", "Per-Packet Information"),
    (
        193,
        "LINKTYPE_IEEE802_16_MAC_CPS_RADIO",
        "802.16 MAC with radiotap header",
    ),
    (
        194,
        "LINKTYPE_JUNIPER_ISM",
        "Juniper Integrated Service Module",
    ),
    (195, "LINKTYPE_IEEE802_15_4_WITHFCS", "802.15.4 with FCS"),
    (196, "LINKTYPE_SITA", "SITA pseudo-header"),
    (197, "LINKTYPE_ERF", "Endace ERF header"),
    (198, "LINKTYPE_RAIF1", "Ethernet with u10 Networks header"),
    (
        199,
        "LINKTYPE_IPMB_KONTRON",
        "IPMB with Kontron pseudo-header",
    ),
    (200, "LINKTYPE_JUNIPER_ST", "Juniper Secure Tunnel"),
    (
        201,
        "LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR",
        "Bluetooth HCI H4 with direction",
    ),
    (202, "LINKTYPE_AX25_KISS", "AX.25 with KISS header"),
    (203, "LINKTYPE_LAPD", "LAPD"),
    (PPP_WITH_DIR, "LINKTYPE_PPP_WITH_DIR", "PPP with direction"),
    (
        C_HDLC_WITH_DIR,
        "LINKTYPE_C_HDLC_WITH_DIR",
        "Cisco HDLC with direction",
    ),
    (
        FRELAY_WITH_DIR,
        "LINKTYPE_FRELAY_WITH_DIR",
        "Frame Relay with direction",
    ),
    (207, "LINKTYPE_LAPB_WITH_DIR", "LAPB with direction"),
    (
        209,
        "LINKTYPE_I2C_LINUX",
        "I2C with Linux/Pigeon Point pseudo-header",
    ),
    (210, "LINKTYPE_FLEXRAY", "FlexRay"),
    (211, "LINKTYPE_MOST", "MOST bus"),
    (212, "LINKTYPE_LIN", "LIN bus"),
    (213, "LINKTYPE_X2E_SERIAL", "X2E serial"),
    (214, "LINKTYPE_X2E_XORAYA", "X2E Xoraya"),
    (
        215,
        "LINKTYPE_IEEE802_15_4_NONASK_PHY",
        "802.15.4 with non-ASK PHY header",
    ),
    (216, "LINKTYPE_LINUX_EVDEV", "Linux evdev events"),
    (217, "LINKTYPE_GSMTAP_UM", "GSM Um with GSMTAP header"),
    (218, "LINKTYPE_GSMTAP_ABIS", "GSM Abis with GSMTAP header"),
    (MPLS, "LINKTYPE_MPLS", "MPLS"),
    (
        220,
        "LINKTYPE_USB_LINUX_MMAPPED",
        "USB with padded Linux header",
    ),
    (221, "LINKTYPE_DECT", "DECT"),
    (222, "LINKTYPE_AOS", "AOS Space Data Link protocol"),
    (223, "LINKTYPE_WIHART", "WirelessHART"),
    (224, "LINKTYPE_FC_2", "Fibre Channel FC-2"),
    (
        225,
        "LINKTYPE_FC_2_WITH_FRAME_DELIMS",
        "Fibre Channel FC-2 with frame delimiters",
    ),
    (IPNET, "LINKTYPE_IPNET", "Solaris ipnet"),
    (227, "LINKTYPE_CAN_SOCKETCAN", "SocketCAN"),
    (IPV4, "LINKTYPE_IPV4", "raw IPv4"),
    (IPV6, "LINKTYPE_IPV6", "raw IPv6"),
    (230, "LINKTYPE_IEEE802_15_4_NOFCS", "802.15.4 without FCS"),
    (231, "LINKTYPE_DBUS", "D-Bus"),
    (232, "LINKTYPE_JUNIPER_VS", "Juniper Virtual Server"),
    (233, "LINKTYPE_JUNIPER_SRX_E2E", "Juniper SRX E2E"),
    (
        234,
        "LINKTYPE_JUNIPER_FIBRECHANNEL",
        "Juniper Fibre Channel",
    ),
    (235, "LINKTYPE_DVB_CI", "DVB-CI"),
    (236, "LINKTYPE_MUX27010", "MUX27010"),
    (237, "LINKTYPE_STANAG_5066_D_PDU", "STANAG 5066"),
    (238, "LINKTYPE_JUNIPER_ATM_CEMIC", "Juniper ATM CEMIC"),
    (NFLOG, "LINKTYPE_NFLOG", "NFLOG"),
    (
        240,
        "LINKTYPE_NETANALYZER",
        "Ethernet with Hilscher netANALYZER header",
    ),
    (
        241,
        "LINKTYPE_NETANALYZER_TRANSPARENT",
        "Ethernet with Hilscher netANALYZER header and preamble",
    ),
    (IPOIB, "LINKTYPE_IPOIB", "IP over InfiniBand"),
    (243, "LINKTYPE_MPEG_2_TS", "MPEG-2 transport stream"),
    (244, "LINKTYPE_NG40", "ng40 Iub/Iur"),
    (245, "LINKTYPE_NFC_LLCP", "NFC LLCP"),
    (246, "LINKTYPE_PFSYNC", "OpenBSD pfsync"),
    (247, "LINKTYPE_INFINIBAND", "InfiniBand"),
    (248, "LINKTYPE_SCTP", "SCTP"),
    (249, "LINKTYPE_USBPCAP", "USB with USBPcap header"),
    (250, "LINKTYPE_RTAC_SERIAL", "SEL RTAC serial"),
    (251, "LINKTYPE_BLUETOOTH_LE_LL", "Bluetooth LE link layer"),
    (
        252,
        "LINKTYPE_WIRESHARK_UPPER_PDU",
        "Wireshark exported PDUs",
    ),
    (253, "LINKTYPE_NETLINK", "Linux netlink"),
    (
        254,
        "LINKTYPE_BLUETOOTH_LINUX_MONITOR",
        "Bluetooth Linux monitor",
    ),
    (
        255,
        "LINKTYPE_BLUETOOTH_BREDR_BB",
        "Bluetooth BR/EDR baseband",
    ),
    (
        256,
        "LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR",
        "Bluetooth LE link layer with header",
    ),
    (257, "LINKTYPE_PROFIBUS_DL", "PROFIBUS data link layer"),
    (PKTAP, "LINKTYPE_PKTAP", "Apple PKTAP"),
    (259, "LINKTYPE_EPON", "Ethernet with EPON preamble"),
    (260, "LINKTYPE_IPMI_HPM_2", "IPMI trace packets"),
    (261, "LINKTYPE_ZWAVE_R1_R2", "Z-Wave R1 and R2"),
    (262, "LINKTYPE_ZWAVE_R3", "Z-Wave R3"),
    (263, "LINKTYPE_WATTSTOPPER_DLM", "WattStopper DLM"),
    (264, "LINKTYPE_ISO_14443", "ISO 14443 messages"),
    (265, "LINKTYPE_RDS", "Radio Data System groups"),
    (266, "LINKTYPE_USB_DARWIN", "USB with Darwin header"),
    (267, "LINKTYPE_OPENFLOW", "OpenBSD OpenFlow"),
    (268, "LINKTYPE_SDLC", "IBM SDLC frames"),
    (269, "LINKTYPE_TI_LLN_SNIFFER", "TI LLN sniffer frames"),
    (270, "LINKTYPE_LORATAP", "LoRa with LoRaTap header"),
    (271, "LINKTYPE_VSOCK", "Linux vsock"),
    (272, "LINKTYPE_NORDIC_BLE", "Nordic Bluetooth LE sniffer"),
    (273, "LINKTYPE_DOCSIS31_XRA31", "Excentis XRA-31 DOCSIS 3.1"),
    (
        274,
        "LINKTYPE_ETHERNET_MPACKET",
        "Ethernet mPackets (802.3br)",
    ),
    (275, "LINKTYPE_DISPLAYPORT_AUX", "DisplayPort AUX channel"),
    (LINUX_SLL2, "LINKTYPE_LINUX_SLL2", "Linux cooked v2"),
    (277, "LINKTYPE_SERCOS_MONITOR", "SERCOS monitor"),
    (278, "LINKTYPE_OPENVIZSLA", "OpenVizsla USB"),
    (279, "LINKTYPE_EBHSCR", "Elektrobit high speed capture"),
    (280, "LINKTYPE_VPP_DISPATCH", "VPP dispatch trace"),
    (
        DSA_TAG_BRCM,
        "LINKTYPE_DSA_TAG_BRCM",
        "Ethernet with Broadcom switch tag",
    ),
    (
        DSA_TAG_BRCM_PREPEND,
        "LINKTYPE_DSA_TAG_BRCM_PREPEND",
        "Ethernet behind Broadcom switch tag",
    ),
    (283, "LINKTYPE_IEEE802_15_4_TAP", "802.15.4 with TAP header"),
    (
        DSA_TAG_DSA,
        "LINKTYPE_DSA_TAG_DSA",
        "Ethernet with Marvell switch tag",
    ),
    (
        DSA_TAG_EDSA,
        "LINKTYPE_DSA_TAG_EDSA",
        "Ethernet with Marvell switch tag and EtherType",
    ),
    (286, "LINKTYPE_ELEE", "ELEE lawful intercept packets"),
    (287, "LINKTYPE_Z_WAVE_SERIAL", "Z-Wave serial"),
    (288, "LINKTYPE_USB_2_0", "USB 2.0 on the cable"),
    (289, "LINKTYPE_ATSC_ALP", "ATSC Link-Layer Protocol packets"),
    (290, "LINKTYPE_ETW", "Event Tracing for Windows"),
    (291, "LINKTYPE_NETANALYZER_NG", "Hilscher netANALYZER NG"),
    (292, "LINKTYPE_ZBOSS_NCP", "ZBOSS NCP"),
    (
        293,
        "LINKTYPE_USB_2_0_LOW_SPEED",
        "low-speed USB on the cable",
    ),
    (
        294,
        "LINKTYPE_USB_2_0_FULL_SPEED",
        "full-speed USB on the cable",
    ),
    (
        295,
        "LINKTYPE_USB_2_0_HIGH_SPEED",
        "high-speed USB on the cable",
    ),
    (296, "LINKTYPE_AUERSWALD_LOG", "Auerswald Logger Protocol"),
    (297, "LINKTYPE_ZWAVE_TAP", "Z-Wave with TAP header"),
    (
        298,
        "LINKTYPE_SILABS_DEBUG_CHANNEL",
        "Silicon Labs debug channel",
    ),
    (
        299,
        "LINKTYPE_FIRA_UCI",
        "ultra-wideband controller interface",
    ),
    (300, "LINKTYPE_MDB", "Multi-Drop Bus"),
    (301, "LINKTYPE_DECT_NR", "DECT NR+"),
    (302, "LINKTYPE_EDK2_MM", "EDK II management mode"),
    (303, "LINKTYPE_DEBUG_ONLY", "debugging data"),
    (304, "LINKTYPE_DECT_NR_TAP", "DECT NR+ with TAP header"),
];
