// SPDX-License-Identifier: MIT
#include "attach/probe_links.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

struct probe_link {
	struct bpf_link *link;
	uint16_t source;
};

static int link_keep(struct probe_links *links, uint16_t source, struct bpf_link *link)
{
	struct probe_link *grown;

	if (!link)
		return -errno;
	grown = realloc(links->list, (links->n + 1) * sizeof(*grown));
	if (!grown) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	links->list = grown;
	links->list[links->n++] = (struct probe_link){.link = link, .source = source};
	return 0;
}

/* Attach points of one program in one source. */
struct points {
	uint16_t source;
	unsigned long *offsets;
	unsigned long *semaphores;
	__u64 *cookies;
	size_t n;
};

static int points_collect(struct points *p, const struct probe_plan *plan,
			  enum probe_program program, uint32_t first_site)
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
		p->cookies[p->n++] = first_site + i;
	}
	return 0;
}

static void points_release(struct points *p)
{
	free(p->offsets);
	free(p->semaphores);
	free(p->cookies);
}

static int points_attach(struct probe_links *links, struct bpf_program *program, pid_t pid,
			 const char *path, const struct points *p)
{
	int err = 0;

	if (!p->n)
		return 0;
	if (links->multi) {
		LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = p->offsets,
			    .ref_ctr_offsets = p->semaphores, .cookies = p->cookies, .cnt = p->n);

		return link_keep(links, p->source,
				 bpf_program__attach_uprobe_multi(program, pid, path, NULL, &opts));
	}
	for (size_t i = 0; !err && i < p->n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .ref_ctr_offset = p->semaphores[i],
			    .bpf_cookie = p->cookies[i]);

		err = link_keep(
			links, p->source,
			bpf_program__attach_uprobe_opts(program, pid, path, p->offsets[i], &opts));
	}
	return err;
}

int probe_links_add(struct probe_links *links, struct bpf_program *program,
		    enum probe_program which, pid_t pid, const char *path,
		    const struct probe_plan *plan, uint16_t source, uint32_t first_cookie)
{
	struct points points = {.source = source};
	int err = points_collect(&points, plan, which, first_cookie);

	if (!err)
		err = points_attach(links, program, pid, path, &points);
	points_release(&points);
	return err;
}

void probe_links_cut(struct probe_links *links, size_t kept)
{
	while (links->n > kept)
		bpf_link__destroy(links->list[--links->n].link);
}

void probe_links_remove(struct probe_links *links, uint16_t source)
{
	size_t kept = 0;

	for (size_t i = 0; i < links->n; i++) {
		if (links->list[i].source == source)
			bpf_link__destroy(links->list[i].link);
		else
			links->list[kept++] = links->list[i];
	}
	links->n = kept;
}

void probe_links_release(struct probe_links *links)
{
	probe_links_cut(links, 0);
	free(links->list);
	links->list = NULL;
}
