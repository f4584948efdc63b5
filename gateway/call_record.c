/* call_record.c - a call's line of calls.jsonl, written once, when its last figures
 * are known. */
#include "gateway/call_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/append_file.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "gateway/call.h"
#include "umsg/end_reason.h"

enum { LEG_MAX = 2048 }; /* octets of a leg's part */

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
static void put_time(struct buf *line, const char *name, int64_t mono_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (!mono_ms) {
		json_put_null(line, name);
		return;
	}
	clock_format(clock_wall_ms() - (clock_mono_ms() - mono_ms), text);
	json_put_text(line, name, text);
}

/* What never was is null, so that no reader takes "" for a name. */
static void put_text(struct buf *line, const char *name, const char *text)
{
	if (text && *text)
		json_put_text(line, name, text);
	else
		json_put_null(line, name);
}

static bool had_media(const Relay__LegStats *leg)
{
	return leg && *leg->codec;
}

static void put_leg(struct buf *line, const Relay__LegStats *leg)
{
	buf_put_char(line, '{');
	json_put_text(line, "codec", leg->codec);
	json_put_text(line, "remote", leg->remote);
	json_put_number(line, "sent", (int64_t)leg->packets_sent);
	json_put_number(line, "received", (int64_t)leg->packets_received);
	json_put_number(line, "lost", (int64_t)leg->lost);
	json_put_number(line, "dropped", (int64_t)leg->dropped);
	json_put_number(line, "ignored", (int64_t)leg->ignored);
	json_put_number(line, "late", (int64_t)leg->late);
	json_put_number(line, "concealed_ms", (int64_t)leg->concealed_ms);
	json_put_thousandths(line, "jitter_ms", leg->jitter_us);
	json_put_number(line, "peer_lost", leg->peer_lost);
	json_put_number(
		line, "refused",
		(int64_t)(leg->auth_failures + leg->replays + leg->malformed + leg->strangers));
	buf_put_char(line, '}');
}

json_t *call_leg_report(const Relay__LegStats *leg)
{
	char text[LEG_MAX];
	struct buf b = BUF_OF(text);
	json_t *report;

	if (!had_media(leg))
		return json_null(); /* it never came to media */
	put_leg(&b, leg);
	report = buf_ok(&b) ? json_loadb(text, b.len, 0, NULL) : NULL;
	return report;
}

static void put_media(struct buf *line, const char *name, const Relay__LegStats *leg)
{
	if (!had_media(leg)) {
		json_put_null(line, name);
		return;
	}
	json_put_name(line, name);
	put_leg(line, leg);
}

/* What routing and set-up gave. */
static void put_identities(struct buf *line, const struct call *call)
{
	json_put_number(line, "number", (int64_t)call->number);
	json_put_text(line, "in", route_interface_name(call->in));
	json_put_text(line, "in_from", call->in_from);
	json_put_text(line, "in_to", call->in_to);
	put_text(line, "out_from", call->out_from);
	put_text(line, "out_to", call->out_to);
	put_text(line, "account", call->pbx.account ? call->pbx.account->name : NULL);
	put_text(line, "sip_call_id", call->pbx.call_id);
	put_text(line, "session_id", call->secure_id);
}

static void put_times(struct buf *line, const struct call *call)
{
	put_time(line, "start", call->begun_ms);
	put_time(line, "answer", call->up_ms);
	put_time(line, "end", call->ended_ms);
	if (call->up_ms)
		json_put_number(line, "setup_ms", call->up_ms - call->begun_ms);
	else
		json_put_null(line, "setup_ms");
	/* From answer to end, as a bill has it; what only rang lasted no time. */
	json_put_thousandths(line, "duration_s", call->up_ms ? call->ended_ms - call->up_ms : 0);
}

static void put_outcome(struct buf *line, const struct call *call)
{
	json_put_text(line, "state", call_word_name(call->word));
	json_put_text(line, "reason", umsg_end_reason_text(call->reason));
	if (call->sip_code)
		json_put_number(line, "code", call->sip_code);
	else
		json_put_null(line, "code");
	put_text(line, "why", call->why);
	put_media(line, "pbx", call->stats ? call->stats->plain : NULL);
	put_media(line, "secure", call->stats ? call->stats->secure : NULL);
}

void call_record(const struct call *call, struct buf *out)
{
	buf_put_char(out, '{');
	put_identities(out, call);
	put_times(out, call);
	put_outcome(out, call);
	buf_put_char(out, '}');
}

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

/* Octets that the record surely fits into: names, numbers and legs, and the texts of the
 * network, whose octets may be written as six. */
static size_t room_for(const struct call *call)
{
	return 4096 + JSON_ESCAPED_MAX * (length(call->in_from) + length(call->in_to) +
					  length(call->out_from) + length(call->out_to) +
					  sizeof(call->pbx.call_id) + sizeof(call->why));
}

/* Written as text, not as jansson's objects, which took a twentieth of a call's set-up. */
void call_records_write(struct call_records *records, const struct call *call)
{
	size_t room = room_for(call);
	char *text = records ? malloc(room) : NULL;
	struct buf line;

	if (!text)
		return;
	line = buf_over(text, room);
	call_record(call, &line);
	buf_put_char(&line, '\n');
	if (buf_ok(&line))
		append_file_write(file_of(records), buf_slice(&line));
	free(text);
}
