"""The least of PPP (RFC 1661, 1662) that keeps a PPTP tunnel busy, where the kernel has
no PPP for pppd to use.

  ppp.py SECONDS COMMAND...   the calling side: runs COMMAND on a terminal of its own and
                              speaks through that; opens the link, asks for an echo every
                              quarter of a second, closes the link after SECONDS
  ppp.py                      the called side, on standard input and output

Nothing but LCP is spoken, so no address is given out and nothing goes through the link.
"""
import os, pty, select, signal, struct, sys, time, tty

LCP = 0xC021
REQUEST, ACK, TERMINATE, TERMINATED, ECHO, ECHOED = 1, 2, 5, 6, 9, 10


def fcs(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return struct.pack("<H", value ^ 0xFFFF)


def frame(code, ident, body):
    plain = struct.pack("!BBHBBH", 0xFF, 3, LCP, code, ident, len(body) + 4) + body
    escaped = bytearray()
    for byte in plain + fcs(plain):
        escaped += bytes([0x7D, byte ^ 0x20]) if byte < 0x20 or byte in (0x7D, 0x7E) else bytes([byte])
    return b"\x7e" + bytes(escaped) + b"\x7e"


def unframe(raw):
    """(code, identifier, body) of a frame with LCP in it, or None."""
    plain, escape = bytearray(), 0
    for byte in raw:
        if byte == 0x7D:
            escape = 0x20
        else:
            plain.append(byte ^ escape)
            escape = 0
    if plain[:2] == b"\xff\x03":
        del plain[:2]
    if plain[:2] != LCP.to_bytes(2, "big") or len(plain) < 8:
        return None
    code, ident, size = struct.unpack("!BBH", plain[2:6])
    return code, ident, bytes(plain[6:2 + size])


def run(read, write, seconds):
    """Speaks until the link is closed; asks for echoes and closes it if there are seconds."""
    magic = os.urandom(4)
    waiting, ident, opened, closing = b"", 1, False, False
    start, due = time.monotonic(), time.monotonic() + 0.2
    while True:
        if time.monotonic() >= due:
            due += 0.25
            if not opened:
                os.write(write, frame(REQUEST, 1, b"\x05\x06" + magic))
            elif seconds and not closing:
                closing = time.monotonic() - start > seconds
                ident += 1
                os.write(write, frame(TERMINATE, ident, b"") if closing else frame(ECHO, ident, magic + b"sample"))
        if seconds and time.monotonic() - start > seconds + 2:
            return                          # nobody answers
        if not select.select([read], [], [], max(0, due - time.monotonic()))[0]:
            continue
        try:
            heard = os.read(read, 4096)
        except OSError:                     # the terminal's other side is gone
            return
        if not heard:
            return
        *frames, waiting = (waiting + heard).split(b"\x7e")
        for code, ident_heard, body in filter(None, map(unframe, frames)):
            if code == REQUEST:
                os.write(write, frame(ACK, ident_heard, body))
            elif code == ACK:
                opened = True
            elif code == ECHO:
                os.write(write, frame(ECHOED, ident_heard, magic + body[4:]))
            elif code == TERMINATE:
                os.write(write, frame(TERMINATED, ident_heard, b""))
            elif code == TERMINATED:
                return


def main():
    if len(sys.argv) > 2 and sys.argv[1].replace(".", "").isdigit():
        child, terminal = pty.fork()
        if child == 0:
            tty.setraw(0)
            os.execvp(sys.argv[2], sys.argv[2:])
        time.sleep(0.5)
        run(terminal, terminal, float(sys.argv[1]))
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    else:                                   # what pptpd tells its pppd is of no use here
        tty.setraw(0)
        run(0, 1, 0)


main()
