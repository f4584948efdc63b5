/* client_ring.c - a client and the key ring whose keys it uses: when the ring changes
 * on disk the client goes over to the new one before the old one is closed. */
#include "umsg/client_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/log.h"
#include "keys/domain.h"
#include "keys/period.h"

#define MODULE "keys"

struct umsg_keys client_ring_keys(const struct key_ring *ring)
{
	return (struct umsg_keys){ .store = ring->store,
				   .domain = ring->domain,
				   .keyset = ring->keyset,
				   .trusted = (const struct domain *const *)ring->trusted,
				   .n_trusted = ring->n_trusted,
				   .channels = ring->channels,
				   .n_channels = ring->n_channels };
}

void client_ring_replace(struct key_ring **ringp, struct key_ring *ring, struct umsg_client *client)
{
	struct key_ring *old = *ringp;
	struct umsg_keys keys = client_ring_keys(ring);

	*ringp = ring;
	if (client)
		/* Before the close below: the client holds pointers into the ring. */
		umsg_client_set_keys(client, &keys);
	key_ring_close(&old);
}

bool client_ring_updated(struct key_ring **ringp, struct umsg_client *client, int64_t month,
			 uint32_t revision, int err, struct key_ring *ring, const struct diag *diag)
{
	char text[PERIOD_TEXT_SIZE];

	period_text(month, text);
	if (err) {
		log_warn(MODULE, "update %s-%" PRIu32 " is not applied: %s", text, revision,
			 diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	} else {
		log_info(MODULE, "update %s-%" PRIu32 " is applied", text, revision);
		client_ring_replace(ringp, ring, client);
	}
	/* Stale: we have it, or a newer one.  It need not be sent again. */
	return err == 0 || err == -ESTALE;
}

bool client_ring_update(struct key_ring **ringp, struct umsg_client *client, int64_t month,
			uint32_t revision, struct slice entry, struct slice shared)
{
	struct diag *diag = diag_new();
	struct key_ring *ring = NULL;
	int err = key_ring_update(*ringp, month, revision, entry, shared, clock_wall_s(), &ring,
				  diag);
	bool applied = client_ring_updated(ringp, client, month, revision, err, ring, diag);

	diag_free(&diag);
	return applied;
}

/* What key_ring_expire() or key_ring_accept() said: goes over to what is left, or tells why
 * what should be gone is still there. */
static void go_over(struct key_ring **ringp, struct umsg_client *client, struct key_ring *ring,
		    int err, const char *what, const struct diag *diag)
{
	if (err == 1) {
		log_info(MODULE, "%s are wiped", what);
		client_ring_replace(ringp, ring, client);
	} else if (err && err != -EBUSY) { /* busy: whoever changes it comes first */
		log_warn(MODULE, "%s: %s are still there: %s", (*ringp)->path, what,
			 diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	}
}

void client_ring_expire(struct key_ring **ringp, struct umsg_client *client)
{
	struct diag *diag = diag_new();
	struct key_ring *ring = NULL;
	int err = key_ring_expire(*ringp, clock_wall_s(), &ring, diag);

	go_over(ringp, client, ring, err, "keys of months that are over", diag);
	diag_free(&diag);
}

void client_ring_accepted(struct key_ring **ringp, struct umsg_client *client, const char *address,
			  const char *identity)
{
	struct diag *diag = diag_new();
	struct key_ring *ring = NULL;
	int err = key_ring_accept(*ringp, address, identity, clock_wall_s(), &ring, diag);

	go_over(ringp, client, ring, err, "former logins", diag);
	diag_free(&diag);
}

void client_ring_met(struct key_ring *ring, const char *uri, const uint8_t *domain_id)
{
	struct diag *diag = diag_new();
	char id[DOMAIN_ID_TEXT];
	int err = key_ring_pin(ring, slice_str(uri), domain_id, diag);

	hex_encode(slice_of(domain_id, DOMAIN_ID), id);
	if (err)
		log_warn(MODULE, "%s cannot be pinned to domain %s: %s", uri, id,
			 diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	else
		log_info(MODULE, "%s is of domain %s from now on", uri, id);
	diag_free(&diag);
}
