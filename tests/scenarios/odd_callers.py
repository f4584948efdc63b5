#!/usr/bin/env python3
"""odd_callers.py TRANSPORT IP GATEWAY-IP:PORT NUMBER [CA] [CASE...]: calls the gateway in odd ways.

Each case is a call, or nearly one, as some PBX or scenario collection has it: rare headers,
rare bodies, rare orders of messages, rare media.  NUMBER is a secure user who answers at once
and speaks.  Prints a line for each case, with what was wrong; exit status 1 if anything was.
"""
import re
import sys

from odd_caller import Caller
from odd_offers import CASES
from sip_party import Wire, must, new_id, sdp

case = CASES.add


# --- headers ---

@case("a plain call is answered, talks both ways and is hung up")
def _(c):
    response = c.plain()
    must(len(response.lines("m=")) == 1 and "a=sendrecv" in response.body, response.body)
    c.talks(20)


@case("compact header names")
def _(c):
    body = sdp(c.media)
    text = c.text("INVITE", body)
    for name, short in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m"),
                        ("Content-Type", "c"), ("Content-Length", "l")):
        text = text.replace("\r\n%s:" % name, "\r\n%s :" % short)
    c.invite(text)
    c.talks()


@case("folded headers, blanks before the colon, other letters, headers nobody knows")
def _(c):
    text = c.text("INVITE", sdp(c.media), ["X-Odd: a,\r\n\t b;c=\"d\"", "P-Charging-Vector:\r\n icid-value=7",
                                           "sUBJECT  :  odd"])
    text = text.replace("From: ", "FROM  :\r\n  ").replace(";rport", "\r\n\t;rport")
    c.invite(text.replace("Call-ID:", "call-id:"))
    c.talks()


@case("a header of 4,000 octets, thirty more, and a Via of three hops")
def _(c):
    more = ["User-Agent: " + "odd " * 1000] + ["X-H%d: %s" % (n, "v" * 40) for n in range(30)]
    more += ["Via: SIP/2.0/UDP 192.0.2.%d:5060;branch=z9hG4bKx%d;received=198.51.100.9" % (n, n) for n in (1, 2)]
    response = c.invite(c.text("INVITE", sdp(c.media), more))
    must(sum(v.count("SIP/2.0/") for v in response.all("via")) == 3, "Vias of the 200: %s" % response.all("via"))
    c.talks()


@case("a Via that names another host: the answer comes to where the request came from")
def _(c):
    via = "Via: SIP/2.0/%s pbx.invalid:5999;branch=z9hG4bK%s;rport" % (c.setting.transport.upper(), new_id())
    response = c.invite(c.text("INVITE", sdp(c.media), via=via))
    must("received=" + c.wire.ip in response.get("via"), response.get("via"))
    if c.setting.transport == "udp":
        must("rport=%d" % c.wire.port in response.get("via"), response.get("via"))


@case("Record-Route with lr comes back in the answer, and our BYE goes along it")
def _(c):
    hop = "<sip:%s:%d;lr%s>" % (c.wire.ip, c.wire.port, c.parameter())
    c.contact = "<sip:101@192.0.2.77:5060%s>" % c.parameter()
    response = c.invite(c.text("INVITE", sdp(c.media), ["Record-Route: %s, <sip:192.0.2.78;lr;p=1>" % hop]))
    must(response.all("record-route") and "192.0.2.78;lr;p=1" in ",".join(response.all("record-route")),
         "Record-Route of the 200: %s" % response.all("record-route"))
    c.talks()
    c.hang_up()
    # a late offer that is never answered is hung up by the gateway
    c.id, c.to_tag, c.target = new_id(), "", "sip:%s@%s:%d" % (c.setting.number, *c.setting.gateway)
    c.wire.send(c.text("INVITE", more=["Record-Route: %s, <sip:192.0.2.78;lr;p=1>" % hop]))
    response = c.wire.response()
    c.take(response)
    c.ack(response)
    bye = c.wire.request("BYE")
    must(bye.start.startswith("BYE sip:101@192.0.2.77"), bye.start)
    must(",".join(bye.all("route")).replace(" ", "") == (hop + ",<sip:192.0.2.78;lr;p=1>"), str(bye.all("route")))
    c.reply(bye, 200)


