#!/usr/bin/env python3
"""relay_figures.py FILE.pcap PORT: what a media relay got and sent on UDP port PORT, by a
capture on the loopback, as JSON.

Of datagrams to and from the port: packets and octets of all ("got", "sent") and of media
("got_media", "sent_media"): RTP and RTCP, which begin with the bits 10 (RFC 7983).
"""
import json
import struct
import sys


def datagrams(path):
    with open(path, "rb") as f:
        order = "<" if struct.unpack("<I", f.read(4))[0] == 0xA1B2C3D4 else ">"
        f.read(20)
        while len(head := f.read(16)) == 16:
            frame = f.read(struct.unpack(order + "4I", head)[2])
            if frame[12:14] == b"\x08\0" and frame[23] == 17:  # IPv4, UDP
                udp = frame[14 + (frame[14] & 15) * 4 :]
                yield struct.unpack("!HHH", udp[:6]) + (udp[8:],)


port = int(sys.argv[2])
figures = {}
for source, to, length, data in datagrams(sys.argv[1]):
    for way, is_way in (("got", to == port), ("sent", source == port)):
        media = len(data) > 0 and data[0] >> 6 == 2
        for name, counts in ((way, is_way), (way + "_media", is_way and media)):
            packets, octets = figures.get(name, (0, 0))
            figures[name] = (packets + counts, octets + counts * (length - 8))
print(json.dumps(figures))
