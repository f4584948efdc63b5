/* cig_config.c - an object from first statement to release: what the parts
 * (cig_build*.c) have in common, the order in which they run, and look-ups in the
 * result. */
#include "gateway/cig_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/suggest.h"
#include "gateway/cig_config_priv.h"
#include "maps/explain.h"
#include "maps/map.h"

enum { MAX_KNOWN = 4096 }; /* names compared for a near miss */

static struct cig_config_object *object_of(const struct cig_config *config)
{
	return (struct cig_config_object *)(uintptr_t)config;
}

const char *cig_keep_text(struct cig_build *b, const char *text)
{
	const char *copy = arena_text(&b->object->arena, slice_str(text));

	if (!copy)
		b->err = -ENOMEM;
	return copy;
}

/* One copy of a file's name for all of its statements: they come file by file, so the last one is
 * enough. */
struct diag_place cig_keep_place(struct cig_build *b, const struct diag_place *place)
{
	struct diag_place kept = *place;

	if (place->file && place->file != b->file) {
		b->file = place->file;
		b->file_kept = cig_keep_text(b, place->file);
	}
	kept.file = place->file ? b->file_kept : NULL;
	return kept;
}

/* n is the count before: room is the power of two that it has, and a list that is full goes to
 * one of twice the size.  The old one stays in the arena, at worst as much as the list again. */
void *cig_grow(struct cig_build *b, const void *list, size_t *n, size_t size)
{
	size_t room = 1;
	void *grown;

	while (room < *n)
		room *= 2;
	if (list && *n < room) {
		++*n;
		return (void *)(uintptr_t)list;
	}
	grown = arena_alloc(&b->object->arena, (list ? 2 * room : 1) * size);
	if (!grown) {
		b->err = -ENOMEM;
		return NULL;
	}
	if (list)
		memcpy(grown, list, *n * size);
	++*n;
	return grown;
}

bool cig_is(const struct config_statement *s, const char *keyword)
{
	return strcmp(s->keyword->keyword, keyword) == 0;
}

/* A block in which something could not be read may hold what is missed: it is not told as missing
 * then. */
bool cig_lacks(const struct config_statement *block, const char *keyword)
{
	for (const struct config_statement *s = block->first; s; s = s->next)
		if (cig_is(s, keyword))
			return false;
	return !block->damaged;
}

static int find_name(const struct cig_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i].name, name) == 0)
			return (int)i;
	return -1;
}

int cig_names_use(struct cig_names *names, const char *what, const struct config_word *word,
		  struct diag *diag)
{
	/* On the stack: 32 kB, once for a slip. */
	const char *known[MAX_KNOWN], *near;
	int i = find_name(names, word->text);
	size_t n = names->n < MAX_KNOWN ? names->n : MAX_KNOWN;

	if (i >= 0) {
		names->list[i].used = true;
		return i;
	}
	for (size_t k = 0; k < n; k++)
		known[k] = names->list[k].name;
	near = suggest_near(word->text, known, n);
	/* A name of the other kind is told as such before a similar one of the right kind is
	 * proposed. */
	if (near && !(names->kin && find_name(names->kin, word->text) >= 0))
		diag_error(diag, &word->place, "unknown %s \"%s\" (did you mean \"%s\"?)", what,
			   word->text, near);
	else if (names->kin && find_name(names->kin, word->text) >= 0)
		diag_error(diag, &word->place, "\"%s\" is a %s, expected a %s here", word->text,
			   names->kin_what, what);
	else
		diag_error(diag, &word->place, "unknown %s \"%s\"", what, word->text);
	return -1;
}

