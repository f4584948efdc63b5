#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "umsg/upgrade.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: crs.example:5223\r\n"
#define UP "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define K "Sec-WebSocket-Key: " KEY "\r\n"
#define P "Sec-WebSocket-Protocol: umsg.1\r\n"
#define END "\r\n"

static const struct {
	const char *head;
	int status;
} requests[] = {
	{ LINE HOST UP K V13 P END, 0 },
	{ LINE "host:x\r\nupgrade: WebSocket\r\nCONNECTION: upgrade\r\n" K V13
	       "sec-websocket-protocol: chat, umsg.1\r\n" END,
	  0 },
	{ LINE HOST UP K V13 P "X-Other: \xc3\xa4 thing\r\n" END, 0 },
	{ LINE HOST UP K V13 P "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, 0 },
	{ "POST / HTTP/1.1\r\n" HOST UP K V13 P END, 405 },
	{ "GET /x HTTP/1.1\r\n" HOST UP K V13 P END, 404 },
	{ "GET / HTTP/1.0\r\n" HOST UP K V13 P END, 505 },
	{ "GET / HTTP/1.1 x\r\n" HOST UP K V13 P END, 505 },
	{ "GET  / HTTP/1.1\r\n" HOST UP K V13 P END, 400 },
	{ "GET /\r\n" HOST UP K V13 P END, 400 },
	{ "\r\n", 400 },
	{ LINE UP K V13 P END, 400 },
	{ LINE HOST HOST UP K V13 P END, 400 },
	{ LINE HOST "Connection: Upgrade\r\n" K V13 P END, 426 },
	{ LINE HOST "Upgrade: websocket\r\nConnection: close\r\n" K V13 P END, 426 },
	{ LINE HOST UP K P END, 426 },
	{ LINE HOST UP K "Sec-WebSocket-Version: 8\r\n" P END, 426 },
	{ LINE HOST UP V13 P END, 400 },
	{ LINE HOST UP K K V13 P END, 400 },
	{ LINE HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n" V13 P END, 400 },
	{ LINE HOST UP "Sec-WebSocket-Key: short\r\n" V13 P END, 400 },
	{ LINE HOST UP K V13 END, 400 },
	{ LINE HOST UP K V13 "Sec-WebSocket-Protocol: umsg.2\r\n" END, 400 },
	{ LINE HOST UP K V13 P "Content-Length: 5\r\n" END, 400 },
	{ LINE HOST UP K V13 P "Transfer-Encoding: chunked\r\n" END, 400 },
	{ LINE HOST UP K V13 P " folded\r\n" END, 400 },
	{ LINE HOST UP K V13 "Sec-WebSocket-Protocol: UMSG.1\r\n" END, 400 },
	{ LINE HOST UP K V13 P "no colon\r\n" END, 400 },
	{ LINE HOST UP K V13 P "nocolon\r\n" END, 400 },
	{ LINE HOST UP K V13 P "empty:\r\n" END, 0 },
	{ LINE HOST UP K V13 P "a b: c\r\n" END, 400 },
	{ LINE HOST UP K V13 P "a: \x01\r\n" END, 400 },
	{ LINE "Host: x\n" UP K V13 P END, 400 },
};

static void a_request_is_taken_or_refused_with_a_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		char key[UPGRADE_KEY + 1] = "";
		int status = upgrade_parse_request(slice_str(requests[i].head), key);

		if (status != requests[i].status)
			fail_msg("%s: %d", requests[i].head, status);
		if (status == 0)
			assert_string_equal(key, KEY);
	}
}

static void too_many_fields_are_refused(void **state)
{
	char head[UPGRADE_HEAD_MAX] = LINE HOST UP K V13 P, key[UPGRADE_KEY + 1];
	size_t n = strlen(head);

	(void)state;
	for (int i = 0; i < UPGRADE_FIELDS_MAX; i++)
		n += (size_t)snprintf(head + n, sizeof(head) - n, "a: b\r\n");
	snprintf(head + n, sizeof(head) - n, "\r\n");
	assert_int_equal(upgrade_parse_request(slice_str(head), key), 400);
}

/* RFC 9110 5.3: a list is the same in one line and in several, in any order.  Of the fields that
 * RFC 6455 wants once a second one is still refused, as above. */
static void a_list_may_be_split_over_lines(void **state)
{
	static const char *const heads[] = {
		LINE HOST
		"Upgrade: websocket\r\nConnection: Upgrade\r\nConnection: keep-alive\r\n" K V13 P
			END,
		LINE HOST "Connection: keep-alive\r\nConnection: Upgrade\r\n"
			  "Upgrade: websocket\r\nUpgrade: h2c\r\n" K V13 P END,
		LINE HOST UP K V13 P "Sec-WebSocket-Protocol: chat\r\n" END,
	};
	static const char agreed[] = "HTTP/1.1 101 x\r\n" UP "Connection: x\r\n"
				     "Sec-WebSocket-Accept: " ACCEPT "\r\n" P;
	char key[UPGRADE_KEY + 1], twice[512];
	int status;

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++)
		if (upgrade_parse_request(slice_str(heads[i]), key) != 0)
			fail_msg("%s", heads[i]);
	snprintf(twice, sizeof(twice), "%s" END, agreed);
	assert_int_equal(upgrade_parse_response(slice_str(twice), KEY, &status), 0);
	snprintf(twice, sizeof(twice), "%s" P END, agreed);
	assert_int_equal(upgrade_parse_response(slice_str(twice), KEY, &status), -EBADMSG);
}

