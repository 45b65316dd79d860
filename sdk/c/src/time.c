// Time.

#include <time.h>

#include "wire.h"

uint64_t holdfast_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void holdfast_sleep_ms(uint64_t ms) {
    wasi_clocks_monotonic_clock_own_pollable_t over =
        wasi_clocks_monotonic_clock_subscribe_duration(ms * 1000000);
    wasi_io_poll_own_pollable_t pollable = {over.__handle};
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
    wasi_io_poll_pollable_drop_own(pollable);
}
