/* control_proof.h - how a client of the control port proves that it can read the
 * token file (base/control.h says the form), for both ends.
 *
 * Nonces need no memory: each carries its end and a MAC of the server's own.  Only
 * those that came with a right proof are remembered until their end, so nobody
 * without the token can fill that table.
 */
#ifndef BASE_CONTROL_PROOF_H
#define BASE_CONTROL_PROOF_H

#include "base/control.h"

struct diag;

enum {
	CONTROL_NONCE_BYTES = 32,
	CONTROL_NONCE_TEXT_SIZE = 2 * CONTROL_NONCE_BYTES + 1,
	CONTROL_PROOF_TEXT_SIZE = 2 * 32 + 1,
	CONTROL_USED_NONCES = 1024,
};

#define CONTROL_PROOF_SCHEME "Tandem-HMAC"

/* What is proved: the request as it goes over the wire. */
struct control_claim {
	struct slice nonce; /* hexadecimal text */
	const char *method;
	const char *target; /* path and query as sent */
	struct slice body;
};

/* Writes the proof in hexadecimal.  Returns 0 or -EIO (the library failed). */
int control_proof(const struct control_token *token, const struct control_claim *claim,
		  char proof_out[CONTROL_PROOF_TEXT_SIZE]);

/* Reads what control_token_create wrote.  Returns 0, -EINVAL for other content, or
 * -errno, with diag set. */
int control_token_read(const char *path, struct control_token *token_out, struct diag *diag);

struct control_guard;

/* token is copied.  Returns NULL when memory or randomness is out. */
struct control_guard *control_guard_new(const struct control_token *token);
/* Wipes the token, frees *guardp and sets it to NULL; *guardp may be NULL. */
void control_guard_free(struct control_guard **guardp);

/* Returns 0 or -EIO. */
int control_guard_nonce(struct control_guard *guard, int64_t now_ms,
			char nonce_out[CONTROL_NONCE_TEXT_SIZE]);

/* Is authorization, the header's value, a right and fresh proof of claim (its nonce
 * is taken from the header)?  Returns 0; -ENODATA without such a header; -EACCES for
 * a wrong proof; -ESTALE for a nonce that is not ours, over or used; -EBUSY when too
 * many were used of late; -EIO. */
int control_guard_check(struct control_guard *guard, int64_t now_ms, const char *authorization,
			const struct control_claim *claim);

#endif
