// SPDX-License-Identifier: MIT
/*
 * A key-value server with a line protocol, the program that `make demo` takes apart:
 *
 *	SET key value [ttl-ms]	OK		stored, and logged for the auditor
 *	GET key			VALUE value | NONE
 *	DEL key			OK | NONE
 *	HASH key rounds		VALUE digest	pure computation
 *
 * It has one mistake, made on purpose: audit_append() calls fdatasync() on a worker thread, inside
 * of handle_conn's polls. The snapshot shows how to do it right: on the blocking pool.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "demo-store.h"
#include "pollrt_io.h"

#define LINE_SIZE 256
#define MAX_ROUNDS 10000000

struct options {
	const char *dir;
	const char *metrics_out;
	uint64_t duration_ns; /* 0: until a signal */
	unsigned int workers;
	uint16_t port;
};

struct server {
	const struct options *options;
	struct store store;
	int audit_fd;
	int dir_fd;
	_Atomic uint64_t requests;
	struct pollrt_io *listener;
	struct pollrt_io *signals;
};

static __attribute__((noinline)) uint64_t digest(const char *text, unsigned long rounds)
{
	uint64_t hash = 14695981039346656037u;

	/* FNV-1a, again and again. */
	for (unsigned long i = 0; i < rounds; i++) {
		for (const char *c = text; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	}
	return hash;
}

/* ---- saving ---- */

/* Not inlined: libc has no frame pointers, so a stack walk misses whoever calls fdatasync(). */
static __attribute__((noinline)) int append_durably(int fd, const char *record, size_t length)
{
	if (write(fd, record, length) != (ssize_t)length || fdatasync(fd))
		return -errno;
	return 0;
}

struct audit_append {
	struct pollrt_async async;
	const struct server *server;
	const char *key;
	int status;
};

static POLLRT_ASYNC(audit_append)
{
	char record[KEY_SIZE + 32];
	int length;

	POLLRT_BEGIN();
	length = snprintf(record, sizeof(record), "%" PRIu64 " SET %s\n", pollrt_now_ns(),
			  self->key);
	/* The mistake: the worker sleeps until the disk has it, and every task behind it waits. */
	self->status = append_durably(self->server->audit_fd, record, (size_t)length);
	POLLRT_END();
}

struct save {
	struct pollrt_async async;
	struct server *server;
	const char *key;
	const char *value;
	uint64_t ttl_ms;
	int status;
	struct audit_append audit;
};

static POLLRT_ASYNC(save)
{
	POLLRT_BEGIN();
	self->status = store_set(&self->server->store, self->key, self->value, self->ttl_ms);
	if (self->status)
		POLLRT_RETURN();
	POLLRT_CALL(self->audit, audit_append, .server = self->server, .key = self->key);
	self->status = self->audit.status;
	POLLRT_END();
}

/* ---- connections ---- */

enum verb { VERB_GET, VERB_SET, VERB_DEL, VERB_HASH, VERB_UNKNOWN };

struct request {
	enum verb verb;
	char key[KEY_SIZE];
	char value[VALUE_SIZE];
	unsigned long number; /* of SET: ttl in ms; of HASH: rounds */
};

static void parse_request(const char *line, struct request *request)
{
	static const char *const verbs[] = {"GET", "SET", "DEL", "HASH"};
	char verb[8] = "", first[VALUE_SIZE] = "", second[24] = "";

	*request = (struct request){.verb = VERB_UNKNOWN};
	if (sscanf(line, "%7s %63s %127s %23s", verb, request->key, first, second) < 2)
		return;
	for (enum verb i = VERB_GET; i < VERB_UNKNOWN; i++) {
		if (!strcmp(verb, verbs[i]))
			request->verb = i;
	}
	if (request->verb == VERB_SET && !first[0])
		request->verb = VERB_UNKNOWN;
	snprintf(request->value, sizeof(request->value), "%s", first);
	request->number = strtoul(request->verb == VERB_HASH ? first : second, NULL, 10);
	if (request->number > MAX_ROUNDS)
		request->number = MAX_ROUNDS;
}

struct read_line {
	struct pollrt_async async;
	struct pollrt_io *io;
	char *line; /* LINE_SIZE bytes; in the end with a NUL in place of the newline */
	size_t *used;
	ssize_t n;
	int status; /* 0, or -errno; -EPIPE at the end of the input */
};

static POLLRT_ASYNC(read_line)
{
	char *end;

	POLLRT_BEGIN();
	while (!(end = memchr(self->line, '\n', *self->used))) {
		if (*self->used == LINE_SIZE) {
			self->status = -EMSGSIZE;
			POLLRT_RETURN();
		}
		POLLRT_AWAIT(pollrt_read(self->io, self->line + *self->used,
					 LINE_SIZE - *self->used, &self->n, cx));
		if (self->n <= 0) {
			self->status = self->n < 0 ? (int)self->n : -EPIPE;
			POLLRT_RETURN();
		}
		*self->used += (size_t)self->n;
	}
	*end = '\0';
	POLLRT_END();
}

struct handle_conn {
	struct pollrt_async async;
	struct server *server;
	struct pollrt_io *io;
	char line[LINE_SIZE];
	size_t used; /* bytes in `line`; may be more than one line */
	struct request request;
	char reply[VALUE_SIZE + 16];
	struct read_line read;
	struct save save;
	struct pollrt_write_all write;
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_io_close(self->io);
}

static void reply_to(struct handle_conn *self)
{
	struct request *request = &self->request;
	char value[VALUE_SIZE];
	bool found;

	switch (request->verb) {
	case VERB_GET:
		found = store_get(&self->server->store, request->key, value, sizeof(value));
		snprintf(self->reply, sizeof(self->reply), found ? "VALUE %s\n" : "NONE\n", value);
		break;
	case VERB_DEL:
		found = store_delete(&self->server->store, request->key);
		snprintf(self->reply, sizeof(self->reply), found ? "OK\n" : "NONE\n");
		break;
	case VERB_HASH:
		snprintf(self->reply, sizeof(self->reply), "VALUE %016" PRIx64 "\n",
			 digest(request->key, request->number));
		break;
	case VERB_SET:
		snprintf(self->reply, sizeof(self->reply),
			 self->save.status ? "ERROR not saved\n" : "OK\n");
		break;
	case VERB_UNKNOWN:
		snprintf(self->reply, sizeof(self->reply), "ERROR unknown command\n");
		break;
	}
}

static POLLRT_ASYNC(handle_conn)
{
	size_t taken;

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->read, read_line, .io = self->io, .line = self->line,
			    .used = &self->used);
		if (self->read.status)
			break;
		parse_request(self->line, &self->request);
		self->server->requests++;
		if (self->request.verb == VERB_SET)
			POLLRT_CALL(self->save, save, .server = self->server,
				    .key = self->request.key, .value = self->request.value,
				    .ttl_ms = self->request.number);
		reply_to(self);
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->reply,
			    .size = strlen(self->reply));
		if (self->write.status)
			break;
		taken = strlen(self->line) + 1;
		self->used -= taken;
		memmove(self->line, self->line + taken, self->used);
	}
	POLLRT_END();
}

