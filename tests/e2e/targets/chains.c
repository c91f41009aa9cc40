// SPDX-License-Identifier: MIT
/*
 * chains LEAF DEPTH N [LIBRARY]: N tasks, each of one poll that goes DEPTH functions down (chains.h) to a leaf
 * that takes time:
 *
 *	nanosleep	1 ms
 *	long		until a signal comes
 *	read		of what another thread writes, 1 ms after it is asked to
 *	futex		a condition that comes after 1 ms
 *	callback	1 ms of sleep in what qsort() calls
 *	handler		1 ms of sleep in a signal's handler
 *	library		1 ms of sleep in a function of LIBRARY, loaded by the first task after half a second
 *	lazy		1 ms of sleep in what the loader calls, to bind a function of LIBRARY
 *	jit		1 ms of sleep, called by code that is in no file
 *	pieces		1 ms of sleep, beside thousands of pieces of code that are in no program's file
 *	spin		20 ms of computing
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "chains.h"
#include "pollrt.h"
#include "truth.h"

/* There is nothing to load by where it is linked statically. */
#ifdef CHAINS_STATIC
#define dlopen(path, how) ((void)(how), NULL)
#endif

#define PIECES 9000 /* more mappings than are looked at of a process */

struct options {
	int (*leaf)(struct chain *chain);
	unsigned int depth, n;
	const char *library;
	int (*library_call)(void);
	int (*jit)(int (*call)(void));
	int pipe[2], asks[2];
};

static void pause_us(unsigned int us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

	nanosleep(&t, NULL);
}

static int leaf_nanosleep(struct chain *chain)
{
	(void)chain;
	pause_us(1000);
	return 0;
}

static int leaf_long(struct chain *chain)
{
	(void)chain;
	pause_us(3600000000);
	return 0;
}

static int leaf_read(struct chain *chain)
{
	struct options *o = chain->context;
	ssize_t n;
	char byte;

	if (write(o->asks[1], "", 1) != 1)
		abort();
	n = read(o->pipe[0], &byte, 1);
	return n == 1 ? byte : 1;
}

static int leaf_futex(struct chain *chain)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec until;
	int err;

	(void)chain;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	err = pthread_cond_timedwait(&never, &lock, &until);
	pthread_mutex_unlock(&lock);
	return err;
}

static int compare_slowly(const void *a, const void *b)
{
	pause_us(1000);
	return *(const int *)a - *(const int *)b;
}

static int leaf_callback(struct chain *chain)
{
	int numbers[2] = {2, 1};

	(void)chain;
	qsort(numbers, 2, sizeof(numbers[0]), compare_slowly);
	return numbers[0];
}

static void sleep_in_handler(int signal)
{
	(void)signal;
	pause_us(1000);
}

static int leaf_handler(struct chain *chain)
{
	int err;

	(void)chain;
	err = raise(SIGUSR1);
	CHAIN_STAY();
	return err;
}

static void library_load(struct options *o, int how, const char *name)
{
	void *library = dlopen(o->library, how);

	*(void **)&o->library_call = library ? dlsym(library, name) : NULL;
	if (!o->library_call) {
		fprintf(stderr, "%s: cannot be loaded\n", o->library);
		exit(1);
	}
}

static int leaf_library(struct chain *chain)
{
	struct options *o = chain->context;

	if (!o->library_call) {
		pause_us(500000);
		library_load(o, RTLD_NOW, "chain_library_sleep");
	}
	return o->library_call();
}

static int leaf_lazy(struct chain *chain)
{
	struct options *o = chain->context;

	return o->library_call() + 1;
}

static int sleep_for_jit(void)
{
	pause_us(1000);
	return 0;
}

static int leaf_jit(struct chain *chain)
{
	struct options *o = chain->context;

	return o->jit(sleep_for_jit) + 1;
}

static int leaf_pieces(struct chain *chain)
{
	(void)chain;
	pause_us(1000);
	return 0;
}

