#!/usr/bin/env python3
"""sip_drops.py ME GATEWAY CALLEE CALLS EVERY_MS SEED: a PBX whose users cannot make up their minds.

Listens at ME (ADDRESS:PORT, UDP) and places CALLS calls to CALLEE at GATEWAY, one each
EVERY_MS; whatever is called here is answered as dice say.  A call is cancelled, answered,
hung up, left alone without a word, or its answer never acknowledged, at a moment that dice
choose.  No media is sent.  Ends when its own calls are over, or two minutes after the last;
prints how they ended, and goes on answering others until its standard input is closed.
With --civil nobody is left alone: every call is ended by a message.
"""
import heapq
import itertools
import random
import re
import select
import socket
import sys
import time

me_ip, me_port = sys.argv[1].rsplit(":", 1)
gateway = sys.argv[2].rsplit(":", 1)
gateway = (gateway[0], int(gateway[1]))
callee, calls, every, seed = sys.argv[3], int(sys.argv[4]), int(sys.argv[5]) / 1000, int(sys.argv[6])
dice = random.Random(seed)
civil = "--civil" in sys.argv
me = "%s:%s" % (me_ip, me_port)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
sock.bind((me_ip, int(me_port)))
sdp = ("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8 101\r\n"
       "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n" % (me_ip, me_ip))
timers, order, told = [], itertools.count(), {}
live = {}  # by Call-ID
PATIENCE = 1.0


def after(seconds, what, *args):
    heapq.heappush(timers, (time.monotonic() + seconds, next(order), what, args))


def tell(word):
    told[word] = told.get(word, 0) + 1


def header(text, name):
    found = re.search(r"(?mi)^(?:%s)[ \t]*:[ \t]*(.*?)\r?$" % name, text)
    return found.group(1) if found else ""


def send(text, to=gateway):
    sock.sendto(text.encode(), to)


def request(call, method, cseq, branch, extra="", body=""):
    """Sends a request within the call, or the one that begins it."""
    uri = call["target"] if method in ("ACK", "BYE") and call.get("target") else call["uri"]
    send("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
         "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:101@%s>\r\n%s"
         "Content-Length: %d\r\n\r\n%s" % (method, uri, me, branch, call["from"], call["to"],
                                           call["id"], cseq, method, me, extra, len(body), body))


def respond(call, code, phrase, extra="", body=""):
    send("SIP/2.0 %d %s\r\n%sTo: %s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s"
         "Content-Length: %d\r\n\r\n%s" % (code, phrase, call["via"], call["to"], call["from"],
                                           call["id"], call["cseq"], extra, len(body), body))


# --- calls that we place ---

def place(number):
    call = {"id": "drop-%d-%d" % (seed, number), "out": True, "state": "calling",
            "uri": "sip:%s@%s:%d" % (callee, *gateway), "acks": dice.random() > 0.05 or civil,
            "vanishes": dice.random() < 0.15 and not civil}
    call["from"] = "<sip:101@%s>;tag=%d" % (me, number)
    call["to"] = "<%s>" % call["uri"]
    live[call["id"]] = call
    request(call, "INVITE", 1, call["id"], "Content-Type: application/sdp\r\n", sdp)
    after(dice.random() * 2 * PATIENCE, drop, call)
    after(70, forget, call)  # RFC 3261's timers are over, whatever happened
    if number + 1 < calls:
        after(every, place, number + 1)


def drop(call):
    if call["id"] not in live:
        return
    if call["vanishes"]:
        tell("left alone when " + call["state"])
        call["gone"] = True
    elif call["state"] == "up":
        call["state"] = "closing"
        request(call, "BYE", 2, call["id"] + "b")
    elif call["state"] == "calling" and not call.get("heard"):
        after(0.02, drop, call)  # RFC 3261 9.1: not before a provisional response
    elif call["state"] in ("calling", "ringing"):
        call["state"] = "cancelling"
        request(call, "CANCEL", 1, call["id"])


def forget(call):
    live.pop(call["id"], None)


def over(call, how):
    if call["id"] in live:
        tell(how)
        forget(call)


def final(call, code, text):
    call["to"] = header(text, "To|t")
    contact = re.search(r"<([^>]*)>", header(text, "Contact|m"))
    call["target"] = contact.group(1) if contact else None
    if code >= 300:
        request(call, "ACK", 1, call["id"])
        over(call, "refused with %d" % code)
        return
    if not call["acks"] or call.get("gone"):
        if not call.get("told"):
            tell("never acknowledged")
        call["told"] = True
        return
    request(call, "ACK", 1, call["id"] + "a")
    if call["state"] == "cancelling":  # the answer crossed it
        request(call, "BYE", 2, call["id"] + "b")
        call["state"] = "closing"
    elif call["state"] != "closing":
        call["state"] = "up"


