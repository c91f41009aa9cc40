/* SPDX-License-Identifier: MIT */
/* The report on a terminal, as text. */
#ifndef TESTS_UNIT_TABLES_H
#define TESTS_UNIT_TABLES_H

#include "emit/report_table.h"
#include "golden.h"
#include "sample_model.h"

/* To be freed. */
static inline char *table_of(const struct model *model, const struct table_options *options)
{
	struct golden_stream stream;

	assert_int_equal(emit_report_table(model, options, golden_open(&stream)), 0);
	return golden_close(&stream);
}

#endif
