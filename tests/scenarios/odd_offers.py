"""odd_offers.py - cases of odd_callers.py: descriptions of all kinds, and changes of a call."""
import re
import time

from sip_party import Cases, Media, must, new_id, sdp

CASES = Cases()
case = CASES.add


# --- changes of a call that is up ---

@case("hold by sendonly, inactive and 0.0.0.0, each answered rightly, and resumption")
def _(c):
    c.plain()
    version = re.search(r"(?m)^o=\S+ \S+ (\d+)", c.change(sdp(c.media, version=2)).body).group(1)
    for n, (direction, address, wanted) in enumerate((("sendonly", None, "recvonly"), ("inactive", None, "inactive"),
                                                      ("sendrecv", "0.0.0.0", "recvonly"))):
        held = c.change(sdp(c.media, "8", ("rtpmap:8 PCMA/8000", direction), address=address, version=3 + 2 * n))
        must("a=" + wanted in held.body, "%s %s: %s" % (direction, address, held.lines("a=")))
        first = len(c.media.came)
        time.sleep(0.3)
        must(len(c.media.came) - first <= 3, "media goes on during hold by %s" % direction)
        back = c.change(sdp(c.media, "8", ("rtpmap:8 PCMA/8000",), version=4 + 2 * n))
        must("a=sendrecv" in back.body, back.body)
        c.talks()
    must(int(re.search(r"(?m)^o=\S+ \S+ (\d+)", back.body).group(1)) > int(version), "o= version stands still")


@case("hold at the session level, and c=0.0.0.0 with inactive")
def _(c):
    c.plain()
    held = c.change(sdp(c.media, "8", ("rtpmap:8 PCMA/8000",), session=("sendonly",), version=2))
    must("a=recvonly" in held.body, held.body)
    held = c.change(sdp(c.media, "8", ("rtpmap:8 PCMA/8000", "inactive"), address="0.0.0.0", version=3))
    must("a=inactive" in held.body, held.body)
    c.change(sdp(c.media, "8", ("rtpmap:8 PCMA/8000",), version=4))
    c.talks()


@case("a re-INVITE without an offer gets ours, of the same codec; its answer comes with the ACK")
def _(c):
    c.plain()
    c.send("INVITE")
    response = c.wire.response()
    must(response.code == 200 and response.lines("m=audio"), response.start)
    c.ack(response, sdp(c.media, version=2))
    c.talks()


@case("UPDATE: with an offer answered, without one 200; another address and port are followed")
def _(c):
    c.plain()
    must(c.ask("UPDATE").code == 200, "UPDATE without a body")
    other = Media(c.setting.ip)
    response = c.ask("UPDATE", sdp(other, version=2))
    must(response.code == 200 and response.lines("m=audio"), response.start)
    must(other.heard(10), "no media at the new port")
    other.close()
    c.change(sdp(c.media, version=3))
    c.talks()


@case("T.38, another codec or no SDP in a re-INVITE is refused; the call goes on as it was")
def _(c):
    c.plain()
    t38 = sdp(c.media, version=2).split("m=")[0] + "m=image 6100 udptl t38\r\na=T38FaxVersion:0\r\n"
    c.change(t38, 488)
    c.change(sdp(c.media, "18", ("rtpmap:18 G729/8000",), version=3), 488)
    c.change("v=0\r\nnonsense", 400, 488)
    c.change("<x/>", 415, kind="application/x-odd")
    c.talks()


@case("two re-INVITEs at once: the second gets 491 or 500, the first is answered, and the call goes on")
def _(c):
    c.plain()
    c.send("INVITE", sdp(c.media, version=2))
    first = c.cseq
    c.send("INVITE", sdp(c.media, version=3))
    codes = {}
    while len(codes) < 2:
        m = c.wire.response()
        codes[int(m.get("cseq").split()[0])] = m.code
        c.ack(m)
    must(codes[first] == 200 and codes[first + 1] in (200, 491, 500), str(codes))
    c.talks()


# --- descriptions ---

def offers(sentence, **named):
    """A case of an offer that is answered with one audio line, and then talks."""
    wanted = named.pop("answer", None)
    kind = named.pop("kind", None)

    @case(sentence)
    def _(c):
        c.media.type = kind or 8
        response = c.invite(c.text("INVITE", sdp(c.media, **named)))
        audio = [l for l in response.lines("m=audio") if " 0 RTP" not in l]
        must(len(audio) == 1, str(response.lines("m=")))
        if wanted:
            must(re.search(wanted, response.body), "%s: %s" % (wanted, response.body))
        c.talks(kind=c.media.type)


offers("no rtpmap for the types 8 and 0", formats="8 0", attributes=())
offers("A-law under number 97, as its rtpmap says", formats="97 101",
       attributes=("rtpmap:97 PCMA/8000", "rtpmap:101 telephone-event/8000"), kind=97, answer=r"RTP/AVP 97\b")
