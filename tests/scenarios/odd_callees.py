#!/usr/bin/env python3
"""odd_callees.py TRANSPORT IP:PORT CCA STORE SPEECH NUMBER;EXTENSION CERTIFICATE [CASE...]

Is called in odd ways.

For each case a secure caller (the program CCA with STORE) dials NUMBER;EXTENSION, whose
calls the gateway sends here, and plays SPEECH; what answers is some PBX or scenario collection.  Prints a line for
each case, with what was wrong; exit status 1 if anything was.
"""
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from sip_party import Cases, Media, Wire, media_target, must, new_id, sdp

CASES = Cases()
case = CASES.add
OURS = "rtpmap:8 PCMA/8000"


class Callee:
    """The PBX's side of one call of the gateway."""

    def __init__(self, setting):
        self.setting, self.media = setting, Media(setting.ip)
        self.tag, self.cseq, self.invite, self.up = new_id(), 100, None, False
        self.wire = setting.wire
        self.caller, self.output = None, tempfile.TemporaryFile()

    def comes(self, method, seconds=8):
        """A request of this call; what is left of another one is passed over."""
        return self.wire.until(lambda m: not m.code and m.method == method
                               and m.get("call-id") == self.invite.get("call-id"), seconds)

    def dial(self, *arguments):
        """The secure caller calls; what comes first is its INVITE."""
        s = self.setting
        self.output.truncate(0)
        self.output.seek(0)
        self.caller = subprocess.Popen([s.cca, "--store", s.store, "call", "--play", s.speech, *arguments, s.number],
                                       stdout=self.output, stderr=subprocess.DEVNULL)
        if not self.wire:
            self.wire = s.accept()
        self.invite = self.wire.until(
            lambda m: m.method == "INVITE" and "tag=" not in m.get("to"), 10)
        if media_target(self.invite):
            self.media.to = media_target(self.invite)
        return self.invite

    def contact(self):
        return "<sip:callee@%s:%d%s>" % (self.setting.ip, self.setting.port, "" if self.setting.transport == "udp"
                                         else ";transport=" + self.setting.transport)

    def text(self, request, status, body="", more=(), tag=None, kind="application/sdp", drop=()):
        to = request.get("to")
        if "tag=" not in to and status[0] != "1" or tag or status[:3] in ("180", "183", "181", "182", "199"):
            to = re.sub(";tag=.*", "", to) + ";tag=" + (tag or self.tag)
        lines = ["Via: " + v for v in request.all("via")]
        lines += ["From: " + request.get("from"), "To: " + to, "Call-ID: " + request.get("call-id"),
                  "CSeq: " + request.get("cseq"), "Contact: " + self.contact()] + list(more)
        lines += ["Content-Type: " + kind] if body else []
        lines.append("Content-Length: %d" % len(body.encode()))
        lines = [l for l in lines if l.split(":")[0] not in drop]
        return "SIP/2.0 " + "\r\n".join([status] + lines) + "\r\n\r\n" + body

    def say(self, status, *args, request=None, **named):
        text = self.text(request or self.invite, status, *args, **named)
        self.wire.send(text)
        return text

    def answer(self, body=None, **named):
        """200, and its ACK."""
        self.say("200 OK", sdp(self.media, "8", (OURS,)) if body is None else body, **named)
        ack = self.comes("ACK")
        self.up = self.media.speaking = True
        return ack

    def ended(self, *words, seconds=10):
        """How the secure caller's call ended."""
        try:
            self.caller.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("the caller's call goes on")
        self.caller, out = None, self.told()
        found = re.search(r"(?m)^ended (.*)", out)
        must(found and any(w in found.group(1) for w in words or ("",)), "the caller: " + out.replace("\n", " | "))
        return out

    def talks(self, packets=10, media=None):
        must((media or self.media).heard(packets), "no media came")

    def told(self):
        """What the secure caller has told of its call so far."""
        return os.pread(self.output.fileno(), 1 << 20, 0).decode()

    def caller_hears_it_ring(self):
        end = time.monotonic() + 5
        while "\nringing\n" not in self.told():
            must(time.monotonic() < end, "it does not ring: " + self.told())
            time.sleep(0.01)

    def caller_hangs_up(self):
        self.caller.send_signal(signal.SIGINT)

    def bye_comes(self, **named):
        bye = self.comes("BYE")
        self.say("200 OK", request=bye)
        self.up = False
        return bye

    def request(self, method, body="", more=(), tag=None):
        """A request of ours in the dialog; its final response."""
        self.cseq += 1
        branch = "z9hG4bK" + new_id()
        target = re.search(r"<([^>]+)>", self.invite.get("contact")).group(1)
        lines = ["Via: SIP/2.0/%s %s:%d;branch=%s" % (self.setting.transport.upper(), self.setting.ip,
                                                      self.setting.port, branch),
                 "From: %s;tag=%s" % (re.sub(";tag=.*", "", self.invite.get("to")), tag or self.tag),
                 "To: " + self.invite.get("from"), "Call-ID: " + self.invite.get("call-id"),
                 "CSeq: %d %s" % (self.cseq, method), "Contact: " + self.contact(), "Max-Forwards: 70"] + list(more)
        lines += ["Content-Type: application/sdp"] if body else []
        head = "%s %s SIP/2.0\r\n" % (method, target)
        self.wire.send(head + "\r\n".join(lines + ["Content-Length: %d" % len(body), "", body]))
        response = self.wire.response(method)
        if method == "INVITE":
            ack = [l.replace("INVITE", "ACK") if l.startswith("CSeq") else l for l in lines if "Content" not in l]
            if response.code < 300:
                ack[0] = ack[0].replace(branch, branch + "a")
            else:
                ack[2] = "To: " + response.get("to")
            self.wire.send("ACK %s SIP/2.0\r\n" % target + "\r\n".join(ack + ["Content-Length: 0", "", ""]))
        return response

    def hang_up(self):
        must(self.request("BYE").code == 200, "BYE")
        self.up = False
        self.ended("by=responder")

    def close(self):
        if self.up:
            self.hang_up()
        if self.caller:
            self.caller.kill()
            self.caller.wait()
        self.media.close()


