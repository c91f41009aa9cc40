// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * Tables in chunks, and the list of a process's mappings: whatever the places, an address has the rule that
 * the table of its file has.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "symbolize/maps.h"
#include "tests/fixtures/unwind_image.h"
#include "unwind/rules.h"
#include "unwind/store.h"
#include "unwind/table.h"

#define CHUNKS_MAX 8
#define MAPPED 0x7f0000000000ULL

static struct unwind_chunk *chunks[CHUNKS_MAX];
static uint32_t nchunks, chunks_max;
static struct unwind_store *store;
static struct unwind_modules modules;

static struct unwind_chunk *new_chunk(void *context, uint32_t index)
{
	(void)context;
	assert_int_equal(index, nchunks);
	if (index == chunks_max)
		return NULL;
	return chunks[nchunks++] = calloc(1, sizeof(struct unwind_chunk));
}

static int set_up(void **state)
{
	const struct unwind_backing backing = {.new_chunk = new_chunk};

	(void)state;
	nchunks = 0;
	chunks_max = CHUNKS_MAX;
	modules.n = 0;
	store = unwind_store_new(&backing);
	return !store;
}

static int tear_down(void **state)
{
	(void)state;
	unwind_store_free(store);
	while (nchunks)
		free(chunks[--nchunks]);
	return 0;
}

/*
 * A file of n functions, one at each `step` bytes, of two rows each. `first` is the first's frame in words,
 * and makes the file another.
 */
static struct elf_file *functions_file(uint32_t n, uint32_t step, uint8_t first)
{
	const uint8_t usual[] = {IMAGE_USUAL};
	struct unwind_image head = {.size = 0};
	size_t cie = image_cie(&head, "z", usual, sizeof(usual));
	size_t size = head.size, room = size + n * 40ul;
	uint8_t *bytes = malloc(room);
	struct elf_file *elf;

	memcpy(bytes, head.bytes, size);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t program[] = {DW_CFA_def_cfa_offset, 8 * (i ? i % 10 + 1 : first),
					   DW_CFA_advance_loc | 4, DW_CFA_def_cfa_register, 6};
		const uint32_t length = 4 + 16 + 1 + sizeof(program), back = size + 4 - cie;
		const uint64_t range[] = {IMAGE_BASE + (uint64_t)i * step, step};

		memcpy(bytes + size, &length, 4);
		memcpy(bytes + size + 4, &back, 4);
		memcpy(bytes + size + 8, range, 16);
		bytes[size + 24] = 0;
		memcpy(bytes + size + 25, program, sizeof(program));
		size += 4 + length;
	}
	elf = image_open(bytes, size, EM_X86_64, 0);
	free(bytes);
	assert_non_null(elf);
	return elf;
}

/* The number of the rule for an address, as a walk finds it; -1: in no module. */
static int64_t rule_at(uint64_t address)
{
	int at = unwind_find_module(&modules, address);
	const struct unwind_module *m;

	if (at < 0)
		return -1;
	m = &modules.list[at];
	return unwind_find_rule(unwind_store_chunk(store, m->chunk), m->first, m->shift,
				address - m->base);
}

static struct map_entry map_at(uint64_t start, uint64_t size, uint64_t offset)
{
	return (struct map_entry){.start = start, .end = start + size, .offset = offset};
}

static const struct unwind_file *add(const struct elf_file *elf)
{
	const struct unwind_file *file;

	assert_int_equal(unwind_store_add(store, elf, &file), 0);
	return file;
}

