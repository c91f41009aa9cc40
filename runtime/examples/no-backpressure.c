// SPDX-License-Identifier: MIT
/*
 * The fifth mistake: nothing that says no.
 *
 * A server is asked for more than it can do sooner or later, by more clients, or since something
 * behind it has become slow. Async code makes it easy to accept all of it: a waiting request costs
 * a little memory and no thread. So it waits, in an unbounded queue, for an answer that never
 * comes, or on behalf of a client that has left long ago. For some time all looks well: handlers
 * are quick, CPUs idle. Then memory is gone, or every connection of the pool is held by a call that
 * will never return, or all CPU time goes to results that nobody wants; and it does not get better
 * when the load goes back.
 *
 * The fix has three parts. A queue has a bound, and who finds it full waits, or is told so: that is
 * backpressure. Each wait for others has a limit. And work can be cancelled: a task ends when its
 * client does, which needs an await now and then, for a poll cannot be interrupted.
 *
 *	unbounded	events come five times as fast as they can be stored, 64 KiB each
 *	no-timeout	one call in 20 to the service behind has no answer
 *	no-cancel	searches are given up after 20 ms, and would compute for 150 ms
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/stage.h"
#include "pollrt_select.h"
#include "pollrt_sync.h"

#define EVENT_BYTES (64 * 1024)
#define STORE_NS POLLRT_MS(5)
#define QUEUE_BOUND 16
#define PATIENCE_NS POLLRT_MS(20)
#define POOL_CONNS 8
#define SILENT_EVERY 20
#define SEARCH_NS POLLRT_MS(150)
#define SEARCH_STEP_NS POLLRT_US(100)

enum variant { UNBOUNDED, NO_TIMEOUT, NO_CANCEL };

static const struct example no_backpressure = {
	.name = "no-backpressure",
	.lesson = "An unbounded queue, a wait without limit, work that cannot be cancelled.\n"
		  "Fixed: a bound, a timeout, a yield.",
	.variants =
		{[UNBOUNDED] = "unbounded", [NO_TIMEOUT] = "no-timeout", [NO_CANCEL] = "no-cancel"},
};

enum { MAIN, SEARCHES };

static const struct stream streams[][3] = {
	[UNBOUNDED] = {{.name = "events", .connections = 64, .period_ns = POLLRT_MS(1)}},
	[NO_TIMEOUT] = {{.name = "calls", .connections = 64, .period_ns = POLLRT_MS(3)}},
	[NO_CANCEL] = {[MAIN] = {.name = "lookups", .connections = 24, .period_ns = POLLRT_US(500)},
		       [SEARCHES] = {.name = "searches",
				     .connections = 10,
				     .period_ns = POLLRT_MS(100)}},
};

struct hub {
	struct stage stage;
	/* unbounded */
	struct pollrt_sender *events;
	struct pollrt_receiver *stored;
	_Atomic uint64_t max_queue_depth;
	_Atomic uint64_t rejected;
	struct histogram storing; /* from the request until its event is stored */
	/* no-timeout */
	struct server service;
	struct pollrt_semaphore pool;
	_Atomic uint64_t timeouts;
	_Atomic uint64_t silent;
	/* In calls that are over, less the start of those that are not. */
	_Atomic uint64_t calling_ns;
	_Atomic uint64_t calling;
	/* no-cancel */
	_Atomic uint64_t search_cpu_ns;
	_Atomic uint64_t aborted;
	struct histogram cancelling; /* from the abort until the task is gone */
};

/* ---- events are queued, and stored one by one ---- */

struct event {
	char *data; /* EVENT_BYTES of memory */
	uint64_t created_ns;
};

static void event_drop(void *item)
{
	free(((struct event *)item)->data);
}

struct store_events {
	struct pollrt_async async;
	struct hub *hub;
	struct event event;
	struct pollrt_recv recv;
	struct pollrt_sleep store;
};

static POLLRT_ASYNC(store_events)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->hub->stored,
			    .item = &self->event);
		if (self->recv.status)
			break;
		/* Its data is written somewhere. */
		POLLRT_SLEEP(self->store, STORE_NS);
		event_drop(&self->event);
		self->event.data = NULL;
		histogram_add(&self->hub->storing, pollrt_now_ns() - self->event.created_ns);
	}
	POLLRT_END();
}

static void store_events_drop(struct store_events *self)
{
	event_drop(&self->event);
}

struct queue_event {
	struct pollrt_async async;
	struct hub *hub;
	struct event event;
	struct pollrt_send send;
	struct pollrt_timeout patience;
	struct pollrt_cleanup cleanup;
};

