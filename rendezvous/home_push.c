/* home_push.c - users who are away are woken up by push.
 *
 * Tokens are in the store, and the one connection to the push service is the supervisor's: a
 * worker reads a user's tokens and hands them on. A push is a hint that may be lost; nothing
 * waits for it longer than HOME_WAKE_MS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rendezvous/client_data.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/store.h"

/* Who asked for a user's tokens. */
struct waking {
	struct home *home;
	bool found;
	char uri[];
};

static void on_token(void *arg, const char *what, const char *account, const char *uri,
		     const char *text)
{
	struct waking *waking = arg;
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Push push = CRS_WORKER__PUSH__INIT;
	json_t *data = client_data_parse(text, clock_wall_s());
	char *value = data ? json_dumps(json_object_get(data, "value"), JSON_COMPACT) : NULL;

	(void)what;
	if (value) {
		push.account = (char *)(uintptr_t)account;
		push.uri = (char *)(uintptr_t)uri;
		push.value = value;
		message.body_case = CRS_WORKER__CONTROL__BODY_PUSH;
		message.push = &push;
		/* Handed over, not sent: whether the service takes it comes later, and only a
		 * token that is gone matters (home_push_gone()). */
		waking->found = worker_tell(waking->home->worker, &message) == 0;
		if (waking->found && waking->home->pushed)
			recent_note(waking->home->pushed, uri, clock_mono_ms());
	}
	free(value);
	json_decref(data);
}

/* Nobody to push: calls that wait for it need not. */
static void on_asked(void *arg, int err, uint64_t number)
{
	struct waking *waking = arg;

	(void)number;
	if (err || !waking->found)
		home_awake(waking->home, waking->uri);
	free(waking);
}

int home_wake(struct home *home, const char *uri)
{
	const char *account = home_account_of(home, slice_str(uri));
	size_t n = strlen(uri) + 1;
	struct waking *waking;
	int err;

	if (!worker_setup(home->worker)->push || !account)
		return -ENOTSUP;
	/* Another device that is there cannot take his messages. */
	if (user_primary(home_find_user(home, slice_str(uri))))
		return -EISCONN;
	waking = calloc(1, sizeof(*waking) + n);
	if (!waking)
		return -ENOMEM;
	waking->home = home;
	memcpy(waking->uri, uri, n);
	err = store_read_field(worker_store(home->worker), "push-token", account, uri, on_token,
			       on_asked, waking);
	if (err)
		free(waking);
	return err;
}

void home_wake_for_message(struct home *home, const char *uri)
{
	/* Messages in a row need one push: the device that wakes up fetches all. Its result does
	 * not matter: the message is stored. */
	if (!home->pushed || !recent_has(home->pushed, uri, clock_mono_ms()))
		home_wake(home, uri);
}

/* A token is forgotten unless the client has stored it anew since it was gone. */
struct forgetting {
	struct home *home;
	int64_t when_s;
};

static void on_gone_token(void *arg, const char *what, const char *account, const char *uri,
			  const char *text)
{
	const struct forgetting *forgetting = arg;
	json_t *data = client_data_parse(text, clock_wall_s());

	/* By "saved", our own clock's time: the service tells since when a token was gone, and
	 * one stored later is another. */
	if (data && json_integer_value(json_object_get(data, "saved")) <= forgetting->when_s)
		store_set_field(worker_store(forgetting->home->worker), what, account, uri, "",
				NULL, NULL);
	json_decref(data);
}

static void on_looked(void *arg, int err, uint64_t number)
{
	(void)err;
	(void)number;
	free(arg);
}

void home_push_gone(struct home *home, const char *account, const char *uri, int64_t when_ms)
{
	struct forgetting *forgetting = malloc(sizeof(*forgetting));

	if (!forgetting)
		return;
	*forgetting = (struct forgetting){ home, when_ms / 1000 };
	if (store_read_field(worker_store(home->worker), "push-token", account, uri, on_gone_token,
			     on_looked, forgetting))
		free(forgetting);
}
