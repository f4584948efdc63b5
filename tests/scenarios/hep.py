#!/usr/bin/env python3
"""hep.py IP [PORT]: a collector of HEP3, on a free port unless one is given.

Prints "port PORT", then a line a packet: "FROM:PORT>TO:PORT PROTOCOL ID PASSWORD FIRST_LINE".
Ends by SIGTERM.
"""
import ipaddress
import socket
import sys


def chunks(packet):
    """The values by their type."""
    if packet[:4] != b"HEP3" or int.from_bytes(packet[4:6], "big") != len(packet):
        raise ValueError("no HEP3")
    found, at = {}, 6
    while at < len(packet):
        vendor, kind, size = (int.from_bytes(packet[at + i:at + i + 2], "big") for i in (0, 2, 4))
        if vendor or size < 6 or at + size > len(packet) or kind in found:
            raise ValueError("chunk %d of vendor %d: %d octets" % (kind, vendor, size))
        found[kind] = packet[at + 6:at + size]
        at += size
    return found


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    print("port", s.getsockname()[1], flush=True)
    while True:
        got = chunks(s.recv(65535))
        number = {kind: int.from_bytes(value, "big") for kind, value in got.items()}
        print("%s:%d>%s:%d" % (ipaddress.ip_address(got[3]), number[7], ipaddress.ip_address(got[4]), number[8]),
              {6: "tcp", 17: "udp"}[number[2]], number[12], got.get(14, b"").decode() or "-",
              got[15].split(b"\r\n")[0].decode(), flush=True)


main()
