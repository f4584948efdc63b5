/* cig_lint.c - what is allowed in cig.conf and yet usually a slip. */
#include <string.h>

#include "gateway/cig_config_priv.h"

enum { SMALL_RANGE = 20, FIRST_PLAIN_PORT = 1024 };

static void check_names(const struct cig_names *names, const char *what, struct diag *diag)
{
	for (size_t i = 0; i < names->n; i++)
		if (!names->list[i].used)
			diag_warning(diag, &names->list[i].place, "%s %s is not used", what,
				     names->list[i].name);
}

static void check_range(const struct cig_interface *common, const char *name, struct diag *diag)
{
	const struct diag_place *place = &common->rtp.place;
	unsigned low = common->rtp.low, high = common->rtp.high;

	if (low == 0)
		return;
	if (low < FIRST_PLAIN_PORT)
		diag_warning(diag, place,
			     "%s: rtp_port_range %u %u: ports below 1024 need a privilege", name,
			     low, high);
	/* RFC 3550 11: RTP on an even port, RTCP on the next one. */
	if (low % 2 != 0)
		diag_warning(diag, place,
			     "%s: rtp_port_range %u %u begins odd: RTP takes even ports", name, low,
			     high);
	if (high - low + 1 < SMALL_RANGE)
		diag_warning(diag, place, "%s: rtp_port_range %u %u has room for %u calls", name,
			     low, high, (high - low + 1) / 2);
}

static void check_overlap(const struct cig_config *config, struct diag *diag)
{
	const struct cig_interface *tel = &config->tel.common, *sip = &config->sip.common;
	/* An address that is not set is any, and may be the other one. */
	bool apart = tel->bind_media[0] && sip->bind_media[0] &&
		     strcmp(tel->bind_media, sip->bind_media) != 0;

	if (apart || tel->rtp.low == 0 || sip->rtp.low == 0)
		return;
	if (tel->rtp.low <= sip->rtp.high && sip->rtp.low <= tel->rtp.high)
		diag_warning(diag, &sip->rtp.place,
			     "the rtp_port_range of tel (%u %u) and of sip (%u %u) overlap",
			     tel->rtp.low, tel->rtp.high, sip->rtp.low, sip->rtp.high);
}

static bool has_networks(const struct cig_config *config)
{
	for (size_t i = 0; i < config->pbx_count; i++)
		if (config->pbxs[i].network_count)
			return true;
	return false;
}

static void check_pbxs(const struct cig_config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->pbx_count; i++) {
		const struct cig_pbx *pbx = &config->pbxs[i];

		if (pbx->asserted_identity && pbx->network_count == 0)
			diag_warning(diag, &pbx->place,
				     "pbx %s: asserted_identity has no effect without \"network\"",
				     pbx->name);
	}
}

static void check_sip(const struct cig_config *config, const struct diag_place *place,
		      struct diag *diag)
{
	const struct cig_sip *sip = &config->sip;

	if (sip->port < FIRST_PLAIN_PORT)
		diag_warning(diag, place, "sip: port %u needs a privilege", sip->port);
	if (sip->trusted_count == 0 && !has_networks(config))
		diag_warning(diag, place,
			     "sip: everyone who reaches port %u may call in: name your PBX by "
			     "\"trusted\"",
			     sip->port);
	if (sip->messaging && config->write_mailbox_count + config->message_center_count == 0)
		diag_warning(diag, place,
			     "messaging is true without mailboxes: texts of secure callers go to "
			     "the SIP side only");
}

/* An address of submit_sm has at most 20 octets (SMPP 3.4, 5.2.8); a plus in front may be
 * left out.  What the parameters add is known with a text only. */
static void check_center_map(const struct cig_message_center *center,
			     const struct translate_map *map, struct diag *diag)
{
	for (size_t i = 0; i < translate_map_rules(map); i++)
		if (translate_map_least(map, i) > SMPP_ADDRESS_SIZE)
			diag_warning(diag, &center->place,
				     "smpp: rule %zu of translate_map %s gives more than the 20 "
				     "octets that an address has in SMPP: its texts are refused",
				     i + 1, translate_map_name(map));
}

static void check_centers(const struct cig_config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->message_center_count; i++) {
		const struct cig_message_center *center = &config->message_centers[i];

		if (!center->writes || !center->write.from || !center->write.to)
			continue; /* told already */
		check_center_map(center, center->write.from, diag);
		check_center_map(center, center->write.to, diag);
	}
}

static void check_listener(const char *name, const char *bind, const struct diag_place *place,
			   struct diag *diag)
{
	if (strcmp(bind, "127.0.0.1") != 0 && strcmp(bind, "::1") != 0)
		diag_warning(diag, place, "%s: %s is no loopback address", name, bind);
}

void cig_config_lint(const struct cig_build *b)
{
	const struct cig_config *config = &b->object->pub;
	struct diag_place place = { config->path, 0, 0 };
	bool calls = router_used_map(b->object->router, ROUTE_TEL, ROUTE_EXTENSION, 0) ||
		     router_used_map(b->object->router, ROUTE_SIP, ROUTE_EXTENSION, 0);

	router_check(b->object->router, b->diag);
	check_names(&b->translate_maps, "translate_map", b->diag);
	check_names(&b->accounts, "auth", b->diag);
	check_listener("control", config->control_bind, &place, b->diag);
	check_listener("metrics", config->metrics_bind, &place, b->diag);
	check_centers(config, b->diag);
	/* What follows is about calls; a gateway for texts alone is no slip. */
	if (!calls) {
		diag_warning(b->diag, &place,
			     "no interface has an extension map: no call is routed");
		return;
	}
	check_sip(config, &place, b->diag);
	check_pbxs(config, b->diag);
	check_range(&config->tel.common, "tel", b->diag);
	check_range(&config->sip.common, "sip", b->diag);
	check_overlap(config, b->diag);
}
