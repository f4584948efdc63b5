/* config.c - reads a file and what it includes: text, tokens (config_lex.c), statements
 * (config_tree.c), libconfuse (config_feed.c), and out comes the tree in an arena.
 *
 * While it is read, tokens and nodes point into the files' octets, so these live until
 * config_feed() has copied what stays.
 */
#include "base/config.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_tree.h"
#include "base/file.h"

enum { MAX_INCLUDES = 1000 }; /* files in all */

struct config {
	struct arena arena;
	const struct config_statement *first;
	uint8_t *text; /* of the file, without what it includes; NULL: it was read from memory */
	size_t text_size;
};

/* A file that is being read, and the one that includes it. */
struct source {
	const struct source *outer;
	char path[PATH_MAX]; /* real path */
};

/* What reading needs only while it lasts: the files' octets. */
struct reader {
	struct config_builder builder;
	const struct source *source;
	uint8_t **data;    /* the first one is of the file itself */
	size_t first_size; /* of data[0] */
	size_t files;
};

static int keep_data(struct reader *reader, uint8_t *data, size_t size)
{
	uint8_t **grown = realloc(reader->data, (reader->files + 1) * sizeof(uint8_t *));

	if (!grown) {
		free(data);
		return -ENOMEM;
	}
	reader->data = grown;
	if (reader->files == 0)
		reader->first_size = size;
	grown[reader->files++] = data;
	return 0;
}

static int read_source(struct reader *reader, const char *path, const struct diag_place *place)
{
	struct config_builder *b = &reader->builder;
	uint8_t *data;
	size_t size;
	char *name;
	int err = file_read(path, CONFIG_MAX_FILE, &data, &size);

	if (err) {
		diag_error(b->diag, place, "cannot read %s: %s", path, strerror(-err));
		return err;
	}
	err = keep_data(reader, data, size);
	if (err)
		return err;
	name = arena_text(b->arena, slice_str(path));
	if (!name)
		return -ENOMEM;
	config_build_text(b, name, slice_of(data, size));
	return b->err;
}

/* The path a name means in a file that lies at from.  Returns 0 or -ENAMETOOLONG. */
static int resolve(const char *from, struct slice name, char *out, size_t outsz)
{
	const char *slash = strrchr(from, '/');
	size_t dir = name.n > 0 && name.p[0] == '/' ? 0 : slash ? (size_t)(slash - from) + 1 : 0;

	/* An absolute name, or one in a file without a folder, is taken as it stands. */
	if (dir + name.n >= outsz)
		return -ENAMETOOLONG;
	memcpy(out, from, dir);
	memcpy(out + dir, name.p, name.n);
	out[dir + name.n] = '\0';
	return 0;
}

/* Why a file must not be included here, or NULL. */
static const char *refuse_include(const struct reader *reader, const char *real)
{
	unsigned depth = 1;

	/* Only the files that are open just now: the same one twice, one behind the other, is
	 * allowed. */
	for (const struct source *s = reader->source; s; s = s->outer, depth++)
		if (strcmp(s->path, real) == 0)
			return "this file is being read already: the includes make a loop";
	if (depth > CONFIG_MAX_DEPTH)
		return "files include each other more than 8 deep";
	if (reader->files >= MAX_INCLUDES)
		return "more than 1,000 files";
	return NULL;
}

static void include_file(struct reader *reader, const char *path, const struct diag_place *place)
{
	struct config_builder *b = &reader->builder;
	struct source source = { .outer = reader->source };
	const char *why;

	if (!realpath(path, source.path)) {
		diag_error(b->diag, place, "cannot read \"%s\": %s", path, strerror(errno));
		return;
	}
	why = refuse_include(reader, source.path);
	if (why) {
		diag_error(b->diag, place, "%s", why);
		return;
	}
	reader->source = &source;
	/* Every other error was told and counted: the rest of the file is read on, for its
	 * faults. */
	if (read_source(reader, path, place) == -ENOMEM)
		b->err = -ENOMEM;
	reader->source = source.outer;
}

/* Every file that the pattern matches, in the order of their names, so that the order of
 * entries does not hang on the file system.  None at all is no fault: "conf.d" may be empty. */
