// SPDX-License-Identifier: MIT
#include "attach/adapter.h"

#include <stdlib.h>
#include <string.h>

#include "core/event.h"

const struct adapter *const adapters[] = {&adapter_pollrt, &adapter_tokio_usdt, &adapter_tokio,
					  NULL};

bool adapter_choose(const char *text, struct adapter_choice *choice)
{
	static const char usdt[] = "usdt:";

	*choice = (struct adapter_choice){0};
	if (!strncmp(text, usdt, strlen(usdt))) {
		choice->provider = text + strlen(usdt);
		return *choice->provider;
	}
	for (size_t i = 0; adapters[i]; i++)
		if (!strcmp(adapters[i]->name, text))
			choice->name = text;
	return choice->name;
}

bool adapter_chosen(const struct adapter *adapter, const struct adapter_choice *choice)
{
	if (choice->provider)
		return adapter->usdt;
	return !choice->name || !strcmp(adapter->name, choice->name);
}

void probe_plan_release(struct probe_plan *plan)
{
	if (plan->names)
		plan->names->free(plan->names);
	timers_release(&plan->timers);
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
