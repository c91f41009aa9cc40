/* SPDX-License-Identifier: MIT */
/* What tests of the command line share: a recording to look at, and how it says no. */
#ifndef POLLSCOPE_TESTS_E2E_REFUSAL_H
#define POLLSCOPE_TESTS_E2E_REFUSAL_H

#include "harness.h"
#include "process.h"

/* A recording of a target that blocks now and then. */
const char *sample_recording(struct e2e *e);

/* The text is one line of an error. */
void assert_one_line(const char *text);

/* It ended with the status, printed nothing, and said one line that has `about` in it. */
void assert_refused(struct process *tracer, int status, const char *about);

#endif
