"""Stands in for H.323 programs, which Debian has none of: a gatekeeper and telephones that
say over real sockets what H.225.0 and H.245 ask of them, and no more. pycrate writes the
messages from the ASN.1 of the two recommendations.

  h323.py gatekeeper ADDRESS RAS-PORT            until it is stopped; discovery is at port 1719
  h323.py answer ADDRESS PORT [MEDIA-ADDRESS]    takes one call
  h323.py answer-7 ADDRESS PORT                  the same as version 7 of H.225.0 has it
  h323.py call ADDRESS TARGET PORT fast|slow     calls, talks for a fifth of a second, hangs up
  h323.py register ADDRESS GATEKEEPER            registers its port 1731, calls 'bob', takes
                                                 one call, unregisters

An answer follows the call: media at once where the call comes with fastStart, and
otherwise an H.245 connection to the address in CONNECT. With a MEDIA-ADDRESS it names
that one for H.245 and media, which then is not where its signalling comes from. Everything
is said as version 4 of H.225.0 has it, but where the role names another.
"""
import ipaddress, os, socket, struct, sys, threading, time
from pycrate_asn1dir import H225, H245
from pycrate_asn1rt.codecs import ASN1CodecPER

CODEC = ("audioData", ("g711Ulaw64k", 20))
TERMINAL = {"terminal": {}, "mc": False, "undefinedNode": False}
role, host, *rest = sys.argv[1:]
role, _, version = role.partition("-")
H225_VERSION, H245_VERSION = (0, 0, 8, 2250, 0, int(version or 4)), (0, 0, 8, 245, 0, 7)
SETUP, PROCEEDING, ALERTING, CONNECT, RELEASE = 0x05, 0x02, 0x01, 0x07, 0x5A


def without_second_padding(wrapped, encode=ASN1CodecPER.encode_unconst_open):
    """pycrate 0.8.1 writes the additions to a SEQUENCE before the bits that say which there
    are, and so pads each to a byte, and then those bits once more. X.691 wants only that."""
    before = ASN1CodecPER._off[-1] % 8
    encoded = encode(wrapped)
    if before and wrapped._parent is not None and wrapped._parent.TYPE == "SEQUENCE":
        ASN1CodecPER._off[-1] -= 8 - before
        return encoded[1:]
    return encoded


ASN1CodecPER.encode_unconst_open = without_second_padding


def per(kind, value):
    kind.set_val(value)
    return kind.to_aper()


def unper(kind, data):
    kind.from_aper(data)
    return kind.get_val()


def as_version_4():
    """A message says of each addition that its sender's version knows whether it is there.
    pycrate knows those of version 7; the ones that came after version 4 are taken away."""
    user = H225.H323_MESSAGES.H323_UserInformation._cont["h323-uu-pdu"]
    for messages, last in ((user._cont["h323-message-body"], "featureSet"), (H225.H323_MESSAGES.RasMessage, "genericData")):
        for message in messages._cont.values():
            additions = getattr(message, "_ext_nest", [])
            if last in additions:
                del additions[additions.index(last) + 1:]


def h225_address(host, port):
    ip = ipaddress.ip_address(host)
    return ("ipAddress" if ip.version == 4 else "ip6Address", {"ip": ip.packed, "port": port})


def h245_address(host, port):
    ip = ipaddress.ip_address(host)
    kind = "iPAddress" if ip.version == 4 else "iP6Address"
    return ("unicastAddress", (kind, {"network": ip.packed, "tsapIdentifier": port}))


def read_h225(address):
    return str(ipaddress.ip_address(address[1]["ip"])), address[1]["port"]


def read_h245(address):
    return str(ipaddress.ip_address(address[1][1]["network"])), address[1][1]["tsapIdentifier"]


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def listener(host, port):
    listening = socket.socket(family(host), socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen()
    return listening


class Tpkt:
    """Messages over TCP, with the four bytes of RFC 1006 before each."""

    def __init__(self, connection):
        self.connection, self.waiting = connection, b""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, body):
        self.connection.sendall(struct.pack("!BBH", 3, 0, len(body) + 4) + body)

    def receive(self):
        while len(self.waiting) < 4 or len(self.waiting) < struct.unpack("!H", self.waiting[2:4])[0]:
            heard = self.connection.recv(4096)
            if not heard:
                raise EOFError
            self.waiting += heard
        size = struct.unpack("!H", self.waiting[2:4])[0]
        body, self.waiting = self.waiting[4:size], self.waiting[size:]
        return body

    def close(self):
        self.connection.close()


# ------------------------------------------------------------------------------- media

