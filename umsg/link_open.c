/* link_open.c - a link is made, of a socket that was accepted or by connecting, up to where its TLS
 * begins.  What the handshake needs besides, the setup, is made here and wiped here.
 */
#include "umsg/link_priv.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/secret.h"

/* Frames are small and awaited: Nagle's algorithm would hold each back for the answer to the
 * one before. */
static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static struct link *new_link(struct link_context *context, int fd, const struct link_ops *ops,
			     void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	/* Apart from the link: 4 KiB and more that only the handshake needs. */
	link->setup = malloc(sizeof(*link->setup));
	if (!link->setup) {
		free(link);
		return NULL;
	}
	memset(link->setup, 0, offsetof(struct link_setup, head));
	link->context = context;
	link->priority = -1;
	link->fd = fd;
	link->ops = ops;
	link->arg = arg;
	link->stats.since_ms = clock_mono_ms();
	link->stats.heard_ms = link->stats.since_ms;
	link_assign_events(link);
	return link;
}

void link_setup_done(struct link *link)
{
	struct link_setup *setup = link->setup;

	if (!setup)
		return;
	free(setup->host);
	free(setup->identity);
	/* It holds the PSK, and the head of the upgrade as far as it came. */
	wipe(setup, offsetof(struct link_setup, head) + setup->head_n);
	free(setup);
	link->setup = NULL;
	link->tls.identity = NULL;
	link->tls.psk = NULL;
}

/* ---- as a server ---- */

/* OpenSSL asks for the key of a hello's first identity; after a HelloRetryRequest it
 * asks again, and then only the same one is good. */
static bool find_psk(struct link_tls_peer *peer, struct slice identity, uint8_t psk_out[LINK_PSK])
{
	struct link *link = (struct link *)(void *)((char *)peer - offsetof(struct link, tls));
	struct link_setup *setup = link->setup;

	if (!setup)
		return false;
	if (!peer->asked) {
		peer->asked = true;
		/* An owner that is asked twice could count a failure twice. */
		link->ops->psk(link->arg, link, identity, setup->psk);
		if (identity.n >= 1 && identity.n <= LINK_IDENTITY_MAX &&
		    !memchr(identity.p, 0, identity.n))
			setup->identity = strndup((const char *)identity.p, identity.n);
		/* Another identity on the second asking gets a random key: it fails as a wrong key
		 * does. */
	} else if (!setup->identity || !slice_eq_str(identity, setup->identity)) {
		return RAND_bytes(psk_out, LINK_PSK) == 1;
	}
	memcpy(psk_out, setup->psk, LINK_PSK);
	return true;
}

int link_accept(struct link_context *context, int fd, const struct link_ops *ops, void *arg,
		struct link **link_out)
{
	struct link *link = new_link(context, fd, ops, arg);

	if (!link) {
		close(fd);
		return -ENOMEM;
	}
	link->server = true;
	link->tls.find = find_psk;
	link->peer.len = sizeof(link->peer.in6);
	/* A client that is gone already: the handshake finds that out. */
	if (getpeername(fd, &link->peer.sa, &link->peer.len) < 0)
		link->peer.len = 0;
	no_delay(fd);
	if (link_begin_tls(link) < 0) {
		link_free(&link);
		return -ENOMEM;
	}
	*link_out = link;
	return 0;
}

/* ---- as a client ---- */

static int set_login(struct link *link, const struct link_login *login)
{
	struct link_setup *setup = link->setup;
	size_t n = strlen(login->identity);

	/* RFC 8446 allows longer ones; the rendezvous takes none. */
	if (n == 0 || n > LINK_IDENTITY_MAX || login->host[0] == '\0')
		return -EINVAL;
	setup->host = strdup(login->host);
	setup->identity = strdup(login->identity);
	if (!setup->host || !setup->identity)
		return -ENOMEM;
	memcpy(setup->psk, login->psk, LINK_PSK);
	link->tls.identity = setup->identity;
	link->tls.psk = setup->psk;
	return 0;
}

/* A socket from where the context wants to connect, or -errno. */
static int open_socket(const struct link_context *context, int family)
{
	const struct net_addr *own = &context->own;
	int err, fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (own->len && own->sa.sa_family == family && bind(fd, &own->sa, own->len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int link_connect(struct link_context *context, const struct net_addr *addr,
		 const struct link_login *login, const struct link_ops *ops, void *arg,
		 struct link **link_out)
{
	int err, fd = open_socket(context, addr->sa.sa_family);
	struct link *link;

	if (fd < 0)
		return fd;
	link = new_link(context, fd, ops, arg);
	if (!link) {
		close(fd);
		return -ENOMEM;
	}
	link->peer = *addr;
	no_delay(fd);
	err = set_login(link, login);
	if (err) {
		link_free(&link);
		return err;
	}
	/* Before connect(), so that there is a limit whatever comes of it. */
	link_phase(link, CONNECTING, context->limits.connect_ms);
	if (connect(fd, &addr->sa, addr->len) < 0 && errno != EINPROGRESS) {
		link->reason = LINK_UNREACHABLE;
		link->text = strerror(errno);
		link_phase(link, CLOSING, 1); /* told from the loop */
	} else {
		link_want_write(link, true);
	}
	*link_out = link;
	return 0;
}

void link_connected(struct link *link)
{
	socklen_t n = sizeof(int);
	int err = 0;

	/* connect(2): a socket that is writable has its outcome in SO_ERROR. */
	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	if (err) {
		link_end(link, LINK_UNREACHABLE, 0, strerror(err));
		return;
	}
	link_tell_kind(link, LINK_CONNECTED, NULL);
	/* The owner may have closed it in the callback. */
	if (link->state != CONNECTING)
		return;
	if (link_begin_tls(link) < 0)
		link_end(link, LINK_NO_MEMORY, 0, NULL);
	else
		link_shake(link);
}
