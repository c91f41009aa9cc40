// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pollrt_io.h"

struct pollrt_file {
	int fd;
	_Atomic unsigned int refs; /**< of who opened it, and of jobs */
};

/* Shared by an operation and the job that carries it out: whoever is last frees it. */
struct file_job {
	_Atomic unsigned int refs;
	struct pollrt_file *file; /**< with a reference; of an open its result, or NULL */
	int flags;
	mode_t mode;
	uint64_t offset;
	size_t size;
	ssize_t result; /**< -ECANCELED until the job has run */
	unsigned char data[];
};

/* The state of a blocking job. */
struct file_run {
	struct file_job *job;
};

void pollrt_file_close(struct pollrt_file *file)
{
	if (!file || atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) != 1)
		return;
	close(file->fd);
	free(file);
}

int pollrt_file_fd(const struct pollrt_file *file)
{
	return file->fd;
}

static struct file_job *job_new(struct pollrt_file *file, size_t size)
{
	struct file_job *job;

	if (size > PTRDIFF_MAX - sizeof(*job))
		return NULL;
	job = malloc(sizeof(*job) + size);
	if (!job)
		return NULL;
	*job = (struct file_job){.refs = 1, .file = file, .size = size, .result = -ECANCELED};
	if (file)
		atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
	return job;
}

static void job_unref(struct file_job *job)
{
	if (atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) != 1)
		return;
	pollrt_file_close(job->file);
	free(job);
}

static void run_drop(struct file_run *run)
{
	job_unref(run->job);
}

static void op_end(struct pollrt_file_op *op)
{
	pollrt_join_detach(&op->join);
	job_unref(op->job);
	op->job = NULL;
}

static void op_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_file_op *op = POLLRT_CONTAINER_OF(cleanup, struct pollrt_file_op, cleanup);

	pollrt_join_abort(&op->join);
	op_end(op);
}

/* Hands @job, or NULL for want of memory, to the blocking pool. Returns 0 or a negative errno. */
static int op_start(struct pollrt_file_op *op, struct file_job *job, const struct pollrt_kind *kind,
		    void (*function)(struct file_run *run), struct pollrt_cx *cx)
{
	struct file_run run = {.job = job};
	int err;

	if (!job)
		return -ENOMEM;
	job->refs++;
	err = pollrt_spawn_blocking_spec(NULL, &op->join,
					 &(struct pollrt_spec){.kind = kind,
							       .job = (pollrt_job_fn)function,
							       .drop = (pollrt_drop_fn)run_drop,
							       .state = &run,
							       .size = sizeof(run)});
	if (err) {
		job->refs--;
		job_unref(job);
		return err;
	}
	op->job = job;
	pollrt_defer(cx, &op->cleanup, op_drop);
	return 0;
}

/* Waits for the job's end; then the operation has to take its results and op_end(). */
static enum pollrt_poll op_wait(struct pollrt_file_op *op, struct pollrt_cx *cx)
{
	if (pollrt_join(&op->join, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	pollrt_undefer(&op->cleanup);
	return POLLRT_READY;
}

static void run_open(struct file_run *run)
{
	struct file_job *job = run->job;
	struct pollrt_file *file = malloc(sizeof(*file));

	job->result = -ENOMEM;
	if (!file)
		return;
	*file = (struct pollrt_file){.refs = 1};
	do {
		file->fd = open((const char *)job->data, job->flags | O_CLOEXEC, job->mode);
	} while (file->fd < 0 && errno == EINTR);
	if (file->fd < 0) {
		job->result = -errno;
		free(file);
		return;
	}
	job->file = file;
	job->result = 0;
}

enum pollrt_poll pollrt_file_open(struct pollrt_file_open *self, struct pollrt_cx *cx)
{
	static const struct pollrt_kind kind = {"pollrt_file_open", __FILE__, __LINE__};

	if (!self->op.job) {
		size_t size = strlen(self->path) + 1;
		struct file_job *job = job_new(NULL, size);

		if (job) {
			memcpy(job->data, self->path, size);
			job->flags = self->flags;
			job->mode = self->mode;
		}
		self->status = op_start(&self->op, job, &kind, run_open, cx);
		if (self->status)
			return POLLRT_READY;
	}
	if (op_wait(&self->op, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->status = (int)self->op.job->result;
	self->file = self->op.job->file;
	self->op.job->file = NULL;
	op_end(&self->op);
	return POLLRT_READY;
}

/* All of it, with pread(2) or pwrite(2). Returns a count if it has one, else a negative errno. */
static ssize_t transfer(struct file_job *job, bool write)
{
	size_t done = 0;
	ssize_t n;

	while (done < job->size) {
		void *data = job->data + done;
		off_t at = (off_t)(job->offset + done);

		n = write ? pwrite(job->file->fd, data, job->size - done, at)
			  : pread(job->file->fd, data, job->size - done, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return done ? (ssize_t)done : -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static void run_read(struct file_run *run)
{
	run->job->result = transfer(run->job, false);
}

enum pollrt_poll pollrt_file_read(struct pollrt_file_read *self, struct pollrt_cx *cx)
{
	static const struct pollrt_kind kind = {"pollrt_file_read", __FILE__, __LINE__};

	if (!self->op.job) {
		struct file_job *job = job_new(self->file, self->size);

		if (job)
			job->offset = self->offset;
		self->n = op_start(&self->op, job, &kind, run_read, cx);
		if (self->n)
			return POLLRT_READY;
	}
	if (op_wait(&self->op, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->n = self->op.job->result;
	if (self->n > 0)
		memcpy(self->buffer, self->op.job->data, (size_t)self->n);
	op_end(&self->op);
	return POLLRT_READY;
}

static void run_write(struct file_run *run)
{
	run->job->result = transfer(run->job, true);
}

enum pollrt_poll pollrt_file_write(struct pollrt_file_write *self, struct pollrt_cx *cx)
{
	static const struct pollrt_kind kind = {"pollrt_file_write", __FILE__, __LINE__};

	if (!self->op.job) {
		struct file_job *job = job_new(self->file, self->size);

		if (job) {
			job->offset = self->offset;
			memcpy(job->data, self->buffer, self->size);
		}
		self->n = op_start(&self->op, job, &kind, run_write, cx);
		if (self->n)
			return POLLRT_READY;
	}
	if (op_wait(&self->op, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->n = self->op.job->result;
	op_end(&self->op);
	return POLLRT_READY;
}

static void run_sync(struct file_run *run)
{
	struct file_job *job = run->job;
	int fd = job->file->fd, err;

	do {
		err = job->flags ? fdatasync(fd) : fsync(fd);
	} while (err && errno == EINTR);
	job->result = err ? -errno : 0;
}

enum pollrt_poll pollrt_file_sync(struct pollrt_file_sync *self, struct pollrt_cx *cx)
{
	static const struct pollrt_kind kind = {"pollrt_file_sync", __FILE__, __LINE__};

	if (!self->op.job) {
		struct file_job *job = job_new(self->file, 0);

		if (job)
			job->flags = self->data_only;
		self->status = op_start(&self->op, job, &kind, run_sync, cx);
		if (self->status)
			return POLLRT_READY;
	}
	if (op_wait(&self->op, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->status = (int)self->op.job->result;
	op_end(&self->op);
	return POLLRT_READY;
}