@case("names with quotes, UTF-8 and commas; a From without brackets")
def _(c):
    text = c.text("INVITE", sdp(c.media)).replace("From: <", "From: \"K\u00f6nig, \\\"J\\\" \u2713\" <")
    c.invite(text)
    c.hang_up()
    c.to_tag, c.id, c.target = "", new_id(), "sip:%s@%s:%d" % (c.setting.number, *c.setting.gateway)
    text = c.text("INVITE", sdp(c.media))
    c.invite(re.sub(r"From: <([^>]*)>", r"From: \1", text))


@case("a tel URI in From, as trunks of mobile networks have it, is that number at the trunk's address")
def _(c):
    c.invite(c.text("INVITE", sdp(c.media)).replace("<sip:101@%s>" % c.wire.ip, "<tel:101;phone-context=odd.test>"))
    c.talks()


@case("escaped digits, user=phone and other parameters in the Request-URI")
def _(c):
    n = c.setting.number
    c.target = "sip:%%%02x%s@%s:%d;user=phone;x=y" % (ord(n[0]), n[1:], *c.setting.gateway)
    c.plain()
    c.talks()


@case("Require of what is unknown gets 420 and its name; of timer and 100rel it is fulfilled")
def _(c):
    response = c.refused(c.text("INVITE", sdp(c.media), ["Require: precondition, x-odd"]), 420)
    must("precondition" in response.get("unsupported") and "x-odd" in response.get("unsupported"),
         response.get("unsupported"))
    response = c.invite(c.text("INVITE", sdp(c.media), ["Require: timer", "Supported: timer, 100rel",
                                                        "Session-Expires: 1800;refresher=uac"]))
    must("refresher=uac" in response.get("session-expires"), response.get("session-expires"))


@case("Session-Expires below the least gets 422 with Min-SE; then it is taken")
def _(c):
    response = c.refused(c.text("INVITE", sdp(c.media), ["Supported: timer", "Session-Expires: 60"]), 422)
    must(int(response.get("min-se")) >= 90, response.get("min-se"))
    response = c.invite(c.text("INVITE", sdp(c.media), ["Supported: timer", "Session-Expires: 90", "Min-SE: 90"]))
    must(response.get("session-expires").startswith("90"), response.get("session-expires"))


@case("a request without CSeq, Call-ID, To or From is not answered with a call")
def _(c):
    for name in ("CSeq", "Call-ID", "To", "From"):
        text = c.text("INVITE", sdp(c.media), drop=(name,))
        c.wire.send(text)
        try:
            response = c.wire.until(lambda m: m.code >= 200, 0.3)
        except AssertionError:
            response = None
        must(response is None or response.code == 400, "without %s: %s" % (name, response and response.start))
        if c.setting.transport != "udp":
            c.wire.close()
            c.wire = Wire(c.setting.transport, (c.setting.ip, 0), c.setting.gateway, c.setting.ca)


@case("Max-Forwards 0 is our business: the call comes; an INVITE without Contact gets 400")
def _(c):
    c.refused(c.text("INVITE", sdp(c.media), drop=("Contact",)), 400)
    c.invite(c.text("INVITE", sdp(c.media)).replace("Max-Forwards: 70", "Max-Forwards: 0"))


# --- methods ---

@case("OPTIONS: 200 with Allow and Accept, outside of calls and in one")
def _(c):
    response = c.ask("OPTIONS")
    must(response.code == 200 and "INVITE" in response.get("allow"), response.start + response.get("allow"))
    must("application/sdp" in response.get("accept"), "Accept: " + response.get("accept"))
    c.plain()
    must(c.ask("OPTIONS").code == 200, "OPTIONS in the call")
    c.talks()