static const struct {
	const char *head;
	int err, status;
} responses[] = {
	{ "HTTP/1.1 101 Switching Protocols\r\n" UP "Sec-WebSocket-Accept: " ACCEPT "\r\n" P END, 0,
	  101 },
	{ "HTTP/1.1 101\r\n" UP "Sec-WebSocket-Accept: " ACCEPT "\r\n" P END, 0, 101 },
	{ "HTTP/1.1 400 Bad Request\r\n" END, -EACCES, 400 },
	{ "HTTP/1.1 101 x\r\n" UP "Sec-WebSocket-Accept: " KEY "\r\n" P END, -EBADMSG, 101 },
	{ "HTTP/1.1 101 x\r\n" UP P END, -EBADMSG, 101 },
	{ "HTTP/1.1 101 x\r\n" UP "Sec-WebSocket-Accept: " ACCEPT "\r\n" END, -EBADMSG, 101 },
	{ "HTTP/1.1 101 x\r\n" UP "Sec-WebSocket-Accept: " ACCEPT "\r\n" P
	  "Sec-WebSocket-Extensions: x\r\n" END,
	  -EBADMSG, 101 },
	{ "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
	  "Sec-WebSocket-Accept: " ACCEPT "\r\n" P END,
	  -EBADMSG, 101 },
	{ "HTTP/2 101\r\n" END, -EBADMSG, 0 },
	{ "HTTP/1.1 1o1 x\r\n" END, -EBADMSG, 0 },
	{ "HTTP/1.1 1011\r\n" END, -EBADMSG, 0 },
	{ "SSH-2.0-x\r\n" END, -EBADMSG, 0 },
};

static void a_response_must_prove_that_it_read_our_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(responses); i++) {
		int status,
			err = upgrade_parse_response(slice_str(responses[i].head), KEY, &status);

		if (err != responses[i].err || status != responses[i].status)
			fail_msg("%s: %d %d", responses[i].head, err, status);
	}
}

static void both_heads_are_understood_by_the_other_end(void **state)
{
	char key[UPGRADE_KEY + 1], read[UPGRADE_KEY + 1], text[UPGRADE_TEXT_MAX];
	int n, status;

	(void)state;
	assert_int_equal(upgrade_make_key(key), 0);
	n = upgrade_make_request("crs.example:5223", key, text);
	assert_true(n > 0);
	assert_int_equal(upgrade_head_end(slice_of(text, (size_t)n)), n);
	assert_int_equal(upgrade_parse_request(slice_of(text, (size_t)n), read), 0);
	assert_string_equal(read, key);
	n = upgrade_make_response(key, text);
	assert_int_equal(upgrade_head_end(slice_of(text, (size_t)n)), n);
	assert_int_equal(upgrade_parse_response(slice_of(text, (size_t)n), key, &status), 0);
	n = upgrade_make_refusal(426, text);
	assert_int_equal(upgrade_parse_response(slice_of(text, (size_t)n), key, &status), -EACCES);
	assert_int_equal(status, 426);
	/* RFC 9110 7.8: who sends Upgrade names it in Connection. */
	assert_non_null(strstr(text, "\r\nConnection: upgrade, close\r\n"));
	assert_int_equal(upgrade_make_request("a\r\nb", key, text), -EINVAL);
	assert_int_equal(upgrade_make_request("", key, text), -EINVAL);
}

static void the_example_of_rfc6455_holds(void **state)
{
	char accept[UPGRADE_ACCEPT + 1];

	(void)state;
	assert_int_equal(upgrade_accept(KEY, accept), 0);
	assert_string_equal(accept, ACCEPT);
}

static void a_head_without_end_is_refused_when_it_is_long(void **state)
{
	static char much[UPGRADE_HEAD_MAX + 4];

	(void)state;
	memset(much, 'a', sizeof(much));
	assert_int_equal(upgrade_head_end(slice_of(much, UPGRADE_HEAD_MAX - 1)), 0);
	assert_int_equal(upgrade_head_end(slice_of(much, UPGRADE_HEAD_MAX)), -EMSGSIZE);
	memcpy(much + UPGRADE_HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(upgrade_head_end(slice_of(much, UPGRADE_HEAD_MAX)), UPGRADE_HEAD_MAX);
	assert_int_equal(upgrade_head_end(slice_of(much, UPGRADE_HEAD_MAX - 1)), 0);
	assert_int_equal(upgrade_head_end(slice_of(NULL, 0)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_or_refused_with_a_status),
		cmocka_unit_test(a_list_may_be_split_over_lines),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(a_response_must_prove_that_it_read_our_key),
		cmocka_unit_test(both_heads_are_understood_by_the_other_end),
		cmocka_unit_test(the_example_of_rfc6455_holds),
		cmocka_unit_test(a_head_without_end_is_refused_when_it_is_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
