// SPDX-License-Identifier: MIT
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sched/context.h"
#include "probes.h"
#include "sched/runtime.h"
#include "sched/task.h"

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

/* Takes the waiter of a side that is ready; its reference goes to the caller. */
static struct pollrt_task *side_ready(struct io_side *side)
{
	struct pollrt_task *waiter = side->waiter;

	side->events++;
	side->drained = false;
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
		io->exceptional = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		reader = side_ready(&io->sides[IO_READ]);
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		writer = side_ready(&io->sides[IO_WRITE]);
	pthread_mutex_unlock(&io->lock);
	wake_waiter(reader);
	wake_waiter(writer);
}

/* Under the lock. */
static bool is_scoped(const struct pollrt_io *io)
{
	return io->sides[IO_READ].scoped || io->sides[IO_WRITE].scoped;
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
	if (side->waiter == side->scoped) {
		waiter = side->waiter;
		side->waiter = NULL;
	}
	side->scoped = NULL;
	last = io->released && !is_scoped(io);
	pthread_mutex_unlock(&io->lock);
	if (waiter)
		task_unref(waiter);
	if (last)
		io_free(io);
}

/* Takes it out of the scope, if that is one of @task, which this thread polls. Under the lock. */
static void side_leave(struct io_side *side, const struct pollrt_task *task)
{
	if (side->scoped != task)
		return;
	pollrt_undefer(&side->cleanup);
	side->scoped = NULL;
}

/* Whoever waits will not touch it again. Returns who did, or NULL. Under the lock. */
static struct pollrt_task *side_close(struct io_side *side)
{
	struct pollrt_task *waiter = side->waiter;

	side->waiter = NULL;
	if (side->scoped && context_polls(side->scoped))
		side_leave(side, side->scoped);
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
	if (!side->scoped) {
		pollrt_defer(cx, &side->cleanup, side_drop);
		side->scoped = cx->task;
	}
	if (old == cx->task)
		return NULL;
	task_ref(cx->task);
	side->waiter = cx->task;
	return old;
}

/* Whether an attempt may succeed. If false, @cx's task will be woken when it may. */
static bool io_try(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
		   uint64_t *events)
{
	struct io_side *side = &io->sides[direction];
	struct pollrt_task *old = NULL;
	bool drained;

	pthread_mutex_lock(&io->lock);
	drained = side->drained;
	*events = side->events;
	if (drained)
		old = side_wait(side, cx);
	else
		side_leave(side, cx->task);
	pthread_mutex_unlock(&io->lock);
	if (old)
		task_unref(old);
	if (drained)
		probe_waker_clone(cx->task->id);
	return !drained;
}

/* The attempt would have blocked. False: an event came meanwhile, try again; else as io_try(). */
static bool io_wait(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
		    uint64_t events)
{
	struct io_side *side = &io->sides[direction];
	struct pollrt_task *old = NULL;
	bool wait;

	pthread_mutex_lock(&io->lock);
	wait = side->events == events;
	if (wait) {
		side->drained = true;
		old = side_wait(side, cx);
	}
	pthread_mutex_unlock(&io->lock);
	if (old)
		task_unref(old);
	if (wait)
		probe_waker_clone(cx->task->id);
	return wait;
}

/* The next attempt would block, unless an event came since or there is what has none of its own. */
static void io_drain(struct pollrt_io *io, enum io_direction direction, uint64_t events)
{
	struct io_side *side = &io->sides[direction];

	pthread_mutex_lock(&io->lock);
	if (side->events == events && !io->exceptional)
		side->drained = true;
	pthread_mutex_unlock(&io->lock);
}

enum pollrt_poll io_attempt(struct pollrt_io *io, enum io_direction direction,
			    ssize_t (*attempt)(struct pollrt_io *io, void *argument, bool *drained),
			    void *argument, ssize_t *result, struct pollrt_cx *cx)
{
	bool drained = false;
	uint64_t events;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	while (io_try(io, direction, cx, &events)) {
		*result = attempt(io, argument, &drained);
		if (*result == -EAGAIN) {
			if (io_wait(io, direction, cx, events))
				break;
		} else if (*result != -EINTR) {
			if (drained)
				io_drain(io, direction, events);
			context_budget_spend();
			return POLLRT_READY;
		}
	}
	return POLLRT_PENDING;
}
