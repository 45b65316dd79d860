// What the files of the host in memory share.

#ifndef FAKE_H
#define FAKE_H

#include <stdlib.h>
#include <string.h>

#include "holdfast_fake.h"

// Bytes that the fake owns, with a NUL at the end.
typedef struct fake_text {
    char *data;
    size_t len;
} fake_text;

// Keeps a copy until fake_reset.
fake_text fake_keep(const void *data, size_t len);
// A copy in the memory of the event, as the host would write it.
void *fake_lower(const void *data, size_t len);
bool fake_same(fake_text text, const void *data, size_t len);
void fake_set_error(const char *text);

void fake_reset_connections(void);
void fake_reset_store(void);
void fake_reset_http(void);

// The host's way to memory in the plugin.
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size);

#endif
