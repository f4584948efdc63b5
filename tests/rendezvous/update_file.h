/* update_file.h - update files of the scene's account, for tests. */
#ifndef TESTS_RENDEZVOUS_UPDATE_FILE_H
#define TESTS_RENDEZVOUS_UPDATE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct scene;
struct update_members;

struct update_file_user {
	const char *uri;
	uint32_t generation;
};

/* What an update says; created_s follows from now and the revision. */
struct update_file {
	unsigned months_ahead; /* 0: this month's */
	uint32_t revision;
	const struct update_file_user *users;
	size_t n_users;
	const char *deleted;                  /* a tombstone, or NULL */
	const struct update_members *channel; /* or NULL */
};

/* Writes it to path, sealed with the account's secret. */
void update_file_write(const char *path, const struct update_file *update);

/* Writes and applies it by crs-cli.  Returns its exit status. */
int update_file_apply(const struct scene *scene, const struct update_file *update);

#endif
