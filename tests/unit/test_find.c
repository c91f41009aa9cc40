// SPDX-License-Identifier: MIT
// links: attach util
/* Finding processes: children of the test that have the names and states in question. */
#include "attach/find.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char why[256];

/* A child with this comm, which waits to be killed. */
static pid_t child_named(const char *comm)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void every_process_with_the_comm_is_found(void **state)
{
	pid_t first = child_named("find (me) 1"), second = child_named("find (me) 1");
	pid_t other = child_named("find (me) 12");
	struct find_pids found;

	(void)state;
	assert_int_equal(find_by_name("find (me) 1", &found, why, sizeof(why)), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.pids[0], first < second ? first : second);
	assert_int_equal(found.pids[1], first < second ? second : first);
	find_free(&found);
	end(first);
	end(second);
	end(other);
}

static void copy_file(const char *from, const char *to)
{
	struct stat info;
	int in, out;

	in = open(from, O_RDONLY);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	assert_true(in >= 0 && out >= 0);
	fstat(in, &info);
	assert_int_equal(sendfile(out, in, NULL, (size_t)info.st_size), info.st_size);
	close(in);
	close(out);
}

/* The kernel cuts a comm to 15 bytes; the executable's name is whole, also after it was removed. */
static void executable_name_is_found(void **state)
{
	char dir[] = "/tmp/pollscope-find-XXXXXX", path[128];
	struct find_pids found;
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a-program-with-a-long-name", dir);
	copy_file("/bin/sleep", path);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, "else", "100", NULL);
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	assert_int_equal(find_by_name("a-program-with-a-long-name", &found, why, sizeof(why)), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.pids[0], pid);
	find_free(&found);
	unlink(path);
	assert_int_equal(find_by_name("a-program-with-a-long-name", &found, why, sizeof(why)), 0);
	assert_int_equal(found.pids[0], pid);
	find_free(&found);
	rmdir(dir);
	end(pid);
}

static void own_process_is_not_found(void **state)
{
	struct find_pids found;

	(void)state;
	prctl(PR_SET_NAME, "pollscope-self");
	assert_int_equal(find_by_name("pollscope-self", &found, why, sizeof(why)), -ESRCH);
	assert_int_equal(found.count, 0);
	assert_non_null(strstr(why, "'pollscope-self'"));
}

static void zombie_is_not_a_target(void **state)
{
	struct find_pids found;
	char list[32];
	siginfo_t info;
	pid_t pid = child_named("find-zombie");

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(find_by_name("find-zombie", &found, why, sizeof(why)), -ESRCH);
	snprintf(list, sizeof(list), "%d", pid);
	assert_int_equal(find_by_pids(list, &found, why, sizeof(why)), -ESRCH);
	assert_non_null(strstr(why, "has ended already"));
	waitpid(pid, NULL, 0);
	assert_int_equal(find_by_pids(list, &found, why, sizeof(why)), -ESRCH);
	assert_non_null(strstr(why, "no process has the id"));
}

static void empty_name_is_refused(void **state)
{
	struct find_pids found;

	(void)state;
	assert_int_equal(find_by_name("", &found, why, sizeof(why)), -EINVAL);
}

static void list_is_sorted_and_without_doubles(void **state)
{
	pid_t a = child_named("find-a"), b = child_named("find-b");
	struct find_pids found;
	char list[64];

	(void)state;
	snprintf(list, sizeof(list), "%d,%d,%d", b, a, b);
	assert_int_equal(find_by_pids(list, &found, why, sizeof(why)), 0);
	assert_int_equal(found.count, 2);
	assert_true(found.pids[0] < found.pids[1]);
	find_free(&found);
	end(a);
	end(b);
}

static void malformed_lists_are_refused(void **state)
{
	static const char *const lists[] = {"",          ",",  "1,", ",1",
					    "1,,1",      "x",  "1x", "-1",
					    "0",         " 1", "+1", "99999999999999999999",
					    "4294967297"};
	struct find_pids found;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		assert_int_equal(find_by_pids(lists[i], &found, why, sizeof(why)), -EINVAL);
		assert_int_equal(found.count, 0);
		assert_non_null(strstr(why, "list of process ids"));
	}
}

struct thread {
	pthread_barrier_t barrier;
	pid_t tid;
};

static void *thread_main(void *arg)
{
	struct thread *thread = arg;

	thread->tid = gettid();
	pthread_barrier_wait(&thread->barrier);
	pthread_barrier_wait(&thread->barrier);
	return NULL;
}

static void thread_id_names_its_process(void **state)
{
	struct thread thread;
	struct find_pids found;
	char text[32];
	pthread_t id;

	(void)state;
	pthread_barrier_init(&thread.barrier, NULL, 2);
	assert_int_equal(pthread_create(&id, NULL, thread_main, &thread), 0);
	pthread_barrier_wait(&thread.barrier);
	snprintf(text, sizeof(text), "%d", thread.tid);
	assert_int_equal(find_by_pids(text, &found, why, sizeof(why)), -EINVAL);
	snprintf(text, sizeof(text), "thread of process %d:", getpid());
	assert_non_null(strstr(why, text));
	pthread_barrier_wait(&thread.barrier);
	pthread_join(id, NULL);
	pthread_barrier_destroy(&thread.barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_process_with_the_comm_is_found),
		cmocka_unit_test(executable_name_is_found),
		cmocka_unit_test(own_process_is_not_found),
		cmocka_unit_test(zombie_is_not_a_target),
		cmocka_unit_test(empty_name_is_refused),
		cmocka_unit_test(list_is_sorted_and_without_doubles),
		cmocka_unit_test(malformed_lists_are_refused),
		cmocka_unit_test(thread_id_names_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