@case("a plain call, hung up by the caller: the INVITE has all that it needs")
def _(c):
    invite = c.dial()
    for name in ("via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "allow", "content-type"):
        must(invite.get(name), "no " + name)
    must(invite.lines("a=rtpmap:101 telephone-event") and "sendrecv" in invite.body, invite.body)
    ack = c.answer()
    must(not ack.body, "a body in the ACK")
    c.talks()
    c.caller_hangs_up()
    bye = c.bye_comes()
    c.ended("by=initiator")


@case("100 alone for a while, then 180 twice, 182, 181, then the answer")
def _(c):
    c.dial()
    for status in ("100 Trying", "180 Ringing", "180 Ringing", "182 Queued", "181 Call Is Being Forwarded"):
        c.say(status)
    c.answer()
    c.talks()


@case("early media by 183, then 180 without a body, then an answer from another port")
def _(c):
    c.dial("--early")
    other = Media(c.setting.ip)
    c.say("183 Session Progress", sdp(c.media, "8", (OURS,)))
    c.media.speaking = True
    c.talks()
    c.say("180 Ringing")
    c.media.speaking = False
    c.say("200 OK", sdp(other, "8", (OURS,), version=2))
    c.comes("ACK")
    c.up, other.to, other.speaking = True, c.media.to, True
    c.talks(media=other)
    other.close()


@case("a forked call: 18x of two branches with media, the answer of a third")
def _(c):
    c.dial("--early")
    other = Media(c.setting.ip)
    c.say("180 Ringing", tag="one")
    c.say("183 Session Progress", sdp(other, "0", ("rtpmap:0 PCMU/8000",)), tag="two")
    c.say("180 Ringing", sdp(other, "8", (OURS,)), tag="one")
    c.tag = "three"
    ack = c.answer()
    must("tag=three" in ack.get("to"), ack.get("to"))
    c.talks()
    other.close()


@case("two answers: the second is acknowledged and hung up, the first talks on")
def _(c):
    c.dial()
    c.answer()
    c.say("200 OK", sdp(c.media, "8", (OURS,)), tag="second")
    tags = {}
    while len(tags) < 2:
        m = c.wire.until(lambda m: "tag=second" in m.get("to") and m.method in ("ACK", "BYE"))
        tags[m.method] = m
    c.say("200 OK", request=tags["BYE"])
    c.talks()


@case("the 200 comes four times (the ACK was lost): each is acknowledged")
def _(c):
    c.dial()
    text = c.say("200 OK", sdp(c.media, "8", (OURS,)))
    for _ in range(3):
        c.comes("ACK")
        c.wire.send(text)
    c.comes("ACK")
    c.up = c.media.speaking = True
    c.talks()


@case("the caller gives up before anything came: CANCEL waits for a provisional response")
def _(c):
    c.dial()
    c.caller_hangs_up()
    must(c.wire.silent(0.3, "CANCEL"), "CANCEL before a response")
    c.say("100 Trying")
    cancel = c.comes("CANCEL")
    must(cancel.get("via") == c.invite.get("via"), "another Via")
    must("tag=" not in cancel.get("to"), cancel.get("to"))
    c.say("200 OK", request=cancel)
    c.say("487 Request Terminated")
    c.comes("ACK")
    c.ended("by=initiator")


@case("CANCEL while ringing; the callee answers all the same: acknowledged and hung up")
def _(c):
    c.dial()
    c.say("180 Ringing")
    c.caller_hears_it_ring()
    c.caller_hangs_up()
    cancel = c.comes("CANCEL")
    c.say("200 OK", sdp(c.media, "8", (OURS,)))
    c.say("200 OK", request=cancel)
    c.comes("ACK")
    c.bye_comes()
    c.ended("by=initiator")


@case("CANCEL is refused with 481, and the INVITE with 500: over")
def _(c):
    c.dial()
    c.say("183 Session Progress")
    c.caller_hears_it_ring()
    c.caller_hangs_up()
    cancel = c.comes("CANCEL")
    c.say("481 Call/Transaction Does Not Exist", request=cancel)
    c.say("500 Server Internal Error")
    c.comes("ACK")
    c.ended("by=initiator")


def refusal(status, word, more=()):
    @case("%s: acknowledged, and the caller hears: %s" % (status, word))
    def _(c):
        c.dial()
        c.say(status, more=more)
        ack = c.comes("ACK")
        must(ack.get("via") == c.invite.get("via"), "the ACK of a refusal has another branch")
        c.ended(word)


refusal("302 Moved Temporarily", "", ["Contact: <sip:1@192.0.2.1>"])
refusal("300 Multiple Choices", "", ["Contact: <sip:1@192.0.2.1>, <sip:2@192.0.2.1>"])
refusal("401 Unauthorized", "not allowed", ['WWW-Authenticate: Digest realm="a", nonce="b", qop="auth"'])
refusal("404 Not Found", "no route")
refusal("407 Proxy Authentication Required", "not allowed", ['Proxy-Authenticate: Digest realm="a", nonce="b"'])
refusal("408 Request Timeout", "no answer")
refusal("410 Gone", "no route")
refusal("415 Unsupported Media Type", "", ["Accept: application/x-odd"])
refusal("420 Bad Extension", "", ["Unsupported: timer"])
refusal("480 Temporarily Unavailable", "")
refusal("482 Loop Detected", "")
refusal("484 Address Incomplete", "no route")
refusal("486 Busy Here", "busy", ["Retry-After: 10 (soon)", "Warning: 399 pbx \"on another call\""])
refusal("488 Not Acceptable Here", "no common codec")
refusal("500 Server Internal Error", "")
refusal("503 Service Unavailable", "congestion", ["Retry-After: 5"])
refusal("600 Busy Everywhere", "busy")
refusal("603 Decline", "declined")
refusal("699 Odd", "")
refusal("404 ", "no route")


@case("an answer without SDP, with none that fits, or refused (port 0): acknowledged and hung up")
def _(c):
    for body in ("", sdp(c.media, "18", ("rtpmap:18 G729/8000",)), sdp(c.media, port=0), "nonsense"):
        c.dial()
        c.say("200 OK", body)
        c.comes("ACK")
        c.bye_comes()
        c.ended("")


@case("answers of both laws, of u-law alone, with events under another number, with ptime 30")
def _(c):
    for formats, attributes, kind, octets in (
            ("8 0 101", (OURS, "rtpmap:0 PCMU/8000", "rtpmap:101 telephone-event/8000"), 8, 160),
            ("0", (), 0, 160), ("8 96", (OURS, "rtpmap:96 telephone-event/8000"), 8, 160),
            ("8", (OURS, "ptime:30"), 8, 240)):
        c.dial()
        c.media.type, c.media.came = kind, []
        c.answer(sdp(c.media, formats, attributes))
        c.talks()
        must({p[:2] for p in c.media.came[3:]} == {(kind, octets)}, "%s: %s" % (formats, {p[:2] for p in c.media.came}))
        c.media.speaking = False
        c.hang_up()


@case("an answer on hold, which is taken off by a re-INVITE")
def _(c):
    c.dial()
    c.answer(sdp(c.media, "8", (OURS, "inactive")))
    time.sleep(0.2)
    must(not c.media.came, "media during hold")
    must(c.request("INVITE", sdp(c.media, "8", (OURS,), version=2)).code == 200, "re-INVITE")
    c.talks()


@case("a Contact of another port, and Record-Route: what follows goes there")
def _(c):
    c.dial()
    hop = "<sip:%s:%d;lr%s>" % (c.setting.ip, c.setting.port, "" if c.setting.transport == "udp"
                                else ";transport=" + c.setting.transport)
    text = c.text(c.invite, "200 OK", sdp(c.media, "8", (OURS,)),
                  ["Record-Route: <sip:192.0.2.9;lr>", "Record-Route: " + hop])
    c.wire.send(re.sub("Contact: [^\r]*", "Contact: <sip:far@192.0.2.66:5999>", text))
    ack = c.comes("ACK")
    must(ack.start.startswith("ACK sip:far@192.0.2.66:5999"), ack.start)
    routes = ",".join(ack.all("route")).replace(" ", "")
    must(routes == hop + ",<sip:192.0.2.9;lr>", routes)
    c.caller_hangs_up()
    bye = c.bye_comes()
    must(bye.start.startswith("BYE sip:far@192.0.2.66:5999"), bye.start)
    c.ended("by=initiator")


@case("compact headers and folded ones in the answer; a display name; no Contact in the 180")
def _(c):
    c.dial()
    c.say("180 Ringing", drop=("Contact",))
    text = c.text(c.invite, "200 OK", sdp(c.media, "8", (OURS,)))
    for name, short in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m"),
                        ("Content-Type", "c"), ("Content-Length", "l")):
        text = text.replace("\r\n%s: " % name, "\r\n%s:\r\n " % short if short in "fm" else "\r\n%s: " % short)
    c.wire.send(text)
    c.comes("ACK")
    c.up = c.media.speaking = True
    c.talks()


