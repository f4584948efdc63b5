/* link_io.c - TLS, the upgrade and WebSocket messages of a link.
 *
 * Reading takes from OpenSSL into the context's one buffer, and messages are handed on from there:
 * an idle link has no buffer.  Writing gathers frames in link->out, and one flush at the end of the
 * turn gives them to OpenSSL, so that many small ones share a record and a system call.
 *
 * In SSL_MODE_ENABLE_PARTIAL_WRITE with moving buffers (link_tls.c), a write that did not succeed
 * is repeated with the same octets, wherever they lie by then.
 */
#include "umsg/link_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "keys/secret.h"

enum {
	READS_A_TURN = 4,     /* then the other links have theirs */
	WRITE_OCTETS = 16384, /* of one TLS record */
	PING_OCTETS = 8,
};

/* ---- writing ---- */

static void flush_at_end_of_turn(struct link *link)
{
	if (link->flushing)
		return;
	link->flushing = true;
	link_want_write(link, false);
}

static void tls_failed(struct link *link, int result);

/* One spare buffer a context, and a small one: what a burst needed is freed. */
static void give_back(struct link_context *context, struct ws_out *out)
{
	if (context->spare.p || out->capacity > LINK_SPARE_OCTETS) {
		ws_out_done(out);
		return;
	}
	context->spare = (struct ws_out){ .p = out->p, .capacity = out->capacity };
	*out = (struct ws_out){ .p = NULL };
}

bool link_flush(struct link *link)
{
	struct ws_out *out = &link->out;

	while (out->start < out->n) {
		size_t n = out->n - out->start;
		int written;

		ERR_clear_error();
		/* One record at a time: a slow peer gets whole records, and what was not taken
		 * is offered again from the same place, as OpenSSL demands. */
		written = SSL_write(link->ssl, out->p + out->start,
				    (int)(n < WRITE_OCTETS ? n : WRITE_OCTETS));
		if (written <= 0) {
			tls_failed(link, written);
			return link->state != GONE;
		}
		out->start += (size_t)written;
	}
	/* All is written, so the room is of use to others. */
	give_back(link->context, out);
	return true;
}

/* Most links have nothing to send most of the time: the room goes to who needs it next. */
static void take_spare(struct link *link)
{
	/* Something still waits in it. */
	if (link->out.p)
		return;
	link->out = link->context->spare;
	link->context->spare = (struct ws_out){ .p = NULL };
}

int link_queue(struct link *link, enum ws_kind kind, struct slice payload)
{
	int err;

	/* Counted before the frame's header: the limit is there for peers that do not read,
	 * not for the last octets. */
	if (link_queued(link) + payload.n > link->context->limits.queue_octets) {
		link_give_up(link, LINK_SLOW);
		return -ENOBUFS;
	}
	take_spare(link);
	err = ws_write(link->context->engine, link->server ? WS_SERVER : WS_CLIENT, kind, payload,
		       &link->out);
	if (err)
		return err;
	flush_at_end_of_turn(link);
	return 0;
}

void link_begin_close(struct link *link, enum link_reason reason, unsigned code, bool discard)
{
	const uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	link->reason = reason;
	link->discard = discard;
	/* The close has a limit of its own, and whether a message ends is of no interest any
	 * more. */
	link->message_due = 0;
	if (ws_write(link->context->engine, link->server ? WS_SERVER : WS_CLIENT, WS_CLOSE,
		     slice_of(payload, sizeof(payload)), &link->out) == 0)
		flush_at_end_of_turn(link);
	/* Or the peer's close would never be read. */
	if (link->paused)
		link_pause(link, false);
	link_phase(link, CLOSING, link->context->limits.close_ms);
}

/* ---- reading ---- */

