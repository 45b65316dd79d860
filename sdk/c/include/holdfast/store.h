// Keys and values which outlive connections, instances and versions of the
// plugin (`wasi:keyvalue`), and the operator's settings (`wasi:config`).

#ifndef HOLDFAST_STORE_H
#define HOLDFAST_STORE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

// A named store. Any instance may change a key at any time: where a new value
// depends on the old one, use holdfast_store_update or holdfast_store_increment.
typedef struct holdfast_store holdfast_store;

// Opens a store; `default` is there wherever stores are granted. It is there
// until the handler returns. All functions: NO_SUCH_STORE, DENIED, FAILED.
holdfast_result holdfast_store_open(const char *name, holdfast_store **store);

// The value of a key, if `found`.
holdfast_result holdfast_store_get(holdfast_store *store, holdfast_bytes key, bool *found,
                                   holdfast_bytes *value);
holdfast_result holdfast_store_set(holdfast_store *store, holdfast_bytes key, holdfast_bytes value);
// Removing a key that is not there is no error.
holdfast_result holdfast_store_delete(holdfast_store *store, holdfast_bytes key);
holdfast_result holdfast_store_exists(holdfast_store *store, holdfast_bytes key, bool *exists);
// All keys, in the order of the store.
holdfast_result holdfast_store_keys(holdfast_store *store, holdfast_list *keys);
// Adds to a number, which is 0 where the key has no value. No other change comes
// between.
holdfast_result holdfast_store_increment(holdfast_store *store, holdfast_bytes key, int64_t delta,
                                         int64_t *sum);

// Makes a new value of the old one; `found` says whether there is one. It is
// called again when another change came between, so it has to be free of
// effects.
typedef holdfast_bytes (*holdfast_change)(bool found, holdfast_bytes old, void *context);

// Replaces a value by what `change` makes of it. CONTENDED after 1000 attempts.
holdfast_result holdfast_store_update(holdfast_store *store, holdfast_bytes key,
                                      holdfast_change change, void *context);

// The value of a setting; false if it is not set, or can't be read.
bool holdfast_config(const char *key, holdfast_bytes *value);

#ifdef __cplusplus
}
#endif

#endif
