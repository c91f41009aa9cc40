// SPDX-License-Identifier: MIT
#include "sched/handover.h"

#include "sched/runtime.h"

void handover_init(struct handover *handover)
{
	*handover = (struct handover){0};
	TAILQ_INIT(&handover->offered);
}

static void insert(struct handover *handover, struct worker *worker)
{
	TAILQ_INSERT_TAIL(&handover->offered, worker, link);
	handover->waiting++;
	worker->offered = true;
}

static void withdraw(struct handover *handover, struct worker *worker)
{
	TAILQ_REMOVE(&handover->offered, worker, link);
	handover->waiting--;
	worker->offered = false;
}

int handover_start(struct pollrt_runtime *rt)
{
	struct blocking *blocking = &rt->blocking;
	int err = 0;

	pthread_mutex_lock(&blocking->lock);
	for (uint32_t i = 0; i < rt->workers_count; i++)
		insert(&blocking->handover, &rt->workers[i]);
	blocking->handover.working = rt->workers_count;
	for (uint32_t i = 0; !err && i < rt->workers_count; i++)
		err = blocking_start_thread(rt);
	pthread_mutex_unlock(&blocking->lock);
	return err;
}

void handover_stop(struct pollrt_runtime *rt)
{
	struct blocking *blocking = &rt->blocking;
	struct handover *handover = &blocking->handover;
	struct worker *worker;

	pthread_mutex_lock(&blocking->lock);
	handover->stopping = true;
	while ((worker = handover_take(handover)))
		handover->working--;
	while (handover->working)
		pthread_cond_wait(&blocking->ended, &blocking->lock);
	pthread_mutex_unlock(&blocking->lock);
}

/* Nobody runs the worker any more; under the lock. */
static void rest(struct blocking *blocking)
{
	blocking->handover.working--;
	pthread_cond_signal(&blocking->ended);
}

void handover_offer(struct worker *worker)
{
	struct blocking *blocking = &worker->rt->blocking;
	uint32_t number;

	pthread_mutex_lock(&blocking->lock);
	number = blocking_number(blocking);
	if (blocking->handover.stopping) {
		rest(blocking);
	} else {
		/* What nobody may come to run can at least be stolen. */
		if (blocking_summon(worker->rt))
			worker_share_tasks(worker);
		insert(&blocking->handover, worker);
	}
	pthread_mutex_unlock(&blocking->lock);
	runtime_name_thread(worker->rt, "block", number);
}

bool handover_take_back(struct worker *worker)
{
	struct blocking *blocking = &worker->rt->blocking;
	bool back;

	pthread_mutex_lock(&blocking->lock);
	back = worker->offered;
	if (back)
		withdraw(&blocking->handover, worker);
	pthread_mutex_unlock(&blocking->lock);
	if (back)
		runtime_name_thread(worker->rt, "worker", worker->index);
	return back;
}

struct worker *handover_take(struct handover *handover)
{
	struct worker *worker = TAILQ_FIRST(&handover->offered);

	if (worker)
		withdraw(handover, worker);
	return worker;
}

void handover_run(struct worker *worker)
{
	struct blocking *blocking = &worker->rt->blocking;

	runtime_name_thread(worker->rt, "worker", worker->index);
	if (!worker_run(worker))
		return;
	pthread_mutex_lock(&blocking->lock);
	rest(blocking);
	pthread_mutex_unlock(&blocking->lock);
}