static void include_all(struct reader *reader, const char *pattern, const struct diag_place *place)
{
	struct config_builder *b = &reader->builder;
	glob_t found = { 0 };
	int err = glob(pattern, GLOB_ERR, NULL, &found);

	if (err == GLOB_NOSPACE)
		b->err = -ENOMEM;
	else if (err && err != GLOB_NOMATCH)
		diag_error(b->diag, place, "cannot read the directory of \"%s\": %s", pattern,
			   strerror(errno));
	for (size_t i = 0; !err && !b->err && i < found.gl_pathc; i++)
		include_file(reader, found.gl_pathv[i], place);
	globfree(&found);
}

static void include(struct config_builder *b, const struct config_token *name, void *arg)
{
	struct reader *reader = arg;
	char path[PATH_MAX];

	if (!reader->source)
		diag_error(b->diag, &name->place, "\"include\" needs a file to stand in");
	else if (resolve(name->place.file, name->text, path, sizeof(path)) < 0)
		diag_error(b->diag, &name->place, "cannot read \"%.*s\": %s", (int)name->text.n,
			   (const char *)name->text.p, strerror(ENAMETOOLONG));
	else if (strpbrk(path, "*?["))
		include_all(reader, path, &name->place);
	else
		include_file(reader, path, &name->place);
}

/* Makes the result of what the builder holds; frees what reading needed. */
static int finish(struct reader *reader, struct config *config, struct config_node *root, int err,
		  const struct config_keyword *table, struct config **config_out)
{
	struct diag *diag = reader->builder.diag;

	if (!err)
		err = config_feed(&config->arena, root, table, diag);
	for (size_t i = 1; i < reader->files; i++)
		free(reader->data[i]);
	/* Of the file itself they stay: whoever wants to keep it must not read another one. */
	if (reader->files) {
		config->text = reader->data[0];
		config->text_size = reader->first_size;
	}
	free(reader->data);
	if (err) {
		config_free(&config);
		return err;
	}
	config->first = root->made->first;
	*config_out = config;
	return 0;
}

/* text.p NULL: the file at path is read; else path is only a name for messages. */
static int build_told(const char *path, struct slice text, const struct config_keyword *table,
		      struct diag *diag, struct config **config_out)
{
	struct config *config = calloc(1, sizeof(*config));
	struct reader reader = { 0 };
	struct source source = { 0 };
	struct diag_place place = { path, 0, 0 };
	size_t before = diag_reported(diag);
	struct config_node *root;
	const char *name;
	int err = 0;

	if (!config)
		return -ENOMEM;
	reader.builder = (struct config_builder){
		.arena = &config->arena, .diag = diag, .include = include, .arg = &reader
	};
	root = config_build_root(&reader.builder, table);
	name = arena_text(&config->arena, slice_str(path));
	if (!root || !name) {
		err = -ENOMEM;
	} else if (text.p) {
		config_build_text(&reader.builder, name, text);
		err = reader.builder.err;
	} else {
		if (realpath(path, source.path))
			reader.source = &source;
		err = read_source(&reader, path, &place);
		/* One that was cut to nothing, by a full disk, say, must not become what is live.
		 */
		if (!err && !root->first && diag_reported(diag) == before)
			diag_error(diag, &place, "there is no statement in this file");
	}
	err = finish(&reader, config, root, err, table, config_out);
	if (!err && diag_reported(diag) > before)
		err = -EINVAL;
	return err;
}

static int build(const char *path, struct slice text, const struct config_keyword *table,
		 struct diag *diag, struct config **config_out)
{
	struct diag *own = diag ? NULL : diag_new(); /* faults are counted in it */
	int err = -ENOMEM;

	*config_out = NULL;
	if (diag || own)
		err = build_told(path, text, table, diag ? diag : own, config_out);
	diag_free(&own);
	return err;
}

int config_read(const char *path, const struct config_keyword *table, struct diag *diag,
		struct config **config_out)
{
	return build(path, (struct slice){ NULL, 0 }, table, diag, config_out);
}

int config_parse(const char *name, struct slice text, const struct config_keyword *table,
		 struct diag *diag, struct config **config_out)
{
	return build(name, text.p ? text : slice_str(""), table, diag, config_out);
}

void config_free(struct config **configp)
{
	struct config *config = *configp;

	if (!config)
		return;
	arena_free(&config->arena);
	free(config->text);
	free(config);
	*configp = NULL;
}

const struct config_statement *config_first(const struct config *config)
{
	return config->first;
}

int config_take_text(struct config *config, uint8_t **text_out, size_t *n_out)
{
	if (!config->text)
		return -ENODATA;
	*text_out = config->text;
	*n_out = config->text_size;
	config->text = NULL;
	return 0;
}
