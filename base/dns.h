/* dns.h - names to addresses, by /etc/hosts and DNS, without blocking.
 *
 * A thin owner around libevent's resolver, which frees nothing that is under way: a
 * question that was dropped is answered "cancelled" from a later turn of the loop, and
 * reads the resolver's base then.  Here that base lives until its last question is over.
 *
 * Threads: everything in the thread of its event loop.
 */
#ifndef BASE_DNS_H
#define BASE_DNS_H

struct dns;
struct dns_question;
struct event_base;
struct addrinfo;

/* error is 0 with at least one address, or a code of evutil_gai_strerror() with none.
 * addresses belong to the caller's loop turn: they are freed when this returns. */
typedef void dns_answer_fn(void *arg, int error, const struct addrinfo *addresses);

/* Reads /etc/resolv.conf; a host without one still has /etc/hosts.  Both are read anew when they
 * have changed.  Returns NULL when memory is out. */
struct dns *dns_new(struct event_base *base);

/* Drops every question: none is answered any more.  What libevent still holds goes with
 * the next turn of the loop, so whoever frees the loop after it runs it once more with
 * EVLOOP_NONBLOCK. */
void dns_free(struct dns **dnsp);

/* Asks for the addresses of a name as hints say (evdns_getaddrinfo); host is copied.
 * answer is called once, from the loop, never from in here.  Returns NULL when memory is
 * out. */
struct dns_question *dns_ask(struct dns *dns, const char *host, const struct addrinfo *hints,
			     dns_answer_fn *answer, void *arg);

/* Forgets a question that is not answered yet; *questionp becomes NULL and may be NULL.
 * After the answer the question is gone by itself. */
void dns_drop(struct dns_question **questionp);

#endif
