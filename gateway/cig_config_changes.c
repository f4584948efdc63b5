/* cig_config_changes.c - what a reload changes, line by line, and what it cannot change.
 *
 * Compared is what cig_config_print() writes, so that a directive which is printed is a
 * directive whose change is told.  Each line has a key: the blocks around it and the word
 * or two that name it.  Lines are kept as hashes: a configuration may have a million.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/cig_config_priv.h"

enum {
	MAX_DEPTH = CONFIG_MAX_DEPTH,
	MAX_BLOCK = 1024, /* octets of the names of all blocks around a line */
};

/* What is bound, opened or started once, by the blocks around it and its keyword ("" for
 * every one in the block).  A line here is all that a directive needs to be refused. */
static const struct {
	const char *block, *keyword;
} restart[] = {
	{ "interfaces tel", "bind" },
	{ "interfaces tel", "crs_address" },
	{ "interfaces sip", "bind" },
	{ "interfaces sip", "port" },
	{ "interfaces sip tls", "" },
	{ "", "userdata" },
	{ "", "log_dir" },
	{ "", "run_dir" },
	{ "", "control" },
	{ "", "metrics" },
};

/* FNV-1a of 64 bits: to tell lines apart, not to keep anybody from forging one. */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct line {
	uint64_t key, all; /* hashes: of what names the line, of all of it */
};

struct lines {
	struct line *list;
	size_t n, room;
	bool failed; /* memory is out */
};

/* Where the printer is, and what is done with each line. */
struct walk {
	char block[MAX_BLOCK]; /* "interfaces sip" */
	size_t at[MAX_DEPTH];  /* the length of block outside each open one */
	size_t depth;
	void (*take)(struct walk *walk, struct slice line, struct line hashes);
	struct lines *lines; /* where take gathers them */
	/* For take that tells: */
	const struct lines *others;
	const struct cig_change_ops *ops;
	void *arg;
	bool after;
};

static uint64_t hash(uint64_t h, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * FNV_PRIME;
	return (h ^ 0xff) * FNV_PRIME; /* parts "ab" "c" from "a" "bc" */
}

/* The first n words of a line. */
static struct slice words(struct slice line, unsigned n)
{
	size_t i = 0;

	while (i < line.n && (line.p[i] != ' ' || --n > 0))
		i++;
	return slice_of(line.p, i);
}

/* A named thing is known by its name, everything else by its keyword.  A rule has no name
 * and order counts, so each is known by its match. */
static struct slice key_of(struct slice line)
{
	static const char *const named[] = { "entry ", "auth ", "extension ", "source " };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (slice_starts(line, named[i]))
			return words(line, 2);
	if (slice_starts(line, "rule "))
		return words(line, 3);
	return words(line, 1);
}

static void open_block(struct walk *walk, struct slice line)
{
	size_t n = strlen(walk->block);

	if (walk->depth < MAX_DEPTH)
		walk->at[walk->depth] = n;
	walk->depth++;
	/* Without the " {" at the end. */
	snprintf(walk->block + n, sizeof(walk->block) - n, "%s%.*s", n ? " " : "", (int)line.n - 2,
		 (const char *)line.p);
}

static void close_block(struct walk *walk)
{
	walk->depth--;
	if (walk->depth < MAX_DEPTH)
		walk->block[walk->at[walk->depth]] = '\0';
}

/* A mailbox and a message center have no name: their path or host stands for one, so that
 * what belongs to one is not taken for another's. */
static void name_block(struct walk *walk, struct slice line)
{
	size_t n = strlen(walk->block);

	if (slice_starts(line, "path ") || slice_starts(line, "hostname "))
		snprintf(walk->block + n, sizeof(walk->block) - n, " %.*s", (int)line.n,
			 (const char *)line.p);
}

static void walk_line(void *arg, const char *text)
{
	struct walk *walk = arg;
	struct slice line = slice_str(text);
	struct line hashes;
	uint64_t start;

	while (line.n && line.p[0] == ' ')
		line = slice_from(line, 1);
	if (line.n == 1 && line.p[0] == '}') {
		close_block(walk);
		return;
	}
	if (line.n > 2 && line.p[line.n - 1] == '{') {
		open_block(walk, line);
		return;
	}
	name_block(walk, line);
	start = hash(FNV_START, slice_str(walk->block));
	hashes = (struct line){ hash(start, key_of(line)), hash(start, line) };
	walk->take(walk, line, hashes);
}

/* ---- the digest ---- */

struct digest {
	struct walk walk; /* first: take gets it */
	uint64_t h;
};

/* In the order of the file, which counts; a password is left out, for a digest of it could
 * be guessed at. */
static void take_digest(struct walk *walk, struct slice line, struct line hashes)
{
	struct digest *digest = (struct digest *)(void *)walk;
	bool secret = slice_starts(line, "password ") || slice_starts(line, "auth ");

	digest->h = (digest->h ^ (secret ? hashes.key : hashes.all)) * FNV_PRIME;
}

