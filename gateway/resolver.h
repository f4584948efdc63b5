/* resolver.h - names of PBXs and of the rendezvous's relay to numeric addresses.
 *
 * sofia-sip never resolves a name (its resolver has crashed on some), so the gateway does:
 * by /etc/hosts and DNS, asynchronously, from a cache (names.h).  Where a SIP server's port
 * is not given its SRV records say where it is (RFC 3263 4.2, RFC 2782).  A numeric host is
 * answered at once, yet never from within the call.
 */
#ifndef GATEWAY_RESOLVER_H
#define GATEWAY_RESOLVER_H

#include "base/net.h"
#include "maps/uri.h"

struct event_base;
struct resolution;
struct resolver;

enum { RESOLVER_MAX = 32 /* addresses of a name that are kept */ };

/* Where a SIP server is. */
struct resolver_way {
	struct net_addr addr;
	uint16_t priority; /* of its SRV record; 0: it has none */
	unsigned share; /* of what goes to that priority: its weight, divided among its addresses;
			 * of RESOLVER_SHARES */
};

enum { RESOLVER_SHARES = 1000 };

/* err: 0 with the first address found, or -EHOSTUNREACH with text saying why. */
typedef void resolver_fn(void *arg, int err, const struct net_addr *addr, const char *text);
/* The same with all that were found, of the lowest priority first. */
typedef void resolver_list_fn(void *arg, int err, const struct resolver_way *ways, size_t n,
			      const char *text);

/* Returns NULL when memory is out or the system's resolver settings are unusable. */
struct resolver *resolver_new(struct event_base *base);
/* Its resolutions must be over or cancelled. */
void resolver_free(struct resolver **resolverp);

/* Asks these name servers, with their ports, instead of the system's; n 0: the system's. */
void resolver_set_servers(struct resolver *resolver, const struct net_addr *servers, size_t n);

/* Looks host up; done is called once, unless it is cancelled.  Returns NULL when
 * memory is out. */
struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg);

/* Looks a SIP server up.  port 0: where its SRV records for that transport say, or at the
 * transport's usual port where it has none, is a numeric address, or stands in /etc/hosts. */
struct resolution *resolver_start_sip(struct resolver *resolver, const char *host, uint16_t port,
				      enum sip_transport transport, resolver_list_fn *done,
				      void *arg);

/* Forgets a resolution that has not called back; *resolutionp becomes NULL and may
 * be NULL.  After the callback the resolution is gone by itself. */
void resolver_cancel(struct resolution **resolutionp);

#endif
