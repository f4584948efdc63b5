/* What is kept and shown of a call: the record of its end, and the rows of the listings. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "gateway/call.h"
#include "gateway/call_record.h"
#include "gateway/calls_priv.h"

static char in_from[] = "tel:+46701", in_to[] = "tel:+8888;101", out_from[] = "sip:46701@s.com",
	    out_to[] = "sip:\xe5sa@pbx.com";

static struct call refused_call(void)
{
	return (struct call){ .number = 7,
			      .in = ROUTE_TEL,
			      .in_from = in_from,
			      .in_to = in_to,
			      .word = CALL_WORD_REJECT,
			      .reason = UMSG__END_REASON__END_BUSY,
			      .sip_code = 486,
			      .begun_ms = clock_mono_ms() - 1500,
			      .ended_ms = clock_mono_ms() };
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is_null(const json_t *object, const char *name)
{
	return json_is_null(json_object_get(object, name));
}

static json_t *record_of(const struct call *call)
{
	char text[4096];
	struct buf b = BUF_OF(text);
	json_t *record;

	call_record(call, &b);
	assert_true(buf_ok(&b));
	record = json_loadb(text, b.len, 0, NULL);
	assert_non_null(record);
	return record;
}

static void what_never_was_is_null(void **state)
{
	static const char *const absent[] = { "out_from",   "out_to", "account",  "sip_call_id",
					      "session_id", "answer", "setup_ms", "why",
					      "pbx",        "secure" };
	struct call call = refused_call();
	json_t *record = record_of(&call);

	(void)state;
	for (size_t i = 0; i < COUNT(absent); i++)
		assert_true(is_null(record, absent[i]));
	assert_int_equal(number_of(record, "number"), 7);
	assert_string_equal(text_of(record, "in"), "tel");
	assert_string_equal(text_of(record, "in_to"), in_to);
	assert_string_equal(text_of(record, "state"), "REJECT");
	assert_int_equal(number_of(record, "code"), 486);
	assert_true(json_real_value(json_object_get(record, "duration_s")) == 0);
	assert_int_equal(strlen(text_of(record, "start")), CLOCK_TEXT_SIZE - 1);
	json_decref(record);
}

/* From answer to end, as a bill has it. */
static void a_call_lasts_from_its_answer(void **state)
{
	struct call call = refused_call();
	json_t *record;
	double s;

	(void)state;
	call.out_from = out_from;
	call.out_to = out_to;
	call.word = CALL_WORD_HANGUP;
	call.sip_code = 0;
	call.up_ms = call.begun_ms + 250;
	snprintf(call.pbx.call_id, sizeof(call.pbx.call_id), "abc@192.0.2.1");
	snprintf(call.secure_id, sizeof(call.secure_id), "c2Vzc2lvbg");
	snprintf(call.why, sizeof(call.why), "the caller hung up");
	record = record_of(&call);
	s = json_real_value(json_object_get(record, "duration_s"));
	assert_true(s > 1.2 && s < 1.3);
	assert_int_equal(number_of(record, "setup_ms"), 250);
	assert_true(is_null(record, "code"));
	assert_string_equal(text_of(record, "sip_call_id"), "abc@192.0.2.1");
	assert_string_equal(text_of(record, "session_id"), "c2Vzc2lvbg");
	assert_string_equal(text_of(record, "why"), "the caller hung up");
	/* The network's octets that are no UTF-8 do not break the line. */
	assert_non_null(strstr(text_of(record, "out_to"), "sa@pbx.com"));
	json_decref(record);
}

static void a_leg_without_codec_never_came_to_media(void **state)
{
	Relay__LegStats leg = RELAY__LEG_STATS__INIT;
	json_t *report = call_leg_report(NULL);

	(void)state;
	assert_true(json_is_null(report));
	json_decref(report);
	report = call_leg_report(&leg);
	assert_true(json_is_null(report));
	json_decref(report);

	leg.codec = (char *)(uintptr_t) "PCMA";
	leg.remote = (char *)(uintptr_t) "192.0.2.1:4000";
	leg.packets_received = 500;
	leg.lost = 3;
	leg.jitter_us = 1500;
	leg.auth_failures = 1;
	leg.replays = 2;
	leg.malformed = 4;
	leg.strangers = 8;
	leg.ignored = 16;
	report = call_leg_report(&leg);
	assert_string_equal(text_of(report, "codec"), "PCMA");
	assert_int_equal(number_of(report, "received"), 500);
	assert_int_equal(number_of(report, "lost"), 3);
	assert_int_equal(number_of(report, "refused"), 15);
	assert_int_equal(number_of(report, "ignored"), 16);
	assert_true(json_real_value(json_object_get(report, "jitter_ms")) == 1.5);
	json_decref(report);
}

