/* address.c - addresses of a configuration as SMPP's type, plan and digits, and back. */
#include "smpp/address.h"

#include <errno.h>

#include "base/buf.h"

enum {
	TON_UNKNOWN = 0,
	TON_INTERNATIONAL = 1,
	TON_ALPHANUMERIC = 5,
	NPI_UNKNOWN = 0,
	NPI_E164 = 1,
	ALPHANUMERIC_MAX = 11, /* what fits into the 10 octets of TS 23.040, 9.1.2.5 */
};

static bool all_in(struct slice text, const char *set)
{
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || !strchr(set, text.p[i]))
			return false;
	return text.n > 0;
}

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}

int smpp_address_from_text(struct slice text, const struct smpp_address_rule *rule,
			   struct smpp_address *address_out)
{
	struct smpp_address a = { TON_UNKNOWN, NPI_UNKNOWN, "" };

	/* C-octet strings of ASCII (3.1): nothing else can be sent at all. */
	if (!text.n || !is_printable(text))
		return -EINVAL;
	if (text.p[0] == '+' && all_in(slice_from(text, 1), "0123456789")) {
		a.ton = TON_INTERNATIONAL;
		a.npi = NPI_E164;
		if (!rule || !rule->keep_plus)
			text = slice_from(text, 1);
	} else if (all_in(text, "0123456789*#")) {
		a.npi = NPI_E164;
	} else if (text.n <= ALPHANUMERIC_MAX) {
		a.ton = TON_ALPHANUMERIC;
	}
	/* Behind the plus that is not sent: 20 digits fit. */
	if (text.n >= sizeof(a.text))
		return -E2BIG;
	memcpy(a.text, text.p, text.n);
	a.text[text.n] = '\0';
	/* The center's rule counts last: it knows what its operator wants to see. */
	if (rule && rule->ton >= 0)
		a.ton = (uint8_t)rule->ton;
	if (rule && rule->npi >= 0)
		a.npi = (uint8_t)rule->npi;
	*address_out = a;
	return 0;
}

int smpp_address_to_text(const struct smpp_endpoint *endpoint, char *out, size_t outsz)
{
	struct slice addr = endpoint->addr;
	struct buf b = buf_over(out, outsz);

	if (endpoint->ton == TON_INTERNATIONAL && addr.n && addr.p[0] != '+')
		buf_put_char(&b, '+');
	for (size_t i = 0; i < addr.n; i++)
		buf_put_u8(&b, addr.p[i] < ' ' || addr.p[i] > '~' ? '?' : addr.p[i]);
	return buf_ok(&b) ? 0 : -ENOBUFS;
}
