#!/usr/bin/env python3
"""watch_new.py DIRECTORY: watches a Maildir's new as its readers see it, until it is ended.

A line "moved NAME" or "event NAME MASK" for whatever happens to a file there (inotify(7)), and
for each that was moved in "whole NAME SHA256..." with the hash of each attachment, or "partial
NAME WHY".  A whole message of these tests has a text "begin N ... end N".
"""
import ctypes
import email
import email.policy
import hashlib
import os
import re
import struct
import sys

MODIFY, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE = 0x2, 0x8, 0x40, 0x80, 0x100


def judge(path):
    with open(path, "rb") as f:
        message = email.message_from_bytes(f.read(), policy=email.policy.default)
    if message.defects:
        return "partial %s " + repr(message.defects)
    parts = list(message.iter_parts()) if message.is_multipart() else [message]
    text = parts[0].get_content().strip()
    if not re.fullmatch(r"begin (\d+) .*end \1", text, re.S):
        return "partial %s text of " + str(len(text))
    kind = message.get_content_type()
    return " ".join(["whole %s " + kind] + [hashlib.sha256(p.get_content()).hexdigest() for p in parts[1:]])


directory = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init()
if libc.inotify_add_watch(fd, directory.encode(), MODIFY | CLOSE_WRITE | MOVED_TO | CREATE) < 0:
    sys.exit("cannot watch " + directory)
print("watching", flush=True)
while True:
    data = os.read(fd, 65536)
    while data:
        _, mask, _, length = struct.unpack("iIII", data[:16])
        name = data[16 : 16 + length].rstrip(b"\0").decode()
        data = data[16 + length :]
        if mask & MOVED_TO:
            print("moved", name, flush=True)
            print(judge(os.path.join(directory, name)) % name, flush=True)
        else:
            print("event", name, hex(mask), flush=True)
