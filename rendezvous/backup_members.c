/* backup_members.c - reads the members of a backup archive, sealed or in clear.
 *
 * libarchive pulls: it asks for octets when it wants them, and a sealed file is opened a chunk
 * at a time as it does. Nothing that the chunks' seals do not cover ever reaches the parser of a
 * sealed archive.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/diag.h"
#include "rendezvous/backup_priv.h"
#include "rendezvous/backup_sealed.h"

static int damaged(struct diag *diag, const char *file, struct archive *tar)
{
	diag_error(diag, NULL, "%s: %s", file, archive_error_string(tar));
	return -EBADMSG;
}

/* An archive that is being read. */
struct source {
	int fd;
	const char *file; /* its name */
	struct slice passphrase;
	struct diag *diag;
	struct archive *tar;
	struct backup_opener *opener; /* NULL: in clear */
};

/* libarchive wants more of what is sealed; why there is none is in diag. */
static la_ssize_t on_wanted(struct archive *tar, void *arg, const void **octets_out)
{
	struct source *source = arg;
	struct slice octets;

	if (backup_opener_next(source->opener, &octets)) {
		archive_set_error(tar, EBADMSG, "cannot be decrypted");
		return -1;
	}
	*octets_out = octets.p;
	return (la_ssize_t)octets.n;
}

static int open_sealed(struct source *source)
{
	int err = backup_opener_new(source->fd, source->file, source->passphrase, source->diag,
				    &source->opener);

	if (!err && archive_read_open(source->tar, source, NULL, on_wanted, NULL) != ARCHIVE_OK)
		err = damaged(source->diag, source->file, source->tar);
	return err;
}

static int open_clear(const struct source *source)
{
	struct archive *tar = source->tar;
	int err;

	if (archive_read_open_fd(tar, source->fd, BACKUP_BLOCK) == ARCHIVE_OK)
		return 0;
	err = archive_errno(tar) > 0 ? -archive_errno(tar) : -EBADMSG;
	diag_error(source->diag, NULL, "%s: %s", source->file, archive_error_string(tar));
	return err;
}

static int open_source(struct source *source)
{
	bool sealed = false;
	int err = backup_is_sealed(source->fd, &sealed);

	if (!err && lseek(source->fd, 0, SEEK_SET) < 0)
		err = -errno;
	if (err) {
		diag_error(source->diag, NULL, "%s: %s", source->file, strerror(-err));
		return err;
	}
	if (sealed && source->passphrase.n == 0) {
		diag_error(source->diag, NULL, "%s: is encrypted; give its passphrase",
			   source->file);
		return -EACCES;
	}
	/* Anybody can write an archive in clear: with a passphrase it is not the one wanted. */
	if (!sealed && source->passphrase.n > 0) {
		diag_error(source->diag, NULL, "%s: is not encrypted; give no passphrase",
			   source->file);
		return -EINVAL;
	}
	source->tar = archive_read_new();
	if (!source->tar || archive_read_support_format_tar(source->tar) != ARCHIVE_OK)
		return -ENOMEM;
	return sealed ? open_sealed(source) : open_clear(source);
}

/* libarchive stops at the tar's own end; a sealed file is whole with its last chunk only. */
static int read_to_end(const struct source *source)
{
	struct slice octets = { NULL, 0 };
	int err = 0;

	do {
		err = source->opener ? backup_opener_next(source->opener, &octets) : 0;
	} while (!err && octets.n > 0);
	return err;
}

int backup_each_member(const struct backup_file *backup, backup_member_fn *member, void *arg,
		       struct diag *diag)
{
	struct source source = { .fd = backup->fd,
				 .file = backup->name,
				 .passphrase = backup->passphrase,
				 .diag = diag };
	struct archive_entry *entry;
	int err = open_source(&source), status;

	while (!err && (status = archive_read_next_header(source.tar, &entry)) != ARCHIVE_EOF) {
		/* A warning is about a header's extras, such as a name in another character set:
		 * what is stored is there all the same. */
		if (status < ARCHIVE_WARN)
			err = damaged(diag, backup->name, source.tar);
		else
			err = member(source.tar, entry, arg);
	}
	if (!err)
		err = read_to_end(&source);
	archive_read_free(source.tar); /* before what it reads from */
	backup_opener_free(&source.opener);
	return err;
}
