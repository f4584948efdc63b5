/* test_pack.c - views of messages: base/pack.h with the schema that uses it most. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "umsg/umsg.pb-c.h"

/* A message with a list of messages; or (n > 0) with so many octets. */
static Umsg__Frame *sample(uint8_t *record, size_t n)
{
	static Umsg__UpdateName months[2];
	static Umsg__UpdateName *list[2] = { &months[0], &months[1] };
	static Umsg__Registered registered;
	static Umsg__Frame frame;
	static char may[] = "2026-05", june[] = "2026-06", from[] = "tel:+1";

	umsg__update_name__init(&months[0]);
	umsg__update_name__init(&months[1]);
	months[0].month = may;
	months[1].month = june;
	umsg__registered__init(&registered);
	registered.updates = list;
	registered.n_updates = 2;
	umsg__frame__init(&frame);
	frame.from = from;
	frame.body_case = UMSG__FRAME__BODY_REGISTERED;
	frame.registered = &registered;
	if (n) {
		static Umsg__Part part;

		umsg__part__init(&part);
		part.record = (ProtobufCBinaryData){ .data = record, .len = n };
		frame.body_case = UMSG__FRAME__BODY_PART;
		frame.part = &part;
	}
	return &frame;
}

static void a_view_holds_what_was_packed(void **state)
{
	static uint8_t record[40000];
	static const size_t lengths[] = { 0, 1, 100, 1000, sizeof(record) };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		Umsg__Frame *frame;
		uint8_t *octets;
		size_t n;
		int err;

		memset(record, (int)i, sizeof(record));
		frame = sample(record, lengths[i]);
		assert_int_equal(pack_write(&frame->base, SIZE_MAX, &octets, &n), 0);
		frame = (Umsg__Frame *)(void *)pack_view(&umsg__frame__descriptor,
							 slice_of(octets, n), 100000, &err);
		assert_non_null(frame);
		assert_string_equal(frame->from, "tel:+1");
		if (lengths[i] == 0) {
			assert_int_equal(frame->registered->n_updates, 2);
			assert_string_equal(frame->registered->updates[1]->month, "2026-06");
		} else {
			assert_int_equal(frame->part->record.len, lengths[i]);
			assert_memory_equal(frame->part->record.data, record, lengths[i]);
		}
		pack_forget(&frame->base);
		free(octets);
	}
}

static void a_view_is_bounded_and_refuses_what_is_cut(void **state)
{
	Umsg__Frame *frame = sample(NULL, 0);
	uint8_t *octets;
	size_t n;
	int err;

	(void)state;
	assert_int_equal(pack_write(&frame->base, SIZE_MAX, &octets, &n), 0);
	assert_null(pack_view(&umsg__frame__descriptor, slice_of(octets, n), 200, &err));
	assert_int_equal(err, -EBADMSG);
	assert_null(pack_view(&umsg__frame__descriptor, slice_of(octets, n - 1), 100000, &err));
	assert_int_equal(err, -EBADMSG);
	pack_forget(NULL);
	free(octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_holds_what_was_packed),
		cmocka_unit_test(a_view_is_bounded_and_refuses_what_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
