"""sip_party.py - a SIP party whose every octet a scenario chooses, over UDP, TCP and TLS.

Unlike SIPp it takes messages apart as little as it can, so that odd ones can be written and
what comes back is looked at as it is on the wire.  See odd_callers.py and odd_callees.py.
"""
import re
import socket
import ssl
import threading
import time
import uuid


class Message:
    """What came: .start, .body and headers by long or compact name."""

    SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact",
             "c": "content-type", "l": "content-length", "k": "supported"}

    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = re.sub(rb"\r\n[ \t]+", b" ", head).decode(errors="replace").split("\r\n")
        self.body = self.body.decode(errors="replace")
        self.start, self.headers = lines[0], []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((self.SHORT.get(name, name), value.strip()))

    @property
    def code(self):
        found = re.match(r"SIP/2\.0 (\d+)", self.start)
        return int(found.group(1)) if found else 0

    @property
    def method(self):
        """Of a request; of a response the one that it answers."""
        return self.get("cseq").split()[-1] if self.code else self.start.split()[0]

    def get(self, name):
        return ([v for n, v in self.headers if n == name] or [""])[0]

    def all(self, name):
        return [v for n, v in self.headers if n == name]

    def lines(self, beginning):
        return [l for l in self.body.splitlines() if l.startswith(beginning)]


class Wire:
    """A socket of one transport: "udp", "tcp" or "tls"."""

    def __init__(self, transport, address, peer=None, ca=None, sock=None):
        self.transport, self.buffer = transport, b""
        if sock:
            self.s = sock
        elif transport == "udp":
            self.s = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET,
                                   socket.SOCK_DGRAM)
            self.s.bind(address)
            if peer:
                self.s.connect(peer)
        else:
            self.s = socket.create_connection(peer, 5, address)
            self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if transport == "tls":
                context = ssl.create_default_context(cafile=ca)
                context.check_hostname = False
                self.s = context.wrap_socket(self.s)
        self.ip, self.port = self.s.getsockname()[:2]
        self.last = peer

    def send(self, octets):
        if isinstance(octets, str):
            octets = octets.encode()
        if self.transport == "udp":
            self.s.sendto(octets, self.last) if self.last and not self.peered() else self.s.send(octets)
        else:
            self.s.sendall(octets)

    def peered(self):
        try:
            self.s.getpeername()
            return True
        except OSError:
            return False

    def _octets(self, end):
        """One message, or None at the end of time or of the connection."""
        while True:
            if self.transport != "udp":
                head, gap, rest = self.buffer.partition(b"\r\n\r\n")
                length = re.search(rb"(?mi)^(?:Content-Length|l)\s*:\s*(\d+)", head)
                n = int(length.group(1)) if length else 0
                if gap and len(rest) >= n:
                    self.buffer = rest[n:]
                    return head + gap + rest[:n]
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.s.settimeout(left)
            try:
                if self.transport == "udp":
                    octets, self.last = self.s.recvfrom(65536)
                    return octets
                more = self.s.recv(65536)
            except (socket.timeout, ssl.SSLWantReadError):
                return None
            if not more:
                return None
            self.buffer += more

    def receive(self, seconds=5):
        octets = self._octets(time.monotonic() + seconds)
        return Message(octets) if octets else None

    def until(self, wanted, seconds=5):
        """The first message of which wanted says yes; what came before is forgotten."""
        end = time.monotonic() + seconds
        seen = []
        while True:
            octets = self._octets(end)
            if octets is None:
                raise AssertionError("waited in vain; came: %s" % ([m.start for m in seen] or "nothing"))
            message = Message(octets)
            if wanted(message):
                return message
            seen.append(message)

    def response(self, method="INVITE", least=200, seconds=8):
        return self.until(lambda m: m.code >= least and m.method == method, seconds)

    def request(self, method, seconds=8):
        return self.until(lambda m: not m.code and m.method == method, seconds)

    def silent(self, seconds, method=None):
        """Does nothing come (of that method) for so long?"""
        try:
            self.until(lambda m: method is None or m.method == method, seconds)
        except AssertionError:
            return True
        return False

    def close(self):
        self.s.close()


