/* speech_match.h - is the speech that was said the speech that was heard?
 *
 * Frames of 20 ms, 24 mel bands from 100 to 3,400 Hz, log energy.  Only frames of
 * the reference above -50 dBFS count.  At each lag up to 2 s either way (5 ms
 * steps) at which at least 80 % of those frames overlap what was heard, each
 * band's energy over time is correlated (Pearson) with the other side's; the
 * result is the mean over the bands at the best lag.  Loudness and a fixed
 * filter do not matter; other words, silence and dropped frames do.
 */
#ifndef MEDIA_SPEECH_MATCH_H
#define MEDIA_SPEECH_MATCH_H

#include <stddef.h>
#include <stdint.h>

struct speech_match {
	double correlation; /* -1 to 1; 0 where nothing can be compared */
	int lag_ms;         /* positive: heard later */
};

/* Both are 8 kHz.  Returns 0, -EINVAL (the reference has less than half a second
 * of sound), or -ENOMEM. */
int speech_match(const int16_t *said, size_t n_said, const int16_t *heard, size_t n_heard,
		 struct speech_match *match_out);

#endif
