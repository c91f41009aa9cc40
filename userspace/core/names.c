// SPDX-License-Identifier: MIT
#include "core/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/hash.h"

struct name {
	uint32_t number;
	UT_hash_handle hh;
	char text[];
};

int names_intern(struct names *names, const char *text, uint32_t *number)
{
	size_t length = strlen(text);
	struct name *name, **list;

	HASH_FIND(hh, names->by_text, text, length, name);
	if (name) {
		*number = name->number;
		return 0;
	}
	list = array_grow(names->list, names->count, &names->capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	names->list = list;
	name = malloc(sizeof(*name) + length + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name->text, text, length + 1);
	name->number = names->count;
	HASH_ADD_KEYPTR(hh, names->by_text, name->text, length, name);
	if (!hash_added(name)) {
		free(name);
		return -ENOMEM;
	}
	names->list[names->count++] = name;
	*number = name->number;
	return 0;
}

const char *names_text(const struct names *names, uint32_t number)
{
	return names->list[number]->text;
}

void names_clear(struct names *names)
{
	HASH_CLEAR(hh, names->by_text);
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){0};
}
