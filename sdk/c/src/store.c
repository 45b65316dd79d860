// Keys and values, and settings.

#include "wire.h"

// Keys of a store come in pages; attempts of an update are bounded.
#define ATTEMPTS_MAX 1000

struct holdfast_store {
    wasi_keyvalue_store_own_bucket_t bucket;
};

static void close_store(void *argument) {
    holdfast_store *store = argument;
    wasi_keyvalue_store_bucket_drop_own(store->bucket);
    free(store);
}

static holdfast_result problem(const wasi_keyvalue_store_error_t *error) {
    switch (error->tag) {
    case WASI_KEYVALUE_STORE_ERROR_NO_SUCH_STORE:
        return holdfast_problem(HOLDFAST_NO_SUCH_STORE, 0);
    case WASI_KEYVALUE_STORE_ERROR_ACCESS_DENIED:
        return holdfast_problem(HOLDFAST_DENIED, 0);
    default:
        return holdfast_failed(from_string(error->val.other));
    }
}

static wasi_keyvalue_store_borrow_bucket_t bucket_of(const holdfast_store *store) {
    return wasi_keyvalue_store_borrow_bucket(store->bucket);
}

holdfast_result holdfast_store_open(const char *name, holdfast_store **store) {
    capabilities_string_t wire = wire_string(holdfast_text(name));
    wasi_keyvalue_store_own_bucket_t bucket;
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_store_open(&wire, &bucket, &error));
    if (!ok) {
        return problem(&error);
    }
    *store = holdfast_keep(&(holdfast_store){bucket}, sizeof **store);
    holdfast_defer(close_store, *store);
    return holdfast_ok(0);
}

holdfast_result holdfast_store_get(holdfast_store *store, holdfast_bytes key, bool *found,
                                   holdfast_bytes *value) {
    capabilities_string_t name = wire_string(key);
    capabilities_option_list_u8_t option;
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_store_method_bucket_get(bucket_of(store), &name, &option, &error));
    if (!ok) {
        return problem(&error);
    }
    *found = option.is_some;
    *value = option.is_some ? from_list(option.val) : holdfast_text(NULL);
    return holdfast_ok(0);
}

holdfast_result holdfast_store_set(holdfast_store *store, holdfast_bytes key, holdfast_bytes value) {
    capabilities_string_t name = wire_string(key);
    capabilities_list_u8_t bytes = wire_list(value);
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_store_method_bucket_set(bucket_of(store), &name, &bytes, &error));
    return ok ? holdfast_ok(0) : problem(&error);
}

holdfast_result holdfast_store_delete(holdfast_store *store, holdfast_bytes key) {
    capabilities_string_t name = wire_string(key);
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_store_method_bucket_delete(bucket_of(store), &name, &error));
    return ok ? holdfast_ok(0) : problem(&error);
}

holdfast_result holdfast_store_exists(holdfast_store *store, holdfast_bytes key, bool *exists) {
    capabilities_string_t name = wire_string(key);
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_store_method_bucket_exists(bucket_of(store), &name, exists, &error));
    return ok ? holdfast_ok(0) : problem(&error);
}

holdfast_result holdfast_store_keys(holdfast_store *store, holdfast_list *keys) {
    *keys = (holdfast_list){0};
    capabilities_string_t cursor;
    bool more = false;
    do {
        wasi_keyvalue_store_key_response_t page;
        wasi_keyvalue_store_error_t error;
        bool ok;
        HOST(ok = wasi_keyvalue_store_method_bucket_list_keys(bucket_of(store), more ? &cursor : NULL,
                                                              &page, &error));
        if (!ok) {
            return problem(&error);
        }
        for (size_t index = 0; index < page.keys.len; index++) {
            holdfast_bytes *key = holdfast_grow((void **)&keys->items, &keys->len, sizeof *key);
            *key = from_string(page.keys.ptr[index]);
        }
        more = page.cursor.is_some;
        cursor = page.cursor.val;
    } while (more);
    return holdfast_ok(keys->len);
}

holdfast_result holdfast_store_increment(holdfast_store *store, holdfast_bytes key, int64_t delta,
                                         int64_t *sum) {
    capabilities_string_t name = wire_string(key);
    wasi_keyvalue_atomics_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_atomics_increment(bucket_of(store), &name, delta, sum, &error));
    return ok ? holdfast_ok(0) : problem(&error);
}

holdfast_result holdfast_store_update(holdfast_store *store, holdfast_bytes key,
                                      holdfast_change change, void *context) {
    capabilities_string_t name = wire_string(key);
    wasi_keyvalue_atomics_own_cas_t cas;
    wasi_keyvalue_store_error_t error;
    bool ok;
    HOST(ok = wasi_keyvalue_atomics_static_cas_new(bucket_of(store), &name, &cas, &error));
    for (int attempt = 0; ok && attempt < ATTEMPTS_MAX; attempt++) {
        capabilities_option_list_u8_t old;
        HOST(ok = wasi_keyvalue_atomics_method_cas_current(wasi_keyvalue_atomics_borrow_cas(cas), &old,
                                                           &error));
        if (!ok) {
            wasi_keyvalue_atomics_cas_drop_own(cas);
            break;
        }
        holdfast_bytes before = old.is_some ? from_list(old.val) : holdfast_text(NULL);
        capabilities_list_u8_t value = wire_list(change(old.is_some, before, context));
        wasi_keyvalue_atomics_cas_error_t failure;
        bool swapped;
        HOST(swapped = wasi_keyvalue_atomics_swap(cas, &value, &failure));
        if (swapped) {
            return holdfast_ok(0);
        }
        if (failure.tag == WASI_KEYVALUE_ATOMICS_CAS_ERROR_STORE_ERROR) {
            return problem(&failure.val.store_error);
        }
        cas = failure.val.cas_failed;
    }
    if (!ok) {
        return problem(&error);
    }
    wasi_keyvalue_atomics_cas_drop_own(cas);
    return holdfast_problem(HOLDFAST_CONTENDED, 0);
}
