/* encode.c - hexadecimal and base64 (RFC 4648), strict where they are read.
 *
 * Not in constant time: keys pass here in letters and files only, where nobody measures.
 */
#include "base/encode.h"

#include <errno.h>

static const char *const alphabets[] = {
	[BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	[BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void hex_encode(struct slice in, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		*out++ = digits[in.p[i] >> 4];
		*out++ = digits[in.p[i] & 15];
	}
	*out = '\0';
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(struct slice in, uint8_t *out, size_t cap, size_t *len_out)
{
	/* Half an octet is a typing mistake, not a zero. */
	if (in.n % 2)
		return -EINVAL;
	if (in.n / 2 > cap)
		return -ENOBUFS;
	for (size_t i = 0; i < in.n; i += 2) {
		int hi = hex_value(in.p[i]), lo = hex_value(in.p[i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	*len_out = in.n / 2;
	return 0;
}

void base64_encode(enum base64_alphabet alphabet, struct slice in, char *out)
{
	const char *digits = alphabets[alphabet];
	size_t i = 0;

	for (; i + 3 <= in.n; i += 3) {
		uint32_t v = (uint32_t)in.p[i] << 16 | (uint32_t)in.p[i + 1] << 8 | in.p[i + 2];

		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = digits[v >> 6 & 63];
		*out++ = digits[v & 63];
	}
	if (i < in.n) {
		/* The last one or two octets become two or three digits. */
		bool two = in.n - i == 2;
		uint32_t v = (uint32_t)in.p[i] << 16 | (two ? (uint32_t)in.p[i + 1] << 8 : 0);

		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		if (two)
			*out++ = digits[v >> 6 & 63];
		else if (alphabet == BASE64_STANDARD)
			*out++ = '=';
		if (alphabet == BASE64_STANDARD)
			*out++ = '=';
	}
	*out = '\0';
}

static int base64_value(enum base64_alphabet alphabet, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (uint8_t)alphabets[alphabet][62])
		return 62;
	if (c == (uint8_t)alphabets[alphabet][63])
		return 63;
	return -1;
}

int base64_decode(enum base64_alphabet alphabet, struct slice in, uint8_t *out, size_t cap,
		  size_t *len_out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	if (alphabet == BASE64_STANDARD) {
		if (in.n % 4)
			return -EINVAL;
		/* More than two "=" are left in and refused as digits. */
		for (int pad = 0; pad < 2 && in.n && in.p[in.n - 1] == '='; pad++)
			in.n--;
	}
	/* One digit has six bits: not even an octet.  Without padding (RFC 4648 section 5) only
	 * this tells. */
	if (in.n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < in.n; i++) {
		int v = base64_value(alphabet, in.p[i]);

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return -ENOBUFS;
		out[n++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	/* What is left of the last digit must be 0, so that each octet string has one text only
	 * (RFC 4648 section 3.5). */
	if (bits)
		return -EINVAL;
	*len_out = n;
	return 0;
}
