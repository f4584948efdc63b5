/* pbx_door.h - who sends a request from the PBX side: in whose name, and whether that is
 * proved.  Calls and texts ask the same questions here.
 *
 * Threads: no state but the key, which does not change.
 */
#ifndef GATEWAY_PBX_DOOR_H
#define GATEWAY_PBX_DOOR_H

#include "gateway/cig_config.h"
#include "gateway/digest_check.h"

/* One for all methods: a PBX may answer a MESSAGE with the nonce that its INVITE got. */
struct pbx_door {
	uint8_t key[DIGEST_KEY_SIZE]; /* of nonces that we give to PBXs */
};

/* A request as the SIP agent tells it; borrowed. */
struct pbx_request {
	const char *method; /* "INVITE", "MESSAGE" */
	const char *source; /* the numeric address that it came from */
	const char *from_uri;
	char *const *asserted_uris; /* P-Asserted-Identity */
	size_t n_asserted_uris;
	char *const *authorizations; /* values of Authorization */
	size_t n_authorizations;
	bool anonymous; /* Privacy: id or user */
};

/* Draws the key.  Returns 0 or -EIO. */
int pbx_door_init(struct pbx_door *door);

/* From, or the identity that a trusted PBX vouches for (RFC 3325): only a block that says so
 * makes its PBX trusted for that, and from elsewhere the header counts for nothing.  pbx may
 * be NULL; the result is the request's or constant. */
const char *pbx_door_identity(const struct cig_pbx *pbx, const struct pbx_request *request);

/* Where the PBX must prove who it is (RFC 3261 22.2), does it?  Returns 0; -EACCES: it is to
 * be answered by 401 with the challenges, a wrong password was logged; or another -errno of
 * making them.  pbx may be NULL. */
int pbx_door_check(const struct pbx_door *door, const struct cig_pbx *pbx,
		   const struct pbx_request *request,
		   char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE]);

#endif
