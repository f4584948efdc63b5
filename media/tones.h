/* tones.h - DTMF in the audio itself, for peers without telephone events. */
#ifndef MEDIA_TONES_H
#define MEDIA_TONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tones;

/* Called with a digit that was heard and how long it lasted. */
typedef void (*tones_digit_fn)(void *arg, char digit, unsigned duration_ms);

/* Returns NULL when memory is out. */
struct tones *tones_new(void);
/* Frees *tonesp and sets it to NULL; *tonesp may be NULL. */
void tones_free(struct tones **tonesp);

/* Looks for digits in n samples; calls digit at the end of each. */
void tones_detect(struct tones *tones, const int16_t *pcm, size_t n, tones_digit_fn digit,
		  void *arg);

/* Queues a digit to be heard (100 ms, 100 ms pause).  Returns 0, -EINVAL or -ENOBUFS. */
int tones_send(struct tones *tones, char digit);

/* Is a digit being heard or waiting? */
bool tones_busy(const struct tones *tones);

/* Replaces up to n samples by the tones that wait. */
void tones_generate(struct tones *tones, int16_t *pcm, size_t n);

#endif