/* Whether a mapping has the rules of the table, which is made anew by the same order of rules. */
static void check_rules(const struct elf_file *elf, const struct map_entry *map)
{
	struct unwind_rules *rules = unwind_rules_new();
	const struct unwind_rule *here, *there;
	struct unwind_table *table;
	uint32_t n;

	assert_int_equal(unwind_table_new(elf, rules, &table), 0);
	for (uint32_t i = 0; i < table->nrows; i++) {
		for (int k = -1; k <= 1; k++) {
			uint64_t offset = table->rows[i].offset + (uint64_t)k;
			uint64_t address = map->start + offset - map->offset;

			if (address < map->start || address >= map->end)
				continue;
			here = &unwind_store_rules(store, &n)[rule_at(address)];
			there = &unwind_rules_list(
				rules, &n)[unwind_table_find(table, IMAGE_BASE + offset)];
			assert_memory_equal(here, there, sizeof(*here));
		}
	}
	unwind_table_free(table);
	unwind_rules_free(rules);
}

static void a_small_table_is_one_module(void **state)
{
	struct elf_file *elf = functions_file(100, 32, 5);
	const struct map_entry map = map_at(MAPPED, 4096, 0);

	(void)state;
	assert_int_equal(unwind_modules_add(&modules, &map, add(elf)), 0);
	check_rules(elf, &map);
	assert_int_equal(modules.n, 1);
	assert_int_equal(rule_at(MAPPED - 1), -1);
	assert_int_equal(rule_at(MAPPED + 4096), -1);
	assert_int_equal(rule_at(MAPPED + 100 * 32), UNWIND_RULE_UNKNOWN);
	elf_file_close(elf);
}

static void a_large_table_is_cut_where_chunks_end(void **state)
{
	struct elf_file *small = functions_file(3000, 16, 5);
	struct elf_file *elf = functions_file(60000, 32, 6);
	const struct map_entry map = map_at(MAPPED, 60000 * 32, 0);
	struct unwind_totals totals;

	(void)state;
	add(small);
	assert_int_equal(unwind_modules_add(&modules, &map, add(elf)), 0);
	assert_true(modules.n >= 2);
	check_rules(elf, &map);
	unwind_store_totals(store, &totals);
	assert_int_equal(totals.files, 2);
	assert_int_equal(totals.chunks, nchunks);
	assert_int_equal(nchunks, 2);
	assert_true(totals.rows > 2 * 63000 - 100 && totals.bytes < 5 * totals.rows);
	elf_file_close(elf);
	elf_file_close(small);
}

static void a_sparse_table_takes_little(void **state)
{
	struct elf_file *elf = functions_file(100, 1 << 20, 5);
	const struct map_entry map = map_at(MAPPED, 100 << 20, 0);

	(void)state;
	assert_int_equal(unwind_modules_add(&modules, &map, add(elf)), 0);
	check_rules(elf, &map);
	assert_int_equal(nchunks, 1);
	elf_file_close(elf);
}

static void a_mapping_of_a_part_has_the_parts_rules(void **state)
{
	struct elf_file *elf = functions_file(2000, 64, 5);
	const struct map_entry first = map_at(MAPPED, 0x3000, 0x1000);
	const struct map_entry second = map_at(MAPPED + 0x10000, 0x8000, 0x8000);
	const struct unwind_file *file;

	(void)state;
	file = add(elf);
	assert_int_equal(unwind_modules_add(&modules, &first, file), 0);
	assert_int_equal(unwind_modules_add(&modules, &second, file), 0);
	check_rules(elf, &first);
	check_rules(elf, &second);
	assert_int_equal(rule_at(MAPPED + 0x3000), -1);
	elf_file_close(elf);
}

static void what_is_behind_a_table_is_unknown(void **state)
{
	struct elf_file *elf = functions_file(10, 16, 5);
	const struct map_entry map = map_at(MAPPED, 1 << 20, 0);
	const struct map_entry none = map_at(MAPPED + (2 << 20), 1ULL << 33, 0);

	(void)state;
	assert_int_equal(unwind_modules_add(&modules, &map, add(elf)), 0);
	assert_int_equal(unwind_modules_add(&modules, &none, NULL), 0);
	check_rules(elf, &map);
	assert_int_equal(rule_at(MAPPED + (1 << 20) - 1), UNWIND_RULE_UNKNOWN);
	assert_int_equal(rule_at(none.start), UNWIND_RULE_UNKNOWN);
	assert_int_equal(rule_at(none.start + UINT32_MAX), UNWIND_RULE_UNKNOWN);
	elf_file_close(elf);
}

