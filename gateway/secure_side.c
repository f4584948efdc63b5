/* secure_side.c - the gateway as a client of the rendezvous: keys, link, what must
 * not be taken twice.  Events are handed on to the server, which knows calls and
 * texts. */
#include "gateway/secure_side.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/timer.h"
#include "build-config.h"
#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/key_ring.h"
#include "keys/keyset.h"
#include "keys/period.h"
#include "keys/replay.h"
#include "umsg/client_ring.h"
#include "umsg/link.h"
#include "umsg/seen.h"
#include "umsg/upgrade.h"

#define MODULE "umsg"

enum { REPLAY_ENTRIES = 100000, SEEN_ENTRIES = 1000000 };

struct secure_side {
	struct event_base *base;
	const struct cig_config *config;
	const struct secure_side_ops *ops;
	void *arg;
	struct curves *curves;
	struct link_context *links;
	struct replay *replay;
	struct umsg_seen *seen;
	struct key_ring *ring; /* NULL: no keys yet */
	struct umsg_client *client;
	struct event *hour;
	struct log_limit refusals; /* of pins that would change */
	char why[UMSG_TEXT_SIZE];  /* of the last state */
};

/* ---- events of the client ---- */

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	struct secure_side *side = arg;

	snprintf(side->why, sizeof(side->why), "%s", text);
	log_info(MODULE, "%s %s%s%s", umsg_state_name(state),
		 side->client ? umsg_client_address(side->client) : "", *text ? ": " : "", text);
	if (state != UMSG_ATTACHED)
		return;
	/* CIG-023: a rendezvous without extensions is one of another version, and with that
	 * there is no connection. */
	log_info(MODULE, "the rendezvous speaks %s: calls and texts carry extensions",
		 UPGRADE_PROTOCOL);
	side->ops->attached(side->arg);
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct secure_side *side = arg;

	side->ops->incoming(side->arg, call);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct secure_side *side = arg;

	side->ops->call(side->arg, call, event);
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct secure_side *side = arg;

	side->ops->message(side->arg, message);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	struct secure_side *side = arg;

	side->ops->post_ack(side->arg, id, error, text, retry_after_s);
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	struct secure_side *side = arg;

	return side->ops->receipt(side->arg, from, id, state, reason);
}

/* Who the client is, and how many calls it may have. */
static void announce_client(struct secure_side *side)
{
	side->ops->client(side->arg, side->client, keystore_uri(side->ring->store),
			  keystore_engines(side->ring->store));
}

static enum umsg_update_outcome on_update(void *arg, int64_t month, uint32_t revision,
					  struct slice entry, struct slice shared)
{
	struct secure_side *side = arg;
	/* The ring may be another one afterwards, and with it the text of the URI that others
	 * hold. */
	bool taken = client_ring_update(&side->ring, side->client, month, revision, entry, shared);

	announce_client(side);
	return taken ? UMSG_UPDATE_APPLIED : UMSG_UPDATE_REFUSED;
}

static void on_accepted(void *arg, const char *address, const char *identity)
{
	struct secure_side *side = arg;

	client_ring_accepted(&side->ring, side->client, address, identity);
	announce_client(side); /* its URI lies in the ring */
}

/* ---- other domains ---- */

static void on_met(void *arg, const char *uri, const uint8_t *domain_id)
{
	const struct secure_side *side = arg;

	client_ring_met(side->ring, uri, domain_id);
}

static const char *id_text(const uint8_t *id, char out[DOMAIN_ID_TEXT])
{
	hex_encode(slice_of(id, DOMAIN_ID), out);
	return out;
}

/* A person would be asked here (docs/umsg.md, "Lookup"); a gateway has its configuration. */
static bool on_repin(void *arg, const char *uri, const uint8_t *from, const uint8_t *to)
{
	struct secure_side *side = arg;
	const struct cig_tel *tel = &side->config->tel;
	char was[DOMAIN_ID_TEXT], is[DOMAIN_ID_TEXT];
	unsigned suppressed;

	id_text(from, was);
	id_text(to, is);
	for (size_t i = 0; i < tel->trust_domain_count; i++)
		if (strcmp(tel->trust_domains[i], is) == 0)
			return true;
	if (log_limit_pass(&side->refusals, clock_mono_ms(), &suppressed))
		log_warn(MODULE,
			 "%s was met in domain %s and is refused in domain %s; if it has moved "
			 "there, say trust_domain \"%s\"; in the tel block (%u more)",
			 uri, was, is, is, suppressed);
	return false;
}

