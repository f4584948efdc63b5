/* rtp_source.c - sequence numbers, loss and jitter of one SSRC, as RFC 3550's
 * appendix A counts them. */
#include "media/rtp_source.h"

/* RFC 3550 A.1: a number so far ahead, or so far behind, is of another sequence. */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100 };

void rtp_source_init(struct rtp_source *source, uint32_t clock_hz)
{
	*source = (struct rtp_source){ .clock = clock_hz };
}

/* RFC 3550 A.3: the extended highest sequence number, less the first one. */
static uint64_t expected(const struct rtp_source *s)
{
	return s->started ? (uint64_t)s->cycles + s->newest - s->first + 1 : 0;
}

static uint64_t lost_now(const struct rtp_source *s)
{
	uint64_t n = expected(s);

	return n > s->received ? n - s->received : 0; /* duplicates may exceed it */
}

/* Another sequence is another count; what came and what was lost of the one before stays in the
 * call's figures. */
static void restart(struct rtp_source *s, const struct rtp *rtp)
{
	s->lost_earlier += lost_now(s);
	s->received_earlier += s->received;
	s->received = s->expected_before = s->received_before = 0;
	s->suspicious = false;
	s->cycles = 0;
	s->first = s->newest = rtp->seq;
}

/* Another SSRC has another clock, too (RFC 3550 8.2). */
static void start(struct rtp_source *s, const struct rtp *rtp)
{
	restart(s, rtp);
	s->started = true;
	s->ssrc = rtp->ssrc;
	s->transit = 0;
	s->jitter16 = 0;
	s->last_sr = 0;
	s->last_sr_ms = 0;
}

/* RFC 3550 A.1.  One packet that is far out of sequence moves nothing, as it may be a stray; the
 * second one shows that the sender was restarted, or stood still for minutes.  Returns false for
 * the first one, which counts in no sequence. */
static bool follow(struct rtp_source *s, const struct rtp *rtp)
{
	uint16_t ahead = (uint16_t)(rtp->seq - s->newest);

	if (ahead >= MAX_DROPOUT && ahead <= 0x10000 - MAX_MISORDER) {
		if (s->suspicious && rtp->seq == s->suspect) {
			restart(s, rtp);
			return true;
		}
		s->suspicious = true;
		s->suspect = (uint16_t)(rtp->seq + 1);
		return false;
	}
	s->suspicious = false;
	if (ahead == 0 || ahead >= MAX_DROPOUT)
		return true; /* late, or twice */
	/* A smaller number is then a turn of the 16 bits. */
	if (rtp->seq < s->newest)
		s->cycles += 0x10000;
	s->newest = rtp->seq;
	return true;
}

/* Jitter is a running mean of the change of transit time, with gain 1/16. */
static void time_packet(struct rtp_source *s, uint32_t timestamp, int64_t now_ms)
{
	/* Only differences count, so any start of the clock will do; taken in 32 bits, for
	 * timestamps wrap around. */
	int64_t transit = (int32_t)((uint32_t)(now_ms * s->clock / 1000) - timestamp);
	int64_t change = transit - s->transit;

	if (change < 0)
		change = -change;
	if (s->received > 0 && change < s->clock) /* more is a new time base */
		s->jitter16 += (uint32_t)change - ((s->jitter16 + 8) >> 4);
	s->transit = transit;
}

void rtp_source_packet(struct rtp_source *s, const struct rtp *rtp, bool timed, int64_t now_ms)
{
	if (!s->started || rtp->ssrc != s->ssrc) {
		start(s, rtp);
	} else if (!follow(s, rtp)) {
		s->received_earlier++;
		return;
	}
	if (timed)
		time_packet(s, rtp->timestamp, now_ms);
	s->received++;
}

void rtp_source_report(struct rtp_source *s, const struct rtcp_report *report, int64_t now_ms)
{
	/* Only a sender report has an NTP time; its middle 32 bits are what LSR repeats (RFC
	 * 3550 6.4.1). */
	if (!report->is_sender)
		return;
	s->last_sr = (uint32_t)(report->ntp >> 16);
	s->last_sr_ms = now_ms;
}

struct rtcp_block rtp_source_block(struct rtp_source *s, int64_t now_ms)
{
	uint64_t wanted = expected(s) - s->expected_before;
	uint64_t got = s->received - s->received_before;
	struct rtcp_block block = { .ssrc = s->ssrc,
				    .highest_seq = s->cycles + s->newest,
				    .jitter = s->jitter16 >> 4,
				    .last_sr = s->last_sr };
	uint64_t lost = lost_now(s);

	/* RFC 3550 A.3: since the last report; duplicates may make it negative, which counts
	 * as none. */
	/* 255, not 256: a report in which all was lost would not fit the octet. */
	if (wanted > got)
		block.fraction_lost = (uint8_t)((wanted - got) * 255 / wanted);
	/* 24 bits with a sign. */
	block.lost = lost > 0x7fffff ? 0x7fffff : (int32_t)lost;
	if (s->last_sr)
		/* In units of 1/65536 s. */
		block.delay_since_sr = (uint32_t)((now_ms - s->last_sr_ms) * 65536 / 1000);
	s->expected_before = expected(s);
	s->received_before = s->received;
	return block;
}

uint64_t rtp_source_received(const struct rtp_source *s)
{
	return s->received_earlier + s->received;
}

uint64_t rtp_source_lost(const struct rtp_source *s)
{
	return s->lost_earlier + lost_now(s);
}

uint32_t rtp_source_jitter_us(const struct rtp_source *s)
{
	return (uint32_t)((uint64_t)(s->jitter16 >> 4) * 1000000 / s->clock);
}
