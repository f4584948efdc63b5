/* bench_gateway.c - what a telephone's call costs the SIP side of the gateway.
 *
 * SIPp calls a real cig-sip, which is told to answer as cig-server would tell it, and
 * hangs up: INVITE, 200, ACK, BYE, one call behind the other over UDP.  The value is the
 * CPU time of cig-sip a call; the reference that of a SIPp that answers the same calls.
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_programs.h"

enum { CALLS = 400, ROUNDS = 5 };

struct bench {
	struct sip_driver *driver;
	pid_t agent;
	char dir[64];
};

/* The process that this one has started and that still runs. */
static pid_t only_child(void)
{
	char path[64];
	FILE *f;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	bench_must(f && fscanf(f, "%d", &pid) == 1, "finding cig-sip");
	fclose(f);
	return pid;
}

static double cpu_us_of(pid_t pid)
{
	clockid_t clock;

	bench_must(clock_getcpuclockid(pid, &clock) == 0, "clock_getcpuclockid");
	return bench_seconds(clock) * 1e6;
}

/* SIPp with a scenario of tests/gateway/sipp; remote: the port it calls, or 0. */
static pid_t sipp(const struct bench *b, const char *scenario, unsigned remote, unsigned local)
{
	char file[512], to[64], port[16], calls[16];
	const char *const argv[] = { program_path("sipp"),
				     to,
				     "-sf",
				     file,
				     "-s",
				     "+4670",
				     "-i",
				     "127.0.0.1",
				     "-p",
				     port,
				     "-mi",
				     "127.0.0.1",
				     "-m",
				     calls,
				     "-l",
				     "1",
				     "-r",
				     "1000",
				     "-t",
				     "u1",
				     "-nostdin",
				     "-timeout",
				     "60s",
				     "-timeout_error",
				     NULL };

	snprintf(file, sizeof(file), "%s/tests/gateway/sipp/%s", program_source_dir(), scenario);
	snprintf(to, sizeof(to), "127.0.0.1:%u", remote ? remote : local);
	snprintf(port, sizeof(port), "%u", local);
	/* One that answers stays until it is ended: its CPU time is read before. */
	snprintf(calls, sizeof(calls), "%d", remote ? CALLS : CALLS + 1);
	return program_start(argv, b->dir);
}

static double measure_agent(struct bench *b)
{
	pid_t caller = sipp(b, "uac.xml", sip_driver_port(b->driver), program_free_port());
	double us = cpu_us_of(b->agent);

	for (int i = 0; i < CALLS; i++) {
		const SipAgent__FromAgent *event =
			sip_driver_expect(b->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING);

		sip_driver_answer(b->driver, event->incoming->call);
		sip_driver_expect(b->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
		sip_driver_expect(b->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	}
	us = cpu_us_of(b->agent) - us;
	bench_must(program_wait(caller, b->dir) == 0, "SIPp's calls");
	return us / CALLS;
}

static double measure_sipp(struct bench *b)
{
	unsigned port = program_free_port();
	pid_t callee = sipp(b, "uas.xml", 0, port), caller;
	double us;

	bench_must(program_await_udp(callee, port, b->dir), "starting SIPp");
	us = cpu_us_of(callee);
	caller = sipp(b, "uac.xml", port, program_free_port());
	bench_must(program_wait(caller, b->dir) == 0, "SIPp's calls");
	us = cpu_us_of(callee) - us;
	program_end(callee);
	return us / CALLS;
}

int main(void)
{
	double agent[ROUNDS], reference[ROUNDS];
	struct bench b = { .driver = sip_driver_start(NULL) };

	b.agent = only_child();
	program_make_dir(b.dir);
	measure_agent(&b); /* warms up */
	for (int i = 0; i < ROUNDS; i++) {
		agent[i] = measure_agent(&b);
		reference[i] = measure_sipp(&b);
	}
	bench_print("gateway.sip", bench_median(agent, ROUNDS), "us",
		    bench_median(reference, ROUNDS));
	program_remove_dir(b.dir);
	sip_driver_stop(&b.driver);
	return 0;
}