@case("responses of other transactions and dialogs, and of nothing, change nothing")
def _(c):
    c.dial()
    for text in (c.text(c.invite, "486 Busy Here").replace("branch=z9hG4bK", "branch=z9hG4bKx"),
                 c.text(c.invite, "486 Busy Here").replace("Call-ID: ", "Call-ID: x"),
                 c.text(c.invite, "200 OK").replace(" INVITE\r\n", " BYE\r\n")):
        c.wire.send(text)
    if c.setting.transport == "udp": # elsewhere it ends the connection: nobody knows its length
        c.wire.send("SIP/2.0 200 OK\r\n\r\n")
    c.say("180 Ringing")
    c.answer()
    c.talks()


@case("the connection is lost while the call is up: the gateway's BYE comes over a new one")
def _(c):
    c.dial()
    c.answer()
    c.talks()
    if c.setting.transport != "udp":
        c.wire.close()
    c.caller_hangs_up()
    if c.setting.transport != "udp":
        c.wire = c.setting.accept()
    c.bye_comes()
    c.ended("by=initiator")


@case("BYE of the callee with a Reason; INFO, OPTIONS, UPDATE and unknown methods before it")
def _(c):
    c.dial()
    c.answer()
    must(c.request("OPTIONS").code == 200, "OPTIONS")
    must(c.request("INFO").code == 200, "INFO")
    must(c.request("UPDATE", sdp(c.media, "8", (OURS,), version=2)).code == 200, "UPDATE")
    must(c.request("FROB").code in (405, 501), "FROB")
    must(c.request("INVITE").code == 200, "re-INVITE without an offer")
    must(c.request("BYE", more=["Reason: Q.850;cause=16;text=\"Normal\""]).code == 200, "BYE")
    c.up = False
    c.ended("by=responder")