static void queue_event_drop(struct pollrt_cleanup *cleanup)
{
	struct queue_event *self = POLLRT_CONTAINER_OF(cleanup, struct queue_event, cleanup);

	event_drop(&self->event);
}

static POLLRT_ASYNC(queue_event)
{
	POLLRT_BEGIN();
	self->event.created_ns = pollrt_now_ns();
	self->event.data = malloc(EVENT_BYTES);
	if (!self->event.data)
		POLLRT_RETURN();
	memset(self->event.data, 1, EVENT_BYTES);
	pollrt_defer(cx, &self->cleanup, queue_event_drop);
	self->send = (struct pollrt_send){.sender = self->hub->events, .item = &self->event};
	/* Into a queue without bounds this never waits. */
	POLLRT_AWAIT_TIMEOUT(self->patience, PATIENCE_NS, pollrt_send(&self->send, cx));
	pollrt_undefer(&self->cleanup);
	if (self->patience.status || self->send.status) {
		event_drop(&self->event);
		self->hub->rejected++;
	}
	raise_to(&self->hub->max_queue_depth, pollrt_channel_depth(self->hub->stored));
	POLLRT_END();
}

static int start_storing(struct hub *hub)
{
	/* The mistake is this number. */
	uint32_t bound = hub->stage.options.fixed ? QUEUE_BOUND : 0;
	int err;

	err = pollrt_channel_create_drop(&hub->events, &hub->stored, sizeof(struct event), bound,
					 event_drop);
	return err ? err
		   : pollrt_spawn_drop(hub->stage.rt, NULL, store_events, store_events_drop,
				       .hub = hub);
}

/* ---- calls to a service, over a bounded number of connections ---- */

struct service_conn {
	struct pollrt_async async;
	struct hub *hub;
	struct pollrt_io *io;
	struct receive receive;
	struct pollrt_sleep work;
	struct reply reply;
};

static void service_conn_drop(struct service_conn *self)
{
	pollrt_io_close(self->io);
}

/* The service: of SILENT_EVERY requests it loses one. */
static POLLRT_ASYNC(service_conn)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		if (self->receive.message.number % SILENT_EVERY == SILENT_EVERY - 1) {
			self->hub->silent++;
			continue;
		}
		POLLRT_SLEEP(self->work, POLLRT_MS(1));
		POLLRT_CALL(self->reply, reply, .io = self->io, .message = self->receive.message);
	}
	POLLRT_END();
}

static int spawn_service_conn(struct server *server, struct pollrt_io *conn)
{
	return pollrt_spawn_drop(NULL, NULL, service_conn, service_conn_drop,
				 .hub = server->context, .io = conn);
}

struct call_service {
	struct pollrt_async async;
	struct hub *hub;
	struct message message;
	struct pollrt_acquire permit;
	struct pollrt_tcp_connect connect;
	struct pollrt_cleanup cleanup;
	struct reply request;
	struct receive answer;
};

static void call_service_drop(struct pollrt_cleanup *cleanup)
{
	struct call_service *self = POLLRT_CONTAINER_OF(cleanup, struct call_service, cleanup);

	pollrt_io_close(self->connect.io);
}

static POLLRT_ASYNC(call_service)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->permit, pollrt_acquire, .semaphore = &self->hub->pool);
	pollrt_acquire_hold(&self->permit, cx);
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1",
		    .port = server_port(&self->hub->service));
	if (!self->connect.status) {
		pollrt_defer(cx, &self->cleanup, call_service_drop);
		POLLRT_CALL(self->request, reply, .io = self->connect.io, .message = self->message);
		POLLRT_CALL(self->answer, receive, .io = self->connect.io);
		pollrt_undefer(&self->cleanup);
		pollrt_io_close(self->connect.io);
	}
	pollrt_acquire_release(&self->permit);
	POLLRT_END();
}

/* ---- searches, in tasks of their own, which can be given up ---- */

struct search {
	struct pollrt_async async;
	struct hub *hub;
	_Atomic uint64_t aborted_ns;
	uint64_t cpu_ns;
	uint64_t digest;
};

static void search_drop(struct search *self)
{
	if (!self->aborted_ns)
		return;
	self->hub->aborted++;
	histogram_add(&self->hub->cancelling, pollrt_now_ns() - self->aborted_ns);
}

static __attribute__((noinline)) void search_page(struct search *self)
{
	uint64_t cpu_ns = compute(SEARCH_STEP_NS, &self->digest);

	self->cpu_ns += cpu_ns;
	self->hub->search_cpu_ns += cpu_ns;
}

