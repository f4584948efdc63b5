/* A worker that starts, as its supervisor sees it. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pack.h"
#include "tests/rendezvous/desk.h"

enum { PATIENCE_MS = 20000 };

static int open_desk(void **state)
{
	struct desk *desk = malloc(sizeof(*desk));

	desk_open(desk, NULL);
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	desk_close(*state);
	free(*state);
	return 0;
}

static void start_anew(struct desk *desk, unsigned worker)
{
	desk_hang_up(desk, worker);
	worker_process_start(&desk->supervisor.workers[worker]);
	desk->supervisor.workers[worker].pid = 0;
}

static void say_ready(struct desk *desk, unsigned worker)
{
	CrsWorker__Control ready = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Ready body = CRS_WORKER__READY__INIT;

	ready.body_case = CRS_WORKER__CONTROL__BODY_READY;
	ready.ready = &body;
	desk_say(desk, worker, &ready);
}

/* It loads the accounts before it is ready, and hears of changes from then on only. */
static void what_changed_while_a_worker_started_is_told_to_it(void **state)
{
	struct desk *desk = *state;
	CrsWorker__Control *told;

	start_anew(desk, 1);
	assert_int_equal(supervisor_reload(&desk->supervisor, NULL), 0);
	say_ready(desk, 1);
	told = desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD);
	assert_non_null(told);
	PACK_FREE(&told);
	/* Once; and not where nothing has changed. */
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD));
	start_anew(desk, 1);
	say_ready(desk, 1);
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD));
}

/* What it loads at its start tells nothing of these, and the others hear of them now. */
static void what_all_are_told_reaches_one_that_starts_behind_its_setup(void **state)
{
	static const CrsWorker__Control__BodyCase wanted[] = {
		CRS_WORKER__CONTROL__BODY_SETUP,  CRS_WORKER__CONTROL__BODY_GUESTS,
		CRS_WORKER__CONTROL__BODY_EXPEL,  CRS_WORKER__CONTROL__BODY_FORGET,
		CRS_WORKER__CONTROL__BODY_RELOAD,
	};
	struct desk *desk = *state;

	start_anew(desk, 1);
	supervisor_announce_guests(&desk->supervisor, "acme", "0123456789abcdef");
	supervisor_expel(&desk->supervisor, "acme", "tel:+1", "purged");
	supervisor_forget_account(&desk->supervisor, "acme", NULL);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		CrsWorker__Control *told = desk_hear(desk, 1);

		assert_non_null(told);
		assert_int_equal(told->body_case, wanted[i]);
		PACK_FREE(&told);
	}
}

/* It would wait for its setup, and nobody for its end. */
static void a_worker_that_cannot_be_set_up_is_let_go(void **state)
{
	struct desk *desk = *state;
	struct worker_process *worker = &desk->supervisor.workers[1];

	desk->options.settings.listen_address[0] = '\0';
	start_anew(desk, 1);
	assert_null(worker->channel);
}

/* A process of its own for worker 1, which does nothing at all. */
static pid_t idle_process(struct desk *desk, unsigned limit_s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	desk->options.settings.hang_limit_s = limit_s;
	desk->supervisor.workers[1].pid = pid;
	return pid;
}

/* Which signal ended it. */
static int signal_of(struct desk *desk, pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	desk->supervisor.workers[1].pid = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void look(struct desk *desk, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		worker_process_look(&desk->supervisor.workers[1]);
}

static void a_worker_is_asked_and_lives_as_long_as_it_answers(void **state)
{
	CrsWorker__Control pong = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Pong body = CRS_WORKER__PONG__INIT;
	struct desk *desk = *state;
	pid_t pid = idle_process(desk, 5);

	pong.body_case = CRS_WORKER__CONTROL__BODY_PONG;
	pong.pong = &body;
	for (int i = 0; i < 20; i++) {
		CrsWorker__Control *asked;

		look(desk, 5);
		asked = desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_PING);
		assert_non_null(asked);
		PACK_FREE(&asked);
		/* one question at a time */
		assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_PING));
		desk_say(desk, 1, &pong);
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(signal_of(desk, pid), SIGTERM);
}

static void a_worker_that_hangs_is_aborted(void **state)
{
	struct desk *desk = *state;
	pid_t pid = idle_process(desk, 5);

	look(desk, 6);
	assert_int_equal(signal_of(desk, pid), SIGABRT);
}

/* As in a system call that does not return: no signal but one ends it. */
static void a_worker_that_cannot_abort_is_killed(void **state)
{
	struct desk *desk = *state;
	pid_t pid = idle_process(desk, 5);
	int status;

	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	look(desk, 7);
	assert_int_equal(signal_of(desk, pid), SIGKILL);
}

/* As for a disk: whose child has not begun its program yet waits so, too (vfork(2)). */
static void a_worker_that_waits_for_a_disk_has_longer(void **state)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	struct desk *desk = *state;
	char path[32], word = 0;
	uint8_t *stat;
	size_t n;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* With its parent: nobody else would end it. */
		if (vfork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
		}
		_exit(0);
	}
	desk->options.settings.hang_limit_s = 5;
	desk->supervisor.workers[1].pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (word != 'D' && clock_mono_ms() < deadline) {
		assert_int_equal(file_read(path, 4096, &stat, &n), 0);
		word = strrchr((char *)stat, ')')[2];
		free(stat);
	}
	assert_int_equal(word, 'D');
	look(desk, 5 * HEARTBEAT_WAIT_TIMES);
	assert_false(desk->supervisor.workers[1].beat.aborted);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	look(desk, 7); /* and is ended then */
	assert_int_equal(signal_of(desk, pid), SIGKILL);
}

static void a_worker_that_is_told_to_stop_is_not_asked(void **state)
{
	struct desk *desk = *state;
	pid_t pid = idle_process(desk, 5);

	desk->supervisor.workers[1].stopping = true;
	look(desk, 50);
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_PING));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(signal_of(desk, pid), SIGTERM);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_changed_while_a_worker_started_is_told_to_it),
		DESK_TEST(what_all_are_told_reaches_one_that_starts_behind_its_setup),
		DESK_TEST(a_worker_that_cannot_be_set_up_is_let_go),
		DESK_TEST(a_worker_is_asked_and_lives_as_long_as_it_answers),
		DESK_TEST(a_worker_that_hangs_is_aborted),
		DESK_TEST(a_worker_that_cannot_abort_is_killed),
		DESK_TEST(a_worker_that_waits_for_a_disk_has_longer),
		DESK_TEST(a_worker_that_is_told_to_stop_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
