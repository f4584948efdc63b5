/* speech-match - REF.wav HEARD.wav [MIN]: is REF's speech in HEARD?
 *
 * Prints the correlation and the lag.  Exit status 0: at least MIN (0.9 unless
 * given); 1: less; 2: wrong use or unreadable files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "media/speech_match.h"
#include "media/wav.h"

enum { MAX_SAMPLES = 8000 * 3600, EXIT_USAGE = 2 };

static int read_file(const char *path, int16_t **pcm_out, size_t *n_out)
{
	struct diag *diag = diag_new();
	int err = wav_read(path, MAX_SAMPLES, pcm_out, n_out, diag);

	if (err)
		fprintf(stderr, "speech-match: %s: %s\n", path,
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	diag_free(&diag);
	return err;
}

static int compare(const char *said_path, const char *heard_path, double min)
{
	int16_t *said = NULL, *heard = NULL;
	size_t n_said, n_heard;
	struct speech_match match;
	int err = read_file(said_path, &said, &n_said);

	if (!err)
		err = read_file(heard_path, &heard, &n_heard);
	if (!err) {
		err = speech_match(said, n_said, heard, n_heard, &match);
		if (err)
			fprintf(stderr, "speech-match: %s: %s\n", said_path,
				err == -EINVAL ? "less than half a second of sound"
					       : strerror(-err));
	}
	if (!err)
		printf("correlation %.3f at %+d ms\n", match.correlation, match.lag_ms);
	free(said);
	free(heard);
	if (err)
		return EXIT_USAGE;
	return match.correlation >= min ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char none[] = "", *end = none;
	double min = 0.9;

	if (argc == 4)
		min = strtod(argv[3], &end);
	if (argc < 3 || argc > 4 || *end || (argc == 4 && end == argv[3])) {
		fprintf(stderr, "usage: speech-match REF.wav HEARD.wav [MIN]\n");
		return EXIT_USAGE;
	}
	return compare(argv[1], argv[2], min);
}
