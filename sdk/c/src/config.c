// The operator's settings.

#include "wire.h"

bool holdfast_config(const char *key, holdfast_bytes *value) {
    capabilities_string_t wire = wire_string(holdfast_text(key));
    capabilities_option_string_t option;
    wasi_config_store_error_t error;
    bool ok;
    HOST(ok = wasi_config_store_get(&wire, &option, &error));
    if (!ok || !option.is_some) {
        return false;
    }
    *value = from_string(option.val);
    return true;
}
