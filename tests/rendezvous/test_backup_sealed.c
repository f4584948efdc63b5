/* Streams sealed under a passphrase: composed here from the form that the header tells, with
 * scrypt at its cheapest, so that each octet can be changed and each cut be made. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/kdf.h"
#include "rendezvous/backup_sealed.h"

enum { SALT = 16, REST = 100, CHUNK_SIZE = BACKUP_WORD + BACKUP_CHUNK + BOX_OVERHEAD };
enum { FILE_MAX = BACKUP_HEAD + 3 * CHUNK_SIZE + 8 };

static const char words[] = "correct horse battery";

struct sealed_file {
	char path[64];
	uint8_t octets[FILE_MAX];
	size_t n;
};

static void put_chunk(struct sealed_file *f, const uint8_t key[BOX_KEY], uint64_t number,
		      uint32_t word, char fill)
{
	static uint8_t plain[BACKUP_CHUNK];
	size_t n = word & 0x7fffffff;
	uint8_t aad[64], *p = f->octets + f->n;
	struct buf b = BUF_OF(aad), head = buf_over(p, BACKUP_WORD + 1);

	memset(plain, fill, sizeof(plain));
	buf_put_u32(&head, word);
	kdf_write(&b,
		  (const struct kdf_part[]){ kdf_text("crs backup"), kdf_raw("crs\0bak\1", 8),
					     kdf_u64(number), kdf_u32(word) },
		  4);
	assert_int_equal(box_seal(key, buf_slice(&b), slice_of(plain, n), p + BACKUP_WORD), 0);
	f->n += BACKUP_WORD + n + BOX_OVERHEAD;
}

/* Head, two full chunks of 'a' and 'b', and REST octets of 'c' as the last. */
static void compose(struct sealed_file *f)
{
	uint8_t key[BOX_KEY], stretched[BOX_KEY], *lock = f->octets + 8;

	memset(key, 7, sizeof(key));
	memcpy(f->octets, "crs\0bak\1", 8);
	lock[0] = 1;
	lock[1] = 1; /* N = 2 */
	memset(lock + 2, 's', SALT);
	assert_int_equal(EVP_PBE_scrypt(words, strlen(words), lock + 2, SALT, 2, 8, 1, 1 << 20,
					stretched, BOX_KEY),
			 1);
	assert_int_equal(box_seal(stretched, slice_of(lock, 2 + SALT), slice_of(key, sizeof(key)),
				  lock + 2 + SALT),
			 0);
	f->n = BACKUP_HEAD;
	put_chunk(f, key, 0, BACKUP_CHUNK, 'a');
	put_chunk(f, key, 1, BACKUP_CHUNK, 'b');
	put_chunk(f, key, 2, 0x80000000 | REST, 'c');
}

static int open_file(void **state)
{
	struct sealed_file *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/sealed.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	compose(f);
	*state = f;
	return 0;
}

static int close_file(void **state)
{
	struct sealed_file *f = *state;

	unlink(f->path);
	free(f);
	return 0;
}

static void store(const struct sealed_file *f, size_t n)
{
	int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, slice_of(f->octets, n)), 0);
	close(fd);
}

