/* digest.h - answers digest challenges of a PBX (RFC 2617, 7616, 8760).
 *
 * MD5, SHA-256 and their -sess forms, with qop=auth or without qop.  Of several
 * challenges the strongest that we can answer is taken (sofia-sip, whose own
 * client fails on any SHA-256 challenge, does not see them).  Any realm is
 * answered: PBXs name theirs as they like.  No I/O but for random octets.
 */
#ifndef GATEWAY_DIGEST_H
#define GATEWAY_DIGEST_H

#include "base/slice.h"

enum {
	DIGEST_MAX_CHALLENGES = 8,
	DIGEST_MAX_ROUNDS = 2,   /* answers to one request and realm */
	DIGEST_VALUE_SIZE = 256, /* of realm, nonce, opaque */
	DIGEST_TEXT_SIZE = 2048, /* a header value of ours, with its NUL */
};

struct digest_challenge {
	bool proxy; /* Proxy-Authenticate; set by the caller */
	bool has_opaque, stale;
	char realm[DIGEST_VALUE_SIZE]; /* without quotes and escapes */
	char nonce[DIGEST_VALUE_SIZE];
	char opaque[DIGEST_VALUE_SIZE];
	char algorithm[32]; /* "": not given, MD5 */
	char qop[64];       /* the list as it came; "": not given */
};

/* Reads a header value such as `Digest realm="a", nonce="b"`.
 * Returns 0, -ENOTSUP (another scheme), -EINVAL (malformed, no realm or nonce, a
 * parameter twice), -E2BIG (a value longer than its array). */
int digest_parse(struct slice value, struct digest_challenge *out);

/* Can we answer it, and how well?  0: no (algorithm or qop unknown). */
unsigned digest_strength(const struct digest_challenge *challenge);

struct digest_account {
	const char *user;
	const char *password;
};

/* What a request's answer depends on, the account apart. */
struct digest_request {
	const char *method;
	const char *uri;    /* exactly as in the request line */
	const char *cnonce; /* NULL: 16 random octets (tests give one) */
	uint32_t nc;        /* from 1, counts uses of the nonce */
};

/* Writes the value of Authorization or Proxy-Authorization.
 * Returns 0, -ENOTSUP, -ENOBUFS, -EIO (no random octets), -ENOMEM. */
int digest_answer(const struct digest_challenge *challenge, const struct digest_account *account,
		  const struct digest_request *request, char *out, size_t outsz);

/* One dialog's answers: keeps the latest challenge of either kind, so that a
 * request that passed a proxy carries both headers.  Zero it at first. */
struct digest_session {
	struct digest_side {
		struct digest_challenge challenge;
		uint32_t nc; /* 0: never challenged */
		unsigned rounds;
	} user, proxy;
};

/* One 401 or 407 to a request. */
struct digest_asked {
	const struct digest_challenge *challenges;
	size_t n;
	unsigned number;          /* which one to this request, from 1 */
	const char *method, *uri; /* of the request; uri exactly as in its first line */
};

/* What the request is sent again with; "": without that header. */
struct digest_headers {
	char authorization[DIGEST_TEXT_SIZE], proxy_authorization[DIGEST_TEXT_SIZE];
};

/* Answers the challenges of one 401 or 407; the first of a request forgets the rounds of the
 * request before.  headers_out is to be wiped when it was sent.
 * Returns 0, -ENOTSUP (none that we can answer), -EACCES (DIGEST_MAX_ROUNDS of
 * that kind and realm used up: the account is wrong), or as digest_answer. */
int digest_session_answer(struct digest_session *session, const struct digest_asked *asked,
			  const struct digest_account *account, struct digest_headers *headers_out);

/* Wipes what the session knows. */
void digest_session_wipe(struct digest_session *session);

#endif
