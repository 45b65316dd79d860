// What every test needs: memory, checks, and handlers which a plugin has not.

#include "fake.h"

#include <stdio.h>

// A plugin defines those it exports.
__attribute__((weak)) const holdfast_websocket holdfast_websocket_handlers = {0};
__attribute__((weak)) const holdfast_attachments holdfast_attachments_handlers = {0};
__attribute__((weak)) const holdfast_http holdfast_http_handler = NULL;

typedef struct kept {
    struct kept *next;
    char data[];
} kept;

static kept *all;
static const char *error;

fake_text fake_keep(const void *data, size_t len) {
    kept *one = malloc(sizeof *one + len + 1);
    if (one == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(one->data, data, len);
    }
    one->data[len] = '\0';
    one->next = all;
    all = one;
    return (fake_text){one->data, len};
}

void *fake_lower(const void *data, size_t len) {
    void *memory = cabi_realloc(NULL, 0, 1, len);
    if (len > 0) {
        memcpy(memory, data, len);
    }
    return memory;
}

bool fake_same(fake_text text, const void *data, size_t len) {
    return text.len == len && (len == 0 || memcmp(text.data, data, len) == 0);
}

void fake_set_error(const char *text) {
    error = text == NULL ? NULL : fake_keep(text, strlen(text)).data;
}

const char *fake_error(void) {
    return error;
}

void fake_reset(void) {
    fake_reset_connections();
    fake_reset_store();
    fake_reset_http();
    error = NULL;
    while (all != NULL) {
        kept *one = all;
        all = one->next;
        free(one);
    }
}

void fake_failed(const char *file, int line, const char *what, const char *expected,
                 const char *found) {
    fprintf(stderr, "%s:%d: %s\n  expected %s\n  found    %s\n", file, line, what, expected, found);
    exit(1);
}

void fake_compare(const char *file, int line, const char *what, const char *found,
                  const char *expected) {
    found = found == NULL ? "(nothing)" : found;
    expected = expected == NULL ? "(nothing)" : expected;
    if (strcmp(found, expected) != 0) {
        fake_failed(file, line, what, expected, found);
    }
}
