#include "umsg/ring_updater.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "umsg/client_ring.h"

/* What the thread works on.  It has everything of its own but the curves, which never change
 * (keys/curves.h); nobody else touches it until the thread is joined. */
struct work {
	struct key_ring from; /* curves and path only: the ring in use may be replaced meanwhile */
	int64_t month, now_s;
	uint32_t revision;
	uint8_t *entry, *shared;
	size_t entry_n, shared_n;
	int finished_fd; /* the updater's */
	/* What became of it */
	int err;
	struct key_ring *ring;
	struct diag *diag;
};

struct ring_updater {
	struct key_ring **ringp;
	struct umsg_client **clientp;
	int finished_fd; /* an eventfd: the thread is at its end */
	struct event *finished;
	struct work *work; /* NULL: nothing in hand */
	pthread_t thread;
	bool joined; /* the thread is gone, the loop does not know yet */
};

/* ---- in the thread ---- */

static void *run(void *arg)
{
	struct work *work = arg;
	const uint64_t one = 1;

	work->err = key_ring_update(
		&work->from, work->month, work->revision, slice_of(work->entry, work->entry_n),
		slice_of(work->shared, work->shared_n), work->now_s, &work->ring, work->diag);
	/* An eventfd takes 8 octets at once, or is broken: then the owner waits at the end. */
	if (write(work->finished_fd, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

/* ---- work ---- */

static void work_free(struct work **workp)
{
	struct work *work = *workp;

	*workp = NULL;
	if (!work)
		return;
	key_ring_close(&work->ring);
	diag_free(&work->diag);
	free(work->from.path);
	free(work->entry);
	free(work->shared);
	free(work);
}

/* A copy that is there even where it is empty. */
static uint8_t *copy(struct slice octets)
{
	uint8_t *made = malloc(octets.n + 1);

	if (made && octets.n)
		memcpy(made, octets.p, octets.n);
	return made;
}

static struct work *work_new(const struct key_ring *ring, struct slice entry, struct slice shared)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->from.curves = ring->curves;
	work->from.path = strdup(ring->path);
	work->entry = copy(entry);
	work->entry_n = entry.n;
	work->shared = copy(shared);
	work->shared_n = shared.n;
	work->diag = diag_new();
	if (!work->from.path || !work->entry || !work->shared || !work->diag)
		work_free(&work);
	return work;
}

/* The thread leaves signals to the loop's one. */
static int start_thread(struct ring_updater *updater, struct work *work)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&updater->thread, NULL, run, work);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* Afterwards what the thread made is ours. */
static void join(struct ring_updater *updater)
{
	if (!updater->work || updater->joined)
		return;
	pthread_join(updater->thread, NULL);
	updater->joined = true;
}

/* ---- in the loop ---- */

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct ring_updater *updater = arg;
	struct work *work = updater->work;
	uint64_t times;
	bool applied;

	(void)what;
	if (read(fd, &times, sizeof(times)) < 0 || !work)
		return;
	join(updater);
	updater->work = NULL;
	applied = client_ring_updated(updater->ringp, *updater->clientp, work->month,
				      work->revision, work->err, work->ring, work->diag);
	work->ring = NULL; /* in use, or there was none */
	work_free(&work);
	if (*updater->clientp) /* last: it may ask for the next one */
		umsg_client_update_done(*updater->clientp, applied);
}

enum umsg_update_outcome ring_updater_update(struct ring_updater *updater, int64_t month,
					     uint32_t revision, struct slice entry,
					     struct slice shared)
{
	struct work *work;

	if (updater->work)
		return UMSG_UPDATE_REFUSED;
	work = work_new(*updater->ringp, entry, shared);
	if (!work)
		return UMSG_UPDATE_REFUSED;
	work->month = month;
	work->revision = revision;
	work->now_s = clock_wall_s();
	work->finished_fd = updater->finished_fd;
	updater->joined = false;
	if (start_thread(updater, work)) {
		work_free(&work);
		return UMSG_UPDATE_REFUSED;
	}
	updater->work = work;
	return UMSG_UPDATE_LATER;
}

void ring_updater_accepted(struct ring_updater *updater, const char *address, const char *identity)
{
	if (!updater->work)
		client_ring_accepted(updater->ringp, *updater->clientp, address, identity);
}

void ring_updater_met(struct ring_updater *updater, const char *uri, const uint8_t *domain_id)
{
	join(updater);
	client_ring_met(*updater->ringp, uri, domain_id);
	/* The ring that is to come was read before the pin was written. */
	if (updater->work && updater->work->ring)
		keystore_pin(updater->work->ring->store, slice_str(uri), domain_id);
}

/* ---- life ---- */

int ring_updater_new(struct event_base *base, struct key_ring **ringp, struct umsg_client **clientp,
		     struct ring_updater **updater_out)
{
	struct ring_updater *updater = calloc(1, sizeof(*updater));

	if (!updater)
		return -ENOMEM;
	updater->ringp = ringp;
	updater->clientp = clientp;
	updater->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (updater->finished_fd >= 0)
		updater->finished = event_new(base, updater->finished_fd, EV_READ | EV_PERSIST,
					      on_finished, updater);
	if (!updater->finished || event_add(updater->finished, NULL) < 0) {
		ring_updater_free(&updater);
		return -ENOMEM;
	}
	*updater_out = updater;
	return 0;
}

void ring_updater_free(struct ring_updater **updaterp)
{
	struct ring_updater *updater = *updaterp;

	*updaterp = NULL;
	if (!updater)
		return;
	join(updater);
	work_free(&updater->work);
	if (updater->finished)
		event_free(updater->finished);
	if (updater->finished_fd >= 0)
		close(updater->finished_fd);
	free(updater);
}
