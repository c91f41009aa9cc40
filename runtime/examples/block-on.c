// SPDX-License-Identifier: MIT
/*
 * The fourth mistake: blocking on async work from sync code, inside a poll.
 *
 * Somewhere between a handler and an async client stands a function that is not async: a library's
 * "blocking" interface, a callback, a trait of old. It cannot await, so it blocks: it runs the
 * future on a little runtime of its own, or sends a question into a channel and sleeps until the
 * answer is there. To the caller it looks like any function. But the worker sleeps in it: a server
 * with two workers now serves two requests at a time, whatever it could do, and the rest waits.
 * And that is the lucky case, where somebody else brings the answer. If it comes from a task of
 * the same runtime, that task needs a worker; once as many handlers wait as there are workers,
 * there is none, and nothing will ever run again. It takes load to get there, so tests never do.
 * (A runtime refuses block_on of itself on its workers, pollrt with -EDEADLK. It cannot know about
 * the other ways.)
 *
 * The fix: await all the way up. Where sync code must stay, it belongs on the blocking pool.
 *
 * The server answers 400 requests a second, each with a look into a directory that takes 20 ms:
 *
 *	slow		by the blocking interface of the directory's client
 *	channel		by a message to an engine that has a thread of its own
 *	deadlock	by a message to an engine that is a task of the same runtime (and takes 1 ms)
 */
#include <unistd.h>

#include "common/stage.h"
#include "pollrt_sync.h"

enum variant { SLOW, CHANNEL, DEADLOCK };

static const struct example block_on = {
	.name = "block-on",
	.lesson =
		"Handlers that block on async work: block_on of another runtime, a blocking "
		"receive,\nuntil every worker waits for a task that needs a worker. Fixed: await.",
	.variants = {[SLOW] = "slow", [CHANNEL] = "channel", [DEADLOCK] = "deadlock"},
};

static const struct stream streams[] = {
	{.name = "requests", .connections = 64, .burst = 4, .period_ns = POLLRT_MS(10)},
	{0},
};

struct desk {
	struct stage stage;
	struct pollrt_sender *questions;
	struct pollrt_receiver *engine_receiver;
	struct pollrt_runtime *engine_runtime; /* NULL, or of its own */
	/* Time in blocking calls: of those that are over, less the start of those that are not. */
	_Atomic uint64_t blocked_ns;
	_Atomic uint64_t blocked_now;
	_Atomic uint64_t block_ons;
	_Atomic uint64_t answers;
};

static void block_begin(struct desk *desk)
{
	desk->blocked_ns -= pollrt_now_ns();
	desk->blocked_now++;
}

static void block_end(struct desk *desk)
{
	desk->blocked_now--;
	desk->blocked_ns += pollrt_now_ns();
}

/* ---- the directory's client: an async interface, and a blocking one made of it ---- */

struct look_up {
	struct pollrt_async async;
	struct desk *desk;
	struct pollrt_sleep answer;
};

static POLLRT_ASYNC(look_up)
{
	POLLRT_BEGIN();
	/* Stands for the directory, somewhere in the network. */
	POLLRT_SLEEP(self->answer, POLLRT_MS(20));
	self->desk->answers++;
	POLLRT_END();
}

/* Its users may have no runtime, so it brings one for the call. */
static __attribute__((noinline)) int look_up_blocking(struct desk *desk)
{
	struct pollrt_config config = {.flavour = POLLRT_CURRENT_THREAD};
	struct look_up state = {.desk = desk};
	struct pollrt_runtime *rt;
	int err;

	err = pollrt_runtime_create(&rt, &config);
	if (err)
		return err;
	desk->block_ons++;
	block_begin(desk);
	err = pollrt_block_on(rt, look_up, &state);
	block_end(desk);
	pollrt_runtime_destroy(rt);
	return err;
}

/* ---- an engine that answers questions, as a task ---- */

struct question {
	struct pollrt_sender *reply;
};

static void question_drop(void *item)
{
	pollrt_sender_close(((struct question *)item)->reply);
}

struct answer_question {
	struct pollrt_async async;
	struct desk *desk;
	struct pollrt_sender *reply;
	uint64_t ns;
	struct pollrt_sleep work;
};

static void answer_question_drop(struct answer_question *self)
{
	pollrt_sender_close(self->reply);
}

static POLLRT_ASYNC(answer_question)
{
	uint64_t answer;

	POLLRT_BEGIN();
	POLLRT_SLEEP(self->work, self->ns);
	answer = ++self->desk->answers;
	pollrt_try_send(self->reply, &answer);
	POLLRT_END();
}

struct run_engine {
	struct pollrt_async async;
	struct desk *desk;
	uint64_t ns;
	struct question question;
	struct pollrt_recv recv;
};

