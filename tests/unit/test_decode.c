// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
#include "decoding.h"

static struct wire_poll a_poll(void)
{
	return (struct wire_poll){
		.h = {.type = WIRE_POLL, .source = 1, .tid = 77, .time = 1000},
		.task = 5,
		.kind = 0x4000,
		.start = 400,
		.blocked_ns = 100,
		.runqueue_ns = 200,
		.local_depth = 3,
		.inject_depth = ~0u,
	};
}

static void a_poll_record_becomes_its_event(void **state)
{
	struct wire_poll wire = a_poll();
	struct decoded out;

	(void)state;
	wire.h.flags = WIRE_POLL_READY | WIRE_POLL_CLIPPED | WIRE_POLL_IN_PROGRESS |
		       WIRE_POLL_SWITCH_LOST | 7 << WIRE_POLL_DEPTH_SHIFT;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.type, EVENT_POLL);
	assert_int_equal(out.event.flags,
			 EVENT_READY | EVENT_CLIPPED | EVENT_IN_PROGRESS | EVENT_UNCERTAIN);
	assert_int_equal(out.event.poll.start, 400);
	assert_int_equal(out.event.poll.blocked_ns, 100);
	assert_int_equal(out.event.poll.runqueue_ns, 200);
	assert_int_equal(out.event.poll.local_depth, 3);
	assert_int_equal(out.event.poll.inject_depth, EVENT_NO_DEPTH);
	assert_int_equal(out.event.poll.depth, 7);
}

static void a_short_poll_record_becomes_the_same_event(void **state)
{
	struct wire_poll whole = a_poll();
	struct wire_poll_short wire = {
		.h = {.type = WIRE_POLL_SHORT, .source = 1, .tid = 77, .time = 1000},
		.task = 5,
		.kind = 0x4000,
		.length_ns = 600,
		.local_depth = 3,
		.inject_depth = WIRE_SHORT_NO_DEPTH,
	};
	struct decoded out, expected;

	(void)state;
	whole.blocked_ns = whole.runqueue_ns = 0;
	wire.h.flags = whole.h.flags = WIRE_POLL_READY | 2 << WIRE_POLL_DEPTH_SHIFT;
	memset(&out, 0, sizeof(out));
	memset(&expected, 0, sizeof(expected));
	assert_int_equal(decode_record(&whole, sizeof(whole), &context, &expected), DECODED_EVENT);
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_memory_equal(&out.event, &expected.event, sizeof(out.event));
	wire.length_ns = 1001;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), -EBADMSG);
}

static void more_time_off_cpu_than_the_poll_took_is_cut_and_uncertain(void **state)
{
	struct wire_poll wire = a_poll();
	struct decoded out;

	(void)state;
	wire.runqueue_ns = 501;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.poll.blocked_ns, 100);
	assert_int_equal(out.event.poll.runqueue_ns, 500);
	assert_int_equal(out.event.flags, EVENT_UNCERTAIN);
	wire.blocked_ns = wire.runqueue_ns = UINT64_MAX;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.poll.blocked_ns, 600);
	assert_int_equal(out.event.poll.runqueue_ns, 0);
	assert_true(event_is_sound(&out.event));
}

static void a_poll_that_starts_after_its_end_is_refused(void **state)
{
	struct wire_poll wire = a_poll();
	struct decoded out;

	(void)state;
	wire.start = 1001;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), -EBADMSG);
}

static struct event signal_event(uint8_t type)
{
	struct wire_signal wire = {
		.h = {.type = type, .source = 1, .tid = 77, .time = 1000},
		.arg = {11, 12, 13, 14, 15},
		.current_task = 16,
	};
	struct decoded out;

	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	return out.event;
}

