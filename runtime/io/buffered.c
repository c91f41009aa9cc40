// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "pollrt_io.h"

static size_t unread(const struct pollrt_reader *reader)
{
	return reader->end - reader->start;
}

/* Takes up to @size bytes of what is unread. */
static size_t take(struct pollrt_reader *reader, void *buffer, size_t size)
{
	if (size > unread(reader))
		size = unread(reader);
	memcpy(buffer, reader->buffer + reader->start, size);
	reader->start += size;
	reader->scanned = reader->start;
	return size;
}

/* Reads from the source, with the same arguments until it is ready. *@n as of pollrt_read(). */
static enum pollrt_poll source_read(struct pollrt_reader *reader, void *buffer, size_t size,
				    ssize_t *n, struct pollrt_cx *cx)
{
	struct pollrt_file_read *read = &reader->read;

	if (reader->io)
		return pollrt_read(reader->io, buffer, size, n, cx);
	if (!read->op.job)
		*read = (struct pollrt_file_read){.file = reader->file,
						  .buffer = buffer,
						  .size = size,
						  .offset = reader->offset};
	if (pollrt_file_read(read, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	*n = read->n;
	if (*n > 0)
		reader->offset += (uint64_t)*n;
	return POLLRT_READY;
}

/* Reads more behind what is unread, of which there is less than fits. *@n as of pollrt_read(). */
static enum pollrt_poll fill(struct pollrt_reader *reader, ssize_t *n, struct pollrt_cx *cx)
{
	/* One byte is left for the null byte after a last line. */
	size_t room = reader->size - 1;

	if (reader->start) {
		memmove(reader->buffer, reader->buffer + reader->start, unread(reader));
		reader->scanned -= reader->start;
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (source_read(reader, reader->buffer + reader->end, room - reader->end, n, cx) ==
	    POLLRT_PENDING)
		return POLLRT_PENDING;
	if (*n > 0)
		reader->end += (size_t)*n;
	return POLLRT_READY;
}

enum pollrt_poll pollrt_reader_read(struct pollrt_reader *reader, void *buffer, size_t size,
				    ssize_t *n, struct pollrt_cx *cx)
{
	if (!unread(reader)) {
		/* What is as large as the buffer need not go through it. */
		if (size >= reader->size)
			return source_read(reader, buffer, size, n, cx);
		if (fill(reader, n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (*n <= 0)
			return POLLRT_READY;
	} else if (!pollrt_coop_proceed(cx)) {
		return POLLRT_PENDING;
	}
	*n = (ssize_t)take(reader, buffer, size);
	return POLLRT_READY;
}

/* Gives out what is unread up to @end. */
static ssize_t give(struct pollrt_reader *reader, size_t end, char **data)
{
	size_t n = end - reader->start;

	*data = reader->buffer + reader->start;
	reader->start = reader->scanned = end;
	return (ssize_t)n;
}

enum pollrt_poll pollrt_reader_until(struct pollrt_reader *reader, char delimiter, char **data,
				     ssize_t *n, struct pollrt_cx *cx)
{
	for (;;) {
		const char *found = memchr(reader->buffer + reader->scanned, delimiter,
					   reader->end - reader->scanned);

		if (found) {
			if (!pollrt_coop_proceed(cx))
				return POLLRT_PENDING;
			*n = give(reader, (size_t)(found - reader->buffer) + 1, data);
			return POLLRT_READY;
		}
		reader->scanned = reader->end;
		if (unread(reader) + 1 >= reader->size) {
			if (!pollrt_coop_proceed(cx))
				return POLLRT_PENDING;
			*n = -EMSGSIZE;
			return POLLRT_READY;
		}
		if (fill(reader, n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (*n < 0)
			return POLLRT_READY;
		if (!*n) {
			*n = give(reader, reader->end, data);
			return POLLRT_READY;
		}
	}
}

enum pollrt_poll pollrt_reader_line(struct pollrt_reader *reader, char **line, ssize_t *n,
				    struct pollrt_cx *cx)
{
	if (pollrt_reader_until(reader, '\n', line, n, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	if (*n <= 0) {
		*line = NULL;
		return POLLRT_READY;
	}
	if ((*line)[*n - 1] == '\n') {
		--*n;
		if (*n && (*line)[*n - 1] == '\r')
			--*n;
	}
	(*line)[*n] = '\0';
	return POLLRT_READY;
}

enum pollrt_poll pollrt_reader_exact(struct pollrt_reader_exact *self, struct pollrt_cx *cx)
{
	ssize_t n;

	self->status = 0;
	while (self->done < self->size) {
		if (pollrt_reader_read(self->reader, (char *)self->buffer + self->done,
				       self->size - self->done, &n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (n <= 0) {
			self->status = n ? (int)n : -ENODATA;
			break;
		}
		self->done += (size_t)n;
	}
	return POLLRT_READY;
}

/* Writes some of the buffer to the sink. *@n as of pollrt_write(). */
static enum pollrt_poll sink_write(struct pollrt_writer *writer, ssize_t *n, struct pollrt_cx *cx)
{
	struct pollrt_file_write *write = &writer->write;
	const char *from = writer->buffer + writer->start;
	size_t size = writer->end - writer->start;

	if (writer->io)
		return pollrt_write(writer->io, from, size, n, cx);
	if (!write->op.job)
		*write = (struct pollrt_file_write){.file = writer->file,
						    .buffer = from,
						    .size = size,
						    .offset = writer->offset};
	if (pollrt_file_write(write, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	*n = write->n;
	if (*n > 0)
		writer->offset += (uint64_t)*n;
	return POLLRT_READY;
}

enum pollrt_poll pollrt_writer_flush(struct pollrt_writer *writer, int *status,
				     struct pollrt_cx *cx)
{
	ssize_t n;

	*status = 0;
	while (writer->start < writer->end) {
		if (sink_write(writer, &n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (n < 0) {
			*status = (int)n;
			return POLLRT_READY;
		}
		writer->start += (size_t)n;
	}
	writer->start = writer->end = 0;
	return POLLRT_READY;
}

enum pollrt_poll pollrt_writer_put(struct pollrt_writer_put *self, struct pollrt_cx *cx)
{
	struct pollrt_writer *writer = self->writer;
	size_t n;

	self->status = 0;
	while (self->done < self->size) {
		if (writer->end == writer->size) {
			if (pollrt_writer_flush(writer, &self->status, cx) == POLLRT_PENDING)
				return POLLRT_PENDING;
			if (self->status)
				break;
		}
		n = self->size - self->done;
		if (n > writer->size - writer->end)
			n = writer->size - writer->end;
		memcpy(writer->buffer + writer->end, (const char *)self->data + self->done, n);
		writer->end += n;
		self->done += n;
	}
	return POLLRT_READY;
}
