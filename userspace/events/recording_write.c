// SPDX-License-Identifier: MIT
#include "events/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "events/chunk.h"
#include "events/format.h"

struct recording_writer {
	struct event_sink sink;
	struct chunk_writer *chunk;
	int fd;
	int error;   /* sticky */
	off_t start; /* of the recording in the file; -1: not seekable */
	uint64_t bytes;
	uint32_t chunks;
	uint64_t events;
	uint64_t first_time, last_time;
};

static int write_all(int fd, struct iovec *iov, int n)
{
	while (n) {
		ssize_t written = writev(fd, iov, n);

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (; n && (size_t)written >= iov->iov_len; iov++, n--)
			written -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + written;
			iov->iov_len -= (size_t)written;
		}
	}
	return 0;
}

/* Appends header and payload, or fails and leaves neither. */
static int append(struct recording_writer *writer, void *header, size_t header_size,
		  const void *payload, size_t size)
{
	struct iovec iov[] = {{header, header_size}, {(void *)payload, size}};
	int err = write_all(writer->fd, iov, size ? 2 : 1);

	if (!err)
		writer->bytes += header_size + size;
	else if (writer->start < 0 ||
		 ftruncate(writer->fd, writer->start + (off_t)writer->bytes) < 0)
		writer->start = -1; /* a pipe, say: what is left reads as cut */
	return err;
}

static int write_chunk(struct recording_writer *writer)
{
	uint8_t header[FORMAT_CHUNK_BYTES];
	struct chunk chunk;
	int err = chunk_writer_finish(writer->chunk, &chunk);

	if (err || !chunk.events)
		return err;
	format_write_chunk(header, &(struct format_chunk){
					   .type = FORMAT_EVENTS,
					   .number = writer->chunks,
					   .size = chunk.size,
					   .raw_size = chunk.raw_size,
					   .events = chunk.events,
					   .first_time = chunk.first_time,
					   .last_time = chunk.last_time,
				   });
	err = append(writer, header, sizeof(header), chunk.payload, chunk.size);
	if (err)
		return err;
	if (!writer->chunks || chunk.first_time < writer->first_time)
		writer->first_time = chunk.first_time;
	if (chunk.last_time > writer->last_time)
		writer->last_time = chunk.last_time;
	writer->events += chunk.events;
	writer->chunks++;
	return 0;
}

static int write_end(struct recording_writer *writer)
{
	uint8_t header[FORMAT_CHUNK_BYTES];

	format_write_chunk(header, &(struct format_chunk){
					   .type = FORMAT_END,
					   .number = writer->chunks,
					   .events = writer->events,
					   .first_time = writer->first_time,
					   .last_time = writer->last_time,
				   });
	return append(writer, header, sizeof(header), NULL, 0);
}

int recording_writer_flush(struct recording_writer *writer)
{
	if (!writer->error)
		writer->error = write_chunk(writer);
	return writer->error;
}

static int take(struct event_sink *sink, const struct event *event)
{
	struct recording_writer *writer =
		(struct recording_writer *)((char *)sink - offsetof(struct recording_writer, sink));

	if (writer->error)
		return writer->error;
	writer->error = chunk_writer_add(writer->chunk, event);
	if (!writer->error && chunk_writer_bytes(writer->chunk) >= CHUNK_TARGET_BYTES)
		writer->error = write_chunk(writer);
	return writer->error;
}

int recording_writer_open_fd(int fd, struct recording_writer **out)
{
	struct recording_writer *writer = calloc(1, sizeof(*writer));
	uint8_t header[FORMAT_FILE_BYTES];
	int err = -ENOMEM;

	if (!writer) {
		close(fd);
		return -ENOMEM;
	}
	writer->sink.take = take;
	writer->fd = fd;
	writer->start = lseek(fd, 0, SEEK_CUR);
	writer->chunk = chunk_writer_new();
	if (!writer->chunk)
		goto fail;
	format_write_file(header);
	err = append(writer, header, sizeof(header), NULL, 0);
	if (err)
		goto fail;
	*out = writer;
	return 0;
fail:
	chunk_writer_free(writer->chunk);
	close(fd);
	free(writer);
	return err;
}

int recording_writer_open(const char *path, struct recording_writer **writer)
{
	/* Command lines and paths may be confidential. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;
	bool created = fd >= 0;

	if (!created && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = recording_writer_open_fd(fd, writer);
	if (err && created)
		unlink(path);
	return err;
}

struct event_sink *recording_writer_sink(struct recording_writer *writer)
{
	return &writer->sink;
}

uint64_t recording_writer_bytes(const struct recording_writer *writer)
{
	return writer->bytes;
}

int recording_writer_close(struct recording_writer *writer)
{
	int err;

	if (!writer)
		return 0;
	err = recording_writer_flush(writer);
	if (!err)
		err = write_end(writer);
	if (close(writer->fd) < 0 && !err)
		err = -errno;
	chunk_writer_free(writer->chunk);
	free(writer);
	return err;
}