static void signals_keep_the_order_of_their_contract(void **state)
{
	struct event event;

	(void)state;
	event = signal_event(WIRE_SPAWN);
	assert_int_equal(event.type, EVENT_SPAWN);
	assert_int_equal(event.spawn.task, 11);
	assert_int_equal(event.spawn.kind, 12);
	assert_int_equal(event.spawn.parent, 13);
	event = signal_event(WIRE_WAKE);
	assert_int_equal(event.wake.task, 11);
	assert_int_equal(event.wake.waker_task, 16);
	event = signal_event(WIRE_PARK);
	assert_int_equal(event.type, EVENT_PARK);
	assert_int_equal(event.worker.index, 11);
	assert_int_equal(event.worker.runtime, 12);
	assert_int_equal(event.worker.workers, 13);
	assert_int_equal(event.flags, EVENT_INSIDE);
	event = signal_event(WIRE_BLOCKING_QUEUE);
	assert_int_equal(event.blocking.job, 11);
	assert_int_equal(event.blocking.kind, 12);
	assert_int_equal(event.blocking.depth, 13);
	assert_int_equal(event.blocking.threads, 14);
	assert_int_equal(event.blocking.max_threads, 15);
	event = signal_event(WIRE_BLOCK_ON_EXIT);
	assert_int_equal(event.type, EVENT_BLOCK_ON_EXIT);
	assert_int_equal(event.block_on.task, 11);
	assert_int_equal(event.block_on.kind, 12);
}

static void arguments_that_are_missing_are_unknown(void **state)
{
	struct wire_signal wire = {.h = {.type = WIRE_BLOCKING_QUEUE}, .arg = {~0, ~0, ~0, ~0, ~0}};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_true(out.event.blocking.job == EVENT_UNKNOWN);
	assert_true(out.event.blocking.depth == EVENT_NO_DEPTH);
	wire.h.type = WIRE_TERMINATE;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.terminate.cancelled, 0);
	assert_int_equal(out.event.terminate.kind, 0);
}

static void an_end_tells_the_kind(void **state)
{
	struct event event;

	(void)state;
	event = signal_event(WIRE_TERMINATE);
	assert_int_equal(event.terminate.task, 11);
	assert_int_equal(event.terminate.kind, 13);
}

static void a_future_that_its_thread_drives_is_no_task(void **state)
{
	const struct wire_signal wire = {.h = {.type = WIRE_SPAWN}, .arg = {11, 12, ~0ULL, 0}};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(out.event.type, EVENT_BLOCK_ON_ENTER);
	assert_int_equal(out.event.block_on.task, 11);
	assert_int_equal(out.event.block_on.kind, 12);
}

static void samples_and_awaits_are_a_task_and_a_stack(void **state)
{
	static const uint8_t types[] = {WIRE_SAMPLE, WIRE_AWAIT};
	struct wire_sample wire = {
		.h = {.flags = WIRE_UNWOUND, .source = 1, .tid = 77, .time = 900},
		.task = 5,
		.kind = 0x4000,
		.nuser = 2,
		.frames = {USER, WIRE_MARK(1)},
	};
	struct decoded out;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct event_sample *sample = &out.event.sample;

		wire.h.type = types[i];
		assert_int_equal(decode_record(&wire, offsetof(struct wire_sample, frames[2]),
					       &context, &out),
				 DECODED_EVENT);
		assert_int_equal(out.event.type, i ? EVENT_AWAIT : EVENT_SAMPLE);
		assert_int_equal(out.event.flags, EVENT_UNWOUND);
		assert_int_equal(out.event.time, 900);
		assert_int_equal(out.event.tid, 77);
		assert_int_equal(sample->task, 5);
		assert_int_equal(sample->kind, 0x4000);
		assert_int_equal(sample->stack.nkernel, 0);
		assert_int_equal(sample->stack.nuser, 2);
		assert_ptr_equal(sample->stack.frames, wire.frames);
	}
}

static void strings_end_and_are_clean_whatever_they_hold(void **state)
{
	struct wire_kind wire = {.h = {.type = WIRE_KIND}, .line = 4, .unreadable = 256};
	struct decoded out;

	(void)state;
	memset(wire.type, 'x', sizeof(wire.type));
	memcpy(wire.file, "a\n\x1b[31m\xff\xc2\x9b\xe2\x82\xac", 13);
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(strlen(out.event.kind.type), WIRE_KIND_TYPE);
	assert_string_equal(out.event.kind.file, "a??[31m???\xe2\x82\xac");
	assert_true(out.event.kind.unreadable);
}

static void a_kind_without_a_name_is_called_by_its_place(void **state)
{
	struct wire_kind wire = {.h = {.type = WIRE_KIND}, .line = 42, .file = "src/bin/main.rs"};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_string_equal(out.event.kind.type, "main.rs:42");
	assert_string_equal(out.event.kind.file, "src/bin/main.rs");
	memset(wire.file, 'x', sizeof(wire.file));
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_int_equal(strlen(out.event.kind.type), 80 + strlen(":42"));
	memcpy(wire.type, "conn", sizeof("conn"));
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_string_equal(out.event.kind.type, "conn");
}

