/* peer_domain.c - whether the receiver's security domain may be called, before
 * anything is sealed for it. */
#include "gateway/peer_domain.h"

#include <errno.h>
#include <stddef.h>

#include "umsg/client.h"

int peer_domain_ask(struct umsg_client *client, const char *uri)
{
	int err = umsg_client_known(client, uri);

	if (err == -EAGAIN) {
		err = umsg_client_lookup(client, uri);
		if (err == 0)
			return -EINPROGRESS;
	}
	/* No identity: whoever is to call it, or to seal to it, says that. */
	return err == -ENOENT || err == -EINVAL ? 0 : err;
}

const char *peer_domain_refusal(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return "the receiver is of a domain that is not trusted";
	case -EPERM:
		return "the receiver was met in another domain than where it is now";
	case -EIO:
		return "the receiver's domain cannot be kept in the key store";
	default:
		return NULL;
	}
}
