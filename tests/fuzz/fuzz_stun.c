/* fuzz_stun.c - what parses as STUN stays inside the packet, and only the right key verifies. */
#include <stdlib.h>

#include "media/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice packet = slice_of(data, size), key = slice_str("sixteen octets k");
	struct stun_message m;
	uint8_t out[STUN_MAX_MESSAGE];

	if (stun_is(packet))
		(void)stun_packet_ssrc(packet);
	if (stun_parse(packet, &m))
		return 0;
	if (m.username.n > size || m.nonce.n > size || m.integrity_at >= size)
		abort();
	if (stun_verify(&m, packet, key) == 0 && stun_verify(&m, packet, slice_str("k")) == 0)
		abort();
	if (m.mapped.len && !stun_build_success(m.transaction, &m.mapped, key, out, sizeof(out)))
		abort();
	return 0;
}
