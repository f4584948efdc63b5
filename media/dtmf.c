/* dtmf.c - events of RFC 4733: a receiver that hears each digit once, a sender that
 * times its packets by the tick. */
#include "media/dtmf.h"

#include <errno.h>

#include "base/cursor.h"

enum {
	EVENTS = 16, /* RFC 4733 table 3: 0 to 15 are DTMF */
	END_BIT = 0x80,
	VOLUME_MASK = 0x3f,
	VOLUME = 10,            /* -10 dBm0 (RFC 4733 2.3.4), a common level */
	SEGMENT_UNITS = 0xffff, /* what the duration field can say */
	LOST_END_MS = 200,
	STOOD_STILL_S = 60, /* how far the stream may lag behind its digits */
	STRAGGLER_S = 2,    /* a timestamp that lies further back is a new start */
};

static const char digits[EVENTS + 1] = "0123456789*#ABCD";

static int event_of(char digit)
{
	const char *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)(at - digits) : -EINVAL;
}

bool dtmf_is_digit(char c)
{
	return event_of(c) >= 0;
}

void dtmf_receiver_init(struct dtmf_receiver *receiver, uint32_t clock_hz)
{
	*receiver = (struct dtmf_receiver){ .clock = clock_hz };
}

static struct dtmf_event told(const struct dtmf_receiver *r, enum dtmf_phase phase)
{
	uint64_t units = (uint64_t)r->before + r->duration;

	return (struct dtmf_event){ .digit = digits[r->event],
				    .phase = phase,
				    .duration_ms = (unsigned)(units * 1000 / r->clock) };
}

/* Does this packet go on with an event that was longer than one segment? */
static bool is_next_segment(const struct dtmf_receiver *r, uint8_t event, uint32_t timestamp)
{
	return r->active && event == r->event && timestamp - r->timestamp == SEGMENT_UNITS;
}

int dtmf_receive(struct dtmf_receiver *r, uint32_t timestamp, struct slice payload, int64_t now_ms,
		 struct dtmf_event events_out[3])
{
	struct cursor c = cursor_of(payload);
	uint8_t event = cursor_u8(&c);
	/* The second octet: end, reserved, volume (RFC 4733 2.3).  The volume means nothing to
	 * us. */
	bool end = cursor_u8(&c) & END_BIT;
	uint16_t duration = cursor_u16(&c);
	int n = 0;

	if (!cursor_ok(&c))
		return -EBADMSG;
	if (event >= EVENTS)
		return 0;
	if (is_next_segment(r, event, timestamp)) {
		r->before += SEGMENT_UNITS;
		r->timestamp = timestamp;
		r->duration = 0;
	} else if (!r->known || timestamp != r->timestamp) {
		/* Timestamps are compared in 32 bits: a packet of an earlier event has one that
		 * lies a little back. */
		if (r->known && r->timestamp - timestamp < r->clock * STRAGGLER_S)
			return 0; /* of an earlier event */
		if (r->active)
			events_out[n++] = told(r, DTMF_END);
		*r = (struct dtmf_receiver){ .clock = r->clock,
					     .active = true,
					     .known = true,
					     .event = event,
					     .timestamp = timestamp };
		/* Told at its first packet, whichever that is: the end may be all that came. */
		events_out[n++] = told(r, DTMF_START);
	}
	if (!r->active || event != r->event)
		return n; /* a repeat of the end */
	/* Of packets that were reordered the one with the longest duration is the newest. */
	if (duration > r->duration)
		r->duration = duration;
	r->heard_ms = now_ms;
	if (end) {
		r->active = false;
		events_out[n++] = told(r, DTMF_END);
	}
	return n;
}

int dtmf_receiver_tick(struct dtmf_receiver *r, int64_t now_ms, struct dtmf_event *event_out)
{
	if (!r->active || now_ms - r->heard_ms < LOST_END_MS)
		return 0;
	r->active = false;
	*event_out = told(r, DTMF_END);
	return 1;
}

void dtmf_sender_init(struct dtmf_sender *sender, uint32_t clock_hz)
{
	*sender = (struct dtmf_sender){ .clock = clock_hz };
}

static int enqueue(struct dtmf_sender *s, char digit, unsigned ms, bool open)
{
	unsigned at = (s->head + s->queued) % DTMF_QUEUE;

	if (event_of(digit) < 0)
		return -EINVAL;
	if (s->queued == DTMF_QUEUE)
		return -ENOBUFS;
	dtmf_stop(s, DTMF_DEFAULT_MS); /* of one that never ended */
	s->queue[at].digit = digit;
	s->queue[at].ms = (uint16_t)ms;
	s->queue[at].open = open;
	s->queued++;
	return 0;
}

