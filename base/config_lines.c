/* config_lines.c - files of one statement a line (crs.conf, crs-relay.conf).
 *
 * A line with a fault is told and left out, the others are kept: whoever reads the result can
 * still tell what is wrong with them.
 */
#include "base/config_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"

enum { MAX_FILE = 64 * 1024 * 1024, MAX_WORDS = 32, MAX_KNOWN = 64 };

struct config_lines {
	struct arena arena;
	const char *name;
	struct config_line *line;
	size_t lines, room;
};

/* One line while it is read. */
struct scan {
	struct config_lines *lines;
	struct diag *diag;
	struct slice text;
	size_t pos;
	unsigned number;
	struct config_word word[MAX_WORDS];
	size_t words;
	bool faulty;
};

/* Splits a line into words.  Faults are told and leave scan->faulty; the result is 0 or -ENOMEM. */
typedef int (*line_fn)(struct scan *scan);

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct diag_place place_at(const struct scan *scan, size_t pos)
{
	return (struct diag_place){ scan->lines->name, scan->number, (unsigned)pos + 1 };
}

static void fault(struct scan *scan, size_t pos, const char *text)
{
	struct diag_place place = place_at(scan, pos);

	diag_error(scan->diag, &place, "%s", text);
	scan->faulty = true;
}

static int add_word(struct scan *scan, size_t begin, size_t end, size_t pos, bool quoted)
{
	struct config_word *word = &scan->word[scan->words];

	if (scan->words == MAX_WORDS) {
		fault(scan, pos, "more than 32 words in a line");
		return 0;
	}
	word->text = arena_text(&scan->lines->arena, slice_of(scan->text.p + begin, end - begin));
	word->place = place_at(scan, pos);
	word->quoted = quoted;
	scan->words++;
	return word->text ? 0 : -ENOMEM;
}

/* Quotes protect blanks and nothing else: no escapes (crs.conf(5)). */
static int take_quoted(struct scan *scan)
{
	size_t start = scan->pos++, begin = scan->pos;
	uint8_t quote = scan->text.p[start];

	while (scan->pos < scan->text.n && scan->text.p[scan->pos] != quote)
		scan->pos++;
	if (scan->pos == scan->text.n) {
		fault(scan, start, "a closing quote is missing");
		return 0;
	}
	scan->pos++;
	if (scan->pos < scan->text.n && !blank(scan->text.p[scan->pos]))
		fault(scan, scan->pos, "a blank is missing behind the closing quote");
	return add_word(scan, begin, scan->pos - 1, start, true);
}

static int split_words(struct scan *scan)
{
	int err = 0;

	while (!err && !scan->faulty) {
		size_t begin;

		while (scan->pos < scan->text.n && blank(scan->text.p[scan->pos]))
			scan->pos++;
		if (scan->pos == scan->text.n)
			break;
		begin = scan->pos;
		if (scan->text.p[begin] == '"' || scan->text.p[begin] == '\'') {
			err = take_quoted(scan);
			continue;
		}
		while (scan->pos < scan->text.n && !blank(scan->text.p[scan->pos]))
			scan->pos++;
		err = add_word(scan, begin, scan->pos, begin, false);
	}
	return err;
}

static void trim(const struct scan *scan, size_t *begin, size_t *end)
{
	while (*begin < *end && blank(scan->text.p[*begin]))
		++*begin;
	while (*end > *begin && blank(scan->text.p[*end - 1]))
		--*end;
}

/* KEY=VALUE; blanks around both are dropped, and quotes around the value. */
static int split_pair(struct scan *scan)
{
	const uint8_t *p = scan->text.p, *equals = memchr(p, '=', scan->text.n);
	size_t key_begin = 0, key_end = equals ? (size_t)(equals - p) : 0;
	size_t begin = key_end + 1, end = scan->text.n;
	bool quoted;
	int err;

	trim(scan, &key_begin, &key_end);
	if (!equals || key_begin == key_end) {
		fault(scan, key_begin, "expected KEY=VALUE");
		return 0;
	}
	trim(scan, &begin, &end);
	/* Only a pair of quotes is taken off: a lone one may belong to the value. */
	quoted =
		end - begin >= 2 && (p[begin] == '"' || p[begin] == '\'') && p[end - 1] == p[begin];
	err = add_word(scan, key_begin, key_end, key_begin, false);
	if (err)
		return err;
	return add_word(scan, begin + quoted, end - quoted, begin, quoted);
}

