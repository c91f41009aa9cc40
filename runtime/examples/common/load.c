// SPDX-License-Identifier: MIT
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

/* A connection; it carries requests i, i + connections, i + 2 * connections, ... of its stream. */
struct client {
	uint32_t stream;
	uint32_t index;
	uint64_t sent;
	uint64_t answered;
	/* Bytes of a reply that has come in part. */
	size_t used;
	struct message reply;
};

struct clients {
	struct load *load;
	size_t count;
	struct client *clients;
	struct pollfd *fds; /* of the same index */
	uint64_t start_ns;
};

static uint64_t number_of(const struct clients *all, const struct client *client, uint64_t nth)
{
	return client->index + nth * all->load->streams[client->stream].connections;
}

/* When the client's request number @nth is due, from the start on. */
static uint64_t due_ns(const struct clients *all, const struct client *client, uint64_t nth)
{
	const struct stream *stream = &all->load->streams[client->stream];
	unsigned int burst = stream->burst ? stream->burst : 1;

	return number_of(all, client, nth) / burst * stream->period_ns;
}

/* Sends what is due. What does not fit into the socket is late, as its latency will show. */
static int send_due(struct clients *all, size_t i, uint64_t now_ns)
{
	struct client *client = &all->clients[i];

	while (due_ns(all, client, client->sent) <= now_ns) {
		struct message message = {
			.stream = client->stream,
			.number = (uint32_t)number_of(all, client, client->sent),
		};
		ssize_t n = send(all->fds[i].fd, &message, sizeof(message),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n != sizeof(message))
			return n < 0 ? -errno : -EIO;
		client->sent++;
	}
	return 0;
}

static void account(struct clients *all, struct client *client, uint64_t now_ns)
{
	struct stream_result *result = &all->load->results[client->stream];
	uint64_t due = due_ns(all, client, client->answered++);

	histogram_add(&result->latency, now_ns - due);
	result->requests++;
}

static int receive_replies(struct clients *all, size_t i, uint64_t now_ns)
{
	struct client *client = &all->clients[i];
	ssize_t n;

	for (;;) {
		n = recv(all->fds[i].fd, (char *)&client->reply + client->used,
			 sizeof(client->reply) - client->used, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		client->used += (size_t)n;
		if (client->used < sizeof(client->reply))
			continue;
		client->used = 0;
		if (client->reply.number != (uint32_t)number_of(all, client, client->answered))
			return -EPROTO;
		account(all, client, now_ns);
		all->load->results[client->stream].answered++;
		all->load->results[client->stream].last_answer_ns = now_ns;
	}
}

static int connect_client(struct clients *all, size_t i, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	all->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static int clients_open(struct clients *all, uint16_t port)
{
	const struct stream *streams = all->load->streams;
	size_t total = 0;
	int err = 0;

	for (const struct stream *stream = streams; stream->connections; stream++)
		total += stream->connections;
	all->clients = calloc(total, sizeof(*all->clients));
	all->fds = calloc(total, sizeof(*all->fds));
	if (!all->clients || !all->fds)
		return -ENOMEM;
	for (uint32_t s = 0; streams[s].connections && !err; s++) {
		for (uint32_t i = 0; i < streams[s].connections && !err; i++) {
			all->clients[all->count] = (struct client){.stream = s, .index = i};
			err = connect_client(all, all->count, port);
			all->count++;
		}
	}
	return err;
}

static void clients_close(struct clients *all)
{
	for (size_t i = 0; i < all->count; i++)
		close(all->fds[i].fd);
	free(all->fds);
	free(all->clients);
}

/* When something is due next, at @until_ns at the latest. */
static uint64_t next_due(const struct clients *all, uint64_t now_ns, uint64_t until_ns)
{
	for (size_t i = 0; i < all->count; i++) {
		uint64_t due = due_ns(all, &all->clients[i], all->clients[i].sent);

		/* What is overdue waits for room in its socket: it is tried again a little later. */
		if (due <= now_ns)
			due = now_ns + POLLRT_MS(1);
		if (due < until_ns)
			until_ns = due;
	}
	return until_ns;
}

static int run_clients(struct clients *all)
{
	uint64_t duration_ns = all->load->duration_ns, now_ns = 0;
	struct timespec timeout = {0};
	int err = 0;

	while (now_ns < duration_ns && !err) {
		for (size_t i = 0; i < all->count && !err; i++)
			err = send_due(all, i, now_ns);
		timeout.tv_nsec =
			(long)((next_due(all, now_ns, duration_ns) - now_ns) % 1000000000);
		if (ppoll(all->fds, all->count, &timeout, NULL) < 0 && errno != EINTR)
			return -errno;
		now_ns = pollrt_now_ns() - all->start_ns;
		for (size_t i = 0; i < all->count && !err; i++) {
			if (all->fds[i].revents)
				err = receive_replies(all, i, now_ns);
		}
	}
	return err;
}

/* What was due and has no answer has waited until now, and who knows how much longer. */
static void account_unanswered(struct clients *all)
{
	uint64_t end_ns = all->load->duration_ns;

	for (size_t i = 0; i < all->count; i++) {
		struct client *client = &all->clients[i];

		while (due_ns(all, client, client->answered) < end_ns)
			account(all, client, end_ns);
	}
}

int load_run(struct load *load, uint16_t port)
{
	struct clients all = {.load = load};
	int err, nice = getpriority(PRIO_PROCESS, 0);

	/* Clients are elsewhere in life: the server cannot take their CPU. Only root may say so. */
	setpriority(PRIO_PROCESS, 0, nice - 10);
	err = clients_open(&all, port);
	if (!err) {
		all.start_ns = pollrt_now_ns();
		err = run_clients(&all);
	}
	if (!err)
		account_unanswered(&all);
	clients_close(&all);
	setpriority(PRIO_PROCESS, 0, nice);
	return err;
}
