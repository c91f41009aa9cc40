// SPDX-License-Identifier: MIT
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sched/context.h"
#include "io/pipe.h"
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

void pollrt_io_close(struct pollrt_io *io)
{
	if (!io)
		return;
	epoll_ctl(io->rt->driver.epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	close(io->fd);
	/* Whoever waited must not touch it again; an event under way finds nobody to wake. */
	pthread_mutex_lock(&io->lock);
	for (unsigned int i = 0; i < IO_DIRECTIONS; i++) {
		if (io->sides[i].waiter)
			task_unref(io->sides[i].waiter);
		io->sides[i].waiter = NULL;
	}
	pthread_mutex_unlock(&io->lock);
	driver_release(&io->rt->driver, io);
}

void io_free_list(struct pollrt_io *io)
{
	while (io) {
		struct pollrt_io *next = io->next;

		runtime_unref(io->rt);
		pthread_mutex_destroy(&io->lock);
		free(io);
		io = next;
	}
}

int pollrt_io_fd(const struct pollrt_io *io)
{
	return io->fd;
}

/* Under the lock. The waiter that is replaced, if any, is the caller's to drop. */
static struct pollrt_task *side_wait(struct io_side *side, struct pollrt_cx *cx)
{
	struct pollrt_task *old = side->waiter;

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

static ssize_t attempt_read(struct pollrt_io *io, void *argument, bool *drained)
{
	const struct iovec *to = argument;
	ssize_t n;

	/* Of a socket it is the shorter way through the kernel. */
	if (io->type == IO_STREAM || io->type == IO_SOCKET)
		n = recv(io->fd, to->iov_base, to->iov_len, 0);
	else
		n = read(io->fd, to->iov_base, to->iov_len);
	/* A stream that had less than was asked for has nothing left. */
	*drained = io->type == IO_STREAM && n > 0 && (size_t)n < to->iov_len;
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_read(struct pollrt_io *io, void *buffer, size_t size, ssize_t *n,
			     struct pollrt_cx *cx)
{
	struct iovec to = {.iov_base = buffer, .iov_len = size};

	return io_attempt(io, IO_READ, attempt_read, &to, n, cx);
}

/* A peer that is gone is an error of the write, not a signal. */
static ssize_t attempt_write(struct pollrt_io *io, void *argument, bool *drained)
{
	const struct iovec *from = argument;
	ssize_t n;

	(void)drained;
	if (io->type == IO_PIPE)
		return pipe_write(io->fd, from->iov_base, from->iov_len);
	if (io->type != IO_OTHER)
		n = send(io->fd, from->iov_base, from->iov_len, MSG_NOSIGNAL);
	else
		n = write(io->fd, from->iov_base, from->iov_len);
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_write(struct pollrt_io *io, const void *buffer, size_t size, ssize_t *n,
			      struct pollrt_cx *cx)
{
	struct iovec from = {.iov_base = (void *)buffer, .iov_len = size};

	return io_attempt(io, IO_WRITE, attempt_write, &from, n, cx);
}

enum pollrt_poll pollrt_write_all(struct pollrt_write_all *self, struct pollrt_cx *cx)
{
	ssize_t n;

	self->status = 0;
	while (self->done < self->size) {
		if (pollrt_write(self->io, (const char *)self->buffer + self->done,
				 self->size - self->done, &n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (n < 0) {
			self->status = (int)n;
			break;
		}
		self->done += (size_t)n;
	}
	return POLLRT_READY;
}
