/* service.c - tells systemd that our event loop turns. */
#include "base/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

enum { US_A_S = 1000000 };

struct service_watch {
	int fd;
	struct sockaddr_un to;
	socklen_t to_n;
	struct event *timer;
};

/* A whole number above none, or -EINVAL. */
static int read_number(const char *text, long long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno || *end || *out <= 0 ? -EINVAL : 0;
}

/* A path, or a name behind '@', which stands for the NUL of the abstract name space. */
static int read_address(const char *text, struct service_watch *watch)
{
	size_t n = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof(watch->to.sun_path))
		return -EINVAL;
	watch->to.sun_family = AF_UNIX;
	memcpy(watch->to.sun_path, text, n);
	if (text[0] == '@')
		watch->to.sun_path[0] = '\0';
	watch->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return 0;
}

/* How long the manager waits for a sign, in microseconds; 0: it does not wait for ours. */
static long long wanted_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long us_value, pid_value;

	/* Children inherit the environment, and are not meant. */
	if (pid && (read_number(pid, &pid_value) || pid_value != getpid()))
		return 0;
	return us && read_number(us, &us_value) == 0 ? us_value : 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const char sign[] = "WATCHDOG=1";
	const struct service_watch *watch = arg;

	(void)fd;
	(void)what;
	/* One that is lost is made good by the next; a manager that does not read holds us up for
	 * nothing. */
	(void)!sendto(watch->fd, sign, sizeof(sign) - 1, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&watch->to, watch->to_n);
}

struct service_watch *service_watch_new(struct event_base *base)
{
	const char *socket_name = getenv("NOTIFY_SOCKET");
	long long us = wanted_us() / SERVICE_SIGNS;
	struct timeval each = { .tv_sec = (time_t)(us / US_A_S),
				.tv_usec = (suseconds_t)(us % US_A_S) };
	struct service_watch *watch = socket_name && us > 0 ? calloc(1, sizeof(*watch)) : NULL;

	if (!watch)
		return NULL;
	watch->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	watch->timer = event_new(base, -1, EV_PERSIST, on_timer, watch);
	if (read_address(socket_name, watch) || watch->fd < 0 || !watch->timer ||
	    event_add(watch->timer, &each)) {
		service_watch_free(&watch);
		return NULL;
	}
	on_timer(-1, EV_TIMEOUT, watch);
	return watch;
}

void service_watch_free(struct service_watch **watchp)
{
	struct service_watch *watch = *watchp;

	if (!watch)
		return;
	*watchp = NULL;
	if (watch->timer)
		event_free(watch->timer);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