@case("both hang up at once: each BYE is answered")
def _(c):
    c.dial()
    c.answer()
    c.talks()
    c.caller_hangs_up()
    bye = c.comes("BYE")
    must(c.request("BYE").code in (200, 481), "the BYE that crosses")
    c.say("200 OK", request=bye)
    c.up = False
    c.ended("")


@case("a reliable 183 (RFC 3262): acknowledged by PRACK, then the answer")
def _(c):
    c.dial()
    c.say("183 Session Progress", sdp(c.media, "8", (OURS,)), ["Require: 100rel", "RSeq: 5"])
    prack = c.comes("PRACK")
    must(prack.get("rack").startswith("5 "), prack.get("rack"))
    c.say("200 OK", request=prack)
    c.answer("")
    c.talks()


@case("a 199 and a 100 with a tag, a 180 with Retry-After: all to no harm")
def _(c):
    c.dial()
    c.say("100 Trying", tag="x")
    c.say("199 Early Dialog Terminated", tag="y")
    c.say("180 Ringing", more=["Retry-After: 3", "Alert-Info: <http://192.0.2.1/x>", "P-Asserted-Identity: <tel:+1>"])
    c.answer()
    c.talks()


@case("an answer in a body of several parts")
def _(c):
    c.dial()
    body = "--b0\r\nContent-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\r\n--b0" \
        "\r\nContent-Type: application/sdp\r\n\r\n%s\r\n--b0--\r\n" % sdp(c.media, "8", (OURS,))
    c.answer(body, kind="multipart/mixed; boundary=\"b0\"")
    c.talks()


