/* secure_party.c - a secure caller for many calls at once, without media unless told to talk.
 *
 *     secure_party STORE                      answers every call at once and leaves hanging
 *                                             up to the other side
 *     secure_party STORE --answer-after MS    rings so long before
 *     secure_party STORE --talk DIRECTORY     speaks in call N (from 0) a tone of 300 + 40 N Hz,
 *                                             records what it hears there in N.wav, and tells
 *                                             what came at the call's end; SIGTERM ends
 *                                             the calls first
 *     secure_party STORE --fickle SEED [--civil] [--dial EXTENSION COUNT EVERY-MS]
 *                                             does with each call, one that comes or one of
 *                                             those that it dials at GATEWAY, what dice say:
 *                                             declines, rings and goes, answers and hangs
 *                                             up sooner or later, or leaves that to others
 *                                             (but not of a call it dialled if civil)
 *
 * STORE is what "cca enrol" made.  Prints "attached" when it can be called, and "dialled"
 * when the last call was placed; ends by SIGTERM, and then tells how many calls came, how
 * many it dialled, were answered, and ended.
 */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/timer.h"
#include "caller/call_media.h"
#include "keys/curves.h"
#include "keys/replay.h"
#include "tests/bench/bench.h"
#include "umsg/client_ring.h"
#include "umsg/link.h"
#include "umsg/seen.h"

#define GATEWAY "tel:+8888"

enum { ENTRIES = 100000, MAX_CALLS = 1000, PATIENCE_MS = 1000 /* of the fickle, at most */ };
enum { RATE = 8000, TONE_SAMPLES = 20 * RATE, FIRST_HZ = 300, STEP_HZ = 40, AMPLITUDE = 8000 };

struct party {
	struct event_base *base;
	struct key_ring *ring;
	struct umsg_client *client;
	struct umsg_audio_wish wish;
	unsigned answer_after_ms;
	const char *talk; /* directory of the recordings; NULL: no media */
	bool leaving;
	struct umsg_call *talking[MAX_CALLS]; /* by number; NULL: not, or not any more */
	bool fickle, civil;
	uint32_t dice;
	struct event *dial; /* NULL: dials nobody */
	const char *extension;
	unsigned to_dial, every_ms;
	unsigned came, dialled, refused, answered, ended;
};

/* What becomes of a call, one step after the other. */
struct fate {
	struct party *party;
	struct umsg_call *call;
	struct event *timer;
	bool answers;  /* the next step; else it hangs up */
	bool talks_on; /* after that: until the other side hangs up */
	unsigned number;
	struct call_media *media; /* NULL: none */
	int16_t *tone;
};

static unsigned roll(struct party *party, unsigned sides)
{
	party->dice = party->dice * 1664525 + 1013904223;
	return (party->dice >> 16) % sides;
}

static void answer(struct party *party, struct umsg_call *call)
{
	party->answered += umsg_call_answer(call, &party->wish) == 0;
}

static void on_fate(evutil_socket_t fd, short what, void *arg)
{
	struct fate *fate = arg;

	(void)fd;
	(void)what;
	if (!fate->answers) {
		umsg_call_hangup(fate->call, roll(fate->party, 2) ? UMSG__END_REASON__END_BUSY
								  : UMSG__END_REASON__END_HANGUP);
		return; /* fate is gone */
	}
	fate->answers = false;
	if (!fate->talks_on)
		timer_arm(fate->timer, roll(fate->party, PATIENCE_MS));
	answer(fate->party, fate->call); /* last: the call may end by it */
}

static struct fate *fate_new(struct party *party, struct umsg_call *call)
{
	struct fate *fate = calloc(1, sizeof(*fate));

	bench_must(fate, "memory");
	fate->party = party;
	fate->call = call;
	fate->timer = evtimer_new(party->base, on_fate, fate);
	bench_must(fate->timer, "memory");
	return fate;
}

/* For a call that has come. */
static void meet(struct party *party, struct umsg_call *call)
{
	struct fate *fate = fate_new(party, call);
	unsigned way = roll(party, 6);

	umsg_call_set_arg(call, fate);
	fate->answers = way > 1;
	fate->talks_on = way > 3;
	if (way < 5) /* 5: rings until the caller goes */
		timer_arm(fate->timer, roll(party, PATIENCE_MS));
	if (way > 0)
		umsg_call_ring(call);
}

