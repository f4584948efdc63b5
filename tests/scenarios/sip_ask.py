#!/usr/bin/env python3
"""sip_ask.py FROM-IP HOST:PORT [SECONDS]: sends what stdin holds as one UDP datagram.

In it @ME@ stands for FROM-IP:PORT, @ID@ for something that is new each time; every line
end becomes CRLF, unless the argument --raw is given.  Prints the status line of the final
response, which an INVITE's ACK follows, or "nothing"; with --header=NAME that header, too.
"""
import re
import socket
import sys
import time
import uuid

raw = "--raw" in sys.argv
wanted = [a[9:] for a in sys.argv if a.startswith("--header=")]
args = [a for a in sys.argv[1:] if not a.startswith("--")]
host, port = args[1].rsplit(":", 1)
end = time.monotonic() + float(args[2] if len(args) > 2 else 5)
data = sys.stdin.buffer.read()

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((args[0], 0))
    me = "%s:%d" % s.getsockname()
    if not raw:
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    data = data.replace(b"@ME@", me.encode()).replace(b"@ID@", uuid.uuid4().hex.encode())
    s.sendto(data, (host, int(port)))
    while True:
        s.settimeout(max(end - time.monotonic(), 0.001))
        try:
            answer = s.recv(65536)
        except socket.timeout:
            print("nothing")
            break
        if not re.match(rb"SIP/2.0 [2-6]", answer):
            continue
        print(answer.split(b"\r\n")[0].decode())
        for line in answer.split(b"\r\n\r\n")[0].decode(errors="replace").split("\r\n")[1:]:
            if line.split(":")[0].lower() in [w.lower() for w in wanted]:
                print(line)
        if data.startswith(b"INVITE"):
            head = data.split(b"\r\n\r\n")[0].split(b"\r\n")
            to = re.search(rb"(?mi)^(?:To|t):.*?(?=\r\n)", answer)
            ack = [b"ACK" + head[0][6:]]
            ack += [h for h in head[1:] if re.match(rb"(?i)(Via|From|Call-ID|Max-Forwards):", h)]
            ack += [to.group() if to else b"", b"CSeq: 1 ACK", b"Content-Length: 0", b"", b""]
            s.sendto(b"\r\n".join(ack), (host, int(port)))
        break
