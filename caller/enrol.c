/* enrol.c - takes the keys of an initiation letter (rows CCA-001). */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/file.h"
#include "caller/cca.h"
#include "keys/curves.h"
#include "keys/keystore.h"
#include "keys/letter_file.h"

/* A protected letter needs the key that came another way. */
static int unprotect(struct letter_octets *letter, const char *key_text, struct diag *diag)
{
	if (!letter_is_protected(slice_of(letter->p, letter->n)))
		return 0;
	if (key_text)
		return letter_octets_open(letter, key_text, diag);
	diag_error(diag, NULL, "the letter is protected: give its key with --qr-key");
	return -ENOKEY;
}

static int enrol(const struct cca_options *options, const struct letter_octets *octets,
		 struct diag *diag)
{
	struct curves *curves = curves_new();
	struct letter letter;
	char path[PATH_MAX];
	int err = curves ? letter_decode(slice_of(octets->p, octets->n), &letter, diag) : -ENOMEM;

	if (!err)
		err = file_mkdirs(options->store, 0700);
	if (!err)
		err = keystore_find(options->store, path, sizeof(path), diag);
	/* No store yet: this letter names it.  Else the one that is there takes it, or says why
	 * not. */
	if (err == -ENOENT)
		err = keystore_path(options->store, letter.uri, path, sizeof(path));
	if (!err)
		err = keystore_enrol(curves, slice_of(octets->p, octets->n), path, diag);
	if (!err)
		printf("enrolled uri=%s domain=\"%s\" rendezvous=%s store=%s\n", letter.uri,
		       letter.domain, letter.address, path);
	letter_wipe(&letter);
	curves_free(&curves);
	return err;
}

static const struct option enrol_options[] = {
	{ "qr-key", required_argument, NULL, 'k' },
	{ NULL, 0, NULL, 0 },
};

int cca_enrol(const struct cca_options *options, int argc, char **argv)
{
	struct diag *diag = diag_new();
	struct letter_octets letter = { .n = 0 };
	const char *key = NULL;
	int option, err;

	while ((option = getopt_long(argc, argv, "", enrol_options, NULL)) == 'k')
		key = optarg;
	if (option != -1 || argc - optind != 1) {
		fputs("usage: cca enrol [--qr-key KEY] LETTER\n", stderr);
		diag_free(&diag);
		return CCA_USAGE;
	}
	err = letter_file_read(argv[optind], &letter, diag);
	if (!err)
		err = unprotect(&letter, key, diag);
	if (!err)
		err = enrol(options, &letter, diag);
	letter_octets_wipe(&letter);
	if (err)
		fprintf(stderr, "cca: not enrolled: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	diag_free(&diag);
	return err ? CCA_FAILED : CCA_OK;
}
