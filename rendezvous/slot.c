/* slot.c - CRC16 of a URI.
 *
 * The polynomial is x^16 + x^12 + x^5 + 1 (0x1021), from 0 and without reflection
 * (CRC-16/XMODEM), as Redis Cluster has it. Not a keyed hash: every worker has to come to the
 * same home, also one that was started anew.
 */
#include "rendezvous/slot.h"

/* Four bits at a time: every message asks for the slots of both its ends. */
static uint16_t crc16(struct slice s)
{
	/* by the upper four bits, what they add once they are shifted out */
	static const uint16_t nibble[16] = { 0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5,
					     0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b,
					     0xc18c, 0xd1ad, 0xe1ce, 0xf1ef };
	unsigned crc = 0;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned)s.p[i] << 8;
		crc = (crc << 4 & 0xffff) ^ nibble[crc >> 12];
		crc = (crc << 4 & 0xffff) ^ nibble[crc >> 12];
	}
	return (uint16_t)crc;
}

unsigned slot_of(struct slice uri)
{
	return crc16(uri) % SLOT_COUNT;
}

unsigned slot_home(struct slice uri, unsigned workers)
{
	return slot_of(uri) % workers;
}
