#include "tests/unit.h"

#include <stdlib.h>

#include "tests/gateway/played_pbxs.h"

struct pbx_search *pbxs_search(struct pbxs *pbxs, const struct sip_target *target,
			       pbx_search_fn *done, void *arg)
{
	struct pbx_search *search;

	if (pbxs->host)
		assert_string_equal(target->host, pbxs->host);
	/* A test may let it run out of memory, too. */
	search = pbxs->no_memory ? NULL : calloc(1, sizeof(*search));
	if (!search)
		return NULL;
	assert_null(pbxs->waiting);
	*search = (struct pbx_search){ pbxs, done, arg };
	pbxs->waiting = search;
	return search;
}

void pbxs_cancel(struct pbx_search **searchp)
{
	if (!*searchp)
		return;
	(*searchp)->of->waiting = NULL;
	free(*searchp);
	*searchp = NULL;
}

void pbxs_met(struct pbxs *pbxs, const struct pbx_way *way, unsigned code, unsigned retry_after_s)
{
	(void)way;
	(void)retry_after_s;
	pbxs->met = code;
}

struct pbx_search *played_pbxs_take(struct pbxs *pbxs)
{
	struct pbx_search *search = pbxs->waiting;

	pbxs->waiting = NULL;
	return search;
}
