/* no_names.c - the agent never asks a name server.
 *
 * cig-server resolves every target; whatever else the library would look up is
 * a name that a stranger wrote into a header.  Its resolver aborts on some
 * answers and its getaddrinfo() blocks the loop, so the program puts these two
 * functions in front of the shared libraries'.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#include "gateway/sip/sofia.h"

#include <sofia-sip/sresolv.h>

/* No resolver: the library then answers "500" for a name at once. */
BEFORE_LIBRARIES sres_resolver_t *sres_resolver_create(su_root_t *root, char const *conf_file_path,
						       tag_type_t tag, tag_value_t value, ...)
{
	(void)root, (void)conf_file_path, (void)tag, (void)value;
	return NULL;
}

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* The system's; looking it up takes longer than what it does here, for each response. */
static getaddrinfo_fn *find_real(void)
{
	static getaddrinfo_fn *real; /* a function of the one C library */
	void *symbol = real ? NULL : dlsym(RTLD_NEXT, "getaddrinfo");

	if (symbol)
		memcpy(&real, &symbol, sizeof(real));
	return real;
}

/* Numeric hosts only (AI_NUMERICHOST): the library resolves names in its loop, which would
 * stop all calls meanwhile. */
BEFORE_LIBRARIES int getaddrinfo(const char *restrict node, const char *restrict service,
				 const struct addrinfo *restrict hints,
				 struct addrinfo **restrict res)
{
	struct addrinfo numeric = { .ai_family = AF_UNSPEC };
	getaddrinfo_fn *real = find_real();

	if (!real)
		return EAI_SYSTEM;
	if (hints)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST;
	return real(node, service, &numeric, res);
}
