/* pbx_way.c - when a PBX's next address is tried. */
#include "gateway/pbxs.h"

enum { NEXT_WAY_MS = 4000 /* silence of an address, where there is another one */ };

unsigned pbx_way_answer_ms(const struct cig_config *config, const char *host, bool last)
{
	const struct cig_pbx *pbx = cig_config_pbx_of_host(config, host);

	if (pbx && pbx->answer_timeout_s)
		return pbx->answer_timeout_s * 1000;
	return last ? 0 : NEXT_WAY_MS;
}

bool pbx_way_next_helps(unsigned code)
{
	/* Failures of a server or of the way to it (RFC 3261 21.4.9, 21.5); any other answer
	 * speaks of the call, and the next server would say the same. */
	return code == 408 || code == 500 || code == 502 || code == 503 || code == 504;
}