@case("methods that are unknown or not ours: 501 or 405 with Allow, and the call goes on")
def _(c):
    for method, codes in (("FROBNICATE", (501, 405)), ("SUBSCRIBE", (405, 489, 501)), ("PUBLISH", (405, 501)),
                          ("REGISTER", (405, 501)), ("NOTIFY", (405, 481, 489, 501)), ("REFER", (405, 603, 501))):
        response = c.ask(method)
        must(response.code in codes, "%s: %s" % (method, response.start))
        if response.code == 405:
            must(response.get("allow"), method + ": 405 without Allow")
    for method in ("BYE", "PRACK", "UPDATE", "INFO"):
        c.to_tag = "nowhere"
        must(c.ask(method).code == 481, method + " of no call")
        c.to_tag = ""
    c.id = new_id()
    c.plain()
    for method, codes in (("FROBNICATE", (501, 405)), ("SUBSCRIBE", (405, 489, 501)), ("REFER", (603,))):
        must(c.ask(method, more=["Refer-To: <sip:1@192.0.2.1>"]).code in codes, method + " in the call")
    must(c.ask("MESSAGE", "hello", kind="text/plain").code in (405, 202, 200, 415), "MESSAGE in the call")
    c.talks()


@case("INFO: digits in both spellings are taken, without a body 200, of another type 415")
def _(c):
    c.plain()
    must(c.ask("INFO", "Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay").code == 200, "dtmf-relay")
    must(c.ask("INFO", "7", kind="application/dtmf").code == 200, "dtmf")
    must(c.ask("INFO").code == 200, "without a body")
    must(c.ask("INFO", "<x/>", kind="application/media_control+xml").code == 415, "media control")
    c.talks()


# --- order of messages ---

@case("the INVITE comes three times: one call; its 200 comes again until the ACK, which comes twice")
def _(c):
    text = c.text("INVITE", sdp(c.media))
    for _ in range(3 if c.setting.transport == "udp" else 1):
        c.wire.send(text)
    response = c.wire.response()
    must(response.code == 200, response.start)
    again = c.wire.response(seconds=3)
    must(again.code == 200 and again.get("to") == response.get("to"), "the 200 again: " + again.start)
    c.take(response)
    c.ack(response)
    c.ack(response)
    c.up = c.media.speaking = True
    must(c.wire.silent(1.2, "INVITE"), "a 200 came after the ACK")
    c.talks()


@case("CANCEL at once: 200 and 487, whatever the call had come to")
def _(c):
    text = c.text("INVITE", sdp(c.media))
    c.wire.send(text)
    via = re.search(r"(?m)^Via: .*?(?=\r)", text).group()
    c.wire.until(lambda m: m.code >= 100)
    c.send("CANCEL", via=via, cseq=c.cseq)
    codes = {}
    while "CANCEL" not in codes or "INVITE" not in codes:
        m = c.wire.until(lambda m: m.code >= 200)
        codes[m.method] = m
    must(codes["CANCEL"].code in (200, 481), "CANCEL: " + codes["CANCEL"].start)
    must(codes["INVITE"].code in (487, 200), "INVITE: " + codes["INVITE"].start)
    c.take(codes["INVITE"])
    if codes["INVITE"].code == 200:
        c.ack(codes["INVITE"])
        c.up = True
    else:
        c.send("ACK", via=via, cseq=c.cseq)


@case("CANCEL of nothing gets 481; after the 200 it is 200 or 481, and the call goes on")
def _(c):
    c.cseq = 1
    must(c.ask("CANCEL").code == 481, "CANCEL of nothing")
    c.id = new_id()
    text = c.text("INVITE", sdp(c.media))
    via = re.search(r"(?m)^Via: .*?(?=\r)", text).group()
    c.invite(text)
    to, target = c.to_tag, c.target
    c.to_tag = ""
    c.send("CANCEL", via=via, cseq=c.cseq)
    must(c.wire.response("CANCEL").code in (200, 481), "late CANCEL")
    c.to_tag, c.target = to, target
    c.talks()


