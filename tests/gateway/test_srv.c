/* SRV records out of DNS answers: RFC 2782, and what a stranger may send instead. */
#include "tests/unit.h"

#include <errno.h>

#include "base/buf.h"
#include "gateway/srv.h"

/* "a.b" as labels; a "@" stands for a pointer to the question's "pbx.test" (octet 22). */
static void put_name(struct buf *b, const char *name)
{
	while (*name && *name != '@') {
		size_t n = strcspn(name, ".");

		buf_put_u8(b, (uint8_t)n);
		buf_put(b, name, n);
		name += n + (name[n] == '.');
	}
	if (*name)
		buf_put_u16(b, 0xc016);
	else
		buf_put_u8(b, 0);
}

static void put_head(struct buf *b, unsigned answers)
{
	static const uint8_t flags[] = { 0, 1, 0x81, 0x80 };

	buf_put(b, flags, sizeof(flags));
	buf_put_u16(b, 1);
	buf_put_u16(b, (uint16_t)answers);
	buf_put_u32(b, 0);
	put_name(b, "_sip._udp.pbx.test");
	buf_put_u32(b, 33 << 16 | 1);
}

static void put_record(struct buf *b, unsigned type, uint32_t ttl, struct slice data)
{
	buf_put_u16(b, 0xc00c);
	buf_put_u16(b, (uint16_t)type);
	buf_put_u16(b, 1);
	buf_put_u32(b, ttl);
	buf_put_l16(b, data);
}

static void put_srv(struct buf *b, uint32_t ttl, const uint16_t numbers[3], const char *host)
{
	uint8_t room[600];
	struct buf data = BUF_OF(room);

	for (int i = 0; i < 3; i++)
		buf_put_u16(&data, numbers[i]);
	put_name(&data, host);
	put_record(b, 33, ttl, buf_slice(&data));
}

static void records_come_by_priority_with_the_shortest_time_to_live(void **state)
{
	uint8_t room[1024];
	struct buf b = BUF_OF(room);
	struct srv_answer answer;

	(void)state;
	put_head(&b, 4);
	put_record(&b, 1, 5, slice_of("\x7f\0\0\1", 4)); /* another type's time does not count */
	put_srv(&b, 300, (uint16_t[]){ 20, 1, 5060 }, "second.example.org");
	put_srv(&b, 60, (uint16_t[]){ 10, 65535, 5080 }, "first.@");
	put_srv(&b, 90, (uint16_t[]){ 20, 2, 5061 }, "third.@");
	assert_int_equal(srv_parse(buf_slice(&b), &answer), 0);
	assert_int_equal(answer.n, 3);
	assert_int_equal(answer.ttl_s, 60);
	assert_string_equal(answer.records[0].host, "first.pbx.test");
	assert_int_equal(answer.records[0].weight, 65535);
	assert_int_equal(answer.records[0].port, 5080);
	assert_string_equal(answer.records[1].host, "second.example.org");
	assert_string_equal(answer.records[2].host, "third.pbx.test");
	/* whatever is cut off, nothing is taken for whole */
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(srv_parse(slice_of(room, n), &answer), -EBADMSG);
}

static void a_target_of_the_root_says_that_there_is_no_service(void **state)
{
	uint8_t room[512];
	struct buf b = BUF_OF(room);
	struct srv_answer answer;

	(void)state;
	put_head(&b, 1);
	put_srv(&b, 60, (uint16_t[]){ 0, 0, 0 }, "");
	assert_int_equal(srv_parse(buf_slice(&b), &answer), 0);
	assert_int_equal(answer.n, 0);
	assert_true(answer.refused);
}

static void targets_that_are_no_hosts_are_passed_over(void **state)
{
	static const char *const hosts[] = { "a b.test", "a\"b.test", "a%b.test", "\xc3\xa4.test" };
	uint8_t room[512];
	struct srv_answer answer;

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct buf b = BUF_OF(room);

		put_head(&b, 1);
		put_srv(&b, 60, (uint16_t[]){ 0, 0, 5060 }, hosts[i]);
		assert_int_equal(srv_parse(buf_slice(&b), &answer), -ENOENT);
	}
}

static void the_best_of_too_many_are_kept(void **state)
{
	uint8_t room[4096];
	struct buf b = BUF_OF(room);
	struct srv_answer answer;

	(void)state;
	put_head(&b, SRV_MAX + 4);
	for (uint16_t i = 0; i < SRV_MAX + 4; i++)
		put_srv(&b, 60, (uint16_t[]){ (uint16_t)(100 - i), 0, (uint16_t)(5000 + i) },
			"h.@");
	assert_int_equal(srv_parse(buf_slice(&b), &answer), 0);
	assert_int_equal(answer.n, SRV_MAX);
	assert_int_equal(answer.records[0].priority, 100 - SRV_MAX - 3);
	assert_int_equal(answer.records[SRV_MAX - 1].priority, 100 - 4);
}

/* RFC 1035 4.1.4: a pointer leads to a prior occurrence; one that does not is refused. */
static void names_that_lead_in_circles_or_forward_are_malformed(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} names[] = {
		{ "\xc0\x36", 2 },    /* to itself */
		{ "\1a\xc0\x36", 4 }, /* to before itself, into its own name */
		{ "\xc1\x00", 2 },
		{ "\xff\xff", 2 },
		{ "\x40"
		  "a",
		  2 }, /* a length of more than 63, a form that is reserved */
		{ "\x05"
		  "a",
		  2 }, /* a label longer than what is there */
		{ "\xc0", 1 },
	};
	struct srv_answer answer;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		uint8_t room[256], data[64] = { 0, 1, 0, 1, 0x13, 0xc4 };
		struct buf b = BUF_OF(room);

		put_head(&b, 1);
		memcpy(data + 6, names[i].name, names[i].n);
		put_record(&b, 33, 60, slice_of(data, 6 + names[i].n));
		/* 0x36: where the record's target begins */
		assert_int_equal(b.len - names[i].n, 0x36);
		assert_int_equal(srv_parse(buf_slice(&b), &answer), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_by_priority_with_the_shortest_time_to_live),
		cmocka_unit_test(a_target_of_the_root_says_that_there_is_no_service),
		cmocka_unit_test(targets_that_are_no_hosts_are_passed_over),
		cmocka_unit_test(the_best_of_too_many_are_kept),
		cmocka_unit_test(names_that_lead_in_circles_or_forward_are_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
