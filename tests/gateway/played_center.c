#include "tests/gateway/played_center.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/diag.h"
#include "tests/fuzz/fake_clock.h"

/* smpp_center_new() has no argument of the test's. */
static struct {
	struct smpp_center *center[PLAYED_CENTERS]; /* freed at the end: tests read them */
	unsigned n;
	int err;
	bool sync_fails;
} made;

/* ---- in front of smpp/center.h ---------------------------------------------------- */

int smpp_center_new(struct event_base *base, const struct smpp_center_options *options,
		    smpp_center_event_fn *event, void *arg, struct smpp_center **center_out,
		    struct diag *diag)
{
	struct smpp_center *center;

	(void)base;
	if (made.err) {
		diag_error(diag, NULL, "no such certificate");
		return made.err;
	}
	assert_true(made.n < PLAYED_CENTERS);
	center = calloc(1, sizeof(*center));
	assert_non_null(center);
	snprintf(center->name, sizeof(center->name), "%s", options->name);
	snprintf(center->password, sizeof(center->password), "%s", options->session.password);
	center->rule = options->rules[0];
	center->rules = options->n_rules;
	center->event = event;
	center->arg = arg;
	made.center[made.n++] = *center_out = center;
	return 0;
}

void smpp_center_stop(struct smpp_center *center)
{
	center->stops++;
}

void smpp_center_free(struct smpp_center **centerp)
{
	if (*centerp)
		(*centerp)->event = NULL; /* nothing is told any more */
	*centerp = NULL;
}

int smpp_center_submit(struct smpp_center *center, const struct smpp_text *text,
		       char why[SMPP_WHY_SIZE])
{
	center->submits++;
	memcpy(center->key, text->key, sizeof(center->key));
	snprintf(center->from, sizeof(center->from), "%s", text->from);
	snprintf(center->to, sizeof(center->to), "%s", text->to);
	snprintf(center->text, sizeof(center->text), "%s", text->text);
	snprintf(center->note, sizeof(center->note), "%s", text->note);
	if (center->submit_err)
		snprintf(why, SMPP_WHY_SIZE, "the window is full");
	return center->submit_err;
}

void smpp_center_forget(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE])
{
	(void)key;
	center->forgets++;
}

int smpp_center_await(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE],
		      const char *note)
{
	(void)key;
	center->awaits++;
	snprintf(center->awaited, sizeof(center->awaited), "%s", note);
	return 0;
}

void smpp_center_answer(struct smpp_center *center, const struct smpp_handle *handle,
			uint32_t status)
{
	assert_true(handle->sequence < PLAYED_ANSWERS);
	center->status[handle->sequence] = status;
	center->answered[handle->sequence]++;
}

void smpp_center_suspect(struct smpp_center *center, const uint8_t digest[SMPP_KEY_SIZE])
{
	(void)digest;
	center->suspects++;
}

void smpp_center_figures(const struct smpp_center *center, struct smpp_center_figures *out)
{
	*out = (struct smpp_center_figures){ .state = "BOUND",
					     .why = "",
					     .peer = "192.0.2.9",
					     .since_ms = clock_mono_ms() - 3000,
					     .submitted = center->submits };
}

/* In front of the C library's: both journals call this one. */
int fdatasync(int fd)
{
	static const char name[] = "/centers.journal";
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	if (!made.sync_fails || !strstr(path, name))
		return 0;
	errno = EIO;
	return -1;
}

/* ---- the scene -------------------------------------------------------------------- */

struct smpp_center *center_made(unsigned number)
{
	return number < made.n ? made.center[number] : NULL;
}

unsigned centers_made(void)
{
	return made.n;
}

void centers_fail(int err)
{
	made.err = err;
}

void centers_journal_fails(bool fails)
{
	made.sync_fails = fails;
}

