/* alphabet.c - UTF-8 to GSM 7 bit, Latin-1, UCS2 and ASCII, and back; tables of 3GPP TS 23.038.
 *
 * A septet stands in an octet of its own: packing seven bits is the center's work.
 */
#include "smpp/alphabet.h"

#include <errno.h>

#include "base/text.h"

enum { ESCAPE = 0x1B, REPLACEMENT = 0xFFFD };

/* TS 23.038 6.2.1, by code. */
static const uint16_t gsm_main[128] = {
	0x0040, 0x00A3, 0x0024, 0x00A5, 0x00E8, 0x00E9, 0x00F9, 0x00EC, /* 00 */
	0x00F2, 0x00C7, 0x000A, 0x00D8, 0x00F8, 0x000D, 0x00C5, 0x00E5, /* 08 */
	0x0394, 0x005F, 0x03A6, 0x0393, 0x039B, 0x03A9, 0x03A0, 0x03A8, /* 10 */
	0x03A3, 0x0398, 0x039E, 0x0020, 0x00C6, 0x00E6, 0x00DF, 0x00C9, /* 18; 1B: the escape */
	0x0020, 0x0021, 0x0022, 0x0023, 0x00A4, 0x0025, 0x0026, 0x0027, /* 20 */
	0x0028, 0x0029, 0x002A, 0x002B, 0x002C, 0x002D, 0x002E, 0x002F, /* 28 */
	0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036, 0x0037, /* 30 */
	0x0038, 0x0039, 0x003A, 0x003B, 0x003C, 0x003D, 0x003E, 0x003F, /* 38 */
	0x00A1, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, /* 40 */
	0x0048, 0x0049, 0x004A, 0x004B, 0x004C, 0x004D, 0x004E, 0x004F, /* 48 */
	0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057, /* 50 */
	0x0058, 0x0059, 0x005A, 0x00C4, 0x00D6, 0x00D1, 0x00DC, 0x00A7, /* 58 */
	0x00BF, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067, /* 60 */
	0x0068, 0x0069, 0x006A, 0x006B, 0x006C, 0x006D, 0x006E, 0x006F, /* 68 */
	0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077, /* 70 */
	0x0078, 0x0079, 0x007A, 0x00E4, 0x00F6, 0x00F1, 0x00FC, 0x00E0, /* 78 */
};

/* 6.2.1.1; each stands behind an escape. */
static const struct {
	uint8_t code;
	uint16_t character;
} gsm_extension[] = {
	{ 0x0A, 0x000C }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2F, '\\' },
	{ 0x3C, '[' },    { 0x3D, '~' }, { 0x3E, ']' }, { 0x40, '|' }, { 0x65, 0x20AC },
};

enum { EXTENSIONS = sizeof(gsm_extension) / sizeof(gsm_extension[0]) };

const char *smpp_alphabet_name(enum smpp_alphabet alphabet)
{
	static const char *const names[SMPP_ALPHABETS] = { "gsm", "latin1", "ucs2", "ascii" };

	return names[alphabet];
}

/* ---- UTF-8 ----------------------------------------------------------------------- */

/* Takes a character; octets that are none yield U+FFFD, one at a time. */
static uint32_t take_char(struct slice *text)
{
	size_t n = text_char(*text);
	uint32_t c = text->p[0];

	if (n > 1) {
		/* The bits of the first octet that are the character's: 5, 4 or 3. */
		c &= 0xFFu >> (n + 1);
		for (size_t i = 1; i < n; i++)
			c = c << 6 | (text->p[i] & 0x3Fu);
	} else if (n == 0) {
		c = REPLACEMENT;
		n = 1;
	}
	*text = slice_of(text->p + n, text->n - n);
	return c;
}

