/* dns.c - evdns with an owner that outlives what libevent still has under way.
 *
 *     dns_ask() --> asked --on_found()--> answered, freed
 *       |             |
 *       |             +--dns_drop()--> cancelled --on_found()--> freed, unanswered
 *       |
 *       +--on_found() within dns_ask()--> waits for on_soon() --> answered, freed
 */
#include "base/dns.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

static const char resolv_conf[] = "/etc/resolv.conf", hosts[] = "/etc/hosts";

/* By which it is seen that a file is another one. */
struct version {
	struct timespec changed;
	ino_t inode; /* 0: there is no file */
};

struct dns {
	struct event_base *base;
	struct version resolv_conf, hosts; /* as evdns has read them */
	struct evdns_base *evdns;
	struct dns_question *questions;
	bool closing; /* freed with the last question */
};

/* Lives until libevent has said its last word about it. */
struct dns_question {
	struct dns *dns;
	struct dns_question *next, **link;
	struct evdns_getaddrinfo_request *request; /* NULL: libevent is done with it */
	struct event *soon;                        /* for what was answered at once */
	struct addrinfo *found;
	int error;
	dns_answer_fn *answer; /* NULL: dropped */
	void *arg;
	bool asking; /* within dns_ask() */
};

static struct version version_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (struct version){ st.st_mtim, st.st_ino }
				    : (struct version){ { 0, 0 }, 0 };
}

static bool same(struct version a, struct version b)
{
	return a.inode == b.inode && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

/* NULL: out of memory. */
static struct evdns_base *read_settings(struct dns *dns)
{
	struct evdns_base *evdns = evdns_base_new(dns->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);

	if (!evdns)
		return NULL;
	/* Before they are read: a change meanwhile is seen with the next question. */
	dns->resolv_conf = version_of(resolv_conf);
	dns->hosts = version_of(hosts);
	/* Without name servers names in /etc/hosts still resolve. */
	if (evdns_base_resolv_conf_parse(evdns, DNS_OPTIONS_ALL, resolv_conf) != 0)
		evdns_base_load_hosts(evdns, hosts);
	return evdns;
}

/* libevent reads both files once: a program that was started before the network was there would
 * ask nobody, or the name servers of another network, for as long as it runs.  Not while a
 * question is under way, which ends within some seconds. */
static void read_again(struct dns *dns)
{
	struct evdns_base *evdns;

	if (dns->questions || (same(dns->resolv_conf, version_of(resolv_conf)) &&
			       same(dns->hosts, version_of(hosts))))
		return;
	evdns = read_settings(dns);
	if (!evdns)
		return;
	evdns_base_free(dns->evdns, 0);
	dns->evdns = evdns;
}

struct dns *dns_new(struct event_base *base)
{
	struct dns *dns = calloc(1, sizeof(*dns));

	if (!dns)
		return NULL;
	dns->base = base;
	dns->evdns = read_settings(dns);
	if (!dns->evdns) {
		free(dns);
		return NULL;
	}
	return dns;
}

/* Only when no question is left: libevent keeps pointers to the base in each of them. */
static void close_if_over(struct dns *dns)
{
	if (!dns->closing || dns->questions)
		return;
	evdns_base_free(dns->evdns, 0);
	free(dns);
}

static void unlink_question(struct dns_question *question)
{
	*question->link = question->next;
	if (question->next)
		question->next->link = question->link;
}

static void question_free(struct dns_question *question)
{
	if (question->found)
		evutil_freeaddrinfo(question->found);
	event_free(question->soon);
	free(question);
}

/* The answer may ask and drop other questions, and free the dns: this one is out of its
 * list before, and does not look at the dns behind it. */
static void finish(struct dns_question *question)
{
	struct dns *dns = question->dns;
	bool dropped = !question->answer;

	unlink_question(question);
	if (!dropped)
		question->answer(question->arg, question->error, question->found);
	question_free(question);
	if (dropped)
		close_if_over(dns);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void on_found(int result, struct addrinfo *found, void *arg)
{
	struct dns_question *question = arg;

	question->request = NULL;
	question->found = found;
	question->error = result == 0 && !found ? EVUTIL_EAI_NODATA : result;
	if (question->asking)
		event_active(question->soon, EV_TIMEOUT, 0); /* the name stood in /etc/hosts */
	else
		finish(question);
}

struct dns_question *dns_ask(struct dns *dns, const char *host, const struct addrinfo *hints,
			     dns_answer_fn *answer, void *arg)
{
	struct dns_question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	read_again(dns);
	*question = (struct dns_question){ .dns = dns, .answer = answer, .arg = arg };
	question->soon = event_new(dns->base, -1, 0, on_soon, question);
	if (!question->soon) {
		free(question);
		return NULL;
	}
	question->next = dns->questions;
	question->link = &dns->questions;
	if (question->next)
		question->next->link = &question->next;
	dns->questions = question;
	question->asking = true;
	question->request = evdns_getaddrinfo(dns->evdns, host, NULL, hints, on_found, question);
	question->asking = false;
	return question;
}

void dns_drop(struct dns_question **questionp)
{
	struct dns_question *question = *questionp;

	if (!question)
		return;
	*questionp = NULL;
	question->answer = NULL;
	if (question->request)
		evdns_getaddrinfo_cancel(question->request); /* on_found() follows */
	else
		finish(question); /* it waited for its turn in on_soon() */
}

void dns_free(struct dns **dnsp)
{
	struct dns *dns = *dnsp;

	if (!dns)
		return;
	*dnsp = NULL;
	for (struct dns_question *question = dns->questions, *next; question; question = next) {
		next = question->next;
		dns_drop(&question);
	}
	dns->closing = true; /* only now: a drop would have freed it while we walk */
	close_if_over(dns);
}
