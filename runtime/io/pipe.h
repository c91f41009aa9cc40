/* SPDX-License-Identifier: MIT */
#ifndef POLLRT_PIPE_H
#define POLLRT_PIPE_H

#include <sys/types.h>

/** write(2) to a pipe, without a signal if nobody reads it. Returns a count or a negative errno. */
ssize_t pipe_write(int fd, const void *buffer, size_t size);

#endif
