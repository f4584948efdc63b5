/* cig_secret.c - passwords that lie in files of their own, so that cig.conf may be shown. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "gateway/cig_config_priv.h"

enum { MAX_SECRET_BYTES = 4096, OTHERS = S_IRWXO | S_IWGRP | S_IXGRP };

/* The path a name means in a file that lies at from. */
static int beside(const char *from, const char *name, char out[PATH_MAX])
{
	/* Relative to the file that names it, not to where the program was started. */
	const char *slash = name[0] == '/' || !from ? NULL : strrchr(from, '/');
	int dir = slash ? (int)(slash - from) + 1 : 0;
	int n = snprintf(out, PATH_MAX, "%.*s%s", dir, from ? from : "", name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The group may read: cig.conf itself belongs to root and is read by ciguser's group. */
static bool is_private(const char *path, const struct config_word *word, struct diag *diag)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		diag_error(diag, &word->place, "cannot read %s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) { /* a FIFO would hold the reader up */
		diag_error(diag, &word->place, "%s is no file", path);
		return false;
	}
	if (st.st_mode & OTHERS) {
		diag_error(diag, &word->place,
			   "%s holds a password and has mode %04o: chmod 600 it", path,
			   (unsigned)st.st_mode & 07777);
		return false;
	}
	return true;
}

const char *cig_read_secret(struct cig_build *b, const struct config_word *word)
{
	char path[PATH_MAX];
	const char *kept = NULL;
	uint8_t *text;
	size_t n;
	int err;

	if (!b->from_files) {
		diag_error(b->diag, &word->place, "\"password_file\" needs a file to stand in");
		return NULL;
	}
	err = beside(word->place.file, word->text, path);
	if (!err && !is_private(path, word, b->diag))
		return NULL;
	if (!err)
		err = file_read(path, MAX_SECRET_BYTES, &text, &n);
	if (err) {
		diag_error(b->diag, &word->place, "cannot read %s: %s", path, strerror(-err));
		return NULL;
	}
	/* Editors end a file with a newline, which nobody means. */
	text[strcspn((char *)text, "\r\n")] = '\0';
	if (text[0])
		kept = cig_keep_text(b, (char *)text);
	else
		diag_error(b->diag, &word->place, "%s: its first line, the password, is empty",
			   path);
	explicit_bzero(text, n);
	free(text);
	return kept;
}
