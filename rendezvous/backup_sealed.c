/* backup_sealed.c - writes and reads sealed backups (backup_sealed.h has the form).
 *
 * Octets go through in chunks, so that a backup of any size takes the memory of two. A chunk is
 * given out only when its seal was found whole, and the end is an end only when the chunk that
 * says so was.
 */
#include "rendezvous/backup_sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/kdf.h"
#include "keys/secret.h"

enum {
	SEALED_VERSION = 1,
	/* scrypt's N at most, as a power of two: 256 MiB.  What is written asks for half of it;
	 * a head that a stranger wrote shall not take all memory before it is refused. */
	LOG_N_MAX = 18,
	LOG_N_AT = BACKUP_MAGIC + 1 + 1, /* in the head: behind magic, version, lock's version */
	AAD_SIZE = 64,
};

#define LAST_CHUNK (UINT32_C(1) << 31)

/* The zero within is what no name of a tar archive has. */
static const uint8_t magic[BACKUP_MAGIC + 1] = { 'c', 'r', 's', 0, 'b', 'a', 'k', SEALED_VERSION };

struct backup_sealer {
	int fd;
	struct vault vault;
	uint64_t number; /* of the next chunk */
	size_t n;        /* octets that wait in plain */
	uint8_t plain[BACKUP_CHUNK];
	uint8_t sealed[BACKUP_WORD + BACKUP_CHUNK + BOX_OVERHEAD];
};

struct backup_opener {
	int fd;
	const char *file;
	struct diag *diag;
	struct vault vault;
	uint64_t number; /* of the next chunk */
	bool ended;      /* the last chunk was read, and the file's end */
	uint8_t sealed[BACKUP_CHUNK + BOX_OVERHEAD];
	uint8_t plain[BACKUP_CHUNK];
};

/* What a chunk's box covers beside its text: its place and whether it is the last. */
static struct slice chunk_aad(uint64_t number, uint32_t word, struct buf *b)
{
	kdf_write(b,
		  (const struct kdf_part[]){ kdf_text("crs backup"), kdf_raw(magic, sizeof(magic)),
					     kdf_u64(number), kdf_u32(word) },
		  4);
	return buf_slice(b);
}

