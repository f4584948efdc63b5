/* URIs: what is parsed, how it is normalised, what is refused. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "maps/uri.h"

static const struct {
	const char *text, *normal; /* normal NULL: refused with err */
	int err;
} cases[] = {
	{ "sip:101@pbx.com", "sip:101@pbx.com", 0 },
	{ "SIP:Alice@PBX.com;User=Phone", "sip:Alice@pbx.com;User=Phone", 0 },
	{ "sip:%31%30%31@pbx.com", "sip:101@pbx.com", 0 },
	{ "sip:*72%23@pbx.com:5070;transport=tcp?Subject=x",
	  "sip:*72#@pbx.com:5070;transport=tcp?Subject=x", 0 },
	{ "sip:a;b=c:d@h", "sip:a;b=c:d@h", 0 },
	{ "sip:pbx.com", "sip:pbx.com", 0 },
	{ "sip:@pbx.com", "sip:@pbx.com", 0 },
	{ "sip:1@[2001:DB8::1]:5060", "sip:1@[2001:db8::1]:5060", 0 },
	{ "sip:1@pbx.com.", "sip:1@pbx.com.", 0 },
	{ "sip:a%40b@h", "sip:a@b@h", 0 }, /* the "@" belongs to the user */
	/* CIG-002: "w" and ";" are alike */
	{ "tel:+8888w101", "tel:+8888;101", 0 },
	{ "tel:+8888;101", "tel:+8888;101", 0 },
	{ "TEL:+88-(8).8;a-b.c", "tel:+8888;a-b.c", 0 },
	{ "tel:+8888;1w2", "tel:+8888;1w2", 0 },
	{ "tel:+8888-w1", "tel:+8888;1", 0 },
	{ "tel:+8888;", "tel:+8888;", 0 },
	{ "tel:101", "tel:101", 0 },
	{ "sip:4670w1@h", "sip:4670w1@h", 0 }, /* in a tel URI only */
	{ "tel:w101", NULL, -EINVAL },
	{ "tel:", NULL, -EINVAL },
	{ "tel:+", NULL, -EINVAL },
	{ "tel:;1", NULL, -EINVAL },
	{ "tel:+88+1", NULL, -EINVAL },
	{ "tel:alice", NULL, -EINVAL },
	{ "tel:+1;a@b", NULL, -EINVAL },
	{ "sip:", NULL, -EINVAL },
	{ "sip:a@", NULL, -EINVAL },
	{ "sip:a@b@c", NULL, -EINVAL },
	{ "sip:a@b;c@d", NULL, -EINVAL },
	{ "sip:a@h:", NULL, -EINVAL },
	{ "sip:a@h:0", NULL, -EINVAL },
	{ "sip:a@h:65536", NULL, -EINVAL },
	{ "sip:a@h:123456", NULL, -EINVAL },
	{ "sip:a@h..x", NULL, -EINVAL },
	{ "sip:a@.h", NULL, -EINVAL },
	{ "sip:a@h_\xc3\xbc", NULL, -EINVAL },
	{ "sip:a@[::1", NULL, -EINVAL },
	{ "sip:a@[::1]x", NULL, -EINVAL },
	{ "sip:a@[]", NULL, -EINVAL },
	{ "sip:a@[x::1]", NULL, -EINVAL },
	{ "sip:a%4@h", NULL, -EILSEQ },
	{ "sip:a%zz@h", NULL, -EILSEQ },
	{ "sip:a%0d%0a@h", NULL, -EILSEQ },
	{ "sip:a%00@h", NULL, -EILSEQ },
	{ "sip:%ff@h", NULL, -EILSEQ },
	{ "sip:a b@h", NULL, -EILSEQ },
	{ "sip:a@h\r\nTo: x", NULL, -EILSEQ },
	{ "<sip:a@h>", NULL, -EILSEQ },
	{ "sip:\"a\"@h", NULL, -EILSEQ },
	{ "sip:\xff@h", NULL, -EILSEQ },
	{ "", NULL, -EPROTONOSUPPORT },
	{ "sips:a@h", NULL, -EPROTONOSUPPORT },
	{ "mailto:a@h", NULL, -EPROTONOSUPPORT },
	{ "si", NULL, -EPROTONOSUPPORT },
};

static void parses_strictly_and_normalises(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;
		struct uri uri;
		int err = uri_parse(slice_str(cases[i].text), &uri, &why);

		assert_int_equal(err, cases[i].err);
		if (cases[i].normal)
			assert_string_equal(uri.buf, cases[i].normal);
		else
			assert_non_null(why);
	}
}

