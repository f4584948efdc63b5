/* tones.c - spandsp's DTMF detector and generator, each digit told with its
 * length. */
#include "media/tones.h"

#include <errno.h>
#include <stdlib.h>

#include <spandsp.h>

#include "media/dtmf.h"

enum { ON_MS = 100, OFF_MS = 100, SAMPLES_PER_MS = 8 };

struct tones {
	dtmf_rx_state_t *rx;
	dtmf_tx_state_t *tx;
	size_t to_send; /* samples of tones that wait */
	char heard;     /* the digit that is on, or 0 */
	unsigned heard_samples;
};

struct tones *tones_new(void)
{
	struct tones *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->rx = dtmf_rx_init(NULL, NULL, NULL);
	t->tx = dtmf_tx_init(NULL);
	if (!t->rx || !t->tx) {
		tones_free(&t);
		return NULL;
	}
	dtmf_tx_set_timing(t->tx, ON_MS, OFF_MS);
	return t;
}

void tones_free(struct tones **tonesp)
{
	struct tones *t = *tonesp;

	if (!t)
		return;
	*tonesp = NULL;
	if (t->rx)
		dtmf_rx_free(t->rx);
	if (t->tx)
		dtmf_tx_free(t->tx);
	free(t);
}

void tones_detect(struct tones *t, const int16_t *pcm, size_t n, tones_digit_fn digit, void *arg)
{
	char heard, queued[8];

	dtmf_rx(t->rx, pcm, (int)n);
	heard = (char)dtmf_rx_status(t->rx);
	/* The detector queues what it found, too: emptied here, so that it never fills up. */
	dtmf_rx_get(t->rx, queued, sizeof(queued) - 1); /* we go by the status */
	if (heard == 'x')
		heard = t->heard; /* on the edge: no change yet */
	if (t->heard && heard != t->heard)
		digit(arg, t->heard, t->heard_samples / SAMPLES_PER_MS);
	if (heard != t->heard)
		t->heard_samples = 0;
	t->heard = heard;
	if (heard)
		t->heard_samples += (unsigned)n;
}

int tones_send(struct tones *t, char digit)
{
	if (!dtmf_is_digit(digit))
		return -EINVAL;
	if (dtmf_tx_put(t->tx, &digit, 1) != 0)
		return -ENOBUFS;
	t->to_send += (ON_MS + OFF_MS) * SAMPLES_PER_MS;
	return 0;
}

bool tones_busy(const struct tones *t)
{
	return t->to_send > 0;
}

void tones_generate(struct tones *t, int16_t *pcm, size_t n)
{
	/* The generator may have a pause to end with that was not counted: what it makes decides,
	 * to_send is an estimate. */
	int made = dtmf_tx(t->tx, pcm, (int)n);

	/* Fewer than asked for: nothing waits any more, whatever was counted.  The rest of pcm
	 * keeps the voice. */
	if (made < (int)n)
		t->to_send = 0;
	else
		t->to_send -= t->to_send < n ? t->to_send : n;
}
