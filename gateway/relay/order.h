/* order.h - what the main thread of cig-relay and its media threads tell each other.
 *
 * The main thread sends orders, a media thread notices.  Calls are known by a
 * serial number that is never used again in the process.  Who takes a message
 * frees it.
 */
#ifndef GATEWAY_RELAY_ORDER_H
#define GATEWAY_RELAY_ORDER_H

#include "gateway/relay/load.h"
#include "gateway/relay/queue.h"
#include "media/bridge.h"

enum notice_kind {
	NOTICE_FAILED, /* an order could not be carried out */
	NOTICE_DIGIT,
	NOTICE_BOUND,
	NOTICE_STATS,
	NOTICE_CLOSED, /* the last one of a call */
	NOTICE_LOAD,   /* of the thread, about no call; every LOAD_PERIOD_MS */
};

enum close_reason {
	CLOSE_REQUESTED,
	CLOSE_PLAIN_TIMEOUT,
	CLOSE_SECURE_TIMEOUT,
	CLOSE_NOT_BOUND,
	CLOSE_FAULT,
};

struct notice_side {
	struct leg_stats stats;
	uint64_t dropped;  /* packets that the system dropped: nobody read them in time */
	const char *codec; /* static; "": not set yet */
	struct net_addr remote;
};

struct notice {
	struct queue_node node; /* first */
	enum notice_kind kind;
	uint64_t serial;
	int err;                          /* FAILED: -EALREADY, -EINVAL, -ENOMEM ... */
	bool only_digit;                  /* FAILED: it was a digit, the call goes on */
	enum close_reason reason;         /* CLOSED */
	struct notice_side plain, secure; /* STATS, CLOSED */
	enum bridge_side from;            /* DIGIT */
	char digit;
	unsigned duration_ms;
	unsigned thread; /* LOAD */
	struct load_figures load;
};

enum order_kind {
	ORDER_OPEN,
	ORDER_SET_PLAIN,
	ORDER_SET_SECURE,
	ORDER_ANSWERED,
	ORDER_DIGIT,
	ORDER_STATS,
	ORDER_CLOSE,
	ORDER_STOP, /* ends the thread */
};

struct order_open {
	int rtp_fd, rtcp_fd; /* the thread owns them from now on */
	int trunk_fd; /* the thread's socket towards the rendezvous; owned from its first use on */
	unsigned timeout_ms;
	struct notice *closed; /* owned: for the call's end, so that it cannot fail to be told */
};

struct order_plain {
	struct plain_leg_config leg;
	bool no_receive;
	bool secure_held; /* the other side holds: its silence is no fault */
};

struct order_secure {
	struct secure_leg_config leg; /* its slices point to the two arrays */
	uint8_t leg_id[STUN_MAX_USERNAME], leg_key[64];
	struct net_addr relay;
};

struct order_digit {
	enum bridge_side to;
	char digit;
	unsigned duration_ms;
};

struct order {
	struct queue_node node; /* first */
	enum order_kind kind;
	uint64_t serial;
	union {
		struct order_open open;
		struct order_plain plain;
		struct order_secure secure;
		struct order_digit digit;
	};
};

#endif
