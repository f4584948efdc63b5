#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/smpp/center_world.h"

static void add(struct world *w, const char *word, const uint8_t *key)
{
	size_t n = strlen(w->log);

	snprintf(w->log + n, sizeof(w->log) - n, "%s%s%.*s", n ? " " : "", word, key ? 4 : 0,
		 key ? (const char *)key : "");
}

static void on_event(void *arg, const struct smpp_center_event *event)
{
	struct world *w = arg;

	switch (event->kind) {
	case SMPP_STATE:
		w->up = event->up;
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		break;
	case SMPP_READY:
		w->n_ready++;
		break;
	case SMPP_PROGRESS:
		snprintf(w->note, sizeof(w->note), "%s", event->note);
		add(w, "progress:", event->key);
		break;
	case SMPP_TAKEN:
		snprintf(w->note, sizeof(w->note), "%s", event->note);
		w->n_taken++;
		add(w, "taken:", event->key);
		break;
	case SMPP_REFUSED:
	case SMPP_LATER:
	case SMPP_LOST:
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		add(w,
		    event->kind == SMPP_REFUSED ? "refused:"
		    : event->kind == SMPP_LATER ? "later:"
						: "lost:",
		    event->key);
		break;
	case SMPP_RECEIPT:
		w->n_receipts++;
		w->handle = event->handle;
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		add(w, event->delivered ? "delivered:" : "failed:", event->key);
		smpp_center_answer(w->center, &event->handle, SMPP_OK);
		break;
	case SMPP_INCOMING:
		w->n_incoming++;
		w->incoming = *event->incoming;
		snprintf(w->content, sizeof(w->content), "%.*s",
			 (int)event->incoming->part.content.n,
			 (const char *)event->incoming->part.content.p);
		add(w, event->incoming->maybe_repeated ? "repeat" : "incoming", NULL);
		smpp_center_answer(w->center, &event->incoming->handle,
				   w->refuses ? SMPP_RX_T_APPN : SMPP_OK);
		break;
	}
}

struct smpp_center_options world_usual(const struct world *w)
{
	struct smpp_center_options o = {
		.name = "test",
		.hosts = { { "127.0.0.1", w->port } },
		.n_hosts = 1,
		.session = { .system_id = "tandem", .password = "s3cret" },
		.source = { -1, -1, false },
		.dest = { -1, -1, false },
	};

	return o;
}

void world_start(struct world *w, const struct smpp_center_options *o)
{
	assert_int_equal(smpp_center_new(w->base, o, on_event, w, &w->center, NULL), 0);
}

int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	log_set_verbose(-2);
	w->base = event_base_new();
	w->fake = fake_center_new(w->base, &w->port);
	*state = w;
	return 0;
}

int tear_down(void **state)
{
	struct world *w = *state;

	smpp_center_free(&w->center);
	fake_center_free(&w->fake);
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	event_base_free(w->base);
	free(w);
	return 0;
}

int world_submit_noted(struct world *w, const char *key, const char *text, const char *note)
{
	struct smpp_text t = { .from = "+8888", .to = "+46701234567", .text = text, .note = note };
	char why[SMPP_WHY_SIZE];

	snprintf((char *)t.key, sizeof(t.key), "%s", key);
	return smpp_center_submit(w->center, &t, why);
}

int world_submit(struct world *w, const char *key, const char *text)
{
	return world_submit_noted(w, key, text, "");
}

void world_bound(struct world *w, const struct smpp_center_options *o)
{
	world_start(w, o);
	RUN_UNTIL(w, w->up);
}
