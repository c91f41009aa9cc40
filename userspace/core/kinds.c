// SPDX-License-Identifier: MIT
#include "core/kinds.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/best.h"
#include "core/causes.h"
#include "core/source.h"

/* A program has thousands of spawn sites at most; what a broken recording invents on top is
 * "[unknown]". */
#define MAX_KINDS (1 << 16)

/* Files told apart under one cause of one kind: each accepted socket is another inode. */
#define MAX_TARGETS 64

/* Parts of a name that a pattern may begin with: a broken recording's names have no end of them. */
#define MAX_TAILS 64

#define UNKNOWN "[unknown]"

static struct kind *find(struct kinds *kinds, const struct kind_key *key)
{
	uint64_t hash = key->kind * UINT64_C(0x9e3779b97f4a7c15);
	struct kind **recent = &kinds->recent[(hash >> 32) % KINDS_RECENT];
	struct kind *kind = *recent;

	if (kind && !memcmp(&kind->key, key, sizeof(*key)))
		return kind;
	HASH_FIND(hh, kinds->by_key, key, sizeof(*key), kind);
	if (kind)
		*recent = kind;
	return kind;
}

static struct kind *add(struct kinds *kinds, struct source *source, const struct kind_key *key)
{
	struct kind *kind, **list;

	list = array_grow(kinds->list, kinds->count, &kinds->capacity, sizeof(*list));
	if (!list)
		return NULL;
	kinds->list = list;
	kind = calloc(1, sizeof(*kind));
	if (!kind)
		return NULL;
	kind->key = *key;
	kind->source = source;
	kind->index = kinds->count;
	HASH_ADD(hh, kinds->by_key, key, sizeof(kind->key), kind);
	if (!hash_added(kind)) {
		free(kind);
		return NULL;
	}
	kinds->list[kinds->count++] = kind;
	return kind;
}

struct kind *kinds_get(struct kinds *kinds, struct source *source, uint64_t address,
		       enum kind_form form)
{
	struct kind_key key = {.kind = address == EVENT_UNKNOWN ? 0 : address,
			       .source = source->number,
			       .form = form};
	struct kind *kind = find(kinds, &key);

	if (!kind && kinds->count >= MAX_KINDS) {
		/* One unknown kind for each source still finds room. */
		key.kind = 0;
		key.form = KIND_PLAIN;
		kind = find(kinds, &key);
	}
	return kind ? kind : add(kinds, source, &key);
}

struct kind *kinds_find(struct kinds *kinds, const struct source *source, uint64_t address)
{
	const struct kind_key key = {.kind = address, .source = source->number, .form = KIND_PLAIN};

	return find(kinds, &key);
}

int kinds_describe(struct kinds *kinds, struct source *source, const struct event_kind *event)
{
	struct kind *kind = kinds_get(kinds, source, event->kind, KIND_PLAIN);
	char *name, *file, *full;

	if (!kind)
		return -ENOMEM;
	/* The first readable description holds: kinds are static. */
	if (!kind->key.kind || (kind->name && !(kind->unreadable && !event->unreadable)))
		return 0;
	name = strdup(event->type);
	file = strdup(event->file);
	full = strdup(event->full);
	if (!name || !file || !full) {
		free(name);
		free(file);
		free(full);
		return -ENOMEM;
	}
	free(kind->name);
	free(kind->file);
	free(kind->full);
	kind->name = name;
	kind->file = file;
	kind->full = full;
	kind->line = event->line;
	kind->unreadable = event->unreadable;
	return 0;
}

/* The kind that was described: a block_on's own, or a task's, is never. */
static const struct kind *described(struct kinds *kinds, const struct kind *kind)
{
	struct kind_key key = kind->key;
	struct kind *plain;

	if (key.form == KIND_PLAIN)
		return kind;
	if (key.form == KIND_OF_TASK)
		key.kind = kind->address;
	key.form = KIND_PLAIN;
	HASH_FIND(hh, kinds->by_key, &key, sizeof(key), plain);
	return plain ? plain : kind;
}

/* "main.rs:42" where only the place is known. */
static char *make_name(const struct kind *from)
{
	const char *slash;
	char *name;

	if (!from->name || from->unreadable || !(from->name[0] || from->file[0]))
		return strdup(UNKNOWN);
	if (from->name[0])
		return strdup(from->name);
	slash = strrchr(from->file, '/');
	return asprintf(&name, "%s:%u", slash ? slash + 1 : from->file, from->line) < 0 ? NULL
											: name;
}

static char *make_label(struct kinds *kinds, const struct kind *kind)
{
	char *name = make_name(described(kinds, kind)), *label;

	if (!name || kind->key.form != KIND_BLOCK_ON)
		return name;
	if (asprintf(&label, "[block_on %s]", name) < 0)
		label = NULL;
	free(name);
	return label;
}

const char *kinds_full(struct kinds *kinds, const struct kind *kind)
{
	const struct kind *from = described(kinds, kind);

	return from->full && !from->unreadable ? from->full : "";
}