static void the_same_table_is_there_once(void **state)
{
	struct elf_file *elf = functions_file(1000, 16, 5), *copy = functions_file(1000, 16, 5);
	struct elf_file *other = functions_file(1000, 16, 6);
	struct unwind_totals before, after;

	(void)state;
	assert_ptr_equal(add(elf), add(elf));
	unwind_store_totals(store, &before);
	assert_ptr_not_equal(add(elf), add(copy));
	unwind_store_totals(store, &after);
	assert_int_equal(after.rows, before.rows);
	assert_int_equal(after.bytes, before.bytes);
	add(other);
	unwind_store_totals(store, &after);
	assert_true(after.rows > before.rows);
	elf_file_close(other);
	elf_file_close(copy);
	elf_file_close(elf);
}

static void chunks_come_to_an_end(void **state)
{
	struct elf_file *elf = functions_file(60000, 32, 5), *small = functions_file(10, 32, 5);
	const struct unwind_file *file;

	(void)state;
	chunks_max = 1;
	assert_int_equal(unwind_store_add(store, elf, &file), -ENOSPC);
	assert_null(file);
	chunks_max = CHUNKS_MAX;
	add(elf);
	add(small);
	elf_file_close(small);
	elf_file_close(elf);
}

static void lists_come_to_an_end(void **state)
{
	struct elf_file *elf = functions_file(10, 16, 5);
	const struct unwind_file *file = add(elf);
	struct map_entry map = map_at(MAPPED, 0x800, 0);

	(void)state;
	for (uint32_t i = 0; i < UNWIND_MODULES; i++, map.start += 0x1000, map.end += 0x1000)
		assert_int_equal(unwind_modules_add(&modules, &map, file), 0);
	assert_int_equal(unwind_modules_add(&modules, &map, file), -ENOSPC);
	assert_int_equal(modules.n, UNWIND_MODULES);
	for (uint32_t i = 0; i < UNWIND_MODULES; i++) {
		assert_true(rule_at(MAPPED + i * 0x1000ULL) > 0);
		assert_int_equal(rule_at(MAPPED + i * 0x1000ULL + 0x800), -1);
	}
	elf_file_close(elf);
}

static void unknown_code_in_pieces_keeps_no_file_out(void **state)
{
	struct elf_file *elf = functions_file(10, 16, 5);
	const struct unwind_file *file = add(elf);
	struct map_entry map = map_at(MAPPED, 0x1000, 0);
	uint64_t last = MAPPED;

	(void)state;
	for (uint32_t i = 0; i < 2 * UNWIND_MODULES; i++, map.start += 0x2000, map.end += 0x2000) {
		last = map.start;
		assert_int_equal(unwind_modules_add(&modules, &map, NULL), 0);
	}
	map = map_at(map.start, 10 * 16, 0);
	assert_int_equal(unwind_modules_add(&modules, &map, file), 0);
	check_rules(elf, &map);
	assert_int_equal(rule_at(MAPPED), UNWIND_RULE_UNKNOWN);
	assert_int_equal(rule_at(last), UNWIND_RULE_UNKNOWN);
	assert_int_equal(rule_at(last + 0x1000), -1);
	assert_int_equal(rule_at(MAPPED - 1), -1);
	elf_file_close(elf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_table_is_one_module),
		TEST(a_large_table_is_cut_where_chunks_end),
		TEST(a_sparse_table_takes_little),
		TEST(a_mapping_of_a_part_has_the_parts_rules),
		TEST(what_is_behind_a_table_is_unknown),
		TEST(the_same_table_is_there_once),
		TEST(chunks_come_to_an_end),
		TEST(lists_come_to_an_end),
		TEST(unknown_code_in_pieces_keeps_no_file_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
