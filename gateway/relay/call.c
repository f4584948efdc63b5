/* call.c - a call as its media thread has it.  Everything here runs in that thread;
 * what the main thread should know goes out as notices. */
#include "gateway/relay/call.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { CHECK_MS = 200 }; /* between two looks at the timeouts */

static struct notice *new_notice(const struct relay_call *call, enum notice_kind kind)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!notice)
		return NULL;
	notice->kind = kind;
	notice->serial = call->serial;
	return notice;
}

/* Towards the rendezvous packets wait for the thread's flush; all go to one address, so the
 * system may take them as one (udp_batch.h).  A PBX gets its packet at once: there a
 * call has sockets of its own. */
static void on_send(void *arg, enum bridge_side to, struct slice packet, bool rtcp)
{
	struct relay_call *call = arg;
	const struct net_addr *remote;

	if (to == BRIDGE_SECURE) {
		udp_send(call->trunk->outbox, packet, &call->relay);
		return;
	}
	remote = rtcp ? plain_leg_remote_rtcp(call->bridge.plain)
		      : plain_leg_remote(call->bridge.plain);
	/* a packet that does not go is a lost packet: the next one will do */
	(void)sendto(rtcp ? call->rtcp.fd : call->rtp.fd, packet.p, packet.n, MSG_DONTWAIT,
		     &remote->sa, remote->len);
}

static void on_digit(void *arg, enum bridge_side from, const struct dtmf_event *event)
{
	struct relay_call *call = arg;
	struct notice *notice;

	/* A digit is told when its length is known, so once.  The other leg has heard it from its
	 * beginning on: the bridge passes it on. */
	if (event->phase != DTMF_END)
		return;
	notice = new_notice(call, NOTICE_DIGIT);
	if (!notice)
		return;
	/* Without memory the digit is lost to the log only. */
	notice->from = from;
	notice->digit = event->digit;
	notice->duration_ms = event->duration_ms;
	queue_put(call->notices, &notice->node);
}

static const struct bridge_ops bridge_ops = { on_send, on_digit };

struct relay_call *relay_call_new(uint64_t serial, const struct order_open *open,
				  struct trunk *trunk, struct queue *notices)
{
	struct relay_call *call = calloc(1, sizeof(*call));

	if (!call) {
		close(open->rtp_fd);
		close(open->rtcp_fd);
		/* The main thread counts on one NOTICE_CLOSED for every ORDER_OPEN, so that its
		 * ports come back. */
		open->closed->reason = CLOSE_FAULT;
		queue_put(notices, &open->closed->node);
		return NULL;
	}
	call->serial = serial;
	call->rtp = (struct watch){ WATCH_CALL, open->rtp_fd, call };
	call->rtcp = (struct watch){ WATCH_CALL, open->rtcp_fd, call };
	call->trunk = trunk;
	call->timeout_ms = open->timeout_ms ? open->timeout_ms : CALL_DEFAULT_TIMEOUT_MS;
	call->notices = notices;
	call->closed = open->closed;
	bridge_init(&call->bridge, &bridge_ops, call);
	return call;
}

int relay_call_set_plain(struct relay_call *call, const struct order_plain *plain, int64_t now_ms)
{
	int err = bridge_set_plain(&call->bridge, &plain->leg, now_ms);

	if (err)
		return err;
	call->plain = *plain;
	/* the leg has them: they need not lie here, too */
	OPENSSL_cleanse(&call->plain.leg.own_key, sizeof(call->plain.leg.own_key));
	OPENSSL_cleanse(&call->plain.leg.peer_key, sizeof(call->plain.leg.peer_key));
	/* A new SDP may end a hold, so silence counts from here. */
	call->plain_since_ms = now_ms;
	return 0;
}

int relay_call_set_secure(struct relay_call *call, const struct order_secure *secure,
			  int64_t now_ms)
{
	int err = bridge_set_secure(&call->bridge, &secure->leg, now_ms);

	if (err)
		return err;
	call->relay = secure->relay;
	call->secure_codec = secure->leg.codec;
	call->secure_set_ms = now_ms;
	return 0;
}

int relay_call_send_digit(struct relay_call *call, const struct order_digit *digit)
{
	if (digit->to == BRIDGE_PLAIN)
		return call->bridge.plain ? plain_leg_send_digit(call->bridge.plain, digit->digit,
								 digit->duration_ms)
					  : -ENOTCONN;
	return call->bridge.secure ? secure_leg_send_digit(call->bridge.secure, digit->digit,
							   digit->duration_ms)
				   : -ENOTCONN;
}

