#include "tests/caller/cca_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "tests/fuzz/fake_clock.h"
#include "tests/tools/quick_timers.h"

/* The client's and the program's functions have no argument of the test's. */
static struct scene *current;

static void act_next(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	if (scene->acted == scene->n_acts)
		return;
	scene->acts[scene->acted++](scene);
	event_base_once(scene->cca->base, -1, EV_TIMEOUT, act_next, scene, NULL);
}

int umsg_client_new(const struct umsg_client_options *options, struct umsg_client **client_out)
{
	struct umsg_client *client = &current->client;

	client->ops = options->ops;
	client->arg = options->arg;
	client->secondary = options->secondary;
	snprintf(client->address, sizeof(client->address), "%s",
		 options->address ? options->address : "crs.example.net:5223");
	*client_out = client;
	current->cca = options->arg;
	return event_base_once(options->base, -1, EV_TIMEOUT, act_next, current, NULL);
}

void umsg_client_free(struct umsg_client **clientp)
{
	if (*clientp)
		(*clientp)->frees++;
	*clientp = NULL;
}

const char *umsg_client_address(const struct umsg_client *client)
{
	return client->address;
}

const char *umsg_state_name(enum umsg_state state)
{
	return state == UMSG_ATTACHED ? "CONNECTED" : "DISCONNECTED";
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	return strcmp(uri, PEER) == 0 ? client->known : -EINVAL;
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	(void)uri;
	client->lookups++;
	return client->lookup_fails;
}

int umsg_client_keep(struct umsg_client *client, const char *name, const char *type,
		     struct slice value)
{
	snprintf(client->kept, sizeof(client->kept), "%s %s %.*s", name, type, (int)value.n,
		 (const char *)value.p);
	return 0;
}

void umsg_client_set_keys(struct umsg_client *client, const struct umsg_keys *keys)
{
	(void)client;
	(void)keys;
}

void umsg_client_update_done(struct umsg_client *client, bool applied)
{
	client->updates++;
	client->applied += applied;
	cca_end(current->cca, CCA_OK);
}

void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	call->hangups++;
	call->hangup = reason;
}

/* ---- the job ---- */

static int job_begin(struct cca *cca, void *arg)
{
	struct scene *scene = arg;

	scene->begun++;
	/* Of what else is trusted cca.c asks only whether there is any. */
	cca->ring->n_trusted = scene->trusts;
	return scene->begin_fails;
}

static void job_finish(struct cca *cca, void *arg)
{
	cca->ring->n_trusted = 0;
	((struct scene *)arg)->finished++;
}

static void job_attached(struct cca *cca, void *arg)
{
	(void)cca;
	((struct scene *)arg)->attached++;
}

static const char *job_peer(void *arg)
{
	return ((struct scene *)arg)->peer;
}

static void job_incoming(struct cca *cca, void *arg, struct umsg_call *call)
{
	(void)cca;
	(void)call;
	((struct scene *)arg)->incoming++;
}

static void job_call(struct cca *cca, void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	(void)cca;
	(void)call;
	((struct scene *)arg)->calls += event == UMSG_CALL_RINGING;
}

static void job_message(struct cca *cca, void *arg, const struct umsg_message *message)
{
	(void)cca;
	((struct scene *)arg)->messages += strcmp(message->from, PEER) == 0;
}

static void job_post_ack(struct cca *cca, void *arg, const uint8_t id[UMSG_ID_SIZE],
			 Umsg__ErrorCode error, const char *text)
{
	(void)cca;
	((struct scene *)arg)->acks += id[0] == 7 && error == UMSG__ERROR_CODE__ERROR_STORE_FULL &&
				       strcmp(text, "full") == 0;
}

static bool job_receipt(struct cca *cca, void *arg, const char *from,
			const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			const char *reason)
{
	(void)cca;
	((struct scene *)arg)->receipts += id[0] == 7 && strcmp(from, PEER) == 0 &&
					   state == UMSG__RECEIPT_STATE__RECEIPT_FAILED &&
					   strcmp(reason, "no") == 0;
	return true;
}

static void job_kept(struct cca *cca, void *arg, Umsg__ErrorCode error, const char *text)
{
	(void)cca;
	((struct scene *)arg)->kept += error == UMSG__ERROR_CODE__OK && !*text;
}

static void job_stop(struct cca *cca, void *arg)
{
	((struct scene *)arg)->stops++;
	cca_end(cca, CCA_OK);
}

static const struct cca_job whole_job = { .begin = job_begin,
					  .finish = job_finish,
					  .attached = job_attached,
					  .peer = job_peer,
					  .incoming = job_incoming,
					  .call = job_call,
					  .message = job_message,
					  .post_ack = job_post_ack,
					  .receipt = job_receipt,
					  .kept = job_kept,
					  .tells_client_info = true,
					  .stop = job_stop };

/* ---- runs ---- */

int make_world(void **state)
{
	struct letter letter;

	if (world_make(state))
		return -1;
	letter = world_letter(*state, 1);
	return world_enrol(*state, &letter);
}

int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	fake_clock_reset();
	quick_timers_reset();
	scene->world = *state;
	scene->options = (struct cca_options){ .store = scene->world->dir, .timeout_s = 1 };
	scene->job = whole_job;
	current = scene;
	*state = scene;
	return 0;
}

static void remove_kept(const struct scene *scene, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", scene->world->dir, name);
	remove(path);
}

int tear_down(void **state)
{
	struct scene *scene = *state;
	struct world *world = scene->world;

	remove_kept(scene, "calls.replay");
	remove_kept(scene, "messages.seen");
	free(scene);
	*state = world;
	return 0;
}

static int cca_run_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return cca_run(&current->options, &current->job, current);
}

void then(struct scene *scene, act_fn *act)
{
	assert_true(scene->n_acts < COUNT(scene->acts));
	scene->acts[scene->n_acts++] = act;
}

int run(struct scene *scene)
{
	int status = inside_run(cca_run_main, "run", scene->output);

	assert_int_equal(scene->finished, scene->begun && !scene->begin_fails);
	assert_int_equal(scene->client.frees, scene->cca ? 1 : 0);
	assert_int_equal(scene->acted, scene->n_acts);
	return status;
}

void attach(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_ATTACHED, "");
}

void end_well(struct scene *scene)
{
	cca_end(scene->cca, CCA_OK);
}

void lack_keys(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_UPDATES_ONLY, "");
}