class Media:
    """An RTP port with RTCP beside it, or where a=rtcp has it: counts what comes, and speaks
    while it is told to."""

    def __init__(self, ip, reports_ip=None):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        while True:
            self.rtp, self.rtcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
            self.rtp.bind((ip, 0))
            self.ip, self.port = ip, self.rtp.getsockname()[1]
            if self.port % 2 == 0:
                try:
                    self.rtcp.bind((reports_ip, 0) if reports_ip else (ip, self.port + 1))
                    break
                except OSError:
                    pass
            self.rtp.close()
            self.rtcp.close()
        self.came, self.reports, self.ended = [], 0, False
        self.to, self.ms, self.type, self.speaking = None, 20, 8, False
        self.sequence, self.skipped = 0, 0
        self.lose_each, self.late_ms = 0, 0  # each so manyeth packet is lost, each second one so late
        self.told = None  # what the last report told of ours: fraction, packets lost, jitter in ms
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self._hear, self._speak, self._hear_reports)]
        for t in self.threads:
            t.start()

    def _hear(self):
        self.rtp.settimeout(0.1)
        while not self.ended:
            try:
                packet = self.rtp.recv(2048)
            except socket.timeout:
                continue
            except OSError:
                return
            self.came.append((packet[1] & 0x7f, len(packet) - 12, packet[12:], packet[8:12]))

    def _hear_reports(self):
        self.rtcp.settimeout(0.1)
        while not self.ended:
            try:
                packet = self.rtcp.recv(2048)
            except socket.timeout:
                continue
            except OSError:
                return
            self.reports += 1
            at = 28 if packet[1] == 200 else 8  # behind a sender's figures, or none (RFC 3550 6.4)
            if packet[0] & 0x1f and packet[1] in (200, 201) and packet[at:at + 4] == b"oddp":
                self.told = (packet[at + 4] / 256, int.from_bytes(packet[at + 5:at + 8], "big", signed=True),
                             int.from_bytes(packet[at + 12:at + 16], "big") / 8)

    def _speak(self):
        timestamp, next_at = 0, time.monotonic()
        while not self.ended:
            if self.speaking and self.to and self.to[1] and self.to[0] != "0.0.0.0":
                if self.late_ms and self.sequence % 2:
                    time.sleep(self.late_ms / 1000)
                if self.lose_each and self.sequence % self.lose_each == self.lose_each - 1:
                    self.sequence += 1
                    self.skipped += 1
                else:
                    self.say(b"\xd5\x55" * (self.ms * 4), self.type, timestamp)
                timestamp += self.ms * 8
            next_at = max(next_at + self.ms / 1000, time.monotonic() - 1)
            time.sleep(max(next_at - time.monotonic(), 0))

    def say(self, payload, kind, timestamp, marker=False):
        self.sequence += 1
        self.rtp.sendto(bytes([0x80, (0x80 if marker else 0) | kind]) + self.sequence.to_bytes(2, "big")
                        + (timestamp & 0xffffffff).to_bytes(4, "big") + b"oddp" + payload, self.to)

    def digit(self, event, kind, timestamp=160000):
        """RFC 4733: grows for 100 ms, ends three times."""
        for n in range(1, 6):
            self.say(bytes([event, 10]) + (n * 160).to_bytes(2, "big"), kind, timestamp, n == 1)
            time.sleep(0.02)
        for _ in range(3):
            self.say(bytes([event, 0x8a]) + (960).to_bytes(2, "big"), kind, timestamp)

    def heard(self, packets, seconds=4, kind=None):
        """Have so many more packets come by then?"""
        first, end = len(self.came), time.monotonic() + seconds
        while time.monotonic() < end:
            if len([p for p in self.came[first:] if kind is None or p[0] == kind]) >= packets:
                return True
            time.sleep(0.01)
        return False

    def close(self):
        self.ended = True
        for t in self.threads:
            t.join()
        self.rtp.close()
        self.rtcp.close()


class Cases:
    """Sentences with what shows them, in their order."""

    def __init__(self):
        self.list = []

    def add(self, sentence):
        def keep(function):
            self.list.append((sentence, function))
            return function
        return keep

    def run(self, new_party, wanted):
        """Those of whose sentences a part is wanted, or all; returns the exit status."""
        failed = 0
        for sentence, function in self.list:
            if wanted and not any(w in sentence for w in wanted):
                continue
            party, begun = new_party(), time.monotonic()
            try:
                function(party)
                party.close()
                print("ok   %4.1f %s" % (time.monotonic() - begun, sentence), flush=True)
            except (AssertionError, OSError) as e:
                failed += 1
                print("FAIL %s\n     %s" % (sentence, e or repr(e)), flush=True)
                party.up = False
                party.close()
        return 1 if failed else 0


def must(condition, what):
    if not condition:
        raise AssertionError(what)


def new_id():
    return uuid.uuid4().hex[:16]


def sdp(media, formats="8 0 101", attributes=("rtpmap:8 PCMA/8000", "rtpmap:0 PCMU/8000",
                                              "rtpmap:101 telephone-event/8000", "fmtp:101 0-15"),
        address=None, port=None, version=1, session=(), head="", tail=()):
    """A session description with one audio line; the parts that a case changes are arguments."""
    address = media.ip if address is None else address
    kind = "IP6" if ":" in (address or media.ip) else "IP4"
    lines = ["v=0", "o=odd 7 %d IN %s %s" % (version, kind, address or media.ip), "s=-"]
    lines += ["c=IN %s %s" % (kind, address)] if address else []
    lines += ["t=0 0"] + ["a=" + a for a in session] + ([head] if head else [])
    lines += ["m=audio %d RTP/AVP %s" % (media.port if port is None else port, formats)]
    tail = [t.replace("@C@", "IN IP%s %s" % (6 if ":" in media.ip else 4, media.ip)) for t in tail]
    return "\r\n".join(lines + ["a=" + a for a in attributes] + list(tail)) + "\r\n"


def media_target(message):
    """Where a description wants its media."""
    c = re.search(r"(?m)^c=IN IP[46] (\S+)", message.body)
    m = re.search(r"(?m)^m=audio (\d+)", message.body)
    return (c.group(1), int(m.group(1))) if c and m else None
