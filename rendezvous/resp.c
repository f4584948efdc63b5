/* resp.c - Redis's replies. */
#include "rendezvous/resp.h"

#include <errno.h>

enum {
	LINE_MAX_OCTETS = 64 * 1024, /* of a status, an error or a length */
	TEXT_MAX_OCTETS = 512 << 20, /* Redis's own limit */
	END_OCTETS = 2,              /* CR LF */
};

/* The line at the beginning of octets, without its end.  Returns as resp_take(). */
static int take_line(struct slice *octets, struct slice *line_out)
{
	size_t n = octets->n < LINE_MAX_OCTETS ? octets->n : LINE_MAX_OCTETS;
	const uint8_t *end = n ? memchr(octets->p, '\r', n) : NULL;

	if (!end)
		return octets->n < LINE_MAX_OCTETS ? 0 : -EBADMSG;
	*line_out = slice_of(octets->p, (size_t)(end - octets->p));
	if (octets->n - line_out->n < END_OCTETS)
		return 0;
	if (end[1] != '\n')
		return -EBADMSG;
	*octets = slice_from(*octets, line_out->n + END_OCTETS);
	return 1;
}

/* Digits, perhaps behind a minus sign. */
static bool read_number(struct slice text, int64_t *number_out)
{
	bool negative = text.n > 0 && text.p[0] == '-';
	uint64_t number = 0;

	if (negative)
		text = slice_from(text, 1);
	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.p[i] - '0');
	}
	*number_out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

/* The line that begins a text is taken; its octets and CR LF follow. */
static int take_text(struct slice *rest, struct resp_value *value)
{
	size_t n = (size_t)value->number;

	if (value->number > TEXT_MAX_OCTETS)
		return -EBADMSG;
	if (rest->n < n + END_OCTETS)
		return 0;
	if (rest->p[n] != '\r' || rest->p[n + 1] != '\n')
		return -EBADMSG;
	value->text = slice_of(rest->p, n);
	*rest = slice_from(*rest, n + END_OCTETS);
	return 1;
}

int resp_take(struct slice *octets, struct resp_value *value_out)
{
	struct slice rest = *octets, line;
	int ready = take_line(&rest, &line);

	if (ready <= 0)
		return ready;
	if (line.n == 0)
		return -EBADMSG;
	*value_out = (struct resp_value){ .kind = (enum resp_kind)line.p[0] };
	value_out->text = slice_from(line, 1);
	switch (value_out->kind) {
	case RESP_STATUS:
	case RESP_ERROR:
		break;
	case RESP_NUMBER:
	case RESP_TEXT:
	case RESP_LIST:
		if (!read_number(value_out->text, &value_out->number))
			return -EBADMSG;
		value_out->text = slice_of(NULL, 0);
		break;
	default:
		return -EBADMSG;
	}
	if (value_out->kind == RESP_TEXT || value_out->kind == RESP_LIST) {
		if (value_out->number < -1 ||
		    (value_out->kind == RESP_LIST && value_out->number > RESP_LIST_MAX))
			return -EBADMSG;
		value_out->none = value_out->number == -1;
		if (value_out->none)
			value_out->number = 0;
		else if (value_out->kind == RESP_TEXT)
			ready = take_text(&rest, value_out);
	}
	if (ready > 0)
		*octets = rest;
	return ready;
}

int resp_whole(struct resp_scan *scan, struct slice octets, size_t *n_out)
{
	if (scan->at == 0)
		scan->left = 1;
	while (scan->left > 0) {
		struct slice rest = slice_from(octets, scan->at);
		struct resp_value value;
		int ready = resp_take(&rest, &value);

		if (ready <= 0)
			return ready;
		scan->left--;
		if (value.kind == RESP_LIST)
			scan->left += (uint64_t)value.number;
		if (scan->left > RESP_LIST_MAX)
			return -EBADMSG;
		scan->at = octets.n - rest.n;
	}
	*n_out = scan->at;
	return 1;
}

bool resp_take_whole(struct slice *octets, struct slice *whole_out)
{
	struct resp_scan scan = { 0 };
	size_t n;

	if (resp_whole(&scan, *octets, &n) <= 0)
		return false;
	*whole_out = slice_of(octets->p, n);
	*octets = slice_from(*octets, n);
	return true;
}
