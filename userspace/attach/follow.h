/* SPDX-License-Identifier: MIT */
/*
 * Processes under ptrace on their way to a runtime: the half of launch.h that knows ptrace. Each
 * image that a followed process executes is stepped from its exec to its entry point, and shown to
 * on_image on the way.
 */
#ifndef POLLSCOPE_ATTACH_FOLLOW_H
#define POLLSCOPE_ATTACH_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct follow;

/* A process that on_image claimed. */
struct follow_claim {
	pid_t pid;
	int pidfd; /* -1 if it could not be opened */
};

/* Creates an empty set; on_image as in launch_options. Returns NULL without memory. */
struct follow *follow_new(int (*on_image)(pid_t pid, void *ctx), void *ctx);

/*
 * Begins with our child pid, which must not have called exec yet; its first image is held at its
 * entry point. It dies with this thread until that image has been let run. Returns 0 or a negative
 * errno of ptrace.
 */
int follow_begin(struct follow *follow, pid_t pid);

/*
 * Handles what is pending, without waiting. Returns the number of events, or the negative errno of
 * on_image, whose following has then been given up (follow_let_go).
 */
int follow_sweep(struct follow *follow);

/* Lets the first image run. */
void follow_release(struct follow *follow);

/* Asks every process to go on untraced; each is, when follow_sweep has seen it stop. */
void follow_let_go(struct follow *follow);

/* Whether no process is traced any more. */
bool follow_empty(const struct follow *follow);

/* Whether the first image stands at its entry point. */
bool follow_held(const struct follow *follow);

/* Whether an image is between its exec and its entry point. */
bool follow_starting(const struct follow *follow);

/* How the first process ended, as waitpid's status; -1 if that has not been seen. */
int follow_status(const struct follow *follow);

/* The processes claimed so far; *count is their number. */
const struct follow_claim *follow_claims(const struct follow *follow, size_t *count);

/* Forgets everything. What is still traced stays so until this thread ends. NULL is allowed. */
void follow_free(struct follow *follow);

#endif
