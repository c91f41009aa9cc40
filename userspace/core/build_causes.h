/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_CORE_BUILD_CAUSES_H
#define POLLSCOPE_CORE_BUILD_CAUSES_H

#include <stddef.h>

#include "core/causes.h"
#include "core/kinds.h"
#include "core/model.h"

/* Makes type->causes from those of its kinds. Returns 0 or -ENOMEM; what is made stays with the
 * type. */
int build_causes(const struct causes *causes, struct kind *const *kinds, size_t nkinds,
		 struct model_type *type);

#endif