struct accept_loop {
	struct pollrt_async async;
	struct server *server;
	struct pollrt_io *conn;
	int status;
	struct pollrt_sleep pause;
};

static POLLRT_ASYNC(accept_loop)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(
			pollrt_tcp_accept(self->server->listener, &self->conn, &self->status, cx));
		if (self->status) {
			/* Out of descriptors, most likely: some connections have to end first. */
			POLLRT_SLEEP(self->pause, POLLRT_MS(50));
			continue;
		}
		if (pollrt_spawn_drop(NULL, NULL, handle_conn, handle_conn_drop,
				      .server = self->server, .io = self->conn))
			pollrt_io_close(self->conn);
	}
	POLLRT_END();
}

/* ---- housekeeping ---- */

struct expire_keys {
	struct pollrt_async async;
	struct server *server;
	struct pollrt_interval interval;
};

static POLLRT_ASYNC(expire_keys)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(pollrt_interval_tick(&self->interval, cx));
		store_expire(&self->server->store, pollrt_now_ns());
	}
	POLLRT_END();
}

struct snapshot {
	struct server *server;
	int status;
};

/* A blocking job: it may take its time. */
static void snapshot(struct snapshot *self)
{
	FILE *file;
	int fd;

	fd = openat(self->server->dir_fd, "snapshot.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0644);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		self->status = -errno;
		return;
	}
	store_print(&self->server->store, file);
	if (fflush(file) || fsync(fd))
		self->status = -errno;
	fclose(file);
	if (!self->status &&
	    renameat(self->server->dir_fd, "snapshot.tmp", self->server->dir_fd, "snapshot"))
		self->status = -errno;
}

struct flush_metrics {
	struct pollrt_async async;
	struct server *server;
	struct pollrt_interval interval;
	struct pollrt_join job;
};

static void flush_metrics_drop(struct flush_metrics *self)
{
	pollrt_join_detach(&self->job);
}

static void print_metrics(FILE *file, const struct server *server, const struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_metrics(rt, &m);
	fprintf(file, "{\n  \"requests\": %" PRIu64, server->requests);
#define FIELD(name) fprintf(file, ",\n  \"" #name "\": %" PRIu64, m.name)
	FIELD(spawns);
	FIELD(polls);
	FIELD(wakes);
	FIELD(discards);
	FIELD(completions);
	FIELD(cancellations);
	FIELD(parks);
	FIELD(steals);
	FIELD(stolen);
	FIELD(injections);
	FIELD(overflows);
	FIELD(lifo_hits);
	FIELD(block_ons);
	FIELD(block_on_polls);
	FIELD(block_on_wakes);
	FIELD(blocking_jobs);
	FIELD(blocking_runs);
#undef FIELD
	fprintf(file, "\n}\n");
}

