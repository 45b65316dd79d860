// The connections of the host in memory.

#ifndef REGISTRY_H
#define REGISTRY_H

#include "fake.h"

#define CONNECTIONS_MAX 64
#define MESSAGES_MAX 256
#define TOPICS_MAX 100

typedef struct {
    fake_text id;
    bool is_open;
    fake_text attachment;
    uint64_t version;
    fake_text messages[MESSAGES_MAX];
    size_t sent;
    size_t read;
    fake_text topics[TOPICS_MAX];
    size_t topics_len;
    const char *closed;
} connection;

connection *fake_new_connection(void);
// One that must be there.
connection *fake_named(const char *id);
void fake_add_topic(connection *of, const void *name, size_t len);

#endif