@case("BYE before the ACK ends the call; BYE twice is 200 or 481")
def _(c):
    c.wire.send(c.text("INVITE", sdp(c.media)))
    response = c.wire.response()
    must(response.code == 200, response.start)
    c.take(response)
    bye = c.send("BYE")
    must(c.wire.response("BYE").code == 200, "BYE before the ACK")
    c.ack(response)
    if c.setting.transport == "udp":
        c.wire.send(bye)
        must(c.wire.response("BYE").code == 200, "the same BYE again")
    must(c.ask("BYE").code == 481, "another BYE")


@case("a re-INVITE with an old CSeq gets 500, one from another dialog 481; the call goes on")
def _(c):
    c.plain()
    must(c.ask("INFO", cseq=0).code == 500, "old CSeq")
    to, c.to_tag = c.to_tag, "another"
    must(c.ask("INFO").code == 481, "another tag")
    c.to_tag = to
    c.talks()


@case("a late offer: ours in the 200, the answer in the ACK, talks")
def _(c):
    c.wire.send(c.text("INVITE"))
    response = c.wire.response()
    must(response.code == 200 and response.lines("m=audio"), response.start)
    c.take(response)
    must(" 8" in response.lines("m=audio")[0] and " 0" in response.lines("m=audio")[0], response.body)
    c.ack(response, sdp(c.media, "8", ("rtpmap:8 PCMA/8000",)))
    c.up = c.media.speaking = True
    c.talks()


@case("a late offer whose ACK brings no answer: the call is hung up")
def _(c):
    c.wire.send(c.text("INVITE"))
    response = c.wire.response()
    c.take(response)
    c.ack(response)
    bye = c.wire.request("BYE")
    c.reply(bye, 200)


@case("100rel required: a reliable 180, its PRACK, then the 200")
def _(c):
    c.wire.send(c.text("INVITE", sdp(c.media), ["Require: 100rel"]))
    response = c.wire.until(lambda m: m.method == "INVITE" and m.code > 100)
    if response.code < 200:
        must(response.get("rseq"), "1xx without RSeq")
        c.take(response)
        must(c.ask("PRACK", more=["RAck: %s %s" % (response.get("rseq"), response.get("cseq"))]).code == 200, "PRACK")
        must(c.ask("PRACK", more=["RAck: 77 1 INVITE"]).code == 481, "a PRACK of nothing")
        c.cseq = int(response.get("cseq").split()[0])
        response = c.wire.response()
        c.cseq += 2
    must(response.code == 200, response.start)
    c.take(response)
    c.ack(response)
    c.up = c.media.speaking = True
    c.talks()


@case("the connection is lost while the call is up: a new one carries what follows")
def _(c):
    c.plain()
    if c.setting.transport != "udp":
        c.wire.close()
        c.wire = Wire(c.setting.transport, (c.setting.ip, 0), c.setting.gateway, c.setting.ca)
        c.contact = "<sip:101@%s:%d%s>" % (c.wire.ip, c.wire.port, c.parameter())
    c.talks()
    c.change(sdp(c.media, version=2))
    c.talks()


class Setting:
    def __init__(self, args):
        self.transport, self.ip = args[0], args[1]
        host, _, port = args[2].rpartition(":")
        self.gateway, self.number = (host.strip("[]"), int(port)), args[3]
        self.ca = args[4] if len(args) > 4 and args[4] else None


if __name__ == "__main__":
    SETTING = Setting(sys.argv[1:])
    sys.exit(CASES.run(lambda: Caller(SETTING), sys.argv[6:]))
