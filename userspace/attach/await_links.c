// SPDX-License-Identifier: MIT
#include "attach/await_links.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/adapter.h"

#define STEPPED_HITS 20 /* a hit that is single-stepped costs as much as so many others */

/* Points in one file of one process. */
struct await_place {
	pid_t pid;
	const char *path;
	const struct probe_plan *plan; /* NULL: the source was removed */
	uint32_t *cookies;
	struct await_row *rows;
	size_t nrows;
	uint64_t hits;
	uint16_t source;
	bool stepped;
};

/* A row of the map of probe sites. */
struct await_row {
	uint32_t index;
	uint32_t hits; /* when it was last read; modulo 2^32 */
};

static void place_release(struct await_place *p)
{
	free(p->cookies);
	free(p->rows);
	p->cookies = NULL;
	p->rows = NULL;
	p->nrows = 0;
	p->plan = NULL;
}

static bool row_known(const struct await_place *p, uint32_t index)
{
	for (size_t i = 0; i < p->nrows; i++)
		if (p->rows[i].index == index)
			return true;
	return false;
}

static int place_init(struct await_place *p, const struct probe_plan *plan, const uint32_t *cookies)
{
	p->cookies = calloc(plan->npoints, sizeof(*p->cookies));
	p->rows = calloc(plan->npoints, sizeof(*p->rows));
	if (!p->cookies || !p->rows) {
		place_release(p);
		return -ENOMEM;
	}
	memcpy(p->cookies, cookies, plan->npoints * sizeof(*cookies));
	for (size_t i = 0; i < plan->npoints; i++) {
		if (plan->points[i].program != PROBE_AWAIT)
			continue;
		p->stepped |= plan->points[i].cost == PROBE_STEPPED;
		if (!row_known(p, cookies[i]))
			p->rows[p->nrows++].index = cookies[i];
	}
	p->plan = plan;
	return 0;
}

static bool has_points(const struct probe_plan *plan)
{
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].program == PROBE_AWAIT)
			return true;
	return false;
}

static int place_attach(struct await_links *a, const struct await_place *p)
{
	return probe_links_add(&a->links, &a->use, p->pid, p->path, p->plan, p->source, p->cookies);
}

int await_links_add(struct await_links *a, pid_t pid, const char *path,
		    const struct probe_plan *plan, uint16_t source, const uint32_t *cookies)
{
	struct await_place place = {.pid = pid, .path = path, .source = source}, *places;
	int err;

	if (!a->use.program || !has_points(plan))
		return 0;
	places = reallocarray(a->places, a->n + 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	a->places = places;
	err = place_init(&place, plan, cookies);
	if (err)
		return err;
	places[a->n++] = place;
	err = place_attach(a, &place);
	/* Whether the kernel takes them is to be known now. */
	if (!a->on)
		probe_links_remove(&a->links, source);
	return err;
}

static void place_count(const struct await_links *a, struct await_place *p)
{
	struct probe_site site;

	for (size_t i = 0; i < p->nrows; i++) {
		if (bpf_map_lookup_elem(a->sites, &p->rows[i].index, &site))
			continue;
		p->hits += site.hits - p->rows[i].hits;
		p->rows[i].hits = site.hits;
	}
}

void await_links_remove(struct await_links *a, uint16_t source)
{
	probe_links_remove(&a->links, source);
	for (size_t i = 0; i < a->n; i++) {
		if (a->places[i].source != source)
			continue;
		place_count(a, &a->places[i]);
		place_release(&a->places[i]);
	}
}

static void *closer_run(void *ctx)
{
	probe_links_release(ctx);
	return NULL;
}

static void closer_join(struct await_links *a)
{
	if (a->closes)
		pthread_join(a->closer, NULL);
	a->closes = false;
}

/* The rings are to be read meanwhile. */
static void links_close(struct await_links *a)
{
	closer_join(a);
	a->closing = a->links;
	a->links = (struct probe_links){.multi = a->links.multi};
	a->closes = !pthread_create(&a->closer, NULL, closer_run, &a->closing);
	if (!a->closes)
		probe_links_release(&a->closing);
}

void await_links_switch(struct await_links *a, bool on)
{
	if (a->on == on)
		return;
	a->on = on;
	if (!on)
		links_close(a);
	for (size_t i = 0; on && i < a->n; i++)
		if (a->places[i].plan)
			place_attach(a, &a->places[i]);
}

static uint64_t place_spent(const struct await_place *p, uint64_t hit_ns)
{
	return p->hits * hit_ns * (p->stepped ? STEPPED_HITS : 1);
}

uint64_t await_links_spent(struct await_links *a, uint64_t hit_ns)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < a->n; i++) {
		place_count(a, &a->places[i]);
		ns += place_spent(&a->places[i], hit_ns);
	}
	return ns;
}

int await_links_each(struct await_links *a, uint64_t hit_ns,
		     int (*each)(void *ctx, uint16_t source, uint64_t spent_ns), void *ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < a->n; i++) {
		place_count(a, &a->places[i]);
		if (a->places[i].hits)
			err = each(ctx, a->places[i].source, place_spent(&a->places[i], hit_ns));
	}
	return err;
}

void await_links_forget(struct await_links *a)
{
	for (size_t i = 0; i < a->n; i++)
		place_release(&a->places[i]);
	free(a->places);
	a->places = NULL;
	a->n = 0;
}

void await_links_release(struct await_links *a)
{
	probe_links_release(&a->links);
	closer_join(a);
	await_links_forget(a);
}