static void put_char(struct buf *out, uint32_t c)
{
	/* Controls could disturb whoever shows the text; a NUL would end it. */
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') ||
	    (c >= 0x7F && c < 0xA0))
		c = REPLACEMENT;
	if (c < 0x80) {
		buf_put_u8(out, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		buf_put_u8(out, (uint8_t)(0xC0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_put_u8(out, (uint8_t)(0xE0 | c >> 12));
		} else {
			buf_put_u8(out, (uint8_t)(0xF0 | c >> 18));
			buf_put_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3F)));
		}
		buf_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
	}
	buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
}

/* ---- one character to an alphabet ------------------------------------------------ */

/* The code of c, with ESCAPE << 8 for one of the extension, or -1. */
static int gsm_code(uint32_t c)
{
	/* Letters, digits and most signs stand where ASCII has them. */
	if (c < 128 && c >= ' ' && gsm_main[c] == c)
		return (int)c;
	for (int i = 0; i < EXTENSIONS; i++)
		if (gsm_extension[i].character == c)
			return ESCAPE << 8 | gsm_extension[i].code;
	/* Linear: what is left are the letters of the main table that ASCII has not. */
	for (int i = 0; i < 128; i++)
		if (gsm_main[i] == c && i != ESCAPE)
			return i;
	return -1;
}

/* May c stand in a text of that alphabet? */
static bool has(enum smpp_alphabet alphabet, uint32_t c)
{
	switch (alphabet) {
	case SMPP_GSM:
		return gsm_code(c) >= 0;
	case SMPP_LATIN1:
		return c < 0x80 || (c >= 0xA0 && c <= 0xFF);
	case SMPP_ASCII:
		return c < 0x80;
	default:
		return true;
	}
}

static void put_encoded(enum smpp_alphabet alphabet, uint32_t c, struct buf *out)
{
	int code;

	if (alphabet == SMPP_UCS2) {
		if (c >= 0x10000) {
			buf_put_u16(out, (uint16_t)(0xD800 | (c - 0x10000) >> 10));
			c = 0xDC00 | (c & 0x3FF);
		}
		buf_put_u16(out, (uint16_t)c);
		return;
	}
	if (alphabet != SMPP_GSM) {
		buf_put_u8(out, (uint8_t)c);
		return;
	}
	code = gsm_code(c);
	/* Never -1: who writes has asked has(). */
	if (code >> 8)
		buf_put_u8(out, ESCAPE);
	buf_put_u8(out, (uint8_t)code);
}

size_t smpp_alphabet_encode(enum smpp_alphabet alphabet, struct slice text, struct buf *out)
{
	size_t lost = 0;

	while (text.n) {
		uint32_t c = take_char(&text);

		if (!has(alphabet, c)) {
			c = '?';
			lost++;
		}
		put_encoded(alphabet, c, out);
	}
	return lost;
}

bool smpp_alphabet_fits(enum smpp_alphabet alphabet, struct slice text)
{
	while (text.n)
		if (!has(alphabet, take_char(&text)))
			return false;
	return true;
}

enum smpp_alphabet smpp_alphabet_narrowest(enum smpp_alphabet standard, struct slice text)
{
	if (smpp_alphabet_fits(standard, text))
		return standard;
	return smpp_alphabet_fits(SMPP_LATIN1, text) ? SMPP_LATIN1 : SMPP_UCS2;
}

/* ---- data_coding ----------------------------------------------------------------- */

uint8_t smpp_alphabet_coding(enum smpp_alphabet alphabet, enum smpp_alphabet standard)
{
	static const uint8_t codings[SMPP_ALPHABETS] = { 0, 3, 8, 1 };

	return alphabet == standard ? 0 : codings[alphabet];
}

/* Bits 3 and 2 of the general groups of TS 23.038: the default alphabet, octets, UCS2. */
static int of_group(unsigned bits, enum smpp_alphabet *alphabet_out)
{
	if (bits != 0 && bits != 2)
		return -ENOTSUP;
	*alphabet_out = bits == 2 ? SMPP_UCS2 : SMPP_GSM;
	return 0;
}

