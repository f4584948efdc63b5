#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/smpp/session_seen.h"

static void on_send(void *arg, struct slice octets)
{
	struct seen *seen = arg;

	assert_true(seen->n + octets.n <= sizeof(seen->out));
	memcpy(seen->out + seen->n, octets.p, octets.n);
	seen->n += octets.n;
}

static void add_event(struct seen *seen, const char *text)
{
	size_t n = strlen(seen->events);

	snprintf(seen->events + n, sizeof(seen->events) - n, "%s%s", n ? " " : "", text);
}

static void on_event(void *arg, const struct smpp_session_event *event)
{
	struct seen *seen = arg;
	char text[80];

	switch (event->kind) {
	case SMPP_IS_BOUND:
		add_event(seen, "bound");
		break;
	case SMPP_ANSWERED:
		snprintf(text, sizeof(text), "answered:%u:%u:%.*s", (unsigned)event->token,
			 event->status, (int)event->id.n, (const char *)event->id.p);
		add_event(seen, text);
		break;
	case SMPP_UNANSWERED:
		snprintf(text, sizeof(text), "unanswered:%u", (unsigned)event->token);
		add_event(seen, text);
		break;
	case SMPP_DELIVERED:
		snprintf(text, sizeof(text), "delivered:%.*s", (int)smpp_pdu_message(event->pdu).n,
			 (const char *)smpp_pdu_message(event->pdu).p);
		add_event(seen, text);
		seen->deliver_sequence = event->pdu->sequence;
		break;
	case SMPP_ROOM:
		add_event(seen, "room");
		break;
	case SMPP_ODD:
		add_event(seen, "odd");
		break;
	case SMPP_ENDED:
		add_event(seen, "ended");
		seen->reason = event->reason;
		seen->ended_status = event->status;
		break;
	}
}

const struct smpp_session_ops seen_ops = { on_send, on_event };

struct seen *seen_start(struct smpp_session_options options)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	assert_int_equal(smpp_session_new(&options, &seen_ops, seen, &seen->session), 0);
	return seen;
}

struct smpp_session_options seen_usual(void)
{
	return (struct smpp_session_options){ .system_id = "tandem", .password = "s3cret" };
}

void seen_finish(struct seen *seen)
{
	smpp_session_free(&seen->session);
	assert_null(seen->session);
	free(seen);
}

struct smpp_pdu seen_sent(struct seen *seen)
{
	struct slice rest = slice_of(seen->out + seen->read, seen->n - seen->read);
	struct smpp_pdu pdu = { .command = 0 };
	size_t n;

	if (smpp_pdu_frame(rest, &n) != 1)
		return pdu;
	assert_int_equal(smpp_pdu_decode(slice_of(rest.p, n), &pdu, NULL), 0);
	seen->read += n;
	return pdu;
}

void seen_come(struct seen *seen, const struct smpp_pdu *pdu, int64_t now_ms)
{
	uint8_t octets[2048];
	struct buf b = BUF_OF(octets);

	assert_int_equal(smpp_pdu_pack(pdu, &b), 0);
	smpp_session_input(seen->session, buf_slice(&b), now_ms);
}

void seen_respond(struct seen *seen, uint32_t command, uint32_t sequence, uint32_t status,
		  const char *id, int64_t now_ms)
{
	const struct smpp_pdu pdu = { .command = command | SMPP_RESPONSE,
				      .sequence = sequence,
				      .status = status,
				      .message_id = slice_str(id) };

	seen_come(seen, &pdu, now_ms);
}

struct seen *seen_bound(struct smpp_session_options options)
{
	struct seen *seen = seen_start(options);
	struct smpp_pdu bind;

	smpp_session_connected(seen->session, 0);
	bind = seen_sent(seen);
	seen_respond(seen, bind.command, bind.sequence, 0, "", 0);
	assert_string_equal(seen->events, "bound");
	seen->events[0] = '\0';
	return seen;
}

int seen_submit(struct seen *seen, uint64_t token, int64_t now_ms)
{
	const struct smpp_pdu pdu = { .dest = { 1, 1, slice_str("4670") },
				      .short_message = slice_str("hi") };

	return smpp_session_submit(seen->session, &pdu, token, now_ms);
}