static POLLRT_ASYNC(search)
{
	POLLRT_BEGIN();
	while (self->cpu_ns < SEARCH_NS) {
		search_page(self);
		if (self->hub->stage.options.fixed)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

struct run_search {
	struct pollrt_async async;
	struct hub *hub;
	struct pollrt_guard search;
	struct pollrt_timeout patience;
};

static POLLRT_ASYNC(run_search)
{
	struct search *state;

	POLLRT_BEGIN();
	if (pollrt_spawn_drop(NULL, &self->search.join, search, search_drop, .hub = self->hub))
		POLLRT_RETURN();
	pollrt_guard(&self->search, cx);
	POLLRT_AWAIT_TIMEOUT(self->patience, PATIENCE_NS, pollrt_join(&self->search.join, cx));
	if (self->patience.status) {
		state = pollrt_join_state(&self->search.join);
		state->aborted_ns = pollrt_now_ns();
	}
	pollrt_guard_end(&self->search);
	POLLRT_END();
}

/* ---- the server ---- */

struct handle_conn {
	struct pollrt_async async;
	struct hub *hub;
	struct pollrt_io *io;
	struct receive receive;
	struct pollrt_timeout patience;
	struct reply reply;
	union {
		struct queue_event queue_event;
		struct call_service call_service;
		struct run_search run_search;
	};
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(handle_conn)
{
	struct hub *hub = self->hub;

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		if (hub->stage.options.variant == UNBOUNDED) {
			POLLRT_CALL(self->queue_event, queue_event, .hub = hub);
		} else if (hub->stage.options.variant == NO_TIMEOUT) {
			self->call_service = (struct call_service){
				.hub = hub,
				.message = self->receive.message,
			};
			hub->calling++;
			hub->calling_ns -= pollrt_now_ns();
			if (hub->stage.options.fixed)
				POLLRT_AWAIT_TIMEOUT(self->patience, PATIENCE_NS,
						     call_service(&self->call_service, cx));
			else
				POLLRT_AWAIT(call_service(&self->call_service, cx));
			hub->calling--;
			hub->calling_ns += pollrt_now_ns();
			hub->timeouts += self->patience.status == -ETIMEDOUT;
		} else if (self->receive.message.stream == SEARCHES) {
			POLLRT_CALL(self->run_search, run_search, .hub = hub);
		}
		POLLRT_CALL(self->reply, reply, .io = self->io, .message = self->receive.message);
		if (self->reply.status)
			break;
	}
	POLLRT_END();
}

static int spawn_handler(struct server *server, struct pollrt_io *conn)
{
	return pollrt_spawn_drop(NULL, NULL, handle_conn, handle_conn_drop, .hub = server->context,
				 .io = conn);
}

static void print_truth(const struct hub *hub)
{
	stage_begin_truth(&hub->stage);
	truth_number("max_queue_depth", hub->max_queue_depth);
	truth_number("rejected", hub->rejected);
	truth_number("stored", histogram_count(&hub->storing));
	truth_number("stored_p99_ns", histogram_percentile(&hub->storing, 0.99));
	truth_number("silent", hub->silent);
	truth_number("timeouts", hub->timeouts);
	truth_number("calling_ns", hub->calling_ns + hub->calling * pollrt_now_ns());
	truth_number("search_cpu_ns", hub->search_cpu_ns);
	truth_number("aborted", hub->aborted);
	truth_number("cancel_p99_ns", histogram_percentile(&hub->cancelling, 0.99));
	truth_end();
}

static int run(struct hub *hub)
{
	int err;

	err = stage_start(&hub->stage);
	if (!err && hub->stage.options.variant == UNBOUNDED)
		err = stage_error(&hub->stage, "cannot start storing", start_storing(hub));
	else if (!err && hub->stage.options.variant == NO_TIMEOUT)
		err = stage_error(&hub->stage, "cannot start the service",
				  server_start(&hub->service, hub->stage.rt));
	if (!err)
		err = stage_load(&hub->stage);
	stage_stop(&hub->stage);
	server_close(&hub->service);
	pollrt_sender_close(hub->events);
	pollrt_receiver_close(hub->stored);
	return err;
}

int main(int argc, char **argv)
{
	struct hub hub = {
		.stage =
			{
				.options = options_parse(&no_backpressure, argc, argv),
				.config = {.workers = STAGE_CPUS},
				.server = {.spawn = spawn_handler, .context = &hub},
			},
		.service = {.spawn = spawn_service_conn, .context = &hub},
	};

	hub.stage.streams = streams[hub.stage.options.variant];
	pollrt_semaphore_init(&hub.pool, POOL_CONNS);
	if (run(&hub))
		return 1;
	print_truth(&hub);
	return 0;
}