int smpp_alphabet_of_coding(uint8_t coding, enum smpp_alphabet standard,
			    enum smpp_alphabet *alphabet_out)
{
	switch (coding) {
	case 0:
		*alphabet_out = standard;
		return 0;
	case 1:
		*alphabet_out = SMPP_ASCII;
		return 0;
	case 3:
		*alphabet_out = SMPP_LATIN1;
		return 0;
	case 8:
		*alphabet_out = SMPP_UCS2;
		return 0;
	default:
		break;
	}
	if (coding < 0x10) /* octets, and national alphabets */
		return -ENOTSUP;
	if (coding < 0x80 && !(coding & 0x20)) /* 00xx and 01xx, not compressed */
		return of_group(coding >> 2 & 3, alphabet_out);
	if (coding >= 0xF0) /* 1111: bit 2 tells octets from the default alphabet */
		return of_group(coding >> 2 & 1, alphabet_out);
	if (coding >= 0xC0) { /* message waiting: 1110 is UCS2, the others the default */
		*alphabet_out = coding >= 0xE0 ? SMPP_UCS2 : SMPP_GSM;
		return 0;
	}
	return -ENOTSUP;
}

/* ---- from an alphabet ------------------------------------------------------------ */

static void decode_gsm(struct slice octets, struct buf *out)
{
	for (size_t i = 0; i < octets.n; i++) {
		uint8_t code = octets.p[i];
		int k;

		if (code > 0x7F) {
			put_char(out, REPLACEMENT);
			continue;
		}
		if (code != ESCAPE) {
			put_char(out, gsm_main[code]);
			continue;
		}
		if (++i == octets.n) { /* an escape before nothing */
			put_char(out, REPLACEMENT);
			return;
		}
		for (k = 0; k < EXTENSIONS && gsm_extension[k].code != octets.p[i]; k++)
			;
		if (k < EXTENSIONS)
			put_char(out, gsm_extension[k].character);
		else
			put_char(out, octets.p[i] > 0x7F ? REPLACEMENT : gsm_main[octets.p[i]]);
	}
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xDC00 && unit < 0xE000;
}

static uint32_t unit_at(struct slice octets, size_t i)
{
	return (uint32_t)octets.p[i] << 8 | octets.p[i + 1];
}

static void decode_ucs2(struct slice octets, struct buf *out)
{
	size_t i = 0;

	while (i + 2 <= octets.n) {
		uint32_t unit = unit_at(octets, i);

		i += 2;
		if (is_high(unit) && i + 2 <= octets.n && is_low(unit_at(octets, i))) {
			unit = 0x10000 + ((unit & 0x3FF) << 10 | (unit_at(octets, i) & 0x3FF));
			i += 2;
		} else if (is_high(unit) || is_low(unit)) {
			unit = REPLACEMENT;
		}
		put_char(out, unit);
	}
	if (i < octets.n)
		put_char(out, REPLACEMENT);
}

void smpp_alphabet_decode(enum smpp_alphabet alphabet, struct slice octets, struct buf *out)
{
	if (alphabet == SMPP_GSM) {
		decode_gsm(octets, out);
		return;
	}
	if (alphabet == SMPP_UCS2) {
		decode_ucs2(octets, out);
		return;
	}
	for (size_t i = 0; i < octets.n; i++)
		put_char(out,
			 alphabet == SMPP_ASCII && octets.p[i] > 0x7F ? REPLACEMENT : octets.p[i]);
}

size_t smpp_alphabet_cut(enum smpp_alphabet alphabet, struct slice octets, size_t n)
{
	if (n >= octets.n)
		return octets.n;
	if (alphabet == SMPP_UCS2) {
		/* An odd length would end within a character. */
		n &= ~(size_t)1;
		if (n >= 2 && is_high(unit_at(octets, n - 2)))
			n -= 2;
	} else if (alphabet == SMPP_GSM && n && octets.p[n - 1] == ESCAPE) {
		/* Our own encoder writes no escape behind an escape. */
		n--;
	}
	return n;
}
