/* config_feed.c - passes a checked tree through libconfuse.
 *
 * libconfuse knows neither this grammar nor more than one error, so each statement
 * goes to it as a call on a line of its own, keyword('a','b'), and the line tells the
 * statement again.  In single quotes nothing is expanded but "\\" and "\'".
 */
#include "base/config_tree.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct feed {
	struct arena *arena;
	FILE *out;
	/* libconfuse tells a function its line and nothing else of where it stands: so the line
	 * is the key to the node. */
	struct config_node **line; /* line i + 1 of the output holds this node's words */
	size_t lines, room;
	size_t given, taken; /* statements */
	int err;
};

static void add_line(struct feed *feed, struct config_node *node)
{
	if (feed->lines == feed->room) {
		size_t room = feed->room ? 2 * feed->room : 256;
		struct config_node **line =
			realloc(feed->line, room * sizeof(struct config_node *));

		if (!line) {
			feed->err = -ENOMEM;
			return;
		}
		feed->line = line;
		feed->room = room;
	}
	feed->line[feed->lines++] = node;
	fputc('\n', feed->out);
}

/* "extension map" as libconfuse's identifier "extension_map". */
static char *identifier(const char *keyword)
{
	char *name = strdup(keyword);

	for (char *p = name; p && *p; p++)
		if (*p == ' ')
			*p = '_';
	return name;
}

static void put_name(struct feed *feed, const char *keyword)
{
	for (; *keyword; keyword++)
		fputc(*keyword == ' ' ? '_' : *keyword, feed->out);
}

static void put_words(struct feed *feed, const struct config_node *node)
{
	fputc('(', feed->out);
	for (size_t i = 0; i < node->words; i++) {
		struct slice text = node->word[i].text;

		fputs(i ? ",'" : "'", feed->out);
		for (size_t k = 0; k < text.n; k++) {
			if (text.p[k] == '\\' || text.p[k] == '\'')
				fputc('\\', feed->out);
			fputc(text.p[k], feed->out);
		}
		fputc('\'', feed->out);
	}
	fputc(')', feed->out);
	feed->given++;
}

/* A block's words travel as a first call "title(...)", for libconfuse compares section
 * titles one by one and merges sections of equal titles. */
static void put_node(struct feed *feed, struct config_node *node)
{
	put_name(feed, node->keyword->keyword);
	if (!(node->keyword->flags & CONFIG_BLOCK)) {
		put_words(feed, node);
		add_line(feed, node);
		return;
	}
	fputs(" {", feed->out);
	add_line(feed, NULL);
	fputs("title", feed->out);
	put_words(feed, node);
	add_line(feed, node);
}

/* The next node of the tree, depth first, without recursion; writes the "}" of the blocks that it
 * leaves.  The root has no keyword, so none is written for it. */
static struct config_node *next_in_order(struct feed *feed, struct config_node *node)
{
	if (node->first && node->sound)
		return node->first;
	for (;;) {
		if (node->keyword && node->keyword->flags & CONFIG_BLOCK && node->sound) {
			fputc('}', feed->out);
			add_line(feed, NULL);
		}
		if (!node->parent || node->next)
			return node->next;
		node = node->parent;
	}
}

static void put_tree(struct feed *feed, struct config_node *root)
{
	struct config_node *node = root->first;

	while (node && !feed->err) {
		if (node->sound)
			put_node(feed, node);
		else
			node->parent->damaged = true;
		node = next_in_order(feed, node);
	}
}

static bool same_words(const struct config_node *node, int argc, const char **argv)
{
	if ((size_t)argc != node->words)
		return false;
	for (size_t i = 0; i < node->words; i++)
		if (!slice_eq_str(node->word[i].text, argv[i]))
			return false;
	return true;
}

static struct config_word *take_words(struct feed *feed, const struct config_node *node,
				      const char **argv)
{
	/* One octet more, so that no words at all are not mistaken for no memory. */
	struct config_word *word = arena_alloc(feed->arena, node->words * sizeof(*word) + 1);

	for (size_t i = 0; word && i < node->words; i++) {
		word[i].text = arena_text(feed->arena, slice_str(argv[i]));
		word[i].place = node->word[i].place;
		word[i].quoted = node->word[i].quoted;
		if (!word[i].text)
			return NULL;
	}
	return word;
}

static void link_statement(struct config_node *node, struct config_statement *made)
{
	struct config_node *parent = node->parent;

	node->made = made;
	if (parent->made_last)
		parent->made_last->next = made;
	else
		parent->made->first = made;
	parent->made_last = made;
}

