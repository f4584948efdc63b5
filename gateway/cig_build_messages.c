/* cig_build_messages.c - cig.conf's mailboxes and message centers. */
#include "gateway/cig_config_priv.h"

#include <string.h>

/* Used or not is for the lint; unknown is told here. */
static const struct translate_map *find_map(struct cig_build *b, const struct config_word *word)
{
	int i = cig_names_use(&b->translate_maps, "translate_map", word, b->diag);

	return i < 0 ? NULL : b->object->translate_maps[i];
}

bool cig_build_map(struct cig_build *b, const struct config_statement *s,
		   struct cig_address_maps *maps, unsigned *seen)
/* Which of the two stood, in one word: told as missing by cig_check_maps(). */
{
	if (cig_is(s, "map_from")) {
		maps->from = find_map(b, &s->word[0]);
		*seen |= 1;
		return true;
	}
	if (cig_is(s, "map_to")) {
		maps->to = find_map(b, &s->word[0]);
		*seen |= 2;
		return true;
	}
	return false;
}

void cig_check_maps(struct cig_build *b, const struct config_statement *s, unsigned seen)
{
	if (!(seen & 1) && cig_lacks(s, "map_from"))
		diag_error(b->diag, &s->place, "%s: \"map_from translate_map NAME;\" is missing",
			   s->keyword->keyword);
	if (!(seen & 2) && cig_lacks(s, "map_to"))
		diag_error(b->diag, &s->place, "%s: \"map_to translate_map NAME;\" is missing",
			   s->keyword->keyword);
}

static const struct cig_mailbox *find_mailbox(const struct cig_mailbox *list, size_t n,
					      const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].path, path) == 0)
			return &list[i];
	return NULL;
}

/* A mailbox is there once: what is written must not be read back. */
static void check_path(struct cig_build *b, const struct config_word *word)
{
	const struct cig_config *pub = &b->object->pub;
	const struct cig_mailbox *other =
		find_mailbox(pub->read_mailboxes, pub->read_mailbox_count, word->text);

	if (!other)
		other = find_mailbox(pub->write_mailboxes, pub->write_mailbox_count, word->text);
	if (other)
		diag_error(b->diag, &word->place, "the mailbox of %s:%u has this path already",
			   other->place.file, other->place.line);
	if (word->text[0] != '/')
		diag_error(b->diag, &word->place, "found \"%s\", expected an absolute path",
			   word->text);
}

static void add_mailbox(struct cig_build *b, const struct config_statement *s)
{
	struct cig_config *pub = &b->object->pub;
	struct cig_mailbox mailbox = { .place = cig_keep_place(b, &s->place) }, *list;
	bool reads = cig_is(s, "read");
	unsigned seen = 0;

	for (const struct config_statement *c = s->first; c; c = c->next) {
		if (cig_build_map(b, c, &mailbox.maps, &seen))
			continue;
		check_path(b, &c->word[0]);
		mailbox.path = cig_keep_text(b, c->word[0].text);
	}
	cig_check_maps(b, s, seen);
	if (!mailbox.path) {
		if (cig_lacks(s, "path"))
			diag_error(b->diag, &s->place, "%s: \"path\" is missing",
				   s->keyword->keyword);
		return;
	}
	list = reads ? cig_grow(b, pub->read_mailboxes, &pub->read_mailbox_count, sizeof(*list))
		     : cig_grow(b, pub->write_mailboxes, &pub->write_mailbox_count, sizeof(*list));
	if (!list)
		return;
	list[(reads ? pub->read_mailbox_count : pub->write_mailbox_count) - 1] = mailbox;
	*(reads ? &pub->read_mailboxes : &pub->write_mailboxes) = list;
}

void cig_build_messages(struct cig_build *b, const struct config_statement *s)
{
	for (; s; s = s->next) {
		bool mailboxes = cig_is(s, "mailboxes");

		if (!mailboxes && !cig_is(s, "message_centers"))
			continue;
		for (const struct config_statement *c = s->first; c && !b->err; c = c->next) {
			if (mailboxes)
				add_mailbox(b, c);
			else
				cig_build_center(b, c);
		}
	}
}