class Media:
    """A pair of ports, the even one for RTP and the next for RTCP."""

    def __init__(self, host):
        self.host, self.sockets = host, []
        while not self.sockets:
            self.port = 10000 + 2 * (os.urandom(1)[0] + 256 * (os.urandom(1)[0] & 15))
            try:
                for port in (self.port, self.port + 1):
                    self.sockets.append(socket.socket(family(host), socket.SOCK_DGRAM))
                    self.sockets[-1].bind((host, port))
            except OSError:
                self.sockets = []

    def talk(self, rtp, rtcp):
        """Ten packets of silence, and a sender's report (RFC 3550) in the middle."""
        ssrc = os.urandom(4)
        for i in range(10):
            head = struct.pack("!BBHI", 0x80, 0x80 if i == 0 else 0, i, 160 * i)
            self.sockets[0].sendto(head + ssrc + b"\xff" * 160, rtp)
            if i == 4:
                report = struct.pack("!BBH4sQIII", 0x80, 200, 6, ssrc, 0, 160 * i, i + 1, 160 * i)
                name = struct.pack("!BBH4sBB6sxx", 0x81, 202, 4, ssrc, 1, 6, b"sample")
                self.sockets[1].sendto(report + name, rtcp)
            time.sleep(0.02)


def logical_channel(number, control=None, media=None, reverse=False):
    """OpenLogicalChannel for a channel in the sender's direction, or the other way."""
    parameters = {"sessionID": 1}
    if media:
        parameters["mediaChannel"] = media
    if control:
        parameters["mediaControlChannel"] = control
    multiplex = ("h2250LogicalChannelParameters", parameters)
    if not reverse:
        return {"forwardLogicalChannelNumber": number,
                "forwardLogicalChannelParameters": {"dataType": CODEC, "multiplexParameters": multiplex}}
    return {"forwardLogicalChannelNumber": number,
            "forwardLogicalChannelParameters": {"dataType": ("nullData", 0), "multiplexParameters": ("none", 0)},
            "reverseLogicalChannelParameters": {"dataType": CODEC, "multiplexParameters": multiplex}}


def fast_start(media, accepting):
    """What a caller offers, or a called accepts: the caller's channel, then the called's."""
    rtp, rtcp = (h245_address(media.host, media.port + i) for i in (0, 1))
    channels = [logical_channel(1, rtcp, rtp if accepting else None),
                logical_channel(2, rtcp, None if accepting else rtp, reverse=True)]
    return [per(H245.MULTIMEDIA_SYSTEM_CONTROL.OpenLogicalChannel, channel) for channel in channels]


def fast_start_peer(elements):
    """Where the other side receives, from its fastStart: (RTP, RTCP)."""
    for element in elements:
        channel = unper(H245.MULTIMEDIA_SYSTEM_CONTROL.OpenLogicalChannel, element)
        for side in ("forwardLogicalChannelParameters", "reverseLogicalChannelParameters"):
            parameters = channel.get(side, {}).get("multiplexParameters", ("none", 0))[1]
            if parameters and "mediaChannel" in parameters:
                return read_h245(parameters["mediaChannel"]), read_h245(parameters["mediaControlChannel"])


# ------------------------------------------------------------------------------- H.245

class Control:
    """An H.245 connection: one audio channel each way."""

    def __init__(self, tpkt, media):
        self.tpkt, self.media = tpkt, media

    def send(self, kind, name, value):
        message = (kind, (name, value))
        self.tpkt.send(per(H245.MULTIMEDIA_SYSTEM_CONTROL.MultimediaSystemControlMessage, message))

    def wait(self, name):
        """The value of the next message of this name; requests before it are granted."""
        while True:
            heard = unper(H245.MULTIMEDIA_SYSTEM_CONTROL.MultimediaSystemControlMessage, self.tpkt.receive())
            self.grant(*heard[1])
            if heard[1][0] == name:
                return heard[1][1]

    def grant(self, name, value):
        rtp, rtcp = (h245_address(self.media.host, self.media.port + i) for i in (0, 1))
        if name == "terminalCapabilitySet":
            self.send("response", "terminalCapabilitySetAck", {"sequenceNumber": value["sequenceNumber"]})
        elif name == "masterSlaveDetermination":
            master = value["terminalType"] < 60
            self.send("response", "masterSlaveDeterminationAck", {"decision": ("slave" if master else "master", 0)})
        elif name == "openLogicalChannel":
            ack = ("h2250LogicalChannelAckParameters", {"mediaChannel": rtp, "mediaControlChannel": rtcp})
            self.send("response", "openLogicalChannelAck", {
                "forwardLogicalChannelNumber": value["forwardLogicalChannelNumber"],
                "forwardMultiplexAckParameters": ack})
        elif name == "closeLogicalChannel":
            self.send("response", "closeLogicalChannelAck", dict(
                forwardLogicalChannelNumber=value["forwardLogicalChannelNumber"]))

    def open(self, terminal_type):
        """Up to the channel of our own: where the other side receives."""
        self.send("request", "terminalCapabilitySet", {
            "sequenceNumber": 1, "protocolIdentifier": H245_VERSION,
            "capabilityTable": [{"capabilityTableEntryNumber": 1,
                                 "capability": ("receiveAudioCapability", CODEC[1])}],
            "capabilityDescriptors": [{"capabilityDescriptorNumber": 1, "simultaneousCapabilities": [[1]]}]})
        self.wait("terminalCapabilitySetAck")
        self.send("request", "masterSlaveDetermination", {
            "terminalType": terminal_type, "statusDeterminationNumber": int.from_bytes(os.urandom(3), "big")})
        self.wait("masterSlaveDeterminationAck")
        self.send("request", "openLogicalChannel",
                  logical_channel(1, h245_address(self.media.host, self.media.port + 1)))
        answer = self.wait("openLogicalChannelAck")["forwardMultiplexAckParameters"][1]
        return read_h245(answer["mediaChannel"]), read_h245(answer["mediaControlChannel"])

    def close(self):
        self.send("request", "closeLogicalChannel", {"forwardLogicalChannelNumber": 1, "source": ("user", 0)})
        self.wait("closeLogicalChannelAck")
        self.send("command", "endSessionCommand", ("disconnect", 0))


