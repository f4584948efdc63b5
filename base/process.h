/* process.h - children that never outlive their parent. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process_spec {
	const char *const *argv; /* argv[0] is the path; NULL at the end */
	int pass_fd;             /* becomes descriptor 3 in the child, or -1 */
	int output_fd;           /* becomes standard output and error, or -1: inherited */
	bool own_group;          /* leads a process group, which can be signalled as a whole */
	bool plain;              /* gets no environment but PATH */
};

/* Starts the child with PR_SET_PDEATHSIG (SIGKILL), the parent checked after
 * it, default signal dispositions and no other descriptor than 0 to 3.
 * Returns its pid or -errno (a program that cannot be executed exits 127). */
pid_t process_spawn(const struct process_spec *spec);

/* The path of a program of ours that lies beside the running one (a build tree)
 * or in libexecdir, written to out.  Returns 0 or -ENOENT. */
int process_find(const char *name, char *out, size_t outsz);

#endif
