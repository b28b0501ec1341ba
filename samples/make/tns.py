"""Stands in for Oracle's programs: a listener, a server and a client of Transparent Network
Substrate, which say over real sockets what it takes to come together, and no more.

  tns.py listen ADDRESS accept                         takes one client itself, at port 1521
  tns.py listen ADDRESS redirect HOST PORT             sends it to that address
  tns.py listen ADDRESS redirect-data HOST PORT        the same with the address in a packet of
                                                       its own, after asking it to say again
                                                       what it wants
  tns.py serve ADDRESS PORT                            takes one client
  tns.py connect ADDRESS LISTENER                      connects, goes where it is sent, hangs up
"""
import re, socket, struct, sys

CONNECT, ACCEPT, REDIRECT, DATA, RESEND = 1, 2, 5, 6, 11
VERSION, SDU, TDU = 314, 8192, 65535
END_OF_FILE = 0x0040
WANTED = "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST={})(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=sample)(CID=(PROGRAM=tns.py)(HOST=sample)(USER=audit))))"
role, host, *rest = sys.argv[1:]


class Tns:
    """A connection that carries packets with a header of eight bytes each."""

    def __init__(self, connection):
        self.connection = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, kind, body=b""):
        self.connection.sendall(struct.pack("!HHBBH", 8 + len(body), 0, kind, 0, 0) + body)

    def send_connect(self, text):
        text = text.encode()
        # Options, sizes, what the network can do, byte order; where the text is and how
        # long an answer may be; flags; two ids of a trace and one of the connection.
        self.send(CONNECT, struct.pack("!HHHHHHHHHHIBB", VERSION, 300, 0x0C41, SDU, TDU, 0x4F98, 0, 1, len(text), 58, 0, 0x41, 0x41)
                  + bytes(24) + text)

    def send_accept(self):
        self.send(ACCEPT, struct.pack("!HHHHHHHBB", VERSION, 0x0C41, SDU, TDU, 1, 0, 24, 0x41, 0x41))

    def send_data(self, data=b"", flags=0):
        self.send(DATA, struct.pack("!H", flags) + data)

    def receive(self):
        size, _, kind, _, _ = struct.unpack("!HHBBH", self.exactly(8))
        return kind, self.exactly(size - 8)

    def exactly(self, size):
        heard = self.connection.recv(size, socket.MSG_WAITALL) if size else b""
        if len(heard) < size:
            raise EOFError
        return heard


def taken(port):
    with socket.create_server((host, port)) as listening:
        return Tns(listening.accept()[0])


def expect(tns, wanted):
    kind, body = tns.receive()
    if kind != wanted:
        sys.exit(f"tns.py: packet of type {kind} where {wanted} was due")
    return body


def serve(tns):
    expect(tns, CONNECT)
    tns.send_accept()
    expect(tns, DATA)
    tns.connection.close()


def listen(how, *where):
    tns = taken(1521)
    if how == "accept":
        return serve(tns)
    expect(tns, CONNECT)
    text = "(ADDRESS=(PROTOCOL=tcp)(HOST={})(PORT={}))".format(*where).encode()
    if how == "redirect":
        tns.send(REDIRECT, struct.pack("!H", len(text)) + text)
    else:
        tns.send(RESEND)
        expect(tns, CONNECT)
        tns.send(REDIRECT, struct.pack("!H", 0))
        tns.send_data(text, END_OF_FILE)
    tns.connection.recv(1)                  # until the client is gone
    tns.connection.close()


def connect(listener):
    address, wanted = (listener, 1521), WANTED.format(listener)
    while address:
        tns = Tns(socket.create_connection(address, source_address=(host, 0)))
        tns.send_connect(wanted)
        kind, body = tns.receive()
        if kind == RESEND:
            tns.send_connect(wanted)
            kind, body = tns.receive()
        address = None
        if kind == REDIRECT:
            text = body[2:] or expect(tns, DATA)[2:]
            found = re.search(r"\(HOST=([0-9a-z.]+)\)\(PORT=([0-9]+)\)", text.decode())
            address = found[1], int(found[2])
        elif kind == ACCEPT:
            tns.send_data(flags=END_OF_FILE)
        tns.connection.close()


if role == "listen":
    listen(*rest)
elif role == "serve":
    serve(taken(int(rest[0])))
elif role == "connect":
    connect(*rest)
