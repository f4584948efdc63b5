/* secure_party.c - a secure caller that answers every call at once and leaves hanging up
 * to the other side: whom the benchmark of calls calls.
 *
 *     secure_party STORE
 *
 * STORE is what "cca enrol" made.  Prints "attached" when it can be called; ends by
 * SIGTERM.  It has no media: packets are not what is measured.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "keys/curves.h"
#include "keys/replay.h"
#include "tests/bench/bench.h"
#include "umsg/client_ring.h"
#include "umsg/link.h"
#include "umsg/seen.h"

enum { ENTRIES = 100000, MAX_CALLS = 1000 };

struct party {
	struct event_base *base;
	struct key_ring *ring;
	struct umsg_client *client;
	struct umsg_audio_wish wish;
};

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

	if (umsg_call_ring(call) == 0)
		umsg_call_answer(call, &party->wish);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	(void)arg;
	(void)call;
	(void)event;
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

static bool on_update(void *arg, int64_t month, uint32_t revision, struct slice entry,
		      struct slice shared)
{
	struct party *party = arg;

	return client_ring_update(&party->ring, party->client, month, revision, entry, shared);
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
	(void)sig;
	(void)what;
	event_base_loopbreak(arg);
}

int main(int argc, char *argv[])
{
	struct party party = { .base = event_base_new(),
			       .wish = { .codecs = { UMSG_PCMA }, .n_codecs = 1 } };
	struct event *stop = evsignal_new(party.base, SIGTERM, on_stop, party.base);
	struct umsg_client_options options = { .base = party.base,
					       .software = "secure_party",
					       .max_calls = MAX_CALLS,
					       .ops = &ops,
					       .arg = &party };
	struct curves *curves = curves_new();
	struct diag *diag = diag_new();
	char path[PATH_MAX];

	bench_must(argc == 2 && curves && diag, "secure_party STORE");
	signal(SIGPIPE, SIG_IGN);
	bench_must(keystore_find(argv[1], path, sizeof(path), diag) == 0 &&
			   key_ring_open(curves, path, &party.ring, diag) == 0,
		   "the key store");
	snprintf(path, sizeof(path), "%s/calls.replay", argv[1]);
	bench_must(replay_open(path, ENTRIES, clock_wall_s(), &options.replay) == 0, path);
	snprintf(path, sizeof(path), "%s/messages.seen", argv[1]);
	bench_must(umsg_seen_open(path, ENTRIES, clock_wall_s(), &options.seen) == 0, path);
	bench_must(link_context_new(party.base, NULL, &options.links) == 0, "a link");
	options.keys = client_ring_keys(party.ring);
	bench_must(umsg_client_new(&options, &party.client) == 0, "a client");
	event_add(stop, NULL);
	event_base_dispatch(party.base);

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
