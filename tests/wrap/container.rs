//! Capture files: the pcap formats and pcapng, in both byte orders.

/// Writes frames of one link type, with the nanoseconds of each, as a file.
type Write = fn(u16, &[(i64, Vec<u8>)]) -> Vec<u8>;

pub struct Container {
    pub name: &'static str,
    /// A simple packet block says no time.
    pub has_time: bool,
    pub write: Write,
}

pub const CONTAINERS: &[Container] = &[
    timed("pcap, microseconds, little", |link, frames| {
        pcap(LITTLE, 0xa1b2_c3d4, link, frames)
    }),
    timed("pcap, microseconds, big", |link, frames| {
        pcap(BIG, 0xa1b2_c3d4, link, frames)
    }),
    timed("pcap, nanoseconds, little", |link, frames| {
        pcap(LITTLE, 0xa1b2_3c4d, link, frames)
    }),
    timed("pcap, nanoseconds, big", |link, frames| {
        pcap(BIG, 0xa1b2_3c4d, link, frames)
    }),
    timed("pcap, modified, little", |link, frames| {
        pcap(LITTLE, MODIFIED, link, frames)
    }),
    timed("pcap, modified, big", |link, frames| {
        pcap(BIG, MODIFIED, link, frames)
    }),
    timed("pcap, Ixia, little", |link, frames| {
        pcap(LITTLE, IXIA, link, frames)
    }),
    timed("pcap, Ixia, big", |link, frames| {
        pcap(BIG, IXIA, link, frames)
    }),
    timed("pcapng, little", |link, frames| {
        pcapng(LITTLE, ENHANCED, link, frames)
    }),
    timed("pcapng, big", |link, frames| {
        pcapng(BIG, ENHANCED, link, frames)
    }),
    timed("pcapng, obsolete packets", |link, frames| {
        pcapng(LITTLE, OBSOLETE, link, frames)
    }),
    Container {
        name: "pcapng, simple packets",
        has_time: false,
        write: |link, frames| pcapng(BIG, SIMPLE, link, frames),
    },
    timed("pcapng, several sections", sections),
];

const fn timed(name: &'static str, write: Write) -> Container {
    Container {
        name,
        has_time: true,
        write,
    }
}

/// draft-ietf-opsawg-pcap; the modified records have interface, protocol, direction and padding behind their header
/// (`sf-pcap.c` of libpcap), and Ixia's have a word more in their file's (`wiretap/libpcap.c` of Wireshark).
fn pcap(order: Order, magic: u32, link: u16, frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut file = order.u32s(&[magic]);
    file.extend(order.u16(2));
    file.extend(order.u16(4));
    file.extend(order.u32s(&[0, 0, 262_144, link.into()]));
    if magic == IXIA {
        file.extend(order.u32s(&[0]));
    }
    let unit = match magic {
        0xa1b2_3c4d | IXIA => 1,
        _ => 1_000,
    };
    for (at, frame) in frames {
        let length = frame.len() as u32;
        let (seconds, rest) = (at.div_euclid(SECOND), at.rem_euclid(SECOND));
        file.extend(order.u32s(&[seconds as u32, (rest / unit) as u32, length, length]));
        if magic == MODIFIED {
            file.extend(order.u32s(&[2, 0]));
        }
        file.extend(frame);
    }
    file
}

/// One section of two interfaces, of which the second has nanoseconds and the odd frames; simple packets are all of the
/// first.
fn pcapng(order: Order, kind: u32, link: u16, frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut file = header(order);
    file.extend(interface(order, link, &[]));
    file.extend(interface(
        order,
        link,
        &[(IF_NAME, b"eth1"), (IF_TSRESOL, &[9])],
    ));
    for (index, (at, frame)) in frames.iter().enumerate() {
        let number = index as u32 % 2;
        let ticks = if number == 0 { at / 1_000 } else { *at };
        file.extend(packet(order, kind, number, ticks, frame));
    }
    file
}

/// A section for each eight frames, of changing byte order, resolution and kind of packet, between blocks of no packet.
fn sections(link: u16, frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for (index, frames) in frames.chunks(8).enumerate() {
        let order = [LITTLE, BIG][index % 2];
        let kind = [ENHANCED, OBSOLETE, ENHANCED][index % 3];
        file.extend(header(order));
        // Microseconds, nanoseconds, picoseconds: 2^64 of the last are but 213 days, so that they need an offset.
        let resolution = [6, 9, 12][index % 3];
        let offset = match resolution {
            12 => frames[0].0.div_euclid(SECOND),
            _ => 0,
        };
        let options: [(u16, &[u8]); 2] = [
            (IF_TSRESOL, &[resolution]),
            (IF_TSOFFSET, &order.i64(offset)),
        ];
        file.extend(interface(order, link, &options));
        file.extend(block(order, NAMES, &[0; 4]));
        for (at, frame) in frames {
            let ticks = match resolution {
                6 => at / 1_000,
                9 => *at,
                _ => (at - offset * SECOND) * 1_000,
            };
            file.extend(packet(order, kind, 0, ticks, frame));
        }
        file.extend(block(order, CUSTOM, b"\0\0\x7e\xd9private."));
    }
    file
}

/// draft-ietf-opsawg-pcapng 4.1
fn header(order: Order) -> Vec<u8> {
    let mut body = order.u32s(&[0x1a2b_3c4d]);
    body.extend(order.u16(1));
    body.extend(order.u16(0));
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// Section 4.2
fn interface(order: Order, link: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = order.u16(link).to_vec();
    body.extend([0, 0]);
    body.extend(order.u32s(&[0]));
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(value.len() as u16));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    body.extend([0; 4]);
    block(order, 1, &body)
}

/// Sections 4.3 and 4.4, appendix A.
fn packet(order: Order, kind: u32, interface: u32, ticks: i64, frame: &[u8]) -> Vec<u8> {
    let length = frame.len() as u32;
    let [high, low] = [(ticks as u64 >> 32) as u32, ticks as u32];
    let mut body = match kind {
        SIMPLE => order.u32s(&[length]),
        ENHANCED => order.u32s(&[interface, high, low, length, length]),
        _ => {
            // Behind the interface stands how many were dropped.
            let mut body = order.u16(interface as u16).to_vec();
            body.extend(order.u16(0xffff));
            body.extend(order.u32s(&[high, low, length, length]));
            body
        }
    };
    body.extend(frame);
    block(order, kind, &body)
}

fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len().next_multiple_of(4) as u32 + 12;
    let mut block = order.u32s(&[kind, length]);
    block.extend(body);
    block.resize(length as usize - 4, 0);
    block.extend(order.u32s(&[length]));
    block
}

#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn i64(self, value: i64) -> [u8; 8] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u32s(self, values: &[u32]) -> Vec<u8> {
        let bytes = values.iter().flat_map(|value| match self.big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        });
        bytes.collect()
    }
}

const LITTLE: Order = Order { big: false };
const BIG: Order = Order { big: true };

const IXIA: u32 = 0x1c00_01ac;
const MODIFIED: u32 = 0xa1b2_cd34;

const OBSOLETE: u32 = 2;
const SIMPLE: u32 = 3;
const NAMES: u32 = 4;
const ENHANCED: u32 = 6;
const CUSTOM: u32 = 0x0000_0bad;

const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

const SECOND: i64 = 1_000_000_000;