/* The peer's close: answered, then it is over. */
static bool closed_by_peer(struct link *link, unsigned code)
{
	bool ours = link->state == CLOSING;

	if (!ours) {
		const uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

		ws_write(link->context->engine, link->server ? WS_SERVER : WS_CLIENT, WS_CLOSE,
			 slice_of(payload, code == 1005 ? 0 : sizeof(payload)), &link->out);
		/* At once, not at the end of the turn: the descriptor is closed below. */
		if (!link_flush(link))
			return false;
	}
	link_end(link, ours ? link->reason : LINK_BY_PEER, code, NULL);
	return false;
}

static void got_pong(struct link *link, struct slice payload)
{
	struct link_event event = { .kind = LINK_PONG };
	uint64_t sent = 0;

	for (size_t i = 0; i < payload.n && i < PING_OCTETS; i++)
		sent |= (uint64_t)payload.p[i] << (8 * i);
	if (payload.n != PING_OCTETS || link->ping_sent == 0 || (int64_t)sent != link->ping_sent)
		return; /* unasked for (RFC 6455 5.5.3): a sign of life and no more */
	event.ms = (unsigned)(link->stats.heard_ms - link->ping_sent);
	link->ping_sent = 0;
	link_tell(link, &event);
}

static bool on_message(void *arg, enum ws_kind kind, struct slice payload, unsigned code)
{
	struct link *link = arg;
	struct link_event event = { .kind = LINK_FRAME, .octets = payload };

	switch (kind) {
	case WS_BINARY:
		/* Not so behind a control frame: those stand between the pieces of a message that
		 * may never end (RFC 6455 5.4). */
		link->message_due = 0;
		/* After our own close the peer may still send: read for its close, but not
		 * handed on. */
		if (link->state == UP) {
			link->stats.frames_in++;
			link->stats.octets_in += payload.n;
			link_tell(link, &event);
		}
		break;
	case WS_PING:
		if (link->state == UP && link_queue(link, WS_PONG, payload) == 0)
			link_tell_kind(link, LINK_PINGED, NULL);
		break;
	case WS_PONG:
		got_pong(link, payload);
		break;
	case WS_CLOSE:
		return closed_by_peer(link, code);
	}
	return link->state != GONE && !link->discard;
}

/* An idle link has no reader: most octets that come are of whole messages.  Returns 0 or
 * -ENOMEM. */
static int put_back(struct link *link, struct ws_reader *reader)
{
	bool busy = ws_reader_busy(reader), kept = reader == link->partial;

	if (busy && !kept) {
		link->partial = malloc(sizeof(*link->partial));
		if (!link->partial)
			return -ENOMEM;
		/* With the parts that the reader owns. */
		*link->partial = *reader;
	} else if (!busy && kept) {
		free(link->partial);
		link->partial = NULL;
	}
	return 0;
}

static void read_messages(struct link *link, struct slice octets)
{
	struct ws_reader fresh, *reader = link->partial ? link->partial : &fresh;
	unsigned code;
	int err;

	ws_reader_init(&fresh, link->server ? WS_SERVER : WS_CLIENT, LINK_MESSAGE_MAX);
	/* It may free the link's socket, by the owner's callbacks; the struct stays (enter()). */
	err = ws_read(link->context->engine, reader, octets, on_message, link, &code);
	if (!err && link->state != GONE) {
		err = put_back(link, reader);
		code = WS_CODE_INTERNAL;
	}
	if (reader != link->partial && (err || link->state == GONE))
		ws_reader_done(&fresh); /* nothing more is read */
	if (link->state == GONE || err == -ECANCELED)
		return;
	if (err)
		link_begin_close(link,
				 err == -EMSGSIZE ? LINK_TOO_LARGE
				 : err == -ENOMEM ? LINK_NO_MEMORY
						  : LINK_PROTOCOL,
				 code, true);
	else if (!link->partial)
		link->message_due = 0;
	/* A message that has begun must end in time: its room is held for it. */
	else if (link->message_due == 0)
		link->message_due = link->stats.heard_ms + link->context->limits.message_ms;
}

