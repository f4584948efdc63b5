"""A client of the rendezvous written from docs/umsg.md, docs/key-management.md ("Letters") and the
RFCs that they name, with nothing of this tree but the schemas' field numbers and RFC 6509's curve.

    outsider.py LETTER COMMAND...      commands, in order, each one line of output:
        lookup URI          found and domain id
        text URI TEXT       posts a text, waits for its receipt
        await               waits for a text, takes it, sends the receipt
        call URI            calls, binds at the relay, waits for Talk, hangs up
        update              fetches this month's entry and shared part, opens them, confirms
"""
import base64, hashlib, hmac, os, queue, socket, struct, subprocess, sys, threading, time

# ---- RFC 5869, and AES-GCM over openssl's AES-CTR ----


def sha(x):
    return hashlib.sha256(x).digest()


def mac(key, x):
    return hmac.new(key, x, hashlib.sha256).digest()


def hkdf_expand(prk, info, n):
    out, block = b"", b""
    while len(out) < n:
        block = mac(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:n]


def L(x):
    return struct.pack(">H", len(x)) + x


def expand(prk, label, n, *values):
    return hkdf_expand(prk, label.encode() + b"\0" + b"".join(values), n)


def keystream(key, counter, n):
    cipher = "-aes-%d-ctr" % (8 * len(key))
    done = subprocess.run(["openssl", "enc", cipher, "-K", key.hex(), "-iv", counter.hex()],
                          input=bytes(n), stdout=subprocess.PIPE, check=True)
    return done.stdout


def ghash(key, aad, text):
    h = int.from_bytes(keystream(key, bytes(16), 16), "big")
    y = 0
    data = b"".join(x + bytes(-len(x) % 16) for x in (aad, text)) + struct.pack(">QQ", 8 * len(aad), 8 * len(text))
    for i in range(0, len(data), 16):
        x, z = y ^ int.from_bytes(data[i:i + 16], "big"), 0
        v = h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def gcm(key, nonce, aad, text, opening):
    if opening:
        text, tag = text[:-16], text[-16:]
    stream = keystream(key, nonce + bytes([0, 0, 0, 1]), 16 + len(text))
    out = xor(text, stream[16:])
    made = xor(ghash(key, aad, text if opening else out), stream)
    if opening and made != tag:
        raise ValueError("does not open")
    return out if opening else out + made


# ---- curves: P-256 (a = -3), and RFC 6509's, y^2 = x^3 - 3x ----


def on_curve(pt, p, b):
    return (pt[1] * pt[1] - pt[0] ** 3 + 3 * pt[0] - b) % p == 0


def add(P, Q, p):
    if P is None or Q is None:
        return P or Q
    if P[0] == Q[0]:
        if (P[1] + Q[1]) % p == 0:
            return None
        s = (3 * P[0] * P[0] - 3) * pow(2 * P[1], -1, p)
    else:
        s = (Q[1] - P[1]) * pow(Q[0] - P[0], -1, p)
    x = (s * s - P[0] - Q[0]) % p
    return x, (s * (P[0] - x) - P[1]) % p


def mul(k, P, p):
    out = None
    for bit in bin(k)[2:]:
        out = add(out, out, p)
        if bit == "1":
            out = add(out, P, p)
    return out


def octets(P, n):
    return b"\4" + P[0].to_bytes(n, "big") + P[1].to_bytes(n, "big")