static void kinds_that_say_nothing_have_no_name(void **state)
{
	struct wire_kind wire = {.h = {.type = WIRE_KIND}, .line = 42};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_string_equal(out.event.kind.type, "");
	memcpy(wire.file, "main.rs", sizeof("main.rs"));
	wire.unreadable = 1;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_string_equal(out.event.kind.type, "");
}

static void a_character_that_the_end_cuts_is_replaced(void **state)
{
	struct wire_thread wire = {.h = {.type = WIRE_THREAD}, .pid = 3, .process = 2};
	struct decoded out;

	(void)state;
	memset(wire.comm, 'w', sizeof(wire.comm));
	wire.comm[WIRE_COMM - 2] = (char)0xe2;
	wire.comm[WIRE_COMM - 1] = (char)0x82;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EVENT);
	assert_string_equal(out.event.thread.comm, "wwwwwwwwwwwwww??");
	assert_int_equal(out.event.thread.process, 2);
	assert_int_equal(out.event.thread.pid, 3);
}

static void an_exec_is_no_event(void **state)
{
	struct wire_exec wire = {
		.h = {.type = WIRE_EXEC, .tid = 8, .time = 9}, .pid = 7, .process = 1};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&wire, sizeof(wire), &context, &out), DECODED_EXEC);
	assert_int_equal(out.exec.pid, 7);
	assert_int_equal(out.exec.tid, 8);
	assert_int_equal(out.exec.time, 9);
	assert_int_equal(out.exec.process, 1);
}

static void process_numbers_that_do_not_exist_are_refused(void **state)
{
	struct wire_thread thread = {.h = {.type = WIRE_THREAD}, .process = EVENT_NO_PROCESS};
	struct wire_thread_totals totals = {.h = {.type = WIRE_THREAD_TOTALS}, .process = 65536};
	struct wire_exec exec = {.h = {.type = WIRE_EXEC}, .process = UINT32_MAX};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_record(&thread, sizeof(thread), &context, &out), -EBADMSG);
	assert_int_equal(decode_record(&totals, sizeof(totals), &context, &out), -EBADMSG);
	assert_int_equal(decode_record(&exec, sizeof(exec), &context, &out), -EBADMSG);
}

