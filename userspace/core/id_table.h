/* SPDX-License-Identifier: MIT */
/*
 * Ids to pointers: every poll and wake looks its task up here.
 */
#ifndef POLLSCOPE_CORE_ID_TABLE_H
#define POLLSCOPE_CORE_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint64_t id;
	void *value; /* NULL: free */
};

/* All zero is an empty one. */
struct id_table {
	struct id_slot *slots;
	size_t nslots; /* 0 or a power of two */
	size_t used;
};

/* Returns NULL where there is none. */
void *id_table_find(const struct id_table *table, uint64_t id);

/* Asks for the memory that finding it will touch. */
void id_table_prefetch(const struct id_table *table, uint64_t id);

/* The id must not be in it; the value not NULL. Returns 0 or -ENOMEM. */
int id_table_add(struct id_table *table, uint64_t id, void *value);

void id_table_remove(struct id_table *table, uint64_t id);

/* Frees the table, not what it points to. Leaves an empty one. */
void id_table_clear(struct id_table *table);

#endif
