#!/usr/bin/env python3
"""wire_figures.py FILE.pcap HOST: what HOST sent, by a capture on the loopback.

A line per protocol and destination port, "tcp 5223" or "udp 146", and for RTP one per payload
type: "rtp PORT TYPE PACKETS FIRST", FIRST being how many values the first octet of the payload
takes.  In clear that is one for Opus, whose first octet names the mode, and one per digit
for telephone events; encrypted it is about as many as there are packets, at most 256.
"""
import collections
import socket
import struct
import sys


def packets(path):
    with open(path, "rb") as f:
        order = "<" if struct.unpack("<I", f.read(4))[0] == 0xA1B2C3D4 else ">"
        link = struct.unpack(order + "I", f.read(20)[16:])[0]
        while len(head := f.read(16)) == 16:
            frame = f.read(struct.unpack(order + "4I", head)[2])
            if link == 1 and frame[12:14] == b"\x08\0":  # Ethernet, IPv4
                yield frame[14:]


host = socket.inet_aton(sys.argv[2])
lines = set()
rtp = collections.defaultdict(list)
for ip in packets(sys.argv[1]):
    payload = ip[(ip[0] & 15) * 4 :]
    if ip[12:16] != host or ip[16:20] == host or len(payload) < 8:
        continue
    port = struct.unpack("!H", payload[2:4])[0]
    if ip[9] == 6:
        lines.add("tcp %d" % port)
    if ip[9] == 17:
        lines.add("udp %d" % port)
        data = payload[8:]
        if len(data) > 12 and data[0] >> 6 == 2 and not 200 <= data[1] <= 207:
            rtp[port, data[1] & 127].append(data[12])
for (port, kind), first in rtp.items():
    lines.add("rtp %d %d %d %d" % (port, kind, len(first), len(set(first))))
print("\n".join(sorted(lines)))