/* Gives the record in memory of exactly its size, so that reading behind it is seen by ASan. */
static int decode_exactly(const void *bytes, size_t size, struct decoded *out)
{
	void *copy = malloc(size ? size : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	result = decode_record(copy, size, &context, out);
	free(copy);
	return result;
}

static void short_records_are_refused(void **state)
{
	static const size_t sizes[WIRE_TYPES] = {
		[WIRE_POLL] = sizeof(struct wire_poll),
		[WIRE_OFFCPU] = offsetof(struct wire_offcpu, frames),
		[WIRE_SAMPLE] = offsetof(struct wire_sample, frames),
		[WIRE_KIND] = sizeof(struct wire_kind),
		[WIRE_THREAD] = sizeof(struct wire_thread),
		[WIRE_THREAD_TOTALS] = sizeof(struct wire_thread_totals),
		[WIRE_EXEC] = sizeof(struct wire_exec),
		[WIRE_POLL_SHORT] = sizeof(struct wire_poll_short),
		[WIRE_AWAIT] = offsetof(struct wire_sample, frames),
	};
	struct wire_offcpu bytes = {.reason = WIRE_OFF_SYSCALL};
	struct decoded out;

	(void)state;
	for (int type = 0; type < 256; type++) {
		size_t least = type >= WIRE_TYPES ? 0 : sizes[type];

		if (type >= WIRE_SPAWN && type < WIRE_TYPES)
			least = type == WIRE_WAKE || type == WIRE_ABORT
					? offsetof(struct wire_signal, arg[1])
					: sizeof(struct wire_signal);
		bytes.h.type = (uint8_t)type;
		for (size_t size = 0; size <= sizeof(struct wire_kind) + 8; size++) {
			int result = decode_exactly(&bytes, size, &out);

			if (least && size >= least)
				assert_true(result >= 0);
			else
				assert_int_equal(result, -EBADMSG);
		}
	}
}

static void frame_counts_beyond_the_record_or_the_limits_are_refused(void **state)
{
	struct wire_offcpu wire = offcpu(WIRE_OFF_SYSCALL, 0, ELSEWHERE);
	struct wire_sample sample = {.h = {.type = WIRE_SAMPLE}, .nkernel = 255, .nuser = 255};
	struct decoded out;

	(void)state;
	assert_int_equal(decode_exactly(&wire, offcpu_size(&wire) - 1, &out), -EBADMSG);
	wire.nkernel = WIRE_KERNEL_FRAMES;
	wire.nuser = WIRE_USER_FRAMES;
	assert_int_equal(decode_exactly(&wire, sizeof(wire), &out), DECODED_EVENT);
	wire.nkernel++;
	wire.nuser--;
	assert_int_equal(decode_exactly(&wire, sizeof(wire), &out), -EBADMSG);
	assert_int_equal(decode_exactly(&sample, sizeof(sample), &out), -EBADMSG);
}

static void enum_values_that_do_not_exist_are_refused(void **state)
{
	struct wire_offcpu wire = offcpu(0, 0, ELSEWHERE);
	struct decoded out;

	(void)state;
	assert_int_equal(decode_exactly(&wire, offcpu_size(&wire), &out), -EBADMSG);
	wire.reason = WIRE_OFF_STOPPED + 1;
	assert_int_equal(decode_exactly(&wire, offcpu_size(&wire), &out), -EBADMSG);
	wire.reason = WIRE_OFF_SYSCALL;
	wire.waker = WIRE_WAKER_KERNEL + 1;
	assert_int_equal(decode_exactly(&wire, offcpu_size(&wire), &out), -EBADMSG);
}

static void random_records_are_refused_or_sound(void **state)
{
	uint64_t words[200], random = 88172645463325252ull;
	struct decoded out;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t size = (size_t)(random % sizeof(words));

		for (size_t i = 0; i < 24; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			words[i] = random;
		}
		((uint8_t *)words)[0] %= WIRE_TYPES;
		if (decode_record(words, size, &context, &out) == DECODED_EVENT)
			assert_true(event_is_sound(&out.event));
	}
}

static void lost_records_are_named_by_their_event(void **state)
{
	(void)state;
	assert_int_equal(decode_event_type(WIRE_POLL), EVENT_POLL);
	assert_int_equal(decode_event_type(WIRE_BLOCK_ON_EXIT), EVENT_BLOCK_ON_EXIT);
	assert_int_equal(decode_event_type(WIRE_EXEC), 0);
	assert_int_equal(decode_event_type(WIRE_AWAIT), EVENT_AWAIT);
	assert_int_equal(decode_event_type(WIRE_TYPES), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_poll_record_becomes_its_event),
		cmocka_unit_test(a_short_poll_record_becomes_the_same_event),
		cmocka_unit_test(more_time_off_cpu_than_the_poll_took_is_cut_and_uncertain),
		cmocka_unit_test(a_poll_that_starts_after_its_end_is_refused),
		cmocka_unit_test(signals_keep_the_order_of_their_contract),
		cmocka_unit_test(arguments_that_are_missing_are_unknown),
		cmocka_unit_test(an_end_tells_the_kind),
		cmocka_unit_test(a_future_that_its_thread_drives_is_no_task),
		cmocka_unit_test(samples_and_awaits_are_a_task_and_a_stack),
		cmocka_unit_test(strings_end_and_are_clean_whatever_they_hold),
		cmocka_unit_test(a_kind_without_a_name_is_called_by_its_place),
		cmocka_unit_test(kinds_that_say_nothing_have_no_name),
		cmocka_unit_test(a_character_that_the_end_cuts_is_replaced),
		cmocka_unit_test(an_exec_is_no_event),
		cmocka_unit_test(process_numbers_that_do_not_exist_are_refused),
		cmocka_unit_test(short_records_are_refused),
		cmocka_unit_test(frame_counts_beyond_the_record_or_the_limits_are_refused),
		cmocka_unit_test(enum_values_that_do_not_exist_are_refused),
		cmocka_unit_test(random_records_are_refused_or_sound),
		cmocka_unit_test(lost_records_are_named_by_their_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
