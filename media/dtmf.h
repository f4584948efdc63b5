/* dtmf.h - telephone events (RFC 4733): digits in RTP.
 *
 * Durations at this interface are milliseconds; on the wire they count the event
 * payload's own clock, so two legs with different clocks agree by going through
 * milliseconds.  One event has one timestamp; an event longer than its 16-bit
 * duration can say goes on in segments (RFC 4733 2.5.1.3).
 */
#ifndef MEDIA_DTMF_H
#define MEDIA_DTMF_H

#include "base/slice.h"

enum {
	DTMF_PAYLOAD_SIZE = 4,
	DTMF_UPDATE_MS = 20, /* between packets of one event */
	DTMF_MIN_MS = 40,    /* a shorter digit is sent as long as this */
	DTMF_MAX_MS = 8000,  /* a longer one is ended */
	DTMF_DEFAULT_MS = 100,
	DTMF_PAUSE_MS = 60,   /* between two digits that we send */
	DTMF_END_PACKETS = 3, /* RFC 4733 2.5.1.4 */
	DTMF_QUEUE = 32,      /* digits that wait */
};

enum dtmf_phase { DTMF_START, DTMF_END };

struct dtmf_event {
	char digit; /* 0-9 * # A-D */
	enum dtmf_phase phase;
	unsigned duration_ms; /* so far; whole at DTMF_END */
};

/* Is c one of 0-9 * # A-D (a-d are not)? */
bool dtmf_is_digit(char c);

/* What a receiver remembers. */
struct dtmf_receiver {
	uint32_t clock;     /* Hz */
	bool active, known; /* an event goes on; timestamp and event hold the last one */
	uint8_t event;
	uint32_t timestamp; /* of the current segment */
	uint32_t before;    /* clock units in earlier segments */
	uint32_t duration;  /* clock units in this one */
	int64_t heard_ms;
};

/* clock_hz: of telephone-event, RFC 4733. */
void dtmf_receiver_init(struct dtmf_receiver *receiver, uint32_t clock_hz);

/* Takes one payload with its RTP timestamp.  Writes up to 3 events (the end of an
 * event whose end was lost, the start of the new one, and its end where that is
 * the first that came).  Repeats yield nothing, events that are
 * no digits neither.  Returns the number of events or -EBADMSG. */
int dtmf_receive(struct dtmf_receiver *receiver, uint32_t timestamp, struct slice payload,
		 int64_t now_ms, struct dtmf_event events_out[3]);

/* Ends an event of which nothing came for 200 ms.  Returns 1 and the end, or 0. */
int dtmf_receiver_tick(struct dtmf_receiver *receiver, int64_t now_ms,
		       struct dtmf_event *event_out);

/* What a sender remembers.  Queue digits or start and stop one; then ask for a
 * payload every DTMF_UPDATE_MS. */
struct dtmf_sender {
	uint32_t clock; /* Hz */
	struct {
		char digit;
		bool open; /* its end is not known yet */
		uint16_t ms;
	} queue[DTMF_QUEUE];
	unsigned head, queued;
	bool active;
	unsigned sent_ms;   /* of the digit at the head */
	uint32_t base;      /* clock units in its earlier segments */
	unsigned ends;      /* end packets that were sent */
	unsigned pause_ms;  /* to keep before the next digit */
	uint32_t timestamp; /* of the current segment */
	bool any;           /* a digit was sent: */
	uint32_t free_from; /* the first timestamp behind it */
};

/* One packet of the sender. */
struct dtmf_packet {
	uint8_t payload[DTMF_PAYLOAD_SIZE];
	uint32_t timestamp; /* in the event clock */
	bool marker;        /* first packet of an event */
};

/* An empty queue; clock_hz is that of the RTP timestamps, of telephone-event. */
void dtmf_sender_init(struct dtmf_sender *sender, uint32_t clock_hz);

/* Queues a digit of known length (clamped to DTMF_MIN_MS..DTMF_MAX_MS).
 * Returns 0, -EINVAL (no digit) or -ENOBUFS. */
int dtmf_send(struct dtmf_sender *sender, char digit, unsigned duration_ms);

/* Begins a digit whose length is not known yet; the next dtmf_stop ends it. */
int dtmf_start(struct dtmf_sender *sender, char digit);
/* duration_ms is the whole length, as of dtmf_send(), but no shorter than what was sent
 * already.  Without an open digit nothing happens. */
void dtmf_stop(struct dtmf_sender *sender, unsigned duration_ms);

/* Starts or stops as the event of another leg says.  Returns as dtmf_start. */
int dtmf_pass(struct dtmf_sender *sender, const struct dtmf_event *event);

/* Is a digit being sent or waiting?  Then audio rests. */
bool dtmf_sender_busy(const struct dtmf_sender *sender);

/* Advances by DTMF_UPDATE_MS; timestamp is the stream's current one in the event
 * clock; a digit takes a later one where the stream stood still.  Returns 1 and a packet, or 0 when
 * there is none to send. */
int dtmf_sender_next(struct dtmf_sender *sender, uint32_t timestamp,
		     struct dtmf_packet *packet_out);

#endif
