// SPDX-License-Identifier: MIT
// links: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=aligned_alloc
/* Whatever allocates says -ENOMEM when it cannot, leaves nothing behind, and can be tried again. */
#include "helper_io.h"

#include <fcntl.h>
#include <signal.h>

#include "pollrt_select.h"

/* Allocations of this thread that succeed before one fails; below 0: all do. */
static _Thread_local int left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static bool fails(void)
{
	return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* Does @make with each of its allocations failing in turn, and at last with none. */
#define EACH_FAILS(make)                                                                           \
	do {                                                                                       \
		int tries_ = 0, err_;                                                              \
                                                                                                   \
		do {                                                                               \
			left = tries_++;                                                           \
			err_ = (make);                                                             \
			left = -1;                                                                 \
			if (err_)                                                                  \
				assert_int_equal(err_, -ENOMEM);                                   \
		} while (err_);                                                                    \
		assert_true(tries_ > 1);                                                           \
	} while (0)

static void a_runtime_is_made_whole_or_not_at_all(void **state)
{
	unsigned int descriptors = helper_descriptors();

	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_config config = {.flavour = flavour};
		struct pollrt_runtime *rt;

		EACH_FAILS(pollrt_runtime_create(&rt, &config));
		helper_finish(rt);
		assert_int_equal(helper_descriptors(), descriptors);
	}
}

struct idles {
	struct pollrt_async async;
};

static POLLRT_ASYNC(idles)
{
	POLLRT_BEGIN();
	POLLRT_END();
}

struct job {
	int unused;
};

static void job(struct job *self)
{
	(void)self;
}

static void what_is_not_spawned_has_an_empty_handle(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct idles future = {0};
	struct pollrt_join_set *set;
	struct pollrt_join join;

	(void)state;
	left = 0;
	assert_int_equal(pollrt_spawn(rt, &join, idles), -ENOMEM);
	left = -1;
	assert_null(join.task);
	assert_int_equal(join.status, -ENOMEM);
	pollrt_join_detach(&join);
	EACH_FAILS(pollrt_spawn(rt, NULL, idles));
	EACH_FAILS(pollrt_spawn_blocking(rt, NULL, job));
	EACH_FAILS(pollrt_block_on(rt, idles, &future));
	EACH_FAILS(pollrt_join_set_open(&set, NULL));
	EACH_FAILS(pollrt_join_set_spawn(rt, set, idles));
	assert_int_equal(pollrt_join_set_count(set), 1);
	pollrt_join_set_drop(set);
	helper_finish(rt);
}

static void what_cannot_be_sent_leaves_its_room(void **state)
{
	struct pollrt_oneshot_receiver *answer;
	struct pollrt_oneshot_sender *asked;
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	struct pollrt_watch *watch;
	struct pollrt_token *token;
	int item = 5;

	(void)state;
	EACH_FAILS(pollrt_channel_create(&sender, &receiver, sizeof(item), 1));
	EACH_FAILS(pollrt_try_send(sender, &item));
	assert_int_equal(pollrt_try_send(sender, &item), -EAGAIN);
	assert_int_equal(pollrt_channel_depth(receiver), 1);
	pollrt_sender_close(sender);
	pollrt_receiver_close(receiver);
	EACH_FAILS(pollrt_oneshot_create(&asked, &answer, sizeof(item), NULL));
	pollrt_oneshot_sender_close(asked);
	pollrt_oneshot_receiver_close(answer);
	EACH_FAILS(pollrt_watch_create(&watch, sizeof(item), &item));
	pollrt_watch_close(watch);
	EACH_FAILS(pollrt_token_create(&token));
	pollrt_token_release(token);
}

static void descriptors_are_closed_that_cannot_be_watched(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_CURRENT_THREAD);
	struct pollrt_signal *signal;
	struct pollrt_io *a, *b;

	(void)state;
	EACH_FAILS(pollrt_pipe(&a, &b, io.rt));
	pollrt_io_close(a);
	pollrt_io_close(b);
	EACH_FAILS(pollrt_udp_bind(&a, io.rt, "127.0.0.1", 0));
	pollrt_io_close(a);
	EACH_FAILS(pollrt_signal_open(&signal, io.rt, SIGUSR1));
	pollrt_signal_close(signal);
	helper_io_end(&io);
}

struct opens {
	struct pollrt_async async;
	struct pollrt_file_open open;
	int tries;
};

static POLLRT_ASYNC(opens)
{
	POLLRT_BEGIN();
	do {
		left = self->tries++;
		POLLRT_CALL(self->open, pollrt_file_open, .path = "/dev/null", .flags = O_RDONLY);
		left = -1;
		if (self->open.status)
			assert_int_equal(self->open.status, -ENOMEM);
	} while (self->open.status);
	pollrt_file_close(self->open.file);
	POLLRT_END();
}

static void a_file_is_not_opened_without_memory(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_CURRENT_THREAD);
	struct opens future = {0};

	(void)state;
	pollrt_block_on(io.rt, opens, &future);
	assert_true(future.tries > 2);
	helper_io_end(&io);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_runtime_is_made_whole_or_not_at_all),
		cmocka_unit_test(what_is_not_spawned_has_an_empty_handle),
		cmocka_unit_test(what_cannot_be_sent_leaves_its_room),
		cmocka_unit_test(descriptors_are_closed_that_cannot_be_watched),
		cmocka_unit_test(a_file_is_not_opened_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
