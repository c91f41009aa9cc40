// SPDX-License-Identifier: MIT
#include "sched/parker.h"

#include "io/driver.h"
#include "sched/futex.h"

enum { EMPTY, NOTIFIED, SLEEPING, DRIVING };

void parker_init(struct parker *parker)
{
	atomic_init(&parker->state, EMPTY);
}

/* Enters @state, unless there is a token, which is taken. */
static bool enter(struct parker *parker, uint32_t state)
{
	uint32_t expected = EMPTY;

	if (atomic_compare_exchange_strong(&parker->state, &expected, state))
		return true;
	atomic_exchange(&parker->state, EMPTY);
	return false;
}

void parker_park(struct parker *parker, struct driver *driver)
{
	if (driver_try_lock(driver)) {
		if (enter(parker, DRIVING)) {
			driver_turn(driver, true);
			atomic_exchange(&parker->state, EMPTY);
		}
		driver_unlock(driver);
		return;
	}
	if (!enter(parker, SLEEPING))
		return;
	while (atomic_load(&parker->state) == SLEEPING)
		futex_wait(&parker->state, SLEEPING);
	atomic_exchange(&parker->state, EMPTY);
}

void parker_unpark(struct parker *parker, struct driver *driver)
{
	switch (atomic_exchange(&parker->state, NOTIFIED)) {
	case SLEEPING:
		futex_wake(&parker->state);
		break;
	case DRIVING:
		driver_wake(driver);
		break;
	}
}
