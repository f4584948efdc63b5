/* test_store_packs.c - an entry of several messages, taken apart: what a disk gives back is looked
 * at like anything else. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/store_priv.h"

struct heard {
	unsigned n, last_at;
	char text[128];
};

static void on_message(void *arg, struct slice message, unsigned index, bool last)
{
	struct heard *heard = arg;

	assert_int_equal(index, heard->n);
	heard->n++;
	if (last)
		heard->last_at = heard->n;
	snprintf(heard->text + strlen(heard->text), sizeof(heard->text) - strlen(heard->text),
		 "%.*s|", (int)message.n, (const char *)message.p);
}

/* Read from memory of just that size, so that a sanitizer sees a look behind its end. */
static int take_apart(const char *octets, size_t n, struct heard *heard)
{
	char *copy = malloc(n ? n : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, octets, n);
	memset(heard, 0, sizeof(*heard));
	result = store_read_pack(slice_of(copy, n), on_message, heard);
	free(copy);
	return result;
}

#define PACK(octets) octets, sizeof(octets) - 1

static void an_entry_is_taken_apart(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		int result;
		const char *heard;
	} cases[] = {
		{ PACK("\1alone"), 1, "\1alone|" },
		{ PACK(""), 1, "|" }, /* no message either: read_head() says so */
		{ PACK("\2\2\0\0\0\3one\0\0\0\3two"), 2, "one|two|" },
		{ PACK("\2\1\0\0\0\3one"), 1, "one|" },
		{ PACK("\2\2\0\0\0\0\0\0\0\3two"), 2, "|two|" },
		{ PACK("\2"), -EBADMSG, "" },
		{ PACK("\2\0"), -EBADMSG, "" },                /* of none */
		{ PACK("\2\2\0\0\0\3one"), -EBADMSG, "one|" }, /* the second is missing */
		{ PACK("\2\2\0\0\0\3one\0\0\0\4two"), -EBADMSG, "one|" }, /* or too short */
		{ PACK("\2\1\0\0\0"), -EBADMSG, "" },
		{ PACK("\2\1\377\377\377\377one"), -EBADMSG, "" },
		{ PACK("\2\1\0\0\0\3onemore"), -EBADMSG, "one|" }, /* octets behind the last */
	};
	struct heard heard;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(take_apart(cases[i].octets, cases[i].n, &heard), cases[i].result);
		assert_string_equal(heard.text, cases[i].heard);
		if (cases[i].result > 0)
			assert_int_equal(heard.last_at, cases[i].result);
	}
}

/* There is a number for each of 64; of more nobody could be told. */
static void an_entry_of_too_many_is_refused(void **state)
{
	char octets[2 + 4 * 256] = "";
	struct heard heard;

	(void)state;
	octets[0] = 2;
	for (unsigned n = 1; n < 64; n += 7) {
		octets[1] = (char)n;
		assert_int_equal(take_apart(octets, 2 + (size_t)4 * n, &heard), (int)n);
	}
	octets[1] = (char)255;
	assert_int_equal(take_apart(octets, 2 + 4 * 255, &heard), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_taken_apart),
		cmocka_unit_test(an_entry_of_too_many_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
