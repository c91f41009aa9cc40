// SPDX-License-Identifier: MIT
// links: events util -lbpf -lzstd -liberty
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <cmocka.h>

#include "events/ring.h"

#define RING_BYTES 65536

/* Two rings, and a program for each that puts 24 bytes into it, which tell the ring. */
struct machine {
	int fds[2], programs[2];
	struct rings *rings;
	struct rings_reader reader;
	uint64_t records[2], drained[2], clock[2];
	int fail;   /* what record() returns */
	int refill; /* records put into ring 0 by each record taken from it */
};

static void produce(struct machine *machine, size_t ring, int n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (int i = 0; i < n; i++)
		assert_int_equal(bpf_prog_test_run_opts(machine->programs[ring], &opts), 0);
}

static int record(struct rings_reader *reader, size_t ring, const void *bytes, size_t size)
{
	struct machine *machine =
		(struct machine *)((char *)reader - offsetof(struct machine, reader));

	assert_int_equal(size, 24);
	assert_int_equal((uintptr_t)bytes % 8, 0);
	assert_int_equal(*(const uint64_t *)bytes, 4711 + ring);
	machine->records[ring]++;
	if (!ring)
		produce(machine, 0, machine->refill);
	return machine->fail;
}

static void drained(struct rings_reader *reader, size_t ring, uint64_t clock_before)
{
	struct machine *machine =
		(struct machine *)((char *)reader - offsetof(struct machine, reader));

	assert_true(clock_before > machine->clock[ring]);
	machine->clock[ring] = clock_before;
	machine->drained[ring]++;
}

static int load(int ring, int number)
{
	const struct bpf_insn program[] = {
		/* three words on the stack, the number in the first */
		{BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -24, 4711 + number},
		{BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0},
		{BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0},
		/* bpf_ringbuf_output(ring, stack, 24, BPF_RB_NO_WAKEUP) */
		{BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring},
		{0, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -24},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 24},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, BPF_RB_NO_WAKEUP},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);

	return bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "produce", "GPL", program,
			     sizeof(program) / sizeof(program[0]), &opts);
}

static int set_up(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return -1;
	*state = machine;
	machine->reader = (struct rings_reader){record, drained};
	for (int i = 0; i < 2; i++) {
		machine->fds[i] =
			bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, RING_BYTES, NULL);
		if (machine->fds[i] == -EPERM)
			return 0; /* tests skip themselves */
		assert_true(machine->fds[i] >= 0);
		machine->programs[i] = load(machine->fds[i], i);
		assert_true(machine->programs[i] >= 0);
	}
	assert_int_equal(rings_new(machine->fds, 2, &machine->reader, &machine->rings), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	rings_free(machine->rings);
	for (int i = 0; i < 2 && machine->rings; i++) {
		close(machine->programs[i]);
		close(machine->fds[i]);
	}
	free(machine);
	return 0;
}

static struct machine *privileged(void **state)
{
	struct machine *machine = *state;

	if (!machine->rings)
		skip();
	return machine;
}

static void empty_rings_are_drained(void **state)
{
	struct machine *machine = privileged(state);

	assert_int_equal(rings_drain(machine->rings), 0);
	assert_int_equal(machine->drained[0], 1);
	assert_int_equal(machine->drained[1], 1);
}

static void records_come_with_the_number_of_their_ring(void **state)
{
	struct machine *machine = privileged(state);

	produce(machine, 0, 5);
	produce(machine, 1, 7);
	assert_int_equal(rings_drain(machine->rings), 12);
	assert_int_equal(machine->records[0], 5);
	assert_int_equal(machine->records[1], 7);
	assert_int_equal(machine->drained[0], 1);
	assert_int_equal(machine->drained[1], 1);
	assert_int_equal(rings_drain(machine->rings), 0);
}

static void a_ring_that_fills_while_it_is_drained_does_not_starve_the_next(void **state)
{
	struct machine *machine = privileged(state);

	machine->refill = 2;
	produce(machine, 0, 10);
	produce(machine, 1, 1);
	assert_int_equal(rings_drain(machine->rings), 11);
	assert_int_equal(machine->drained[0], 1);
	assert_int_equal(machine->drained[1], 1);
	assert_int_equal(rings_drain(machine->rings), 20);
	machine->refill = 0;
	assert_int_equal(rings_drain(machine->rings), 40);
	assert_int_equal(rings_drain(machine->rings), 0);
}

static void more_than_a_rings_size_passes_through_it(void **state)
{
	struct machine *machine = privileged(state);

	for (int i = 0; i < 20; i++) {
		produce(machine, 1, RING_BYTES / 32 / 3);
		assert_int_equal(rings_drain(machine->rings), RING_BYTES / 32 / 3);
	}
	assert_int_equal(machine->drained[1], 20);
}

static void the_readers_error_ends_the_draining(void **state)
{
	struct machine *machine = privileged(state);

	produce(machine, 0, 3);
	machine->fail = -ENOMEM;
	assert_int_equal(rings_drain(machine->rings), -ENOMEM);
	assert_int_equal(machine->records[0], 1);
	assert_int_equal(machine->drained[0], 0);
	machine->fail = 0;
	assert_int_equal(rings_drain(machine->rings), 2);
	assert_int_equal(machine->drained[0], 1);
}

static void what_is_no_ring_is_refused(void **state)
{
	struct rings_reader reader = {record, drained};
	struct rings *rings;
	int bad = -1;

	(void)state;
	libbpf_set_print(NULL);
	assert_true(rings_new(&bad, 1, &reader, &rings) < 0);
	rings_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(empty_rings_are_drained),
		TEST(records_come_with_the_number_of_their_ring),
		TEST(a_ring_that_fills_while_it_is_drained_does_not_starve_the_next),
		TEST(more_than_a_rings_size_passes_through_it),
		TEST(the_readers_error_ends_the_draining),
		TEST(what_is_no_ring_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