static void on_looked_up(void *arg, const char *uri, const uint8_t *domain_id, int err)
{
	const struct secure_side *side = arg;
	char id[DOMAIN_ID_TEXT];

	if (err == -EKEYREJECTED)
		log_warn(MODULE,
			 "%s is of domain %s, which is not trusted: no update of ours has its "
			 "certificate, which the key manager adds (cms domain add)",
			 uri, domain_id ? id_text(domain_id, id) : "?");
	side->ops->looked_up(side->arg, uri);
}

void secure_side_set_config(struct secure_side *side, const struct cig_config *config)
{
	const struct cig_config *before = side->config;

	side->config = cig_config_hold(config);
	cig_config_release(&before);
	/* What a look-up said depends on the domains that are trusted. */
	if (side->client)
		umsg_client_forget_answers(side->client);
}

static const struct umsg_client_ops client_ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
	.accepted = on_accepted,
	.looked_up = on_looked_up,
	.met = on_met,
	.repin = on_repin,
};

/* ---- keys ---- */

static int start_client(struct secure_side *side)
{
	const struct cig_tel *tel = &side->config->tel;
	char address[300] = "";
	struct umsg_client_options options = {
		.base = side->base,
		.links = side->links,
		.keys = client_ring_keys(side->ring),
		.replay = side->replay,
		.seen = side->seen,
		.software = "cig " PACKAGE_VERSION,
		.ops = &client_ops,
		.arg = side,
	};
	int err;

	/* The configuration's address comes before the letter's: a rendezvous that was moved is
	 * reached before new letters are out. */
	if (tel->crs_host[0]) {
		snprintf(address, sizeof(address), strchr(tel->crs_host, ':') ? "[%s]:%u" : "%s:%u",
			 tel->crs_host, tel->crs_port);
		options.address = address;
	}
	err = umsg_client_new(&options, &side->client);
	if (!err)
		announce_client(side);
	return err;
}

static int load_ring(struct secure_side *side, struct key_ring **ring_out, struct diag *diag)
{
	char path[PATH_MAX];
	int err = keystore_find(side->config->userdata, path, sizeof(path), diag);

	return err ? err : key_ring_open(side->curves, path, clock_wall_s(), ring_out, diag);
}

int secure_side_reload(struct secure_side *side, struct diag *diag)
{
	struct key_ring *ring;
	int err = load_ring(side, &ring, diag);

	if (err)
		return err;
	if (side->ring && strcmp(keystore_uri(side->ring->store), keystore_uri(ring->store)) != 0) {
		/* Calls and texts under way are the former identity's; a restart ends them in
		 * order. */
		diag_error(diag, NULL, "the key store is now %s's: restart cig-server",
			   keystore_uri(ring->store));
		key_ring_close(&ring);
		return -EPERM;
	}
	/* The new ring takes the place of the old one in the client, which borrows from it. */
	client_ring_replace(&side->ring, ring, side->client);
	client_ring_expire(&side->ring, side->client);
	log_info(MODULE, "keys of %s are loaded, %u crypto engines",
		 keystore_uri(side->ring->store), keystore_engines(side->ring->store));
	if (!side->client)
		return start_client(side);
	announce_client(side);
	return 0;
}

static void on_hour(evutil_socket_t fd, short what, void *arg)
{
	struct secure_side *side = arg;

	(void)fd;
	(void)what;
	if (side->client) {
		client_ring_expire(&side->ring, side->client);
		announce_client(side);
	}
	timer_arm(side->hour, CLIENT_RING_EXPIRE_MS);
}

/* ---- life ---- */

