/* create_cig_maildir - makes a mailbox for text messages (CIG manual 2.9,
 * "Mailboxes"): its argument is the absolute path of the mailbox.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "build-config.h"
#include "mailbox/maildir.h"

enum { EXIT_USAGE = 2 };

static const char default_group[] = "cigmail";

static int usage(FILE *to)
{
	fprintf(to,
		"usage: create_cig_maildir [--group NAME] PATH\n"
		"Makes the mailbox PATH (absolute) with new, cur, tmp and .failed, which the\n"
		"members of the group NAME (%s) may read and write.\n"
		"Exit status: 0 made, 1 not made, 2 usage.\n",
		default_group);
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static int find_group(const char *name, gid_t *gid_out)
{
	struct group *group;

	/* getgrnam() leaves errno alone where there is just no such group. */
	errno = 0;
	group = getgrnam(name);
	if (!group) {
		fprintf(stderr, "create_cig_maildir: there is no group %s%s%s\n", name,
			errno ? ": " : "", errno ? strerror(errno) : "");
		if (strcmp(name, default_group) == 0)
			fprintf(stderr,
				"make it (groupadd --system %s) or name another (--group)\n", name);
		return -ENOENT;
	}
	*gid_out = group->gr_gid;
	return 0;
}

static int make(const char *path, const char *group)
{
	struct diag *diag = diag_new();
	gid_t gid;
	int err = diag ? find_group(group, &gid) : -ENOMEM;

	if (!err) {
		err = maildir_create(path, gid, diag);
		if (err)
			fprintf(stderr, "create_cig_maildir: %s\n", diag_first_error(diag));
		if (err == -EPERM)
			fprintf(stderr, "only root or a member of %s may do this\n", group);
	}
	diag_free(&diag);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "group", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *group = default_group;
	int option;

	while ((option = getopt_long(argc, argv, "g:h", options, NULL)) != -1) {
		if (option == 'g') {
			group = optarg;
		} else if (option == 'V') {
			puts("create_cig_maildir " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		} else {
			return usage(option == 'h' ? stdout : stderr);
		}
	}
	if (argc - optind != 1)
		return usage(stderr);
	return make(argv[optind], group);
}
