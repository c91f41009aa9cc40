// SPDX-License-Identifier: MIT
#include "attach/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/follow.h"
#include "util/clock.h"

#define POLL_BUDGET_NS (10 * 1000 * 1000) /* longest stay in launch_poll */
#define POLL_PAUSE_NS (20 * 1000)         /* between looks at an image that is starting */
#define DETACH_LIMIT_NS 2000000000        /* a thread that sleeps uninterruptibly stops no sooner */
#define KILL_LIMIT_MS 2000
#define MAX_GROUPS 256

struct launch {
	struct follow *follow;
	pid_t pid;
	int status; /* waitpid's; -1 while it lives */
};

/* Where in the child the way to exec ended. */
enum step {
	STEP_USER,
	STEP_EXEC,
};

struct child_error {
	enum step step;
	int error; /* errno */
};

/* All that the child needs, made before the fork: it must not allocate. */
struct child_plan {
	char *const *argv;
	char **env;
	const struct passwd *user; /* NULL: stay who we are */
	const struct rlimit *descriptors;
	gid_t groups[MAX_GROUPS];
	int group_count;
	int go[2]; /* the parent writes a byte when it traces us; closed without one: it is gone */
	int failed[2]; /* the child writes a child_error; closed by exec */
};

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void env_free(char **env)
{
	for (char **entry = env; env && *entry; entry++)
		free(*entry);
	free(env);
}

/* The environment with HOME, USER and LOGNAME of user. Returns NULL without memory. */
static char **env_for(const struct passwd *user)
{
	static const char *const names[] = {"HOME=", "USER=", "LOGNAME="};
	const char *const values[] = {user->pw_dir, user->pw_name, user->pw_name};
	size_t count = 0, kept = 0;
	char **env;

	while (environ[count])
		count++;
	env = calloc(count + 4, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool replaced = false;

		for (size_t n = 0; n < 3; n++)
			replaced |= !strncmp(environ[i], names[n], strlen(names[n]));
		if (!replaced && !(env[kept++] = strdup(environ[i])))
			goto fail;
	}
	for (size_t n = 0; n < 3; n++)
		if (asprintf(&env[kept + n], "%s%s", names[n], values[n]) < 0) {
			env[kept + n] = NULL;
			goto fail;
		}
	return env;
fail:
	env_free(env);
	return NULL;
}

static int become(const struct child_plan *plan)
{
	if (!plan->user)
		return 0;
	if (setgroups((size_t)plan->group_count, plan->groups) || setgid(plan->user->pw_gid) ||
	    setuid(plan->user->pw_uid))
		return -1;
	return 0;
}

