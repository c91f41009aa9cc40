// SPDX-License-Identifier: MIT
/*
 * The `pollrt` USDT contract: our reference runtime's, and anybody's who adopts it. The notes alone are
 * relied on: names, and where the arguments are.
 */
#include <gelf.h>
#include <string.h>

#include "attach/usdt_contract.h"
#include "symbolize/elf_file.h"
#include "util/utf8.h"

#define PROVIDER "pollrt"
#define NOTE_MAX 256

static const struct usdt_probe probes[] = {
	{"task_poll_start", 1, 4, PROBE_POLL_START, WIRE_POLL, {1, 2, 3, 4}, KIND_STATIC},
	{"task_poll_end", 1, 2, PROBE_POLL_END, WIRE_POLL, {1, 2}, KIND_NONE},
	{"task_spawn", 1, 3, PROBE_SIGNAL, WIRE_SPAWN, {1, 2, 3}, KIND_STATIC},
	{"task_wake", 1, 1, PROBE_WAKE, WIRE_WAKE, {1}, KIND_NONE},
	{"waker_clone", 1, 1, PROBE_AWAIT, WIRE_AWAIT, {1}, KIND_NONE},
	{"task_abort", 1, 1, PROBE_SIGNAL, WIRE_ABORT, {1}, KIND_NONE},
	{"task_terminate", 1, 2, PROBE_SIGNAL, WIRE_TERMINATE, {1, 2}, KIND_NONE},
	{"worker_start", 0, 3, PROBE_SIGNAL, WIRE_WORKER_START, {1, 2, 3}, KIND_NONE},
	{"worker_stop", 0, 3, PROBE_SIGNAL, WIRE_WORKER_STOP, {1, 2, 3}, KIND_NONE},
	{"worker_park", 0, 3, PROBE_SIGNAL, WIRE_PARK, {1, 2, 3}, KIND_NONE},
	{"worker_unpark", 0, 3, PROBE_SIGNAL, WIRE_UNPARK, {1, 2, 3}, KIND_NONE},
	{"blocking_queue", 1, 5, PROBE_SIGNAL, WIRE_BLOCKING_QUEUE, {1, 2, 3, 4, 5}, KIND_STATIC},
	{"blocking_start", 1, 2, PROBE_SIGNAL, WIRE_BLOCKING_START, {1, 2}, KIND_STATIC},
	{"blocking_end", 1, 2, PROBE_SIGNAL, WIRE_BLOCKING_END, {1, 2}, KIND_STATIC},
	{"block_on_enter", 1, 2, PROBE_SIGNAL, WIRE_BLOCK_ON_ENTER, {1, 2}, KIND_STATIC},
	{"block_on_exit", 1, 2, PROBE_SIGNAL, WIRE_BLOCK_ON_EXIT, {1, 2}, KIND_STATIC},
};

const struct usdt_contract usdt_pollrt = {
	.runtime = PROVIDER,
	.provider = PROVIDER,
	.found = "",
	.probes = probes,
	.nprobes = sizeof(probes) / sizeof(probes[0]),
};

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
	int err = usdt_contract_scan(file, provider, PROVIDER, plan);

	if (!err && plan->npoints)
		version_read(file, plan->version, sizeof(plan->version));
	return err;
}

const struct adapter adapter_pollrt = {.name = "pollrt", .usdt = true, .scan = pollrt_scan};