static void now_up(struct link *link)
{
	/* Before the owner is told, who may send at once. */
	link_setup_done(link);
	link_phase(link, UP, 0);
	link_tell_kind(link, LINK_NEGOTIATED, NULL);
}

/* Sends the refusal and waits for the peer to have read it. */
static void refuse_upgrade(struct link *link, int status)
{
	char text[UPGRADE_TEXT_MAX];
	int n = upgrade_make_refusal(status, text);

	if (n > 0 && ws_out_put(&link->out, slice_of(text, (size_t)n)) == 0)
		flush_at_end_of_turn(link);
	link->reason = LINK_BAD_UPGRADE;
	link->discard = true;
	/* Closed at once, octets that are not read would make the kernel reset the connection,
	 * and the refusal be lost. */
	link_phase(link, CLOSING, link->context->limits.close_ms);
}

static void take_head(struct link *link, struct slice head)
{
	char text[UPGRADE_TEXT_MAX];
	int status, n;

	if (!link->server) {
		if (upgrade_parse_response(head, link->setup->key, &status) == 0)
			now_up(link);
		else
			link_end(link, LINK_BAD_UPGRADE, 0, "the upgrade was refused");
		return;
	}
	status = upgrade_parse_request(head, link->setup->key);
	if (status) {
		refuse_upgrade(link, status);
		return;
	}
	n = upgrade_make_response(link->setup->key, text);
	if (n < 0 || ws_out_put(&link->out, slice_of(text, (size_t)n)) < 0) {
		link_end(link, LINK_NO_MEMORY, 0, NULL);
		return;
	}
	/* Behind it go the frames that the owner sends when told. */
	flush_at_end_of_turn(link);
	now_up(link);
}

/* Collects the head; what stands behind it are messages already. */
static void read_head(struct link *link, struct slice octets)
{
	struct link_setup *setup = link->setup;
	uint8_t *head = setup->head;
	size_t room = UPGRADE_HEAD_MAX - setup->head_n;
	size_t n = octets.n < room ? octets.n : room, before = setup->head_n;
	int end_at;

	memcpy(head + before, octets.p, n);
	setup->head_n += n;
	end_at = upgrade_head_end(slice_of(head, setup->head_n));
	if (end_at == 0)
		return;
	if (end_at < 0) {
		if (link->server)
			refuse_upgrade(link, 431);
		else
			link_end(link, LINK_BAD_UPGRADE, 0, "the head is too long");
		return;
	}
	take_head(link, slice_of(head, (size_t)end_at));
	/* A client may send its first frame together with the head. */
	octets = slice_from(octets, (size_t)end_at - before);
	if (octets.n && (link->state == UP || link->state == CLOSING) && !link->discard)
		read_messages(link, octets);
}

static void take_input(struct link *link, struct slice octets)
{
	/* Any octet is a sign of life, also one of a message that is not whole. */
	link->stats.heard_ms = clock_mono_ms();
	if (link->state == UPGRADING)
		read_head(link, octets);
	else if (!link->discard)
		read_messages(link, octets);
}

/* What to do when an SSL call did not succeed. */
static void tls_failed(struct link *link, int result)
{
	/* errno first: SSL_get_error() may change it. */
	int saved = errno, error = SSL_get_error(link->ssl, result);
	enum link_reason reason;

	switch (error) {
	/* The event for reading is always there. */
	case SSL_ERROR_WANT_READ:
		return;
	case SSL_ERROR_WANT_WRITE:
		link_want_write(link, true);
		return;
	/* The peer's close_notify: an orderly end, whatever was said before counts. */
	case SSL_ERROR_ZERO_RETURN:
		link_end(link, link->reason ? link->reason : LINK_BY_PEER, link->code, NULL);
		return;
	case SSL_ERROR_SYSCALL:
		link_end(link, link->reason ? link->reason : LINK_BROKEN, 0,
			 saved ? strerror(saved) : "the peer ended the connection");
		return;
	default:
		/* In the handshake an alert means that the key was wrong or unknown; a
		 * connection that was cut says nothing about keys. */
		reason = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
					 link->state != SHAKING
				 ? LINK_BROKEN
				 : LINK_REFUSED;
		link_end(link, link->reason ? link->reason : reason, 0, link_tls_reason());
	}
}