static POLLRT_ASYNC(flush_metrics)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(pollrt_interval_tick(&self->interval, cx));
		if (pollrt_spawn_blocking(NULL, &self->job, snapshot, .server = self->server))
			continue;
		POLLRT_AWAIT(pollrt_join(&self->job, cx));
		if (((struct snapshot *)pollrt_join_state(&self->job))->status)
			fprintf(stderr, "demo-server: cannot write the snapshot\n");
		pollrt_join_detach(&self->job);
	}
	POLLRT_END();
}

/* ---- the program ---- */

struct serve {
	struct pollrt_async async;
	struct server *server;
	int status;
	ssize_t n;
	struct signalfd_siginfo signal;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(serve)
{
	struct server *server = self->server;
	uint64_t duration = server->options->duration_ns;

	POLLRT_BEGIN();
	self->status =
		pollrt_tcp_listen(&server->listener, NULL, "127.0.0.1", server->options->port);
	if (self->status)
		POLLRT_RETURN();
	printf("listening on 127.0.0.1:%d\n", pollrt_tcp_port(server->listener));
	fflush(stdout);
	pollrt_spawn(NULL, NULL, accept_loop, .server = server);
	pollrt_spawn(NULL, NULL, expire_keys, .server = server,
		     .interval.period_ns = POLLRT_MS(100));
	pollrt_spawn_drop(NULL, NULL, flush_metrics, flush_metrics_drop, .server = server,
			  .interval.period_ns = POLLRT_SEC(1));
	POLLRT_AWAIT_TIMEOUT(
		self->timeout, duration ? duration : UINT64_MAX,
		pollrt_read(server->signals, &self->signal, sizeof(self->signal), &self->n, cx));
	POLLRT_END();
}

static int open_files(struct server *server)
{
	const char *dir = server->options->dir;

	server->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (server->dir_fd >= 0)
		server->audit_fd = openat(server->dir_fd, "audit.log",
					  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (server->dir_fd < 0 || server->audit_fd < 0) {
		fprintf(stderr, "demo-server: cannot write in %s: %s (see --dir)\n", dir,
			strerror(errno));
		return -1;
	}
	return 0;
}

/* SIGINT and SIGTERM become readable; blocked before any thread starts. */
static int open_signals(struct server *server, struct pollrt_runtime *rt, const sigset_t *signals)
{
	int fd = signalfd(-1, signals, SFD_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = pollrt_io_open(&server->signals, rt, fd);
	if (err)
		close(fd);
	return err;
}

static int write_metrics(const struct server *server, const struct pollrt_runtime *rt)
{
	const char *path = server->options->metrics_out;
	FILE *file;

	if (!path)
		return 0;
	file = fopen(path, "w");
	if (!file) {
		fprintf(stderr, "demo-server: cannot write %s: %s\n", path, strerror(errno));
		return -1;
	}
	print_metrics(file, server, rt);
	return fclose(file);
}

static int run(const struct options *options)
{
	struct pollrt_config config = {.workers = options->workers};
	struct server server = {.options = options, .audit_fd = -1, .dir_fd = -1};
	struct serve state = {.server = &server};
	struct pollrt_runtime *rt;
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pthread_mutex_init(&server.store.lock, NULL);
	err = pollrt_runtime_create(&rt, &config);
	if (err) {
		fprintf(stderr, "demo-server: cannot start the runtime: %s\n", strerror(-err));
		return -1;
	}
	err = open_files(&server);
	if (err)
		goto destroy;
	err = open_signals(&server, rt, &signals);
	if (!err)
		err = pollrt_block_on(rt, serve, &state);
	if (!err)
		err = state.status;
	if (err)
		fprintf(stderr, "demo-server: cannot serve port %u: %s\n", options->port,
			strerror(-err));
	pollrt_runtime_shutdown(rt);
	if (write_metrics(&server, rt))
		err = -1;
	pollrt_io_close(server.listener);
	pollrt_io_close(server.signals);
	store_expire(&server.store, UINT64_MAX);
	close(server.audit_fd);
destroy:
	close(server.dir_fd);
	pollrt_runtime_destroy(rt);
	return err;
}

static const char usage[] = "usage: demo-server [--port N] [--workers N] [--dir DIR] [--duration "
			    "SECONDS] [--metrics-out FILE]\n";

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"port", required_argument, NULL, 'p'},
		{"workers", required_argument, NULL, 'w'},
		{"dir", required_argument, NULL, 'd'},
		{"duration", required_argument, NULL, 't'},
		{"metrics-out", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {.dir = "."};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			options.port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			options.workers = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'd':
			options.dir = optarg;
			break;
		case 't':
			options.duration_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
			break;
		case 'm':
			options.metrics_out = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&options) ? 1 : 0;
}
