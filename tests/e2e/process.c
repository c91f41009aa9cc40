// SPDX-License-Identifier: MIT
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 64
#define CLEAR_LINE "\r\033[K"

struct process {
	struct process *next;
	struct e2e *e;
	pid_t pid;
	int status; /* of waitpid, once it has ended */
	bool ended;
	int channel; /* our end; -1: none */
	FILE *out, *err;
	int terminal; /* -1: none; else a thread copies it to `err` */
	pthread_t copier;
	bool copying;
};

/* Copies until the other side is closed; a full terminal would stop the tracer. */
static void *copy_terminal(void *argument)
{
	struct process *process = argument;
	char buffer[4096];
	ssize_t n;

	while ((n = read(process->terminal, buffer, sizeof(buffer))) > 0) {
		fwrite(buffer, 1, (size_t)n, process->err);
		fflush(process->err);
	}
	return NULL;
}

static char **split(char *command, char *words[WORDS])
{
	size_t n = 0;
	char *rest;

	for (char *word = strtok_r(command, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < WORDS - 1);
		words[n++] = word;
	}
	words[n] = NULL;
	return words;
}

static void child(const struct process_options *o, struct process *process, int channel,
		  int terminal, char **argv)
{
	char number[16];
	int full = o->no_output ? open("/dev/full", O_WRONLY) : -1;
	int in = open("/dev/null", O_RDONLY);

	/* Its own group: signals for the test's group are not for it. */
	setpgid(0, 0);
	dup2(in, STDIN_FILENO);
	dup2(o->no_output ? full : fileno(process->out), STDOUT_FILENO);
	dup2(terminal >= 0 ? terminal : fileno(process->err), STDERR_FILENO);
	if (channel >= 0) {
		fcntl(channel, F_SETFD, 0);
		snprintf(number, sizeof(number), "%d", channel);
		setenv("E2E_FD", number, 1);
	}
	if (o->before_exec)
		o->before_exec(o->context);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static struct process *process_new(struct e2e *e)
{
	struct process *process = calloc(1, sizeof(*process));

	assert_non_null(process);
	process->e = e;
	process->channel = -1;
	process->terminal = -1;
	process->ended = true;
	process->out = tmpfile();
	process->err = tmpfile();
	process->next = e->processes;
	e->processes = process;
	assert_non_null(process->out);
	assert_non_null(process->err);
	fcntl(fileno(process->out), F_SETFD, FD_CLOEXEC);
	fcntl(fileno(process->err), F_SETFD, FD_CLOEXEC);
	return process;
}

struct process *process_start(struct e2e *e, const struct process_options *options,
			      const char *command)
{
	struct process *process = process_new(e);
	int sockets[2] = {-1, -1}, terminal = -1;
	char *words[WORDS], **argv = split(e2e_text(e, "%s", command), words);

	if (options->channel) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
		process->channel = sockets[0];
	}
	if (options->terminal) {
		assert_int_equal(openpty(&process->terminal, &terminal, NULL, NULL, NULL), 0);
		fcntl(process->terminal, F_SETFD, FD_CLOEXEC);
		fcntl(terminal, F_SETFD, FD_CLOEXEC);
	}
	fflush(NULL);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (!process->pid)
		child(options, process, sockets[1], terminal, argv);
	process->ended = false;
	if (sockets[1] >= 0)
		close(sockets[1]);
	if (terminal >= 0) {
		close(terminal);
		process->copying = !pthread_create(&process->copier, NULL, copy_terminal, process);
		assert_true(process->copying);
	}
	return process;
}

bool process_running(struct process *process)
{
	if (!process->ended && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
		process->ended = true;
	return !process->ended;
}

static bool ends_within(struct process *process, unsigned int ms)
{
	for (unsigned int waited = 0; process_running(process); waited += 5) {
		if (waited >= ms)
			return false;
		e2e_sleep_ms(5);
	}
	return true;
}

int process_wait(struct process *process)
{
	if (!ends_within(process, E2E_PATIENCE_MS))
		fail_msg("pid %d goes on after %u s; it said: %s", process->pid,
			 E2E_PATIENCE_MS / 1000, process_err(process));
	if (process->copying) {
		pthread_join(process->copier, NULL);
		process->copying = false;
	}
	return process->status;
}

void process_kill(struct process *process, int signal)
{
	if (!process->ended)
		assert_int_equal(kill(process->pid, signal), 0);
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

pid_t process_thread_in(pid_t pid, long number)
{
	char folder[64], path[384];
	struct dirent *entry;
	pid_t found = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
	dir = opendir(folder);
	assert_non_null(dir);
	while (!found && (entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);
		FILE *file;
		long call;

		snprintf(path, sizeof(path), "%s/%d/syscall", folder, tid);
		file = tid == pid ? NULL : fopen(path, "r");
		if (file && fscanf(file, "%ld", &call) == 1 && call == number)
			found = tid;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return found;
}

struct e2e *process_test(const struct process *process)
{
	return process->e;
}

int process_channel(const struct process *process)
{
	return process->channel;
}

static char *contents(struct process *process, FILE *file)
{
	return e2e_file(process->e, e2e_text(process->e, "/proc/self/fd/%d", fileno(file)), NULL);
}

const char *process_out(struct process *process)
{
	return contents(process, process->out);
}

/* Drops what the next thing on the same line of the terminal would have cleared. */
static void drop_progress(char *text)
{
	char *to = text, *line = text, *clear;

	while (*line) {
		size_t n = strcspn(line, "\n");
		bool whole = line[n];

		line[n] = '\0';
		while ((clear = strstr(line, CLEAR_LINE))) {
			n -= (size_t)(clear + strlen(CLEAR_LINE) - line);
			line = clear + strlen(CLEAR_LINE);
		}
		if (whole) {
			memmove(to, line, n);
			to += n;
			while (to > text && to[-1] == '\r')
				to--;
			*to++ = '\n';
		}
		line += n + whole;
	}
	*to = '\0';
}

const char *process_err(struct process *process)
{
	char *text = contents(process, process->err);

	if (process->terminal >= 0)
		drop_progress(text);
	return text;
}

void process_await_progress(struct process *process)
{
	for (unsigned int waited = 0; waited < E2E_PATIENCE_MS; waited += 5) {
		if (strstr(contents(process, process->err), " polls, "))
			return;
		if (!process_running(process))
			fail_msg("did not capture, but said: %s", process_err(process));
		e2e_sleep_ms(5);
	}
	fail_msg("does not begin to capture; it said: %s", process_err(process));
}

static void process_free(struct process *process)
{
	if (!process->ended) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	if (process->copying)
		pthread_cancel(process->copier);
	if (process->copying)
		pthread_join(process->copier, NULL);
	if (process->terminal >= 0)
		close(process->terminal);
	if (process->channel >= 0)
		close(process->channel);
	fclose(process->out);
	fclose(process->err);
	free(process);
}

void process_end(struct process *process)
{
	struct process **at = &process->e->processes;

	while (*at != process)
		at = &(*at)->next;
	*at = process->next;
	process_free(process);
}

void processes_end(struct e2e *e)
{
	while (e->processes)
		process_end(e->processes);
}
