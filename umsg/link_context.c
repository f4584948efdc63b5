/* link_context.c - what all links of a program share: limits, TLS settings, the engine of
 * WebSocket.
 */
#include <errno.h>
#include <stdlib.h>

#include "umsg/link_priv.h"

static const struct link_limits default_limits = {
	.connect_ms = 10000,
	.handshake_ms = 10000,
	.message_ms = 30000,
	.close_ms = 2000,
	.queue_octets = 1 << 20,
};

static unsigned or_default(unsigned value, unsigned otherwise)
{
	return value ? value : otherwise;
}

static void set_limits(struct link_context *context, const struct link_limits *limits)
{
	const struct link_limits *d = &default_limits;
	static const struct link_limits none;

	if (!limits)
		limits = &none;
	context->limits = (struct link_limits){
		.connect_ms = or_default(limits->connect_ms, d->connect_ms),
		.handshake_ms = or_default(limits->handshake_ms, d->handshake_ms),
		.message_ms = or_default(limits->message_ms, d->message_ms),
		.close_ms = or_default(limits->close_ms, d->close_ms),
		.queue_octets = limits->queue_octets ? limits->queue_octets : d->queue_octets,
	};
}

int link_context_new(struct event_base *base, const struct link_limits *limits,
		     struct link_context **context_out)
{
	struct link_context *context = calloc(1, sizeof(*context));

	if (!context)
		return -ENOMEM;
	context->base = base;
	set_limits(context, limits);
	context->engine = ws_engine_new();
	context->server = link_tls_server();
	context->client = link_tls_client();
	context->socket = link_tls_socket();
	/* Of OpenSSL and wslay it is not known whether it was memory. */
	if (!context->engine || !context->server || !context->client || !context->socket) {
		link_context_free(&context);
		return -EIO;
	}
	*context_out = context;
	return 0;
}

void link_context_bind(struct link_context *context, const struct net_addr *own)
{
	/* For links that are made from now on. */
	context->own = *own;
}

void link_context_free(struct link_context **contextp)
{
	struct link_context *context = *contextp;

	if (!context)
		return;
	ws_engine_free(&context->engine);
	ws_out_done(&context->spare);
	SSL_CTX_free(context->server);
	SSL_CTX_free(context->client);
	/* Last: nothing that uses the method is left by now. */
	BIO_meth_free(context->socket);
	free(context);
	*contextp = NULL;
}