/* A libconfuse function: 0 lets it go on, which it always does. */
static int take_call(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct feed *feed = (struct feed *)(void *)opt->simple_value.ptr;
	size_t line = cfg->line > 0 ? (size_t)cfg->line - 1 : feed->lines;
	struct config_node *node = line < feed->lines ? feed->line[line] : NULL;
	struct config_statement *made;

	if (!node || !node->parent->made || !same_words(node, argc, argv))
		return 0; /* not counted as taken, so the feed fails */
	made = arena_alloc(feed->arena, sizeof(*made));
	if (!made) {
		feed->err = -ENOMEM;
		return 0;
	}
	made->keyword = node->keyword;
	made->place = node->place;
	made->words = node->words;
	made->damaged = node->damaged;
	made->word = take_words(feed, node, argv);
	if (!made->word)
		feed->err = -ENOMEM;
	link_statement(node, made);
	feed->taken++;
	return 0;
}

static void free_options(cfg_opt_t *options)
{
	for (cfg_opt_t *o = options; o && o->name; o++) {
		free((char *)(uintptr_t)o->name);
		free_options(o->subopts);
	}
	free(options);
}

static cfg_opt_t *make_options(struct feed *feed, const struct config_keyword *table, bool block);

/* Returns false when memory is out; the option is then as it was, without a name. */
static bool set_option(struct feed *feed, cfg_opt_t *option, const char *keyword,
		       const struct config_keyword *inside)
{
	cfg_opt_t *subopts = inside ? make_options(feed, inside, true) : NULL;
	char *name = identifier(keyword);
	cfg_opt_t section = CFG_SEC(name, subopts, CFGF_MULTI);
	cfg_opt_t function = CFG_FUNC(name, take_call);

	if (!name || (inside && !subopts)) {
		free(name);
		free_options(subopts);
		return false;
	}
	/* A function has no value, so its place carries our context to take_call(): libconfuse
	 * passes no argument of its own. */
	function.simple_value.ptr = (void **)(void *)feed;
	*option = inside ? section : function;
	return true;
}

/* The table in libconfuse's form, each block with its "title". */
static cfg_opt_t *make_options(struct feed *feed, const struct config_keyword *table, bool block)
{
	size_t n = 0, i = 0;
	cfg_opt_t *options;
	bool ok;

	while (table[n].keyword)
		n++;
	options = calloc(n + 2, sizeof(*options));
	ok = options && (!block || set_option(feed, &options[i++], "title", NULL));
	for (; ok && table->keyword; table++)
		ok = set_option(feed, &options[i++], table->keyword, table->inside);
	if (ok)
		return options;
	free_options(options);
	return NULL;
}

static void be_quiet(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

static void parse(struct feed *feed, const struct config_keyword *table, const char *text)
{
	cfg_opt_t *options = make_options(feed, table, false);
	cfg_t *cfg = options ? cfg_init(options, CFGF_NONE) : NULL;
	int err = -ENOMEM;

	if (cfg) {
		cfg_set_error_function(cfg, be_quiet);
		err = cfg_parse_buf(cfg, text) == CFG_SUCCESS ? 0 : -EINVAL;
		cfg_free(cfg);
	}
	free_options(options);
	if (!feed->err)
		feed->err = err;
}

int config_feed(struct arena *arena, struct config_node *root, const struct config_keyword *table,
		struct diag *diag)
{
	struct feed feed = { .arena = arena };
	char *text = NULL;
	size_t size = 0;

	root->made = arena_alloc(arena, sizeof(*root->made));
	feed.out = open_memstream(&text, &size);
	if (!feed.out || !root->made) {
		feed.err = -ENOMEM;
	} else {
		put_tree(&feed, root);
		if (fflush(feed.out) != 0)
			feed.err = -ENOMEM;
	}
	if (feed.out)
		fclose(feed.out);
	if (!feed.err)
		parse(&feed, table, text);
	/* Each statement that went in must have come out, with the same words: else libconfuse
	 * and we read the file differently, and neither can be trusted. */
	if (!feed.err && feed.taken != feed.given)
		feed.err = -EINVAL;
	if (feed.err == -EINVAL)
		diag_error(diag, NULL, "libconfuse took %zu of %zu statements", feed.taken,
			   feed.given);
	free(feed.line);
	free(text);
	return feed.err;
}
