// SPDX-License-Identifier: MIT
/*
 * The `pollrt` USDT contract: our reference runtime's, and anybody's who adopts it. The notes alone are
 * relied on: names, and where the arguments are.
 */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "attach/adapter.h"
#include "attach/usdt.h"
#include "core/event.h"
#include "symbolize/elf_file.h"
#include "util/utf8.h"

#define PROVIDER "pollrt"
#define NOTE_MAX 256

/* One probe of the contract. Arguments are passed on in the contract's order. */
struct contract {
	const char *name;
	enum probe_program program;
	uint8_t type;        /* enum wire_type */
	int8_t kind_arg;     /* which argument is a kind */
	uint8_t required;    /* leading arguments without which the probe says nothing */
	uint32_t capability; /* enum event_capability that it takes part in */
};

static const struct contract contract[] = {
	{"task_poll_start", PROBE_POLL_START, WIRE_POLL, 1, 1, 0},
	{"task_poll_end", PROBE_POLL_END, WIRE_POLL, -1, 1, 0},
	{"task_spawn", PROBE_SIGNAL, WIRE_SPAWN, 1, 1, EVENT_CAN_SPAWN},
	{"task_wake", PROBE_WAKE, WIRE_WAKE, -1, 1, EVENT_CAN_WAKE},
	{"task_abort", PROBE_SIGNAL, WIRE_ABORT, -1, 1, EVENT_CAN_ABORT},
	{"task_terminate", PROBE_SIGNAL, WIRE_TERMINATE, -1, 1, EVENT_CAN_TERMINATE},
	{"worker_start", PROBE_SIGNAL, WIRE_WORKER_START, -1, 0, EVENT_CAN_WORKER},
	{"worker_stop", PROBE_SIGNAL, WIRE_WORKER_STOP, -1, 0, EVENT_CAN_WORKER},
	{"worker_park", PROBE_SIGNAL, WIRE_PARK, -1, 0, EVENT_CAN_PARK},
	{"worker_unpark", PROBE_SIGNAL, WIRE_UNPARK, -1, 0, EVENT_CAN_PARK},
	{"blocking_queue", PROBE_SIGNAL, WIRE_BLOCKING_QUEUE, 1, 1, EVENT_CAN_BLOCKING},
	{"blocking_start", PROBE_SIGNAL, WIRE_BLOCKING_START, 1, 1, EVENT_CAN_BLOCKING},
	{"blocking_end", PROBE_SIGNAL, WIRE_BLOCKING_END, 1, 1, EVENT_CAN_BLOCKING},
	{"block_on_enter", PROBE_SIGNAL, WIRE_BLOCK_ON_ENTER, 1, 1, EVENT_CAN_BLOCK_ON},
	{"block_on_exit", PROBE_SIGNAL, WIRE_BLOCK_ON_EXIT, 1, 1, EVENT_CAN_BLOCK_ON},
};

static const struct contract *contract_of(const char *name)
{
	for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++)
		if (usdt_name_is(contract[i].name, name))
			return &contract[i];
	return NULL;
}

/* Fills *point; false if an argument that it needs cannot be read. */
static bool point_init(struct probe_point *point, const struct contract *probe,
		       struct usdt_notes *notes, const struct usdt_note *note)
{
	size_t n = usdt_operands(notes, note, point->site.arg, WIRE_SIGNAL_ARGS);

	for (size_t i = 0; i < probe->required; i++)
		if (i >= n || point->site.arg[i].class == OPERAND_NONE)
			return false;
	point->program = probe->program;
	point->offset = note->offset;
	point->semaphore_offset = note->semaphore_offset;
	point->site.type = probe->type;
	point->site.kind_arg = probe->kind_arg;
	return true;
}

/* The runtime's version, from its note; "" where there is none: others have adopted the contract. */
static void version_read(const struct elf_file *file, char *version, size_t size)
{
	struct elf_section section;
	GElf_Nhdr note;
	size_t name, desc;

	version[0] = '\0';
	if (elf_file_section(file, ".note.pollrt", SHT_NOTE, NOTE_MAX, &section) ||
	    section.size < sizeof(Elf64_Nhdr))
		return;
	memcpy(&note, section.bytes, sizeof(note));
	name = sizeof(note);
	if (note.n_namesz != sizeof(PROVIDER) || section.size - name < sizeof(PROVIDER) ||
	    memcmp(section.bytes + name, PROVIDER, sizeof(PROVIDER)))
		return;
	desc = name + (sizeof(PROVIDER) + 3) / 4 * 4;
	if (desc >= section.size || note.n_descsz > section.size - desc || note.n_descsz >= size)
		return;
	utf8_copy(version, (const char *)section.bytes + desc, note.n_descsz);
}

static int pollrt_scan(const struct elf_file *file, const char *provider, struct probe_plan *plan)
{
	bool programs[PROBE_PROGRAMS] = {false};
	struct usdt_notes notes;
	int err = usdt_read(file, &notes);

	memset(plan, 0, sizeof(*plan));
	plan->runtime = adapter_pollrt.name;
	if (err || !notes.n)
		return err;
	plan->points = calloc(notes.n, sizeof(*plan->points));
	if (!plan->points) {
		usdt_release(&notes);
		return -ENOMEM;
	}
	for (size_t i = 0; i < notes.n; i++) {
		const struct usdt_note *note = &notes.notes[i];
		const struct contract *probe;

		if (strcmp(note->provider, provider ? provider : PROVIDER))
			continue;
		probe = contract_of(note->name);
		if (!probe)
			continue;
		if (!point_init(&plan->points[plan->npoints], probe, &notes, note)) {
			memset(&plan->points[plan->npoints], 0, sizeof(*plan->points));
			plan->unreadable++;
			continue;
		}
		plan->npoints++;
		programs[probe->program] = true;
		plan->capabilities |= probe->capability;
	}
	if (programs[PROBE_POLL_START] && programs[PROBE_POLL_END])
		plan->capabilities |= EVENT_CAN_POLL;
	version_read(file, plan->version, sizeof(plan->version));
	usdt_release(&notes);
	return 0;
}

const struct adapter adapter_pollrt = {.name = "pollrt", .usdt = true, .scan = pollrt_scan};
