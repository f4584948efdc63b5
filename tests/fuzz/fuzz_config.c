/* fuzz_config.c - configuration text of any kind must give a tree or faults; what
 * the checks find sound must pass through libconfuse unchanged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/config_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config_keyword inner[] = {
	{ "entry", 1, 3, 0, "NAME [A B]", NULL, NULL },
	{ "extension map", 1, 1, 0, "NAME", NULL, NULL },
	{ "rtp_port_range", 2, 2, CONFIG_ONCE, "LOW HIGH", NULL, NULL },
	{ "map_from", 1, 1, 0, "NAME", NULL, "translate_map" },
	{ 0 },
};
static const struct config_keyword middle[] = {
	{ "tel", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", inner, NULL },
	{ "sip", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", inner, NULL },
	{ 0 },
};
static const struct config_keyword table[] = {
	{ "map", 1, 1, CONFIG_BLOCK, "NAME", inner, NULL },
	{ "interfaces", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", middle, NULL },
	{ "user", 1, 1, 0, "TEXT", NULL, NULL },
	{ 0 },
};

static void check_tree(const struct config_statement *s)
{
	for (; s; s = s->next) {
		if (s->words < s->keyword->min_words || s->words > s->keyword->max_words)
			abort();
		for (size_t i = 0; i < s->words; i++)
			if (strchr(s->word[i].text, '\n'))
				abort();
		check_tree(s->first);
	}
}

static void check_diag(const struct diag *diag)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		if (strncmp(item.text, "libconfuse", 10) == 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_line_rule rules[] = {
		{ "key", 1, 1, "SECRET", true },
		{ "keep-alive", 3, 4, "WHO tcp|ws INTERVAL [GRACE]", false },
		{ 0 },
	};
	struct diag *diag = diag_new();
	struct config_lines *lines = NULL;
	struct config *config = NULL;

	config_parse("fuzz", slice_of(data, size), table, diag, &config);
	check_diag(diag);
	if (config)
		check_tree(config_first(config));
	config_free(&config);
	config_lines_parse("fuzz", slice_of(data, size), diag, &lines);
	if (lines)
		config_lines_check(lines, rules, diag);
	config_lines_free(&lines);
	config_pairs_parse("fuzz", slice_of(data, size), diag, &lines);
	config_lines_free(&lines);
	diag_free(&diag);
	return 0;
}
