#!/usr/bin/env python3
"""rude_sip.py FROM-IP HOST SIP-PORT TLS-PORT CA: a bad three seconds for a SIP port.

All at once, from one address: messages of RFC 4475 over UDP, TCP and TLS; connections of TCP
and TLS that are opened and never used, cut off in the middle of a handshake or a message, or
reset; senders of one octet at a time; more connections than one address may have; a flood of
OPTIONS.  Prints how many connections were let in and how many OPTIONS were answered.
"""
import contextlib
import select
import socket
import ssl
import struct
import sys
import time

me, host, port, tls_port, ca = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

REST = ("Max-Forwards: 70\r\nFrom: <sip:101@{me}>;tag=f\r\nTo: <sip:46701234567@{host}>\r\n"
        "Call-ID: rude-{n}\r\nContact: <sip:101@{me}>\r\n")
VIA = "Via: SIP/2.0/{proto} {me};branch=z9hG4bKrude{n}\r\n"

# By their names in RFC 4475 3; addressed to us, so that they go as far in as they can.
TORTURE = {
    "wsinv": "INVITE sip:46701234567@{host};unknownparam SIP/2.0\r\nTO :\r\n sip:46701234567@{host}\r\n"
             "from   : \"J Rosenberg \\\\\\\"\"       <sip:101@{me}>\r\n  ;\r\n  tag = 98asjd8\r\n"
             "MaX-fOrWaRdS: 0068\r\nCall-ID: rude-{n}\r\ncseq: 0009\r\n  INVITE\r\n"
             "Via  : SIP  /   2.0\r\n /{proto}\r\n    {me};branch=390skdjuw{n}\r\ns :\r\n"
             "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
             "Route:\r\n <sip:services.example.com;lr;unknownwith=value>\r\n"
             "m: <sip:101@{me}> ; newparam =\r\n newvalue\r\nl: 0\r\n\r\n",
    "intmeth": "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,"
               "/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{host} SIP/2.0\r\n" + VIA + REST +
               "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nl: 0\r\n\r\n",
    "esc01": "INVITE sip:sips%3Auser%40example.com@{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "escnull": "REGISTER sip:{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 REGISTER\r\nContact: <sip:%00@{me}>\r\nl: 0\r\n\r\n",
    "lwsdisp": "OPTIONS sip:{host} SIP/2.0\r\n" + VIA + "From: caller<sip:101@{me}>;tag=1\r\nTo: <sip:{host}>\r\n"
               "Call-ID: rude-{n}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nl: 0\r\n\r\n",
    "longreq": "INVITE sip:" + "amazinglylong" * 20 + "@{host} SIP/2.0\r\n" + VIA + REST +
               "X: " + "extremely" * 300 + "\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "dblreq": "OPTIONS sip:{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 8 OPTIONS\r\nContent-Length: 0\r\n\r\n"
              "INVITE sip:joe@{host} SIP/2.0\r\nCall-ID: dblreq\r\nCSeq: 8 INVITE\r\n\r\n",
    "badinv01": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA[:-2] + ";;,;,,\r\n" + REST +
                "Contact: \"Joe\" <sip:joe@{me}>;;;;\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "clerr": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nContent-Length: 9999\r\n\r\nv=0\r\n",
    "ncl": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nContent-Length: -999\r\n\r\n",
    "scalar02": "REGISTER sip:{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 36893488147419103232 REGISTER\r\nExpires: 1" + "0" * 100 + "\r\nl: 0\r\n\r\n",
    "quotbal": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + "To: \"Mr. J. User <sip:j.user@{host}>\r\nFrom: sip:101@{me};tag=9\r\n"
               "Call-ID: rude-{n}\r\nContact: <sip:101@{me}>\r\nCSeq: 1 INVITE\r\nMax-Forwards: 7\r\nl: 0\r\n\r\n",
    "ltgtruri": "INVITE <sip:46701234567@{host}> SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "lwsstart": "INVITE  sip:46701234567@{host}  SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "badvers": "OPTIONS sip:{host} SIP/7.0\r\nVia: SIP/7.0/{proto} {me};branch=z9hG4bK{n}\r\n" + REST + "CSeq: 1 OPTIONS\r\nl: 0\r\n\r\n",
    "mismatch02": "NEWMETHOD sip:{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "bigcode": "SIP/2.0 4294967301 better not break the receiver\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
    "insuf": "INVITE sip:46701234567@{host} SIP/2.0\r\nCSeq: 193942 INVITE\r\n" + VIA + "l: 0\r\n\r\n",
    "unkscm": "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" + VIA + REST + "CSeq: 1 OPTIONS\r\nl: 0\r\n\r\n",
    "multi01": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + VIA + REST + REST + "CSeq: 5 INVITE\r\nCSeq: 59 INVITE\r\n"
               "Max-Forwards: 5\r\nl: 0\r\n\r\n",
    "mcl01": "OPTIONS sip:{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 OPTIONS\r\nContent-Length: 13\r\nContent-Length: 5\r\n\r\nThere's no way",
    "mpart": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nContent-Type: multipart/mixed;boundary=x\r\nl: 5\r\n\r\n--x--",
    "zeromf": "OPTIONS sip:{host} SIP/2.0\r\n" + VIA + REST.replace("70", "0") + "CSeq: 1 OPTIONS\r\nl: 0\r\n\r\n",
    "sdp01": "INVITE sip:46701234567@{host} SIP/2.0\r\n" + VIA + REST + "CSeq: 1 INVITE\r\nContent-Type: text/plain\r\nl: 4\r\n\r\nabcd",
    "inv2543": "INVITE sip:46701234567@{host} SIP/2.0\r\nVia: SIP/2.0/{proto} {me}\r\nFrom: <sip:101@{me}>\r\nTo: <sip:46701234567@{host}>\r\n"
               "Call-ID: rude-{n}\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
}
OPTIONS = "OPTIONS sip:{host} SIP/2.0\r\n" + VIA[:-2] + ";rport\r\n" + REST + "CSeq: 1 OPTIONS\r\nl: 0\r\n\r\n"
count = 0


def message(form, proto):
    global count
    count += 1
    # not str.format: the messages may hold braces
    for word, text in (("{me}", me), ("{host}", host), ("{proto}", proto), ("{n}", str(count))):
        form = form.replace(word, text)
    return form.encode()


def connect(to):
    s = socket.create_connection((host, to), 5, (me, 0))
    s.settimeout(5)
    return s


def let_in(s):
    """Closed at once, or still there?"""
    s.setblocking(False)
    try:
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def drain():
    """How many OPTIONS were answered since the last time."""
    n = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            n += udp.recv(65536, socket.MSG_DONTWAIT).startswith(b"SIP/2.0 200 ")
    return n


def send(s, octets):
    with contextlib.suppress(OSError):
        s.sendall(octets)


context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((me, 0))
kept = []

for form in TORTURE.values():
    udp.sendto(message(form, "UDP"), (host, port))
    s = connect(port)  # one each: what is broken may spoil what follows it
    send(s, message(form, "TCP"))
    kept.append(s)
with context.wrap_socket(connect(tls_port)) as tls:
    for form in TORTURE.values():
        send(tls, message(form, "TLS"))
hello = bytes.fromhex("16030100f8010000f40303") + bytes(40)
for i in range(20):
    idle, cut, half, reset = connect(port), connect(port), connect(tls_port), connect(tls_port)
    send(cut, message(TORTURE["wsinv"], "TCP")[: 20 * i + 1])
    send(half, hello[: 2 * i])
    send(reset, hello)
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset.close()
    kept += [idle, cut, half]
slow = [connect(port) for _ in range(10)]
drip = message(OPTIONS, "TCP")
answered = 0
for at in range(100):
    for s in slow:
        send(s, drip[at : at + 1])
    for _ in range(5):
        udp.sendto(message(OPTIONS, "UDP"), (host, port))
    answered += drain()
    time.sleep(0.02)  # the pace of the slow ones
flood = []
for _ in range(220):
    with contextlib.suppress(OSError):
        flood.append(connect(port))
end = time.monotonic() + 5
while sum(let_in(s) for s in flood) >= 200 and time.monotonic() < end:
    select.select(flood, [], [], 0.1)  # until the refusals come in
print("let in: %d of %d" % (sum(let_in(s) for s in flood), len(flood)))
print("answered: %d" % (answered + drain()))
