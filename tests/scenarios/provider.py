#!/usr/bin/env python3
"""provider.py IP:PORT CERTIFICATE USER PASSWORD: a provider's server for one trunk, over TLS.

Registers USER by a digest, answers OPTIONS, and takes calls with SRTP, whose packets it counts
and does not open; a number that ends with 256 gets AES-256 (RFC 6188).  Prints what came, a line each: "registered CONTACT", "call TO FROM",
"media PACKETS OCTETS", "ended".  Ends by SIGTERM.
"""
import base64
import hashlib
import os
import re
import select
import socket
import ssl
import sys

from sip_party import Media, Wire, media_target, new_id, sdp

REALM, NONCE = "provider", new_id()


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Provider:
    def __init__(self, args):
        self.ip, _, port = args[0].rpartition(":")
        self.user, self.password = args[2], args[3]
        self.listener = socket.create_server((self.ip, int(port)))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(args[1])
        self.media, self.contact = Media(self.ip), "<sip:provider@%s;transport=tls>" % args[0]
        self.heard = False

    def proves(self, message):
        """RFC 7616 with MD5 and qop=auth."""
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', message.get("authorization")))
        if given.get("username") != self.user or given.get("nonce") != NONCE:
            return False
        first = md5("%s:%s:%s" % (self.user, REALM, self.password))
        second = md5("REGISTER:" + given["uri"])
        return given["response"] == md5(":".join((first, NONCE, given["nc"], given["cnonce"], "auth", second)))

    def answer(self, wire, request, status, more=(), body=""):
        to = request.get("to")
        to += "" if "tag=" in to else ";tag=p" + request.get("call-id")[:8]
        lines = ["SIP/2.0 " + status] + ["Via: " + v for v in request.all("via")]
        lines += ["From: " + request.get("from"), "To: " + to, "Call-ID: " + request.get("call-id"),
                  "CSeq: " + request.get("cseq")] + list(more)
        lines += ["Content-Type: application/sdp"] if body else []
        wire.send("\r\n".join(lines + ["Content-Length: %d" % len(body), "", body]))

    def register(self, wire, request):
        if not self.proves(request):
            self.answer(wire, request, "401 Unauthorized",
                        ['WWW-Authenticate: Digest realm="%s", nonce="%s", qop="auth", algorithm=MD5' % (REALM, NONCE)])
            return
        self.answer(wire, request, "200 OK", ["Contact: %s;expires=3600" % request.get("contact").split(";expires")[0]])
        print("registered", request.get("contact"), flush=True)

    def invite(self, wire, request):
        print("call", request.start.split()[1], request.get("from"), flush=True)
        if not request.lines("a=crypto:") or "RTP/SAVP" not in request.body:
            self.answer(wire, request, "488 Not Acceptable Here")
            return
        self.media.to = media_target(request)
        self.media.came, self.heard = [], False
        suite, size = "AES_CM_128_HMAC_SHA1_80", 30
        if "256@" in request.start:
            suite, size = "AES_256_CM_HMAC_SHA1_32", 46
        tag = next(line.split()[0] for line in request.lines("a=crypto:") if suite in line)[len("a=crypto:"):]
        key = base64.b64encode(os.urandom(size)).decode().rstrip("=")  # as some PBXs leave it
        body = sdp(self.media, "8", ("rtpmap:8 PCMA/8000", "crypto:%s %s inline:%s" % (tag, suite, key)))
        self.answer(wire, request, "200 OK", ["Contact: " + self.contact], body.replace("RTP/AVP", "RTP/SAVP"))

    def take(self, wire, request):
        if request.method == "REGISTER":
            self.register(wire, request)
        elif request.method == "INVITE":
            self.invite(wire, request)
        elif request.method in ("OPTIONS", "BYE", "CANCEL"):
            self.answer(wire, request, "200 OK")
            if request.method == "BYE":
                print("ended", flush=True)

    def tell_media(self):
        if not self.heard and len(self.media.came) >= 10:
            self.heard = True
            print("media", len(self.media.came), self.media.came[-1][1], flush=True)

    def run(self):
        wires = []
        while True:
            sockets = {w.s: w for w in wires}
            ready, _, _ = select.select([self.listener, *sockets], [], [], 0.1)
            self.tell_media()
            if self.listener in ready:
                s, _ = self.listener.accept()
                try:
                    wires.append(Wire("tls", None, sock=self.context.wrap_socket(s, server_side=True)))
                except (OSError, ssl.SSLError):
                    s.close()
            for s in ready:
                while s in sockets:
                    message = sockets[s].receive(0.01)
                    if not message:
                        break
                    if not message.code:
                        self.take(sockets[s], message)


Provider(sys.argv[1:]).run()
