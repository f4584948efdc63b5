/* apns_token.h - the token by which a provider proves itself to Apple's push service:
 * a JSON Web Token signed with ES256 (RFC 7515, RFC 7518 3.4) under the provider's key.
 *
 * APNS takes a token for an hour and complains when it is made anew more often than every
 * 20 minutes, so one is used for 50.  Pure but for reading the key; time is an argument.
 */
#ifndef RENDEZVOUS_APNS_TOKEN_H
#define RENDEZVOUS_APNS_TOKEN_H

#include <stdint.h>

struct apns_token;
struct diag;

enum { APNS_TOKEN_AGE_S = 50 * 60 };

/* key_file: PEM, a P-256 key; key_id and team_id as Apple gave them, copied.  Returns 0 or
 * -errno with diag set. */
int apns_token_new(const char *key_file, const char *key_id, const char *team_id,
		   struct apns_token **token_out, struct diag *diag);
/* Frees *tokenp with its key and sets it to NULL; *tokenp may be NULL. */
void apns_token_free(struct apns_token **tokenp);

/* The token to use now, made anew when it is too old; valid until the next call.  NULL: it
 * cannot be made. */
const char *apns_token_text(struct apns_token *token, int64_t now_s);

/* The service says that it has expired (its clock or ours is wrong): the next is new. */
void apns_token_expire(struct apns_token *token);

#endif