void relay_call_answered(struct relay_call *call, int64_t now_ms)
{
	call->answered = true;
	call->answered_ms = now_ms;
}

void relay_call_from_plain(struct relay_call *call, struct slice packet,
			   const struct net_addr *from, int64_t now_ms)
{
	if (call->bridge.plain)
		(void)plain_leg_receive(call->bridge.plain, packet, from, now_ms); /* it counts */
}

void relay_call_from_secure(struct relay_call *call, uint8_t *packet, size_t n, int64_t now_ms)
{
	struct notice *notice;

	/* The leg is there: by_own_ssrc and by_peer_ssrc know a call only when it has one. */
	(void)secure_leg_receive(call->bridge.secure, packet, n, now_ms); /* it counts */
	if (call->bound_told || !secure_leg_bound(call->bridge.secure))
		return;
	notice = new_notice(call, NOTICE_BOUND);
	if (!notice) /* told with the next packet */
		return;
	call->bound_told = true;
	queue_put(call->notices, &notice->node);
}

void relay_call_set_complexity(struct relay_call *call, int complexity)
{
	if (call->complexity == complexity || !call->bridge.secure)
		return;
	call->complexity = complexity;
	secure_leg_set_complexity(call->bridge.secure, complexity);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* media.md section 7, "RTP timeout": each direction by itself, from the answer on,
 * and not while the PBX has said that it sends nothing. */
static bool timed_out(const struct relay_call *call, int64_t now_ms, enum close_reason *reason_out)
{
	const struct bridge *b = &call->bridge;
	int64_t since;

	if (b->secure && !secure_leg_bound(b->secure) &&
	    now_ms - call->secure_set_ms >= call->timeout_ms) {
		*reason_out = CLOSE_NOT_BOUND;
		return true;
	}
	if (!call->answered)
		/* Before the answer silence is ringing, not a fault. */
		return false;
	since = later(call->answered_ms, b->secure ? secure_leg_heard_ms(b->secure) : 0);
	since = later(since, call->plain_since_ms); /* where a hold may have ended */
	if (!call->plain.secure_held && now_ms - since >= call->timeout_ms) {
		*reason_out = CLOSE_SECURE_TIMEOUT;
		return true;
	}
	since = later(call->answered_ms, b->plain ? plain_leg_heard_ms(b->plain) : 0);
	since = later(since, call->plain_since_ms);
	if (!call->plain.no_receive && now_ms - since >= call->timeout_ms) {
		*reason_out = CLOSE_PLAIN_TIMEOUT;
		return true;
	}
	return false;
}

bool relay_call_talks(const struct relay_call *call)
{
	return call->bridge.plain && call->bridge.secure;
}

uint64_t relay_call_new_drops(struct relay_call *call)
{
	uint64_t before = call->dropped;

	/* The RTP socket alone: RTCP is a packet in five seconds. */
	call->dropped = udp_dropped(call->rtp.fd);
	return call->dropped - before;
}

bool relay_call_tick(struct relay_call *call, int64_t now_ms, enum close_reason *reason_out)
{
	bridge_tick(&call->bridge, now_ms);
	if (now_ms - call->checked_ms < CHECK_MS)
		return false;
	call->checked_ms = now_ms;
	return timed_out(call, now_ms, reason_out);
}

static void fill_stats(const struct relay_call *call, struct notice *notice)
{
	notice->plain.codec = notice->secure.codec = "";
	if (call->bridge.plain) {
		plain_leg_stats(call->bridge.plain, &notice->plain.stats);
		notice->plain.codec = codec_name(call->plain.leg.codec);
		notice->plain.remote = *plain_leg_remote(call->bridge.plain);
		notice->plain.dropped = udp_dropped(call->rtp.fd);
	}
	if (call->bridge.secure) {
		secure_leg_stats(call->bridge.secure, &notice->secure.stats);
		notice->secure.codec = codec_name(call->secure_codec);
		notice->secure.remote = call->relay;
	}
}

void relay_call_tell_stats(const struct relay_call *call)
{
	struct notice *notice = new_notice(call, NOTICE_STATS);

	if (!notice)
		return;
	fill_stats(call, notice);
	queue_put(call->notices, &notice->node);
}

/* closed was allocated with the call: its end can be told when memory is out. */
void relay_call_end(struct relay_call **callp, enum close_reason reason)
{
	struct relay_call *call = *callp;
	struct notice *closed = call->closed;
	struct queue *notices = call->notices;

	*callp = NULL;
	closed->reason = reason;
	fill_stats(call, closed);
	bridge_done(&call->bridge);
	close(call->rtp.fd);
	close(call->rtcp.fd);
	free(call);
	queue_put(notices, &closed->node);
}
