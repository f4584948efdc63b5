/* wav.h - sound files: 8 kHz, one channel, signed 16-bit PCM (RIFF/WAVE). */
#ifndef MEDIA_WAV_H
#define MEDIA_WAV_H

#include <stddef.h>
#include <stdint.h>

struct diag;
struct wav_writer;

/* Reads all samples into *pcm_out (malloc'd, the caller frees; never NULL).
 * Chunks other than "fmt " and "data" are skipped; a data chunk longer than the
 * file (a recorder that was killed) ends where the file ends.
 * Returns 0, -EINVAL (not such a file), -EFBIG (more than max_samples), or -errno, with diag
 * saying why.  Outputs are unchanged on failure. */
int wav_read(const char *path, size_t max_samples, int16_t **pcm_out, size_t *n_out,
	     struct diag *diag);

/* Creates or truncates path (0644 less umask).  Returns 0 or -errno. */
int wav_writer_open(const char *path, struct wav_writer **writer_out);

/* Appends n samples.  Returns 0 or -errno; a later failure is told by close. */
int wav_writer_put(struct wav_writer *writer, const int16_t *pcm, size_t n);

/* Completes the header, closes and sets *writerp to NULL; *writerp may be NULL.
 * Returns 0 or the first -errno of any write. */
int wav_writer_close(struct wav_writer **writerp);

#endif
