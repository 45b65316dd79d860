// Keys and values, settings, the log and the clock in memory.

#include "../generated/capabilities.h"
#include "fake.h"

#define ENTRIES_MAX 256

typedef struct {
    fake_text key;
    fake_text value;
} entry;

typedef struct {
    entry entries[ENTRIES_MAX];
    size_t len;
} table;

static table values;
static table settings;
// The key which an update has read.
static fake_text read_key;
static const char *logged;

void fake_reset_store(void) {
    values.len = 0;
    settings.len = 0;
    logged = NULL;
}

static entry *find(table *in, const void *key, size_t len) {
    for (size_t index = 0; index < in->len; index++) {
        if (fake_same(in->entries[index].key, key, len)) {
            return &in->entries[index];
        }
    }
    return NULL;
}

static void set(table *in, fake_text key, fake_text value) {
    entry *present = find(in, key.data, key.len);
    if (present == NULL && in->len == ENTRIES_MAX) {
        fake_failed(__FILE__, __LINE__, "keys", "256 at most", "more");
    }
    present = present == NULL ? &in->entries[in->len++] : present;
    *present = (entry){key, value};
}

static fake_text keep_text(const char *text) {
    return fake_keep(text, strlen(text));
}

void fake_set_config(const char *key, const char *value) {
    set(&settings, keep_text(key), keep_text(value));
}

void fake_set_value(const char *key, const char *value) {
    set(&values, keep_text(key), keep_text(value));
}

const char *fake_value(const char *key) {
    const entry *found = find(&values, key, strlen(key));
    return found == NULL ? NULL : found->value.data;
}

const char *fake_logged(void) {
    return logged;
}

bool wasi_config_store_get(capabilities_string_t *key, capabilities_option_string_t *ret,
                           wasi_config_store_error_t *err) {
    (void)err;
    const entry *found = find(&settings, key->ptr, key->len);
    ret->is_some = found != NULL;
    if (found != NULL) {
        ret->val.ptr = fake_lower(found->value.data, found->value.len);
        ret->val.len = found->value.len;
    }
    return true;
}

bool wasi_keyvalue_store_open(capabilities_string_t *identifier,
                              wasi_keyvalue_store_own_bucket_t *ret,
                              wasi_keyvalue_store_error_t *err) {
    if (identifier->len != 7 || memcmp(identifier->ptr, "default", 7) != 0) {
        err->tag = WASI_KEYVALUE_STORE_ERROR_NO_SUCH_STORE;
        return false;
    }
    ret->__handle = 1;
    return true;
}

static void lower_value(const entry *found, capabilities_option_list_u8_t *ret) {
    ret->is_some = found != NULL;
    if (found != NULL) {
        ret->val.ptr = fake_lower(found->value.data, found->value.len);
        ret->val.len = found->value.len;
    }
}

bool wasi_keyvalue_store_method_bucket_get(wasi_keyvalue_store_borrow_bucket_t self,
                                           capabilities_string_t *key,
                                           capabilities_option_list_u8_t *ret,
                                           wasi_keyvalue_store_error_t *err) {
    (void)self, (void)err;
    lower_value(find(&values, key->ptr, key->len), ret);
    return true;
}

bool wasi_keyvalue_store_method_bucket_set(wasi_keyvalue_store_borrow_bucket_t self,
                                           capabilities_string_t *key,
                                           capabilities_list_u8_t *value,
                                           wasi_keyvalue_store_error_t *err) {
    (void)self, (void)err;
    set(&values, fake_keep(key->ptr, key->len), fake_keep(value->ptr, value->len));
    return true;
}

bool wasi_keyvalue_store_method_bucket_delete(wasi_keyvalue_store_borrow_bucket_t self,
                                              capabilities_string_t *key,
                                              wasi_keyvalue_store_error_t *err) {
    (void)self, (void)err;
    entry *found = find(&values, key->ptr, key->len);
    if (found != NULL) {
        *found = values.entries[--values.len];
    }
    return true;
}

bool wasi_keyvalue_store_method_bucket_exists(wasi_keyvalue_store_borrow_bucket_t self,
                                              capabilities_string_t *key, bool *ret,
                                              wasi_keyvalue_store_error_t *err) {
    (void)self, (void)err;
    *ret = find(&values, key->ptr, key->len) != NULL;
    return true;
}

