/* fuzz_crs_config.c - crs.conf and crs-local.conf: read whole or refused with a reason, and
 * what is taken is in its range.
 *
 * Input: the text of crs.conf, a line "--", the text of crs-local.conf.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "rendezvous/paths.h"
#include "rendezvous/settings.h"
#include "tests/fuzz/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static size_t first_text(const uint8_t *data, size_t size)
{
	const uint8_t *line = memmem(data, size, "\n--\n", 4);

	return line ? (size_t)(line - data) + 1 : size;
}

static void look(const struct settings *settings)
{
	expect(settings->name[0] && memchr(settings->name, '\0', sizeof(settings->name)));
	expect(memchr(settings->ip, '\0', sizeof(settings->ip)) != NULL);
	expect(settings->listen_port != 0);
	expect(settings->workers <= SETTINGS_WORKERS_MAX);
	expect(settings->policy != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = first_text(data, size), behind = size - n < 3 ? size : n + 3;
	struct diag *diag = diag_new();
	struct settings settings;
	struct crs_paths paths;
	int err;

	expect(diag && crs_paths_init(&paths, place()) == 0);
	place_write(paths.config, slice_of(data, n));
	place_write(paths.local, slice_of(data + behind, size - behind));
	err = settings_read(&paths, &settings, diag);
	expect(err == 0 || err == -EINVAL || err == -ENOMEM);
	expect(err != -EINVAL || diag_errors(diag) > 0);
	if (!err)
		look(&settings);
	settings_clear(&settings);
	unlink(paths.config);
	unlink(paths.local);
	diag_free(&diag);
	return 0;
}
