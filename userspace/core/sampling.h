/* SPDX-License-Identifier: MIT */
/*
 * Sampled polls. From EVENT_SAMPLING on one poll in so many is timed and the others are counted, and wakes
 * are not told. What is measured of polls that began later is kept apart (of kinds, causes, weights and
 * threads), for it stands for those that were skipped, too; it is scaled type by type when the model is
 * made, where EVENT_SKIPPED has told how many these are.
 */
#ifndef POLLSCOPE_CORE_SAMPLING_H
#define POLLSCOPE_CORE_SAMPLING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"

#define SAMPLING_TASKS (1 << 20) /* of a source, that are kept in any case */

struct correlator;
struct kind;
struct source;
struct thread;

/* EVENT_SAMPLING, EVENT_SKIPPED. Returns 0 or -ENOMEM. */
int sampling_take(struct correlator *correlator, const struct event *event);

/*
 * Takes tasks that were not seen for long for ended, where there are too many: most that end do so in a
 * poll that is skipped, and would be kept for ever. Returns 0 or -ENOMEM.
 */
int sampling_relieve(struct correlator *correlator, struct source *source);

/* Whether what a thread does now is part of a sampled poll; only its end will tell for certain. */
bool sampling_covers(const struct correlator *correlator, const struct thread *thread);

/* All is told: gives what was skipped to the kinds that polled it, and to the workers. */
void sampling_settle(struct correlator *correlator);

/* Says of kinds of one type how their times are scaled, and returns the polls skipped. */
uint64_t sampling_scale(struct kind *const *kinds, size_t count);

#endif
