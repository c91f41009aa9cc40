/* SPDX-License-Identifier: MIT */
/*
 * What a task vtable is for. Jobs of the blocking pool are made of the same parts as tasks, and so
 * are the loops of the workers, which are such jobs.
 */
#ifndef POLLSCOPE_TOKIO_CLASSIFY_H
#define POLLSCOPE_TOKIO_CLASSIFY_H

struct code;
struct image;
struct vtables;

enum vtable_class {
	VTABLE_TASK,
	VTABLE_JOB,    /* spawn_blocking()'s */
	VTABLE_WORKER, /* a job that is a worker's loop, for as long as the runtime lives */
};

/* classify() - fills in class[i] of each vtable. 0 or -ENOMEM. */
int classify(const struct image *image, struct code *code, const struct vtables *vtables,
	     enum vtable_class *class);

#endif
