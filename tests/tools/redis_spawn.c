#include "tests/tools/redis_spawn.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/process.h"

pid_t redis_spawn(const char *dir, const char *socket, const char *max_octets)
{
	const char *argv[] = {
		"/usr/bin/env",
		"redis-server",
		"--port",
		"0",
		"--unixsocket",
		socket,
		"--dir",
		dir,
		"--save",
		"",
		"--appendonly",
		"yes",
		"--appendfsync",
		"always",
		"--maxmemory",
		max_octets,
		NULL,
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = process_spawn(
		&(struct process_spec){ .argv = argv, .pass_fd = -1, .output_fd = null });

	close(null);
	return pid;
}
