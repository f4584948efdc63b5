#include "tests/unit.h"

#include <stdio.h>

#include "gateway/multipart.h"

static const struct {
	const char *body, *boundary, *want; /* want NULL: there is none */
} cases[] = {
	/* RFC 2046 5.1.1: the line end before a boundary belongs to the boundary */
	{ "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n", "b", "v=0\r\n" },
	{ "--b\nContent-Type: application/sdp\n\nv=0\n--b--\n", "b", "v=0" },
	{ "for nobody\r\n--b\r\n\r\ntext\r\n--b \r\nc : "
	  "Application/SDP;x=y\r\n\r\nv=0\r\n--b--\r\nend",
	  "b", "v=0" },
	/* RFC 3204: ISUP beside it, of which the gateway need know nothing */
	{ "--b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;"
	  "handling=optional\r\n\r\n\x01\x02\r\n--b\r\nContent-Type:application/sdp\r\n\r\nv=0\r\n"
	  "--b--",
	  "b", "v=0" },
	{ "--b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;\r\n"
	  " handling=required\r\n\r\n\x01\r\n--b\r\nContent-Type: "
	  "application/sdp\r\n\r\nv=0\r\n--b--",
	  "b", NULL },
	{ "--b\r\nContent-Disposition: session; handling=required\r\nContent-Type: application/sdp"
	  "\r\n\r\nv=0\r\n--b--",
	  "b", "v=0" },
	/* the first of two; one in an encoding that nobody sends is no description */
	{ "--b\r\nContent-Type: application/sdp\r\n\r\n1\r\n--b\r\nContent-Type: application/sdp"
	  "\r\n\r\n2\r\n--b--",
	  "b", "1" },
	{ "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: "
	  "base64\r\n\r\ndj0w\r\n"
	  "--b--",
	  "b", NULL },
	{ "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: "
	  "8bit\r\n\r\nv\r\n--b--",
	  "b", "v" },
	/* an empty part, a missing end, a line that only looks like a boundary */
	{ "--b\r\nContent-Type: application/sdp\r\n\r\n--b--\r\n", "b", "" },
	{ "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n", "b", "v=0" },
	{ "--b\r\nContent-Type: application/sdp\r\n\r\n--bb\r\n-- b\r\n--b--x\r\n--b--", "b",
	  "--bb\r\n-- b\r\n--b--x" },
	{ "--b--\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv\r\n", "b", NULL },
	{ "--c\r\nContent-Type: application/sdp\r\n\r\nv\r\n--c--", "b", NULL },
	{ "--\r\nContent-Type: application/sdp\r\n\r\nv\r\n----", "", NULL },
	{ "", "b", NULL },
	{ "--b", "b", NULL },
	{ "--b\r\nContent-Type: application/sdp", "b", "" },
};

static void the_description_among_several_parts_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice part;
		int found = multipart_find(slice_str(cases[i].body), slice_str(cases[i].boundary),
					   "application/sdp", &part);

		if (found != !!cases[i].want ||
		    !slice_eq_str(part, cases[i].want ? cases[i].want : ""))
			fail_msg("case %zu: %d \"%.*s\"", i, found, (int)part.n, part.p);
	}
}

/* Whatever is cut off, what is found stands in the body. */
static void every_cut_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n < strlen(cases[i].body); n++) {
			struct slice body = slice_of(cases[i].body, n), part;

			if (multipart_find(body, slice_str("b"), "application/sdp", &part))
				assert_true(part.p >= body.p && part.p + part.n <= body.p + n);
		}
}

static void a_boundary_has_at_most_seventy_octets(void **state)
{
	char boundary[MULTIPART_MAX_BOUNDARY + 2], body[256];
	struct slice part;

	(void)state;
	for (size_t n = MULTIPART_MAX_BOUNDARY; n < sizeof(boundary); n++) {
		memset(boundary, 'x', n);
		boundary[n] = '\0';
		snprintf(body, sizeof(body),
			 "--%s\r\nContent-Type: application/sdp\r\n\r\nv\r\n--%s--", boundary,
			 boundary);
		assert_int_equal(multipart_find(slice_str(body), slice_str(boundary),
						"application/sdp", &part),
				 n == MULTIPART_MAX_BOUNDARY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_description_among_several_parts_is_found),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(a_boundary_has_at_most_seventy_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
