/* test_backup_redis.c - a backup holds Redis, which is played here and may answer anything. */
#include "tests/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diag.h"
#include "rendezvous/backup_priv.h"

#define PERCENTAGE "*2\r\n$27\r\nauto-aof-rewrite-percentage\r\n$3\r\n100\r\n"
#define AT_REST "$54\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\n\r\n\r\n"
#define BUSY "$54\r\naof_rewrite_in_progress:1\r\naof_rewrite_scheduled:0\r\n\r\n\r\n"

/* What Redis says to each kind of command; the last one of info again and again. */
struct script {
	const char *get, *set, *info[3];
};

struct played {
	char dir[64], path[96];
	struct crs_paths paths;
	struct script script;
	bool ends; /* instead of its answer to the second setting */
	int listening;
	pthread_t thread;
	/* What was heard; to be looked at when the thread has ended. */
	unsigned infos, sets;
	char value[8][24]; /* of the setting, as it was set */
};

static void say(int fd, const char *reply)
{
	(void)!send(fd, reply, strlen(reply), MSG_NOSIGNAL);
}

/* A command is one write of hiredis: "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n..." */
static void answer(struct played *p, int fd, char *command)
{
	const struct script *script = &p->script;
	char *value = strstr(command, "percentage\r\n$");

	if (strstr(command, "\r\nGET\r\n")) {
		say(fd, script->get);
	} else if (strstr(command, "\r\nSET\r\n")) {
		value = value ? strstr(value + strlen("percentage\r\n$"), "\r\n") : NULL;
		if (value && p->sets < COUNT(p->value))
			snprintf(p->value[p->sets++], sizeof(p->value[0]), "%.*s",
				 (int)strcspn(value + 2, "\r"), value + 2);
		say(fd, script->set);
	} else {
		size_t i = p->infos++;

		while (i > 0 && (i >= COUNT(script->info) || !script->info[i]))
			i--;
		say(fd, script->info[i]);
	}
}

static void *play(void *arg)
{
	struct played *p = arg;
	int fd = accept(p->listening, NULL, NULL);
	char command[512];
	ssize_t n;

	while (fd >= 0 && (n = recv(fd, command, sizeof(command) - 1, 0)) > 0) {
		command[n] = '\0';
		if (p->ends && p->sets == 1 && strstr(command, "\r\nSET\r\n"))
			break;
		answer(p, fd, command);
	}
	close(fd);
	return NULL;
}

static void begin(struct played *p, const struct script *script)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(p, 0, sizeof(*p));
	p->script = *script;
	snprintf(p->dir, sizeof(p->dir), "/tmp/backup-redis.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/redis_low.sock", p->dir);
	snprintf(p->paths.run, sizeof(p->paths.run), "%s", p->dir);
	memcpy(address.sun_path, p->path, sizeof(p->path));
	p->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(p->listening, 1), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, play, p), 0);
}

/* The backup has closed its connection. */
static void end(struct played *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	close(p->listening);
	unlink(p->path);
	rmdir(p->dir);
}

static void redis_is_kept_from_rewriting_and_let_go(void **state)
{
	static const struct script script = { PERCENTAGE, "+OK\r\n", { BUSY, AT_REST } };
	struct backup_hold *hold = NULL;
	struct played p;

	(void)state;
	begin(&p, &script);
	assert_int_equal(backup_hold_redis(&p.paths, &hold, NULL), 0);
	assert_non_null(hold);
	assert_int_equal(backup_release_redis(&hold, NULL), 0);
	assert_null(hold);
	assert_int_equal(backup_release_redis(&hold, NULL), 0);
	end(&p);
	assert_int_equal(p.infos, 2); /* it waited for the rewrite that was under way */
	assert_int_equal(p.sets, 2);
	assert_string_equal(p.value[0], "0");
	assert_string_equal(p.value[1], "100");
}

static void without_a_redis_nothing_is_held(void **state)
{
	struct crs_paths paths = { .run = "/nowhere" };
	struct backup_hold *hold = NULL;

	(void)state;
	assert_int_equal(backup_hold_redis(&paths, &hold, NULL), 0);
	assert_int_equal(backup_release_redis(&hold, NULL), 0);
	assert_null(hold);
}

