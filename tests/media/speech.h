/* speech.h - speech-like sound for tests: voiced and unvoiced syllables with moving
 * formants and pauses, made from a seed.
 */
#ifndef TESTS_MEDIA_SPEECH_H
#define TESTS_MEDIA_SPEECH_H

#include <stddef.h>
#include <stdint.h>

/* Fills n samples, 8 kHz; different seeds say different things. */
void speech_make(unsigned seed, int16_t *pcm_out, size_t n);

#endif
