// SPDX-License-Identifier: MIT
/*
 * What is known of a side is in one word: the events so far, counted, and flags. An attempt looks
 * at it before and after: if it changed meanwhile an event came, and the attempt said nothing. So
 * what need not wait takes no lock. Events are told under the lock, and who is to wait looks once
 * more under it: nobody waits for what has come.
 */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sched/context.h"
#include "sched/runtime.h"
#include "sched/task.h"

/* Flags of a side's readiness; the events are counted above them. */
#define DRAINED ((uint64_t)1)     /* the last attempt would have blocked, and no event came since */
#define EXCEPTIONAL ((uint64_t)2) /* there was urgent data, or is an end or an error to be read */
#define EVENT ((uint64_t)4)

static enum io_type type_of(int fd)
{
	struct stat info;
	int type, domain;

	/* A read of a Unix socket stops where descriptors or other credentials are passed. */
	if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof(type)}) &&
	    !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){sizeof(domain)}))
		return type == SOCK_STREAM && domain != AF_UNIX ? IO_STREAM : IO_SOCKET;
	return !fstat(fd, &info) && S_ISFIFO(info.st_mode) ? IO_PIPE : IO_OTHER;
}

int pollrt_io_open(struct pollrt_io **result, struct pollrt_runtime *rt, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct pollrt_io *io;
	int flags, err;

	rt = context_runtime(rt);
	if (!rt)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	io = calloc(1, sizeof(*io));
	if (!io)
		return -ENOMEM;
	if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK)) {
		err = -errno;
		goto free_io;
	}
	pthread_mutex_init(&io->lock, NULL);
	io->fd = fd;
	io->type = type_of(fd);
	io->rt = rt;
	for (unsigned int i = 0; i < IO_DIRECTIONS; i++)
		io->sides[i].io = io;
	event.data.ptr = io;
	if (epoll_ctl(rt->driver.epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		err = -errno;
		goto restore;
	}
	runtime_ref(rt);
	*result = io;
	return 0;

restore:
	/* Who shares the open file, as a shell its terminal, would have to live with it. */
	if (!(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags);
	pthread_mutex_destroy(&io->lock);
free_io:
	free(io);
	return err;
}

int io_adopt(struct pollrt_io **io, struct pollrt_runtime *rt, int fd)
{
	int err;

	if (fd < 0)
		return fd;
	err = pollrt_io_open(io, rt, fd);
	if (err)
		close(fd);
	return err;
}

int io_adopt_pair(struct pollrt_io **a, struct pollrt_io **b, struct pollrt_runtime *rt,
		  const int fds[2])
{
	int err;

	err = io_adopt(a, rt, fds[0]);
	if (err) {
		close(fds[1]);
		return err;
	}
	err = io_adopt(b, rt, fds[1]);
	if (err)
		pollrt_io_close(*a);
	return err;
}

/* Takes the waiter of a side that is ready; its reference goes to the caller. Under the lock. */
static struct pollrt_task *side_ready(struct io_side *side)
{
	uint64_t word = atomic_load_explicit(&side->readiness, memory_order_relaxed);
	struct pollrt_task *waiter = side->waiter;

	/* Pairs with the load in io_attempt(). */
	while (!atomic_compare_exchange_weak_explicit(&side->readiness, &word,
						      (word & ~DRAINED) + EVENT,
						      memory_order_release, memory_order_relaxed))
		;
	side->waiter = NULL;
	return waiter;
}

static void wake_waiter(struct pollrt_task *waiter)
{
	if (!waiter)
		return;
	task_wake(waiter);
	task_unref(waiter);
}

void io_ready(struct pollrt_io *io, uint32_t events)
{
	struct pollrt_task *reader = NULL, *writer = NULL;

	pthread_mutex_lock(&io->lock);
	if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		atomic_fetch_or_explicit(&io->sides[IO_READ].readiness, EXCEPTIONAL,
					 memory_order_relaxed);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		reader = side_ready(&io->sides[IO_READ]);
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		writer = side_ready(&io->sides[IO_WRITE]);
	pthread_mutex_unlock(&io->lock);
	wake_waiter(reader);
	wake_waiter(writer);
}

/* Acquires what side_leave() and side_drop() release: the cleanup may be linked anew. */
static struct pollrt_task *scoped_task(const struct io_side *side)
{
	return atomic_load_explicit(&side->scoped, memory_order_acquire);
}

static void set_scoped(struct io_side *side, struct pollrt_task *task)
{
	atomic_store_explicit(&side->scoped, task, memory_order_release);
}

static bool is_scoped(const struct pollrt_io *io)
{
	return scoped_task(&io->sides[IO_READ]) || scoped_task(&io->sides[IO_WRITE]);
}

static void io_free(struct pollrt_io *io)
{
	runtime_unref(io->rt);
	pthread_mutex_destroy(&io->lock);
	free(io);
}

static void io_release(struct pollrt_io *io)
{
	bool scoped;

	pthread_mutex_lock(&io->lock);
	io->released = true;
	scoped = is_scoped(io);
	pthread_mutex_unlock(&io->lock);
	if (!scoped)
		io_free(io);
}

void io_release_list(struct pollrt_io *io)
{
	while (io) {
		struct pollrt_io *next = io->next;

		io_release(io);
		io = next;
	}
}

/* The scope ends: what waited in it was dropped, perhaps after an event that woke it. */
static void side_drop(struct pollrt_cleanup *cleanup)
{
	struct io_side *side = POLLRT_CONTAINER_OF(cleanup, struct io_side, cleanup);
	struct pollrt_task *waiter = NULL;
	struct pollrt_io *io = side->io;
	bool last;

	pthread_mutex_lock(&io->lock);
	if (side->waiter == scoped_task(side)) {
		waiter = side->waiter;
		side->waiter = NULL;
	}
	set_scoped(side, NULL);
	last = io->released && !is_scoped(io);
	pthread_mutex_unlock(&io->lock);
	if (waiter)
		task_unref(waiter);
	if (last)
		io_free(io);
}

/* Takes it out of the scope, if that is one of @task, which this thread polls. */
static void side_leave(struct io_side *side, const struct pollrt_task *task)
{
	if (scoped_task(side) != task)
		return;
	pollrt_undefer(&side->cleanup);
	set_scoped(side, NULL);
}

/* Whoever waits will not touch it again. Returns who did, or NULL. Under the lock. */
static struct pollrt_task *side_close(struct io_side *side)
{
	struct pollrt_task *waiter = side->waiter, *scoped = scoped_task(side);

	side->waiter = NULL;
	if (scoped && context_polls(scoped))
		side_leave(side, scoped);
	return waiter;
}

void pollrt_io_close(struct pollrt_io *io)
{
	struct pollrt_task *reader, *writer;

	if (!io)
		return;
	epoll_ctl(io->rt->driver.epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	close(io->fd);
	/* An event under way finds nobody to wake. */
	pthread_mutex_lock(&io->lock);
	reader = side_close(&io->sides[IO_READ]);
	writer = side_close(&io->sides[IO_WRITE]);
	pthread_mutex_unlock(&io->lock);
	if (reader)
		task_unref(reader);
	if (writer)
		task_unref(writer);
	driver_release(&io->rt->driver, io);
}

int pollrt_io_fd(const struct pollrt_io *io)
{
	return io->fd;
}

/* Under the lock. The waiter that is replaced, if any, is the caller's to drop. */
static struct pollrt_task *side_wait(struct io_side *side, struct pollrt_cx *cx)
{
	struct pollrt_task *old = side->waiter;

	side_leave(side, cx->task);
	/* Another task's, which should not wait too, is not this thread's to take out. */
	if (!scoped_task(side)) {
		pollrt_defer(cx, &side->cleanup, side_drop);
		set_scoped(side, cx->task);
	}
	if (old == cx->task)
		return NULL;
	task_ref(cx->task);
	side->waiter = cx->task;
	return old;
}

/*
 * Has @cx's task woken by the next event. False: there was one since the side's readiness was
 * @seen, try again.
 */
static bool io_wait(struct io_side *side, struct pollrt_cx *cx, uint64_t seen)
{
	pthread_mutex_t *lock = &side->io->lock;
	struct pollrt_task *old = NULL;
	bool wait;

	pthread_mutex_lock(lock);
	wait = atomic_compare_exchange_strong_explicit(&side->readiness, &seen, seen | DRAINED,
						       memory_order_relaxed, memory_order_relaxed);
	if (wait)
		old = side_wait(side, cx);
	pthread_mutex_unlock(lock);
	if (old)
		task_unref(old);
	if (wait)
		context_waits(cx);
	return wait;
}

/* The next attempt would block, unless an event came since or there is what has none of its own. */
static void side_drain(struct io_side *side, uint64_t seen)
{
	if (!(seen & EXCEPTIONAL))
		atomic_compare_exchange_strong_explicit(&side->readiness, &seen, seen | DRAINED,
							memory_order_relaxed, memory_order_relaxed);
}

enum pollrt_poll io_attempt(struct pollrt_io *io, enum io_direction direction,
			    ssize_t (*attempt)(struct pollrt_io *io, void *argument, bool *drained),
			    void *argument, ssize_t *result, struct pollrt_cx *cx)
{
	struct io_side *side = &io->sides[direction];
	bool drained = false;
	uint64_t seen;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	do {
		/* Pairs with the release in side_ready(). */
		seen = atomic_load_explicit(&side->readiness, memory_order_acquire);
		if (seen & DRAINED)
			continue; /* to the wait */
		side_leave(side, cx->task);
		do {
			*result = attempt(io, argument, &drained);
		} while (*result == -EINTR);
		if (*result != -EAGAIN) {
			if (drained)
				side_drain(side, seen);
			context_budget_spend();
			return POLLRT_READY;
		}
	} while (!io_wait(side, cx, seen));
	return POLLRT_PENDING;
}
