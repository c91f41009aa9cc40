// SPDX-License-Identifier: MIT
// links: core util
/* The kernel's frames in probes become one; nothing else changes. */
#include "capture.h"
#include "core/stack_end.h"

#define TRAP 0xffffffff81001000
#define HANDLER 0xffffffff81002000
#define SYSCALL 0xffffffff81003000
#define RETURN_PROBE 0xffffffff81004000
#define TIMER 0xffffffff81005000

static void symbol(struct capture *capture, uint64_t address, bool is_return, const char *function)
{
	const struct event_frame frame = {function, "", 0};

	CAPTURE_EVENT(capture, 100, EVENT_SYMBOL,
		      .symbol = {EVENT_NO_PROCESS, address, is_return, 1, &frame});
}

static void sample(struct capture *capture, uint64_t at, const uint64_t *frames, uint16_t nkernel,
		   uint16_t nuser)
{
	CAPTURE_EVENT(capture, at, EVENT_SAMPLE,
		      .sample = {.task = 1,
				 .kind = 1,
				 .stack = {.frames = frames, .nkernel = nkernel, .nuser = nuser}});
}

static const struct model_stack *stack_of(const struct model *model, uint64_t leaf_user)
{
	for (size_t i = 0; i < model->nstacks; i++) {
		const struct model_stack *stack = &model->stacks[i];

		if (stack->nuser && stack->frames[stack->nkernel] == leaf_user)
			return stack;
	}
	fail_msg("no stack at %#llx", (unsigned long long)leaf_user);
	return NULL;
}

static void assert_probe(const struct model_stack *stack, uint16_t nuser)
{
	assert_int_equal(stack->nkernel, 1);
	assert_int_equal(stack->nuser, nuser);
	assert_int_equal(stack->frames[0], STACK_PROBE);
	assert_string_equal(stack_mark_frame(stack->frames[0]), "[probe]");
	for (uint16_t i = 0; i < nuser; i++)
		assert_int_equal(stack->frames[1 + i] & 0xff, i);
}

static void kernel_frames_of_probes_become_one(void **state)
{
	const uint64_t entry[] = {HANDLER + 8, HANDLER, TRAP, 0x1000, 0x1001};
	const uint64_t leaf[] = {TRAP, 0x2000};
	const uint64_t call[] = {HANDLER, RETURN_PROBE, SYSCALL, 0x3000, 0x3001, 0x3002};
	const uint64_t other[] = {TIMER, SYSCALL, 0x4000};
	const uint64_t user[] = {0x5000, TRAP};
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	sample(&capture, 10, entry, 3, 2);
	sample(&capture, 20, leaf, 1, 1);
	sample(&capture, 30, call, 3, 3);
	sample(&capture, 40, other, 2, 1);
	sample(&capture, 50, user, 0, 2);
	capture_poll(&capture, 0, 100, 1);
	symbol(&capture, TRAP, true, "asm_exc_int3");
	symbol(&capture, TRAP, false, "asm_exc_int3");
	symbol(&capture, RETURN_PROBE, true, "__x64_sys_uretprobe");
	symbol(&capture, HANDLER, true, "handler_chain");
	symbol(&capture, SYSCALL, true, "do_syscall_64");
	symbol(&capture, TIMER, false, "read_tsc");
	model = capture_end(&capture, 100);
	assert_probe(stack_of(model, 0x1000), 2);
	assert_probe(stack_of(model, 0x2000), 1);
	assert_probe(stack_of(model, 0x3000), 3);
	assert_int_equal(stack_of(model, 0x4000)->nkernel, 2);
	assert_int_equal(stack_of(model, 0x4000)->frames[0], TIMER);
	assert_int_equal(stack_of(model, 0x5000)->nkernel, 0);
	assert_int_equal(stack_of(model, 0x5000)->nuser, 2);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_ON_CPU, NULL),
			 5 * model->capture.sample_period_ns);
	capture_free(&capture);
}

static void kernel_without_symbols_stays_as_it_is(void **state)
{
	const uint64_t entry[] = {HANDLER, TRAP, 0x1000};
	struct capture capture = capture_begin();

	(void)state;
	sample(&capture, 10, entry, 2, 1);
	capture_poll(&capture, 0, 100, 1);
	capture_end(&capture, 100);
	assert_int_equal(stack_of(capture.model, 0x1000)->nkernel, 2);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_frames_of_probes_become_one),
		cmocka_unit_test(kernel_without_symbols_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