@case("INVITEs that are refused with 491 and 500 within a call do not end it")
def _(c):
    c.dial("--dtmf", "!")
    c.answer()
    for status in ("491 Request Pending", "200 OK"):
        reoffer = c.comes("INVITE", 12)
        must("a=sendonly" in reoffer.body or "a=inactive" in reoffer.body, reoffer.body)
        c.say(status, "" if status[0] == "4" else sdp(c.media, "8", (OURS, "recvonly"), version=2), request=reoffer)
        c.comes("ACK")


class Setting:
    def __init__(self, args):
        self.transport = args[0]
        self.ip, _, port = args[1].rpartition(":")
        self.port, self.cca, self.store = int(port), args[2], args[3]
        self.speech, self.number = args[4], args[5]
        self.wire = None
        if self.transport == "udp":
            self.wire = Wire("udp", (self.ip, self.port))
        else:
            self.listener = socket.create_server((self.ip, self.port))
            self.listener.settimeout(10)
            if self.transport == "tls":
                self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.context.load_cert_chain(args[6])

    def accept(self):
        """The gateway keeps its connection: one serves all cases."""
        s, _ = self.listener.accept()
        if self.transport == "tls":
            s = self.context.wrap_socket(s, server_side=True)
        self.wire = Wire(self.transport, None, sock=s)
        return self.wire


if __name__ == "__main__":
    SETTING = Setting(sys.argv[1:])
    sys.exit(CASES.run(lambda: Callee(SETTING), sys.argv[8:]))
