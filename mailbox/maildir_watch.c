/* Watching a mailbox: inotify and a timer behind one descriptor. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mailbox/maildir_priv.h"

struct maildir_watch {
	char *path;
	int poll;    /* what the owner waits for: the two below */
	int inotify; /* -1 where the system has none to spare: the timer does */
	int timer;
};

/* A file counts when it is complete: moved in, or closed by one who wrote in place.  Some
 * link it to new and then delete it from tmp. */
static const struct {
	const char *folder;
	uint32_t events;
} folders[] = {
	{ "new", IN_MOVED_TO | IN_CLOSE_WRITE },
	{ "cur", IN_MOVED_TO | IN_CLOSE_WRITE },
	{ "tmp", IN_DELETE },
};

/* Watches the folders that are there now; repeating it changes nothing. */
static void add_folders(struct maildir_watch *watch)
{
	char path[PATH_MAX];

	for (size_t i = 0; watch->inotify >= 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", watch->path, folders[i].folder);

		if (n > 0 && (size_t)n < sizeof(path))
			inotify_add_watch(watch->inotify, path, folders[i].events | IN_ONLYDIR);
	}
}

static int poll_on(struct maildir_watch *watch, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(watch->poll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_all(struct maildir_watch *watch, unsigned rescan_s)
{
	/* 1 ns: the first tick comes at once. */
	struct itimerspec often = { .it_interval.tv_sec = rescan_s, .it_value.tv_nsec = 1 };
	int err;

	watch->poll = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* An inotify that is not there is no fault: the timer looks often enough. */
	if (watch->poll < 0 || watch->timer < 0 ||
	    timerfd_settime(watch->timer, 0, &often, NULL) < 0)
		return -errno;
	err = poll_on(watch, watch->timer);
	if (!err && watch->inotify >= 0)
		err = poll_on(watch, watch->inotify);
	return err;
}

int maildir_watch_new(struct maildir *maildir, unsigned rescan_s, struct maildir_watch **watch_out)
{
	struct maildir_watch *watch = malloc(sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	*watch = (struct maildir_watch){ .poll = -1, .inotify = -1, .timer = -1 };
	watch->path = strdup(maildir->path);
	err = watch->path ? open_all(watch, rescan_s ? rescan_s : 1) : -ENOMEM;
	if (err) {
		maildir_watch_free(&watch);
		return err;
	}
	add_folders(watch);
	*watch_out = watch;
	return 0;
}

void maildir_watch_free(struct maildir_watch **watchp)
{
	struct maildir_watch *watch = *watchp;

	if (!watch)
		return;
	*watchp = NULL;
	if (watch->poll >= 0)
		close(watch->poll);
	if (watch->inotify >= 0)
		close(watch->inotify);
	if (watch->timer >= 0)
		close(watch->timer);
	free(watch->path);
	free(watch);
}

int maildir_watch_fd(const struct maildir_watch *watch)
{
	return watch->poll;
}

void maildir_watch_drain(struct maildir_watch *watch)
{
	char events[4096] __attribute__((aligned(8)));
	uint64_t ticks;

	while (watch->inotify >= 0 && read(watch->inotify, events, sizeof(events)) > 0)
		; /* what happened matters not: the folders are listed */
	if (read(watch->timer, &ticks, sizeof(ticks)) == sizeof(ticks))
		add_folders(watch); /* they may have been made anew */
}