/* Once for a configuration, which never changes: whoever watches the gateway asks for its status
 * again and again, and to walk 100,000 entries holds up the calls meanwhile. */
void cig_config_digest(const struct cig_config *config, char out[CIG_DIGEST_SIZE])
{
	struct cig_config_object *object = (struct cig_config_object *)(uintptr_t)config;
	struct digest digest = { .walk = { .take = take_digest }, .h = FNV_START };

	if (!object->digest[0]) {
		cig_config_write(config, walk_line, &digest.walk);
		snprintf(object->digest, sizeof(object->digest), "%016" PRIx64, digest.h);
	}
	memcpy(out, object->digest, CIG_DIGEST_SIZE);
}

/* ---- gathering ---- */

static void gather(struct walk *walk, struct slice line, struct line hashes)
{
	struct lines *lines = walk->lines;

	(void)line;
	/* Out of memory is told at the end: the walk itself cannot stop. */
	if (lines->n == lines->room && !lines->failed) {
		size_t room = lines->room ? 2 * lines->room : 256;
		struct line *grown = realloc(lines->list, room * sizeof(*grown));

		lines->failed = !grown;
		if (grown) {
			lines->list = grown;
			lines->room = room;
		}
	}
	if (!lines->failed)
		lines->list[lines->n++] = hashes;
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->all < y->all ? -1 : x->all > y->all;
}

static void gather_all(const struct cig_config *config, struct lines *lines)
{
	struct walk walk = { .take = gather, .lines = lines };

	cig_config_write(config, walk_line, &walk);
	/* Sorted, so that each line of the other side is one binary search: n log n for a million
	 * lines. */
	if (!lines->failed && lines->n)
		qsort(lines->list, lines->n, sizeof(*lines->list), compare);
}

static bool has_line(const struct lines *lines, struct line line)
{
	return lines->n && bsearch(&line, lines->list, lines->n, sizeof(line), compare);
}

static int compare_key(const void *key, const void *line)
{
	uint64_t a = *(const uint64_t *)key, b = ((const struct line *)line)->key;

	return a < b ? -1 : a > b;
}

static bool has_key(const struct lines *lines, uint64_t key)
{
	/* Any of the lines with that key will do. */
	return lines->n && bsearch(&key, lines->list, lines->n, sizeof(*lines->list), compare_key);
}

/* ---- telling ---- */

static bool needs_restart(const char *block, struct slice line)
{
	for (size_t i = 0; i < sizeof(restart) / sizeof(restart[0]); i++) {
		size_t n = strlen(restart[i].block);
		bool inside = restart[i].keyword[0] ? strcmp(block, restart[i].block) == 0
						    : strncmp(block, restart[i].block, n) == 0;

		if (inside &&
		    (!restart[i].keyword[0] || slice_eq_str(words(line, 1), restart[i].keyword)))
			return true;
	}
	return false;
}

/* A line that only one side has.  A key that both have is told once, as changed, when the
 * new side is walked. */
static void tell(struct walk *walk, struct slice line, struct line hashes)
{
	bool changed = has_key(walk->others, hashes.key);
	enum cig_change change = changed ? CIG_CHANGED : walk->after ? CIG_ADDED : CIG_REMOVED;
	char text[MAX_BLOCK + 2048];
	struct buf b = BUF_OF(text);

	if (has_line(walk->others, hashes) || (changed && !walk->after))
		return;
	/* The value of a password is nobody's business, that it has changed is. */
	if (slice_starts(line, "password ") || slice_starts(line, "auth "))
		line = key_of(line);
	buf_printf(&b, "%s%s%.*s", walk->block, walk->block[0] ? ": " : "", (int)line.n,
		   (const char *)line.p);
	walk->ops->change(walk->arg, change, text, needs_restart(walk->block, line));
}

static void tell_all(const struct cig_config *config, const struct lines *others, bool after,
		     const struct cig_change_ops *ops, void *arg)
{
	struct walk walk = {
		.take = tell, .others = others, .ops = ops, .arg = arg, .after = after
	};

	cig_config_write(config, walk_line, &walk);
}

int cig_config_changes(const struct cig_config *before, const struct cig_config *after,
		       const struct cig_change_ops *ops, void *arg)
{
	struct lines old = { NULL, 0, 0, false }, new = { NULL, 0, 0, false };
	bool failed;

	gather_all(before, &old);
	gather_all(after, &new);
	failed = old.failed || new.failed;
	if (!failed) {
		/* First what the new side adds and changes, then what is gone: the order of the
		 * report. */
		tell_all(after, &old, true, ops, arg);
		tell_all(before, &new, false, ops, arg);
	}
	free(old.list);
	free(new.list);
	return failed ? -ENOMEM : 0;
}