static int keep_line(struct scan *scan)
{
	struct config_lines *lines = scan->lines;
	struct config_word *word;

	if (scan->faulty || scan->words == 0)
		return 0;
	if (lines->lines == lines->room) {
		size_t room = lines->room ? 2 * lines->room : 32;
		struct config_line *line = realloc(lines->line, room * sizeof(*line));

		if (!line)
			return -ENOMEM;
		lines->line = line;
		lines->room = room;
	}
	/* The texts are in the arena since add_word(); the array in scan ends with this line. */
	word = arena_alloc(&lines->arena, scan->words * sizeof(*word));
	if (!word)
		return -ENOMEM;
	memcpy(word, scan->word, scan->words * sizeof(*word));
	lines->line[lines->lines++] = (struct config_line){ word, scan->words };
	return 0;
}

static bool nothing_in(const struct scan *scan)
{
	size_t i = 0;

	while (i < scan->text.n && blank(scan->text.p[i]))
		i++;
	return i == scan->text.n || scan->text.p[i] == '#' ||
	       slice_starts(slice_from(scan->text, i), "//");
}

/* false: a control or what is no UTF-8. */
static bool printable(struct slice line)
{
	/* Tabs and the CR of a CR LF are blanks here; every other control is a fault. */
	while (line.n > 0) {
		const uint8_t *p = line.p;
		size_t n = 0;

		while (n < line.n && p[n] != '\t' && p[n] != '\r')
			n++;
		if (!text_is_clean(slice_of(p, n)))
			return false;
		line = slice_from(line, n + 1);
	}
	return true;
}

static int read_line(struct config_lines *lines, struct slice text, unsigned number, line_fn split,
		     struct diag *diag)
{
	struct scan scan = { .lines = lines, .diag = diag, .text = text, .number = number };
	int err;

	if (nothing_in(&scan))
		return 0;
	if (!printable(text))
		fault(&scan, 0, "control characters, or text that is not UTF-8");
	err = scan.faulty ? 0 : split(&scan);
	return err ? err : keep_line(&scan);
}

static int read_all(struct config_lines *lines, struct slice text, line_fn split, struct diag *diag)
{
	/* The byte order mark that some editors write. */
	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3);
	for (unsigned number = 1; text.n > 0; number++) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		int err = read_line(lines, slice_of(text.p, n), number, split, diag);

		if (err)
			return err;
		/* Behind the last line there is no newline: slice_from() stops at the end. */
		text = slice_from(text, n + 1);
	}
	return 0;
}

/* Reads into lines.  Returns 0, -EINVAL when a line is at fault, or -ENOMEM. */
static int fill(struct config_lines *lines, const char *name, struct slice text, line_fn split,
		struct diag *diag)
{
	size_t before = diag_reported(diag);
	int err;

	lines->name = arena_text(&lines->arena, slice_str(name));
	err = lines->name ? read_all(lines, text, split, diag) : -ENOMEM;
	return err || diag_reported(diag) == before ? err : -EINVAL;
}

static int parse(const char *name, struct slice text, line_fn split, struct diag *diag,
		 struct config_lines **lines_out)
{
	struct config_lines *lines = calloc(1, sizeof(*lines));
	struct diag *own = diag ? NULL : diag_new(); /* faults are counted in it */
	int err = -ENOMEM;

	if (lines && (diag || own))
		err = fill(lines, name, text, split, diag ? diag : own);
	diag_free(&own);
	if (err == -ENOMEM)
		config_lines_free(&lines);
	else
		*lines_out = lines;
	return err;
}