static void on_dial(evutil_socket_t fd, short what, void *arg)
{
	struct party *party = arg;
	struct umsg_call *call;
	struct fate *fate = fate_new(party, NULL);

	(void)fd;
	(void)what;
	if (umsg_call_invite(party->client, GATEWAY, party->extension, "", &party->wish, fate,
			     &call) == 0) {
		fate->call = call;
		if (roll(party, 6) || party->civil) /* else the other side is to end it */
			timer_arm(fate->timer, roll(party, 2 * PATIENCE_MS));
		party->dialled++;
	} else {
		event_free(fate->timer);
		free(fate);
		party->refused++;
	}
	if (--party->to_dial)
		timer_arm(party->dial, party->every_ms);
	else
		puts("dialled");
	fflush(stdout);
}

static void on_played(void *arg)
{
	(void)arg;
}

static void on_digit(void *arg, char digit, unsigned duration_ms)
{
	(void)arg;
	(void)digit;
	(void)duration_ms;
}

static int16_t *make_tone(unsigned number)
{
	const double pi = acos(-1), hz = FIRST_HZ + STEP_HZ * number;
	int16_t *tone = calloc(TONE_SAMPLES, sizeof(*tone));

	bench_must(tone, "memory");
	for (size_t i = 0; i < TONE_SAMPLES; i++)
		tone[i] = (int16_t)(AMPLITUDE * sin(2 * pi * hz * (double)i / RATE));
	return tone;
}

static void talk(struct party *party, struct umsg_call *call)
{
	struct fate *fate = fate_new(party, call);
	struct diag *diag = diag_new();
	char record[PATH_MAX];
	struct call_media_options options = { .base = party->base,
					      .play_n = TONE_SAMPLES,
					      .record = record,
					      .played = on_played,
					      .digit = on_digit };

	bench_must(diag, "memory");
	umsg_call_set_arg(call, fate);
	fate->number = party->came - 1;
	bench_must(fate->number < MAX_CALLS, "fewer calls");
	party->talking[fate->number] = call;
	if (umsg_call_ring(call) == 0)
		answer(party, call);
	options.media = umsg_call_media(call);
	if (options.media) {
		options.play = fate->tone = make_tone(fate->number);
		snprintf(record, sizeof(record), "%s/%u.wav", party->talk, fate->number);
		bench_must(call_media_start(&options, &fate->media, diag) == 0, record);
	}
	diag_free(&diag);
}

/* The call's last words, if it talked. */
static void fate_free(struct fate *fate)
{
	struct leg_stats stats;

	if (fate->media) {
		fate->party->talking[fate->number] = NULL;
		call_media_stats(fate->media, &stats);
		printf("call=%u sent=%llu received=%llu auth_failures=%llu replays=%llu\n",
		       fate->number, (unsigned long long)stats.packets_sent,
		       (unsigned long long)stats.packets_received,
		       (unsigned long long)stats.auth_failures, (unsigned long long)stats.replays);
		fflush(stdout);
		bench_must(call_media_stop(&fate->media) == 0, "a recording");
	}
	free(fate->tone);
	event_free(fate->timer);
	free(fate);
}

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	(void)arg;
	if (state == UMSG_ATTACHED)
		puts("attached");
	else
		printf("%s %s\n", umsg_state_name(state), text);
	fflush(stdout);
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct party *party = arg;

	party->came++;
	if (party->fickle) {
		meet(party, call);
	} else if (party->talk) {
		talk(party, call);
	} else if (party->answer_after_ms) {
		struct fate *fate = fate_new(party, call);

		umsg_call_set_arg(call, fate);
		fate->answers = fate->talks_on = true;
		timer_arm(fate->timer, party->answer_after_ms);
		umsg_call_ring(call);
	} else if (umsg_call_ring(call) == 0) {
		answer(party, call);
	}
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct party *party = arg;
	struct fate *fate = umsg_call_arg(call);

	if (event != UMSG_CALL_ENDED)
		return;
	party->ended++;
	if (fate)
		fate_free(fate);
	if (party->leaving && party->ended == party->came)
		event_base_loopbreak(party->base);
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct party *party = arg;

	umsg_client_taken(party->client, message->id, message->from, message->number);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	(void)arg;
	(void)id;
	(void)error;
	(void)text;
	(void)retry_after_s;
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	(void)arg;
	(void)from;
	(void)id;
	(void)state;
	(void)reason;
	return false;
}

