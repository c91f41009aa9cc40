// SPDX-License-Identifier: MIT
#include "io/address.h"

#include <arpa/inet.h>
#include <errno.h>

#include "io/io.h"

int pollrt_address_parse(struct pollrt_address *address, const char *text, uint16_t port)
{
	*address =
		(struct pollrt_address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1)
		return 0;
	*address = (struct pollrt_address){.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1)
		return 0;
	return -EINVAL;
}

const char *pollrt_address_text(const struct pollrt_address *address, char *text, size_t size)
{
	const void *binary = &address->v4.sin_addr;

	if (address->any.sa_family == AF_INET6)
		binary = &address->v6.sin6_addr;
	return inet_ntop(address->any.sa_family, binary, text, (socklen_t)size);
}

uint16_t pollrt_address_port(const struct pollrt_address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
							: address->v4.sin_port);
}

socklen_t address_size(const struct pollrt_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

static int check_family(const struct pollrt_address *address)
{
	sa_family_t family = address->any.sa_family;

	return family == AF_INET || family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

int pollrt_local_address(const struct pollrt_io *io, struct pollrt_address *address)
{
	socklen_t size = sizeof(*address);

	if (getsockname(io->fd, &address->any, &size))
		return -errno;
	return check_family(address);
}

int pollrt_peer_address(const struct pollrt_io *io, struct pollrt_address *address)
{
	socklen_t size = sizeof(*address);

	if (getpeername(io->fd, &address->any, &size))
		return -errno;
	return check_family(address);
}
