/* note.c - the line, written and read; what it cannot hold is percent-encoded. */
#include "smpp/note.h"

#include <ctype.h>
#include <errno.h>

#include "base/encode.h"
#include "base/text.h"

static bool is_plain(uint8_t c)
{
	return isalnum(c) || c == '.' || c == '-' || c == '_' || c == '*' || c == '#';
}

/* What could end a word is written as %XX. */
static void put_word(struct buf *out, const char *word)
{
	for (; *word; word++) {
		if (is_plain((uint8_t)*word))
			buf_put_char(out, *word);
		else
			buf_printf(out, "%%%02X", (unsigned)(uint8_t)*word);
	}
}

int smpp_note_write(const struct smpp_note *note, char *out, size_t outsz)
{
	struct buf b = buf_over(out, outsz);

	buf_printf(&b, "%s %s %u %zu ", smpp_long_form_name(note->form),
		   smpp_alphabet_name(note->alphabet), note->reference, note->parts);
	put_word(&b, note->dest);
	buf_put_char(&b, ' ');
	for (size_t i = 0; i < note->parts; i++) {
		if (i)
			buf_put_char(&b, ',');
		if (note->part[i].taken)
			put_word(&b, note->part[i].id);
		else
			buf_put_char(&b, '~');
	}
	return buf_ok(&b) ? 0 : -ENOBUFS;
}

/* Takes the text before the next `end`, or all that is left. */
static struct slice take_until(struct slice *text, char end)
{
	const uint8_t *at = text->n ? memchr(text->p, end, text->n) : NULL;
	struct slice word = at ? slice_of(text->p, (size_t)(at - text->p)) : *text;

	*text = slice_from(*text, word.n + (at != NULL));
	return word;
}

static bool read_word(struct slice word, char *out, size_t outsz)
{
	struct buf b = buf_over(out, outsz);

	while (word.n) {
		uint8_t c = word.p[0];
		size_t n;

		if (c == '%') {
			if (word.n < 3 || hex_decode(slice_of(word.p + 1, 2), &c, 1, &n) || !c)
				return false;
			word = slice_from(word, 2);
		}
		buf_put_u8(&b, c);
		word = slice_from(word, 1);
	}
	return buf_ok(&b);
}

static bool read_names(struct slice form, struct slice alphabet, struct smpp_note *note)
{
	unsigned f = 0, a = 0;

	while (f < SMPP_LONG_FORMS && !slice_eq_str(form, smpp_long_form_name(f)))
		f++;
	while (a < SMPP_ALPHABETS && !slice_eq_str(alphabet, smpp_alphabet_name(a)))
		a++;
	note->form = (enum smpp_long_form)f;
	note->alphabet = (enum smpp_alphabet)a;
	return f < SMPP_LONG_FORMS && a < SMPP_ALPHABETS;
}

static bool read_ids(struct slice text, struct smpp_note *note)
{
	for (size_t i = 0; i < note->parts; i++) {
		struct slice word = take_until(&text, ',');

		note->part[i].taken = !slice_eq_str(word, "~");
		note->part[i].id[0] = '\0';
		if (note->part[i].taken &&
		    !read_word(word, note->part[i].id, sizeof(note->part[i].id)))
			return false;
	}
	/* As many ids as parts, and nothing behind them. */
	return text.n == 0;
}

int smpp_note_read(const char *text, struct smpp_note *note_out)
{
	struct slice rest = slice_str(text), form = take_until(&rest, ' '),
		     alphabet = take_until(&rest, ' ');
	unsigned long reference, parts;

	if (!read_names(form, alphabet, note_out) ||
	    !text_number(take_until(&rest, ' '), 0, 65535, &reference) ||
	    !text_number(take_until(&rest, ' '), 1, SMPP_MAX_SEGMENTS, &parts) ||
	    !read_word(take_until(&rest, ' '), note_out->dest, sizeof(note_out->dest)))
		return -EINVAL;
	note_out->reference = (uint16_t)reference;
	note_out->parts = parts;
	return read_ids(rest, note_out) ? 0 : -EINVAL;
}
