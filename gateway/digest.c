/* digest.c - digest of RFC 7616 (and of RFC 2617 and 2069 where a PBX is old), in
 * our own code: sofia-sip's gives up on SHA-256 and does not restart nc at a new
 * nonce. */
#include "gateway/digest.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/encode.h"

enum { HASH_TEXT_SIZE = HEX_TEXT_SIZE(32), CNONCE_OCTETS = 16 };

/* Strongest last: the index + 1 is what digest_strength() says. */
static const struct algorithm {
	const char *name;
	const char *hash; /* as OpenSSL names it */
	bool session;     /* "-sess": RFC 7616 3.4.2 */
} algorithms[] = {
	{ "MD5", "MD5", false },
	{ "MD5-sess", "MD5", true },
	{ "SHA-256", "SHA256", false },
	{ "SHA-256-sess", "SHA256", true },
};

/* ---- answering ---------------------------------------------------------- */

/* Does the comma list hold auth?  An empty one means RFC 2069: no qop at all. */
static bool offers_auth(const char *qop)
{
	static const char between[] = ", \t";

	for (qop += strspn(qop, between); *qop; qop += strspn(qop, between)) {
		size_t n = strcspn(qop, between);

		if (n == 4 && strncasecmp(qop, "auth", n) == 0)
			return true;
		qop += n;
	}
	return false;
}

static const struct algorithm *find_algorithm(const struct digest_challenge *c)
{
	const char *name = c->algorithm[0] ? c->algorithm : "MD5";

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcasecmp(name, algorithms[i].name) == 0)
			return &algorithms[i];
	return NULL;
}

unsigned digest_strength(const struct digest_challenge *c)
{
	const struct algorithm *a = find_algorithm(c);

	/* auth-int alone cannot be answered: the agent's body is not here.  -sess needs a cnonce,
	 * which only qop brings. */
	if (!a || (c->qop[0] && !offers_auth(c->qop)) || (a->session && !c->qop[0]))
		return 0;
	return (unsigned)(a - algorithms) + 1;
}

/* Hexadecimal hash of the parts with colons between them; NULL ends the list. */
static int hash_parts(const struct algorithm *a, const char *const *parts, char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_MD *md = EVP_MD_fetch(NULL, a->hash, NULL);
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok = ctx && md && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && parts[i]; i++)
		ok = (i == 0 || EVP_DigestUpdate(ctx, ":", 1) == 1) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, hash, &n) == 1 && HEX_TEXT_SIZE(n) <= HASH_TEXT_SIZE;
	if (ok)
		hex_encode(slice_of(hash, n), out);
	OPENSSL_cleanse(hash, sizeof(hash));
	EVP_MD_free(md);
	EVP_MD_CTX_free(ctx);
	/* Also where OpenSSL has no MD5 (FIPS): such a challenge cannot be answered. */
	return ok ? 0 : -ENOMEM;
}

struct secrets {
	char a1[HASH_TEXT_SIZE], a2[HASH_TEXT_SIZE], response[HASH_TEXT_SIZE];
};

static int compute(const struct algorithm *a, const struct digest_challenge *c,
		   const struct digest_account *account, const struct digest_request *r,
		   const char *cnonce, struct secrets *s)
{
	char nc[9];
	/* RFC 7616 3.4.2 (A1), 3.4.3 (A2) and 3.4.1 (response; without qop as RFC 2069 has
	 * it). */
	const char *user[] = { account->user, c->realm, account->password, NULL };
	const char *session[] = { s->a1, c->nonce, cnonce, NULL };
	const char *request[] = { r->method, r->uri, NULL };
	const char *with_qop[] = { s->a1, c->nonce, nc, cnonce, "auth", s->a2, NULL };
	const char *without[] = { s->a1, c->nonce, s->a2, NULL };
	int err = hash_parts(a, user, s->a1);

	snprintf(nc, sizeof(nc), "%08x", r->nc);
	if (!err && a->session)
		err = hash_parts(a, session, s->a1);
	if (!err)
		err = hash_parts(a, request, s->a2);
	return err ? err : hash_parts(a, c->qop[0] ? with_qop : without, s->response);
}

static void put_quoted(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_put_char(b, '\\');
		buf_put_char(b, *value);
	}
	buf_put_char(b, '"');
}

static int random_text(char out[HEX_TEXT_SIZE(CNONCE_OCTETS)])
{
	uint8_t octets[CNONCE_OCTETS];

	if (RAND_bytes(octets, sizeof(octets)) != 1)
		return -EIO;
	hex_encode(slice_of(octets, sizeof(octets)), out);
	return 0;
}

