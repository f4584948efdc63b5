/* wrong_key.c - makes of cca a caller with wrong SRTP keys: linked into it with
 * --wrap=umsg_call_media, it hands out the media of a call with a bit of either key changed.
 * Everything else, the key agreement before it included, is cca's.
 */
#include <string.h>

#include "umsg/client.h"

const struct umsg_media *__real_umsg_call_media(const struct umsg_call *call);
const struct umsg_media *__wrap_umsg_call_media(const struct umsg_call *call);

const struct umsg_media *__wrap_umsg_call_media(const struct umsg_call *call)
{
	static struct umsg_media wrong; /* one call at a time */
	const struct umsg_media *media = __real_umsg_call_media(call);

	if (!media)
		return NULL;
	wrong = *media;
	wrong.own_key[0] ^= 1;
	wrong.peer_key[0] ^= 1;
	return &wrong;
}
