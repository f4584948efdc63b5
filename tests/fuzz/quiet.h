/* quiet.h - log lines of a fuzz target are made, and thrown away. */
#ifndef TESTS_FUZZ_QUIET_H
#define TESTS_FUZZ_QUIET_H

#include <stdbool.h>

#include "base/log.h"

static inline void quiet(void)
{
	static bool done; /* the log is the process's, too */

	if (!done)
		log_open(LOG_STYLE_CIG, "/dev/null", NULL);
	log_set_verbose(1);
	done = true;
}

#endif
