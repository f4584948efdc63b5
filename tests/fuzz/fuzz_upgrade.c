/* fuzz_upgrade.c - what comes before and in the WebSocket: the first octet chooses
 * a request's head (0), a response's head (1), or messages read by a server (2) or a
 * client (3), in pieces whose length the second octet says. */
#include <stdlib.h>
#include <string.h>

#include "umsg/upgrade.h"
#include "umsg/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 65536 };

static bool look(void *arg, enum ws_kind kind, struct slice payload, unsigned code)
{
	unsigned *sum = arg;

	if (payload.n > MESSAGE_MAX || (kind != WS_BINARY && payload.n > WS_CONTROL_MAX))
		abort();
	for (size_t i = 0; i < payload.n; i++)
		*sum += payload.p[i] + code;
	return true;
}

static void read_messages(enum ws_role role, size_t piece, struct slice octets)
{
	struct ws_engine *engine = ws_engine_new();
	struct ws_reader reader;
	unsigned code, sum = 0;
	int err = 0;

	if (!engine)
		return;
	ws_reader_init(&reader, role, MESSAGE_MAX);
	while (octets.n && !err) {
		size_t n = piece < octets.n ? piece : octets.n;

		err = ws_read(engine, &reader, slice_of(octets.p, n), look, &sum, &code);
		octets = slice_from(octets, n);
	}
	ws_reader_done(&reader);
	ws_engine_free(&engine);
}

static void read_head(bool request, struct slice octets)
{
	char key[UPGRADE_KEY + 1] = "dGhlIHNhbXBsZSBub25jZQ==";
	int status, n = upgrade_head_end(octets);

	if (n <= 0)
		return;
	octets.n = (size_t)n;
	if (!request)
		upgrade_parse_response(octets, key, &status);
	else if (upgrade_parse_request(octets, key) == 0 && strlen(key) != UPGRADE_KEY)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest;

	if (size < 2)
		return 0;
	rest = slice_of(data + 2, size - 2);
	if (data[0] & 2)
		read_messages(data[0] & 1 ? WS_CLIENT : WS_SERVER, (size_t)data[1] + 1, rest);
	else
		read_head(!(data[0] & 1), rest);
	return 0;
}
