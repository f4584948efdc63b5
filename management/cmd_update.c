/* cmd_update.c - cms update: this month's and the next month's update files. */
#include "management/cms.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "keys/period.h"
#include "management/issue.h"

enum { PROGRESS_AFTER_MS = 2000, PROGRESS_EVERY_MS = 1000, MONTHS = 2 };

/* Told only when it takes long, on standard error: standard output is for scripts. */
struct progress {
	int64_t next_ms; /* when to speak again */
	size_t before;   /* entries of the files made before */
	bool spoke;
};

static void show_progress(void *arg, size_t done, size_t total)
{
	struct progress *progress = arg;
	int64_t now_ms = clock_mono_ms();

	if (now_ms < progress->next_ms)
		return;
	progress->next_ms = now_ms + PROGRESS_EVERY_MS;
	progress->spoke = true;
	fprintf(stderr, "%s%zu of %zu entries%s",
		isatty(STDERR_FILENO) ? "\r" : "cms: ", progress->before + done, MONTHS * total,
		isatty(STDERR_FILENO) ? "" : "\n");
	fflush(stderr);
}

static void end_progress(const struct progress *progress)
{
	if (progress->spoke && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

static int make_files(struct issuer *issuer, struct issued_update updates[MONTHS],
		      struct diag *diag)
{
	struct progress progress = { .next_ms = clock_mono_ms() + PROGRESS_AFTER_MS };
	int err = 0;

	for (size_t i = 0; !err && i < MONTHS; i++) {
		/* Both have one creation time; which of them a device takes first makes no
		 * difference to it. */
		err = issue_update(issuer, issuer->month + (int64_t)i, show_progress, &progress,
				   &updates[i], diag);
		progress.before = updates[i].people;
	}
	end_progress(&progress);
	return err;
}

static int file_path(struct cms *cms, int64_t month, char out[PATH_MAX])
{
	const char *dir = cms->value[OPTION_OUTPUT] ? cms->value[OPTION_OUTPUT] : ".";
	char period[PERIOD_TEXT_SIZE];
	int n;

	period_text(month, period);
	n = snprintf(out, PATH_MAX, "%s/%s.upd", dir, period);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int write_files(struct cms *cms, const struct issuer *issuer,
		       const struct issued_update updates[MONTHS])
{
	for (size_t i = 0; i < MONTHS; i++) {
		char path[PATH_MAX];
		int err = file_path(cms, issuer->month + (int64_t)i, path);

		if (!err)
			err = file_write_atomic(path, 0600,
						slice_of(updates[i].file, updates[i].n));
		if (err) {
			diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int log_files(struct cms *cms, const struct issuer *issuer,
		     const struct issued_update updates[MONTHS])
{
	int err = 0;

	for (size_t i = 0; !err && i < MONTHS; i++) {
		char period[PERIOD_TEXT_SIZE];

		period_text(issuer->month + (int64_t)i, period);
		err = cms_log(cms, "update", "%s, revision %u, %zu entries", period,
			      updates[i].revision, updates[i].people);
	}
	return err;
}

static void print_files(struct cms *cms, const struct issuer *issuer,
			const struct issued_update updates[MONTHS])
{
	for (size_t i = 0; i < MONTHS; i++) {
		char path[PATH_MAX], hex[HEX_TEXT_SIZE(SHA256_DIGEST_LENGTH)];
		uint8_t hash[SHA256_DIGEST_LENGTH];

		if (file_path(cms, issuer->month + (int64_t)i, path))
			return;
		/* For whoever carries the file, to compare with what the rendezvous says. */
		SHA256(updates[i].file, updates[i].n, hash);
		hex_encode(slice_of(hash, sizeof(hash)), hex);
		printf("%s: revision %u, %zu users and gateways\n  SHA-256 %s\n", path,
		       updates[i].revision, updates[i].people, hex);
	}
}

/* The files are there before their revisions are committed: when that fails, the
 * next run makes the same revisions with a later creation time, which are newer. */
static int publish(struct cms *cms, const struct issuer *issuer,
		   const struct issued_update updates[MONTHS])
{
	int err = write_files(cms, issuer, updates);

	if (!err)
		err = log_files(cms, issuer, updates);
	if (!err)
		err = cms_commit(cms);
	if (!err)
		print_files(cms, issuer, updates);
	return err;
}

/* "cms update": the update files of this month and the next. */
int cmd_update(struct cms *cms)
{
	struct issued_update updates[MONTHS] = { 0 };
	struct issuer issuer;
	int err = issuer_open(cms->db, &cms->vault, cms->now_s, &issuer, cms->diag);

	if (err)
		return err;
	err = make_files(&issuer, updates, cms->diag);
	if (!err)
		err = publish(cms, &issuer, updates);
	for (size_t i = 0; i < MONTHS; i++)
		free(updates[i].file);
	issuer_close(&issuer);
	return err;
}
