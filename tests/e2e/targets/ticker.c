// SPDX-License-Identifier: MIT
/*
 * ticker [stuck|napping]: a program that goes on until it is told otherwise. A few tasks tick every
 * other millisecond; with `stuck` one more sleeps inside of its first poll, with `napping` inside
 * of each. Commands:
 *
 *	count		answers with the runtime's counters
 *	release		lets the stuck poll end
 *	exec		executes itself anew, in the same process
 *	load FILE	loads a library that has probes of its own, and runs what it does in a thread
 *	end		ends
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "library.h"
#include "metrics.h"

#define TICKING 4

struct ticking {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(ticking)
{
	POLLRT_BEGIN();
	for (;;)
		POLLRT_SLEEP(self->sleep, POLLRT_MS(2));
	POLLRT_END();
}

struct stuck {
	struct pollrt_async async;
	int fd;
};

static POLLRT_ASYNC(stuck)
{
	char byte;

	POLLRT_BEGIN();
	if (read(self->fd, &byte, 1) != 1)
		abort();
	POLLRT_END();
}

struct napping {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(napping)
{
	struct timespec nap = {.tv_nsec = 3000000};

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_SLEEP(self->sleep, POLLRT_MS(5));
		nanosleep(&nap, NULL);
	}
	POLLRT_END();
}

static void load(struct truth *truth, const char *path)
{
	if (library_start(path))
		truth_say(truth, "{}\n");
	else
		truth_say(truth, "{\"error\":\"%s\"}\n", dlerror());
}

static void count(struct truth *truth, const struct pollrt_runtime *rt, int pipe_fd)
{
	struct pollrt_metrics sum = {0};
	struct stat pipe = {0};

	fstat(pipe_fd, &pipe);
	truth_add(&sum, rt);
	truth_say(truth, "{");
	truth_say_metrics(truth, &sum);
	truth_say(truth, ",\"pipe\":%llu}\n", (unsigned long long)pipe.st_ino);
}

int main(int argc, char **argv)
{
	struct pollrt_config config = {.workers = 2};
	struct pollrt_runtime *rt;
	char line[TRUTH_LINE];
	struct truth truth;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) || pollrt_runtime_create(&rt, &config))
		return 1;
	for (int i = 0; i < TICKING; i++)
		if (pollrt_spawn(rt, NULL, ticking))
			return 1;
	if (argc > 1 && !strcmp(argv[1], "stuck") && pollrt_spawn(rt, NULL, stuck, .fd = fds[0]))
		return 1;
	if (argc > 1 && !strcmp(argv[1], "napping") && pollrt_spawn(rt, NULL, napping))
		return 1;
	truth_open(&truth);
	while (truth_command(&truth, line)) {
		if (!strcmp(line, "count"))
			count(&truth, rt, fds[0]);
		else if (!strcmp(line, "release"))
			truth_say(&truth, write(fds[1], "", 1) == 1 ? "{}\n" : "\n");
		else if (!strcmp(line, "exec"))
			execv("/proc/self/exe", argv);
		else if (!strncmp(line, "load ", 5))
			load(&truth, line + 5);
	}
	/* Its poll must end for the runtime to shut down. */
	if (write(fds[1], "", 1) != 1)
		return 1;
	pollrt_runtime_destroy(rt);
	return 0;
}