def response(text):
    call = live.get(header(text, "Call-ID|i"))
    code = int(text[8:11])
    method = header(text, "CSeq").split()[-1]
    if not call:
        return
    call["heard"] = True
    if method == "INVITE" and code >= 200:
        final(call, code, text)
    elif method == "INVITE" and call["state"] == "calling" and code > 100:
        call["state"] = "ringing"
    elif method == "BYE" and code >= 200:
        over(call, "hung up by us")


# --- calls that come, and what comes within a call ---

def come(text):
    call = live.get(header(text, "Call-ID|i"))
    if call:
        return  # again
    call = {"id": header(text, "Call-ID|i"), "out": False, "state": "came",
            "via": "".join("Via: %s\r\n" % v for v in re.findall(r"(?mi)^(?:Via|v)[ \t]*:[ \t]*(.*?)\r?$", text)),
            "from": header(text, "From|f"), "to": header(text, "To|t") + ";tag=us", "cseq": header(text, "CSeq"),
            "record": ""}
    contact = re.search(r"<([^>]*)>", header(text, "Contact|m"))
    call["target"] = call["uri"] = contact.group(1) if contact else "sip:%s:%d" % gateway
    live[call["id"]] = call
    after(70, forget, call)
    way = dice.randrange(2 if civil else 0, 8)
    tell("came")
    if way == 0:
        return  # not a word
    respond(call, 100, "Trying") if way < 3 else respond(call, 180, "Ringing")
    if way == 1:
        return  # nothing more
    after(dice.random() * PATIENCE, decide, call, way)


def decide(call, way):
    if call["id"] not in live or call["state"] != "came":
        return
    if way in (2, 3):
        code = dice.choice([404, 480, 486, 500, 503, 603])
        call["state"] = "refused"
        respond(call, code, "No")
        return
    call["state"] = "up"
    respond(call, 200, "OK", "Contact: <sip:101@%s>\r\nContent-Type: application/sdp\r\n" % me, sdp)
    if way < 7:  # else the other side, or its media timeout, ends it
        after(dice.random() * PATIENCE, hang_up, call)


def hang_up(call):
    if call["id"] not in live or call["state"] != "up":
        return
    call["state"] = "closing"
    call["from"], call["to"] = call["to"], call["from"]
    request(call, "BYE", 1000, call["id"] + "b")


def within(text, source):
    method = text.split(" ", 1)[0]
    call = live.get(header(text, "Call-ID|i"))
    if method == "ACK":
        if call and not call["out"] and call["state"] == "refused":
            forget(call)
        return
    reply = {"via": "".join("Via: %s\r\n" % v for v in re.findall(r"(?mi)^(?:Via|v)[ \t]*:[ \t]*(.*?)\r?$", text)),
             "to": header(text, "To|t"), "from": header(text, "From|f"), "id": header(text, "Call-ID|i"),
             "cseq": header(text, "CSeq")}
    if call and call.get("gone"):
        return  # nobody is there
    respond(reply, 200, "OK")
    if method == "CANCEL" and call and call["state"] == "came":
        call["state"] = "refused"
        respond(call, 487, "Request Terminated")
    elif method == "BYE" and call:
        over(call, "hung up by them") if call["out"] else forget(call)


def take(data, source):
    text = data.decode(errors="replace")
    if text.startswith("SIP/2.0 "):
        response(text)
    elif text.startswith("INVITE "):
        come(text)
    else:
        within(text, source)


if calls:
    after(0, place, 0)
summary, end = False, time.monotonic() + calls * every + 120
waits = [sock, sys.stdin]
while True:
    now = time.monotonic()
    while timers and timers[0][0] <= now:
        _, _, what, args = heapq.heappop(timers)
        what(*args)
    mine = [c for c in live.values() if c["out"]]
    if not summary and calls and ((not mine and not any(t[2] is place for t in timers)) or now > end):
        print(", ".join("%s: %d" % item for item in sorted(told.items())), flush=True)
        print("placed", flush=True)
        summary = True
    ready = select.select(waits, [], [], max(0.0, min(0.5, timers[0][0] - now if timers else 0.5)))[0]
    if sock in ready:
        take(*sock.recvfrom(65536))
    if sys.stdin in ready and not sys.stdin.read(1):
        break
