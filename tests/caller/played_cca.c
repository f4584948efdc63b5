#include "tests/caller/played_cca.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "keys/key_ring.h"
#include "tests/tools/quick_timers.h"

/* cca_run() and most of the client's functions have no argument of the test's. */
static struct played_cca *stage;
static played_act *stage_act;

/* ---- in front of caller/cca.c ------------------------------------------------------ */

/* The linker's names (ld --wrap). */
int __wrap_cca_run(const struct cca_options *options, const struct cca_job *job, void *arg);
void __wrap_cca_end(struct cca *cca, int status);
void __wrap_cca_await(struct cca *cca, const char *what);
bool __wrap_cca_tell(const struct cca *cca, const char *what, json_t *details);

int __wrap_cca_run(const struct cca_options *options, const struct cca_job *job, void *arg)
{
	struct key_ring ring = { .store = NULL };

	stage->job = job;
	stage->arg = arg;
	stage->cca = (struct cca){ .options = *options,
				   .base = quick_timers_base(),
				   .ring = &ring,
				   .client = &stage->client,
				   .job = job,
				   .job_arg = arg };
	assert_non_null(stage->cca.base);
	if (job->begin)
		assert_int_equal(job->begin(&stage->cca, arg), 0);
	stage_act(stage);
	if (job->finish)
		job->finish(&stage->cca, arg);
	assert_false(stage->media.runs); /* a recording is closed */
	event_base_free(stage->cca.base);
	return stage->status;
}

void __wrap_cca_end(struct cca *cca, int status)
{
	assert_ptr_equal(cca, &stage->cca);
	stage->ended = true;
	stage->status = status;
}

void __wrap_cca_await(struct cca *cca, const char *what)
{
	assert_ptr_equal(cca, &stage->cca);
	assert_non_null(what);
	stage->awaits++;
}

static void add_line(const char *what, json_t *details)
{
	char *end = stage->told + strlen(stage->told);
	size_t room = sizeof(stage->told) - (size_t)(end - stage->told);
	FILE *to = fmemopen(end, room, "w");
	const char *name;
	json_t *value;

	assert_non_null(to);
	fputs(what, to);
	json_object_foreach(details, name, value)
	{
		if (json_is_string(value))
			fprintf(to, " %s=%s", name, json_string_value(value));
		else
			fprintf(to, " %s=%lld", name, (long long)json_number_value(value));
	}
	fputc('\n', to);
	fclose(to);
}

bool __wrap_cca_tell(const struct cca *cca, const char *what, json_t *details)
{
	assert_ptr_equal(cca, &stage->cca);
	if (!stage->mute)
		add_line(what, details);
	json_decref(details);
	return !stage->mute;
}

/* ---- in front of caller/call_media.h ------------------------------------------------ */

int call_media_start(const struct call_media_options *options, struct call_media **media_out,
		     struct diag *diag)
{
	struct call_media *media = &stage->media;

	(void)diag;
	if (media->start_fails)
		return media->start_fails;
	assert_false(media->runs);
	media->starts++;
	media->runs = true;
	media->play_n = options->play_n;
	media->record = options->record;
	media->options = *options;
	*media_out = media;
	return 0;
}

int call_media_send_digit(struct call_media *media, char digit)
{
	if (!media->digit_fails)
		media->digits[strlen(media->digits)] = digit;
	return media->digit_fails;
}

void call_media_stats(const struct call_media *media, struct leg_stats *stats_out)
{
	*stats_out = (struct leg_stats){ .packets_sent = media->starts };
}

int call_media_stop(struct call_media **mediap)
{
	if (!*mediap)
		return 0;
	(*mediap)->stops++;
	(*mediap)->runs = false;
	*mediap = NULL;
	return 0;
}

/* ---- in front of umsg/client.h ------------------------------------------------------ */

void umsg_client_set_group(struct umsg_client *client, const uint8_t group_id[UMSG_ID_SIZE])
{
	client->grouped = group_id != NULL;
	if (group_id)
		memcpy(client->group_id, group_id, UMSG_ID_SIZE);
}

int umsg_call_invite(struct umsg_client *client, const char *to, const char *called_extension,
		     const char *calling_extension, const struct umsg_audio_wish *wish, void *arg,
		     struct umsg_call **call_out)
{
	assert_string_equal(calling_extension, "");
	snprintf(client->invited, sizeof(client->invited), "%s", to);
	snprintf(client->extension, sizeof(client->extension), "%s", called_extension);
	memcpy(client->codecs, wish->codecs, sizeof(client->codecs));
	client->n_codecs = wish->n_codecs;
	if (client->invite_fails)
		return client->invite_fails;
	client->made->arg = arg;
	*call_out = client->made;
	return 0;
}

int umsg_call_ring(struct umsg_call *call)
{
	call->rings++;
	return 0;
}

int umsg_call_answer(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	call->answers++;
	memcpy(call->codecs, wish->codecs, sizeof(call->codecs));
	call->n_codecs = wish->n_codecs;
	return call->answer_fails;
}

/* The end is told by an event, as the client does it. */
void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	call->hangups++;
	call->hangup = reason;
	call->end = (struct umsg_call_end){ .reason = reason, .by_us = true };
	played_call(stage, call, UMSG_CALL_ENDED);
}

