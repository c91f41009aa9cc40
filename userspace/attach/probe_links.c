// SPDX-License-Identifier: MIT
#include "attach/probe_links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/programs.h"

struct probe_link {
	struct bpf_link *link; /* a perf event's; NULL: fd is a multi-uprobe's */
	int fd;
	uint16_t source;
	uint8_t which; /* enum probe_program */
};

/* bpf(BPF_LINK_CREATE) of multi-uprobes. libbpf before 1.6 creates none for a session, and the headers of
 * kernels before 6.6 do not have it. */
struct link_create {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__aligned_u64 path;
	__aligned_u64 offsets;
	__aligned_u64 semaphores;
	__aligned_u64 cookies;
	__u32 n;
	__u32 multi_flags;
	__u32 pid;
	__u32 pad;
};
#define MULTI_RETURN 1 /* BPF_F_UPROBE_MULTI_RETURN */

#define CLOSERS 32 /* threads that close links */

/* Attach points of one program in one source. */
struct points {
	unsigned long *offsets;
	unsigned long *semaphores;
	__u64 *cookies;
	size_t n;
};

static int points_collect(struct points *p, const struct probe_plan *plan,
			  enum probe_program program, const uint32_t *cookies)
{
	p->n = 0;
	p->offsets = calloc(plan->npoints, sizeof(*p->offsets));
	p->semaphores = calloc(plan->npoints, sizeof(*p->semaphores));
	p->cookies = calloc(plan->npoints, sizeof(*p->cookies));
	if (!p->offsets || !p->semaphores || !p->cookies)
		return -ENOMEM;
	for (size_t i = 0; i < plan->npoints; i++) {
		if (plan->points[i].program != program)
			continue;
		p->offsets[p->n] = plan->points[i].offset;
		p->semaphores[p->n] = plan->points[i].semaphore_offset;
		p->cookies[p->n++] = cookies[i];
	}
	return 0;
}

static void points_release(struct points *p)
{
	free(p->offsets);
	free(p->semaphores);
	free(p->cookies);
}

/* Returns the link's descriptor or a negative errno. */
static int multi_create(int program, enum probe_edge edge, pid_t pid, const char *path,
			const struct points *p)
{
	const struct link_create attr = {
		.prog_fd = program,
		.attach_type = edge == PROBE_SESSION ? PROGRAM_SESSION : PROGRAM_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)p->offsets,
		.semaphores = (uintptr_t)p->semaphores,
		.cookies = (uintptr_t)p->cookies,
		.n = p->n,
		.multi_flags = edge == PROBE_RETURN ? MULTI_RETURN : 0,
		.pid = pid,
	};
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

static void link_destroy(struct probe_link *link)
{
	if (link->link)
		bpf_link__destroy(link->link);
	else
		close(link->fd);
}

/* Takes the link over. */
static int link_keep(struct probe_links *links, struct probe_link link)
{
	struct probe_link *grown = realloc(links->list, (links->n + 1) * sizeof(*grown));

	if (!grown) {
		link_destroy(&link);
		return -ENOMEM;
	}
	links->list = grown;
	links->list[links->n++] = link;
	return 0;
}

static int points_attach(struct probe_links *links, const struct probe_use *use, pid_t pid,
			 const char *path, const struct points *p, uint16_t source)
{
	struct probe_link link = {.source = source, .which = use->which};
	int err = 0;

	if (!p->n)
		return 0;
	if (links->multi) {
		link.fd = multi_create(bpf_program__fd(use->program), use->edge, pid, path, p);
		return link.fd < 0 ? link.fd : link_keep(links, link);
	}
	for (size_t i = 0; !err && i < p->n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .ref_ctr_offset = p->semaphores[i],
			    .bpf_cookie = p->cookies[i], .retprobe = use->edge == PROBE_RETURN);

		link.link = bpf_program__attach_uprobe_opts(use->program, pid, path, p->offsets[i],
							    &opts);
		err = link.link ? link_keep(links, link) : -errno;
	}
	return err;
}

int probe_links_add(struct probe_links *links, const struct probe_use *use, pid_t pid,
		    const char *path, const struct probe_plan *plan, uint16_t source,
		    const uint32_t *cookies)
{
	struct points points;
	int err = points_collect(&points, plan, use->which, cookies);

	if (!err)
		err = points_attach(links, use, pid, path, &points, source);
	points_release(&points);
	return err;
}

/* Links on their way out. */
struct links_closing {
	struct probe_link *list;
	size_t n;
	size_t next; /* atomic: several threads take them */
};

static void *links_close(void *ctx)
{
	struct links_closing *closing = ctx;
	size_t i;

	while ((i = __atomic_fetch_add(&closing->next, 1, __ATOMIC_RELAXED)) < closing->n)
		link_destroy(&closing->list[i]);
	return NULL;
}

/* The kernel has the closer of each link wait until no CPU can be in its program: tens of milliseconds,
 * which are the same ones for those that wait together. */
static void links_destroy(struct probe_link *list, size_t n)
{
	struct links_closing closing = {.list = list, .n = n};
	pthread_t threads[CLOSERS];
	size_t nthreads = 0;

	while (nthreads < CLOSERS && nthreads + 1 < n &&
	       !pthread_create(&threads[nthreads], NULL, links_close, &closing))
		nthreads++;
	links_close(&closing);
	while (nthreads > 0)
		pthread_join(threads[--nthreads], NULL);
}

void probe_links_cut(struct probe_links *links, size_t kept)
{
	links_destroy(links->list + kept, links->n - kept);
	links->n = kept;
}

/* Moves a link to the end of the list's first n. */
static void link_move(struct probe_links *links, size_t from, size_t n)
{
	struct probe_link link = links->list[from];

	links->list[from] = links->list[n - 1];
	links->list[n - 1] = link;
}

void probe_links_remove(struct probe_links *links, uint16_t source)
{
	size_t kept = links->n;

	for (size_t i = links->n; i-- > 0;)
		if (links->list[i].source == source)
			link_move(links, i, kept--);
	probe_links_cut(links, kept);
}

void probe_links_stop(struct probe_links *links, enum probe_program which)
{
	size_t kept = links->n;

	for (size_t i = links->n; i-- > 0;)
		if (links->list[i].which == which)
			link_move(links, i, kept--);
	probe_links_cut(links, kept);
}

void probe_links_release(struct probe_links *links)
{
	probe_links_cut(links, 0);
	free(links->list);
	links->list = NULL;
}

bool probe_links_session(void)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)PROGRAM_SESSION);
	unsigned long nowhere = 0;
	const struct points point = {.offsets = &nowhere, .n = 1};
	int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "empty", "GPL", empty,
				    sizeof(empty) / sizeof(empty[0]), &opts);
	int err;

	if (program < 0)
		return false;
	/* Kernels before 6.13 load it, but refuse to attach it before they look at the file. */
	err = multi_create(program, PROBE_SESSION, getpid(), "/", &point);
	close(program);
	return err == -EBADF;
}
