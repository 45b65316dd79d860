// Lines for the host's log, and time.

#ifndef HOLDFAST_LOG_H
#define HOLDFAST_LOG_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum holdfast_level {
    HOLDFAST_LOG_TRACE,
    HOLDFAST_LOG_DEBUG,
    HOLDFAST_LOG_INFO,
    HOLDFAST_LOG_WARN,
    HOLDFAST_LOG_ERROR,
    HOLDFAST_LOG_CRITICAL,
} holdfast_level;

// Writes one line, to which the host adds the plugin and the tenant. What is
// printed to stdout and stderr comes to the log too.
void holdfast_log(holdfast_level level, const char *format, ...) HOLDFAST_PRINTF(2, 3);

// Milliseconds since 1970, UTC.
uint64_t holdfast_now_ms(void);

// Waits. Meanwhile this instance takes no other event; the host has others.
void holdfast_sleep_ms(uint64_t ms);

#ifdef __cplusplus
}
#endif

#endif
