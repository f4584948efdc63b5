/* secure_side.h - the gateway as a party of UMSG: its keys and its client.
 *
 * The key store is the one file .ks.tel:NUMBER in userdata.  Without one the
 * gateway runs, says so in its status, and waits for set-key.
 */
#ifndef GATEWAY_SECURE_SIDE_H
#define GATEWAY_SECURE_SIDE_H

#include <jansson.h>

#include "gateway/cig_config.h"
#include "umsg/client.h"

struct diag;
struct secure_side;

struct secure_side_ops {
	/* The client was made, or (NULL) is about to be freed. */
	void (*client)(void *arg, struct umsg_client *client, const char *own_uri,
		       unsigned engines);
	void (*attached)(void *arg);
	/* It is known what became of a look-up of uri: ask peer_domain.h.  Why a domain is not
	 * taken has been logged. */
	void (*looked_up)(void *arg, const char *uri);
	/* As in umsg/client.h. */
	void (*incoming)(void *arg, struct umsg_call *call);
	void (*call)(void *arg, struct umsg_call *call, enum umsg_call_event event);
	void (*message)(void *arg, const struct umsg_message *message);
	void (*post_ack)(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			 const char *text, unsigned retry_after_s);
	bool (*receipt)(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
			Umsg__ReceiptState state, const char *reason);
};

/* Makes what needs no keys, then loads the keys that are there.  config is held.
 * Returns 0 (also without keys), -ENOMEM, -EIO, or the -errno of a key store that
 * is there and not usable, with diag set. */
int secure_side_new(struct event_base *base, const struct cig_config *config,
		    const struct secure_side_ops *ops, void *arg, struct secure_side **side_out,
		    struct diag *diag);
/* Calls end, and keys are wiped; sets *sidep to NULL, which may be NULL. */
void secure_side_free(struct secure_side **sidep);

/* trust_domain as it stands there counts from now on; config is held. */
void secure_side_set_config(struct secure_side *side, const struct cig_config *config);

/* Loads the store again, after set-key.  On failure the old keys stay in use. */
int secure_side_reload(struct secure_side *side, struct diag *diag);

/* Are there keys of this month, with which calls can be made? */
bool secure_side_has_keys(const struct secure_side *side);

/* The "umsg" part of the status (CIG-105). */
json_t *secure_side_report(const struct secure_side *side);

#endif
