// SPDX-License-Identifier: MIT
#include "io/wheel.h"

#define SLOT_BITS 6
/* What lies further ahead (2 years of ms) waits in a slot of the top level, turn after turn. */
#define HORIZON (((uint64_t)1 << (SLOT_BITS * WHEEL_LEVELS)) - 1)

/* Timer's place; `level` WHEEL_LEVELS is the list of timers that are due. */
struct place {
	unsigned int level;
	unsigned int slot;
};

static unsigned int slot_of(uint64_t tick, unsigned int level)
{
	return (tick >> (SLOT_BITS * level)) % WHEEL_SLOTS;
}

/* The level is that of the highest digit, in base 64, in which @tick differs from now. */
static struct place place_of(uint64_t elapsed, uint64_t tick)
{
	uint64_t differs;
	unsigned int level;

	if (tick <= elapsed)
		return (struct place){.level = WHEEL_LEVELS};
	differs = (elapsed ^ tick) | (WHEEL_SLOTS - 1);
	if (differs > HORIZON)
		differs = HORIZON;
	level = (63 - (unsigned int)__builtin_clzll(differs)) / SLOT_BITS;
	return (struct place){.level = level, .slot = slot_of(tick, level)};
}

void wheel_init(struct wheel *wheel)
{
	*wheel = (struct wheel){0};
}

void wheel_insert(struct wheel *wheel, struct pollrt_timer *timer)
{
	struct place place = place_of(wheel->elapsed, timer->tick);

	if (place.level == WHEEL_LEVELS) {
		LIST_INSERT_HEAD(&wheel->due, timer, link);
		return;
	}
	LIST_INSERT_HEAD(&wheel->slots[place.level][place.slot], timer, link);
	wheel->occupied[place.level] |= (uint64_t)1 << place.slot;
}

void wheel_remove(struct wheel *wheel, struct pollrt_timer *timer)
{
	struct place place = place_of(wheel->elapsed, timer->tick);

	LIST_REMOVE(timer, link);
	if (place.level < WHEEL_LEVELS && LIST_EMPTY(&wheel->slots[place.level][place.slot]))
		wheel->occupied[place.level] &= ~((uint64_t)1 << place.slot);
}

/* The first occupied slot of @level from now on, and the tick at which it begins. */
static bool level_next(const struct wheel *wheel, unsigned int level, unsigned int *slot,
		       uint64_t *tick)
{
	uint64_t occupied = wheel->occupied[level], span, start;
	unsigned int now = slot_of(wheel->elapsed, level);

	if (!occupied)
		return false;
	if (now)
		occupied = occupied >> now | occupied << (WHEEL_SLOTS - now);
	*slot = (now + (unsigned int)__builtin_ctzll(occupied)) % WHEEL_SLOTS;
	span = (uint64_t)1 << (SLOT_BITS * level);
	start = wheel->elapsed & ~(span * WHEEL_SLOTS - 1);
	*tick = start + *slot * span;
	/* Of the top level only, which wraps around. */
	if (*tick <= wheel->elapsed)
		*tick += span * WHEEL_SLOTS;
	return true;
}

/* Of the lowest occupied level: what is on a higher one is later. */
static bool next_slot(const struct wheel *wheel, struct place *place, uint64_t *tick)
{
	for (place->level = 0; place->level < WHEEL_LEVELS; place->level++) {
		if (level_next(wheel, place->level, &place->slot, tick))
			return true;
	}
	return false;
}

bool wheel_next(const struct wheel *wheel, uint64_t *tick)
{
	struct place place;

	if (!LIST_EMPTY(&wheel->due)) {
		*tick = wheel->elapsed;
		return true;
	}
	return next_slot(wheel, &place, tick);
}

/* Re-inserts the timers of a slot that has come up: on a lower level, or as due. */
static void cascade(struct wheel *wheel, struct place place)
{
	struct timer_list *slot = &wheel->slots[place.level][place.slot];
	struct timer_list list = *slot;
	struct pollrt_timer *timer;

	/* Moved first: a timer beyond the horizon comes back to this very slot. */
	if (!LIST_EMPTY(&list))
		LIST_FIRST(&list)->link.le_prev = &list.lh_first;
	LIST_INIT(slot);
	wheel->occupied[place.level] &= ~((uint64_t)1 << place.slot);
	while ((timer = LIST_FIRST(&list))) {
		LIST_REMOVE(timer, link);
		wheel_insert(wheel, timer);
	}
}

struct pollrt_timer *wheel_expire(struct wheel *wheel, uint64_t now)
{
	struct pollrt_timer *timer;
	struct place place;
	uint64_t tick;

	while (LIST_EMPTY(&wheel->due)) {
		if (!next_slot(wheel, &place, &tick) || tick > now) {
			if (now > wheel->elapsed)
				wheel->elapsed = now;
			return NULL;
		}
		wheel->elapsed = tick;
		cascade(wheel, place);
	}
	timer = LIST_FIRST(&wheel->due);
	LIST_REMOVE(timer, link);
	return timer;
}
