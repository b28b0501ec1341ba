#!/usr/bin/env python3
"""Carries packets over a link that plain Ethernet cables between namespaces are not.

  wire.py tun NAMESPACE NAMESPACE       a 'tun0' in each, with a wire between: raw IP
  wire.py vlan TAG NAMESPACE ACCESS TRUNK TRUNK ACCESS
        two switches of one namespace: what comes from an access port leaves by the
        trunk with the tag, what comes by the trunk leaves by the access port without

Runs until it is killed. In user space, so that a kernel without 802.1Q or tunnel
modules makes the same samples.
"""
import fcntl, os, select, socket, struct, subprocess, sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
ETH_P_ALL, PACKET_OUTGOING = 0x0003, 4


def tun(name, namespace):
    """A TUN device, made here and moved to where it is wanted; the file stays ours."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "name", "tun0", "netns", namespace], check=True)
    return fd


def carry_tun(left, right):
    a, b = tun("tunleft", left), tun("tunright", right)
    while True:
        for fd in select.select([a, b], [], [])[0]:
            try:
                os.write(b if fd == a else a, os.read(fd, 65536))
            except OSError:                 # not up yet, or not any more
                pass


def port(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((name, 0))
    return s


def carry_vlan(tag, access1, trunk1, trunk2, access2):
    tagged = struct.pack("!HH", 0x8100, tag)
    ports = [port(name) for name in (access1, trunk1, trunk2, access2)]
    beyond = {ports[0]: ports[1], ports[1]: ports[0], ports[2]: ports[3], ports[3]: ports[2]}
    while True:
        for s in select.select(ports, [], [])[0]:
            frame, where = s.recvfrom(65536)
            if where[2] == PACKET_OUTGOING:
                continue
            # The kernel takes the tag off before it hands a frame to a socket.
            if s in (ports[0], ports[3]):
                frame = frame[:12] + tagged + frame[12:]
            beyond[s].send(frame)


def main():
    if sys.argv[1] == "tun":
        carry_tun(*sys.argv[2:])
    tag, namespace, *names = sys.argv[2:]
    if os.environ.get("WIRE_INSIDE") != "1":
        os.environ["WIRE_INSIDE"] = "1"
        os.execvp("ip", ["ip", "netns", "exec", namespace, sys.executable, *sys.argv])
    carry_vlan(int(tag), *names)


main()
