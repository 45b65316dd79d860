// Lines for the log.

#include "wire.h"

void holdfast_log_bytes(holdfast_level level, holdfast_bytes message) {
    capabilities_string_t context = wire_string(holdfast_text(NULL));
    capabilities_string_t text = wire_string(message);
    HOST(wasi_logging_logging_log((wasi_logging_logging_level_t)level, &context, &text));
}
