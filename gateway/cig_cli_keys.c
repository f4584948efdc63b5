/* cig_cli_keys.c - set-key: gives the gateway the keys of its letter.
 *
 * The key store is written here, as the user who owns userdata (root becomes that user for
 * it), and the server is asked to load it; a letter never crosses the control port
 * (docs/architecture.md).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/as_owner.h"
#include "base/diag.h"
#include "gateway/cig_cli.h"
#include "keys/curves.h"
#include "keys/keystore.h"
#include "keys/letter_file.h"
#include "keys/letter_text.h"

/* Asks for the letter line by line, each checked as it is typed. */
static int type_letter(struct letter_octets *letter, struct diag *diag)
{
	char *line = NULL;
	size_t cap = 0;
	int err = 0;

	puts("Type or paste the lines of the key letter; an empty line ends it.");
	for (unsigned number = 1; !err;) {
		uint8_t octets[LETTER_LINE_OCTETS];
		size_t n;
		ssize_t len;

		printf("%02u: ", number);
		fflush(stdout);
		len = getline(&line, &cap, stdin);
		if (len <= 0 || (line[0] == '\n' && letter->n))
			break;
		/* A letter that is pasted whole begins with what is for people, and has empty lines
		 * there. */
		if (line[0] == '\n')
			continue;
		if (letter_text_line(slice_of(line, (size_t)len), number, octets, &n)) {
			printf("This is not line %u, or it has a slip: type it again.\n", number);
			continue;
		}
		err = letter_octets_add(letter, slice_of(octets, n));
		number++;
		OPENSSL_cleanse(octets, sizeof(octets));
	}
	if (line)
		OPENSSL_cleanse(line, cap);
	free(line);
	if (err || letter->n)
		return err;
	diag_error(diag, NULL, "no line of the letter was typed");
	return -ENODATA;
}

static int unprotect(struct letter_octets *letter, struct diag *diag)
{
	/* glibc's own buffer: it is cleansed below, for nobody else does. */
	char *text = getpass("Key of the letter (8 groups of 4): ");
	int err = letter_octets_open(letter, text ? text : "", diag);

	if (text)
		OPENSSL_cleanse(text, strlen(text));
	return err;
}

/* Only a gateway's letter is for us; its URI names the store. */
static int gateway_uri(const struct letter_octets *octets, char uri[IDENTITY_URI_MAX + 1],
		       struct diag *diag)
{
	struct letter letter;
	int err = letter_decode(slice_of(octets->p, octets->n), &letter, diag);

	if (err)
		return err;
	if (!letter.engines) {
		diag_error(diag, NULL, "this letter is a user's (%s), not a gateway's", letter.uri);
		err = -EPERM;
	}
	snprintf(uri, IDENTITY_URI_MAX + 1, "%s", letter.uri);
	letter_wipe(&letter);
	return err;
}

static int enrol(struct cli *cli, const struct letter_octets *letter, struct diag *diag)
{
	char uri[IDENTITY_URI_MAX + 1], path[8192];
	struct curves *curves = curves_new();
	int err = curves ? gateway_uri(letter, uri, diag) : -ENOMEM;
	struct as_owner was = { .changed = false };

	if (!err)
		/* A gateway has one store.  Where there is none yet it is named by the
		 * letter's URI; a letter for another URI than the store's is refused by
		 * keystore_enrol(). */
		err = keystore_find(cli->userdata, path, sizeof(path), diag);
	if (err == -ENOENT)
		err = keystore_path(cli->userdata, uri, path, sizeof(path));
	if (!err)
		/* The manual's commands are root's ("Installation"); the store is cig-server's. */
		err = as_owner_begin(cli->userdata, &was);
	if (!err)
		err = keystore_enrol(curves, slice_of(letter->p, letter->n), path, diag);
	as_owner_end(&was);
	if (!err)
		printf("The keys of %s are in %s\n", uri, path);
	curves_free(&curves);
	return err;
}

/* A server that is not running loads the store when it starts. */
static void ask_for_reload(struct cli *cli)
{
	struct diag *diag = diag_new();
	json_t *answer = NULL;
	int err = control_call(&cli->server, "POST", "/reload-keys", NULL, &answer, diag);

	if (err)
		cli_say("cig-server loads them when it starts (%s)", diag_first_error(diag));
	else
		puts("cig-server has loaded them.");
	json_decref(answer);
	diag_free(&diag);
}

static const struct option set_key_options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

int cli_set_key(struct cli *cli, int argc, char **argv)
{
	struct diag *diag = diag_new();
	struct letter_octets letter = { .n = 0 };
	const char *file = NULL;
	int option, err;

	while ((option = getopt_long(argc, argv, "", set_key_options, NULL)) != -1)
		file = option == 'f' ? optarg : NULL;
	if (optind != argc || !diag) {
		fputs("usage: cig-cli set-key [--file FILE]\n", stderr);
		diag_free(&diag);
		return CLI_USAGE;
	}
	err = file ? letter_file_read(file, &letter, diag) : type_letter(&letter, diag);
	if (!err && letter_is_protected(slice_of(letter.p, letter.n)))
		err = unprotect(&letter, diag);
	if (!err)
		err = enrol(cli, &letter, diag);
	letter_octets_wipe(&letter);
	if (err)
		fprintf(stderr, "cig-cli: the keys are not changed: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	else
		ask_for_reload(cli);
	diag_free(&diag);
	return err ? CLI_FAILED : CLI_OK;
}
