#include "tests/unit.h"

#include <errno.h>

#include "base/net.h"

static const struct {
	const char *text, *printed; /* printed NULL: refused */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1:5060" },
	{ "192.0.2.1:80", "192.0.2.1:80" },
	{ "2001:db8::1", "[2001:db8::1]:5060" },
	{ "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
	{ "[2001:db8::1]", "[2001:db8::1]:5060" },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:+5", NULL },
	{ "192.0.2.256", NULL },
	{ "[2001:db8::1", NULL },
	{ "[2001:db8::1]:", NULL },
	{ "[2001:db8::1]x", NULL },
	{ "pbx.com", NULL },
	{ "", NULL },
};

static void addresses_are_read_and_printed(void **state)
{
	char text[NET_TEXT_SIZE];
	struct net_addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		int err = net_parse(addresses[i].text, 5060, &addr);

		assert_int_equal(err, addresses[i].printed ? 0 : -EINVAL);
		if (err)
			continue;
		net_format(&addr, text);
		assert_string_equal(text, addresses[i].printed);
	}
}

static void an_address_to_connect_to_has_a_host_and_a_port(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "crs.example:443", true },
		{ "192.0.2.1:1", true },
		{ "[2001:db8::1]:65535", true },
		{ "crs.example", false },
		{ ":443", false },
		{ "crs.example:", false },
		{ "crs.example:0", false },
		{ "crs:65536", false },
		{ "crs:000443", false },
		{ "crs:4 3", false },
		{ "crs:+43", false },
		{ "a crs:443", false },
		{ "crs\n:443", false },
		{ "cr\xc3\xa4:443", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(net_is_host_port(cases[i].text), cases[i].good);
}

static void the_own_address_towards_another_is_found(void **state)
{
	char text[NET_TEXT_SIZE];
	struct net_addr to, own;

	(void)state;
	assert_int_equal(net_parse("127.0.0.9", 5060, &to), 0);
	assert_int_equal(net_source_for(&to, &own), 0);
	net_format(&own, text);
	assert_string_equal(text, "127.0.0.1:0");
	assert_int_equal(net_parse("255.255.255.255", 5060, &to), 0);
	assert_true(net_source_for(&to, &own) < 0); /* broadcast: not without asking */
}

static const struct {
	const char *block, *addr;
	int contains; /* -1: the block is refused */
} blocks[] = {
	{ "10.0.0.0/8", "10.255.0.1", 1 },
	{ "10.0.0.0/8", "11.0.0.1", 0 },
	{ "192.0.2.7", "192.0.2.7", 1 },
	{ "192.0.2.7", "192.0.2.8", 0 },
	{ "192.0.2.128/25", "192.0.2.129", 1 },
	{ "192.0.2.128/25", "192.0.2.127", 0 },
	{ "0.0.0.0/0", "8.8.8.8", 1 },
	{ "0.0.0.0/0", "::1", 0 },
	{ "2001:db8::/33", "2001:db8:7fff::", 1 },
	{ "2001:db8::/33", "2001:db8:8000::", 0 },
	{ "10.0.0.0/33", "10.0.0.0", -1 },
	{ "10.0.0.0/", "10.0.0.0", -1 },
	{ "10.0.0.0:5/8", "10.0.0.0", -1 },
	{ "x/8", "10.0.0.0", -1 },
};

static void blocks_contain_their_addresses_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(blocks); i++) {
		struct net_block block;
		struct net_addr addr;
		int err = net_block_parse(blocks[i].block, &block);

		assert_int_equal(err, blocks[i].contains < 0 ? -EINVAL : 0);
		assert_int_equal(net_parse(blocks[i].addr, 0, &addr), 0);
		if (!err)
			assert_int_equal(net_block_contains(&block, &addr), blocks[i].contains);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed),
		cmocka_unit_test(an_address_to_connect_to_has_a_host_and_a_port),
		cmocka_unit_test(blocks_contain_their_addresses_alone),
		cmocka_unit_test(the_own_address_towards_another_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