// One key a page, so that whoever reads them has to go on.
bool wasi_keyvalue_store_method_bucket_list_keys(wasi_keyvalue_store_borrow_bucket_t self,
                                                 capabilities_string_t *cursor,
                                                 wasi_keyvalue_store_key_response_t *ret,
                                                 wasi_keyvalue_store_error_t *err) {
    (void)self, (void)err;
    size_t index = cursor == NULL ? 0 : (size_t)cursor->ptr[0];
    bool is_there = index < values.len;
    ret->keys.ptr = cabi_realloc(NULL, 0, 8, sizeof *ret->keys.ptr);
    ret->keys.len = is_there;
    if (is_there) {
        fake_text key = values.entries[index].key;
        ret->keys.ptr[0].ptr = fake_lower(key.data, key.len);
        ret->keys.ptr[0].len = key.len;
    }
    unsigned char next = (unsigned char)(index + 1);
    ret->cursor.is_some = index + 1 < values.len;
    ret->cursor.val.ptr = fake_lower(&next, 1);
    ret->cursor.val.len = 1;
    return true;
}

bool wasi_keyvalue_atomics_increment(wasi_keyvalue_atomics_borrow_bucket_t bucket,
                                     capabilities_string_t *key, int64_t delta, int64_t *ret,
                                     wasi_keyvalue_atomics_error_t *err) {
    (void)bucket, (void)err;
    const entry *found = find(&values, key->ptr, key->len);
    *ret = (found == NULL ? 0 : strtoll(found->value.data, NULL, 10)) + delta;
    holdfast_bytes text = holdfast_format("%lld", (long long)*ret);
    set(&values, fake_keep(key->ptr, key->len), fake_keep(text.data, text.len));
    return true;
}

bool wasi_keyvalue_atomics_static_cas_new(wasi_keyvalue_atomics_borrow_bucket_t bucket,
                                          capabilities_string_t *key,
                                          wasi_keyvalue_atomics_own_cas_t *ret,
                                          wasi_keyvalue_atomics_error_t *err) {
    (void)bucket, (void)err;
    read_key = fake_keep(key->ptr, key->len);
    ret->__handle = 1;
    return true;
}

bool wasi_keyvalue_atomics_method_cas_current(wasi_keyvalue_atomics_borrow_cas_t self,
                                              capabilities_option_list_u8_t *ret,
                                              wasi_keyvalue_atomics_error_t *err) {
    (void)self, (void)err;
    lower_value(find(&values, read_key.data, read_key.len), ret);
    return true;
}

// The first attempt of every update is overtaken, so that whoever updates has to
// try again.
bool wasi_keyvalue_atomics_swap(wasi_keyvalue_atomics_own_cas_t cas, capabilities_list_u8_t *value,
                                wasi_keyvalue_atomics_cas_error_t *err) {
    if (cas.__handle == 1) {
        err->tag = WASI_KEYVALUE_ATOMICS_CAS_ERROR_CAS_FAILED;
        err->val.cas_failed.__handle = 2;
        return false;
    }
    set(&values, read_key, fake_keep(value->ptr, value->len));
    return true;
}

wasi_keyvalue_store_borrow_bucket_t wasi_keyvalue_store_borrow_bucket(
    wasi_keyvalue_store_own_bucket_t handle) {
    return (wasi_keyvalue_store_borrow_bucket_t){handle.__handle};
}

wasi_keyvalue_atomics_borrow_cas_t wasi_keyvalue_atomics_borrow_cas(
    wasi_keyvalue_atomics_own_cas_t handle) {
    return (wasi_keyvalue_atomics_borrow_cas_t){handle.__handle};
}

void wasi_keyvalue_store_bucket_drop_own(wasi_keyvalue_store_own_bucket_t handle) {
    (void)handle;
}

void wasi_keyvalue_atomics_cas_drop_own(wasi_keyvalue_atomics_own_cas_t handle) {
    (void)handle;
}

void wasi_logging_logging_log(wasi_logging_logging_level_t level, capabilities_string_t *context,
                              capabilities_string_t *message) {
    (void)level, (void)context;
    logged = fake_keep(message->ptr, message->len).data;
}

// Nobody waits in a test.
wasi_clocks_monotonic_clock_own_pollable_t wasi_clocks_monotonic_clock_subscribe_duration(
    wasi_clocks_monotonic_clock_duration_t when) {
    (void)when;
    return (wasi_clocks_monotonic_clock_own_pollable_t){1};
}
