/* keep.c - keep: has the rendezvous keep something for this user; and what a caller that stays
 * attached tells of itself. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/file.h"
#include "build-config.h"
#include "caller/cca.h"
#include "umsg/frame.h"

struct keeping {
	const char *name, *type;
	uint8_t *value; /* owned */
	size_t n;
};

static void keep_attached(struct cca *cca, void *arg)
{
	struct keeping *keeping = arg;
	int err;

	/* Asked again after a lost connection: nobody knows what became of it.  Busy: it was the
	 * registration that was lost, and the answer comes. */
	err = umsg_client_keep(cca->client, keeping->name, keeping->type,
			       slice_of(keeping->value, keeping->n));
	if (!err || err == -EBUSY) {
		/* The rendezvous may lose the question, and the connection live on. */
		cca_await(cca, "no answer to what is to be kept");
		return;
	}
	fprintf(stderr, "cca: %s cannot be kept: %s\n", keeping->name, strerror(-err));
	cca_end(cca, CCA_FAILED);
}

static void keep_answered(struct cca *cca, void *arg, Umsg__ErrorCode error, const char *text)
{
	struct keeping *keeping = arg;

	if (error)
		cca_tell(cca, "refused",
			 json_pack("{s:s, s:s}", "name", keeping->name, "reason", text));
	else
		cca_tell(cca, keeping->n ? "kept" : "removed",
			 json_pack("{s:s}", "name", keeping->name));
	cca_end(cca, error ? CCA_FAILED : CCA_OK);
}

static const struct cca_job keep_job = { .attached = keep_attached, .kept = keep_answered };

static const struct option keep_options[] = {
	{ "type", required_argument, NULL, 't' },
	{ NULL, 0, NULL, 0 },
};

int cca_keep(const struct cca_options *options, int argc, char **argv)
{
	struct keeping keeping = { .type = "application/octet-stream" };
	int option, err, status = CCA_FAILED;

	while ((option = getopt_long(argc, argv, "", keep_options, NULL)) == 't')
		keeping.type = optarg;
	if (option != -1 || argc - optind != 2) {
		fputs("usage: cca keep [--type TYPE] NAME FILE\n", stderr);
		return CCA_USAGE;
	}
	keeping.name = argv[optind];
	/* What fits into a frame; an empty file has what is kept removed. */
	err = file_read(argv[optind + 1], FRAME_CLIENT_DATA, &keeping.value, &keeping.n);
	if (err)
		fprintf(stderr, "cca: %s: %s\n", argv[optind + 1], strerror(-err));
	else
		status = cca_run(options, &keep_job, &keeping);
	free(keeping.value);
	return status;
}

void cca_tell_client_info(struct cca *cca)
{
	struct utsname host = { .sysname = "" };
	json_t *info;
	char *text;

	/* Without an answer the names are empty. */
	uname(&host);
	info = json_pack("{s:I, s:s, s:s, s:s}", "time", (json_int_t)clock_wall_s(), "os",
			 host.sysname, "os_version", host.release, "version", PACKAGE_VERSION);
	text = json_dumps(info, JSON_COMPACT);
	/* For the operator's eyes: nobody waits for the answer. */
	if (text)
		umsg_client_keep(cca->client, "client-info", "application/json", slice_str(text));
	free(text);
	json_decref(info);
}
