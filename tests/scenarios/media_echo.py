#!/usr/bin/env python3
"""media_echo.py IP: the media of many calls of a PBX at one RTP port, with RTCP at another one.

Each packet goes back to where it came from, in a stream of its own SSRC and numbers for each such
place.  Prints "rtp=PORT rtcp=PORT", then a line for each place at SIGTERM: packets, how many
never came, the SSRCs (in hex), the tones (tones.py), and the reports that came of an SSRC.
"""
import collections
import select
import signal
import socket
import sys

from tones import ALAW, tones


class Stream:
    def __init__(self, number):
        self.own, self.sent = 0x50000000 + number, 0
        self.ssrcs, self.numbers, self.sound = {}, set(), bytearray()

    def take(self, packet):
        """Returns what goes back."""
        number, ssrc = int.from_bytes(packet[2:4], "big"), packet[8:12].hex()
        self.ssrcs[ssrc] = self.ssrcs.get(ssrc, 0) + 1
        self.numbers.add(number)
        if packet[1] & 0x7f == 8:
            self.sound += packet[12:]
        self.sent += 1
        return (packet[:2] + (self.sent & 0xffff).to_bytes(2, "big") + packet[4:8]
                + self.own.to_bytes(4, "big") + packet[12:])

    def lost(self):
        """Of a stream too short for its numbers to come round twice."""
        first = min(self.numbers)
        late = [n for n in self.numbers if n < 0x8000] if max(self.numbers) - first > 0x8000 else []
        span = (max(late) + 0x10000 - min(n for n in self.numbers if n >= 0x8000) if late
                else max(self.numbers) - first)
        return span + 1 - len(self.numbers)


def main():
    rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for s in (rtp, rtcp):
        s.bind((sys.argv[1], 0))
    rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    print("rtp=%d rtcp=%d" % (rtp.getsockname()[1], rtcp.getsockname()[1]), flush=True)
    streams, reports = {}, collections.Counter()
    read_end, write_end = socket.socketpair()
    write_end.setblocking(False)
    signal.set_wakeup_fd(write_end.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    ready = []
    while read_end not in ready:
        ready = select.select([rtp, rtcp, read_end], [], [])[0]
        if rtp in ready:
            packet, place = rtp.recvfrom(2048)
            if place not in streams:
                streams[place] = Stream(len(streams))
            rtp.sendto(streams[place].take(packet), place)
        if rtcp in ready:
            reports[rtcp.recv(2048)[4:8].hex()] += 1
    for place, s in streams.items():
        found = tones([ALAW[octet] for octet in s.sound])
        print("from=%d packets=%d lost=%d ssrc=%s hz=%s reports=%d" % (
            place[1], sum(s.ssrcs.values()), s.lost(), ",".join(s.ssrcs),
            ",".join(str(hz) for hz in found) or "none", sum(reports[ssrc] for ssrc in s.ssrcs)), flush=True)


main()
