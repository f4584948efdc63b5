/* crc32c.h - the Castagnoli CRC (RFC 3720, appendix B.4). */
#ifndef MAILBOX_CRC32C_H
#define MAILBOX_CRC32C_H

#include "base/slice.h"

/* The CRC of what gave crc (0 at the beginning) followed by data. */
uint32_t crc32c(uint32_t crc, struct slice data);

/* The same without the processor's instruction. */
uint32_t crc32c_plain(uint32_t crc, struct slice data);

#endif
