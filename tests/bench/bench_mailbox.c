/* bench_mailbox.c - durable deliveries into a Maildir, a second of wall time.
 *
 * maildir_deliver_batch with 16 messages at a time, into a mailbox that holds few
 * messages and into one that holds many.  The reference writes the same files to tmp,
 * with an fsync of the file, a rename and an fsync of the directory for each.  Both on
 * the disk of the working directory; rounds alternate.
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox/maildir.h"

enum { BATCH = 16, BATCHES = 20, ROUNDS = 7, OCTETS = 1024 };

struct bench {
	char dir[PATH_MAX], path[PATH_MAX + 8];
	struct maildir *maildir;
	char content[OCTETS];
	unsigned number; /* of the last message */
};

static void name_message(struct bench *b, char name[MAILDIR_NAME_SIZE])
{
	uint8_t id[16] = { 0 };

	b->number++;
	memcpy(id, &b->number, sizeof(b->number));
	maildir_name(1700000000 + b->number, id, "mailbox", name);
}

static void write_file(const char *path, const struct bench *b, bool durable)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	bench_must(fd >= 0 && write(fd, b->content, OCTETS) == OCTETS, "writing a file");
	bench_must(!durable || fsync(fd) == 0, "fsync");
	close(fd);
}

static void open_mailbox(struct bench *b, size_t holds)
{
	char here[PATH_MAX - 32];

	*b = (struct bench){ .number = 0 };
	bench_must(getcwd(here, sizeof(here)) != NULL, "getcwd");
	snprintf(b->dir, sizeof(b->dir), "%s/bench-mailbox.XXXXXX", here);
	bench_must(mkdtemp(b->dir) != NULL, "mkdtemp");
	snprintf(b->path, sizeof(b->path), "%s/box", b->dir);
	memset(b->content, 'x', OCTETS);
	bench_must(maildir_create(b->path, getgid(), NULL) == 0 &&
			   maildir_open(b->path, &b->maildir, NULL) == 0,
		   "making a mailbox");
	for (size_t i = 0; i < holds; i++) {
		char name[MAILDIR_NAME_SIZE], path[2 * PATH_MAX];

		name_message(b, name);
		snprintf(path, sizeof(path), "%s/new/%s", b->path, name);
		write_file(path, b, false);
	}
	sync();
}

static void close_mailbox(struct bench *b)
{
	char command[PATH_MAX + 16];

	maildir_free(&b->maildir);
	snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	bench_must(system(command) == 0, "removing the mailbox");
}

/* Each returns deliveries a second. */

static double deliver_in_batches(struct bench *b)
{
	double start = bench_seconds(CLOCK_MONOTONIC);

	for (int k = 0; k < BATCHES; k++) {
		char names[BATCH][MAILDIR_NAME_SIZE];
		struct maildir_item items[BATCH];

		for (int i = 0; i < BATCH; i++) {
			name_message(b, names[i]);
			items[i] = (struct maildir_item){ .to = b->maildir,
							  .name = names[i],
							  .content = slice_of(b->content, OCTETS) };
		}
		bench_must(maildir_deliver_batch(items, BATCH) == 0, "delivering");
	}
	return BATCH * BATCHES / (bench_seconds(CLOCK_MONOTONIC) - start);
}

static double deliver_singly(struct bench *b)
{
	double start;
	char path[PATH_MAX + 16];
	int dir;

	snprintf(path, sizeof(path), "%s/new", b->path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench_must(dir >= 0, "opening the directory");
	start = bench_seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < BATCH * BATCHES; i++) {
		char name[MAILDIR_NAME_SIZE], tmp[2 * PATH_MAX], new[2 * PATH_MAX];

		name_message(b, name);
		snprintf(tmp, sizeof(tmp), "%s/tmp/%s", b->path, name);
		snprintf(new, sizeof(new), "%s/new/%s", b->path, name);
		write_file(tmp, b, true);
		bench_must(rename(tmp, new) == 0 && fsync(dir) == 0, "renaming");
	}
	start = BATCH * BATCHES / (bench_seconds(CLOCK_MONOTONIC) - start);
	close(dir);
	return start;
}

static void measure(const char *name, size_t holds)
{
	static struct bench b;
	double batches[ROUNDS], singles[ROUNDS];

	open_mailbox(&b, holds);
	for (int i = 0; i < ROUNDS; i++) {
		batches[i] = deliver_in_batches(&b);
		singles[i] = deliver_singly(&b);
	}
	bench_print(name, bench_median(batches, ROUNDS), "deliveries/s (wall)",
		    bench_median(singles, ROUNDS));
	close_mailbox(&b);
}

int main(int argc, char *argv[])
{
	if (bench_wants(argc, argv, "mailbox.deliver.100"))
		measure("mailbox.deliver.100", 100);
	if (bench_wants(argc, argv, "mailbox.deliver.20000"))
		measure("mailbox.deliver.20000", 20000);
	return 0;
}