/* Both survive a restart: an invitation or text that was taken before it must not be taken
 * again behind it. */
static int open_memory(struct secure_side *side, struct diag *diag)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/calls.replay", side->config->userdata);
	err = replay_open(path, REPLAY_ENTRIES, clock_wall_s(), &side->replay);
	if (!err) {
		snprintf(path, sizeof(path), "%s/messages.seen", side->config->userdata);
		err = umsg_seen_open(path, SEEN_ENTRIES, clock_wall_s(), &side->seen);
	}
	if (err)
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}

static int make_links(struct secure_side *side)
{
	const char *bind = side->config->tel.common.bind;
	struct net_addr own;
	int err = link_context_new(side->base, NULL, &side->links);

	if (!err && bind[0] && (err = net_parse(bind, 0, &own)) == 0)
		link_context_bind(side->links, &own);
	return err;
}

int secure_side_new(struct event_base *base, const struct cig_config *config,
		    const struct secure_side_ops *ops, void *arg, struct secure_side **side_out,
		    struct diag *diag)
{
	struct secure_side *side = calloc(1, sizeof(*side));
	int err;

	if (!side)
		return -ENOMEM;
	side->base = base;
	side->config = cig_config_hold(config);
	side->ops = ops;
	side->arg = arg;
	side->curves = curves_new();
	side->hour = evtimer_new(base, on_hour, side);
	err = side->curves && side->hour ? make_links(side) : -ENOMEM;
	if (!err)
		err = open_memory(side, diag);
	if (!err)
		err = secure_side_reload(side, diag);
	/* Without keys it runs, so that set-key can be told to it. */
	if (err == -ENOENT) {
		log_warn(MODULE, "no keys in %s: run \"cig-cli set-key\"", config->userdata);
		err = 0;
	}
	if (err) {
		secure_side_free(&side);
		return err;
	}
	timer_arm(side->hour, CLIENT_RING_EXPIRE_MS);
	*side_out = side;
	return 0;
}

void secure_side_free(struct secure_side **sidep)
{
	struct secure_side *side = *sidep;

	if (!side)
		return;
	*sidep = NULL;
	/* Before the client goes: nobody may hold it afterwards. */
	if (side->client)
		side->ops->client(side->arg, NULL, "", 0);
	umsg_client_free(&side->client);
	if (side->hour)
		event_free(side->hour);
	key_ring_close(&side->ring);
	umsg_seen_free(&side->seen);
	replay_free(&side->replay);
	link_context_free(&side->links);
	curves_free(&side->curves);
	cig_config_release(&side->config);
	free(side);
}

static json_t *periods_report(const struct key_ring *ring)
{
	json_t *periods = json_array();
	int64_t month = period_of(clock_wall_s());

	for (int64_t m = month; m <= month + 1; m++) {
		char text[PERIOD_TEXT_SIZE];
		uint32_t revision;
		uint64_t created;

		if (!keystore_month(ring->store, m, &revision, &created))
			continue;
		period_text(m, text);
		json_array_append_new(
			periods, json_pack("{s:s, s:i}", "month", text, "revision", (int)revision));
	}
	return periods;
}

bool secure_side_has_keys(const struct secure_side *side)
{
	const struct key_ring *ring = side->ring;

	return ring && keyset_has(ring->keyset, domain_period(ring->domain, clock_wall_s()));
}

json_t *secure_side_report(const struct secure_side *side)
{
	const struct key_ring *ring = side->ring;
	bool now = secure_side_has_keys(side);

	if (!ring)
		return json_pack("{s:s, s:s, s:s, s:[]}", "connection", "DISCONNECTED", "crypto",
				 "NO KEYS", "why", "run cig-cli set-key", "periods");
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "public_id", keystore_uri(ring->store),
		"domain", keystore_domain_name(ring->store), "crs_address",
		side->client ? umsg_client_address(side->client) : "", "connection",
		side->client ? umsg_state_name(umsg_client_state(side->client)) : "DISCONNECTED",
		"crypto", now ? "OK" : "NO KEYS OF THIS MONTH", "why", side->why, "periods",
		periods_report(ring));
}
