// SPDX-License-Identifier: MIT
#include "io/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "io/io.h"

int pollrt_pipe(struct pollrt_io **reader, struct pollrt_io **writer, struct pollrt_runtime *rt)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	return io_adopt_pair(reader, writer, rt, fds);
}

/*
 * Unlike send(2), write(2) cannot be told to raise no signal, and what the process wants done with
 * SIGPIPE elsewhere is not ours to change. The signal of a write is its thread's own: it is held
 * back and, unless one was pending before, taken away.
 */
ssize_t pipe_write(int fd, const void *buffer, size_t size)
{
	sigset_t sigpipe, old, pending;
	ssize_t n;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, &old);
	sigpending(&pending);
	n = write(fd, buffer, size);
	if (n < 0)
		n = -errno;
	if (n == -EPIPE && !sigismember(&pending, SIGPIPE)) {
		while (sigtimedwait(&sigpipe, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n;
}
