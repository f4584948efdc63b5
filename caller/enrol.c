/* enrol.c - takes the keys of an initiation letter (rows CCA-001). */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/diag.h"
#include "base/file.h"
#include "caller/cca.h"
#include "keys/curves.h"
#include "keys/letter_text.h"

enum { MAX_LETTER_FILE = 64 * 1024 };

struct letter_octets {
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;
};

static int read_letter(const char *path, struct letter_octets *letter, struct diag *diag)
{
	uint8_t *content;
	size_t n;
	int err = file_read(path, MAX_LETTER_FILE, &content, &n);

	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = letter_text_read(slice_of(content, n), letter->octets, &letter->n, diag);
	OPENSSL_cleanse(content, n);
	free(content);
	return err;
}

static int unprotect(struct letter_octets *letter, const char *key_text, struct diag *diag)
{
	uint8_t key[LETTER_QR_KEY_SIZE], plain[LETTER_OCTETS_MAX];
	size_t n;
	int err;

	if (!letter_is_protected(slice_of(letter->octets, letter->n)))
		return 0;
	if (!key_text || letter_qr_key_parse(slice_str(key_text), key)) {
		diag_error(diag, NULL,
			   "the letter is protected: give its key with --qr-key "
			   "(32 hexadecimal digits)");
		return -ENOKEY;
	}
	err = letter_unprotect(slice_of(letter->octets, letter->n), key, plain, &n, diag);
	if (!err) {
		memcpy(letter->octets, plain, n);
		letter->n = n;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(key, sizeof(key));
	return err;
}

static int enrol(const struct cca_options *options, const struct letter_octets *octets,
		 struct diag *diag)
{
	struct curves *curves = curves_new();
	struct letter letter;
	char path[PATH_MAX];
	int err = curves ? letter_decode(slice_of(octets->octets, octets->n), &letter, diag)
			 : -ENOMEM;

	if (!err)
		err = file_mkdirs(options->store, 0700);
	if (!err)
		err = keystore_find(options->store, path, sizeof(path), diag);
	if (err == -ENOENT)
		err = keystore_path(options->store, letter.uri, path, sizeof(path));
	if (!err)
		err = keystore_enrol(curves, slice_of(octets->octets, octets->n), path, diag);
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

	while ((option = getopt_long(argc, argv, "", enrol_options, NULL)) != -1)
		key = option == 'k' ? optarg : NULL;
	if (argc - optind != 1) {
		fputs("usage: cca enrol [--qr-key KEY] LETTER\n", stderr);
		diag_free(&diag);
		return CCA_USAGE;
	}
	err = read_letter(argv[optind], &letter, diag);
	if (!err)
		err = unprotect(&letter, key, diag);
	if (!err)
		err = enrol(options, &letter, diag);
	OPENSSL_cleanse(letter.octets, sizeof(letter.octets));
	if (err)
		fprintf(stderr, "cca: not enrolled: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	diag_free(&diag);
	return err ? CCA_FAILED : CCA_OK;
}