int umsg_call_send_digit(struct umsg_call *call, char digit, unsigned duration_ms)
{
	(void)duration_ms;
	call->signalled[call->digits++] = digit;
	return 0;
}

int umsg_call_hold(struct umsg_call *call, bool hold)
{
	call->holds++;
	call->held = hold;
	return 0;
}

void umsg_call_set_arg(struct umsg_call *call, void *arg)
{
	call->arg = arg;
}

const struct umsg_media *umsg_call_media(const struct umsg_call *call)
{
	return &call->media;
}

const char *umsg_call_from(const struct umsg_call *call)
{
	return call->from;
}

const char *umsg_call_to(const struct umsg_call *call)
{
	return call->to;
}

const char *umsg_call_calling_extension(const struct umsg_call *call)
{
	return call->extension;
}

const char *umsg_call_peer_domain(const struct umsg_call *call)
{
	(void)call;
	return "Example";
}

char umsg_call_digit(const struct umsg_call *call)
{
	return call->digit;
}

struct umsg_call_end umsg_call_end(const struct umsg_call *call)
{
	return call->end;
}

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	free(sealed->octets);
	sealed->octets = NULL;
}

static int seal(unsigned number, struct umsg_sealed *sealed_out)
{
	memset(sealed_out->id, (int)number, sizeof(sealed_out->id));
	sealed_out->n = UMSG_ID_SIZE;
	sealed_out->octets = calloc(1, sealed_out->n);
	assert_non_null(sealed_out->octets);
	return 0;
}

int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	snprintf(client->to, sizeof(client->to), "%s", to);
	snprintf(client->text, sizeof(client->text), "%s", body->text);
	snprintf(client->called_extension, sizeof(client->called_extension), "%s",
		 body->called_extension);
	client->auto_submitted = body->auto_submitted;
	client->responder = body->responder;
	client->attachments = body->n_attachments;
	client->end_s = end_s;
	return seal(++client->seals, sealed_out);
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	(void)id;
	assert_int_equal(state, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_string_equal(reason, "");
	snprintf(client->to, sizeof(client->to), "%s", to);
	client->receipts++;
	return seal(++client->seals, sealed_out);
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	assert_non_null(sealed.p);
	client->posts += !client->post_fails;
	return client->post_fails;
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

int umsg_client_keep(struct umsg_client *client, const char *name, const char *type,
		     struct slice value)
{
	client->keeps++;
	snprintf(client->name, sizeof(client->name), "%s", name);
	snprintf(client->type, sizeof(client->type), "%s", type);
	snprintf(client->value, sizeof(client->value), "%.*s", (int)value.n, (const char *)value.p);
	return client->keep_fails;
}

/* ---- in front of keys/keystore.h ---------------------------------------------------- */

const char *keystore_uri(const struct keystore *store)
{
	(void)store;
	return "tel:+4670";
}

int keystore_channel_at(const struct keystore *store, int64_t now_s, size_t i, const char **uri_out,
			const char **name_out)
{
	(void)store;
	(void)now_s;
	if (i)
		return -ENOENT;
	*uri_out = "channel:red";
	*name_out = "Red team";
	return 0;
}

/* ---- a run --------------------------------------------------------------------------- */

static void forget(struct played_cca *played)
{
	struct umsg_client *client = &played->client;
	struct call_media *media = &played->media;

	played->ended = false;
	played->awaits = 0;
	played->status = CCA_FAILED;
	played->told[0] = '\0';
	*client = (struct umsg_client){ .made = client->made,
					.invite_fails = client->invite_fails,
					.post_fails = client->post_fails,
					.keep_fails = client->keep_fails };
	*media = (struct call_media){ .start_fails = media->start_fails,
				      .digit_fails = media->digit_fails };
}

int played_run(struct played_cca *played, played_command *command, const char *arguments,
	       played_act *act)
{
	static const struct cca_options options = { .store = "/nowhere" };
	char text[512], *argv[24], *rest = text, *word;
	int argc = 0, status;

	forget(played);
	snprintf(text, sizeof(text), "%s", arguments);
	while ((word = strsep(&rest, " "))) {
		for (char *at = word; (at = strchr(at, '\'')); at++)
			*at = ' ';
		assert_true(argc < (int)COUNT(argv) - 1);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	optind = 0; /* getopt_long() begins anew */
	stage = played;
	stage_act = act;
	status = command(&options, argc, argv);
	stage = NULL;
	return status;
}

void played_never(struct played_cca *played)
{
	(void)played;
	fail();
}

void played_attached(struct played_cca *played)
{
	played->job->attached(&played->cca, played->arg);
}

void played_incoming(struct played_cca *played, struct umsg_call *call)
{
	played->job->incoming(&played->cca, played->arg, call);
}

void played_call(struct played_cca *played, struct umsg_call *call, enum umsg_call_event event)
{
	played->job->call(&played->cca, played->arg, call, event);
}

void played_ended(struct played_cca *played, struct umsg_call *call, Umsg__EndReason reason)
{
	call->end = (struct umsg_call_end){ .reason = reason, .by = UMSG__ENDED_BY__BY_RESPONDER };
	played_call(played, call, UMSG_CALL_ENDED);
}