static int leaf_spin(struct chain *chain)
{
	uint64_t until = truth_clock(CLOCK_THREAD_CPUTIME_ID) + POLLRT_MS(20);

	(void)chain;
	while (truth_clock(CLOCK_THREAD_CPUTIME_ID) < until) {
		for (volatile int turns = 0; turns < 10000; turns++)
			;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*leaf)(struct chain *chain);
} leaves[] = {
	{"nanosleep", leaf_nanosleep}, {"long", leaf_long},         {"read", leaf_read},
	{"futex", leaf_futex},         {"callback", leaf_callback}, {"handler", leaf_handler},
	{"library", leaf_library},     {"lazy", leaf_lazy},         {"jit", leaf_jit},
	{"pieces", leaf_pieces},       {"spin", leaf_spin},
};

/* sub $8, %rsp; call *%rdi; add $8, %rsp; ret */
static void jit_make(struct options *o)
{
	static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
					     0x48, 0x83, 0xc4, 0x08, 0xc3};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	memcpy(page, code, sizeof(code));
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
		abort();
	*(void **)&o->jit = page;
}

/* One beside the other, each another part of the file: none becomes one with the next. */
static void pieces_make(void)
{
	const size_t page = 4096;
	int fd = memfd_create("pieces", 0);

	if (fd < 0 || ftruncate(fd, 2 * PIECES * page))
		abort();
	for (size_t i = 0; i < PIECES; i++)
		if (mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 2 * i * page) ==
		    MAP_FAILED)
			abort();
	close(fd);
}

static void *writer(void *argument)
{
	struct options *o = argument;
	char byte;

	for (unsigned int i = 0; i < o->n; i++) {
		if (read(o->asks[0], &byte, 1) != 1)
			abort();
		pause_us(1000);
		if (write(o->pipe[1], "", 1) != 1)
			abort();
	}
	return NULL;
}

struct walker {
	struct pollrt_async async;
	struct options *options;
};

static POLLRT_ASYNC(walker)
{
	struct options *o = self->options;
	struct chain chain = {.depth = o->depth, .leaf = o->leaf, .context = o};

	POLLRT_BEGIN();
	chain_down(&chain, 0);
	POLLRT_END();
}

struct all {
	struct pollrt_async async;
	struct options *options;
	unsigned int i;
	struct pollrt_join join;
};

static POLLRT_ASYNC(all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->options->n; self->i++) {
		if (pollrt_spawn(NULL, &self->join, walker, .options = self->options))
			abort();
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
	}
	POLLRT_END();
}

static void round_run(struct options *o)
{
	struct pollrt_config config = {.workers = 1};
	struct all state = {.options = o};
	struct pollrt_runtime *rt;
	pthread_t thread;

	if (o->leaf == leaf_read && pthread_create(&thread, NULL, writer, o))
		abort();
	if (pollrt_runtime_create(&rt, &config) || pollrt_block_on(rt, all, &state))
		abort();
	pollrt_runtime_destroy(rt);
	if (o->leaf == leaf_read)
		pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	struct options o = {.library = argc > 4 ? argv[4] : NULL};
	struct truth truth;

	if (argc < 4)
		return 2;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (!strcmp(leaves[i].name, argv[1]))
			o.leaf = leaves[i].leaf;
	o.depth = (unsigned int)strtoul(argv[2], NULL, 10);
	o.n = (unsigned int)strtoul(argv[3], NULL, 10);
	if (!o.leaf || o.depth > CHAIN_LEVELS || pipe(o.pipe) || pipe(o.asks))
		return 2;
	signal(SIGUSR1, sleep_in_handler);
	jit_make(&o);
	if (o.leaf == leaf_pieces)
		pieces_make();
	if (o.leaf == leaf_lazy)
		library_load(&o, RTLD_LAZY, "chain_library_lazy");
	truth_open(&truth);
	while (truth_go(&truth)) {
		round_run(&o);
		truth_say(&truth, "{}\n");
	}
	return 0;
}