def uncompress(x, p, b):
    n = int.from_bytes(x[1:], "big")
    y = pow(n ** 3 - 3 * n + b, (p + 1) // 4, p)
    if y % 2 != x[0] - 2:
        y = p - y
    assert on_curve((n, y), p, b)
    return n, y


p256 = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
b256 = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
q256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G256 = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
kasumi = {}
for line in open(os.path.join(os.path.dirname(__file__), "../keys/vectors/rfc6509-params.txt")):
    if " = " in line and not line.startswith("#"):
        name, value = line.split(" = ")
        try:
            kasumi[name] = int(value, 16)
        except ValueError:
            pass
ps, qs, g = kasumi["p"], kasumi["q"], kasumi["g"]
Ps = (kasumi["Px"], kasumi["Py"])

# ---- ECCSI (RFC 6507) ----


def eccsi_hs(kpak, identifier, pvt):
    return sha(octets(G256, 32) + octets(kpak, 32) + identifier + octets(pvt, 32))


def eccsi_sign(me, identifier, keys, message):
    ssk, pvt = int.from_bytes(keys["ssk"], "big"), keys["pvt"]
    hs = eccsi_hs(me.kpak, identifier, pvt)
    while True:
        j = int.from_bytes(os.urandom(32), "big") % q256
        r = mul(j, G256, p256)[0].to_bytes(32, "big")
        he = int.from_bytes(sha(hs + r + message), "big")
        t = (he + int.from_bytes(r, "big") * ssk) % q256
        if j and t:
            return r + (pow(t, -1, q256) * j % q256).to_bytes(32, "big") + octets(pvt, 32)


def eccsi_verify(kpak, identifier, message, signature):
    r, s, point = signature[:32], int.from_bytes(signature[32:64], "big"), signature[65:]
    pvt = (int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"))
    assert len(signature) == 129 and on_curve(pvt, p256, b256)
    hs = eccsi_hs(kpak, identifier, pvt)
    he = int.from_bytes(sha(hs + r + message), "big") % q256
    Y = add(mul(int.from_bytes(hs, "big") % q256, pvt, p256), kpak, p256)
    J = mul(s, add(mul(he, G256, p256), mul(int.from_bytes(r, "big") % q256, Y, p256), p256), p256)
    return J and J[0] % q256 == int.from_bytes(r, "big") % q256


# ---- SAKKE (RFC 6508) ----


def to_range(s, n):
    a, h, v = sha(s), bytes(32), b""
    for _ in range(-(-(n - 1).bit_length() // 256)):
        h = sha(h)
        v += sha(h + a)
    return int.from_bytes(v, "big") % n


def f2(a, b):
    return (a[0] * b[0] - a[1] * b[1]) % ps, (a[0] * b[1] + a[1] * b[0]) % ps


def f2_pow(a, k):
    out = (1, 0)
    for bit in bin(k)[2:]:
        out = f2(out, out)
        if bit == "1":
            out = f2(out, a)
    return out


def f2_value(a):
    return a[1] * pow(a[0], -1, ps) % ps


def pairing(P, Q):
    C, v = P, (1, 0)
    for bit in bin(qs - 1)[3:]:
        l = 3 * (C[0] * C[0] - 1) * pow(2 * C[1], -1, ps)
        v = f2(f2(v, v), (l * (Q[0] + C[0]) - C[1], Q[1]))
        C = add(C, C, ps)
        if bit == "1":
            l = (C[1] - P[1]) * pow(C[0] - P[0], -1, ps)
            v = f2(v, (l * (Q[0] + C[0]) - C[1], Q[1]))
            C = add(C, P, ps)
    return f2_value(f2_pow(v, (ps + 1) // qs))


def sakke_point(r, z, identifier):
    return mul(r, add(mul(int.from_bytes(identifier, "big") % qs, Ps, ps), z, ps), ps)


def sakke_seal(z, identifier, ssv):
    r = to_range(ssv + identifier, qs)
    h = to_range(f2_value(f2_pow((1, g), r)).to_bytes(128, "big"), 1 << 128)
    return octets(sakke_point(r, z, identifier), 128) + xor(ssv, h.to_bytes(16, "big"))


def sakke_open(z, identifier, rsk, data):
    R = (int.from_bytes(data[1:129], "big"), int.from_bytes(data[129:257], "big"))
    assert on_curve(R, ps, 0)
    w = pairing(R, rsk).to_bytes(128, "big")
    ssv = xor(data[257:], to_range(w, 1 << 128).to_bytes(16, "big"))
    assert sakke_point(to_range(ssv + identifier, qs), z, identifier) == R
    return ssv


# ---- protobuf ----


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def pb(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        elif value:
            out += varint(number << 3) + varint(int(value))
    return out


class Message(dict):
    def one(self, number, default=b""):
        return self.get(number, [default])[-1]

    def sub(self, number):
        return parse(self.one(number))


def parse(x):
    out, i = Message(), 0

    def number():
        nonlocal i
        n = shift = 0
        while True:
            n |= (x[i] & 127) << shift
            shift += 7
            i += 1
            if x[i - 1] < 128:
                return n
    while i < len(x):
        tag = number()
        if tag & 7 == 0:
            value = number()
        else:
            size = {1: 8, 5: 4}.get(tag & 7)
            size = number() if size is None else size
            value = x[i:i + size]
            i += size
        out.setdefault(tag >> 3, []).append(value)
    return out


# ---- who we are: the letter ----


class Identity:
    def __init__(self, path):
        data = open(path, "rb").read()
        if data[:1] != b"L":  # the text form
            lines = [l for l in data.decode().splitlines() if l[:2].isdigit() and l[2:3] == "."]
            data = b"".join(base64.b64decode(l[3:].split(":")[0].replace(" ", "")) for l in lines)
        assert data[:2] == b"L\1" and sha(data[:-4])[:4] == data[-4:]
        letter = parse(data[2:-4])
        self.uri, self.address = letter.one(1).decode(), letter.one(4).decode()
        self.identity, self.key = letter.one(6).decode(), letter.one(7)
        self.update_key = letter.one(8)
        self.kpak, self.z = uncompress(letter.one(10), p256, b256), uncompress(letter.one(11), ps, 0)
        self.domain = sha(octets(self.kpak, 32) + octets(self.z, 128))[:16]
        self.kms = b"urn:x-umsg:domain:" + self.domain.hex().encode()
        self.months = {}
        for month in map(parse, letter[12]):
            keys = month.one(3)
            self.months[month.one(1).decode()] = {
                "ssk": keys[:32], "pvt": uncompress(keys[32:65], p256, b256), "rsk": uncompress(keys[65:], ps, 0)}


def month_of(t):
    return time.strftime("%Y-%m", time.gmtime(t))


def identifier(uri, t):
    return month_of(t).encode() + b"\0" + uri.encode() + b"\0"


# ---- the I_MESSAGE (RFC 3830, 6043, 6509) ----

T, RAND, IDR, SAKKE, SIGN, EXTENSION = 5, 11, 14, 26, 4, 21


def mikey_with(me, to, streams, seal):
    """An I_MESSAGE whose extension seal() makes of RAND and the secret."""
    t, rand, ssv = int(time.time()), os.urandom(16), os.urandom(16)
    extension = seal(rand, ssv)
    ids = [(1, me.uri.encode()), (2, to.encode()), (6, me.kms), (7, me.kms)]
    out = bytes([1, 26, T, 1]) + os.urandom(4) + bytes([streams, 0 if streams else 1]) + bytes(9) * streams
    out += bytes([RAND, 0]) + struct.pack(">II", t + 2208988800, 0)
    out += bytes([IDR, 16]) + rand
    for i, (role, name) in enumerate(ids):
        out += bytes([IDR if i < 3 else SAKKE, role, 1]) + L(name)
    out += bytes([EXTENSION, 1, 1]) + L(sakke_seal(me.z, identifier(to, t), ssv))
    out += bytes([SIGN, 255]) + L(extension)
    out += struct.pack(">H", 2 << 12 | 129)
    return out + eccsi_sign(me, identifier(me.uri, t), me.months[month_of(t)], out)


def mikey_read(me, x, sender, to):
    """Returns RAND, the secret, the extension; whatever is wrong raises."""
    assert x[:2] == bytes([1, 26]) and x[3] == 1
    next_payload, i, seen = x[2], 10 + 9 * x[8], {}
    while next_payload != SIGN:
        kind, next_payload = next_payload, x[i]
        if kind == T:
            seen["t"], i = struct.unpack(">I", x[i + 2:i + 6])[0] - 2208988800, i + 10
            continue
        if kind == RAND:
            n, at = x[i + 1], i + 2
        elif kind == IDR:
            n, at = struct.unpack(">H", x[i + 3:i + 5])[0], i + 5
            kind = "id", x[i + 1]
        else:
            assert kind in (SAKKE, EXTENSION)
            n, at = struct.unpack(">H", x[i + (3 if kind == SAKKE else 2):][:2])[0], i + (5 if kind == SAKKE else 4)
            if kind == EXTENSION:
                kind = kind, x[i + 1]
        seen[kind], i = x[at:at + n], at + n
    assert struct.unpack(">H", x[i:i + 2])[0] == 2 << 12 | 129 and len(x) == i + 131
    assert seen["id", 1] == sender.encode() and seen["id", 2] == to.encode()
    assert seen["id", 6] == me.kms and seen["id", 7] == me.kms
    assert eccsi_verify(me.kpak, identifier(sender, seen["t"]), x[:i + 2], x[i + 2:])
    ssv = sakke_open(me.z, identifier(to, seen["t"]), me.months[month_of(seen["t"])]["rsk"], seen[SAKKE])
    return seen[RAND], ssv, seen[EXTENSION, 255]


def signed_hash(kind, ident, to, until, sealed):
    return sha(bytes([1, kind]) + ident + L(to.encode()) + struct.pack(">Q", until) + sha(sealed))


# ---- the link: openssl's TLS, a WebSocket of our own (RFC 6455) ----

REGISTER, REGISTERED, DENIED, ERROR, LOOKUP, LOOKUP_ANSWER = 10, 11, 12, 14, 17, 18
DONE, UPDATE_GET, UPDATE_PART, UPDATE_CONFIRM = 15, 70, 71, 72
BANG, BANG_ANSWER, GROWL, TALK, HANGUP = 30, 31, 32, 33, 34
POST, POST_ACK, DELIVER, TAKEN, FETCH, FETCHED = 50, 51, 54, 55, 57, 58


class Client:
    def __init__(self, me):
        self.me, self.request, self.frames, self.kept = me, 0, queue.Queue(), []
        self.tls = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256",
             "-groups", "X25519", "-psk_identity", me.identity, "-psk", me.key.hex(), "-connect", me.address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.write(("GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: umsg.1\r\n\r\n"
                    % (me.address, nonce)).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        accept = base64.b64encode(hashlib.sha1((nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert head.startswith(b"HTTP/1.1 101 ") and accept in head and b"umsg.1" in head, head
        threading.Thread(target=self.listen, daemon=True).start()

    def write(self, x):
        self.tls.stdin.write(x)
        self.tls.stdin.flush()

    def read(self, n):
        x = self.tls.stdout.read(n)
        if len(x) < n:
            raise EOFError("the link is gone")
        return x

    def send_ws(self, opcode, x):
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | len(x)]) if len(x) < 126 else b"\xfe" + struct.pack(">H", len(x))
        mask = os.urandom(4)
        self.write(head + mask + xor(x, mask * (len(x) // 4 + 1)))

    def listen(self):
        try:
            while True:
                head = self.read(2)
                n = head[1]
                if n > 125:
                    n = int.from_bytes(self.read(2 if n == 126 else 8), "big")
                x = self.read(n)
                if head[0] == 0x89:
                    self.send_ws(10, x)
                elif head[0] == 0x82:
                    self.frames.put(parse(x))
        except EOFError:
            self.frames.put(None)

    def send(self, kind, body, to="", ask=False):
        self.request += 1
        self.send_ws(2, pb((1, 1), (2, self.request if ask else 0), (3, self.me.uri), (4, to), (kind, body)))

    def wait(self, *kinds):
        """The next frame of one of these kinds: (kind, frame, body).  Others are kept for later: a
        receipt may come before the PostAck."""
        while True:
            for frame in self.kept:
                for kind in kinds:
                    if kind in frame:
                        self.kept.remove(frame)
                        return kind, frame, frame.sub(kind)
            frame = self.frames.get(timeout=20)
            assert frame is not None, "the link is gone"
            assert ERROR not in frame and DENIED not in frame, frame
            self.kept.append(frame)

    def register(self):
        month = month_of(time.time())
        self.send(REGISTER, pb((1, sha(self.me.uri.encode())[:16]), (3, pb((1, month))), (4, month in self.me.months),
                               (5, "outsider 1")), ask=True)
        _, _, body = self.wait(REGISTERED)
        print("registered role=%d waiting=%d" % (body.one(1, 0), body.one(4, 0)), flush=True)

    # ---- messages ----

    def post(self, to, kind, body):
        ident = os.urandom(16)
        # The body key needs the secret, and the signed extension the sealed record: RAND and secret come first.
        sealed = {}

        def seal(rand, ssv):
            key = expand(mac(rand, ssv), "umsg message", 16, L(ident))
            sealed["record"] = gcm(key, bytes(7) + struct.pack(">I", 0) + b"\1", ident, body, False)
            return signed_hash(kind, ident, to, 0, sealed["record"])
        i_message = mikey_with(self.me, to, 0, seal)
        self.send(POST, pb((1, ident), (2, kind), (4, i_message), (5, len(sealed["record"])), (6, sealed["record"])),
                  to=to, ask=True)
        return ident

    def open(self, frame, deliver):
        post = deliver.sub(1)
        sender, to, ident = frame.one(3).decode(), frame.one(4).decode(), post.one(1)
        rand, ssv, extension = mikey_read(self.me, post.one(4), sender, to)
        assert extension == signed_hash(post.one(2, 0), ident, to, post.one(3, 0), post.one(6))
        key = expand(mac(rand, ssv), "umsg message", 16, L(ident))
        body = parse(gcm(key, bytes(11) + b"\1", ident, post.one(6), True))
        self.send(TAKEN, pb((1, ident), (2, sender), (3, deliver.one(2, 0))))
        return sender, ident, post.one(2, 0), body

    def text(self, to, text):
        ident = self.post(to, 1, pb((1, 1), (2, text), (4, int(time.time()))))
        _, _, ack = self.wait(POST_ACK)
        assert ack.one(1) == ident and not ack.one(2, 0), ack
        print("posted", flush=True)
        while True:
            sender, _, kind, body = self.open(*self.wait(DELIVER)[1:])
            if kind == 2 and body.one(2) == ident:
                print("receipt state=%d from=%s" % (body.one(3, 0), sender), flush=True)
                return

    def await_text(self):
        self.send(FETCH, pb((1, 0)), ask=True)
        while True:
            sender, ident, kind, body = self.open(*self.wait(DELIVER)[1:])
            if kind == 1:
                break
        print("text from=%s text=%s" % (sender, body.one(2).decode()), flush=True)
        self.post(sender, 2, pb((1, 1), (2, ident), (3, 1), (5, int(time.time()))))
        self.wait(POST_ACK)

    # ---- calls ----

    def call(self, to):
        session, made = os.urandom(16), {}
        codec = pb((1, "PCMA"), (2, 8), (3, 8000), (4, 1))
        offer = pb((1, 1), (4, pb((1, "audio"), (2, codec), (3, pb((1, 101), (2, 8000))))), (5, b"\0"), (6, 1))

        def signal(prk, role, kind, counter, sender, receiver, x, opening, *rand):
            material = expand(prk, "umsg signal", 28, L(session), bytes([role]), *map(L, rand))
            nonce = xor(material[16:], counter.to_bytes(12, "big"))
            aad = bytes([1, kind]) + L(session) + L(sender.encode()) + L(receiver.encode())
            return gcm(material[:16], nonce, aad, x, opening)

        def seal(rand, ssv):
            made["prk"] = mac(rand, ssv)
            made["offer"] = signal(made["prk"], 0, BANG, 0, self.me.uri, to, offer, False)
            return signed_hash(0, session, to, 0, made["offer"])
        i_message = mikey_with(self.me, to, 1, seal)
        self.send(BANG, pb((1, session), (2, i_message), (4, made["offer"]), (5, 1)), to=to, ask=True)
        while True:
            kind, frame, body = self.wait(BANG_ANSWER, GROWL, TALK, HANGUP)
            if kind == BANG_ANSWER:
                leg = body.sub(2)
                print("leg streams=%d ringing=%d" % (len(leg[5]), body.one(3, 0)), flush=True)
                bind(leg)
                continue
            assert kind != HANGUP, body
            assert body.one(2, 0) == 1
            opened = parse(signal(made["prk"], 2, kind, body.one(4, 0), frame.one(3).decode(), frame.one(4).decode(),
                                  body.one(5), True, body.one(3)))
            if kind == GROWL:
                print("growl", flush=True)
                continue
            print("talk codec=%s" % opened.sub(2).sub(1).one(1).decode(), flush=True)
            break
        goodbye = signal(made["prk"], 1, HANGUP, 0, self.me.uri, to, pb((1, 1), (2, "bye")), False)
        self.send(HANGUP, pb((1, pb((1, session), (5, goodbye))), (2, 1)), to=to)

    # ---- updates ----

    def part(self, month, what, name):
        data = b""
        while True:
            self.send(UPDATE_GET, pb((1, month), (2, what), (3, len(data)), (4, name if data else b"")), ask=True)
            _, _, body = self.wait(UPDATE_PART)
            assert not name or body.one(1) == name
            name, data = body.one(1), data + body.one(5)
            if len(data) == body.one(3, 0):
                return name, data

    def update(self):
        month = month_of(time.time())
        name, entry = self.part(month, 0, b"")
        named = parse(name)
        revision, created = struct.pack(">I", named.one(2, 0)), struct.pack(">Q", named.one(3, 0))
        opened = unbox(self.me.update_key, L(self.me.uri.encode()) + L(month.encode()) + revision, entry)
        opened = parse(opened[4:4 + struct.unpack(">I", opened[:4])[0]])
        name, shared = self.part(month, 1, name)
        assert sha(shared) == opened.one(SHARED_HASH)
        shared = parse(unbox(opened.one(SHARED_KEY), L(month.encode()) + revision + created, shared))
        self.send(UPDATE_CONFIRM, pb((1, name)), ask=True)
        self.wait(DONE)
        print("update month=%s revision=%d users=%d" % (month, named.one(2, 0), len(shared[SHARED_USERS])), flush=True)


SHARED_KEY, SHARED_HASH, SHARED_USERS = 10, 11, 1  # of UpdateEntry, and of UpdateShared


def unbox(key, aad, x):
    return gcm(key, x[:12], aad, x[12:], True)


# ---- the relay: STUN (RFC 8489) under the leg's key ----


def bind(leg):
    """A binding as docs/umsg.md has it: without a nonce, then with the one of the 438."""
    identity, key, host, port = leg.one(1), leg.one(2), leg.one(3).decode(), leg.one(4)
    ssrc = struct.unpack("<I", leg.sub(5).one(1))[0]
    relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    relay.settimeout(5)

    def attribute(kind, x):
        return struct.pack(">HH", kind, len(x)) + x + bytes(-len(x) % 4)

    def ask(nonce):
        transaction = os.urandom(8) + struct.pack(">I", ssrc)
        x = attribute(6, identity) + (attribute(0x15, nonce) if nonce else b"")
        head = struct.pack(">HHI", 1, len(x) + 36, 0x2112A442) + transaction
        relay.sendto(head + x + attribute(0x1C, mac(key, head + x)), (host, port))
        answer = relay.recv(2000)
        kind, n, cookie = struct.unpack(">HHI", answer[:8])
        assert cookie == 0x2112A442 and answer[8:20] == transaction and len(answer) == n + 20
        found, i = {}, 20
        while i < len(answer):
            what, size = struct.unpack(">HH", answer[i:i + 4])
            if what == 0x1C:
                signed = answer[:2] + struct.pack(">H", i + 16) + answer[4:i]
                assert mac(key, signed) == answer[i + 4:i + 36]
            found[what], i = answer[i + 4:i + 4 + size], i + 4 + size + -size % 4
        assert 0x1C in found
        return kind, found

    kind, found = ask(None)
    assert kind == 0x111 and found[9][2] * 100 + found[9][3] == 438
    kind, found = ask(found[0x15])
    assert kind == 0x101
    mapped = struct.unpack(">H", found[0x20][2:4])[0] ^ 0x2112
    print("bound own-port=%s" % (mapped == relay.getsockname()[1]), flush=True)


def main(words):
    client = Client(Identity(words.pop(0)))
    client.register()
    while words:
        command = words.pop(0)
        if command == "lookup":
            client.send(LOOKUP, pb((1, words.pop(0))), ask=True)
            _, _, answer = client.wait(LOOKUP_ANSWER)
            print("found=%d own=%s" % (answer.one(2, 0), answer.one(3) == client.me.domain), flush=True)
        elif command == "text":
            client.text(words.pop(0), words.pop(0))
        elif command == "await":
            client.await_text()
        elif command == "update":
            client.update()
        elif command == "call":
            client.call(words.pop(0))
    client.send_ws(8, struct.pack(">H", 1000))


main(sys.argv[1:])
