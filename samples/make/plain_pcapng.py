#!/usr/bin/env python3
"""Takes from a pcapng file what dumpcap tells of the machine: hardware and system.

  plain_pcapng.py FILE

Every other block and option stays as it is. Knows little-endian files, which is what
dumpcap writes on the machines this runs on.
"""
import struct, sys

SECTION, INTERFACE = 0x0A0D0D0A, 1
# Where a block's options start, and the options that go: shb_hardware and shb_os;
# if_hardware and if_os.
STRIP = {SECTION: (24, {2, 3}), INTERFACE: (16, {12, 15})}


def plain(block):
    kind = struct.unpack("<I", block[:4])[0]
    if kind not in STRIP:
        return block
    at, unwanted = STRIP[kind]
    body, end = block[8:at], len(block) - 4
    while at + 4 <= end:
        code, size = struct.unpack("<HH", block[at:at + 4])
        step = 4 + (size + 3 & ~3)
        if code not in unwanted:
            body += block[at:at + step]
        at += step
        if code == 0:
            break
    total = struct.pack("<I", len(body) + 12)
    return block[:4] + total + body + total


def main():
    data, out, at = open(sys.argv[1], "rb").read(), b"", 0
    if data[8:12] != b"\x4d\x3c\x2b\x1a":
        sys.exit(f"plain_pcapng.py: {sys.argv[1]}: not a little-endian pcapng file")
    while at < len(data):
        total = struct.unpack("<I", data[at + 4:at + 8])[0]
        out += plain(data[at:at + total])
        at += total
    with open(sys.argv[1], "wb") as f:
        f.write(out)


main()