/* Else Redis would not rewrite its log until it is started anew. */
static void what_a_killed_backup_left_is_not_the_setting(void **state)
{
	static const struct script script = {
		"*2\r\n$27\r\nauto-aof-rewrite-percentage\r\n$1\r\n0\r\n", "+OK\r\n", { AT_REST }
	};
	struct backup_hold *hold = NULL;
	struct played p;

	(void)state;
	begin(&p, &script);
	assert_int_equal(backup_hold_redis(&p.paths, &hold, NULL), 0);
	assert_int_equal(backup_release_redis(&hold, NULL), 0);
	end(&p);
	assert_int_equal(p.sets, 2);
	assert_string_equal(p.value[1], "100");
}

/* Its successor was not held: it may have written its log anew under the copy. */
static void a_redis_that_ends_meanwhile_is_told(void **state)
{
	static const struct script script = { PERCENTAGE, "+OK\r\n", { AT_REST } };
	struct diag *diag = diag_new();
	struct backup_hold *hold = NULL;
	struct played p;

	(void)state;
	begin(&p, &script);
	p.ends = true;
	assert_int_equal(backup_hold_redis(&p.paths, &hold, NULL), 0);
	assert_int_equal(backup_release_redis(&hold, diag), -EAGAIN);
	assert_non_null(strstr(diag_first_error(diag), "Redis ended"));
	end(&p);
	diag_free(&diag);
}

static void a_redis_that_was_started_meanwhile_is_told(void **state)
{
	static const struct script script = { PERCENTAGE, "+OK\r\n", { AT_REST } };
	struct diag *diag = diag_new();
	struct backup_hold *hold = NULL;
	char away[128];
	struct played p;

	(void)state;
	begin(&p, &script);
	snprintf(away, sizeof(away), "%s.away", p.path);
	assert_int_equal(rename(p.path, away), 0);
	assert_int_equal(backup_hold_redis(&p.paths, &hold, NULL), 0);
	assert_int_equal(rename(away, p.path), 0);
	assert_int_equal(backup_release_redis(&hold, diag), -EAGAIN);
	assert_non_null(strstr(diag_first_error(diag), "crs was started"));
	end(&p);
	diag_free(&diag);
}

/* Each was taken for a text once, or could be: the archive is not begun, and the setting is as it
 * was. */
static void a_backup_refuses_replies_of_odd_types_and_leaves_the_setting(void **state)
{
	static const struct {
		const char *what;
		struct script script;
		unsigned sets; /* 0: the setting was not read; 2: changed and put back */
	} cases[] = {
		{ "the setting is nil", { "*2\r\n$1\r\na\r\n$-1\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "a number", { "*2\r\n$1\r\na\r\n:100\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "a list", { "*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "too long",
		  { "*2\r\n$1\r\na\r\n$24\r\n000000000000000000000100\r\n",
		    "+OK\r\n",
		    { AT_REST } },
		  0 },
		{ "alone", { "*1\r\n$3\r\n100\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "no list", { "$3\r\n100\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "a refusal", { "-ERR unknown command\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "no reply at all", { "what?\r\n", "+OK\r\n", { AT_REST } }, 0 },
		{ "it cannot be set", { PERCENTAGE, "-ERR no\r\n", { AT_REST } }, 2 },
		{ "the state is a number", { PERCENTAGE, "+OK\r\n", { ":0\r\n" } }, 2 },
		{ "nil", { PERCENTAGE, "+OK\r\n", { "$-1\r\n" } }, 2 },
		{ "a list", { PERCENTAGE, "+OK\r\n", { "*1\r\n$1\r\na\r\n" } }, 2 },
		{ "an error later", { PERCENTAGE, "+OK\r\n", { BUSY, "-ERR no\r\n" } }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct backup_hold *hold = NULL;
		struct diag *diag = diag_new();
		struct played p;

		begin(&p, &cases[i].script);
		if (backup_hold_redis(&p.paths, &hold, diag) == 0)
			fail_msg("taken: %s", cases[i].what);
		assert_null(hold);
		assert_non_null(strstr(diag_first_error(diag), "cannot be kept from rewriting"));
		diag_free(&diag);
		end(&p);
		assert_int_equal(p.sets, cases[i].sets);
		if (p.sets)
			assert_string_equal(p.value[1], "100");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_is_kept_from_rewriting_and_let_go),
		cmocka_unit_test(without_a_redis_nothing_is_held),
		cmocka_unit_test(what_a_killed_backup_left_is_not_the_setting),
		cmocka_unit_test(a_redis_that_ends_meanwhile_is_told),
		cmocka_unit_test(a_redis_that_was_started_meanwhile_is_told),
		cmocka_unit_test(a_backup_refuses_replies_of_odd_types_and_leaves_the_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