static POLLRT_ASYNC(run_engine)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->desk->engine_receiver,
			    .item = &self->question);
		if (self->recv.status)
			break;
		if (pollrt_spawn_drop(NULL, NULL, answer_question, answer_question_drop,
				      .desk = self->desk, .reply = self->question.reply,
				      .ns = self->ns))
			question_drop(&self->question);
	}
	POLLRT_END();
}

static int start_engine(struct desk *desk)
{
	bool own = desk->stage.options.variant == CHANNEL;
	struct pollrt_config config = {.workers = 1, .thread_name = "engine"};
	int err = 0;

	if (own)
		err = pollrt_runtime_create(&desk->engine_runtime, &config);
	return err ? err
		   : pollrt_spawn(own ? desk->engine_runtime : desk->stage.rt, NULL, run_engine,
				  .desk = desk, .ns = own ? POLLRT_MS(20) : POLLRT_MS(1));
}

static __attribute__((noinline)) int
wait_for_answer(struct desk *desk, struct pollrt_receiver *receiver, uint64_t *answer)
{
	int err;

	block_begin(desk);
	err = pollrt_recv_blocking(receiver, answer);
	block_end(desk);
	return err;
}

/* ---- the server ---- */

struct handle_conn {
	struct pollrt_async async;
	struct desk *desk;
	struct pollrt_io *io;
	struct pollrt_sender *sender; /* where the engine is to send answers to */
	struct pollrt_receiver *receiver;
	uint64_t answer;
	struct receive receive;
	struct look_up look_up;
	struct pollrt_recv recv;
	struct reply reply;
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_sender_close(self->sender);
	pollrt_receiver_close(self->receiver);
	pollrt_io_close(self->io);
}

static int ask_engine(struct handle_conn *self)
{
	struct question question = {.reply = pollrt_sender_clone(self->sender)};
	int err = pollrt_try_send(self->desk->questions, &question);

	if (err)
		question_drop(&question);
	return err;
}

static POLLRT_ASYNC(handle_conn)
{
	struct desk *desk = self->desk;
	bool fixed = desk->stage.options.fixed;

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		if (desk->stage.options.variant == SLOW) {
			if (fixed)
				POLLRT_CALL(self->look_up, look_up, .desk = desk);
			else if (look_up_blocking(desk))
				break;
		} else {
			if (ask_engine(self))
				break;
			if (fixed)
				POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->receiver,
					    .item = &self->answer);
			else if (wait_for_answer(desk, self->receiver, &self->answer))
				break;
		}
		POLLRT_CALL(self->reply, reply, .io = self->io, .message = self->receive.message);
		if (self->reply.status)
			break;
	}
	POLLRT_END();
}

static int spawn_handler(struct server *server, struct pollrt_io *conn)
{
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	int err;

	err = pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 1);
	if (err)
		return err;
	err = pollrt_spawn_drop(NULL, NULL, handle_conn, handle_conn_drop, .desk = server->context,
				.io = conn, .sender = sender, .receiver = receiver);
	if (err) {
		pollrt_sender_close(sender);
		pollrt_receiver_close(receiver);
	}
	return err;
}

static void print_truth(const struct desk *desk, bool deadlocked)
{
	uint64_t blocked_ns = desk->blocked_ns + desk->blocked_now * pollrt_now_ns();

	stage_begin_truth(&desk->stage);
	truth_number("blocked_ns", blocked_ns);
	truth_number("block_ons", desk->block_ons);
	truth_number("answers", desk->answers);
	truth_bool("deadlocked", deadlocked);
	truth_end();
}

static int run(struct desk *desk)
{
	struct stage *stage = &desk->stage;
	int err;

	err = stage_start(stage);
	if (!err && stage->options.variant != SLOW)
		err = stage_error(stage, "cannot start the engine", start_engine(desk));
	if (!err)
		err = stage_load(stage);
	/* Shutting down would wait for the workers, which will wait for ever. */
	if (!err && stage->load.results[0].last_answer_ns < stage->load.duration_ns / 2) {
		pollrt_metrics(stage->rt, &stage->metrics);
		print_truth(desk, true);
		_exit(0);
	}
	stage_stop(stage);
	pollrt_runtime_destroy(desk->engine_runtime);
	return err;
}

int main(int argc, char **argv)
{
	struct desk desk = {
		.stage =
			{
				.options = options_parse(&block_on, argc, argv),
				.config = {.workers = STAGE_CPUS},
				.server = {.spawn = spawn_handler, .context = &desk},
				.streams = streams,
			},
	};
	int err;

	err = stage_error(&desk.stage, "cannot make a channel",
			  pollrt_channel_create_drop(&desk.questions, &desk.engine_receiver,
						     sizeof(struct question), 1024, question_drop));
	if (err)
		return 1;
	err = run(&desk);
	pollrt_sender_close(desk.questions);
	pollrt_receiver_close(desk.engine_receiver);
	if (err)
		return 1;
	print_truth(&desk, false);
	return 0;
}
