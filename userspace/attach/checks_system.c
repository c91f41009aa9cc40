// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "attach/calibrate.h"
#include "attach/checks.h"
#include "attach/procfs.h"
#include "attach/tracer.h"
#include "attach/tracer_prepare.h"
#include "symbolize/kallsyms.h"
#include "util/clock.h"
#include "util/native.h"

#define VERSION(major, minor) ((major)*1000 + (minor))
#define OLDEST_TESTED VERSION(6, 1)
#define OLDEST                                                                                     \
	VERSION(5, 18) /* sched_switch tells the state that the thread left with (9c2136be0878) */

#define TRIAL_RING (64 << 10)

/* First line of a small file; "" if it cannot be read. */
static void line_read(const char *path, char *line, size_t size)
{
	FILE *in = fopen(path, "re");

	line[0] = '\0';
	if (!in)
		return;
	if (!fgets(line, size, in))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(in);
}

static void check_kernel(struct checks *checks)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (VERSION(major, minor) >= OLDEST_TESTED)
		checks_add(checks, CHECK_OK, "kernel", "", "%s %s", name.release, name.machine);
	else
		checks_add(checks, VERSION(major, minor) < OLDEST ? CHECK_FAIL : CHECK_NOTE,
			   "kernel", "use Linux 6.1 or newer",
			   "%s is older than what pollscope is tested on", name.release);
	if (NATIVE_MACHINE != EM_X86_64)
		checks_add(checks, CHECK_NOTE, "machine",
			   "trace Tokio on x86_64, or one with USDT probes",
			   "tasks of an unmodified Tokio are not found on %s: USDT probes are all "
			   "that is looked for",
			   name.machine);
}

static void check_btf(struct checks *checks)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		checks_add(checks, CHECK_OK, "BTF", "", "the kernel describes its types");
	else
		checks_add(checks, CHECK_FAIL, "BTF",
			   "use a kernel built with CONFIG_DEBUG_INFO_BTF, as distributions do",
			   "/sys/kernel/btf/vmlinux: %s", strerror(errno));
}

struct capability {
	int bit;
	const char *name;
	enum check_state without;
	const char *use;
};

static const struct capability capabilities[] = {
	{CAP_BPF, "CAP_BPF", CHECK_FAIL, "loading the programs"},
	{CAP_PERFMON, "CAP_PERFMON", CHECK_FAIL,
	 "attaching to probes, the scheduler and the "
	 "sampling clock"},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", CHECK_NOTE,
	 "targets of other users, and what their "
	 "descriptors name"},
	{CAP_SYSLOG, "CAP_SYSLOG", CHECK_NOTE, "names of kernel functions"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", CHECK_NOTE,
	 "targets whose files were deleted or "
	 "replaced, and uprobes on kernels before 6.6"},
};

static void check_capabilities(struct checks *checks)
{
	uint64_t effective = procfs_own_capabilities();

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const struct capability *c = &capabilities[i];

		if (effective >> c->bit & 1)
			checks_add(checks, CHECK_OK, c->name, "", "for %s", c->use);
		else
			checks_add(checks, c->without, c->name, "run as root (sudo), or grant it",
				   "missing: needed for %s", c->use);
	}
}

static void check_lockdown(struct checks *checks)
{
	char line[128];

	line_read("/sys/kernel/security/lockdown", line, sizeof(line));
	if (strstr(line, "[confidentiality]"))
		checks_add(checks, CHECK_FAIL, "lockdown", "boot with lockdown=integrity or none",
			   "confidentiality: BPF programs may not read kernel memory");
	else
		checks_add(checks, CHECK_OK, "lockdown", "", "%s",
			   line[0] ? line : "not part of this kernel");
}

static void check_paranoid(struct checks *checks)
{
	char line[32];

	line_read("/proc/sys/kernel/perf_event_paranoid", line, sizeof(line));
	checks_add(checks, CHECK_OK, "perf_event_paranoid", "",
		   "%s; it limits only those without CAP_PERFMON", line[0] ? line : "unknown");
}

static void check_tracefs(struct checks *checks)
{
	bool mounted = !access("/sys/kernel/tracing/trace", F_OK);

	checks_add(checks, CHECK_OK, "tracefs", "", "%s; pollscope does without",
		   mounted ? "mounted" : "not mounted");
}

static void check_kallsyms(struct checks *checks)
{
	struct kallsyms *kallsyms = kallsyms_new(NULL);
	int err = kallsyms ? kallsyms_load(kallsyms) : -ENOMEM;

	if (!err)
		checks_add(checks, CHECK_OK, "kernel symbols", "", "readable");
	else
		checks_add(checks, CHECK_NOTE, "kernel symbols",
			   "needs CAP_SYSLOG and kernel.kptr_restrict below 2",
			   "hidden (%s): kernel frames have no names, page faults in system calls "
			   "are not told apart",
			   strerror(-err));
	kallsyms_free(kallsyms);
}

/* The real thing, on this very process. */
static void check_trial(struct checks *checks)
{
	struct kallsyms *kallsyms = kallsyms_new(NULL);
	struct tracer_options options = {
		.ring_bytes = TRIAL_RING,
		.sample_hz = 99,
		.await_stacks = 1,
		.kallsyms = kallsyms,
	};
	struct tracer *tracer = NULL;
	struct calibration cost;
	char why[256] = "out of memory";
	int err = -ENOMEM;

	if (kallsyms)
		err = tracer_prepare(&tracer, &options, &cost, why, sizeof(why));
	tracer_free(tracer);
	kallsyms_free(kallsyms);
	if (err) {
		checks_add(checks, CHECK_FAIL, "trial",
			   "see the lines above; POLLSCOPE_DEBUG=1 shows what the kernel says",
			   "%s", why);
		return;
	}
	checks_add(checks, CHECK_OK, "trial", "",
		   "programs load and attach by %s; a poll of Tokio costs %" PRIu64
		   " ns more, a wake %" PRIu64 " ns; with USDT probes a poll %" PRIu64
		   " ns, another probe %" PRIu64 " ns; where a task waits a hit costs %" PRIu64
		   " ns",
		   options.session ? "multi-uprobe links, with sessions"
		   : options.multi ? "multi-uprobe links"
				   : "one perf event a probe",
		   cost.tokio_poll_ns, cost.tokio_wake_ns, cost.poll_ns, cost.signal_ns,
		   cost.await_ns);
}

void checks_system(struct checks *checks)
{
	check_kernel(checks);
	check_btf(checks);
	check_capabilities(checks);
	check_lockdown(checks);
	check_paranoid(checks);
	check_tracefs(checks);
	check_kallsyms(checks);
	check_trial(checks);
}
