// SPDX-License-Identifier: MIT
#include "attach/adapter.h"

#include <stdlib.h>
#include <string.h>

#include "core/event.h"

const struct adapter *const adapters[] = {&adapter_pollrt, NULL};

const struct adapter *adapter_by_name(const char *name)
{
	for (size_t i = 0; adapters[i]; i++)
		if (!strcmp(adapters[i]->name, name))
			return adapters[i];
	return NULL;
}

void probe_plan_release(struct probe_plan *plan)
{
	if (plan->names)
		plan->names->free(plan->names);
	free(plan->points);
	memset(plan, 0, sizeof(*plan));
}

void kind_name_release(struct kind_name *name)
{
	free(name->type);
	free(name->verbose);
	free(name->file);
	memset(name, 0, sizeof(*name));
}

int probe_plan_complete(const struct probe_plan *plan)
{
	return plan->capabilities & EVENT_CAN_POLL;
}
