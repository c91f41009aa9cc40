// SPDX-License-Identifier: MIT
#include "attach/tracer_prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/calibrate.h"
#include "attach/probe_links.h"
#include "attach/tracer.h"

static int open_and_calibrate(struct tracer **out, const struct tracer_options *options,
			      struct calibration *cost, char *why, size_t why_len)
{
	int err = tracer_open(out, options, why, why_len);

	if (err)
		return err;
	err = calibrate(*out, cost);
	if (!err)
		return 0;
	tracer_free(*out);
	*out = NULL;
	snprintf(why, why_len, "cannot attach uprobes: %s", strerror(-err));
	return err;
}

/* Whether our clock is not the programs': they read that of no time namespace (time_namespaces(7)). */
static bool clock_is_shifted(void)
{
	FILE *in = fopen("/proc/self/timens_offsets", "re");
	long long seconds, ns;
	bool is_told;

	if (!in)
		return false;
	is_told = fscanf(in, "monotonic %lld %lld", &seconds, &ns) == 2;
	fclose(in);
	return is_told && (seconds || ns);
}

/* Whether a kernel that lacks something would say this; -ENOTSUP: it has it, but it does not work. */
static int is_lack(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -ENOTSUP;
}

int tracer_prepare(struct tracer **out, struct tracer_options *options, struct calibration *cost,
		   char *why, size_t why_len)
{
	int err;

	if (clock_is_shifted()) {
		snprintf(why, why_len,
			 "in this time namespace the clock is not the kernel's: run outside of it");
		return -EOPNOTSUPP;
	}
	options->multi = true;
	options->session = probe_links_session();
	err = open_and_calibrate(out, options, cost, why, why_len);
	if (is_lack(err) && options->session) {
		options->session = false;
		err = open_and_calibrate(out, options, cost, why, why_len);
	}
	if (is_lack(err)) {
		options->multi = false;
		err = open_and_calibrate(out, options, cost, why, why_len);
	}
	return err;
}
