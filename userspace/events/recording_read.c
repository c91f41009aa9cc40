// SPDX-License-Identifier: MIT
#include "events/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events/chunk.h"
#include "events/format.h"

#define READ_BYTES (256 * 1024) /* at a time */

/* A window on the file: bytes [at, end) of it are in the buffer. */
struct recording {
	int fd;
	bool at_end_of_file;
	uint8_t *buffer;
	size_t at, end, capacity;
	struct chunk_reader *chunk;
	uint32_t next; /* number of the next chunk */
	struct chunk_counts counts;
	struct recording_stats stats;
};

static size_t available(const struct recording *recording)
{
	return recording->end - recording->at;
}

static int make_room(struct recording *recording, size_t size)
{
	size_t capacity = size > READ_BYTES ? size : READ_BYTES;
	uint8_t *buffer;

	if (recording->at && available(recording))
		memmove(recording->buffer, recording->buffer + recording->at, available(recording));
	recording->end -= recording->at;
	recording->at = 0;
	if (capacity <= recording->capacity)
		return 0;
	buffer = realloc(recording->buffer, capacity);
	if (!buffer)
		return -ENOMEM;
	recording->buffer = buffer;
	recording->capacity = capacity;
	return 0;
}

/*
 * Reads on until `size` bytes are in the window, or the file ends. Returns 0 or a negative errno.
 */
static int fill(struct recording *recording, size_t size)
{
	int err;

	if (available(recording) >= size || recording->at_end_of_file)
		return 0;
	err = make_room(recording, size);
	if (err)
		return err;
	while (available(recording) < size) {
		ssize_t n = read(recording->fd, recording->buffer + recording->end,
				 recording->capacity - recording->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			recording->at_end_of_file = true;
			break;
		}
		recording->end += (size_t)n;
		recording->stats.bytes += (uint64_t)n;
	}
	return 0;
}

static int read_header(struct recording *recording, uint16_t *major)
{
	struct recording_stats *stats = &recording->stats;
	int err = fill(recording, FORMAT_FILE_BYTES);

	*major = 0;
	if (err)
		return err;
	if (available(recording) < FORMAT_FILE_BYTES ||
	    !format_read_file(recording->buffer, &stats->major, &stats->minor))
		return -EBADMSG;
	*major = stats->major;
	recording->at = FORMAT_FILE_BYTES;
	return stats->major > RECORDING_MAJOR ? -ENOTSUP : 0;
}

int recording_open(const char *path, struct recording **out, uint16_t *major)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int err = -ENOMEM;

	*major = 0;
	if (!recording)
		return -ENOMEM;
	recording->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (recording->fd < 0) {
		err = -errno;
		goto fail;
	}
	recording->chunk = chunk_reader_new();
	if (!recording->chunk)
		goto fail;
	err = read_header(recording, major);
	if (err)
		goto fail;
	*out = recording;
	return 0;
fail:
	recording_close(recording);
	return err;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->fd >= 0)
		close(recording->fd);
	chunk_reader_free(recording->chunk);
	free(recording->buffer);
	free(recording);
}

/*
 * Goes to where the next chunk may begin, at least one byte on. Its header is in the window then.
 */
static int skip_damage(struct recording *recording)
{
	uint64_t *skipped = &recording->stats.damaged_bytes;
	const uint8_t *found;
	size_t n;
	int err;

	recording->at++;
	(*skipped)++;
	for (;;) {
		err = fill(recording, FORMAT_CHUNK_BYTES);
		if (err)
			return err;
		n = available(recording);
		found = memmem(recording->buffer + recording->at, n, format_chunk_magic,
			       FORMAT_MAGIC_BYTES);
		if (found)
			n = (size_t)(found - recording->buffer) - recording->at;
		else if (!recording->at_end_of_file)
			n -= FORMAT_MAGIC_BYTES - 1;
		recording->at += n;
		*skipped += n;
		if (found || recording->at_end_of_file)
			return 0;
	}
}

/* Chunks between the last one seen and this one are missing. */
static void count_missing(struct recording *recording, uint32_t number)
{
	if (number > recording->next)
		recording->stats.damaged_chunks += number - recording->next;
	recording->next = number + 1;
}

static void count_good(struct recording *recording, const struct format_chunk *header)
{
	struct recording_stats *stats = &recording->stats;

	if (!stats->chunks || header->first_time < stats->first_time)
		stats->first_time = header->first_time;
	if (header->last_time > stats->last_time)
		stats->last_time = header->last_time;
	stats->raw_bytes += header->raw_size;
	stats->chunks++;
}

/* Reads the events of a chunk whose header and payload are in the window. */
static int read_events(struct recording *recording, const struct format_chunk *header,
		       struct event_sink *sink, bool *damaged)
{
	struct chunk chunk = {
		.payload = recording->buffer + recording->at + FORMAT_CHUNK_BYTES,
		.size = header->size,
		.raw_size = header->raw_size,
		.events = (uint32_t)header->events,
	};

	return chunk_reader_read(recording->chunk, &chunk, sink, &recording->counts, damaged);
}

/* Reads a chunk whose header is at the window's begin; *damaged: go on behind the header. */
static int read_chunk(struct recording *recording, const struct format_chunk *header,
		      struct event_sink *sink, bool *damaged)
{
	size_t size = FORMAT_CHUNK_BYTES + header->size;
	int err = fill(recording, size);

	*damaged = available(recording) < size;
	if (err)
		return err;
	/* The last chunk of a recording that is cut is not counted as damaged, but where more
	 * follows. */
	if (!*damaged)
		count_missing(recording, header->number);
	if (!*damaged && header->type == FORMAT_EVENTS) {
		err = read_events(recording, header, sink, damaged);
		if (*damaged)
			recording->stats.damaged_chunks++;
		else if (!err)
			count_good(recording, header);
	}
	if (!*damaged)
		recording->at += size;
	return err;
}

int recording_read(struct recording *recording, struct event_sink *sink)
{
	struct recording_stats *stats = &recording->stats;
	struct format_chunk header = {0};
	bool damaged;
	int err;

	stats->cut = true;
	for (;;) {
		err = fill(recording, FORMAT_CHUNK_BYTES);
		if (err || available(recording) < FORMAT_CHUNK_BYTES)
			break;
		damaged = !format_read_chunk(recording->buffer + recording->at, &header);
		if (!damaged)
			err = read_chunk(recording, &header, sink, &damaged);
		if (!err && damaged)
			err = skip_damage(recording);
		if (err)
			break;
		if (!damaged && header.type == FORMAT_END) {
			stats->cut = false;
			break;
		}
	}
	if (stats->cut)
		stats->damaged_bytes += available(recording);
	memcpy(stats->events, recording->counts.events, sizeof(stats->events));
	stats->unknown_events = recording->counts.unknown;
	stats->unsound_events = recording->counts.unsound;
	return err;
}

const struct recording_stats *recording_stats(const struct recording *recording)
{
	return &recording->stats;
}
