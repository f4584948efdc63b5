#!/usr/bin/env python3
"""garbage.py sip|media FROM-IP HOST:PORT...: what no well-behaved peer sends, as UDP datagrams.

The same octets in every run.  "sip" is for SIP ports: noise, INVITEs cut at every 20th octet,
lengths that lie, headers as long as a datagram.  "media" is for RTP and relay ports: noise,
headers of all kinds, STUN requests.
"""
import random
import socket
import struct
import sys

dice = random.Random(20261121)

INVITE = b"""INVITE sip:46701234567@127.0.0.1 SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%d;rport\r
From: <sip:101@127.0.0.1>;tag=%d\r
To: <sip:46701234567@127.0.0.1>\r
Call-ID: garbage-%d\r
CSeq: 1 INVITE\r
Contact: <sip:101@127.0.0.1:9>\r
Max-Forwards: 70\r
%sContent-Type: application/sdp\r
Content-Length: %s\r
\r
v=0\r
"""


def noise(longest):
    return bytes(dice.getrandbits(8) for _ in range(dice.randint(1, longest)))


def invite(extra=b"", length=b"5"):
    n = dice.getrandbits(31)
    return INVITE % (n, n, n, extra, length)


def sip():
    whole = invite()
    for n in range(1, len(whole), 20):
        yield whole[:n]
    for length in (b"-1", b"99999999999999999999", b"4294967297", b"1e9", b"", b"70000", b"\xff"):
        yield invite(length=length)
    yield invite(extra=b"X-Long: " + b"a" * 60000 + b"\r\n")
    yield invite(extra=b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n" * 1000)
    yield invite(extra=b"Route: <sip:" + b"%41" * 15000 + b"@x;lr>\r\n")
    yield whole.replace(b"sip:46701234567@127.0.0.1 ", b"sip:" + b"[" * 500 + b" ", 1)
    yield whole.replace(b"CSeq: 1 ", b"CSeq: 99999999999 ", 1)
    yield whole.replace(b"SIP/2.0\r", b"SIP/9.9\r", 1)
    yield whole.replace(b"Call-ID", b"Call-ID\0", 1)
    yield b"\r\n\r\n" * 1000
    yield b"SIP/2.0 200 OK\r\n\r\n"
    yield b"SIP/2.0 99999 " + b"x" * 5000 + b"\r\nCSeq: 1 INVITE\r\n\r\n"
    for _ in range(50):
        yield noise(1400)
    for _ in range(50):
        broken = bytearray(whole)
        for _ in range(10):
            broken[dice.randrange(len(broken))] = dice.getrandbits(8)
        yield bytes(broken)


def media():
    for first in (0x80, 0x90, 0xA0, 0xBF, 0x81, 0xC0, 0x00, 0x40):
        for second in (0, 8, 13, 101, 200, 201, 203, 207, 255):
            head = struct.pack("!BBHII", first, second, dice.getrandbits(16), dice.getrandbits(32), dice.getrandbits(32))
            yield head
            yield head + noise(200)
            yield head[: dice.randint(1, 11)]
    for kind in (0x0001, 0x0011, 0x0101, 0x0111, 0x0003):
        for length in (0, 4, 8, 65532):
            body = noise(64)
            yield struct.pack("!HHI", kind, length, 0x2112A442) + noise(12)[:12].ljust(12, b"\0") + body
    yield b"\x80\x08" + b"\0" * 1450
    for _ in range(100):
        yield noise(1400)


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((sys.argv[2], 0))
    for target in sys.argv[3:]:
        host, port = target.rsplit(":", 1)
        for datagram in {"sip": sip, "media": media}[sys.argv[1]]():
            s.sendto(datagram, (host, int(port)))
