/* SPDX-License-Identifier: MIT */
/*
 * Contracts of USDT probes: what each probe of a runtime means, as a table. The notes of a file alone are
 * relied on: names, and where the arguments are.
 *
 * Contracts share a provider and names; what tells them apart is how many arguments a probe has.
 */
#ifndef POLLSCOPE_ATTACH_USDT_CONTRACT_H
#define POLLSCOPE_ATTACH_USDT_CONTRACT_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/adapter.h"

struct elf_file;

struct usdt_probe {
	const char *name;
	uint8_t fewest, most; /* arguments that it has */
	enum probe_program program;
	uint8_t type; /* enum wire_type */
	/* Which of them, counted from 1, the program takes as each of its own; 0: it has none for it. */
	uint8_t arg[WIRE_SIGNAL_ARGS];
	enum site_kind kind;
};

struct usdt_contract {
	const char *runtime;  /* the adapter's name */
	const char *provider; /* where the user has named none */
	const char *found;    /* for doctor; "": the runtime's name says it */
	const struct usdt_probe *probes;
	size_t nprobes;
};

extern const struct usdt_contract usdt_pollrt;
extern const struct usdt_contract usdt_tokio;        /* pull request 7717 */
extern const struct usdt_contract usdt_tokio_dtrace; /* the crate of this name */
extern const struct usdt_contract usdt_tokio2chrome; /* its fork of Tokio */

/*
 * An adapter's scan(), for the contracts of one runtime. Of all contracts the one is taken that has both
 * ends of a poll, and of several the one with the most probes in the file: none of another runtime's.
 */
int usdt_contract_scan(const struct elf_file *file, const char *provider, const char *runtime,
		       struct probe_plan *plan);

#endif
