#!/usr/bin/env python3
"""A SIP user agent for texts (RFC 3428), over UDP.

sip_text.py send FROM-IP HOST:PORT REQUEST-URI FROM-URI [--type TYPE] [--call-id ID] [--cseq N]
             [--tag TAG] [--text TEXT] [--asserted URI] [--digest USER:PASSWORD]
    sends the text, or stdin, as one MESSAGE, repeats it as timer E has it, and prints the final response's
    status line.  With --digest a 401 is answered first.

sip_text.py phone IP PORT LOG [--digest USER:PASSWORD] [--answers CODE,CODE,...]
    says "ready", answers each MESSAGE with the next of the codes, the last one again and again (200; 0: not
    at all), and writes a line of JSON about each that it has not seen yet: its Call-ID, From, To,
    Request-URI, P-Asserted-Identity, type, body and the code.  With --digest it asks for a password first.
"""
import argparse
import hashlib
import json
import re
import select
import socket
import time
import uuid


def head_and_body(datagram):
    head, _, body = datagram.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return lines[0], headers, body


def send(args):
    body = args.text.encode() if args.text else open(0, "rb").read()
    args.call_id = args.call_id or uuid.uuid4().hex
    line, headers = send_once(args, body, [])
    if args.digest and line.startswith("SIP/2.0 401 "):
        args.cseq += 1
        line, _ = send_once(args, body, ["Authorization: " + answer_to(headers, args)])
    print(line)


def send_once(args, body, more):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((args.ip, 0))
        host, port = args.to.rsplit(":", 1)
        s.connect((host, int(port)))
        lines = [
            f"MESSAGE {args.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {args.ip}:{s.getsockname()[1]};rport;branch=z9hG4bK{uuid.uuid4().hex}",
            "Max-Forwards: 70",
            f"From: <{args.sender}>;tag={args.tag or uuid.uuid4().hex[:8]}",
            f"To: <{args.uri}>",
            f"Call-ID: {args.call_id}",
            f"CSeq: {args.cseq} MESSAGE",
        ]
        if args.type:
            lines.append(f"Content-Type: {args.type}")
        if args.asserted:
            lines.append(f"P-Asserted-Identity: <{args.asserted}>")
        lines += more
        lines += [f"Content-Length: {len(body)}", "", ""]
        request = "\r\n".join(lines).encode() + body
        wait, end = 0.5, time.monotonic() + 32
        while time.monotonic() < end:
            s.send(request)
            again = time.monotonic() + wait
            wait = min(2 * wait, 4)
            while select.select([s], [], [], max(again - time.monotonic(), 0))[0]:
                try:
                    line, headers, _ = head_and_body(s.recv(65536))
                except ConnectionRefusedError:
                    break
                if re.match(r"SIP/2\.0 [2-6]", line):
                    return line, headers
        return "nothing", {}


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def answer_to(headers, args):
    """To the challenge that asks for MD5, as older PBXs do it."""
    value = next(v for v in headers["www-authenticate"] if "SHA-256" not in v)
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', value))
    user, password = args.digest.split(":", 1)
    cnonce = uuid.uuid4().hex
    ha1 = md5(f"{user}:{fields['realm']}:{password}")
    ha2 = md5(f"MESSAGE:{args.uri}")
    response = md5(f"{ha1}:{fields['nonce']}:00000001:{cnonce}:auth:{ha2}")
    return (
        f'Digest username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
        f'uri="{args.uri}", response="{response}", algorithm=MD5, qop=auth, nc=00000001, '
        f'cnonce="{cnonce}"'
    )


def is_authorized(headers, account, nonce):
    value = headers.get("authorization", [""])[0]
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', value))
    user, password = account.split(":", 1)
    if fields.get("nonce") != nonce or fields.get("username") != user:
        return False
    ha1 = md5(f"{user}:{fields['realm']}:{password}")
    ha2 = md5(f"MESSAGE:{fields['uri']}")
    if "qop" in fields:
        middle = ":".join([nonce, fields["nc"], fields["cnonce"], fields["qop"]])
    else:
        middle = nonce
    return fields["response"] == md5(f"{ha1}:{middle}:{ha2}")


class Phone:
    def __init__(self, args):
        self.args = args
        self.nonce = uuid.uuid4().hex
        self.codes = [int(code) for code in args.answers.split(",")]
        self.answered = {}  # by branch: a repeated request gets the same answer

    def code(self, headers):
        if self.args.digest and not is_authorized(headers, self.args.digest, self.nonce):
            return 401
        return self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]

    def answer(self, line, headers, body):
        code = self.code(headers)
        record = {
            "call_id": headers["call-id"][0],
            "cseq": headers["cseq"][0],
            "from": re.search(r"<(.*?)>", headers["from"][0]).group(1),
            "to": re.search(r"<(.*?)>", headers["to"][0]).group(1),
            "uri": line.split()[1],
            "asserted": headers.get("p-asserted-identity", [""])[0],
            "type": headers.get("content-type", [""])[0],
            "body": body.decode("utf-8", "replace"),
            "code": code,
        }
        if code != 401:
            with open(self.args.log, "a", encoding="utf-8") as log:
                log.write(json.dumps(record, ensure_ascii=False) + "\n")
        lines = [f"SIP/2.0 {code} Whatever"]
        lines += ["Via: " + via for via in headers["via"]]
        lines += ["From: " + headers["from"][0], "To: " + headers["to"][0] + ";tag=phone"]
        lines += ["Call-ID: " + headers["call-id"][0], "CSeq: " + headers["cseq"][0]]
        if code == 401:
            lines.append(f'WWW-Authenticate: Digest realm="pbx", nonce="{self.nonce}", qop="auth"')
        return "\r\n".join(lines + ["Content-Length: 0", "", ""]).encode()

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((self.args.ip, self.args.port))
            print("ready", flush=True)
            while True:
                datagram, peer = s.recvfrom(65536)
                line, headers, body = head_and_body(datagram)
                if not line.startswith("MESSAGE "):
                    continue
                branch = re.search(r"branch=([^;,\s]+)", headers["via"][0]).group(1)
                if branch not in self.answered:
                    self.answered[branch] = self.answer(line, headers, body)
                if not self.answered[branch].startswith(b"SIP/2.0 0 "):
                    s.sendto(self.answered[branch], peer)


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command", required=True)
command = commands.add_parser("send")
command.add_argument("ip")
command.add_argument("to")
command.add_argument("uri")
command.add_argument("sender")
command.add_argument("--type", default="text/plain;charset=UTF-8")
command.add_argument("--call-id")
command.add_argument("--tag")
command.add_argument("--cseq", type=int, default=1)
command.add_argument("--text")
command.add_argument("--asserted")
command.add_argument("--digest")
command = commands.add_parser("phone")
command.add_argument("ip")
command.add_argument("port", type=int)
command.add_argument("log")
command.add_argument("--digest")
command.add_argument("--answers", default="200")
args = parser.parse_args()
if args.command == "send":
    send(args)
else:
    Phone(args).run()
