/* test_hep.c - packets of HEP3, taken apart again. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/hep.h"

enum { MAX_TYPE = 32 };

/* The values by their type. */
struct packet {
	struct slice chunk[MAX_TYPE];
	size_t n;
};

static uint8_t room[HEP_MAX_PACKET + 1];

static uint32_t number(struct slice s, size_t from, size_t n)
{
	uint32_t v = 0;

	assert_true(from + n <= s.n);
	for (size_t i = 0; i < n; i++)
		v = v << 8 | s.p[from + i];
	return v;
}

static struct packet take_apart(struct slice in)
{
	struct packet p = { 0 };

	assert_true(in.n >= 6 && memcmp(in.p, "HEP3", 4) == 0);
	assert_int_equal(number(in, 4, 2), in.n);
	for (in = slice_from(in, 6); in.n; p.n++) {
		uint32_t type = number(in, 2, 2), length = number(in, 4, 2);

		assert_int_equal(number(in, 0, 2), 0);
		assert_true(type < MAX_TYPE && length >= 6 && length <= in.n);
		assert_null(p.chunk[type].p); /* each once */
		p.chunk[type] = slice_of(in.p + 6, length - 6);
		in = slice_from(in, length);
	}
	return p;
}

static struct hep_message message(const char *from, const char *to, const char *text)
{
	struct hep_message m = { .wall_ms = 1795303845123,
				 .capture_id = 2001,
				 .password = "",
				 .text = slice_str(text) };

	assert_int_equal(net_parse(from, 5060, &m.from), 0);
	assert_int_equal(net_parse(to, 5060, &m.to), 0);
	return m;
}

static struct packet written(const struct hep_message *m)
{
	struct buf b = BUF_OF(room);

	assert_int_equal(hep_write(m, &b), 0);
	return take_apart(buf_slice(&b));
}

static void a_message_over_udp_has_its_addresses_time_and_text(void **state)
{
	static const char text[] = "OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n";
	struct hep_message m = message("192.0.2.1:5062", "198.51.100.7", text);
	struct packet p = written(&m);

	(void)state;
	assert_int_equal(p.n, 11);
	assert_int_equal(number(p.chunk[1], 0, p.chunk[1].n), 2);
	assert_int_equal(number(p.chunk[2], 0, p.chunk[2].n), 17);
	assert_int_equal(p.chunk[3].n, 4);
	assert_memory_equal(p.chunk[3].p, "\xc0\x00\x02\x01", 4);
	assert_int_equal(p.chunk[4].n, 4);
	assert_memory_equal(p.chunk[4].p, "\xc6\x33\x64\x07", 4);
	assert_int_equal(p.chunk[7].n, 2);
	assert_int_equal(number(p.chunk[7], 0, 2), 5062);
	assert_int_equal(number(p.chunk[8], 0, 2), 5060);
	assert_int_equal(number(p.chunk[9], 0, 4), 1795303845);
	assert_int_equal(number(p.chunk[10], 0, 4), 123000);
	assert_int_equal(number(p.chunk[11], 0, p.chunk[11].n), 1); /* SIP */
	assert_int_equal(number(p.chunk[12], 0, 4), 2001);
	assert_true(slice_eq_str(p.chunk[15], text));
}

static void over_tls_and_ipv6_it_is_told_as_tcp_with_long_addresses_and_the_password(void **state)
{
	struct hep_message m = message("[2001:db8::1]:5061", "[2001:db8::2]:40000", "x");
	struct packet p;

	(void)state;
	m.stream = true;
	m.password = "letmein";
	p = written(&m);
	assert_int_equal(p.n, 12);
	assert_int_equal(number(p.chunk[1], 0, 1), 10);
	assert_int_equal(number(p.chunk[2], 0, 1), 6);
	assert_null(p.chunk[3].p);
	assert_null(p.chunk[4].p);
	assert_int_equal(p.chunk[5].n, 16);
	assert_memory_equal(p.chunk[5].p, &m.from.in6.sin6_addr, 16);
	assert_memory_equal(p.chunk[6].p, &m.to.in6.sin6_addr, 16);
	assert_int_equal(number(p.chunk[8], 0, 2), 40000);
	assert_true(slice_eq_str(p.chunk[14], "letmein"));
}

/* UDP carries no more; the headers are worth more than the end. */
static void a_text_that_no_packet_holds_is_cut(void **state)
{
	static char text[70001];
	struct hep_message m;
	struct packet p;
	struct buf b = BUF_OF(room);

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	m = message("192.0.2.1", "192.0.2.2", text);
	assert_int_equal(hep_write(&m, &b), 0);
	assert_int_equal(b.len, HEP_MAX_PACKET);
	p = take_apart(buf_slice(&b));
	assert_true(p.chunk[15].n > 65000);
}

static void what_cannot_be_written_is_refused(void **state)
{
	struct hep_message m = message("192.0.2.1", "2001:db8::2", "x");
	uint8_t small[64];
	struct buf b = BUF_OF(small);

	(void)state;
	assert_int_equal(hep_write(&m, &b), -EINVAL);
	m.to.len = 0;
	assert_int_equal(hep_write(&m, &b), -EINVAL);
	m = message("192.0.2.1", "192.0.2.2", "x");
	b = BUF_OF(small);
	assert_int_equal(hep_write(&m, &b), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_over_udp_has_its_addresses_time_and_text),
		cmocka_unit_test(
			over_tls_and_ipv6_it_is_told_as_tcp_with_long_addresses_and_the_password),
		cmocka_unit_test(a_text_that_no_packet_holds_is_cut),
		cmocka_unit_test(what_cannot_be_written_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
