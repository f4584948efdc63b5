/* client_keys.h - a domain and a user's keys in it, for the fuzz target of clients: made once a
 * process, for keys take their time.
 */
#ifndef TESTS_FUZZ_CLIENT_KEYS_H
#define TESTS_FUZZ_CLIENT_KEYS_H

#include "keys/curves.h"
#include "umsg/client.h"

#define OWN "tel:+1"
#define PEER "tel:+2"

struct keys {
	struct curves *curves;
	struct domain *domain;
	struct keystore *store; /* of OWN */
	struct keyset *keyset;
	struct umsg_sealed text, long_text; /* to PEER; sealed by the target */
};

/* Makes all but the texts, for the months around FAKE_CLOCK_START_S.  Aborts when it cannot. */
void client_keys_make(struct keys *keys);

#endif
