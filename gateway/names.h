/* names.h - hosts and SIP services by /etc/hosts and DNS: asynchronous, and cached for as
 * long as the answers' time to live.
 *
 * A thin owner around c-ares, which has no cache, nor the time to live of SRV records.  A
 * question that is under way is asked once, whoever else wants to know.  While no name
 * server answers, what was known goes on being true for up to an hour (RFC 8767): a PBX
 * is called through an outage of the DNS.
 *
 * Threads: everything in the thread of its event loop.
 */
#ifndef GATEWAY_NAMES_H
#define GATEWAY_NAMES_H

#include "base/net.h"
#include "gateway/srv.h"

struct event_base;
struct names;
struct names_question;

enum {
	NAMES_MAX = 16,       /* addresses of a host that are kept */
	NAMES_SERVERS_MAX = 8 /* name servers that are asked */
};

enum names_kind {
	NAMES_HOST,   /* A and AAAA, sorted as RFC 6724 has it; /etc/hosts first */
	NAMES_SERVICE /* SRV, of "_sip._udp.example.com" */
};

struct names_answer {
	int err;          /* 0; -ENOENT: there is none; -EHOSTUNREACH: nobody answered */
	const char *text; /* why, for people; "" without err */
	const struct net_addr *addrs; /* of a host, with port 0 */
	size_t n_addrs;
	const struct srv_answer *service;
};

/* answer and what it points to are valid until it returns. */
typedef void names_fn(void *arg, const struct names_answer *answer);

/* Asks the system's name servers, /etc/resolv.conf, which is read again when it changes.
 * Returns NULL when memory is out. */
struct names *names_new(struct event_base *base);

/* Drops every question: none is answered any more.  Not from within an answer. */
void names_free(struct names **namesp);

/* Asks these name servers instead (at most NAMES_SERVERS_MAX, with their ports); n 0: the
 * system's again.  What is under way is asked anew, and the cache is empty then. */
void names_set_servers(struct names *names, const struct net_addr *servers, size_t n);

/* Asks for name, which is copied.  done is called once, from the loop, never from in here.
 * Returns NULL when memory is out or as many different names are under way as are kept. */
struct names_question *names_ask(struct names *names, enum names_kind kind, const char *name,
				 names_fn *done, void *arg);

/* Forgets a question that is not answered yet; *questionp becomes NULL and may be NULL.
 * After the answer the question is gone by itself. */
void names_drop(struct names_question **questionp);

/* Does /etc/hosts have this host?  Then the administrator has said where it is, and its
 * SRV records are not asked for.  Reads the file, blocking. */
bool names_in_hosts_file(struct names *names, const char *host);

#endif