/* Reads up to n octets, fewer only at the end of the file.  Returns how many, or -errno. */
static ssize_t read_full(int fd, uint8_t *out, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t more = read(fd, out + got, n - got);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

int backup_is_sealed(int fd, bool *sealed_out)
{
	uint8_t start[BACKUP_MAGIC];
	ssize_t n = pread(fd, start, sizeof(start), 0);

	if (n < 0)
		return -errno;
	*sealed_out = n == BACKUP_MAGIC && memcmp(start, magic, BACKUP_MAGIC) == 0;
	return 0;
}

/* ---- sealing ---- */

int backup_sealer_new(int fd, struct slice passphrase, struct backup_sealer **sealer_out)
{
	struct backup_sealer *sealer = calloc(1, sizeof(*sealer));
	uint8_t head[BACKUP_HEAD];
	int err;

	if (!sealer)
		return -ENOMEM;
	sealer->fd = fd;
	memcpy(head, magic, sizeof(magic));
	err = vault_make(passphrase, head + sizeof(magic), &sealer->vault);
	if (!err)
		err = file_write_all(fd, slice_of(head, sizeof(head)));
	if (err) {
		backup_sealer_free(&sealer);
		return err;
	}
	*sealer_out = sealer;
	return 0;
}

/* Seals what waits as one chunk. */
static int write_chunk(struct backup_sealer *sealer, uint32_t mark)
{
	uint32_t word = (uint32_t)sealer->n | mark;
	uint8_t aad[AAD_SIZE];
	struct buf b = BUF_OF(aad), head = BUF_OF(sealer->sealed);
	int err;

	buf_put_u32(&head, word);
	err = box_seal(sealer->vault.key, chunk_aad(sealer->number, word, &b),
		       slice_of(sealer->plain, sealer->n), sealer->sealed + BACKUP_WORD);
	if (!err)
		err = file_write_all(sealer->fd, slice_of(sealer->sealed,
							  BACKUP_WORD + sealer->n + BOX_OVERHEAD));
	/* Also behind an error: a number is never used for two texts. */
	sealer->number++;
	sealer->n = 0;
	return err;
}

int backup_sealer_put(struct backup_sealer *sealer, struct slice octets)
{
	while (octets.n > 0) {
		size_t room = sizeof(sealer->plain) - sealer->n;
		size_t n = octets.n < room ? octets.n : room;
		int err;

		memcpy(sealer->plain + sealer->n, octets.p, n);
		sealer->n += n;
		octets = slice_of(octets.p + n, octets.n - n);
		err = sealer->n == sizeof(sealer->plain) ? write_chunk(sealer, 0) : 0;
		if (err)
			return err;
	}
	return 0;
}

int backup_sealer_end(struct backup_sealer *sealer)
{
	/* Without octets, too, when all were written: only this mark tells a whole file from one
	 * that was cut off between two chunks. */
	return write_chunk(sealer, LAST_CHUNK);
}

void backup_sealer_free(struct backup_sealer **sealerp)
{
	if (!*sealerp)
		return;
	wipe(*sealerp, sizeof(**sealerp));
	free(*sealerp);
	*sealerp = NULL;
}

/* ---- opening ---- */

static int refuse(const struct backup_opener *opener, int err, const char *why)
{
	diag_error(opener->diag, NULL, "%s: %s", opener->file, why);
	return err;
}

/* Reads exactly n octets. */
static int take(const struct backup_opener *opener, uint8_t *out, size_t n)
{
	ssize_t got = read_full(opener->fd, out, n);

	if (got < 0)
		return refuse(opener, (int)got, strerror((int)-got));
	return (size_t)got == n ? 0 : refuse(opener, -EBADMSG, "cut off");
}

static int open_head(struct backup_opener *opener, struct slice passphrase)
{
	uint8_t head[BACKUP_HEAD];
	int err = take(opener, head, sizeof(head));

	if (err)
		return err;
	if (memcmp(head, magic, BACKUP_MAGIC) != 0)
		return refuse(opener, -EBADMSG, "is not encrypted");
	if (head[BACKUP_MAGIC] != SEALED_VERSION)
		return refuse(opener, -EPROTONOSUPPORT, "encrypted in a way not known here");
	if (head[LOG_N_AT] > LOG_N_MAX)
		return refuse(opener, -EPROTONOSUPPORT,
			      "its head asks for more memory than any backup needs");
	err = vault_open(passphrase, head + sizeof(magic), &opener->vault);
	if (err == -EACCES)
		return refuse(opener, err, "another passphrase, or its head is damaged");
	return err ? refuse(opener, err, strerror(-err)) : 0;
}

int backup_opener_new(int fd, const char *file, struct slice passphrase, struct diag *diag,
		      struct backup_opener **opener_out)
{
	struct backup_opener *opener = calloc(1, sizeof(*opener));
	int err;

	if (!opener)
		return -ENOMEM;
	opener->file = file;
	opener->diag = diag;
	opener->fd = fd;
	err = open_head(opener, passphrase);
	if (err) {
		backup_opener_free(&opener);
		return err;
	}
	*opener_out = opener;
	return 0;
}

/* Behind the last chunk only the end of the file is good. */
static int expect_end(struct backup_opener *opener)
{
	uint8_t more;
	ssize_t n = read_full(opener->fd, &more, 1);

	if (n < 0)
		return refuse(opener, (int)n, strerror((int)-n));
	opener->ended = true;
	return n == 0 ? 0 : refuse(opener, -EBADMSG, "holds something behind its end");
}

int backup_opener_next(struct backup_opener *opener, struct slice *octets_out)
{
	uint8_t head[BACKUP_WORD], aad[AAD_SIZE];
	struct buf b = BUF_OF(aad);
	struct cursor c = cursor_of(slice_of(head, sizeof(head)));
	uint32_t word;
	size_t n;
	int err;

	*octets_out = slice_of(opener->plain, 0);
	if (opener->ended)
		return 0;
	err = take(opener, head, sizeof(head));
	if (err)
		return err;
	word = cursor_u32(&c);
	n = word & ~LAST_CHUNK;
	/* Only the last one may be shorter: a chunk without octets would look like the end. */
	if (n > BACKUP_CHUNK || (n < BACKUP_CHUNK && !(word & LAST_CHUNK)))
		return refuse(opener, -EBADMSG, "damaged: a part has no length that it may have");
	err = take(opener, opener->sealed, n + BOX_OVERHEAD);
	if (err)
		return err;
	err = box_open(opener->vault.key, chunk_aad(opener->number, word, &b),
		       slice_of(opener->sealed, n + BOX_OVERHEAD), opener->plain);
	if (err)
		return refuse(opener, err, "damaged: a part is not as it was sealed, or not there");
	opener->number++;
	if (word & LAST_CHUNK)
		err = expect_end(opener);
	if (!err)
		*octets_out = slice_of(opener->plain, n);
	return err;
}

void backup_opener_free(struct backup_opener **openerp)
{
	struct backup_opener *opener = *openerp;

	if (!opener)
		return;
	*openerp = NULL;
	wipe(opener, sizeof(*opener));
	free(opener);
}
