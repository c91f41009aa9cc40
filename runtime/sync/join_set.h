/* SPDX-License-Identifier: MIT */
#ifndef POLLRT_JOIN_SET_H
#define POLLRT_JOIN_SET_H

struct join_member;

/** The task of @member is complete. By the thread that ended it, once. */
void join_set_ended(struct join_member *member);

#endif
