// What the files of the SDK share, and plugins don't see.

#ifndef HOLDFAST_INTERNAL_H
#define HOLDFAST_INTERNAL_H

#include <stdlib.h>
#include <string.h>

#include "../include/holdfast.h"

// Whether what the host allocates is the event's, and goes with it. So it is
// between two events, when the host writes arguments, and while the SDK calls
// the host; not while a handler or the C library runs, which may keep things.
extern bool holdfast_lowering;

// Calls the host.
#define HOST(call)                                                                                 \
    do {                                                                                           \
        holdfast_lowering = true;                                                                  \
        call;                                                                                      \
        holdfast_lowering = false;                                                                 \
    } while (0)

// Begins and ends an event.
void holdfast_enter(void);
void holdfast_leave(void);

// Something to be done when the event ends, the last first.
void holdfast_defer(void (*function)(void *), void *argument);

// Memory that outlives the event: what an export returns, which the generated
// code frees. NULL for nothing.
void *holdfast_keep(const void *data, size_t size);

holdfast_result holdfast_ok(uint64_t number);
holdfast_result holdfast_problem(holdfast_status status, uint64_t number);
holdfast_result holdfast_failed(holdfast_bytes text);

// Grows a list by one item of `size` bytes and returns it, zeroed.
void *holdfast_grow(void **items, size_t *len, size_t size);

#endif