/* Reads the stored file to its end, or to its first fault, which diag must tell. */
static int read_all(const char *path, const char *passphrase, uint64_t *octets_out)
{
	struct diag *diag = diag_new();
	struct backup_opener *opener = NULL;
	struct slice got = { NULL, 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = backup_opener_new(fd, path, slice_str(passphrase), diag, &opener);

	*octets_out = 0;
	if (!err) {
		do {
			err = backup_opener_next(opener, &got);
			*octets_out += got.n;
		} while (!err && got.n > 0);
	}
	assert_int_equal(diag_errors(diag) > 0, err != 0);
	if (err)
		assert_non_null(strstr(diag_first_error(diag), path));
	backup_opener_free(&opener);
	close(fd);
	diag_free(&diag);
	return err;
}

static void the_form_is_the_one_that_the_header_tells(void **state)
{
	struct sealed_file *f = *state;
	uint64_t n;
	bool sealed = false;
	int fd;

	store(f, f->n);
	assert_int_equal(read_all(f->path, words, &n), 0);
	assert_int_equal(n, 2 * BACKUP_CHUNK + REST);
	fd = open(f->path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(backup_is_sealed(fd, &sealed), 0);
	assert_true(sealed);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
}

static void what_is_sealed_opens_with_its_passphrase_only(void **state)
{
	static const size_t sizes[] = { 0, BACKUP_CHUNK, BACKUP_CHUNK + 1 };
	static uint8_t plain[BACKUP_CHUNK + 1];
	struct sealed_file *f = *state;
	uint64_t n;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct backup_sealer *sealer;
		int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

		assert_int_equal(backup_sealer_new(fd, slice_str(words), &sealer), 0);
		/* in two unequal parts */
		assert_int_equal(backup_sealer_put(sealer, slice_of(plain, sizes[i] / 3)), 0);
		assert_int_equal(
			backup_sealer_put(sealer, slice_of(plain, sizes[i] - sizes[i] / 3)), 0);
		assert_int_equal(backup_sealer_end(sealer), 0);
		backup_sealer_free(&sealer);
		close(fd);
		assert_int_equal(read_all(f->path, words, &n), 0);
		assert_int_equal(n, sizes[i]);
	}
	assert_int_equal(read_all(f->path, "correct horse batters", &n), -EACCES);
}

static void every_changed_octet_is_refused(void **state)
{
	struct sealed_file *f = *state;
	uint64_t n;

	for (size_t i = 0; i < f->n; i++) {
		const size_t in_chunk = (i - BACKUP_HEAD) % CHUNK_SIZE;

		/* all of the head, of words, nonces and the last chunk; samples of the rest */
		if (i >= BACKUP_HEAD && i < BACKUP_HEAD + 2 * CHUNK_SIZE && in_chunk > 20 &&
		    in_chunk < CHUNK_SIZE - 20 && in_chunk % 4099 != 0)
			continue;
		if (i == BACKUP_MAGIC + 2) /* scrypt's cost: see the test of greedy heads */
			continue;
		f->octets[i] ^= 0x01;
		store(f, f->n);
		f->octets[i] ^= 0x01;
		if (read_all(f->path, words, &n) == 0)
			fail_msg("octet %zu was changed, and nobody minds", i);
	}
}

static void every_cut_is_refused(void **state)
{
	struct sealed_file *f = *state;
	uint64_t n;

	for (size_t cut = 0; cut < f->n; cut++) {
		const size_t in_chunk = (cut - BACKUP_HEAD) % CHUNK_SIZE;

		if (cut > BACKUP_HEAD && cut < BACKUP_HEAD + 2 * CHUNK_SIZE && in_chunk > 40 &&
		    in_chunk % 4099 != 0)
			continue;
		store(f, cut);
		assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	}
}

static void chunks_moved_left_out_doubled_or_added_are_refused(void **state)
{
	struct sealed_file *f = *state;
	uint8_t *first = f->octets + BACKUP_HEAD, *second = first + CHUNK_SIZE;
	uint8_t *last = second + CHUNK_SIZE, *kept = malloc(FILE_MAX);
	size_t last_n = f->n - (size_t)(last - f->octets);
	uint64_t n;

	assert_non_null(kept);
	memcpy(kept, f->octets, FILE_MAX);
	/* moved */
	memcpy(first, kept + BACKUP_HEAD + CHUNK_SIZE, CHUNK_SIZE);
	memcpy(second, kept + BACKUP_HEAD, CHUNK_SIZE);
	store(f, f->n);
	assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	assert_int_equal(n, 0);
	/* doubled */
	memcpy(first, kept + BACKUP_HEAD, CHUNK_SIZE);
	store(f, f->n);
	assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	assert_int_equal(n, BACKUP_CHUNK);
	/* left out */
	memmove(second, last, last_n);
	store(f, f->n - CHUNK_SIZE);
	assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	/* a full one said to be the last */
	memcpy(f->octets, kept, FILE_MAX);
	second[0] |= 0x80;
	store(f, f->n - last_n);
	assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	/* something behind the last */
	memcpy(f->octets, kept, FILE_MAX);
	store(f, f->n + 1);
	assert_int_equal(read_all(f->path, words, &n), -EBADMSG);
	free(kept);
}

static void a_head_of_another_kind_is_refused_at_once(void **state)
{
	static const struct {
		size_t at;
		uint8_t octet;
		int err;
	} heads[] = {
		{ 0, 'C', -EBADMSG },
		{ BACKUP_MAGIC, 2, -EPROTONOSUPPORT },
		{ BACKUP_MAGIC + 1, 2, -EPROTONOSUPPORT },
		{ BACKUP_MAGIC + 2, 0, -EPROTONOSUPPORT },
		{ BACKUP_MAGIC + 2, 2, -EACCES },
		{ BACKUP_MAGIC + 2, 19, -EPROTONOSUPPORT }, /* greedy: 512 MiB */
		{ BACKUP_MAGIC + 2, 255, -EPROTONOSUPPORT },
	};
	struct sealed_file *f = *state;
	uint64_t n;

	for (size_t i = 0; i < COUNT(heads); i++) {
		uint8_t was = f->octets[heads[i].at];

		f->octets[heads[i].at] = heads[i].octet;
		store(f, f->n);
		f->octets[heads[i].at] = was;
		assert_int_equal(read_all(f->path, words, &n), heads[i].err);
	}
}

static void a_short_passphrase_seals_nothing(void **state)
{
	struct sealed_file *f = *state;
	struct backup_sealer *sealer = NULL;
	int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(backup_sealer_new(fd, slice_str("seven.."), &sealer), -EINVAL);
	assert_null(sealer);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_form_is_the_one_that_the_header_tells,
						open_file, close_file),
		cmocka_unit_test_setup_teardown(what_is_sealed_opens_with_its_passphrase_only,
						open_file, close_file),
		cmocka_unit_test_setup_teardown(every_changed_octet_is_refused, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(every_cut_is_refused, open_file, close_file),
		cmocka_unit_test_setup_teardown(chunks_moved_left_out_doubled_or_added_are_refused,
						open_file, close_file),
		cmocka_unit_test_setup_teardown(a_head_of_another_kind_is_refused_at_once,
						open_file, close_file),
		cmocka_unit_test_setup_teardown(a_short_passphrase_seals_nothing, open_file,
						close_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