const struct cig_config *center_config(const struct center_scene *scene, const char *blocks)
{
	static const char maps[] =
		"translate_map users2c { rule match \"tel:+{n}\" translation \"+{n}\"; }\n"
		"translate_map ext2c { rule match \"tel:+8888;{ext}\" translation \"{ext}\"; }\n"
		"translate_map c2users { rule match \"+{n}\" translation \"tel:+{n}\"; }\n"
		"translate_map c2ext { rule match \"1{n}\" translation \"tel:+8888;1{n}\"; }\n"
		"translate_map closed { rule match \"none\" translation \"tel:+8888;1\"; }\n";
	struct diag *diag = diag_new();
	const struct cig_config *config;
	char text[4096];

	snprintf(text, sizeof(text), "%smessage_centers {\n%s}\nuserdata \"%s\";\n", maps, blocks,
		 scene->texts->root);
	if (cig_config_parse("test", slice_str(text), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	return config;
}

static void begin(struct center_scene *scene, const char *blocks)
{
	scene->config = center_config(scene, blocks);
	/* As the server has it: without mailboxes here, so that the centers are alone. */
	assert_int_equal(texts_set_config(scene->texts->texts, scene->config), 0);
	assert_int_equal(texts_smpp_new(scene->texts->base, scene->texts->texts, scene->config,
					&scene->smpp, NULL),
			 0);
}

static void end(struct center_scene *scene)
{
	texts_smpp_free(&scene->smpp);
	assert_null(scene->smpp);
	cig_config_release(&scene->config);
}

int center_set_up(void **state)
{
	struct center_scene *scene = calloc(1, sizeof(*scene));
	void *texts = NULL;

	assert_non_null(scene);
	fake_clock_reset();
	memset(&made, 0, sizeof(made));
	if (scene_set_up(&texts))
		return -1;
	scene->texts = texts;
	begin(scene, CENTER_BLOCK());
	*state = scene;
	return 0;
}

int center_tear_down(void **state)
{
	struct center_scene *scene = *state;
	void *texts = scene->texts;

	made.sync_fails = false;
	end(scene);
	scene_tear_down(&texts);
	for (unsigned i = 0; i < made.n; i++)
		free(made.center[i]);
	free(scene);
	return 0;
}

void center_reconfigure(struct center_scene *scene, const char *blocks, int want)
{
	const struct cig_config *config = center_config(scene, blocks);

	assert_int_equal(texts_set_config(scene->texts->texts, config), 0);
	assert_int_equal(texts_smpp_set_config(scene->smpp, config), want);
	cig_config_release(&scene->config);
	scene->config = config;
}

void center_restart(struct center_scene *scene, const char *blocks)
{
	end(scene);
	scene_end(scene->texts);
	scene_begin(scene->texts);
	begin(scene, blocks);
}

/* ---- what a center says ------------------------------------------------------------ */

static void tell(struct smpp_center *center, const struct smpp_center_event *event)
{
	assert_non_null(center->event);
	center->event(center->arg, event);
}

void center_tells(struct smpp_center *center, enum smpp_center_event_kind kind, uint8_t id,
		  const char *note_or_why)
{
	uint8_t key[SMPP_KEY_SIZE];

	memset(key, id, sizeof(key));
	tell(center, &(struct smpp_center_event){ .kind = kind,
						  .key = key,
						  .note = note_or_why,
						  .why = note_or_why,
						  .up = kind != SMPP_STATE || !*note_or_why,
						  .awaits = *note_or_why != '\0' });
}

void center_receipt(struct smpp_center *center, unsigned number, uint8_t id, bool delivered,
		    const char *why)
{
	uint8_t key[SMPP_KEY_SIZE];

	memset(key, id, sizeof(key));
	tell(center, &(struct smpp_center_event){ .kind = SMPP_RECEIPT,
						  .key = key,
						  .why = why,
						  .delivered = delivered,
						  .handle = { .sequence = number } });
}

static void digest_of(const struct played_text *text, const char *content,
		      uint8_t out[SMPP_KEY_SIZE])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	char all[512];
	int n = snprintf(all, sizeof(all), "%s %u %u %u", content, text->index, text->total,
			 text->reference);

	assert_int_equal(EVP_Digest(all, (size_t)n, sum, NULL, EVP_sha256(), NULL), 1);
	memcpy(out, sum, SMPP_KEY_SIZE);
}

void center_brings(struct smpp_center *center, const struct played_text *text)
{
	const char *content = text->text ? text->text : "hello";
	struct smpp_incoming in = {
		.handle = { .sequence = text->number },
		.part = { .is_part = text->total != 0,
			  .reference = (uint16_t)text->reference,
			  .total = (uint8_t)text->total,
			  .index = (uint8_t)text->index,
			  .content = slice_str(content) },
		.alphabet = SMPP_LATIN1,
		.maybe_repeated = text->maybe_repeated,
	};

	snprintf(in.from, sizeof(in.from), "%s", text->from ? text->from : "101");
	snprintf(in.to, sizeof(in.to), "%s", text->to ? text->to : "+46701234567");
	digest_of(text, content, in.digest);
	tell(center, &(struct smpp_center_event){
			     .kind = SMPP_INCOMING, .handle = in.handle, .incoming = &in });
}

void center_tick(struct center_scene *scene)
{
	event_active(scene->smpp->timer, EV_TIMEOUT, 0);
	event_base_loop(scene->texts->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}
