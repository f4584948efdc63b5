#include "tests/bench/bearerbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/bench/bench.h"

static const char program[] = "/usr/sbin/bearerbox";

enum {
	AHEAD = 500,   /* texts that it has and the center has not answered */
	PATIENCE = 30, /* seconds without any answer */
	/* Of gw/msg-decl.h of Kannel 1.4: types, a command, a kind of text. */
	MSG_ADMIN = 1,
	MSG_SMS = 2,
	ADMIN_IDENTIFY = 3,
	SMS_PUSH = 2,
};

bool bearerbox_is_there(void)
{
	return access(program, X_OK) == 0;
}

/* ---- its process ------------------------------------------------------------------------- */

struct box {
	char dir[64];
	pid_t pid;
	uint16_t port; /* for smsbox */
	int fd;        /* as its smsbox */
};

static uint16_t free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bench_must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			   getsockname(fd, (struct sockaddr *)&addr, &n) == 0,
		   "a free port");
	close(fd);
	return ntohs(addr.sin_port);
}

static void configure(struct box *box, const struct bearerbox_load *load, char path[96])
{
	FILE *file;

	snprintf(box->dir, sizeof(box->dir), "/tmp/bench-kannel.XXXXXX");
	bench_must(mkdtemp(box->dir) != NULL, "mkdtemp");
	snprintf(path, 96, "%s/kannel.conf", box->dir);
	box->port = free_port();
	file = fopen(path, "w");
	bench_must(file != NULL, path);
	fprintf(file,
		"group = core\nadmin-port = %u\nadmin-password = bench\n"
		"admin-interface = 127.0.0.1\nsmsbox-port = %u\nsmsbox-interface = 127.0.0.1\n"
		"log-level = 4\nbox-allow-ip = \"127.0.0.1\"\ndlr-storage = "
		"internal\nsms-resend-freq = 1\n\n"
		"group = smsc\nsmsc = smpp\nsmsc-id = bench\nhost = 127.0.0.1\nport = %u\n"
		"smsc-username = u\nsmsc-password = p\nsystem-type = VMA\n"
		"transceiver-mode = true\nmax-pending-submits = %u\n\n"
		/* It does not start without, though nobody listens there. */
		"group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = 1\n\n",
		free_port(), box->port, load->smsc_port, load->window);
	bench_must(fclose(file) == 0, path);
}

static void start(struct box *box, const char *path)
{
	box->pid = fork();
	bench_must(box->pid >= 0, "fork");
	if (box->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
		execl(program, program, "-v", "4", path, (char *)NULL);
	_exit(127);
}

static void connect_to(struct box *box)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr = { htonl(INADDR_LOOPBACK) },
				    .sin_port = htons(box->port) };
	double end = bench_seconds(CLOCK_MONOTONIC) + PATIENCE;

	for (;;) {
		box->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(box->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return;
		close(box->fd);
		bench_must(waitpid(box->pid, NULL, WNOHANG) == 0 &&
				   bench_seconds(CLOCK_MONOTONIC) < end,
			   "bearerbox");
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
}

static void stop(struct box *box)
{
	char command[96];

	close(box->fd);
	kill(box->pid, SIGKILL);
	waitpid(box->pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", box->dir);
	bench_must(system(command) == 0, "removing its files");
}

/* ---- what smsbox says --------------------------------------------------------------------- */

static void put_text(struct buf *b, const char *text)
{
	buf_put_u32(b, (uint32_t)strlen(text));
	buf_put_str(b, text);
}

/* Numbers that are not set, and texts that are not there, are -1. */
static void put_unset(struct buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_put_u32(b, UINT32_MAX);
}

static void put_sms(struct buf *b, const char *text, unsigned number)
{
	char id[37];

	snprintf(id, sizeof(id), "%08x-0000-4000-8000-000000000000", number);
	buf_put_u32(b, MSG_SMS);
	put_text(b, "46701234567");
	put_text(b, "46761234567");
	put_unset(b, 1); /* user data header */
	put_text(b, text);
	buf_put_u32(b, (uint32_t)time(NULL));
	put_unset(b, 5); /* smsc_id to account */
	put_text(b, id);
	buf_put_u32(b, SMS_PUSH);
	put_unset(b, 2);   /* mclass, mwi */
	buf_put_u32(b, 0); /* coding: 7 bits */
	put_unset(b, 3);   /* compress, validity, deferred */
	buf_put_u32(b, 0); /* no receipt */
	put_unset(b, 4);   /* dlr_url to rpi */
	put_text(b, "UTF-8");
	put_unset(b, 7); /* boxc_id to meta_data */
}

/* A message with its length before it. */
static void send_message(const struct box *box, const struct buf *message)
{
	const uint32_t head = htonl((uint32_t)message->len);

	bench_must(buf_ok(message) &&
			   send(box->fd, &head, sizeof(head), MSG_MORE) == (ssize_t)sizeof(head) &&
			   send(box->fd, message->p, message->len, 0) == (ssize_t)message->len,
		   "sending to bearerbox");
}

static void identify(const struct box *box)
{
	uint8_t room[32];
	struct buf b = BUF_OF(room);

	buf_put_u32(&b, MSG_ADMIN);
	buf_put_u32(&b, ADMIN_IDENTIFY);
	put_unset(&b, 1);
	send_message(box, &b);
}

/* Its acknowledgements say that it has a text, which is not what is measured. */
static void pass_over(const struct box *box)
{
	static uint8_t room[65536];

	while (recv(box->fd, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}

static double cpu_seconds(pid_t pid)
{
	clockid_t clock;

	bench_must(clock_getcpuclockid(pid, &clock) == 0, "its clock");
	return bench_seconds(clock);
}

/* Until so many more are answered than there were at first. */
static void feed(const struct box *box, const struct bearerbox_load *load, unsigned begin)
{
	unsigned before = atomic_load(load->answered), sent = 0, seen = 0;
	double end = bench_seconds(CLOCK_MONOTONIC) + PATIENCE;
	uint8_t room[1024];

	while (seen < load->texts) {
		unsigned now = atomic_load(load->answered) - before;

		if (now != seen)
			end = bench_seconds(CLOCK_MONOTONIC) + PATIENCE;
		seen = now;
		bench_must(bench_seconds(CLOCK_MONOTONIC) < end, "bearerbox sends nothing");
		if (sent < load->texts && sent - seen < AHEAD) {
			struct buf b = BUF_OF(room);

			put_sms(&b, load->text, begin + sent++);
			send_message(box, &b);
		} else {
			pass_over(box);
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		}
	}
}

double bearerbox_submits(const struct bearerbox_load *load)
{
	double *rounds = calloc(load->rounds, sizeof(*rounds)), median;
	struct box box;
	char path[96];

	bench_must(rounds != NULL, "memory");
	configure(&box, load, path);
	start(&box, path);
	connect_to(&box);
	identify(&box);
	/* The first one waits for the bind, a second each time, and does not count. */
	feed(&box, &(struct bearerbox_load){ .answered = load->answered, .texts = 1, .text = "x" },
	     0);
	for (unsigned i = 0; i < load->rounds; i++) {
		double begin = cpu_seconds(box.pid);

		feed(&box, load, 1 + i * load->texts);
		rounds[i] = (cpu_seconds(box.pid) - begin) * 1e6 / load->texts;
	}
	median = bench_median(rounds, load->rounds);
	stop(&box);
	free(rounds);
	return median;
}
