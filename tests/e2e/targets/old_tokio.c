// SPDX-License-Identifier: MIT
/* What tells that a program has a Tokio in it, and one that is too old. */
#include <stdio.h>

#include "truth.h"

int main(void)
{
	static const char path[] = "tokio-1.3.2/src/runtime/mod.rs";
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth))
		truth_say(&truth, "{\"path\":\"%s\"}\n", path);
	return 0;
}
