#include "tests/tools/rude_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READ_OCTETS = 4096, STATUS_AT = 9 };

int rude_link_open(struct rude_link *link, const struct net_addr *addr)
{
	const struct timeval wait = { .tv_sec = RUDE_WAIT_S };

	link->peer.fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->peer.fd < 0)
		return -errno;
	/* What is said octet by octet shall leave so. */
	if (setsockopt(link->peer.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(link->peer.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) < 0 ||
	    connect(link->peer.fd, &addr->sa, addr->len) < 0)
		return -errno;
	link->context = link_tls_client();
	link->socket = link_tls_socket();
	link->ssl = link->context && link->socket
			    ? link_tls_new(link->context, link->socket, &link->peer)
			    : NULL;
	link->engine = ws_engine_new();
	ws_reader_init(&link->reader, WS_CLIENT, FRAME_MAX);
	return link->ssl && link->engine ? 0 : -ENOMEM;
}

void rude_link_close(struct rude_link *link)
{
	if (link->engine)
		ws_reader_done(&link->reader);
	ws_engine_free(&link->engine);
	SSL_free(link->ssl);
	SSL_CTX_free(link->context);
	BIO_meth_free(link->socket);
	if (link->peer.fd > 0)
		close(link->peer.fd);
}

const char *rude_link_shake(struct rude_link *link)
{
	return SSL_connect(link->ssl) == 1 ? NULL : link_tls_reason();
}

int rude_link_say(struct rude_link *link, struct slice octets)
{
	while (octets.n > 0) {
		int n = SSL_write(link->ssl, octets.p, octets.n < 16384 ? (int)octets.n : 16384);

		if (n <= 0)
			return -EPIPE;
		octets = slice_from(octets, (size_t)n);
	}
	return 0;
}

int rude_link_message(struct rude_link *link, struct slice payload)
{
	struct ws_out out = { .p = NULL };
	int err = ws_write(link->engine, WS_CLIENT, WS_BINARY, payload, &out);

	if (!err)
		err = rude_link_say(link, slice_of(out.p + out.start, out.n - out.start));
	ws_out_done(&out);
	return err;
}

/* Octet by octet, so that nothing behind the head is taken. */
int rude_link_head(struct rude_link *link)
{
	char head[READ_OCTETS] = "";
	size_t n = 0;

	while (n < sizeof(head) - 1 && SSL_read(link->ssl, head + n, 1) == 1) {
		n++;
		if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	return strncmp(head, "HTTP/1.1 ", STATUS_AT) == 0 ? (int)strtol(head + STATUS_AT, NULL, 10)
							  : 0;
}

static void describe(struct rude_link *link, const Umsg__Frame *frame)
{
	int n = snprintf(link->heard, sizeof(link->heard), "%s", frame_name(frame));
	char *end = link->heard + n;
	size_t room = sizeof(link->heard) - (size_t)n;

	switch (frame->body_case) {
	case UMSG__FRAME__BODY_ERROR:
		snprintf(end, room, " %d %s", (int)frame->error->code, frame->error->text);
		break;
	case UMSG__FRAME__BODY_DENIED:
		snprintf(end, room, " %d %s", (int)frame->denied->reason, frame->denied->text);
		break;
	case UMSG__FRAME__BODY_HANGUP:
		snprintf(end, room, " reason=%d who=%d", (int)frame->hangup->reason,
			 (int)frame->hangup->who);
		break;
	default:
		break;
	}
}

static bool on_message(void *arg, enum ws_kind kind, struct slice payload, unsigned code)
{
	struct rude_link *link = arg;
	Umsg__Frame *frame = NULL;

	if (kind == WS_CLOSE) {
		snprintf(link->heard, sizeof(link->heard), "closed %u", code);
		link->found = true;
	} else if (kind == WS_BINARY) {
		if (frame_decode(payload, FRAME_FROM_SERVER, &frame) == 0)
			describe(link, frame);
		else
			snprintf(link->heard, sizeof(link->heard), "a frame that is none");
		link->found = true;
		frame_free(&frame);
	}
	return true;
}

/* Octet by octet, too: what is heard is the next thing and no more. */
const char *rude_link_hear(struct rude_link *link)
{
	uint8_t octet;
	unsigned code;
	int n;

	link->found = false;
	while (!link->found && (n = SSL_read(link->ssl, &octet, 1)) == 1) {
		if (ws_read(link->engine, &link->reader, slice_of(&octet, 1), on_message, link,
			    &code) < 0)
			return "no WebSocket frame";
	}
	if (link->found)
		return link->heard;
	return SSL_get_error(link->ssl, n) == SSL_ERROR_WANT_READ ? "nothing" : "end";
}