static void child(const struct child_plan *plan)
{
	struct child_error failure = {STEP_USER, 0};
	sigset_t none;
	char byte;

	close(plan->go[1]);
	close(plan->failed[0]);
	if (read(plan->go[0], &byte, 1) != 1)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (plan->descriptors)
		setrlimit(RLIMIT_NOFILE, plan->descriptors);
	if (!become(plan)) {
		failure.step = STEP_EXEC;
		if (plan->env)
			environ = plan->env;
		execvp(plan->argv[0], plan->argv);
	}
	failure.error = errno;
	if (write(plan->failed[1], &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

static int plan_user(struct child_plan *plan, const char *name, char *why, size_t why_len)
{
	int count = MAX_GROUPS;

	errno = 0;
	plan->user = getpwnam(name);
	if (!plan->user) {
		snprintf(why, why_len, "no user '%s' on this system", name);
		return -ENOENT;
	}
	if (getgrouplist(name, plan->user->pw_gid, plan->groups, &count) < 0) {
		snprintf(why, why_len, "user '%s' is in more than %d groups", name, MAX_GROUPS);
		return -E2BIG;
	}
	plan->group_count = count;
	plan->env = env_for(plan->user);
	return plan->env ? 0 : -ENOMEM;
}

/* Takes COMMAND from its birth to its entry point, or to its end. */
static int run_to_entry(struct launch *launch, const struct launch_options *options,
			const struct child_plan *plan, char *why, size_t why_len)
{
	struct child_error failure;
	int err;

	err = follow_begin(launch->follow, launch->pid);
	if (err) {
		snprintf(why, why_len, "cannot trace '%s' with ptrace: %s", options->argv[0],
			 strerror(-err));
		return err;
	}
	if (write(plan->go[1], "", 1) != 1)
		return -errno;
	while (!follow_held(launch->follow) && !follow_empty(launch->follow)) {
		if (options->interrupted && *options->interrupted) {
			snprintf(why, why_len, "interrupted before '%s' had started",
				 options->argv[0]);
			return -EINTR;
		}
		err = follow_sweep(launch->follow);
		if (err < 0)
			return err;
		if (!err)
			pause_ns(POLL_PAUSE_NS);
	}
	launch->status = follow_status(launch->follow);
	if (read(plan->failed[0], &failure, sizeof(failure)) != sizeof(failure))
		return 0;
	if (failure.step == STEP_EXEC)
		snprintf(why, why_len, "cannot run '%s': %s", options->argv[0],
			 strerror(failure.error));
	else
		snprintf(why, why_len, "cannot become user '%s': %s%s", options->user,
			 strerror(failure.error),
			 failure.error == EPERM ? "; run pollscope as root" : "");
	return -failure.error;
}

int launch_start(struct launch **out, const struct launch_options *options, char *why,
		 size_t why_len)
{
	struct child_plan plan = {.argv = options->argv,
				  .descriptors = options->descriptors,
				  .go = {-1, -1},
				  .failed = {-1, -1}};
	struct launch *launch;
	int err;

	*out = NULL;
	why[0] = '\0';
	launch = calloc(1, sizeof(*launch));
	if (!launch) {
		snprintf(why, why_len, "out of memory");
		return -ENOMEM;
	}
	launch->status = -1;
	err = -ENOMEM;
	launch->follow = follow_new(options->on_image, options->ctx);
	if (!launch->follow)
		goto out;
	if (options->user) {
		err = plan_user(&plan, options->user, why, why_len);
		if (err)
			goto out;
	}
	err = -EMFILE;
	if (pipe2(plan.go, O_CLOEXEC) || pipe2(plan.failed, O_CLOEXEC))
		goto out;
	launch->pid = fork();
	if (!launch->pid)
		child(&plan);
	err = -errno;
	if (launch->pid < 0)
		goto out;
	close(plan.failed[1]);
	fcntl(plan.failed[0], F_SETFL, O_NONBLOCK);
	plan.failed[1] = -1;
	err = run_to_entry(launch, options, &plan, why, why_len);
out:
	for (int i = 0; i < 2; i++) {
		if (plan.go[i] >= 0)
			close(plan.go[i]);
		if (plan.failed[i] >= 0)
			close(plan.failed[i]);
	}
	env_free(plan.env);
	if (!err) {
		*out = launch;
		return 0;
	}
	if (!why[0])
		snprintf(why, why_len, "cannot launch '%s': %s", options->argv[0], strerror(-err));
	if (launch->pid > 0)
		launch_end(launch, 0);
	launch_free(launch);
	return err;
}

/* Looks whether COMMAND has ended; while it is traced, follow_sweep sees that. */
static void reap(struct launch *launch)
{
	int status;

	if (launch->status == -1)
		launch->status = follow_status(launch->follow);
	if (launch->status == -1 && follow_empty(launch->follow) &&
	    waitpid(launch->pid, &status, WNOHANG) == launch->pid)
		launch->status = status;
}

int launch_poll(struct launch *launch)
{
	uint64_t deadline = clock_monotonic_ns() + POLL_BUDGET_NS;
	int events;

	follow_release(launch->follow);
	do {
		events = follow_sweep(launch->follow);
		if (events < 0)
			return events;
		if (!events) {
			if (!follow_starting(launch->follow))
				break;
			pause_ns(POLL_PAUSE_NS);
		}
	} while (clock_monotonic_ns() < deadline);
	reap(launch);
	return launch->status == -1 || !follow_empty(launch->follow);
}

pid_t launch_pid(const struct launch *launch)
{
	return launch->pid;
}

bool launch_found(const struct launch *launch)
{
	size_t count;

	follow_claims(launch->follow, &count);
	return count > 0;
}

bool launch_following(const struct launch *launch)
{
	return !follow_empty(launch->follow);
}

void launch_detach(struct launch *launch)
{
	uint64_t deadline = clock_monotonic_ns() + DETACH_LIMIT_NS;

	follow_let_go(launch->follow);
	while (!follow_empty(launch->follow) && clock_monotonic_ns() < deadline)
		if (!follow_sweep(launch->follow))
			pause_ns(POLL_PAUSE_NS);
	reap(launch);
}

/* Sends a signal to every process that launch_end ends. */
static int signal_all(const struct launch *launch, int signal)
{
	const struct follow_claim *claims;
	size_t count;
	int err = 0;

	claims = follow_claims(launch->follow, &count);
	for (size_t i = 0; i < count; i++)
		if (claims[i].pid != launch->pid && claims[i].pidfd >= 0 &&
		    pidfd_send_signal(claims[i].pidfd, signal, NULL, 0) && errno == EPERM)
			err = -EPERM;
	/* Not reaped yet, so the id is still its own. */
	if (launch->status == -1 && kill(launch->pid, signal) && errno == EPERM)
		err = -EPERM;
	return err;
}

/* Waits until all that launch_end ends have ended. Returns 0 or -ETIMEDOUT. */
static int wait_all(struct launch *launch, unsigned int limit_ms)
{
	uint64_t deadline = clock_monotonic_ns() + (uint64_t)limit_ms * 1000000;
	const struct follow_claim *claims;
	size_t count;

	claims = follow_claims(launch->follow, &count);
	for (;;) {
		bool alive;

		reap(launch);
		alive = launch->status == -1;
		for (size_t i = 0; i < count; i++) {
			struct pollfd end = {claims[i].pidfd, POLLIN, 0};

			/* A pidfd is readable from its process's end on. */
			alive |= claims[i].pid != launch->pid && end.fd >= 0 &&
				 poll(&end, 1, 0) == 0;
		}
		if (!alive)
			return 0;
		if (clock_monotonic_ns() >= deadline)
			return -ETIMEDOUT;
		pause_ns(1000 * 1000);
	}
}

int launch_end(struct launch *launch, unsigned int grace_ms)
{
	int err;

	launch_detach(launch);
	err = signal_all(launch, SIGTERM);
	if (err)
		return err;
	/* One that job control has stopped would not see the other signal. */
	signal_all(launch, SIGCONT);
	if (!wait_all(launch, grace_ms))
		return 0;
	signal_all(launch, SIGKILL);
	return wait_all(launch, KILL_LIMIT_MS);
}

int launch_status(const struct launch *launch)
{
	return launch->status;
}

void launch_free(struct launch *launch)
{
	if (!launch)
		return;
	launch_detach(launch);
	follow_free(launch->follow);
	free(launch);
}