static void refuses_what_is_too_long(void **state)
{
	char text[URI_MAX + 2];
	struct uri uri;

	(void)state;
	memset(text, '1', sizeof(text));
	memcpy(text, "tel:+", 5);
	assert_int_equal(uri_parse(slice_of(text, URI_MAX), &uri, NULL), 0);
	assert_int_equal(uri.text.n, URI_MAX);
	assert_int_equal(uri_parse(slice_of(text, URI_MAX + 1), &uri, NULL), -EMSGSIZE);
}

static void tells_the_parts(void **state)
{
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(slice_str("sip:a:b@[::1]:5070;x=y;lr?h=1"), &uri, NULL), 0);
	assert_true(slice_eq_str(uri.user, "a:b"));
	assert_true(slice_eq_str(uri.host, "[::1]"));
	assert_true(slice_eq_str(uri.port, "5070"));
	assert_true(slice_eq_str(uri.params, "x=y;lr"));
	assert_true(slice_eq_str(uri.headers, "h=1"));
	assert_int_equal(uri_parse(slice_str("tel:+8888;101;x"), &uri, NULL), 0);
	assert_true(slice_eq_str(uri.user, "+8888"));
	assert_true(slice_eq_str(uri.params, "101;x"));
}

static void knows_canonical_tel_uris(void **state)
{
	static const struct {
		const char *text;
		int want;
	} tels[] = {
		{ "tel:+1", 0 },
		{ "tel:+123456789012345", 0 },
		{ "tel:+8888;", 0 },
		{ "tel:+8888;101", 0 },
		{ "tel:+8888;*72#a.Z_-", 0 },
		{ "tel:+1234567890123456", -EINVAL },
		{ "tel:+", -EINVAL },
		{ "tel:8888", -EINVAL },
		{ "TEL:+8888", -EINVAL },
		{ "tel:+88-88", -EINVAL },
		{ "tel:+8888w1", -EINVAL },
		{ "tel:+8888;1;2", -EINVAL },
		{ "tel:+8888;1 ", -EINVAL },
		{ "tel:+8888;%31", -EINVAL },
		{ "sip:1@h", -EINVAL },
		{ "", -EINVAL },
	};
	char longest[128] = "tel:+1;", *end = longest + 7;

	(void)state;
	for (size_t i = 0; i < COUNT(tels); i++)
		assert_int_equal(uri_check_tel(slice_str(tels[i].text), NULL), tels[i].want);
	memset(end, '0', 65);
	assert_int_equal(uri_check_tel(slice_of(longest, 7 + 64), NULL), 0);
	assert_int_equal(uri_check_tel(slice_of(longest, 7 + 65), NULL), -EINVAL);
	assert_true(uri_same_number(slice_str("tel:+8888"), slice_str("tel:+8888;1234")));
	assert_false(uri_same_number(slice_str("tel:+8888"), slice_str("tel:+88881")));
}

/* CIG-035 and CIG-036: port and transport of a sip URI, defaults 5060 and udp */
static void tells_where_a_request_goes(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool given;
		enum sip_transport transport;
		int err;
	} targets[] = {
		{ "sip:1@pbx.com", "pbx.com", 5060, false, SIP_UDP, 0 },
		{ "sip:1@10.0.0.9:5080", "10.0.0.9", 5080, true, SIP_UDP, 0 },
		{ "sip:1@pbx.com;transport=tcp", "pbx.com", 5060, false, SIP_TCP, 0 },
		{ "sip:1@pbx.com:1;x;Transport=TLS", "pbx.com", 1, true, SIP_TLS, 0 },
		{ "sip:1@[::1];transport=tls", "::1", 5061, false, SIP_TLS, 0 },
		{ "sip:1@pbx.com;transport=sctp", NULL, 0, false, 0, -EPROTONOSUPPORT },
		{ "sip:1@pbx.com;transport=tcp;transport=udp", NULL, 0, false, 0, -EINVAL },
		{ "tel:+1", NULL, 0, false, 0, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct sip_target target;
		struct uri uri;

		assert_int_equal(uri_parse(slice_str(targets[i].text), &uri, NULL), 0);
		assert_int_equal(uri_sip_target(&uri, &target), targets[i].err);
		if (targets[i].err)
			continue;
		assert_string_equal(target.host, targets[i].host);
		assert_int_equal(target.port, targets[i].port);
		assert_int_equal(target.port_given, targets[i].given);
		assert_int_equal(target.transport, targets[i].transport);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_strictly_and_normalises),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(tells_the_parts),
		cmocka_unit_test(knows_canonical_tel_uris),
		cmocka_unit_test(tells_where_a_request_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