static char *make_location(struct kinds *kinds, const struct kind *kind)
{
	const struct kind *from = described(kinds, kind);
	char *location;

	if (!from->name || from->unreadable || !from->file[0])
		return strdup("");
	if (!from->line)
		return strdup(from->file);
	return asprintf(&location, "%s:%u", from->file, from->line) < 0 ? NULL : location;
}

/* Whether text matches, whole or from one of its separators outside of <> on. */
static bool matches_tail(const char *glob, const char *text, const char *separator)
{
	size_t length = strlen(separator), tails = 0, depth = 0;

	if (!fnmatch(glob, text, 0))
		return true;
	for (; *text && tails < MAX_TAILS; text++) {
		depth += *text == '<';
		depth -= depth && *text == '>';
		if (depth || strncmp(text, separator, length))
			continue;
		if (!fnmatch(glob, text + length, 0))
			return true;
		tails++;
	}
	return false;
}

static enum kind_choice choose(const struct kinds *kinds, const char *label, const char *location)
{
	if (matches_tail(kinds->glob, label, "::") || matches_tail(kinds->glob, location, "/"))
		return KIND_CHOSEN;
	return KIND_LEFT_OUT;
}

bool kinds_chosen(struct kinds *kinds, struct kind *kind)
{
	char *label, *location;

	if (!kinds->glob || kind->choice == KIND_CHOSEN)
		return true;
	if (kind->choice == KIND_LEFT_OUT)
		return false;
	if (kind->key.kind && !described(kinds, kind)->name)
		return true;
	label = make_label(kinds, kind);
	location = make_location(kinds, kind);
	if (label && location)
		kind->choice = choose(kinds, label, location);
	free(label);
	free(location);
	return kind->choice != KIND_LEFT_OUT;
}

int kinds_label(struct kinds *kinds, struct kind *kind)
{
	kind->label = make_label(kinds, kind);
	kind->location = make_location(kinds, kind);
	if (!kind->label || !kind->location)
		return -ENOMEM;
	if (kinds->glob)
		kind->choice = choose(kinds, kind->label, kind->location);
	return 0;
}

static struct kind_cause *find_cause(const struct kind *kind, struct kind_cause_key key)
{
	struct kind_cause *entry;

	HASH_FIND(hh, kind->causes, &key, sizeof(key), entry);
	return entry;
}

static struct kind_cause *get_cause(struct kind *kind, struct kind_cause_key key)
{
	struct kind_cause *entry = find_cause(kind, key);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = key;
	HASH_ADD(hh, kind->causes, key, sizeof(entry->key), entry);
	if (!hash_added(entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* The entry that counts a cause's files. */
static struct kind_cause_key head_of(uint32_t cause)
{
	return (struct kind_cause_key){.cause = cause, .file = FILE_NONE};
}

bool kind_has_room(const struct kind *kind, uint32_t cause)
{
	const struct kind_cause *head = find_cause(kind, head_of(cause));

	return !head || head->targets < MAX_TARGETS;
}

/* Whether sleeps on the key's file are told apart already, in sampled polls or in others. */
static bool has_file(const struct kind *kind, struct kind_cause_key key)
{
	struct kind_cause_key other = {key.cause, key.file, !key.sampled};

	return find_cause(kind, key) || find_cause(kind, other);
}

int kind_add_cause(struct kind *kind, struct kind_cause_key key, uint64_t count, uint64_t total_ns,
		   uint64_t max_ns)
{
	struct kind_cause *head = get_cause(kind, head_of(key.cause)), *entry;

	if (!head)
		return -ENOMEM;
	if (key.file != FILE_NONE && key.file != FILE_OTHERS && !has_file(kind, key)) {
		if (head->targets >= MAX_TARGETS)
			key.file = FILE_OTHERS;
		else
			head->targets++;
	}
	entry = get_cause(kind, key);
	if (!entry)
		return -ENOMEM;
	entry->count += count;
	entry->total_ns += total_ns;
	if (max_ns > entry->max_ns)
		entry->max_ns = max_ns;
	return 0;
}

struct kind_jobs *kind_jobs(struct kind *kind)
{
	if (!kind->jobs)
		kind->jobs = calloc(1, sizeof(*kind->jobs));
	return kind->jobs;
}

static void kind_free(struct kind *kind)
{
	struct kind_cause *entry, *next;

	HASH_ITER (hh, kind->causes, entry, next) {
		HASH_DEL(kind->causes, entry);
		free(entry);
	}
	if (kind->jobs) {
		histogram_clear(&kind->jobs->wait);
		histogram_clear(&kind->jobs->run);
		free(kind->jobs);
	}
	if (kind->best)
		best_clear(kind->best);
	free(kind->best);
	histogram_clear(&kind->poll);
	histogram_clear(&kind->wait);
	free(kind->name);
	free(kind->file);
	free(kind->full);
	free(kind->label);
	free(kind->location);
	free(kind);
}

void kinds_clear(struct kinds *kinds)
{
	HASH_CLEAR(hh, kinds->by_key);
	for (size_t i = 0; i < kinds->count; i++)
		kind_free(kinds->list[i]);
	free(kinds->list);
	*kinds = (struct kinds){0};
}
