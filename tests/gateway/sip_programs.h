/* sip_programs.h - other people's SIP programs as peers, started and ended. */
#ifndef TESTS_GATEWAY_SIP_PROGRAMS_H
#define TESTS_GATEWAY_SIP_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a program of the system lies, or NULL: then the test is to be skipped. */
const char *program_path(const char *name);

/* A directory for one test's files, removed by program_remove_dir(). */
void program_make_dir(char out[64]);
void program_remove_dir(const char *dir);

/* Different ports (at most 8) that are free for UDP and TCP on 127.0.0.1. */
void program_free_ports(unsigned *out, size_t n);
unsigned program_free_port(void);

/* Where the sources lie. */
const char *program_source_dir(void);

/* Starts argv with its output in dir/log.  Ended with this process. */
pid_t program_start(const char *const *argv, const char *dir);

/* Waits up to 10 s; the exit status, or -1 (killed) with its log printed. */
int program_wait(pid_t pid, const char *dir);

/* SIGTERM, then waits. */
void program_end(pid_t pid);

/* Waits up to 10 s until something listens on 127.0.0.1: a connected socket, or
 * -1 with the log printed when the program ended before. */
int program_connect(pid_t pid, unsigned port, const char *dir);

/* Waits up to 10 s until something is bound to the UDP port. */
bool program_await_udp(pid_t pid, unsigned port, const char *dir);

#endif
