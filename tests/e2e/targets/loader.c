// SPDX-License-Identifier: MIT
/*
 * loader LIBRARY: a program without a runtime, until it is told to load a library that has one, which runs in a
 * thread from then on.
 */
#include "library.h"
#include "truth.h"

int main(int argc, char **argv)
{
	struct truth truth;

	if (argc < 2)
		return 2;
	truth_open(&truth);
	while (truth_go(&truth))
		truth_say(&truth, "{\"runs\":%s}\n", library_start(argv[1]) ? "true" : "false");
	return 0;
}