static void each_record_is_a_line_also_behind_logrotate(void **state)
{
	char dir[] = "/tmp/call-record-test.XXXXXX", path[64], moved[64];
	struct call call = refused_call();
	struct call_records *records;
	uint8_t *text;
	json_t *line;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/calls.jsonl", dir);
	snprintf(moved, sizeof(moved), "%s/calls.jsonl.1", dir);
	assert_int_equal(call_records_open(path, &records, NULL), 0);
	call_records_write(records, &call);
	call_records_write(records, &call);
	assert_int_equal(rename(path, moved), 0);
	call_records_reopen(records);
	call_records_write(records, &call);
	call_records_write(NULL, &call); /* none are kept */
	call_records_close(&records);
	assert_null(records);

	assert_int_equal(file_read(moved, 1 << 16, &text, &n), 0);
	assert_int_equal(text[n - 1], '\n');
	assert_int_equal(text[n / 2 - 1], '\n'); /* both are alike */
	free(text);
	assert_int_equal(file_read(path, 1 << 16, &text, &n), 0);
	assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
	line = json_loadb((const char *)text, n, 0, NULL);
	assert_int_equal(number_of(line, "number"), 7);
	json_decref(line);
	free(text);
	unlink(path);
	unlink(moved);
	rmdir(dir);
}

static void records_that_cannot_be_opened_are_told(void **state)
{
	struct call_records *records = NULL;

	(void)state;
	assert_int_not_equal(call_records_open("/nonexistent/calls.jsonl", &records, NULL), 0);
	assert_null(records);
}

/* ---- listings ---- */

/* CIG-098: "show call". */
static void a_listed_call_is_as_old_as_it_was_when_it_ended(void **state)
{
	struct call call = refused_call();
	struct calls calls = { .first = &call };
	json_t *rows, *row;

	(void)state;
	call.up_ms = call.begun_ms - 60000;
	call.ended_ms = call.up_ms + 5000;
	rows = calls_report(&calls);
	assert_int_equal(json_array_size(rows), 1);
	row = json_array_get(rows, 0);
	assert_int_equal(number_of(row, "duration_s"), 5);
	assert_string_equal(text_of(row, "in_from"), in_from);
	assert_string_equal(text_of(row, "out_to"), ""); /* not routed */
	assert_true(is_null(row, "pbx"));
	json_decref(rows);

	call.ended_ms = 0; /* it goes on */
	rows = calls_report(&calls);
	assert_true(number_of(json_array_get(rows, 0), "duration_s") >= 61);
	json_decref(rows);
}

/* CIG-101: "show umsg" has the secure halves only. */
static void a_call_without_a_secure_half_is_not_listed_there(void **state)
{
	struct call out = refused_call(), in = refused_call();
	struct calls calls = { .first = &out };
	json_t *rows;

	(void)state;
	out.next = &in;
	out.in = ROUTE_SIP;
	out.out_from = out_from;
	out.phase = PHASE_OPENING; /* refused before it was routed: nothing goes out */
	rows = calls_umsg_report(&calls);
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);

	out.out_to = out_to;
	snprintf(in.secure_id, sizeof(in.secure_id), "c2Vzc2lvbg");
	snprintf(in.secure_word, sizeof(in.secure_word), "HANGUP");
	rows = calls_umsg_report(&calls);
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_of(json_array_get(rows, 0), "state"), "CREATE");
	assert_string_equal(text_of(json_array_get(rows, 0), "from"), out_from);
	assert_string_equal(text_of(json_array_get(rows, 1), "state"), "HANGUP");
	assert_string_equal(text_of(json_array_get(rows, 1), "id"), "c2Vzc2lvbg");
	assert_string_equal(text_of(json_array_get(rows, 1), "from"), in_from);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_never_was_is_null),
		cmocka_unit_test(a_call_lasts_from_its_answer),
		cmocka_unit_test(a_leg_without_codec_never_came_to_media),
		cmocka_unit_test(each_record_is_a_line_also_behind_logrotate),
		cmocka_unit_test(records_that_cannot_be_opened_are_told),
		cmocka_unit_test(a_listed_call_is_as_old_as_it_was_when_it_ended),
		cmocka_unit_test(a_call_without_a_secure_half_is_not_listed_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
