// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
/* Time off the CPU: its cause by reason and stack, and the wake that divides it. */
#include "decoding.h"

static uint8_t cause_of(uint8_t reason, uint8_t flags, uint64_t kernel_frame)
{
	struct wire_offcpu wire = offcpu(reason, flags, kernel_frame);
	struct decoded out;

	assert_int_equal(decode_record(&wire, offcpu_size(&wire), &context, &out), DECODED_EVENT);
	return out.event.offcpu.cause;
}

static void preempted_is_run_queue_whatever_the_stack_shows(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_PREEMPTED, 0, FAULT), EVENT_CAUSE_RUNQUEUE);
}

static void stopped_is_stopped(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_STOPPED, 0, FAULT), EVENT_CAUSE_STOPPED);
}

static void a_sleep_in_a_syscall_is_that_syscall_with_iowait_too(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_SYSCALL, 0, ELSEWHERE), EVENT_CAUSE_SYSCALL);
	assert_int_equal(cause_of(WIRE_OFF_SYSCALL, WIRE_OFFCPU_IOWAIT, ELSEWHERE),
			 EVENT_CAUSE_SYSCALL);
}

static void a_fault_in_a_syscall_is_a_page_fault(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_SYSCALL, WIRE_OFFCPU_IOWAIT, FAULT),
			 EVENT_CAUSE_PAGE_FAULT);
	assert_int_equal(cause_of(WIRE_OFF_SYSCALL, 0, FAULT), EVENT_CAUSE_PAGE_FAULT);
}

static void outside_of_syscalls_iowait_is_a_page_fault(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_KERNEL, WIRE_OFFCPU_IOWAIT, ELSEWHERE),
			 EVENT_CAUSE_PAGE_FAULT);
}

static void outside_of_syscalls_a_fault_without_iowait_is_memory(void **state)
{
	(void)state;
	assert_int_equal(cause_of(WIRE_OFF_KERNEL, 0, FAULT), EVENT_CAUSE_MEMORY);
	assert_int_equal(cause_of(WIRE_OFF_KERNEL, 0, FAULT + 0x1ff), EVENT_CAUSE_MEMORY);
	assert_int_equal(cause_of(WIRE_OFF_KERNEL, 0, FAULT + 0x200), EVENT_CAUSE_OTHER);
	assert_int_equal(cause_of(WIRE_OFF_KERNEL, 0, ELSEWHERE), EVENT_CAUSE_OTHER);
}

static void user_frames_do_not_show_faults(void **state)
{
	struct wire_offcpu wire = offcpu(WIRE_OFF_KERNEL, 0, ELSEWHERE);
	struct decoded out;

	(void)state;
	wire.frames[2] = FAULT;
	assert_int_equal(decode_record(&wire, offcpu_size(&wire), &context, &out), 0);
	assert_int_equal(out.event.offcpu.cause, EVENT_CAUSE_OTHER);
}

static uint64_t wake_of(uint8_t reason, uint64_t wake)
{
	struct wire_offcpu wire = offcpu(reason, 0, ELSEWHERE);
	struct decoded out;

	wire.wake = wake;
	assert_int_equal(decode_record(&wire, offcpu_size(&wire), &context, &out), 0);
	assert_true(event_is_sound(&out.event));
	return out.event.offcpu.wake;
}

static void the_wake_lies_within_the_interval(void **state)
{
	(void)state;
	assert_int_equal(wake_of(WIRE_OFF_SYSCALL, 600), 600);
	assert_int_equal(wake_of(WIRE_OFF_SYSCALL, 99), 100);
	assert_int_equal(wake_of(WIRE_OFF_SYSCALL, 901), 900);
}

static void without_a_wake_all_is_blocked(void **state)
{
	(void)state;
	assert_int_equal(wake_of(WIRE_OFF_SYSCALL, 0), 900);
}

static void preempted_is_on_the_run_queue_at_once(void **state)
{
	(void)state;
	assert_int_equal(wake_of(WIRE_OFF_PREEMPTED, 0), 100);
	assert_int_equal(wake_of(WIRE_OFF_PREEMPTED, 600), 100);
}

static void an_offcpu_record_becomes_its_event(void **state)
{
	struct wire_offcpu wire = offcpu(
		WIRE_OFF_SYSCALL, WIRE_OFFCPU_UNSETTLED | WIRE_OFFCPU_IN_PROGRESS, ELSEWHERE);
	struct decoded out;
	const struct event_offcpu *off = &out.event.offcpu;

	(void)state;
	wire.waker = WIRE_WAKER_THREAD;
	wire.waker_tid = 78;
	wire.waker_task = 6;
	wire.waker_source = 2;
	wire.file_dev = 9;
	wire.file_ino = 10;
	wire.file_mode = 0100000;
	assert_int_equal(decode_record(&wire, offcpu_size(&wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.type, EVENT_OFFCPU);
	assert_int_equal(out.event.flags, EVENT_UNSETTLED | EVENT_IN_PROGRESS);
	assert_int_equal(out.event.time, 900);
	assert_int_equal(out.event.tid, 77);
	assert_int_equal(out.event.source, 1);
	assert_int_equal(off->task, 5);
	assert_int_equal(off->kind, 0x4000);
	assert_int_equal(off->out, 100);
	assert_int_equal(off->waker, EVENT_WAKER_THREAD);
	assert_int_equal(off->waker_tid, 78);
	assert_int_equal(off->waker_task, 6);
	assert_int_equal(off->waker_source, 2);
	assert_int_equal(off->syscall, 75);
	assert_int_equal(off->file_dev, 9);
	assert_int_equal(off->file_ino, 10);
	assert_int_equal(off->file_mode, 0100000);
	assert_string_equal(off->file_name, "log");
	assert_int_equal(off->stack.nkernel, 2);
	assert_int_equal(off->stack.nuser, 1);
	assert_memory_equal(off->stack.frames, wire.frames, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preempted_is_run_queue_whatever_the_stack_shows),
		cmocka_unit_test(stopped_is_stopped),
		cmocka_unit_test(a_sleep_in_a_syscall_is_that_syscall_with_iowait_too),
		cmocka_unit_test(a_fault_in_a_syscall_is_a_page_fault),
		cmocka_unit_test(outside_of_syscalls_iowait_is_a_page_fault),
		cmocka_unit_test(outside_of_syscalls_a_fault_without_iowait_is_memory),
		cmocka_unit_test(user_frames_do_not_show_faults),
		cmocka_unit_test(the_wake_lies_within_the_interval),
		cmocka_unit_test(without_a_wake_all_is_blocked),
		cmocka_unit_test(preempted_is_on_the_run_queue_at_once),
		cmocka_unit_test(an_offcpu_record_becomes_its_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