static enum umsg_update_outcome on_update(void *arg, int64_t month, uint32_t revision,
					  struct slice entry, struct slice shared)
{
	struct party *party = arg;

	return client_ring_update(&party->ring, party->client, month, revision, entry, shared)
		       ? UMSG_UPDATE_APPLIED
		       : UMSG_UPDATE_REFUSED;
}

static const struct umsg_client_ops ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
};

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct party *party = arg;

	(void)sig;
	(void)what;
	party->leaving = party->talk && party->ended < party->came;
	for (size_t i = 0; party->leaving && i < MAX_CALLS; i++)
		if (party->talking[i])
			umsg_call_hangup(party->talking[i], UMSG__END_REASON__END_HANGUP);
	if (!party->leaving || party->ended == party->came)
		event_base_loopbreak(party->base);
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void read_options(struct party *party, int argc, char *argv[])
{
	for (int i = 2; i < argc; i++) {
		if (i + 1 < argc && strcmp(argv[i], "--answer-after") == 0) {
			party->answer_after_ms = number(argv[++i]);
		} else if (i + 1 < argc && strcmp(argv[i], "--talk") == 0) {
			party->talk = argv[++i];
		} else if (i + 1 < argc && strcmp(argv[i], "--fickle") == 0) {
			party->fickle = true;
			party->wish.codecs[party->wish.n_codecs++] = UMSG_OPUS;
			party->dice = number(argv[++i]);
		} else if (strcmp(argv[i], "--civil") == 0) {
			party->civil = true;
		} else if (i + 3 < argc && strcmp(argv[i], "--dial") == 0) {
			party->extension = argv[++i];
			party->to_dial = number(argv[++i]);
			party->every_ms = number(argv[++i]);
		} else {
			bench_must(false, "reading the options: secure_party.c tells them");
		}
	}
}

int main(int argc, char *argv[])
{
	struct party party = { .base = event_base_new(),
			       .wish = { .codecs = { UMSG_PCMA }, .n_codecs = 1 } };
	struct event *stop = evsignal_new(party.base, SIGTERM, on_stop, &party);
	struct umsg_client_options options = { .base = party.base,
					       .software = "secure_party",
					       .max_calls = MAX_CALLS,
					       .ops = &ops,
					       .arg = &party };
	struct curves *curves = curves_new();
	struct diag *diag = diag_new();
	char path[PATH_MAX];

	bench_must(argc >= 2 && curves && diag, "secure_party STORE");
	read_options(&party, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	bench_must(keystore_find(argv[1], path, sizeof(path), diag) == 0 &&
			   key_ring_open(curves, path, clock_wall_s(), &party.ring, diag) == 0,
		   "the key store");
	snprintf(path, sizeof(path), "%s/calls.replay", argv[1]);
	bench_must(replay_open(path, ENTRIES, clock_wall_s(), &options.replay) == 0, path);
	snprintf(path, sizeof(path), "%s/messages.seen", argv[1]);
	bench_must(umsg_seen_open(path, ENTRIES, clock_wall_s(), &options.seen) == 0, path);
	bench_must(link_context_new(party.base, NULL, &options.links) == 0, "a link");
	options.keys = client_ring_keys(party.ring);
	bench_must(umsg_client_new(&options, &party.client) == 0, "a client");
	event_add(stop, NULL);
	if (party.to_dial) {
		party.dial = evtimer_new(party.base, on_dial, &party);
		bench_must(party.dial, "memory");
		timer_arm(party.dial, 1000); /* attached by then, or not yet: counted as refused */
	}
	event_base_dispatch(party.base);
	printf("came=%u dialled=%u refused=%u answered=%u ended=%u\n", party.came, party.dialled,
	       party.refused, party.answered, party.ended);
	if (party.dial)
		event_free(party.dial);

	umsg_client_free(&party.client);
	event_base_loop(party.base, EVLOOP_NONBLOCK);
	link_context_free(&options.links);
	umsg_seen_free(&options.seen);
	replay_free(&options.replay);
	key_ring_close(&party.ring);
	curves_free(&curves);
	event_free(stop);
	event_base_free(party.base);
	diag_free(&diag);
	return 0;
}
