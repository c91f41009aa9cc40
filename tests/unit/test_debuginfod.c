// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/* A debug file comes from a server, a child of this program, if and only if one is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbolize/debug_file.h"
#include "symbolize/debuginfod.h"
#include "symbolize/elf_file.h"
#include "symbolize/module.h"

struct server {
	pid_t pid;
	char folder[32]; /* holds "stripped" and "debug", and what the library keeps */
	int log;         /* a byte for each request */
};

__attribute__((noinline)) int landmark_function(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 1;
}

static void answer(int fd, const char *folder, const char *build_id)
{
	char request[4096] = "", wanted[200], path[64], head[128];
	struct stat st;
	int file;

	if (read(fd, request, sizeof(request) - 1) <= 0)
		return;
	snprintf(wanted, sizeof(wanted), "GET /buildid/%s/debuginfo ", build_id);
	snprintf(path, sizeof(path), "%s/debug", folder);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (strncmp(request, wanted, strlen(wanted)) || file < 0 || fstat(file, &st)) {
		dprintf(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
			    "Connection: close\r\n\r\n");
		return;
	}
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\nConnection: close\r\n\r\n",
		 (long long)st.st_size);
	if (write(fd, head, strlen(head)) > 0)
		while (st.st_size > 0) {
			ssize_t n = sendfile(fd, file, NULL, st.st_size);

			if (n <= 0)
				break;
			st.st_size -= n;
		}
	close(file);
}

static void serve(int listener, int log, const char *folder, const char *build_id)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || write(log, "r", 1) != 1)
			_exit(1);
		answer(fd, folder, build_id);
		close(fd);
	}
}

/* A stripped copy of this program; its debug file is the server's only. */
static bool make_files(const char *folder)
{
	char command[1024], self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	snprintf(command, sizeof(command),
		 "objcopy --only-keep-debug %s %s/debug && objcopy --strip-all %s %s/stripped",
		 self, folder, self, folder);
	return !system(command);
}

static void server_start(struct server *server, struct elf_file **stripped)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), log[2];
	char text[64];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*server = (struct server){.folder = "/tmp/pollscope-test-XXXXXX"};
	assert_non_null(mkdtemp(server->folder));
	assert_true(make_files(server->folder));
	snprintf(text, sizeof(text), "%s/stripped", server->folder);
	assert_int_equal(elf_file_open_path(text, stripped), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	server->log = log[0];
	server->pid = fork();
	if (!server->pid)
		serve(listener, log[1], server->folder, (*stripped)->build_id);
	close(listener);
	close(log[1]);
	setenv("no_proxy", "127.0.0.1", 1);
	snprintf(text, sizeof(text), "%s/cache", server->folder);
	setenv("DEBUGINFOD_CACHE_PATH", text, 1);
	snprintf(text, sizeof(text), "http://127.0.0.1:%d/", ntohs(address.sin_port));
	setenv("DEBUGINFOD_URLS", text, 1);
}

static void server_stop(struct server *server)
{
	if (server->pid) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
}

static void server_release(struct server *server)
{
	char command[64];

	server_stop(server);
	close(server->log);
	snprintf(command, sizeof(command), "rm -rf %s", server->folder);
	assert_int_equal(system(command), 0);
	unsetenv("DEBUGINFOD_URLS");
}

static int requests(const struct server *server)
{
	char log[64];
	ssize_t n = read(server->log, log, sizeof(log));

	return n < 0 ? 0 : (int)n;
}

static void skip_without_library(void)
{
	void *library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_NODELETE);

	if (!library)
		skip();
	dlclose(library);
}

static void server_names_what_is_stripped(void **state)
{
	struct debug_frame frames[DEBUG_FRAMES_MAX];
	struct module *module;
	struct server server;
	struct elf_file *file, *debug;
	uint64_t offset;
	Dl_info info;
	int n;

	(void)state;
	skip_without_library();
	assert_int_equal(landmark_function(1), 2);
	server_start(&server, &file);
	assert_true(dladdr((void *)landmark_function, &info));
	assert_true(elf_file_offset(file,
				    (uintptr_t)landmark_function - (uintptr_t)info.dli_fbase +
					    (file->type == ET_EXEC ? (uintptr_t)info.dli_fbase : 0),
				    PF_X, &offset));
	module = module_new(file);
	n = module_lookup(module, offset, frames);
	assert_int_equal(n, 1);
	assert_string_equal(frames[0].function, "landmark_function");
	assert_int_equal(requests(&server), 1);
	module_free(module);

	/* From now on it is at hand. */
	server_stop(&server);
	assert_int_equal(debuginfod_fetch(file->build_id, &debug), 0);
	elf_file_close(debug);
	elf_file_close(file);
	server_release(&server);
}

static void nobody_is_asked_without_the_variable(void **state)
{
	struct server server;
	struct elf_file *file, *debug;

	(void)state;
	server_start(&server, &file);
	unsetenv("DEBUGINFOD_URLS");
	assert_int_equal(debug_file_find(file, &debug), -ENOENT);
	setenv("DEBUGINFOD_URLS", "", 1);
	assert_int_equal(debug_file_find(file, &debug), -ENOENT);
	assert_int_equal(requests(&server), 0);
	elf_file_close(file);
	server_release(&server);
}

static void server_that_fails_is_not_asked_again(void **state)
{
	struct server server;
	struct elf_file *file, *debug;

	(void)state;
	skip_without_library();
	server_start(&server, &file);
	/* That it has no such file is an answer. */
	assert_int_equal(debuginfod_fetch("0123456789abcdef0123", &debug), -ENOENT);
	assert_int_equal(requests(&server), 1);
	assert_non_null(getenv("DEBUGINFOD_URLS"));
	server_stop(&server);
	assert_int_equal(debuginfod_fetch(file->build_id, &debug), -ENOENT);
	assert_null(getenv("DEBUGINFOD_URLS"));
	elf_file_close(file);
	server_release(&server);
}

static void without_a_place_for_its_cache_names_are_done_without(void **state)
{
	struct server server;
	struct elf_file *file, *debug;
	char nowhere[64]; /* below a file */

	(void)state;
	skip_without_library();
	server_start(&server, &file);
	snprintf(nowhere, sizeof(nowhere), "%s/stripped/cache", server.folder);
	setenv("HOME", nowhere, 1);
	setenv("XDG_CACHE_HOME", nowhere, 1);
	unsetenv("DEBUGINFOD_CACHE_PATH");
	assert_int_equal(debuginfod_fetch(file->build_id, &debug), -ENOENT);
	assert_null(debug);
	elf_file_close(file);
	server_release(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_names_what_is_stripped),
		cmocka_unit_test(nobody_is_asked_without_the_variable),
		cmocka_unit_test(server_that_fails_is_not_asked_again),
		cmocka_unit_test(without_a_place_for_its_cache_names_are_done_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