/* OpenSSL may hold octets that no descriptor tells of any more, so what is left after this turn
 * is asked for again. */
void link_read(struct link *link)
{
	struct link_context *context = link->context;

	for (int i = 0; i < READS_A_TURN && link->state != GONE && !link->paused; i++) {
		int n;

		ERR_clear_error();
		/* Or SSL_ERROR_SYSCALL of an end of file would be explained by what failed
		 * before. */
		errno = 0;
		n = SSL_read(link->ssl, context->input, LINK_READ_OCTETS);
		if (n <= 0) {
			tls_failed(link, n);
			break;
		}
		take_input(link, slice_of(context->input, (size_t)n));
		/* Behind a whole record of the largest size there is probably another one. */
		if (link->state == GONE || (n < LINK_READ_OCTETS && !SSL_has_pending(link->ssl)))
			break;
	}
	if (link->state != GONE && !link->paused && SSL_has_pending(link->ssl))
		event_active(&link->readable, EV_READ, 0); /* no descriptor will tell of it */
	link_arm(link);
}

/* ---- the handshake ---- */

static void send_upgrade(struct link *link)
{
	char text[UPGRADE_TEXT_MAX];
	int n;

	/* The client speaks first. */
	if (link->server)
		return;
	n = upgrade_make_key(link->setup->key) < 0
		    ? -EIO
		    : upgrade_make_request(link->setup->host, link->setup->key, text);
	if (n < 0 || ws_out_put(&link->out, slice_of(text, (size_t)n)) < 0)
		link_end(link, LINK_NO_MEMORY, 0, NULL);
	else
		flush_at_end_of_turn(link);
}

void link_shake(struct link *link)
{
	int result;

	ERR_clear_error();
	errno = 0;
	/* A client's last words of the handshake go with its upgrade, which follows at once: the
	 * server is woken, and reads, once for both. (The answer to a HelloRetryRequest, which no
	 * server of ours sends, would wait 200 ms: tcp(7), TCP_CORK.) */
	link->tls.more = !link->server && SSL_get_state(link->ssl) == TLS_ST_CW_CLNT_HELLO;
	result = SSL_do_handshake(link->ssl);
	link->tls.more = false;
	if (result != 1) {
		tls_failed(link, result);
		return;
	}
	/* The session has keys of its own now. */
	wipe(link->setup->psk, sizeof(link->setup->psk));
	/* TLS 1.3 can fall back from a PSK to certificates: a server without ours would be let
	 * in. */
	if (!link_tls_as_wanted(link->ssl)) {
		link_end(link, LINK_REFUSED, 0, "not authenticated by a PSK");
		return;
	}
	link->state = UPGRADING; /* within the time of the handshake */
	link_tell_kind(link, LINK_AUTHENTICATED,
		       link->setup->identity ? link->setup->identity : "");
	if (link->state == UPGRADING)
		send_upgrade(link);
	/* What came with the end of the handshake lies in OpenSSL: no descriptor will tell of
	 * it. */
	if (link->state == UPGRADING && SSL_has_pending(link->ssl))
		link_read(link);
}

int link_begin_tls(struct link *link)
{
	link->tls.fd = link->fd;
	link->ssl = link_tls_new(link->server ? link->context->server : link->context->client,
				 link->context->socket, &link->tls);
	if (!link->ssl)
		return -ENOMEM;
	if (link->server)
		SSL_set_accept_state(link->ssl);
	else
		SSL_set_connect_state(link->ssl);
	/* One limit for TLS and upgrade together: who sends an octet now and then gains
	 * nothing. */
	link_phase(link, SHAKING, link->context->limits.handshake_ms);
	event_add(&link->readable, NULL);
	return 0;
}
