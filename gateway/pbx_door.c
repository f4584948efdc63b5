/* pbx_door.c - who a request from the PBX's side is from, and whether it must prove
 * it: the same for calls and texts. */
#include "gateway/pbx_door.h"

#include <errno.h>
#include <strings.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "base/log.h"

#define MODULE "pbx"

/* Of whoever wants to be nobody (RFC 3323 4.1.1.3). */
static const char anonymous[] = "sip:anonymous@anonymous.invalid";
static const char realm[] = "tandem";

int pbx_door_init(struct pbx_door *door)
{
	return RAND_bytes(door->key, sizeof(door->key)) == 1 ? 0 : -EIO;
}

/* RFC 3325 8: an asserted identity counts only from whom the configuration trusts; anybody can
 * write one. */
const char *pbx_door_identity(const struct cig_pbx *pbx, const struct pbx_request *request)
{
	if (!pbx || !pbx->asserted_identity)
		return request->from_uri;
	if (request->anonymous)
		return anonymous;
	for (size_t i = 0; i < request->n_asserted_uris; i++)
		if (strncasecmp(request->asserted_uris[i], "sip:", 4) == 0)
			return request->asserted_uris[i];
	return request->from_uri;
}

int pbx_door_check(const struct pbx_door *door, const struct cig_pbx *pbx,
		   const struct pbx_request *request,
		   char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE])
{
	struct digest_account account;
	int err = -ENOENT;

	if (!pbx || !pbx->challenge)
		return 0;
	account = (struct digest_account){ pbx->challenge->user, pbx->challenge->password };
	/* A client may answer both challenges (MD5, SHA-256): one right answer is enough. */
	for (size_t i = 0; i < request->n_authorizations && err; i++)
		err = digest_check(door->key, realm, request->source, clock_wall_s(), &account,
				   request->method, request->authorizations[i]);
	if (!err)
		return 0;
	if (err == -EACCES) /* the form that a ban by address can be made of */
		log_warn(MODULE, "pbx=%s source=%s from=%s: wrong user or password", pbx->name,
			 request->source, request->from_uri);
	/* A right answer under a nonce that is too old gets a new one and "stale": nobody is
	 * asked for the password again. */
	err = digest_ask(door->key, realm, request->source, clock_wall_s(), err == -ESTALE,
			 challenges);
	return err ? err : -EACCES;
}
