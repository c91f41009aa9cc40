/* SPDX-License-Identifier: MIT */
/* The unwind tables of the test itself and of its libraries, and walks of its own stack by them. */
#ifndef POLLSCOPE_TESTS_UNWIND_SELF_H
#define POLLSCOPE_TESTS_UNWIND_SELF_H

#include <fcntl.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "symbolize/elf_cache.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "unwind/store.h"
#include "unwind/walk.h"

struct unwind_self {
	struct elf_cache *files;
	struct elf_file *vdso;
	struct unwind_chunk *chunks[16];
	struct unwind_store *store;
	struct unwind_modules *modules;
	int memory; /* of this process */
};

static struct unwind_chunk *self_new_chunk(void *context, uint32_t index)
{
	struct unwind_self *self = context;

	if (index >= sizeof(self->chunks) / sizeof(self->chunks[0]))
		return NULL;
	self->chunks[index] = calloc(1, sizeof(struct unwind_chunk));
	return self->chunks[index];
}

static inline void self_load(struct unwind_self *self)
{
	const struct unwind_backing backing = {.new_chunk = self_new_chunk, .context = self};
	struct maps maps;

	*self = (struct unwind_self){.files = elf_cache_new()};
	self->store = unwind_store_new(&backing);
	self->modules = calloc(1, sizeof(*self->modules));
	self->memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	elf_file_open_vdso(&self->vdso); /* there is none under an emulator */
	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (size_t i = 0; i < maps.n; i++) {
		struct elf_file *elf = self->vdso;
		const struct unwind_file *file;

		if (!maps.entries[i].vdso)
			assert_int_equal(
				elf_cache_open(self->files, getpid(), &maps.entries[i], &elf), 0);
		assert_int_equal(unwind_store_add(self->store, elf, &file), 0);
		assert_int_equal(unwind_modules_add(self->modules, &maps.entries[i], file), 0);
	}
	maps_release(&maps);
}

static inline void self_release(struct unwind_self *self)
{
	unwind_store_free(self->store);
	for (size_t i = 0; i < sizeof(self->chunks) / sizeof(self->chunks[0]); i++)
		free(self->chunks[i]);
	free(self->modules);
	elf_cache_free(self->files);
	elf_file_close(self->vdso);
	close(self->memory);
}

/* Registers as a context has them. */
static inline struct unwind_regs self_regs(const ucontext_t *context)
{
#if defined(__x86_64__)
	const greg_t *r = context->uc_mcontext.gregs;

	return (struct unwind_regs){
		.pc = r[REG_RIP], .sp = r[REG_RSP], .bp = r[REG_RBP], .bx = r[REG_RBX]};
#else
	const mcontext_t *r = &context->uc_mcontext;

	return (struct unwind_regs){.pc = r->pc, .sp = r->sp, .bp = r->regs[29], .lr = r->regs[30]};
#endif
}

/* By the kernel: whatever the address, and whatever a sanitizer holds of it. */
static inline int self_read(void *context, uint64_t address, uint64_t *word)
{
	const struct unwind_self *self = context;

	return pread(self->memory, word, sizeof(*word), address) == sizeof(*word) ? 0 : -1;
}

static inline uint32_t self_walk(const struct unwind_self *self, struct unwind_regs regs,
				 uint64_t *frames, uint32_t max, enum unwind_end *end)
{
	const struct unwind_memory memory = {.read = self_read, .context = (void *)self};

	return unwind_walk(self->store, self->modules, regs, &memory, frames, max, end);
}

#endif