offers("telephone-event under 96 before the codec, with a lower-case name and 0-16", formats="96 8",
       attributes=("rtpmap:96 TELEPHONE-EVENT/8000", "fmtp:96 0-16", "rtpmap:8 pcma/8000"),
       answer=r"a=rtpmap:96 telephone-event/8000")
offers("among ten codecs the first that both know", formats="112 9 18 4 3 15 97 8 0 101",
       attributes=("rtpmap:112 opus/48000/2", "rtpmap:9 G722/8000", "rtpmap:18 G729/8000", "fmtp:18 annexb=no",
                   "rtpmap:97 iLBC/8000", "rtpmap:101 telephone-event/8000"), answer=r"RTP/AVP 8 101")
offers("telephone-event of 48 and of 8 kHz", formats="8 100 101",
       attributes=("rtpmap:8 PCMA/8000", "rtpmap:100 telephone-event/48000", "rtpmap:101 telephone-event/8000"),
       answer=r"a=rtpmap:101 ")
offers("a=rtcp, rtcp-mux, ICE, BUNDLE, ssrc and what else a browser's gateway offers",
       session=("group:BUNDLE 0", "msid-semantic: WMS *", "ice-lite", "ice-options:trickle"),
       attributes=("rtpmap:8 PCMA/8000", "rtcp:9 IN IP4 0.0.0.0", "rtcp-mux", "ice-ufrag:abcd", "mid:0",
                   "ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa", "candidate:1 1 UDP 1 192.0.2.1 9 typ host", "ssrc:7 cname:x",
                   "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "label:1", "rtcp-fb:* nack"),
       formats="8")
offers("video beside it is refused with port 0", formats="8", tail=(
    "m=video 6200 RTP/AVP 31 34", "a=rtpmap:31 H261/90000"), answer=r"m=video 0 RTP/AVP 31")
offers("video before it, an application behind it, in their order", formats="8",
       head="m=video 6200 RTP/AVP 99\r\na=rtpmap:99 H264/90000", tail=("m=application 9 TCP/BFCP *",),
       answer=r"(?s)m=video 0 .*m=audio [1-9].*m=application 0 ")
offers("several audio lines: the first that can be used, the others with port 0", formats="8",
       head="m=audio 6300 RTP/AVP 18\r\na=rtpmap:18 G729/8000", tail=("m=audio 6302 RTP/AVP 0",),
       answer=r"(?s)m=audio 0 .*m=audio [1-9]\d* RTP/AVP 8.*m=audio 0 ")
offers("audio that is refused (port 0) before one that is offered", formats="8",
       head="m=audio 0 RTP/AVP 0", answer=r"(?s)m=audio 0 .*m=audio [1-9]")
offers("c= below m= alone", address="", formats="8",
       attributes=("rtpmap:8 PCMA/8000",), tail=("c=@C@",))
offers("lines i, u, e, p, b, k, z, r and unknown attributes", formats="8",
       session=("tool:odd", "type:broadcast"), attributes=("rtpmap:8 PCMA/8000", "x-odd", "silenceSupp:off - - - -"),
       tail=("b=AS:64", "k=clear:x"))
offers("a bandwidth, ptime 20 and maxptime 150", formats="8 13 101",
       attributes=("rtpmap:8 PCMA/8000", "rtpmap:13 CN/8000", "rtpmap:101 telephone-event/8000", "ptime:20",
                   "maxptime:150"))


@case("each tenth packet is lost and each second one 10 ms late: our reports say so")
def _(c):
    c.media.lose_each, c.media.late_ms = 10, 10
    c.plain()
    end = time.monotonic() + 20
    while not (c.media.told and c.media.told[1] >= 20) and time.monotonic() < end:
        time.sleep(0.05)
    must(c.media.told, "no report came")
    fraction, lost, jitter = c.media.told
    must(c.media.skipped - 15 <= lost <= c.media.skipped, "lost %d of %d" % (lost, c.media.skipped))
    must(0.07 <= fraction <= 0.13, "a fraction of %.2f" % fraction)
    must(jitter >= 5, "a jitter of %.1f ms" % jitter)
    print("skipped %d" % c.media.skipped, flush=True)


def ptime(ms):
    @case("ptime %d: packets of that length both ways" % ms)
    def _(c):
        c.media.ms = ms
        c.invite(c.text("INVITE", sdp(c.media, "8", ("rtpmap:8 PCMA/8000", "ptime:%d" % ms))))
        c.talks(20 if ms < 60 else 10)
        sizes = {p[1] for p in c.media.came[5:] if p[0] == 8}
        must(sizes == {ms * 8}, "payloads of %s octets" % sizes)


for ms in (10, 30, 40, 60):
    ptime(ms)


@case("maxptime 10 is kept where nothing is said of ptime")
def _(c):
    c.invite(c.text("INVITE", sdp(c.media, "8", ("rtpmap:8 PCMA/8000", "maxptime:10"))))
    c.talks(20)
    must({p[1] for p in c.media.came[5:] if p[0] == 8} == {80}, "payloads %s" % {p[1] for p in c.media.came})


@case("offers that cannot be taken: 488; what is no description: 400; what is no SDP: 415")
def _(c):
    for wanted, body, kind in (
            (488, sdp(c.media, "18", ("rtpmap:18 G729/8000",)), "application/sdp"),
            (488, sdp(c.media, port=0), "application/sdp"),
            (488, sdp(c.media).replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"), "application/sdp"),
            (400, "hello", "application/sdp"),
            (415, "hello", "text/plain"),
            (415, "<x/>", "application/xml")):
        c.refused(c.text("INVITE", body, kind=kind), wanted)
        c.id, c.to_tag = new_id(), ""


@case("a description without c= at all gets 400 or 488")
def _(c):
    c.refused(c.text("INVITE", sdp(c.media, address="")), 400, 488)


@case("Content-Type with parameters and other letters")
def _(c):
    c.invite(c.text("INVITE", sdp(c.media), kind="Application/SDP;charset=utf-8"))
    c.talks()


@case("lines that end with LF alone, and a blank line at the end")
def _(c):
    c.invite(c.text("INVITE", sdp(c.media).replace("\r\n", "\n") + "\n"))
    c.talks()


@case("a body of several parts: the description in it counts")
def _(c):
    body = "preamble\r\n--b0\r\nContent-Type: application/sdp\r\n\r\n%s\r\n--b0\r\n" % sdp(c.media) + (
        "Content-Type: application/isup; version=itu-t92+\r\nContent-Disposition: signal; handling=optional\r\n\r\n"
        "\x01\x00\r\n--b0--\r\n")
    c.invite(c.text("INVITE", body, kind="multipart/mixed;boundary=b0"))
    c.talks()


@case("a body of several parts without a description: 415, or a late offer")
def _(c):
    body = "--b0\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b0--\r\n"
    c.refused(c.text("INVITE", body, kind="multipart/mixed; boundary=\"b0\""), 415, 200)


@case("digits as events under another number come through, and the talk goes on")
def _(c):
    c.invite(c.text("INVITE", sdp(c.media, "8 98", ("rtpmap:8 PCMA/8000", "rtpmap:98 telephone-event/8000"))))
    c.talks()
    c.media.digit(3, 98)
    c.talks()


def reported(media):
    end = time.monotonic() + 7
    while not media.reports and time.monotonic() < end:
        time.sleep(0.02)
    must(media.reports, "no RTCP came")


@case("reports (RTCP) come to the port behind the media's")
def _(c):
    c.plain()
    reported(c.media)


@case("reports come to the port and the address of a=rtcp")
def _(c):
    c.media.close()
    c.media = Media(c.setting.ip, re.sub(r"[0-9]+$", "39", c.setting.ip))
    there = c.media.rtcp.getsockname()
    c.invite(c.text("INVITE", sdp(c.media, "8", ("rtpmap:8 PCMA/8000", "rtcp:%d IN IP4 %s" % (there[1], there[0])))))
    reported(c.media)


@case("RTP/AVPF is answered over RTP/AVPF, without feedback, and without rtcp-mux")
def _(c):
    c.media.type = 8
    offer = sdp(c.media, "8", ("rtpmap:8 PCMA/8000", "rtcp-fb:* trr-int 100", "rtcp-mux"))
    response = c.invite(c.text("INVITE", offer.replace("RTP/AVP", "RTP/AVPF")))
    must(re.search(r"(?m)^m=audio [1-9]\d* RTP/AVPF 8\b", response.body), response.body)
    must("rtcp" not in response.body, response.body)
    c.talks()


@case("RTP/SAVPF with a key is answered over RTP/SAVPF with a key; without one, or where SIP goes in clear, not at all")
def _(c):
    offer = sdp(c.media, "8", ("rtpmap:8 PCMA/8000",)).replace("RTP/AVP", "RTP/SAVPF")
    c.refused(c.text("INVITE", offer), 488)
    c.id, c.to_tag = new_id(), ""
    offer += "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    if c.setting.transport != "tls":
        c.refused(c.text("INVITE", offer), 488)
        return
    response = c.invite(c.text("INVITE", offer))
    must(re.search(r"(?m)^m=audio [1-9]\d* RTP/SAVPF 8\b", response.body), response.body)
    must(response.lines("a=crypto:3 AES_CM_128_HMAC_SHA1_80 "), response.body)
    must(c.media.heard(10), "no media came")
