/* wav.c - RIFF/WAVE by hand, for the one format that recordings need. */
#include "media/wav.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/slice.h"

enum {
	HEADER_SIZE = 44,           /* RIFF, a "fmt " of 16 octets, the head of "data" */
	MAX_OTHER_CHUNKS = 1 << 20, /* octets of a file that are not samples */
	WAV_RATE = 8000,
};

/* RIFF is little-endian throughout. */
static uint32_t get_le(const uint8_t *p, size_t octets)
{
	uint32_t v = 0;

	for (size_t i = octets; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static void put_le(uint8_t *p, size_t octets, uint32_t v)
{
	for (size_t i = 0; i < octets; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static bool is_our_format(struct slice fmt, const char *path, struct diag *diag)
{
	uint32_t format, channels, rate, bits;

	if (fmt.n < 16) {
		diag_error(diag, NULL, "%s: the \"fmt \" chunk is cut short", path);
		return false;
	}
	/* WAVEFORMAT: tag (1 is PCM), channels, samples a second, octets a second, octets a
	 * sample of all channels, bits a sample. */
	format = get_le(fmt.p, 2);
	channels = get_le(fmt.p + 2, 2);
	rate = get_le(fmt.p + 4, 4);
	bits = get_le(fmt.p + 14, 2);
	if (format == 1 && channels == 1 && rate == WAV_RATE && bits == 16)
		return true;
	diag_error(diag, NULL,
		   "%s: format %u, %u channels, %u Hz, %u bits; expected PCM, one channel, "
		   "8000 Hz, 16 bits",
		   path, format, channels, rate, bits);
	return false;
}

/* Finds the samples; fmt must come before data. */
static int find_data(struct slice file, const char *path, struct slice *data_out, struct diag *diag)
{
	struct slice rest = slice_from(file, 12);
	bool format_ok = false;

	if (!slice_starts(file, "RIFF") || !slice_starts(slice_from(file, 8), "WAVE")) {
		diag_error(diag, NULL, "%s: not a RIFF/WAVE file", path);
		return -EINVAL;
	}
	while (rest.n >= 8) {
		size_t n = get_le(rest.p + 4, 4);
		struct slice body = slice_from(rest, 8);

		/* A recorder that was killed has left 0 or too much: then the file's end is the
		 * end. */
		if (n < body.n)
			body.n = n;
		if (slice_starts(rest, "data") && format_ok) {
			*data_out = body;
			return 0;
		}
		if (slice_starts(rest, "fmt ")) {
			if (!is_our_format(body, path, diag))
				return -EINVAL;
			format_ok = true;
		}
		/* Chunks begin at even offsets; the pad is not part of their size. */
		rest = slice_from(rest, 8 + body.n + (body.n & 1));
	}
	diag_error(diag, NULL, "%s: no %s chunk", path, format_ok ? "\"data\"" : "\"fmt \"");
	return -EINVAL;
}

int wav_read(const char *path, size_t max_samples, int16_t **pcm_out, size_t *n_out,
	     struct diag *diag)
{
	struct slice data;
	uint8_t *file;
	size_t size;
	int16_t *pcm;
	int err = file_read(path, 2 * max_samples + MAX_OTHER_CHUNKS, &file, &size);

	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = find_data(slice_of(file, size), path, &data, diag);
	if (!err && data.n / 2 > max_samples) {
		diag_error(diag, NULL, "%s: longer than %zu s", path, max_samples / WAV_RATE);
		err = -EFBIG;
	}
	/* One octet more: a file without samples is no failure, and malloc(0) may return NULL. */
	pcm = err ? NULL : malloc(data.n + 1);
	if (pcm) {
		for (size_t i = 0; i < data.n / 2; i++)
			pcm[i] = (int16_t)get_le(data.p + 2 * i, 2);
		*pcm_out = pcm;
		*n_out = data.n / 2;
	}
	free(file);
	return err ? err : pcm ? 0 : -ENOMEM;
}

struct wav_writer {
	FILE *file;
	uint64_t samples;
	int err; /* the first */
};

/* Written twice: with no samples at first, and with the true size at the end.  Sizes have 32
 * bits; a longer recording says as much as it can. */
static int write_header(struct wav_writer *w)
{
	uint64_t octets = w->samples * 2;
	uint32_t size =
		octets > UINT32_MAX - HEADER_SIZE ? UINT32_MAX - HEADER_SIZE : (uint32_t)octets;
	uint8_t h[HEADER_SIZE] = "RIFF    WAVEfmt ";

	put_le(h + 4, 4, size + HEADER_SIZE - 8);
	put_le(h + 16, 4, 16);
	put_le(h + 20, 2, 1);
	put_le(h + 22, 2, 1);
	put_le(h + 24, 4, WAV_RATE);
	put_le(h + 28, 4, WAV_RATE * 2);
	put_le(h + 32, 2, 2);
	put_le(h + 34, 2, 16);
	memcpy(h + 36, "data", 4);
	put_le(h + 40, 4, size);
	return fwrite(h, sizeof(h), 1, w->file) == 1 ? 0 : -errno;
}

int wav_writer_open(const char *path, struct wav_writer **writer_out)
{
	struct wav_writer *w = calloc(1, sizeof(*w));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->file = fopen(path, "wbe");
	if (!w->file) {
		err = -errno;
		free(w);
		return err;
	}
	/* What fails here is told by the first put or by close. */
	w->err = write_header(w);
	*writer_out = w;
	return 0;
}

int wav_writer_put(struct wav_writer *w, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n && !w->err; i++) {
		uint8_t sample[2];

		put_le(sample, 2, (uint16_t)pcm[i]);
		if (fwrite(sample, 2, 1, w->file) != 1)
			w->err = -errno;
		else
			w->samples++;
	}
	return w->err;
}

int wav_writer_close(struct wav_writer **writerp)
{
	struct wav_writer *w = *writerp;
	int err;

	if (!w)
		return 0;
	*writerp = NULL;
	if (fseek(w->file, 0, SEEK_SET) < 0 && !w->err)
		w->err = -errno;
	if (!w->err)
		w->err = write_header(w);
	if (fclose(w->file) != 0 && !w->err)
		w->err = -errno;
	err = w->err;
	free(w);
	return err;
}
