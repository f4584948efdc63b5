/* letter_text.c - the forms in which a letter travels on paper (docs/key-management.md "Text
 * form").
 *
 * A line's checksum covers its number, too: a line that is typed twice, or left out, is told as
 * soon as it is typed.
 */
#include "keys/letter_text.h"

#include <ctype.h>
#include <errno.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/encode.h"
#include "keys/kdf.h"
#include "keys/secret.h"

enum {
	GROUP = 4,      /* characters between blanks */
	SUM_OCTETS = 3, /* of SHA-256: one group */
	LINE_CHARS = LETTER_LINE_OCTETS / 3 * 4,
	LINES_MAX = (LETTER_OCTETS_MAX + LETTER_LINE_OCTETS - 1) / LETTER_LINE_OCTETS,
};

/* The checksum of a line: SHA-256(L("letter line"), number, L(octets)), cut. */
static void line_sum(unsigned number, struct slice octets, char out[GROUP + 1])
{
	const struct kdf_part parts[] = { kdf_text("letter line"), kdf_u8((uint8_t)number),
					  kdf_octets(octets) };
	uint8_t list[2 + 16 + 1 + 2 + LETTER_LINE_OCTETS + 1], hash[SHA256_DIGEST_LENGTH];
	struct buf b = BUF_OF(list);

	kdf_write(&b, parts, 3);
	SHA256(list, b.len, hash);
	base64_encode(BASE64_STANDARD, slice_of(hash, SUM_OCTETS), out);
	wipe(list, sizeof(list));
}

static void write_line(struct buf *b, unsigned number, struct slice octets)
{
	char text[BASE64_TEXT_SIZE(LETTER_LINE_OCTETS)], sum[GROUP + 1];

	base64_encode(BASE64_STANDARD, octets, text);
	line_sum(number, octets, sum);
	buf_printf(b, "%02u.", number);
	for (size_t i = 0; text[i]; i += GROUP)
		buf_printf(b, " %.4s", text + i);
	buf_printf(b, " : %s\n", sum);
	wipe(text, sizeof(text));
}

int letter_text_write(struct slice octets, char *out, size_t outsz)
{
	struct buf b = buf_over(out, outsz);
	unsigned number = 0;

	if (octets.n > LETTER_OCTETS_MAX)
		return -ENOBUFS;
	while (octets.n) {
		size_t n = octets.n < LETTER_LINE_OCTETS ? octets.n : LETTER_LINE_OCTETS;

		write_line(&b, ++number, slice_of(octets.p, n));
		octets = slice_from(octets, n);
	}
	return buf_ok(&b) ? 0 : -ENOBUFS;
}

/* Takes a number and its dot off the line's beginning, if they are there. */
static bool take_number(struct slice *line, unsigned *number_out)
{
	unsigned number = 0;
	size_t i = 0, digits = 0;

	while (i < line->n && isblank(line->p[i]))
		i++;
	/* Without the dot the digits are base64 of the line itself. */
	for (; i < line->n && isdigit(line->p[i]) && digits < 3; i++, digits++)
		number = number * 10 + (unsigned)(line->p[i] - '0');
	if (digits == 0 || i == line->n || line->p[i] != '.')
		return false;
	*line = slice_from(*line, i + 1);
	*number_out = number;
	return true;
}

int letter_text_line(struct slice line, unsigned number, uint8_t out[LETTER_LINE_OCTETS],
		     size_t *len_out)
{
	char chars[LINE_CHARS + GROUP + 1], sum[GROUP + 1];
	struct buf b = BUF_OF(chars);
	unsigned named = number;
	int err;

	if (take_number(&line, &named) && named != number)
		return -ERANGE;
	for (size_t i = 0; i < line.n; i++)
		if (!isspace(line.p[i]) && line.p[i] != ':')
			buf_put_char(&b, (char)line.p[i]);
	if (!buf_ok(&b) || b.len < 2 * GROUP || b.len % GROUP || number > LINES_MAX)
		return -EINVAL;
	err = base64_decode(BASE64_STANDARD, slice_of(chars, b.len - GROUP), out,
			    LETTER_LINE_OCTETS, len_out);
	if (!err) {
		line_sum(number, slice_of(out, *len_out), sum);
		if (!slice_eq_str(slice_from(buf_slice(&b), b.len - GROUP), sum))
			err = -EBADMSG;
	}
	wipe(chars, sizeof(chars));
	return err;
}

