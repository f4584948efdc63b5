/* replay.c - runs a fuzz target over its corpus, each file once and each of its
 * prefixes (a cut in any place must be survived, too).
 *
 * The corpus of fuzz_NAME is tests/fuzz/corpus/NAME below $top_srcdir.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_OCTETS = 1 << 20, PREFIXES = 512 };

static void replay(const uint8_t *data, size_t size)
{
	size_t step = size / PREFIXES + 1;

	for (size_t n = 0; n <= size; n += n + step > size && n < size ? size - n : step) {
		uint8_t *exact = malloc(n ? n : 1); /* so that a read behind the end is seen */

		if (!exact)
			abort();
		memcpy(exact, data, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *name = strrchr(argv[0], '/');
	char dir[512], path[1024];
	unsigned files = 0;
	struct dirent *entry;
	DIR *d;

	(void)argc;
	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
	d = opendir(dir);
	if (!d) {
		fprintf(stderr, "%s: no corpus there\n", dir);
		return 1;
	}
	while ((entry = readdir(d))) {
		uint8_t *data;
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (file_read(path, INPUT_OCTETS, &data, &size) < 0) {
			fprintf(stderr, "%s: cannot read\n", path);
			return 1;
		}
		replay(data, size);
		free(data);
		files++;
	}
	closedir(d);
	printf("%s: %u files\n", name, files);
	return files ? 0 : 1;
}
