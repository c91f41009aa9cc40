// SPDX-License-Identifier: MIT
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"
#include "probes.h"
#include "runtime.h"
#include "task.h"

int pollrt_io_open(struct pollrt_io **result, struct pollrt_runtime *rt, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct pollrt_io *io;
	int flags, type, err;

	rt = context_runtime(rt);
	if (!rt)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK)))
		return -errno;
	io = calloc(1, sizeof(*io));
	if (!io)
		return -ENOMEM;
	pthread_mutex_init(&io->lock, NULL);
	io->fd = fd;
	/* A peer that is gone is an error of the write, not a signal. */
	io->socket = !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof(type)});
	io->rt = rt;
	event.data.ptr = io;
	if (epoll_ctl(rt->driver.epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		err = -errno;
		free(io);
		return err;
	}
	runtime_ref(rt);
	*result = io;
	return 0;
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

bool io_try(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
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

bool io_wait(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
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

enum pollrt_poll pollrt_read(struct pollrt_io *io, void *buffer, size_t size, ssize_t *n,
			     struct pollrt_cx *cx)
{
	uint64_t events;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	while (io_try(io, IO_READ, cx, &events)) {
		*n = read(io->fd, buffer, size);
		if (*n >= 0 || (errno != EAGAIN && errno != EINTR)) {
			if (*n < 0)
				*n = -errno;
			context_budget_spend();
			return POLLRT_READY;
		}
		if (errno == EAGAIN && io_wait(io, IO_READ, cx, events))
			break;
	}
	return POLLRT_PENDING;
}

enum pollrt_poll pollrt_write(struct pollrt_io *io, const void *buffer, size_t size, ssize_t *n,
			      struct pollrt_cx *cx)
{
	uint64_t events;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	while (io_try(io, IO_WRITE, cx, &events)) {
		*n = io->socket ? send(io->fd, buffer, size, MSG_NOSIGNAL)
				: write(io->fd, buffer, size);
		if (*n >= 0 || (errno != EAGAIN && errno != EINTR)) {
			if (*n < 0)
				*n = -errno;
			context_budget_spend();
			return POLLRT_READY;
		}
		if (errno == EAGAIN && io_wait(io, IO_WRITE, cx, events))
			break;
	}
	return POLLRT_PENDING;
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