static int read_file(const char *path, line_fn split, struct diag *diag,
		     struct config_lines **lines_out)
{
	struct diag_place place = { path, 0, 0 };
	uint8_t *data;
	size_t size;
	int err = file_read(path, MAX_FILE, &data, &size);

	if (err) {
		diag_error(diag, &place, "cannot read: %s", strerror(-err));
		return err;
	}
	err = parse(path, slice_of(data, size), split, diag, lines_out);
	free(data);
	return err;
}

int config_lines_read(const char *path, struct diag *diag, struct config_lines **lines_out)
{
	return read_file(path, split_words, diag, lines_out);
}

int config_pairs_read(const char *path, struct diag *diag, struct config_lines **lines_out)
{
	return read_file(path, split_pair, diag, lines_out);
}

int config_lines_parse(const char *name, struct slice text, struct diag *diag,
		       struct config_lines **lines_out)
{
	return parse(name, text, split_words, diag, lines_out);
}

int config_pairs_parse(const char *name, struct slice text, struct diag *diag,
		       struct config_lines **lines_out)
{
	return parse(name, text, split_pair, diag, lines_out);
}

void config_lines_free(struct config_lines **linesp)
{
	struct config_lines *lines = *linesp;

	if (!lines)
		return;
	arena_free(&lines->arena);
	free(lines->line);
	free(lines);
	*linesp = NULL;
}

const struct config_line *config_lines_get(const struct config_lines *lines, size_t i)
{
	return i < lines->lines ? &lines->line[i] : NULL;
}

static const struct config_line_rule *find_rule(const struct config_line_rule *rules,
						const struct config_word *word, struct diag *diag)
{
	const char *known[MAX_KNOWN], *near;
	size_t n = 0;

	for (; rules->keyword; rules++) {
		if (strcmp(rules->keyword, word->text) == 0)
			return rules;
		if (n < MAX_KNOWN)
			known[n++] = rules->keyword;
	}
	near = suggest_near(word->text, known, n);
	diag_error(diag, &word->place,
		   near ? "unknown keyword \"%s\" (did you mean \"%s\"?)"
			: "unknown keyword \"%s\"",
		   word->text, near);
	return NULL;
}

/* Quadratic, but over the few lines of keywords that stand once only. */
static void check_repeat(const struct config_lines *lines, size_t at, struct diag *diag)
{
	const struct config_word *word = &lines->line[at].word[0];

	for (size_t i = 0; i < at; i++)
		if (strcmp(lines->line[i].word[0].text, word->text) == 0) {
			diag_error(diag, &word->place,
				   "\"%s\" is repeated: it stands in line %u, too", word->text,
				   lines->line[i].word[0].place.line);
			return;
		}
}

static void check_lines(const struct config_lines *lines, const struct config_line_rule *rules,
			struct diag *diag)
{
	for (size_t i = 0; i < lines->lines; i++) {
		const struct config_line *line = &lines->line[i];
		const struct config_line_rule *rule = find_rule(rules, &line->word[0], diag);
		size_t n = line->words - 1;

		if (!rule)
			continue;
		if (n < rule->min_words || n > rule->max_words)
			diag_error(diag,
				   &line->word[n > rule->max_words ? rule->max_words + 1 : 0].place,
				   "found %zu word%s, expected %s%s%s", n, n == 1 ? "" : "s",
				   rule->keyword, rule->usage[0] ? " " : "", rule->usage);
		if (rule->once)
			check_repeat(lines, i, diag);
	}
}

int config_lines_check(const struct config_lines *lines, const struct config_line_rule *rules,
		       struct diag *diag)
{
	struct diag *own = diag ? NULL : diag_new();
	size_t before = diag_reported(diag);
	int err = -ENOMEM;

	if (diag || own) {
		check_lines(lines, rules, diag ? diag : own);
		err = diag_reported(diag ? diag : own) > before ? -EINVAL : 0;
	}
	diag_free(&own);
	return err;
}