static void put_answer(struct buf *b, const struct digest_challenge *c,
		       const struct digest_account *account, const struct digest_request *r,
		       const char *cnonce, const char *response)
{
	put_quoted(b, "Digest username", account->user);
	put_quoted(b, ", realm", c->realm);
	put_quoted(b, ", nonce", c->nonce);
	put_quoted(b, ", uri", r->uri);
	put_quoted(b, ", response", response);
	/* Only where the challenge had one: old PBXs stumble over what they did not say. */
	if (c->algorithm[0])
		buf_printf(b, ", algorithm=%s", find_algorithm(c)->name);
	if (c->has_opaque)
		put_quoted(b, ", opaque", c->opaque);
	if (c->qop[0]) {
		/* RFC 7616 3.4: qop and nc stand without quotes. */
		buf_printf(b, ", qop=auth, nc=%08x", r->nc);
		put_quoted(b, ", cnonce", cnonce);
	}
}

int digest_answer(const struct digest_challenge *c, const struct digest_account *account,
		  const struct digest_request *request, char *out, size_t outsz)
{
	char random[HEX_TEXT_SIZE(CNONCE_OCTETS)];
	const char *cnonce = request->cnonce ? request->cnonce : random;
	struct buf b = buf_over(out, outsz);
	struct secrets s;
	int err = 0;

	if (!digest_strength(c))
		return -ENOTSUP;
	if (!request->cnonce)
		err = random_text(random);
	if (!err)
		err = compute(find_algorithm(c), c, account, request, cnonce, &s);
	if (!err) {
		put_answer(&b, c, account, request, cnonce, s.response);
		err = buf_ok(&b) ? 0 : -ENOBUFS;
	}
	OPENSSL_cleanse(&s, sizeof(s));
	if (err)
		out[0] = '\0';
	return err;
}

/* ---- sessions ----------------------------------------------------------- */

/* The strongest challenge of one kind, or NULL. */
static const struct digest_challenge *pick(const struct digest_challenge *list, size_t n,
					   bool proxy)
{
	const struct digest_challenge *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (list[i].proxy == proxy && digest_strength(&list[i]) &&
		    (!best || digest_strength(&list[i]) > digest_strength(best)))
			best = &list[i];
	return best;
}

/* A new challenge: the same nonce again goes on counting, another starts anew. */
static int take_challenge(struct digest_side *side, const struct digest_challenge *c)
{
	/* nc 0: nothing was answered yet. */
	bool same_realm = side->nc && strcmp(side->challenge.realm, c->realm) == 0;

	/* Rounds of one realm are counted, or a wrong password would be sent for ever: each
	 * answer brings a new challenge. */
	if (!same_realm)
		side->rounds = 0;
	if (side->rounds >= DIGEST_MAX_ROUNDS)
		return -EACCES;
	side->rounds++;
	if (!same_realm || strcmp(side->challenge.nonce, c->nonce) != 0)
		side->nc = 0;
	side->challenge = *c;
	return 0;
}

static int answer_side(struct digest_side *side, const struct digest_account *account,
		       const struct digest_asked *asked, char *out)
{
	struct digest_request request = { asked->method, asked->uri, NULL, side->nc + 1 };

	side->nc++;
	return digest_answer(&side->challenge, account, &request, out, DIGEST_TEXT_SIZE);
}

int digest_session_answer(struct digest_session *session, const struct digest_asked *asked,
			  const struct digest_account *account, struct digest_headers *headers_out)
{
	const struct digest_challenge *user = pick(asked->challenges, asked->n, false);
	const struct digest_challenge *proxy = pick(asked->challenges, asked->n, true);
	int err = user || proxy ? 0 : -ENOTSUP;

	headers_out->authorization[0] = headers_out->proxy_authorization[0] = '\0';
	/* The first challenge of a request: earlier ones have been answered to the end. */
	if (asked->number <= 1)
		session->user.rounds = session->proxy.rounds = 0;
	if (!err && user)
		err = take_challenge(&session->user, user);
	if (!err && proxy)
		err = take_challenge(&session->proxy, proxy);
	/* Both proxy and server want theirs in every request once they asked (RFC 3261 22.3). */
	if (!err && (user || session->user.nc))
		err = answer_side(&session->user, account, asked, headers_out->authorization);
	if (!err && (proxy || session->proxy.nc))
		err = answer_side(&session->proxy, account, asked,
				  headers_out->proxy_authorization);
	return err;
}

void digest_session_wipe(struct digest_session *session)
{
	OPENSSL_cleanse(session, sizeof(*session));
}