# ------------------------------------------------------------------------------- Q.931

def q931(number, outward, kind, name, body):
    """Call reference, message type, and the information elements that H.225.0 wants."""
    user = per(H225.H323_MESSAGES.H323_UserInformation,
               {"h323-uu-pdu": {"h323-message-body": (name, body), "h245Tunnelling": False}})
    bearer = b"\x04\x03\x88\x93\xa5" if kind in (SETUP, CONNECT) else b""
    cause = b"\x08\x02\x80\x90" if kind == RELEASE else b""
    return (struct.pack("!BBHB", 8, 2, number | (0 if outward else 0x8000), kind) + bearer + cause
            + struct.pack("!BHB", 0x7E, len(user) + 1, 5) + user)


def read_q931(message):
    """(call reference, message type, body): the user-user element comes last."""
    number, kind = struct.unpack("!HB", message[2:5])
    at = 5
    while message[at] != 0x7E:
        at += 1 if message[at] & 0x80 else 2 + message[at + 1]
    user = unper(H225.H323_MESSAGES.H323_UserInformation, message[at + 4:])
    return number & 0x7FFF, kind, user["h323-uu-pdu"]["h323-message-body"][1]


def call(host, target, port, fast):
    signalling = Tpkt(socket.create_connection((target, port), source_address=(host, 0)))
    media, number = Media(host), int.from_bytes(os.urandom(2), "big") & 0x7FFF
    identity = os.urandom(16)
    common = {"protocolIdentifier": H225_VERSION, "callIdentifier": {"guid": identity}}
    setup = dict(common, sourceInfo=TERMINAL, activeMC=False, conferenceID=identity,
                 conferenceGoal=("create", 0), callType=("pointToPoint", 0),
                 destCallSignalAddress=h225_address(target, port),
                 sourceCallSignalAddress=h225_address(*signalling.connection.getsockname()[:2]),
                 mediaWaitForConnect=False, canOverlapSend=False, multipleCalls=False, maintainConnection=False)
    if fast:
        setup["fastStart"] = fast_start(media, accepting=False)
    signalling.send(q931(number, True, SETUP, "setup", setup))
    kind = None
    while kind != CONNECT:
        _, kind, body = read_q931(signalling.receive())
    if fast:
        media.talk(*fast_start_peer(body["fastStart"]))
    else:
        control = Control(Tpkt(socket.create_connection(read_h225(body["h245Address"]), source_address=(host, 0))), media)
        media.talk(*control.open(50))
        control.close()
        try:
            control.wait("endSessionCommand")
        except EOFError:
            pass
        control.tpkt.close()
    signalling.send(q931(number, True, RELEASE, "releaseComplete", common))
    signalling.close()


def answer(listening, media_host):
    signalling = Tpkt(listening.accept()[0])
    number, _, setup = read_q931(signalling.receive())
    media = Media(media_host)
    common = {"protocolIdentifier": H225_VERSION, "callIdentifier": setup["callIdentifier"]}
    about = dict(common, destinationInfo=TERMINAL, multipleCalls=False, maintainConnection=False)
    signalling.send(q931(number, False, PROCEEDING, "callProceeding", about))
    time.sleep(0.05)
    signalling.send(q931(number, False, ALERTING, "alerting", about))
    time.sleep(0.2)
    connect = dict(about, conferenceID=setup["conferenceID"])
    fast = "fastStart" in setup
    if fast:
        connect["fastStart"] = fast_start(media, accepting=True)
    else:
        waiting = listener(media_host, 0)
        connect["h245Address"] = h225_address(*waiting.getsockname()[:2])
    signalling.send(q931(number, False, CONNECT, "connect", connect))
    if fast:
        media.talk(*fast_start_peer(setup["fastStart"]))
    else:
        control = Control(Tpkt(waiting.accept()[0]), media)
        talking = threading.Thread(target=media.talk, args=control.open(60))
        talking.start()
        control.wait("endSessionCommand")
        talking.join()
        control.send("command", "endSessionCommand", ("disconnect", 0))
        control.tpkt.close()
    signalling.receive()
    signalling.close()


