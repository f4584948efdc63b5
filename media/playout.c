/* playout.c - arrivals and the tick make one stream; dry_ms is its clock, see
 * put_out(). */
#include "media/playout.h"

#include <errno.h>

enum {
	FILL = 160, /* samples of one fill: 20 ms */
	MAX_GAP = PLAYOUT_CONCEAL_MS * MEDIA_SAMPLES_PER_MS,
	STOPPED_MS = 1000, /* more is not made up for */
};

void playout_init(struct playout *p, struct codec *codec, uint32_t clock_hz, int64_t now_ms,
		  playout_audio_fn audio, void *arg)
{
	*p = (struct playout){ .codec = codec,
			       .ratio = clock_hz / MEDIA_RATE,
			       .audio = audio,
			       .arg = arg,
			       .quiet = true,
			       .frame = FILL,
			       .dry_ms = now_ms };
	noise_init(&p->noise);
	/* Quiet at first: before the first packet there is nothing to conceal from. */
}

/* Another SSRC: its timestamps have nothing to do with the former ones, so no hole is told from
 * them. */
void playout_restart(struct playout *p)
{
	p->started = false;
	p->filled = 0;
}

/* dry_ms is the time up to which the listener has audio; each sample moves it on. */
static void put_out(struct playout *p, const int16_t *pcm, size_t n)
{
	p->dry_ms += (int64_t)(n / MEDIA_SAMPLES_PER_MS);
	p->audio(p->arg, pcm, n);
}

/* Fills n samples; next is the packet behind the hole where that is there.  Its
 * FEC speaks of the last frame of the hole only. */
static void fill(struct playout *p, size_t n, struct slice next)
{
	int16_t pcm[MEDIA_MAX_FRAME];

	while (n > 0) {
		size_t part = n > p->frame ? p->frame : n;
		bool last = part == n;

		if (!p->quiet && p->filled < MAX_GAP) {
			codec_conceal(p->codec, last ? next : slice_of(NULL, 0), part, pcm);
			p->concealed += part;
		} else {
			noise_fill(&p->noise, pcm, part);
		}
		p->filled += part;
		put_out(p, pcm, part);
		n -= part;
	}
}

/* How many samples are missing before timestamp and were not filled yet. */
static size_t gap_before(const struct playout *p, uint32_t timestamp)
{
	/* Signed, so that a timestamp that wraps around, or is behind, is told from one ahead. */
	int32_t units = (int32_t)(timestamp - p->expected);
	size_t missing = units > 0 ? (uint32_t)units / p->ratio : 0;

	if (!p->started || missing <= p->filled)
		return 0;
	missing -= p->filled;
	return missing > 2 * MAX_GAP ? 0 : missing; /* more is a jump, not a hole */
}

int playout_packet(struct playout *p, uint32_t timestamp, bool lost, struct slice payload,
		   int64_t now_ms)
{
	int n = codec_payload_samples(p->codec, payload);
	int16_t pcm[MEDIA_MAX_FRAME];

	if (n < 0)
		return n;
	/* After a pause the listener's time begins anew: he is not sent what he did not hear
	 * then. */
	if (p->dry_ms < now_ms)
		p->dry_ms = now_ms;
	if (!lost)
		p->quiet = true; /* the peer sent nothing there: it rested */
	fill(p, gap_before(p, timestamp), lost ? payload : slice_of(NULL, 0));

	/* Filled first, decoded then: the decoder's state goes through the frames in their
	 * order. */
	n = codec_decode(p->codec, payload, pcm);
	if (n < 0)
		return n;
	p->started = true;
	p->quiet = false;
	p->frame = (size_t)n;
	p->filled = 0;
	p->expected = timestamp + (uint32_t)n * p->ratio;
	/* A peer whose clock runs fast, or who sends in bursts, would make the delay grow
	 * without end: what is too far ahead is decoded, for the codec's state, and not played. */
	if (p->dry_ms <= now_ms + PLAYOUT_AHEAD_MS)
		put_out(p, pcm, (size_t)n);
	return 0;
}

void playout_rest(struct playout *p, int level)
{
	p->quiet = true;
	if (level >= 0)
		noise_set_level(&p->noise, (unsigned)level);
}

void playout_tick(struct playout *p, int64_t now_ms)
{
	/* The process stood still, or the machine slept: nobody waits for seconds of noise. */
	if (now_ms - p->dry_ms > STOPPED_MS)
		p->dry_ms = now_ms - PLAYOUT_GRACE_MS;
	while (p->dry_ms + PLAYOUT_GRACE_MS <= now_ms) {
		/* By the tick a fill is of the tick's length; the peer's own frame length is
		 * kept for the holes between its packets. */
		size_t frame = p->frame;

		p->frame = FILL;
		fill(p, FILL, slice_of(NULL, 0));
		p->frame = frame;
	}
}
