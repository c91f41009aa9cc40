// SPDX-License-Identifier: MIT
/*
 * A handler and a list of who listens, for the whole process, as its signal dispositions are: the
 * one place where the runtime has mutable globals. Each listener is told by an eventfd of its own.
 *
 * The handler may run at any time on any thread, so it takes no lock: it goes through the list
 * while counted in `handlers`. Who takes a listener off the list waits until none runs before it
 * closes the eventfd: a handler that begins later does not find the listener any more. (All
 * accesses that this needs are sequentially consistent: either the handler sees that the listener
 * is gone, or the remover sees the handler.)
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/io.h"

struct pollrt_signal {
	struct pollrt_io *io;
	int signum;
	pid_t pid;
	struct pollrt_signal *_Atomic next;
};

static struct {
	pthread_mutex_t lock; /**< of changes to the list and of dispositions */
	struct pollrt_signal *_Atomic first;
	_Atomic unsigned int handlers;
	struct sigaction old[NSIG]; /**< what was set before the first listener */
} signals = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void handle(int signum)
{
	struct pollrt_signal *signal;
	uint64_t one = 1;
	int err = errno;
	ssize_t n;

	atomic_fetch_add(&signals.handlers, 1);
	for (signal = atomic_load(&signals.first); signal; signal = atomic_load(&signal->next)) {
		/* A child process shares its parent's eventfds. */
		if (signal->signum != signum || signal->pid != getpid())
			continue;
		/* Cannot fail but by overflow, and then there is something to read. */
		n = write(signal->io->fd, &one, sizeof(one));
		(void)n;
	}
	atomic_fetch_sub(&signals.handlers, 1);
	errno = err;
}

/* Under the lock. */
static bool is_listened_for(int signum)
{
	struct pollrt_signal *signal;

	for (signal = atomic_load(&signals.first); signal; signal = atomic_load(&signal->next)) {
		if (signal->signum == signum)
			return true;
	}
	return false;
}

static int check(int signum)
{
	switch (signum) {
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
	case SIGSYS:
	case SIGKILL:
	case SIGSTOP:
		return -EINVAL;
	default:
		return signum > 0 && signum < NSIG ? 0 : -EINVAL;
	}
}

/* Takes it off the list. Under the lock. */
static void unlink_signal(struct pollrt_signal *signal)
{
	struct pollrt_signal *_Atomic *link = &signals.first;

	while (atomic_load(link) != signal)
		link = &atomic_load(link)->next;
	atomic_store(link, atomic_load(&signal->next));
}

/* Waits for handlers that may have found what was taken off the list. */
static void wait_handlers(void)
{
	while (atomic_load(&signals.handlers))
		sched_yield();
}

static int listen_for(struct pollrt_signal *signal)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	bool first;
	int err = 0;

	sigfillset(&action.sa_mask);
	pthread_mutex_lock(&signals.lock);
	first = !is_listened_for(signal->signum);
	/* Before the handler is set, so that the first signal finds it. */
	atomic_store(&signal->next, atomic_load(&signals.first));
	atomic_store(&signals.first, signal);
	if (first && sigaction(signal->signum, &action, &signals.old[signal->signum])) {
		err = -errno;
		unlink_signal(signal);
	}
	pthread_mutex_unlock(&signals.lock);
	if (err)
		wait_handlers();
	return err;
}

int pollrt_signal_open(struct pollrt_signal **result, struct pollrt_runtime *rt, int signum)
{
	struct pollrt_signal *signal;
	int fd, err;

	err = check(signum);
	if (err)
		return err;
	signal = calloc(1, sizeof(*signal));
	if (!signal)
		return -ENOMEM;
	signal->signum = signum;
	signal->pid = getpid();
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = io_adopt(&signal->io, rt, fd < 0 ? -errno : fd);
	if (err)
		goto free_signal;
	err = listen_for(signal);
	if (err)
		goto close_io;
	*result = signal;
	return 0;

close_io:
	pollrt_io_close(signal->io);
free_signal:
	free(signal);
	return err;
}

void pollrt_signal_close(struct pollrt_signal *signal)
{
	if (!signal)
		return;
	pthread_mutex_lock(&signals.lock);
	unlink_signal(signal);
	if (!is_listened_for(signal->signum))
		sigaction(signal->signum, &signals.old[signal->signum], NULL);
	pthread_mutex_unlock(&signals.lock);
	wait_handlers();
	pollrt_io_close(signal->io);
	free(signal);
}

enum pollrt_poll pollrt_signal_wait(struct pollrt_signal *signal, int *status, struct pollrt_cx *cx)
{
	uint64_t count;
	ssize_t n;

	if (pollrt_read(signal->io, &count, sizeof(count), &n, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	*status = n < 0 ? (int)n : 0;
	return POLLRT_READY;
}