int cig_names_add(struct cig_names *names, const char *what, const char *name,
		  const struct diag_place *place, struct diag *diag)
{
	/* Linear, so all names cost n squared: some thousands of maps and accounts at most;
	 * entries of a map are found by other means (maps/). */
	int before = find_name(names, name);

	if (before >= 0) {
		const struct diag_place *first = &names->list[before].place;

		diag_error(diag, place, "%s %s is declared twice, first in %s:%u", what, name,
			   first->file, first->line);
		return -EEXIST;
	}
	if (names->n == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		struct cig_name *list = realloc(names->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->room = room;
	}
	names->list[names->n++] = (struct cig_name){ name, *place, false };
	return 0;
}

static void object_free(struct cig_config_object *object)
{
	router_free(&object->router);
	for (size_t i = 0; i < object->translate_map_count; i++)
		translate_map_free(&object->translate_maps[i]);
	free(object->translate_maps);
	arena_free(&object->arena);
	free(object->text);
	free(object);
}

static struct cig_config_object *object_new(const char *path)
{
	struct cig_config_object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	/* Held by whoever reads it, by each call and text that runs under it. */
	object->holds = 1;
	object->router = router_new();
	object->pub.path = arena_text(&object->arena, slice_str(path));
	object->pub.read_ms = clock_wall_ms();
	object->pub.userdata = CIG_DIR "/userdata";
	object->pub.log_dir = CIG_LOG_DIR;
	object->pub.run_dir = CIG_RUN_DIR;
	object->pub.mail_group = "cigmail";
	object->pub.tel.crs_host = "";
	memcpy(object->pub.control_bind, "127.0.0.1", 10);
	object->pub.control_port = 8083;
	memcpy(object->pub.metrics_bind, "127.0.0.1", 10);
	object->pub.sip.port = 5060;
	object->pub.sip.media_timeout_s = 30;
	object->pub.sip.min_session_expires_s = 90; /* the least of RFC 4028 */
	object->pub.sip.tls.port = 5061;
	object->pub.sip.hep.id = 1;
	object->pub.sip.hep.password = "";
	if (!object->router || !object->pub.path) {
		object_free(object);
		return NULL;
	}
	return object;
}

/* One pass for each kind, for a name may be used before it is declared.  Accounts first: pbx
 * blocks and entries point to them. */
static void build(struct cig_build *b, const struct config_statement *first)
{
	b->maps.kin = &b->translate_maps;
	b->maps.kin_what = "translate_map";
	b->translate_maps.kin = &b->maps;
	b->translate_maps.kin_what = "map";
	cig_build_accounts(b, first);
	cig_build_pbxs(b, first);
	cig_build_maps(b, first);
	cig_build_settings(b, first);
	cig_build_interfaces(b, first);
	cig_build_messages(b, first);
}

static int finish(struct cig_build *b, struct config *config, int err, size_t errors_before,
		  const struct cig_config **config_out)
{
	if (config && !b->err)
		build(b, config_first(config));
	/* Expectations on half a configuration would fail for reasons already told. */
	if (config && !b->err && diag_reported(b->diag) == errors_before)
		cig_check_tls(b);
	if (config && !b->err && diag_reported(b->diag) == errors_before)
		cig_check_expectations(b, config_first(config));
	if (config && !err)
		(void)config_take_text(config, &b->object->text, &b->object->text_size);
	config_free(&config);
	if (b->err)
		err = b->err;
	if (!err && diag_reported(b->diag) > errors_before)
		err = -EINVAL;
	/* Warnings only of what is going to be used: behind errors they would be noise. */
	if (!err)
		cig_config_lint(b);
	free(b->maps.list);
	free(b->translate_maps.list);
	free(b->accounts.list);
	free(b->pbxs.list);
	if (err)
		object_free(b->object);
	else
		*config_out = &b->object->pub;
	return err;
}

static int load(const char *path, const struct slice *text, struct diag *diag,
		const struct cig_config **config_out)
{
	struct diag *own = diag ? NULL : diag_new(); /* errors are counted in it */
	struct cig_build b = { .diag = diag ? diag : own, .from_files = !text };
	size_t before = diag_reported(b.diag);
	struct config *config = NULL;
	int err = -ENOMEM;

	b.object = b.diag ? object_new(path) : NULL;
	if (b.object) {
		err = text ? config_parse(path, *text, cig_grammar, b.diag, &config)
			   : config_read(path, cig_grammar, b.diag, &config);
		err = finish(&b, config, err, before, config_out);
	}
	diag_free(&own);
	return err;
}

int cig_config_parse(const char *name, struct slice text, struct diag *diag,
		     const struct cig_config **config_out)
{
	return load(name, &text, diag, config_out);
}

int cig_config_read(const char *path, struct diag *diag, const struct cig_config **config_out)
{
	return load(path, NULL, diag, config_out);
}

int cig_config_read_places(const char *path, const struct cig_config **config_out)
{
	struct diag *diag = diag_new(); /* what is wrong is for others to tell */
	struct cig_build b = { .diag = diag, .object = diag ? object_new(path) : NULL };
	struct config *config = NULL;
	/* The file may have faults: what was understood of it is used. */
	int err = b.object ? config_read(path, cig_grammar, diag, &config) : -ENOMEM;

	if (config)
		cig_build_settings(&b, config_first(config));
	if (config && !b.err) {
		err = 0;
		*config_out = &b.object->pub;
	} else if (b.object) {
		object_free(b.object);
	}
	config_free(&config);
	diag_free(&diag);
	return b.err ? b.err : err;
}

const struct cig_config *cig_config_hold(const struct cig_config *config)
{
	/* cig-server has one thread that holds and releases: a plain counter is enough. */
	object_of(config)->holds++;
	return config;
}

void cig_config_release(const struct cig_config **configp)
{
	struct cig_config_object *object = object_of(*configp);

	*configp = NULL;
	if (object && --object->holds == 0)
		object_free(object);
}

int cig_config_take_text(const struct cig_config *config, uint8_t **text_out, size_t *n_out)
{
	struct cig_config_object *object = object_of(config);

	if (!object->text)
		return -ENODATA;
	*text_out = object->text;
	*n_out = object->text_size;
	object->text = NULL;
	return 0;
}

const struct router *cig_config_router(const struct cig_config *config)
{
	return object_of(config)->router;
}

const struct translate_map *cig_config_translate_map(const struct cig_config *config,
						     const char *name)
{
	const struct cig_config_object *object = object_of(config);

	for (size_t i = 0; i < object->translate_map_count; i++)
		if (strcmp(translate_map_name(object->translate_maps[i]), name) == 0)
			return object->translate_maps[i];
	return NULL;
}

const struct cig_account *cig_config_account(const struct cig_config *config, const char *name)
{
	for (size_t i = 0; i < config->account_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

const char *cig_config_override(const struct cig_interface *interface, const char *address)
{
	for (size_t i = 0; i < interface->override_count; i++)
		if (strcmp(interface->overrides[i].from, address) == 0)
			return interface->overrides[i].to;
	return address;
}

bool cig_config_trusts(const struct cig_config *config, const struct sockaddr *address)
{
	for (size_t i = 0; i < config->sip.trusted_count; i++)
		if (config_net_holds(&config->sip.trusted[i], address))
			return true;
	/* Whom a pbx block names by its network is trusted by that; "trusted" need not say so
	 * again. */
	if (cig_config_pbx_from(config, address))
		return true;
	/* With neither in the file everybody may call in, as the manual's gateway: the lint
	 * warns. */
	for (size_t i = 0; i < config->pbx_count; i++)
		if (config->pbxs[i].network_count)
			return false;
	return config->sip.trusted_count == 0;
}
