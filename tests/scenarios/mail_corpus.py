#!/usr/bin/env python3
"""mail_corpus.py DIRECTORY: writes mail files as programs and people write them, and worse.

Sound ones come first: DIRECTORY/NAME.expect then holds the text that must be read from them.
The others may be sent or refused, but each must be dealt with.  The files are the same each
time.
"""
import email.charset
import email.mime.application
import email.mime.message
import email.mime.multipart
import email.mime.text
import email.policy
import os
import random
import sys
from email.message import EmailMessage

directory = sys.argv[1]
rng = random
rng.seed(20151126)  # boundaries are made with it, too
HEAD = b"From: <101@pbx.com>\nTo: <+46701234567@secure.com>\nDate: 26 Nov 2015 17:15:44 +0000\n"


def write(name, octets, expect=None):
    with open(os.path.join(directory, name), "wb") as f:
        f.write(octets)
    if expect is not None:
        with open(os.path.join(directory, name + ".expect"), "w", encoding="utf-8") as f:
            f.write(expect)


def message(text, **options):
    m = EmailMessage(policy=options.pop("policy", email.policy.default))
    m["From"] = "Extension <101@pbx.com>"
    m["To"] = '"Älice, A." <+46701234567@secure.com>'
    m["Subject"] = "=?nothing? Grüße" + " and a long subject that is folded" * 5
    m["Date"] = "Thu, 26 Nov 2015 17:15:44 +0000"
    m.set_content(text, **options)
    return m


# --- what programs write ---
for encoding in "7bit", "quoted-printable", "base64":
    write(f"plain-{encoding}", message("Hello, world.\n\n", cte=encoding).as_bytes(), "Hello, world.")
for encoding in "8bit", "quoted-printable", "base64":
    write(f"utf8-{encoding}", message("Grüße, €\n", cte=encoding).as_bytes(), "Grüße, €")
for charset in "iso-8859-1", "iso-8859-15", "windows-1252":
    text = "Crème brûlée"
    write(f"charset-{charset}", message(text, charset=charset, cte="base64").as_bytes(), text)
crlf = message("One\nTwo\n", policy=email.policy.SMTP).as_bytes()
write("crlf", crlf, "One\nTwo")
m = message("See the attachment")
m.add_attachment(b"\x89PNG\r\n", maintype="image", subtype="png", filename="Übersicht der Räume.png")
m.add_attachment("notes", filename="a very long name " * 8 + ".txt")
write("attachments", m.as_bytes(), "See the attachment")
m = message("The plain one")
m.add_alternative("<p>The <b>other</b> one</p>", subtype="html")
write("alternative", m.as_bytes(), "The plain one")
outer = EmailMessage()
outer["From"], outer["To"] = "<101@pbx.com>", "<+46701234567@secure.com>"
outer.make_mixed()
outer.attach(m)
write("nested", outer.as_bytes(), "The plain one")
outer = email.mime.multipart.MIMEMultipart()
outer["From"], outer["To"] = "<101@pbx.com>", "<+46701234567@secure.com>"
outer.attach(email.mime.text.MIMEText("Forwarded:", "plain", "utf-8"))
outer.attach(email.mime.message.MIMEMessage(message("inner")))
write("forwarded", outer.as_bytes(), "Forwarded:")

# --- what the manual has, and slips of hand ---
write("manual", HEAD + b"Auto-Submitted: no\nContent-Transfer-Encoding: 8bit\n"
      b"Content-Type: multipart/mixed;\nboundary=e9lafbk45d361b43c2f051a6b732e44n\n\n"
      b"--e9lafbk45d361b43c2f051a6b732e44n\nContent-Type: text/plain; charset=\"UTF-8\"\n\n"
      b"This is the text message in plaintext.\n"
      b"--e9lafbk45d361b43c2f051a6b732e44n\nContent-Type: image/png\n"
      b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"filename.png\"\n\n"
      b"YwF6Iq1GI8fUeBNAVJIJ\n--e9lafbk45d361b43c2f051a6b732e44n--\n",
      "This is the text message in plaintext.")
write("no-type", HEAD + b"\nplain\n\n\n", "plain")
write("case", HEAD.replace(b"From", b"FROM").replace(b"To", b"tO") +
      b"content-TYPE: TEXT/Plain; CHARSET=utf-8\n\ncase\n", "case")
write("folded", HEAD.replace(b"To: ", b"To:\n\t") + b"Content-Type: text/plain;\n charset=\n  utf-8\n\nfolded", "folded")
write("no-last-boundary", HEAD + b"Content-Type: multipart/mixed; boundary=x\n\npreamble\n--x\n\ntorn off", "torn off")
write("empty", HEAD + b"\n", "")
write("trailing", HEAD + b"\nhi\n\n\r\n\n", "hi")
write("unknown-headers", HEAD + b"X-Foo: bar\nX-Bar:" + b" x" * 400 + b"\n\nextra\n", "extra")

# --- worse ---
write("two-senders", HEAD + b"From: <102@pbx.com>\n\nwho?\n")
write("no-to", b"From: <101@pbx.com>\n\nto whom?\n")
write("bare-cr", HEAD.replace(b"\n", b"\r") + b"\rone line\r")
write("header-octets", HEAD + bytes(range(1, 256)).replace(b"\n", b"") + b"\n\nx")
write("long-header", HEAD + b"X-Long: " + b"x" * 200000 + b"\n\nx")
write("many-parts", HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\npart\n" * 5000 + b"--x--\n")
deep = HEAD
for depth in range(400):
    deep += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth)
write("deep", deep + b"\nbottom")
write("encoding-lies", HEAD + b"Content-Transfer-Encoding: base64\n\n!!!! not base64 ????\n")
write("charset-lies", HEAD + b"Content-Type: text/plain; charset=utf-8\n\n\xff\xfe\xfd\n")
write("charset-unknown", HEAD + b"Content-Type: text/plain; charset=x-" + b"y" * 2000 + b"\n\nx\n")
write("nul", HEAD + b"\na\0b\n")
write("nothing", b"")
write("zeros", bytes(70000))
whole = m.as_bytes()
for number in range(40):  # a sound one with octets changed, cut or doubled
    octets = bytearray(rng.choice([whole, crlf, HEAD + b"\nx\n", deep[:2000]]))
    for _ in range(rng.randrange(1, 12)):
        at = rng.randrange(len(octets))
        kind = rng.randrange(4)
        if kind == 0:
            octets[at] = rng.randrange(256)
        elif kind == 1:
            del octets[at:at + rng.randrange(1, 60)]
        elif kind == 2:
            octets[at:at] = octets[:rng.randrange(1, 200)]
        else:
            octets[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
        octets = octets or bytearray(b"x")
    write(f"changed-{number}", bytes(octets))
