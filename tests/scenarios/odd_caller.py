"""odd_caller.py - a PBX that calls the gateway, for the cases of odd_callers.py and odd_offers.py."""
import re

from sip_party import Media, Wire, media_target, must, new_id, sdp


class Caller:
    """One dialog from the PBX's side."""

    def __init__(self, setting):
        self.setting = setting
        self.wire = Wire(setting.transport, (setting.ip, 0), setting.gateway, setting.ca)
        self.media = Media(setting.ip)
        self.id, self.tag, self.cseq = new_id(), new_id(), 0
        self.to_tag, self.target = "", "sip:%s@%s:%d" % (setting.number, *setting.gateway)
        self.user = "101"
        self.contact = "<sip:101@%s:%d%s>" % (self.wire.ip, self.wire.port, self.parameter())
        self.up, self.routes = False, []

    def parameter(self):
        return "" if self.setting.transport == "udp" else ";transport=" + self.setting.transport

    def via(self, branch=None, more=";rport"):
        return "Via: SIP/2.0/%s %s:%d;branch=%s%s" % (
            self.setting.transport.upper(), self.wire.ip, self.wire.port,
            branch or "z9hG4bK" + new_id(), more)

    def to(self):
        return "<sip:%s@gateway.test>%s" % (self.setting.number,
                                            ";tag=" + self.to_tag if self.to_tag else "")

    def text(self, method, body="", more=(), via=None, cseq=None, kind="application/sdp", drop=()):
        if cseq is None:
            if method not in ("ACK", "CANCEL"):
                self.cseq += 1
            cseq = self.cseq
        lines = [via or self.via(), "From: <sip:%s@%s>;tag=%s" % (self.user, self.wire.ip, self.tag),
                 "To: " + self.to(), "Call-ID: " + self.id, "CSeq: %d %s" % (cseq, method),
                 "Contact: " + self.contact, "Max-Forwards: 70"]
        lines += ["Route: " + r for r in self.routes] + list(more)
        if body:
            lines.append("Content-Type: " + kind)
        lines.append("Content-Length: %d" % len(body.encode()))
        lines = [l for l in lines if l.split(":")[0] not in drop]
        return "\r\n".join(["%s %s SIP/2.0" % (method, self.target)] + lines) + "\r\n\r\n" + body

    def send(self, method, *args, **named):
        text = self.text(method, *args, **named)
        self.wire.send(text)
        return text

    def take(self, response):
        """What a dialog needs of a response."""
        found = re.search(r";tag=([^;>\s]+)", response.get("to"))
        self.to_tag = found.group(1) if found else ""
        found = re.search(r"<([^>]+)>", response.get("contact"))
        if found:
            self.target = found.group(1)
        if media_target(response):
            self.media.to = media_target(response)

    def ack(self, response, body="", **named):
        """To a 2xx in the dialog, to others in the transaction."""
        cseq = int(response.get("cseq").split()[0])
        self.send("ACK", body, cseq=cseq, **named)

    def invite(self, text):
        """Sends it, and comes back with the answer acknowledged; the call is up."""
        self.wire.send(text)
        return self.answered()

    def answered(self):
        response = self.wire.response()
        must(response.code == 200, "not answered: " + response.start + " " + response.get("warning"))
        self.take(response)
        self.ack(response)
        self.up = self.media.speaking = True
        return response

    def refused(self, text, *codes):
        """Sends it, and expects that refusal; the ACK goes in the INVITE's transaction."""
        self.wire.send(text)
        response = self.wire.response()
        if response.code < 300:
            self.take(response)
            self.ack(response)
            self.up = True
        else:
            via = re.search(r"(?m)^Via: .*?(?=\r)", text)
            to = self.to_tag
            self.take(response)
            self.send("ACK", via=via.group(), cseq=self.cseq)
            self.to_tag = to
        must(response.code in codes, "expected %s, got %s" % (codes, response.start))
        return response

    def talks(self, packets=10, kind=None):
        must(self.media.heard(packets, kind=kind), "no media came back (%s)" % (self.media.to,))

    def ask(self, method, *args, **named):
        """A request of the dialog and its final response."""
        self.send(method, *args, **named)
        response = self.wire.response(method)
        if method == "INVITE":
            self.ack(response)
        return response

    def change(self, body, *codes, **named):
        response = self.ask("INVITE", body, **named)
        must(response.code in (codes or (200,)), "re-INVITE: " + response.start)
        if response.code == 200 and media_target(response):
            self.media.to = media_target(response)
        return response

    def hang_up(self):
        response = self.ask("BYE")
        must(response.code == 200, "BYE: " + response.start)
        self.up = False

    def reply(self, request, code):
        """Answers a request of the gateway."""
        lines = ["SIP/2.0 %d Odd" % code] + ["Via: " + v for v in request.all("via")]
        lines += ["%s: %s" % (n, request.get(n)) for n in ("from", "to", "call-id", "cseq")]
        self.wire.send("\r\n".join(lines + ["Content-Length: 0", "", ""]))

    def close(self):
        if self.up:
            self.hang_up()
        self.media.close()
        self.wire.close()

    def plain(self):
        """An ordinary call."""
        return self.invite(self.text("INVITE", sdp(self.media)))
