"""tones.py - which tones stand in sound: those of secure_party --talk, 300 + 40 N Hz.

As a program: tones.py FILE.wav... prints for each "NAME seconds=S hz=HZ[,HZ...]": the tones that are
nearly all of a quarter of a second somewhere in it, and how long the first of them is to be heard.
"""
import collections
import math
import sys
import wave

RATE, WINDOW, FIRST, STEP, PURE = 8000, 2000, 300, 40, 0.8


def alaw(octet):
    """ITU-T G.711, a table's worth."""
    octet ^= 0x55
    exponent, value = octet >> 4 & 7, (octet & 15) << 4 | 8
    value = value if not exponent else (value | 0x100) << exponent - 1
    return value if octet & 0x80 else -value


ALAW = [alaw(n) for n in range(256)]


def tone(window):
    """The tone that is nearly all of the window, or None."""
    crossings = sum(1 for a, b in zip(window, window[1:]) if (a < 0) != (b < 0))
    hz = FIRST + STEP * round((crossings * RATE / 2 / len(window) - FIRST) / STEP)
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    last = before = power = 0
    for x in window:  # Goertzel
        last, before = x + turn * last - before, last
        power += x * x
    found = last * last + before * before - turn * last * before
    return hz if power > len(window) * 10000 and found / (power * len(window) / 2) > PURE else None


def tones(samples):
    """Quarters of a second by tone."""
    found = collections.Counter(tone(samples[at:at + WINDOW]) for at in range(0, len(samples) - WINDOW + 1, WINDOW))
    del found[None]
    return found


def main():
    for name in sys.argv[1:]:
        with wave.open(name) as f:
            octets = f.readframes(f.getnframes())
        samples = [int.from_bytes(octets[i:i + 2], "little", signed=True) for i in range(0, len(octets), 2)]
        found = tones(samples).most_common()
        print("%s seconds=%.2f hz=%s" % (name.rsplit("/", 1)[-1], found[0][1] / 4 if found else 0,
                                         ",".join(str(hz) for hz, _ in found) or "none"))


if __name__ == "__main__":
    main()