static unsigned clamp_ms(unsigned ms)
{
	if (ms < DTMF_MIN_MS)
		return DTMF_MIN_MS;
	return ms > DTMF_MAX_MS ? DTMF_MAX_MS : ms;
}

int dtmf_send(struct dtmf_sender *s, char digit, unsigned duration_ms)
{
	return enqueue(s, digit, clamp_ms(duration_ms), false);
}

int dtmf_start(struct dtmf_sender *s, char digit)
{
	return enqueue(s, digit, DTMF_MAX_MS, true);
}

void dtmf_stop(struct dtmf_sender *s, unsigned duration_ms)
{
	unsigned last = (s->head + s->queued - 1) % DTMF_QUEUE;

	if (s->queued == 0 || !s->queue[last].open)
		return;
	s->queue[last].open = false;
	s->queue[last].ms = (uint16_t)clamp_ms(duration_ms);
	/* what was sent already cannot be taken back */
	if (s->queued == 1 && s->active && s->queue[last].ms < s->sent_ms)
		s->queue[last].ms = (uint16_t)s->sent_ms;
}

int dtmf_pass(struct dtmf_sender *s, const struct dtmf_event *event)
{
	if (event->phase == DTMF_START)
		return dtmf_start(s, event->digit);
	dtmf_stop(s, event->duration_ms);
	return 0;
}

bool dtmf_sender_busy(const struct dtmf_sender *s)
{
	return s->queued > 0;
}

/* How long the digit at the head has been sent, in clock units. */
static uint32_t sent_units(const struct dtmf_sender *s)
{
	return (uint32_t)((uint64_t)s->sent_ms * s->clock / 1000);
}

static void write_payload(const struct dtmf_sender *s, bool end, struct dtmf_packet *packet)
{
	uint32_t units = sent_units(s) - s->base;

	packet->payload[0] = (uint8_t)event_of(s->queue[s->head].digit);
	packet->payload[1] = (uint8_t)((end ? END_BIT : 0) | (VOLUME & VOLUME_MASK));
	packet->payload[2] = (uint8_t)(units >> 8);
	packet->payload[3] = (uint8_t)units;
	packet->timestamp = s->timestamp;
}

static void next_digit(struct dtmf_sender *s)
{
	s->any = true;
	/* The next digit's timestamp must be another one even where the stream's clock stands
	 * still: the receiver tells digits apart by it alone. */
	s->free_from = s->timestamp + sent_units(s) - s->base + s->clock * DTMF_PAUSE_MS / 1000;
	s->head = (s->head + 1) % DTMF_QUEUE;
	s->queued--;
	s->active = false;
	s->pause_ms = DTMF_PAUSE_MS;
}

/* Advances the digit at the head; a segment that is full ends where the next
 * begins, SEGMENT_UNITS later. */
static void advance(struct dtmf_sender *s)
{
	unsigned whole = s->queue[s->head].ms;

	s->sent_ms += DTMF_UPDATE_MS;
	if (s->sent_ms > whole)
		s->sent_ms = whole;
	if (sent_units(s) - s->base > SEGMENT_UNITS) {
		s->timestamp += SEGMENT_UNITS;
		s->base += SEGMENT_UNITS;
	}
}

int dtmf_sender_next(struct dtmf_sender *s, uint32_t timestamp, struct dtmf_packet *packet_out)
{
	bool end;

	if (s->queued == 0 || s->pause_ms) {
		s->pause_ms -= s->pause_ms < DTMF_UPDATE_MS ? s->pause_ms : DTMF_UPDATE_MS;
		return 0;
	}
	*packet_out = (struct dtmf_packet){ .marker = !s->active };
	if (!s->active) {
		s->active = true;
		s->timestamp = timestamp;
		if (s->any && s->free_from - timestamp < s->clock * STOOD_STILL_S)
			s->timestamp = s->free_from;
		s->sent_ms = s->base = s->ends = 0;
	}
	/* The three end packets repeat one duration (RFC 4733 2.5.1.4): time stands still for the
	 * digit. */
	if (s->ends == 0)
		advance(s);
	end = !s->queue[s->head].open && s->sent_ms >= s->queue[s->head].ms;
	if (s->queue[s->head].open && s->sent_ms >= DTMF_MAX_MS)
		end = true; /* its end never came */
	write_payload(s, end, packet_out);
	if (end && ++s->ends == DTMF_END_PACKETS)
		next_digit(s);
	return 1;
}
