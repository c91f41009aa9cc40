// SPDX-License-Identifier: MIT
#include "io/driver.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/io.h"
#include "sched/task.h"

#define TICK_NS 1000000u
#define EVENTS 128
#define TIMER_BATCH 32
/* Closed descriptors that wait for the next turn before it is worth waking the driver for them. */
#define RELEASE_BATCH 16

enum { TIMER_STOPPED, TIMER_LINKED, TIMER_FIRED };

int driver_init(struct driver *driver)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int err;

	driver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (driver->epoll_fd < 0)
		return -errno;
	driver->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (driver->event_fd < 0) {
		err = -errno;
		goto close_epoll;
	}
	/* Edge-triggered and never read: each write is an edge. Its events carry no pollrt_io. */
	if (epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, driver->event_fd, &event)) {
		err = -errno;
		goto close_event;
	}
	atomic_init(&driver->locked, false);
	driver->start_ns = pollrt_now_ns();
	pthread_mutex_init(&driver->timer_lock, NULL);
	pthread_mutex_init(&driver->release_lock, NULL);
	wheel_init(&driver->wheel);
	return 0;

close_event:
	close(driver->event_fd);
close_epoll:
	close(driver->epoll_fd);
	return err;
}

void driver_fini(struct driver *driver)
{
	close(driver->event_fd);
	close(driver->epoll_fd);
}

bool driver_try_lock(struct driver *driver)
{
	return !atomic_load_explicit(&driver->locked, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&driver->locked, true, memory_order_acquire);
}

void driver_unlock(struct driver *driver)
{
	atomic_store_explicit(&driver->locked, false, memory_order_release);
}

void driver_wake(struct driver *driver)
{
	uint64_t one = 1;
	ssize_t n;

	/* Cannot fail but by overflow, and then the edge of an earlier write is still pending. */
	n = write(driver->event_fd, &one, sizeof(one));
	(void)n;
}

static void free_released(struct driver *driver)
{
	struct pollrt_io *io;

	pthread_mutex_lock(&driver->release_lock);
	io = driver->released;
	driver->released = NULL;
	driver->released_count = 0;
	pthread_mutex_unlock(&driver->release_lock);
	io_release_list(io);
}

void driver_close(struct driver *driver)
{
	pthread_mutex_lock(&driver->release_lock);
	driver->closed = true;
	pthread_mutex_unlock(&driver->release_lock);
	free_released(driver);
}

void driver_release(struct driver *driver, struct pollrt_io *io)
{
	bool closed, wake = false;

	pthread_mutex_lock(&driver->release_lock);
	closed = driver->closed;
	if (!closed) {
		io->next = driver->released;
		driver->released = io;
		wake = ++driver->released_count == RELEASE_BATCH;
	}
	pthread_mutex_unlock(&driver->release_lock);
	if (closed)
		io_release_list(io);
	else if (wake)
		driver_wake(driver);
}

uint64_t driver_tick_after(const struct driver *driver, uint64_t ns)
{
	if (ns <= driver->start_ns)
		return 0;
	return (ns - driver->start_ns - 1) / TICK_NS + 1;
}

/* Promises to be awake at the next timer's tick. Returns epoll's timeout in ms, -1 for none. */
static int sleep_begin(struct driver *driver)
{
	uint64_t tick = UINT64_MAX, due, now;

	pthread_mutex_lock(&driver->timer_lock);
	wheel_next(&driver->wheel, &tick);
	driver->wake_tick = tick ? tick : 1;
	pthread_mutex_unlock(&driver->timer_lock);
	if (tick == UINT64_MAX)
		return -1;
	now = pollrt_now_ns();
	due = driver->start_ns + tick * TICK_NS;
	if (due <= now)
		return 0;
	due = (due - now - 1) / TICK_NS + 1;
	return due < INT_MAX ? (int)due : INT_MAX;
}

static void fire_timers(struct driver *driver)
{
	uint64_t now = (pollrt_now_ns() - driver->start_ns) / TICK_NS;
	struct pollrt_task *tasks[TIMER_BATCH];
	unsigned int n;

	do {
		struct pollrt_timer *timer;

		n = 0;
		pthread_mutex_lock(&driver->timer_lock);
		driver->wake_tick = 0;
		while (n < TIMER_BATCH && (timer = wheel_expire(&driver->wheel, now))) {
			/* Alive: to end, it would have had to stop this timer under the lock. */
			task_ref(timer->task);
			tasks[n++] = timer->task;
			__atomic_store_n(&timer->state, TIMER_FIRED, __ATOMIC_RELEASE);
		}
		pthread_mutex_unlock(&driver->timer_lock);
		for (unsigned int i = 0; i < n; i++) {
			task_wake(tasks[i]);
			task_unref(tasks[i]);
		}
	} while (n == TIMER_BATCH);
}

void driver_turn(struct driver *driver, bool block)
{
	struct epoll_event events[EVENTS];
	int n;

	free_released(driver);
	n = epoll_wait(driver->epoll_fd, events, EVENTS, block ? sleep_begin(driver) : 0);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			io_ready(events[i].data.ptr, events[i].events);
	}
	fire_timers(driver);
}

void driver_timer_start(struct driver *driver, struct pollrt_timer *timer)
{
	bool wake;

	pthread_mutex_lock(&driver->timer_lock);
	timer->state = TIMER_LINKED;
	wheel_insert(&driver->wheel, timer);
	wake = timer->tick < driver->wake_tick;
	if (wake)
		driver->wake_tick = 0;
	pthread_mutex_unlock(&driver->timer_lock);
	if (wake)
		driver_wake(driver);
}

void driver_timer_stop(struct driver *driver, struct pollrt_timer *timer)
{
	if (driver_timer_fired(timer))
		return;
	pthread_mutex_lock(&driver->timer_lock);
	if (timer->state == TIMER_LINKED)
		wheel_remove(&driver->wheel, timer);
	pthread_mutex_unlock(&driver->timer_lock);
}

bool driver_timer_retarget(struct driver *driver, struct pollrt_timer *timer,
			   struct pollrt_task *task)
{
	bool linked;

	pthread_mutex_lock(&driver->timer_lock);
	linked = timer->state == TIMER_LINKED;
	if (linked)
		timer->task = task;
	pthread_mutex_unlock(&driver->timer_lock);
	return linked;
}

bool driver_timer_fired(const struct pollrt_timer *timer)
{
	return __atomic_load_n(&timer->state, __ATOMIC_ACQUIRE) == TIMER_FIRED;
}
