#include "tests/rendezvous/raw.h"

#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/rendezvous/scene.h"
#include "umsg/upgrade.h"

enum { CLOSE_CODE = 2 }; /* octets of a close frame's payload before its reason */

void raw_open(struct raw *raw, const struct scene *scene)
{
	struct account_secret secret;
	struct slice uri = slice_str(RAW_URI);
	struct net_addr addr;

	memset(raw, 0, sizeof(*raw));
	assert_int_equal(account_secret_from_text(slice_str(SCENE_SECRET), SCENE_ACCOUNT, &secret),
			 0);
	assert_int_equal(account_psk(&secret, uri, SCENE_ACCOUNT, 1, raw->psk), 0);
	assert_int_equal(account_identity_make(&secret, uri, SCENE_ACCOUNT, 1, raw->identity), 0);
	raw->link.peer.identity = raw->identity;
	raw->link.peer.psk = raw->psk;
	assert_int_equal(net_parse("127.0.0.1", scene->port, &addr), 0);
	assert_int_equal(rude_link_open(&raw->link, &addr), 0);
	assert_null(rude_link_shake(&raw->link));
}

void raw_upgrade(struct raw *raw)
{
	char key[UPGRADE_KEY + 1], head[UPGRADE_TEXT_MAX];
	int n;

	assert_int_equal(upgrade_make_key(key), 0);
	n = upgrade_make_request("localhost", key, head);
	assert_true(n > 0);
	assert_int_equal(rude_link_say(&raw->link, slice_of(head, (size_t)n)), 0);
	assert_int_equal(rude_link_head(&raw->link), 101);
}

static bool read_octets(struct raw *raw, uint8_t *out, size_t n)
{
	while (n > 0) {
		int got = SSL_read(raw->link.ssl, out, (int)n);

		if (got <= 0)
			return false;
		out += got;
		n -= (size_t)got;
	}
	return true;
}

/* Reads a frame of the server: never masked, never fragmented, at most 16 bits of length
 * in these tests.  false at the end of the connection. */
static bool read_frame(struct raw *raw, uint8_t *opcode_out, uint8_t *payload, size_t *n_out)
{
	uint8_t head[4];
	size_t n;

	if (!read_octets(raw, head, 2))
		return false;
	assert_int_equal(head[0] & 0xf0, 0x80);
	assert_true(head[1] < 127);
	n = head[1];
	if (n == 126) {
		assert_true(read_octets(raw, head + 2, 2));
		n = (size_t)head[2] << 8 | head[3];
	}
	assert_true(n <= FRAME_MAX);
	assert_true(read_octets(raw, payload, n));
	*opcode_out = head[0] & 0x0f;
	*n_out = n;
	return true;
}

static void note(struct raw *raw, const char *what, struct slice text)
{
	size_t n = strlen(raw->heard);

	snprintf(raw->heard + n, sizeof(raw->heard) - n, "%s%.*s; ", what, (int)text.n,
		 (const char *)text.p);
}

void raw_listen(struct raw *raw)
{
	static uint8_t payload[FRAME_MAX];
	char code[8];
	uint8_t opcode;
	size_t n;

	for (;;) {
		if (!read_frame(raw, &opcode, payload, &n)) {
			note(raw, "gone", slice_str(""));
			return;
		}
		if (opcode == 8 && n < CLOSE_CODE) {
			note(raw, "close", slice_str(""));
			return;
		}
		if (opcode == 8) {
			snprintf(code, sizeof(code), "%u", (unsigned)payload[0] << 8 | payload[1]);
			note(raw, "close ", slice_str(code));
			return;
		}
		if (opcode == 10 && n == 3 && memcmp(payload, "end", 3) == 0)
			return;
		if (opcode == 2)
			note(raw, "message", slice_str(""));
		else
			note(raw, opcode == 10 ? "pong " : "odd ", slice_of(payload, n));
	}
}

void raw_say(struct raw *raw, struct slice octets, bool one_by_one)
{
	if (!one_by_one) {
		rude_link_say(&raw->link, octets);
		return;
	}
	for (size_t i = 0; i < octets.n; i++)
		if (rude_link_say(&raw->link, slice_of(octets.p + i, 1)) < 0)
			return;
}