# --------------------------------------------------------------------------------- RAS

def ras(channel, where, name, body):
    channel.sendto(per(H225.H323_MESSAGES.RasMessage, (name, body)), where)


def read_ras(channel):
    data, where = channel.recvfrom(4096)
    return unper(H225.H323_MESSAGES.RasMessage, data), where


def udp(host, port):
    channel = socket.socket(family(host), socket.SOCK_DGRAM)
    channel.bind((host, port))
    return channel


def gatekeeper(host, ras_port):
    """Grants everything. 'bob' is at the address that it was told, the rest at its own."""
    channel = udp(host, ras_port)
    threading.Thread(target=serve_ras, args=(udp(host, 1719), host, ras_port), daemon=True).start()
    serve_ras(channel, host, ras_port)


def serve_ras(channel, host, ras_port):
    while True:
        (name, body), where = read_ras(channel)
        reply = {"requestSeqNum": body["requestSeqNum"]}
        if name == "gatekeeperRequest":
            ras(channel, where, "gatekeeperConfirm", dict(
                reply, protocolIdentifier=H225_VERSION, rasAddress=h225_address(host, ras_port)))
        elif name == "registrationRequest":
            ras(channel, where, "registrationConfirm", dict(
                reply, protocolIdentifier=H225_VERSION, callSignalAddress=[h225_address(host, 1720)],
                endpointIdentifier="alice", timeToLive=120, willRespondToIRR=False, maintainConnection=False, preGrantedARQ={
                    "makeCall": False, "useGKCallSignalAddressToMakeCall": False,
                    "answerCall": True, "useGKCallSignalAddressToAnswer": False}))
        elif name == "admissionRequest":
            ras(channel, where, "admissionConfirm", dict(
                reply, bandWidth=1280, callModel=("direct", 0),
                destCallSignalAddress=h225_address("203.0.113.77", 1730)))
        elif name == "disengageRequest":
            ras(channel, where, "disengageConfirm", reply)
        elif name == "unregistrationRequest":
            ras(channel, where, "unregistrationConfirm", reply)


def register(host, keeper):
    channel, signal_port = udp(host, 0), 1731
    own = h225_address(*channel.getsockname())
    listening = listener(host, signal_port)
    where, sequence = (keeper, 1719), 0

    def ask(name, **body):
        nonlocal sequence
        sequence += 1
        ras(channel, where, name, dict(body, requestSeqNum=sequence))
        return read_ras(channel)[0][1]

    found = ask("gatekeeperRequest", protocolIdentifier=H225_VERSION, rasAddress=own, endpointType=TERMINAL)
    where = read_h225(found["rasAddress"])
    who = ask("registrationRequest", protocolIdentifier=H225_VERSION, discoveryComplete=True,
              callSignalAddress=[h225_address(host, signal_port)], rasAddress=[own], terminalType=TERMINAL,
              terminalAlias=[("h323-ID", "alice")], endpointVendor={"vendor": {
                  "t35CountryCode": 0, "t35Extension": 0, "manufacturerCode": 0}}, timeToLive=120, keepAlive=False,
              willSupplyUUIEs=False, maintainConnection=False)["endpointIdentifier"]
    conference = os.urandom(16)
    call_about = {"conferenceID": conference, "callIdentifier": {"guid": conference}, "callReferenceValue": 1,
                  "endpointIdentifier": who}
    admitted = ask("admissionRequest", callType=("pointToPoint", 0), destinationInfo=[("h323-ID", "bob")],
                   srcInfo=[("h323-ID", "alice")], bandWidth=1280, activeMC=False, answerCall=False, canMapAlias=False,
                   willSupplyUUIEs=False, **call_about)
    target = read_h225(admitted["destCallSignalAddress"])
    call(host, *target, False)
    ask("disengageRequest", disengageReason=("normalDrop", 0), answeredCall=False, **call_about)
    answer(listening, host)
    ask("unregistrationRequest", callSignalAddress=[h225_address(host, signal_port)], endpointIdentifier=who)


if not version:
    as_version_4()
if role == "gatekeeper":
    gatekeeper(host, int(rest[0]))
elif role == "answer":
    answer(listener(host, int(rest[0])), rest[1] if len(rest) > 1 else host)
elif role == "call":
    call(host, rest[0], int(rest[1]), rest[2] == "fast")
elif role == "register":
    register(host, rest[0])
