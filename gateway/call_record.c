#include "gateway/call_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "gateway/call.h"
#include "umsg/end_reason.h"

/* The records are the file; the type keeps callers from writing other lines into it. */
static struct append_file *file_of(struct call_records *records)
{
	return (struct append_file *)(void *)records;
}

int call_records_open(const char *path, struct call_records **records_out, struct diag *diag)
{
	struct append_file *file;
	int err = append_file_open(path, "call_records", &file, diag);

	if (!err)
		*records_out = (struct call_records *)(void *)file;
	return err;
}

void call_records_close(struct call_records **recordsp)
{
	struct append_file *file = file_of(*recordsp);

	append_file_close(&file);
	*recordsp = NULL;
}

void call_records_reopen(struct call_records *records)
{
	append_file_reopen(file_of(records));
}

/* The wall time of an instant that was kept as monotonic, as the wall clock counts now: a
 * clock that is set during a call moves its three times together. */
static json_t *wall_time(int64_t mono_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (!mono_ms)
		return json_null();
	clock_format(clock_wall_ms() - (clock_mono_ms() - mono_ms), text);
	return json_string(text);
}

json_t *call_leg_report(const Relay__LegStats *leg)
{
	if (!leg || !*leg->codec)
		return json_null(); /* it never came to media */
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:i, s:I}", "codec", leg->codec,
		"remote", leg->remote, "sent", (json_int_t)leg->packets_sent, "received",
		(json_int_t)leg->packets_received, "lost", (json_int_t)leg->lost, "dropped",
		(json_int_t)leg->dropped, "late", (json_int_t)leg->late, "concealed_ms",
		(json_int_t)leg->concealed_ms, "jitter_ms", (double)leg->jitter_us / 1000.0,
		"peer_lost", (int)leg->peer_lost, "refused",
		(json_int_t)(leg->auth_failures + leg->replays + leg->malformed + leg->strangers));
}

/* What never was is null, so that no reader takes "" for a name. */
static json_t *text_or_null(const char *text)
{
	return text && *text ? json_text(text) : json_null();
}

/* What routing and set-up gave. */
static json_t *identities(const struct call *call)
{
	return json_pack(
		"{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)call->number,
		"in", route_interface_name(call->in), "in_from", json_text(call->in_from), "in_to",
		json_text(call->in_to), "out_from", text_or_null(call->out_from), "out_to",
		text_or_null(call->out_to), "account",
		text_or_null(call->pbx.account ? call->pbx.account->name : NULL), "sip_call_id",
		text_or_null(call->pbx.call_id), "session_id", text_or_null(call->secure_id));
}

static json_t *times(const struct call *call)
{
	json_t *setup = call->up_ms ? json_integer(call->up_ms - call->begun_ms) : json_null();
	/* From answer to end, as a bill has it; what only rang lasted no time. */
	double duration = call->up_ms ? (double)(call->ended_ms - call->up_ms) / 1000.0 : 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:f}", "start", wall_time(call->begun_ms), "answer",
			 wall_time(call->up_ms), "end", wall_time(call->ended_ms), "setup_ms",
			 setup, "duration_s", duration);
}

static json_t *outcome(const struct call *call)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "state", call_word_name(call->word),
			 "reason", umsg_end_reason_text(call->reason), "code",
			 call->sip_code ? json_integer(call->sip_code) : json_null(), "why",
			 text_or_null(call->why), "pbx",
			 call_leg_report(call->stats ? call->stats->plain : NULL), "secure",
			 call_leg_report(call->stats ? call->stats->secure : NULL));
}

json_t *call_record(const struct call *call)
{
	json_t *record = identities(call);

	if (record && json_object_update_new(record, times(call)) == 0 &&
	    json_object_update_new(record, outcome(call)) == 0)
		return record;
	json_decref(record);
	return NULL;
}

void call_records_write(struct call_records *records, const struct call *call)
{
	json_t *record = records ? call_record(call) : NULL;
	char *line = record ? json_dumps(record, JSON_COMPACT) : NULL;
	size_t n = line ? strlen(line) : 0;

	json_decref(record);
	if (!line)
		return;
	line[n] = '\n'; /* in the place of the NUL: one write for the whole line */
	append_file_write(file_of(records), slice_of(line, n + 1));
	free(line);
}
