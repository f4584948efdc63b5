/* crc32c.c - by the processor's instruction where it has one, else four bits at a time. */
#include "mailbox/crc32c.h"

uint32_t crc32c_plain(uint32_t crc, struct slice data)
{
	/* the CRC of each value of four bits; polynomial 0x1EDC6F41, reflected */
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	crc = ~crc;
	for (size_t i = 0; i < data.n; i++) {
		crc ^= data.p[i];
		crc = table[crc & 15] ^ crc >> 4;
		crc = table[crc & 15] ^ crc >> 4;
	}
	return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, struct slice data)
{
	uint64_t wide = ~crc;

	/* The instruction takes eight octets in their order in memory, least significant first:
	 * as the reflected polynomial wants them. */
	while (data.n >= 8) {
		uint64_t word;

		memcpy(&word, data.p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
		data = slice_from(data, 8);
	}
	crc = (uint32_t)wide;
	for (size_t i = 0; i < data.n; i++)
		crc = __builtin_ia32_crc32qi(crc, data.p[i]);
	return ~crc;
}

uint32_t crc32c(uint32_t crc, struct slice data)
{
	if (__builtin_cpu_supports("sse4.2"))
		return by_instruction(crc, data);
	return crc32c_plain(crc, data);
}

#else

uint32_t crc32c(uint32_t crc, struct slice data)
{
	return crc32c_plain(crc, data);
}

#endif
