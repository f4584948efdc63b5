/* slot.c - CRC16 of a URI. */
#include "rendezvous/slot.h"

static uint16_t crc16(struct slice s)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < s.n; i++) {
		crc = (uint16_t)(crc ^ s.p[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

unsigned slot_of(struct slice uri)
{
	return crc16(uri) % SLOT_COUNT;
}

unsigned slot_home(struct slice uri, unsigned workers)
{
	return slot_of(uri) % workers;
}
