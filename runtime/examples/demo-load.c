// SPDX-License-Identifier: MIT
/*
 * Load for demo-server: each connection is a task that sends a request, awaits the reply, and
 * thinks. Prints what was done, and how long replies took.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "pollrt_io.h"

#define LINE_SIZE 256

struct options {
	uint16_t port;
	unsigned int connections;
	uint64_t think_ns;
	uint64_t duration_ns;
};

struct load {
	const struct options *options;
	uint64_t end_ns;
	_Atomic uint64_t errors;
	struct histogram latency;
};

struct request {
	struct pollrt_async async;
	struct pollrt_io *io;
	char line[LINE_SIZE];
	size_t used;
	ssize_t n;
	int status;
	struct pollrt_write_all write;
};

static POLLRT_ASYNC(request)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->line,
		    .size = strlen(self->line));
	self->status = self->write.status;
	while (!self->status && !(self->used && self->line[self->used - 1] == '\n')) {
		POLLRT_AWAIT(pollrt_read(self->io, self->line + self->used, LINE_SIZE - self->used,
					 &self->n, cx));
		if (self->n <= 0)
			self->status = self->n < 0 ? (int)self->n : -EPIPE;
		else
			self->used += (size_t)self->n;
	}
	POLLRT_END();
}

struct client {
	struct pollrt_async async;
	struct load *load;
	unsigned int number;
	uint64_t seed;
	uint64_t started_ns;
	struct pollrt_tcp_connect connect;
	struct pollrt_io *io;
	struct request request;
	struct pollrt_sleep think;
};

static void client_drop(struct client *self)
{
	pollrt_io_close(self->io);
}

static uint64_t next_random(uint64_t *seed)
{
	/* Knuth's MMIX generator; its high bits. */
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Of 100 requests 70 are reads, 20 compute, 8 write and 2 delete. */
static void make_line(struct client *self, char *line)
{
	uint64_t dice = next_random(&self->seed) % 100, key = next_random(&self->seed) % 1000;

	if (dice < 70)
		snprintf(line, LINE_SIZE, "GET key%" PRIu64 "\n", key);
	else if (dice < 90)
		snprintf(line, LINE_SIZE, "HASH key%" PRIu64 " 2000\n", key);
	else if (dice < 98)
		snprintf(line, LINE_SIZE, "SET key%" PRIu64 " value%u 5000\n", key, self->number);
	else
		snprintf(line, LINE_SIZE, "DEL key%" PRIu64 "\n", key);
}

static POLLRT_ASYNC(client)
{
	struct load *load = self->load;

	POLLRT_BEGIN();
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1",
		    .port = load->options->port);
	if (self->connect.status) {
		load->errors++;
		POLLRT_RETURN();
	}
	self->io = self->connect.io;
	while (pollrt_now_ns() < load->end_ns) {
		self->request = (struct request){.io = self->io};
		make_line(self, self->request.line);
		self->started_ns = pollrt_now_ns();
		POLLRT_AWAIT(request(&self->request, cx));
		if (self->request.status) {
			load->errors++;
			break;
		}
		histogram_add(&load->latency, pollrt_now_ns() - self->started_ns);
		if (load->options->think_ns)
			POLLRT_SLEEP(self->think, load->options->think_ns);
	}
	POLLRT_END();
}

struct run_clients {
	struct pollrt_async async;
	struct load *load;
	struct pollrt_join *clients;
	unsigned int i;
};

static POLLRT_ASYNC(run_clients)
{
	unsigned int count = self->load->options->connections;

	POLLRT_BEGIN();
	for (self->i = 0; self->i < count; self->i++) {
		if (pollrt_spawn_drop(NULL, &self->clients[self->i], client, client_drop,
				      .load = self->load, .number = self->i, .seed = self->i + 1))
			self->load->errors++;
	}
	for (self->i = 0; self->i < count; self->i++) {
		if (!self->clients[self->i].task)
			continue;
		POLLRT_AWAIT(pollrt_join(&self->clients[self->i], cx));
		pollrt_join_detach(&self->clients[self->i]);
	}
	POLLRT_END();
}

static int run(const struct options *options)
{
	struct load load = {.options = options, .end_ns = pollrt_now_ns() + options->duration_ns};
	struct run_clients state = {.load = &load};
	struct pollrt_runtime *rt;
	uint64_t done;
	int err;

	state.clients = calloc(options->connections, sizeof(*state.clients));
	if (!state.clients)
		return -ENOMEM;
	err = pollrt_runtime_create(&rt, NULL);
	if (err)
		goto free_clients;
	err = pollrt_block_on(rt, run_clients, &state);
	pollrt_runtime_destroy(rt);
	if (err)
		goto free_clients;
	done = histogram_count(&load.latency);
	printf("%" PRIu64 " requests in %.1f s, %" PRIu64
	       " errors, latency p50 %.1f us, p99 %.1f us\n",
	       done, (double)options->duration_ns / 1e9, load.errors,
	       (double)histogram_percentile(&load.latency, 0.50) / 1e3,
	       (double)histogram_percentile(&load.latency, 0.99) / 1e3);
	if (!done || load.errors)
		err = -EIO;
free_clients:
	free(state.clients);
	return err;
}

static const char usage[] = "usage: demo-load --port N [--connections N] [--duration SECONDS]\n"
			    "                 [--think-ms MS | --rate REQUESTS-A-SECOND]\n";

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"port", required_argument, NULL, 'p'},
		{"connections", required_argument, NULL, 'c'},
		{"rate", required_argument, NULL, 'r'},
		{"think-ms", required_argument, NULL, 'k'},
		{"duration", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {.connections = 32, .duration_ns = POLLRT_SEC(10)};
	double rate = 0;
	int c, err;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			options.port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			options.connections = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			rate = strtod(optarg, NULL);
			break;
		case 'k':
			options.think_ns = (uint64_t)(strtod(optarg, NULL) * 1e6);
			break;
		case 't':
			options.duration_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || !options.port || !options.connections) {
		fputs(usage, stderr);
		return 2;
	}
	/* The rate of all connections together, as if replies took no time. */
	if (rate > 0)
		options.think_ns = (uint64_t)(1e9 * options.connections / rate);
	err = run(&options);
	if (err)
		fprintf(stderr, "demo-load: port %u: %s\n", options.port, strerror(-err));
	return err ? 1 : 0;
}
