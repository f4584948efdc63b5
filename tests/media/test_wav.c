#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "media/wav.h"

static char path[] = "/tmp/test_wav.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void what_is_written_is_read_back(void **state)
{
	static const int16_t pcm[] = { 0, 1, -1, 32767, -32768, 12345 };
	struct wav_writer *w;
	int16_t *got;
	size_t n;

	(void)state;
	assert_int_equal(wav_writer_open(path, &w), 0);
	assert_int_equal(wav_writer_put(w, pcm, 2), 0);
	assert_int_equal(wav_writer_put(w, pcm + 2, COUNT(pcm) - 2), 0);
	assert_int_equal(wav_writer_close(&w), 0);
	assert_null(w);
	assert_int_equal(wav_read(path, COUNT(pcm), &got, &n, NULL), 0);
	assert_int_equal(n, COUNT(pcm));
	assert_memory_equal(got, pcm, sizeof(pcm));
	free(got);
	assert_int_equal(wav_read(path, COUNT(pcm) - 1, &got, &n, NULL), -EFBIG);
}

/* RIFF, length, WAVE, then chunks. */
#define RIFF "RIFF\x24\0\0\0WAVE"
#define FMT(format, channels, rate, bits)                                                          \
	"fmt \x10\0\0\0" format "\0" channels "\0" rate "\0\0\x80\x3e\0\0\x02\0" bits "\0"
#define GOOD FMT("\x01", "\x01", "\x40\x1f", "\x10")
#define BYTES(text)                                                                                \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct {
	struct slice file;
	int want;
	size_t samples;
} cases[] = {
	{ BYTES(RIFF GOOD "data\x04\0\0\0\x01\0\x02\0"), 0, 2 },
	{ BYTES(RIFF GOOD "data\0\0\0\0"), 0, 0 },
	{ BYTES(RIFF "LIST\x03\0\0\0abc\0" GOOD "data\x02\0\0\0\x01\0"), 0, 1 },
	{ BYTES(RIFF GOOD "data\xff\xff\xff\xff\x01\0\x02\0\x03\0"), 0, 3 },
	{ BYTES(RIFF GOOD "data\x03\0\0\0\x01\0\x02"), 0, 1 },
	{ BYTES(RIFF FMT("\x01", "\x02", "\x40\x1f", "\x10") "data\0\0\0\0"), -EINVAL, 0 },
	{ BYTES(RIFF FMT("\x01", "\x01", "\x80\xbb", "\x10") "data\0\0\0\0"), -EINVAL, 0 },
	{ BYTES(RIFF FMT("\x01", "\x01", "\x40\x1f", "\x08") "data\0\0\0\0"), -EINVAL, 0 },
	{ BYTES(RIFF FMT("\x07", "\x01", "\x40\x1f", "\x10") "data\0\0\0\0"), -EINVAL, 0 },
	{ BYTES(RIFF "data\x02\0\0\0\x01\0"), -EINVAL, 0 },
	{ BYTES(RIFF GOOD), -EINVAL, 0 },
	{ BYTES(RIFF "fmt \x10\0\0\0\x01\0"), -EINVAL, 0 },
	{ BYTES("RIFF\0\0\0\0AVI "), -EINVAL, 0 },
	{ BYTES("RIF"), -EINVAL, 0 },
	{ BYTES(""), -EINVAL, 0 },
};

static void other_files_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		int16_t *pcm = NULL;
		size_t n = 0;

		assert_int_equal(file_write_atomic(path, 0600, cases[i].file), 0);
		assert_int_equal(wav_read(path, 100, &pcm, &n, diag), cases[i].want);
		assert_int_equal(n, cases[i].samples);
		assert_int_equal(diag_errors(diag), cases[i].want ? 1 : 0);
		diag_free(&diag);
		free(pcm);
	}
}

static void a_missing_file_and_an_impossible_path_say_why(void **state)
{
	struct wav_writer *w = NULL;
	int16_t *pcm;
	size_t n;

	(void)state;
	assert_int_equal(wav_read("/nowhere/a.wav", 1, &pcm, &n, NULL), -ENOENT);
	assert_int_equal(wav_writer_open("/nowhere/a.wav", &w), -ENOENT);
	assert_int_equal(wav_writer_close(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(other_files_are_refused_with_a_reason),
		cmocka_unit_test(a_missing_file_and_an_impossible_path_say_why),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
