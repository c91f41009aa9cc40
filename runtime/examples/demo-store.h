/* SPDX-License-Identifier: MIT */
/* The keys of demo-server: a hash table under one lock. */
#ifndef DEMO_STORE_H
#define DEMO_STORE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "pollrt.h"

#define KEY_SIZE 64
#define VALUE_SIZE 128

struct item {
	char key[KEY_SIZE];
	char value[VALUE_SIZE];
	uint64_t expires_ns; /* 0: never */
	UT_hash_handle hh;
};

struct store {
	pthread_mutex_t lock;
	struct item *items;
};

static inline int store_set(struct store *store, const char *key, const char *value,
			    uint64_t ttl_ms)
{
	struct item *item;
	int err = 0;

	pthread_mutex_lock(&store->lock);
	HASH_FIND_STR(store->items, key, item);
	if (!item) {
		item = calloc(1, sizeof(*item));
		if (!item) {
			err = -ENOMEM;
			goto unlock;
		}
		snprintf(item->key, sizeof(item->key), "%s", key);
		HASH_ADD_STR(store->items, key, item);
	}
	snprintf(item->value, sizeof(item->value), "%s", value);
	item->expires_ns = ttl_ms ? pollrt_now_ns() + POLLRT_MS(ttl_ms) : 0;
unlock:
	pthread_mutex_unlock(&store->lock);
	return err;
}

static inline bool store_get(struct store *store, const char *key, char *value, size_t size)
{
	struct item *item;

	pthread_mutex_lock(&store->lock);
	HASH_FIND_STR(store->items, key, item);
	if (item)
		snprintf(value, size, "%s", item->value);
	pthread_mutex_unlock(&store->lock);
	return item;
}

static inline bool store_delete(struct store *store, const char *key)
{
	struct item *item;

	pthread_mutex_lock(&store->lock);
	HASH_FIND_STR(store->items, key, item);
	if (item)
		HASH_DEL(store->items, item);
	pthread_mutex_unlock(&store->lock);
	free(item);
	return item;
}

/* Removes what expired before @now; UINT64_MAX: everything. */
static inline void store_expire(struct store *store, uint64_t now)
{
	struct item *item, *next;

	pthread_mutex_lock(&store->lock);
	HASH_ITER (hh, store->items, item, next) {
		if (now < UINT64_MAX && (!item->expires_ns || item->expires_ns > now))
			continue;
		HASH_DEL(store->items, item);
		free(item);
	}
	pthread_mutex_unlock(&store->lock);
}

static inline void store_print(struct store *store, FILE *file)
{
	pthread_mutex_lock(&store->lock);
	for (struct item *item = store->items; item; item = item->hh.next)
		fprintf(file, "%s %s\n", item->key, item->value);
	pthread_mutex_unlock(&store->lock);
}

#endif
