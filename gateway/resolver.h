/* resolver.h - names of PBXs and of the rendezvous to numeric addresses.
 *
 * sofia-sip never resolves a name (its resolver has crashed on some), so the
 * gateway does: asynchronously, by /etc/hosts and DNS.  A numeric host is answered
 * at once, yet never from within the call.
 */
#ifndef GATEWAY_RESOLVER_H
#define GATEWAY_RESOLVER_H

#include "base/net.h"

struct event_base;
struct resolution;
struct resolver;

enum { RESOLVER_MAX = 16 /* addresses of a name that are kept */ };

/* err: 0 with the first address found, or -EHOSTUNREACH with text saying why. */
typedef void resolver_fn(void *arg, int err, const struct net_addr *addr, const char *text);
/* The same with all that were found, in the order of the answer. */
typedef void resolver_list_fn(void *arg, int err, const struct net_addr *addrs, size_t n,
			      const char *text);

/* Returns NULL when memory is out or the system's resolver settings are unusable. */
struct resolver *resolver_new(struct event_base *base);
/* Its resolutions must be over or cancelled. */
void resolver_free(struct resolver **resolverp);

/* Looks host up; done is called once, unless it is cancelled.  Returns NULL when
 * memory is out. */
struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg);

/* The same, with all addresses in the order of preference. */
struct resolution *resolver_start_list(struct resolver *resolver, const char *host, uint16_t port,
				       resolver_list_fn *done, void *arg);

/* Forgets a resolution that has not called back; *resolutionp becomes NULL and may
 * be NULL.  After the callback the resolution is gone by itself. */
void resolver_cancel(struct resolution **resolutionp);

#endif
