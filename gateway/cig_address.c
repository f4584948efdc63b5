/* cig_address.c - addresses of messages, from one side of the gateway to the other. */
#include <errno.h>
#include <string.h>

#include "gateway/cig_config.h"
#include "maps/explain.h"

static int translate(const struct translate_map *map, const char *side, struct slice address,
		     char out[TRANSLATE_MAX_RESULT], struct explain *explain)
{
	int result;

	explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL, "%s %.*s, by translate_map %s", side,
		    (int)address.n, (const char *)address.p, translate_map_name(map));
	result = translate_map_apply(map, address, out, TRANSLATE_MAX_RESULT, explain);
	if (result == 0)
		explain_add(explain, EXPLAIN_REJECT, NULL, NULL, NULL, "%s: no rule matches", side);
	return result;
}

int cig_translate_outward(const struct cig_address_maps *maps, struct slice from, struct slice to,
			  struct cig_addresses *addresses_out, struct explain *explain)
{
	int result = translate(maps->from, "From", from, addresses_out->from, explain);

	if (result == 1)
		result = translate(maps->to, "To", to, addresses_out->to, explain);
	return result == 0 || result == 1 ? result : -EILSEQ;
}

/* Brings a tel URI to its canonical form in place.  Returns 0 or -EINVAL. */
static int canonical(char text[TRANSLATE_MAX_RESULT])
{
	struct uri uri;

	if (uri_parse(slice_str(text), &uri, NULL) < 0 || uri_check_tel(uri.text, NULL) < 0)
		return -EINVAL;
	memcpy(text, uri.buf, uri.text.n + 1);
	return 0;
}

static int refuse(enum cig_address_side side, const char *why, struct cig_address_fault *fault_out,
		  struct explain *explain)
{
	explain_add(explain, EXPLAIN_REJECT, NULL, NULL, NULL, "%s", why);
	*fault_out = (struct cig_address_fault){ side, why };
	return 0;
}

int cig_translate_inward(const struct cig_address_maps *maps, struct slice own, struct slice from,
			 struct slice to, struct cig_addresses *addresses_out,
			 struct cig_address_fault *fault_out, struct explain *explain)
{
	if (translate(maps->from, "From", from, addresses_out->from, explain) != 1)
		return refuse(CIG_FROM, "no rule of map_from matches From", fault_out, explain);
	if (canonical(addresses_out->from) < 0)
		return refuse(CIG_FROM, "From does not become a tel URI", fault_out, explain);
	/* The gateway's own number and an extension, nothing else: whoever may write to a mailbox
	 * must not speak for another number of the secure domain. */
	if (!uri_same_number(slice_str(addresses_out->from), own))
		return refuse(CIG_FROM, "From becomes a tel URI that is not this gateway's",
			      fault_out, explain);
	if (translate(maps->to, "To", to, addresses_out->to, explain) != 1)
		return refuse(CIG_TO, "no rule of map_to matches To", fault_out, explain);
	if (canonical(addresses_out->to) < 0)
		return refuse(CIG_TO, "To does not become a tel URI", fault_out, explain);
	return 1;
}
