/* SPDX-License-Identifier: MIT */
#ifndef POLLRT_ADDRESS_H
#define POLLRT_ADDRESS_H

#include "pollrt_io.h"

/** The size of the form that it has. */
socklen_t address_size(const struct pollrt_address *address);

#endif
