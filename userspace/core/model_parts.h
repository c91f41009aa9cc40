/* SPDX-License-Identifier: MIT */
/*
 * Parts of a model that are made before it.
 */
#ifndef POLLSCOPE_CORE_MODEL_PARTS_H
#define POLLSCOPE_CORE_MODEL_PARTS_H

#include "core/model.h"

/* Order of symbols in a model. */
int model_compare_symbols(const void *a, const void *b);

/* Each frees what the records hold, and the array. */
void model_free_symbols(struct model_symbol *symbols, size_t count);
void model_free_modules(struct model_module *modules, size_t count);

/* Frees what it holds and leaves it empty. */
void model_clear_capture(struct model_capture *capture);
void model_clear_symbol(struct model_symbol *symbol);

#endif
