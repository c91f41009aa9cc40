// SPDX-License-Identifier: MIT
#include "emit/frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stack_end.h"

struct frame_visitor {
	int (*visit)(void *context, const struct emit_frame *frame);
	void *context;
};

static int visit_kernel(const struct frame_visitor *visitor, struct emit_frame *frame)
{
	char *name;
	int err;

	if (asprintf(&name, "%s_[k]", frame->name) < 0)
		return -ENOMEM;
	frame->name = name;
	err = visitor->visit(visitor->context, frame);
	free(name);
	return err;
}

static int visit_symbol(const struct frame_visitor *visitor, const struct model_symbol *symbol,
			bool kernel)
{
	for (uint32_t i = symbol->nframes; i-- > 0;) {
		const struct model_frame *from = &symbol->frames[i];
		struct emit_frame frame = {from->function, from->file, from->line, kernel, true};
		int err;

		err = kernel ? visit_kernel(visitor, &frame)
			     : visitor->visit(visitor->context, &frame);
		if (err)
			return err;
	}
	return 0;
}

/* The innermost byte of a return address's call is the one before it: it may end its module. */
const struct model_module *emit_frames_module(const struct model *model, uint32_t process,
					      uint64_t address, bool is_return)
{
	address -= is_return;
	for (size_t i = 0; i < model->nmodules; i++) {
		const struct model_module *module = &model->modules[i];

		if (module->process == process && address >= module->start && address < module->end)
			return module;
	}
	return NULL;
}

static int visit_mark(const struct frame_visitor *visitor, const char *name, bool kernel)
{
	struct emit_frame frame = {name, "", 0, kernel, false};

	return visitor->visit(visitor->context, &frame);
}

static int visit_unknown(const struct frame_visitor *visitor, const struct model *model,
			 uint32_t process, uint64_t address, bool is_return)
{
	const struct model_module *module = emit_frames_module(model, process, address, is_return);
	struct emit_frame frame = {"[unknown module]", "", 0, false, false};
	const char *slash;
	char *name;
	int err;

	if (!module)
		return visitor->visit(visitor->context, &frame);
	slash = strrchr(module->path, '/');
	if (asprintf(&name, "%s+0x%" PRIx64, slash ? slash + 1 : module->path,
		     address - module->start + module->file_offset) < 0)
		return -ENOMEM;
	frame.name = name;
	err = visitor->visit(visitor->context, &frame);
	free(name);
	return err;
}

int emit_frames_visit(const struct model *model, uint32_t index,
		      int (*visit)(void *context, const struct emit_frame *frame), void *context)
{
	const struct frame_visitor visitor = {visit, context};
	const struct model_stack *stack;

	if (index >= model->nstacks)
		return 0;
	stack = &model->stacks[index];
	for (uint32_t i = stack->nkernel + stack->nuser; i-- > 0;) {
		bool kernel = i < stack->nkernel, is_return = i != 0 && i != stack->nkernel;
		uint32_t process = kernel ? EVENT_NO_PROCESS : stack->process;
		uint64_t address = stack->frames[i];
		const char *mark = stack_mark_frame(address);
		const struct model_symbol *symbol;
		int err;

		symbol = model_symbol(model, process, address, is_return);
		if (mark) {
			err = visit_mark(&visitor, mark, kernel);
		} else if (symbol && symbol->nframes) {
			err = visit_symbol(&visitor, symbol, kernel);
		} else if (kernel) {
			struct emit_frame frame = {"[unknown]", "", 0, true, false};

			err = visit_kernel(&visitor, &frame);
		} else {
			err = visit_unknown(&visitor, model, process, address, is_return);
		}
		if (err)
			return err;
	}
	return 0;
}
