// SPDX-License-Identifier: MIT
/* Being written. */
#include "harness.h"

int main(void)
{
	return 0;
}
