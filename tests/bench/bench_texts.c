/* bench_texts.c - what a text costs that waits for a message center which is down.
 *
 * The gateway's texts with one smpp block at a port where nobody listens: N texts come from
 * the secure side, a hundred in each turn of the loop, are journaled, taken, and offered to
 * the center, and wait.  CPU a text, and heap a text once all of them wait.
 *
 * The client of the rendezvous is played here.  The journal is on the disk of the working
 * directory.
 */
#include "tests/bench/bench.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/texts.h"
#include "gateway/texts_smpp.h"

enum { AT_ONCE = 100 };

/* ---- the client's part ------------------------------------------------------------------- */

struct umsg_client {
	unsigned taken;
};

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	(void)client;
	return UMSG_ATTACHED;
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	(void)client;
	(void)uri;
	return 0; /* all are of the own domain */
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	(void)client;
	(void)uri;
	return -ENOTCONN;
}

int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number)
{
	(void)id;
	(void)from;
	(void)number;
	client->taken++;
	return 0;
}

void umsg_client_fetch(struct umsg_client *client)
{
	(void)client;
}

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	(void)sealed;
}

/* Nothing comes from outside here, and no text ends. */
int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	(void)client;
	(void)to;
	(void)body;
	(void)end_s;
	(void)sealed_out;
	abort();
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	(void)client;
	(void)to;
	(void)id;
	(void)state;
	(void)reason;
	(void)sealed_out;
	abort();
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	(void)client;
	(void)sealed;
	abort();
}

/* ---- the gateway's part -------------------------------------------------------------------- */

struct world {
	char dir[PATH_MAX];
	struct event_base *base;
	const struct cig_config *config;
	struct texts *texts;
	struct texts_smpp *smpp;
	struct umsg_client client;
};

static void on_broken(void *arg)
{
	(void)arg;
	bench_must(false, "the journal");
}

static void begin(struct world *w)
{
	static const struct texts_ops ops = { on_broken };
	char here[PATH_MAX - 64], text[2 * PATH_MAX];

	*w = (struct world){ .base = event_base_new() };
	bench_must(getcwd(here, sizeof(here)) != NULL, "getcwd");
	snprintf(w->dir, sizeof(w->dir), "%s/bench-texts.XXXXXX", here);
	bench_must(mkdtemp(w->dir) != NULL, "mkdtemp");
	snprintf(text, sizeof(text),
		 "translate_map from { rule match \"tel:+{n}\" translation \"+{n}\"; }\n"
		 "translate_map to { rule match \"tel:+8888;{n}\" translation \"+{n}\"; }\n"
		 "message_centers { smpp { hostname \"127.0.0.1\"; port 1; user \"u\"; password "
		 "\"p\";"
		 " write { map_from translate_map from; map_to translate_map to; } } }\n"
		 "userdata \"%.*s\";\n",
		 PATH_MAX - 1, w->dir);
	bench_must(cig_config_parse("bench", slice_str(text), NULL, &w->config) == 0 &&
			   texts_new(w->base, w->config, &ops, NULL, &w->texts, NULL) == 0 &&
			   texts_smpp_new(w->base, w->texts, w->config, &w->smpp, NULL) == 0,
		   "the texts");
	texts_set_client(w->texts, &w->client, "tel:+8888");
	texts_attached(w->texts);
}

static void end(struct world *w)
{
	char command[PATH_MAX + 16];

	texts_smpp_free(&w->smpp);
	texts_free(&w->texts);
	cig_config_release(&w->config);
	event_base_free(w->base);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	bench_must(system(command) == 0, "removing the journal");
}

static void message_comes(struct world *w, unsigned number)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = { .from = "tel:+46701234567",
					.to = "tel:+8888",
					.from_domain = "Bench",
					.sent_s = clock_wall_s(),
					.end_s = clock_wall_s() + 86400,
					.body = &body,
					.number = number };

	memcpy(message.id, &number, sizeof(number));
	body.version = 1;
	body.text =
		(char *)"A text of some hundred characters, as people write them: it waits for a "
			"message center that is down.";
	body.called_extension = (char *)"46761234567";
	body.calling_extension = (char *)"";
	texts_message(w->texts, &message);
}

/* Microseconds a text; *heap_out: octets of heap a text. */
static double measure(unsigned n, double *heap_out)
{
	struct world w;
	double start, us;
	size_t heap;

	begin(&w);
	for (int i = 0; i < 20; i++) /* so that the first attempt to connect is over */
		event_base_loop(w.base, EVLOOP_NONBLOCK);
	heap = mallinfo2().uordblks;
	start = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < n; i++) {
		message_comes(&w, i + 1);
		if (i % AT_ONCE == AT_ONCE - 1)
			event_base_loop(w.base, EVLOOP_NONBLOCK);
	}
	while (w.client.taken < n)
		event_base_loop(w.base, EVLOOP_ONCE);
	us = (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e6 / n;
	*heap_out = (double)(mallinfo2().uordblks - heap) / n;
	end(&w);
	return us;
}

static void print(unsigned n, int argc, char *argv[])
{
	char name[40], heap_name[48];
	double us, heap;

	snprintf(name, sizeof(name), "smpp.queue.%u", n);
	snprintf(heap_name, sizeof(heap_name), "%s.heap", name);
	if (!bench_wants(argc, argv, name) && !bench_wants(argc, argv, heap_name))
		return;
	us = measure(n, &heap);
	bench_print(name, us, "us CPU", 0);
	bench_print(heap_name, heap, "octets", 0);
}

int main(int argc, char *argv[])
{
	log_set_verbose(-1);
	bench_must(freopen("/dev/null", "w", stderr) != NULL, "/dev/null"); /* the log */
	print(1000, argc, argv);
	print(100000, argc, argv);
	return 0;
}