/* Takes the next line, without its newline; false at the end. */
static bool next_line(struct slice *rest, struct slice *line_out)
{
	const uint8_t *newline;

	if (rest->n == 0)
		return false;
	newline = memchr(rest->p, '\n', rest->n);
	*line_out = slice_of(rest->p, newline ? (size_t)(newline - rest->p) : rest->n);
	*rest = slice_from(*rest, line_out->n + 1);
	return true;
}

/* Appends the line that must be number to *len octets at out; 0 or -EBADMSG. */
static int append_line(struct slice line, unsigned number, uint8_t *out, size_t *len,
		       struct diag *diag)
{
	uint8_t octets[LETTER_LINE_OCTETS];
	size_t n = 0;
	int err = letter_text_line(line, number, octets, &n);

	if (!err && n > LETTER_OCTETS_MAX - *len)
		err = -EMSGSIZE;
	if (!err)
		memcpy(out + *len, octets, n);
	wipe(octets, sizeof(octets));
	*len += n;
	if (!err)
		return 0;
	diag_error(diag, NULL, "line %u of the letter is %s", number,
		   err == -ERANGE ? "missing" : "not right");
	return -EBADMSG;
}

/* Reads a file of lines.  Returns 1, 0 when there is no line of a letter in it,
 * or -EBADMSG. */
static int read_lines(struct slice content, uint8_t *out, size_t *len_out, struct diag *diag)
{
	unsigned number = 0, named;
	struct slice line, text;

	*len_out = 0;
	while (next_line(&content, &line)) {
		text = line;
		if (!take_number(&text, &named))
			continue;
		/* Only the last line may be short, and this one was not the last. */
		if (*len_out % LETTER_LINE_OCTETS) {
			diag_error(diag, NULL, "line %u of the letter is too short", number);
			return -EBADMSG;
		}
		if (append_line(line, ++number, out, len_out, diag))
			return -EBADMSG;
	}
	return number > 0;
}

/* A letter, plain or protected, or a certificate? */
static bool looks_right(const uint8_t *p, size_t n)
{
	return n >= 2 && (p[0] == 'L' || p[0] == 'T' || p[0] == 'C') && p[1] < ' ';
}

static bool read_base64(struct slice content, uint8_t *out, size_t *len_out)
{
	uint8_t chars[BASE64_TEXT_SIZE(LETTER_OCTETS_MAX)];
	struct buf b = BUF_OF(chars);
	bool ok;

	for (size_t i = 0; i < content.n; i++)
		if (!isspace(content.p[i]))
			buf_put_char(&b, (char)content.p[i]);
	ok = buf_ok(&b) &&
	     base64_decode(BASE64_STANDARD, buf_slice(&b), out, LETTER_OCTETS_MAX, len_out) == 0 &&
	     looks_right(out, *len_out);
	wipe(chars, sizeof(chars));
	return ok;
}

int letter_text_read(struct slice content, uint8_t out[LETTER_OCTETS_MAX], size_t *len_out,
		     struct diag *diag)
{
	struct slice trimmed = content;
	int found;

	if (looks_right(content.p, content.n) && content.n <= LETTER_OCTETS_MAX) {
		memcpy(out, content.p, content.n);
		*len_out = content.n;
		return 0;
	}
	found = read_lines(content, out, len_out, diag);
	if (found)
		return found < 0 ? found : 0;
	while (trimmed.n && (trimmed.p[trimmed.n - 1] == '\n' || trimmed.p[trimmed.n - 1] == '\r'))
		trimmed.n--;
	/* Base45 before base64: text of capitals and digits may be both, and looks_right()
	 * decides. */
	if (base45_decode(trimmed, out, LETTER_OCTETS_MAX, len_out) == 0 &&
	    looks_right(out, *len_out))
		return 0;
	if (read_base64(content, out, len_out))
		return 0;
	diag_error(diag, NULL, "there is no letter in this, or it is damaged");
	return -EBADMSG;
}
