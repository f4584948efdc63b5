/* fuzz_text.c - the small readers of texts from elsewhere: what they take they write
 * again, and read back as the same. */
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/net.h"
#include "base/text.h"
#include "keys/letter_text.h"
#include "keys/period.h"
#include "management/tsv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 2048 };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void try_encodings(struct slice text)
{
	static const enum base64_alphabet alphabets[] = { BASE64_STANDARD, BASE64_URL };
	uint8_t octets[TEXT_MAX];
	char again[BASE45_TEXT_SIZE(TEXT_MAX) + BASE64_TEXT_SIZE(TEXT_MAX)];
	size_t n;

	if (hex_decode(text, octets, sizeof(octets), &n) == 0)
		expect(n == text.n / 2);
	for (size_t i = 0; i < 2; i++) {
		if (base64_decode(alphabets[i], text, octets, sizeof(octets), &n))
			continue;
		base64_encode(alphabets[i], slice_of(octets, n), again);
		expect(slice_eq_str(text, again)); /* one spelling only */
	}
	if (base45_decode(text, octets, sizeof(octets), &n) == 0) {
		base45_encode(slice_of(octets, n), again);
		expect(slice_eq_str(text, again));
	}
}

static void try_addresses(const char *text)
{
	struct net_addr addr, back;
	struct net_block block;
	char out[NET_TEXT_SIZE];

	if (net_parse(text, 5060, &addr) == 0) {
		net_format(&addr, out);
		expect(net_parse(out, 0, &back) == 0 && net_equal(&addr, &back));
	}
	if (net_block_parse(text, &block) == 0)
		expect(net_block_contains(&block, &block.addr));
}

static void try_numbers(struct slice text)
{
	char out[PERIOD_TEXT_SIZE];
	unsigned long number = 7;
	int64_t month;

	if (text_number(text, 3, 900, &number))
		expect(number >= 3 && number <= 900);
	else
		expect(number == 7);
	if (period_parse(text, &month) == 0) {
		period_text(month, out);
		expect(slice_eq_str(text, out));
	}
}

/* A line of a spreadsheet. */
static void try_tsv(struct slice text)
{
	char reason[TSV_REASON_SIZE], *line = NULL;
	struct person person, back;
	size_t n = 0;
	FILE *to;

	if (tsv_read(text, &person, reason))
		return;
	to = open_memstream(&line, &n);
	expect(to != NULL);
	tsv_write(&person, to);
	fclose(to);
	expect(n > 0 && line[n - 1] == '\n');
	expect(tsv_read(slice_of(line, n - 1), &back, reason) == 0);
	expect(strcmp(person.uri, back.uri) == 0);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char copy[TEXT_MAX + 1];
	struct slice text = slice_of(data, size);

	if (size > TEXT_MAX)
		return 0;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	try_encodings(text);
	try_addresses(copy);
	try_numbers(text);
	try_tsv(text);
	return 0;
}
