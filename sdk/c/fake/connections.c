// Connections and topics in memory.

#include "../generated/capabilities.h"
#include "registry.h"

#include <stdio.h>

#define MESSAGE_BYTES_MAX (1 << 20)
#define ATTACHMENT_BYTES_MAX 4096
#define TOPIC_BYTES_MAX 256
#define REASON_BYTES_MAX 123

static connection connections[CONNECTIONS_MAX];
static size_t connections_len;

void fake_reset_connections(void) {
    memset(connections, 0, sizeof connections);
    connections_len = 0;
}

static connection *find(const void *id, size_t len) {
    for (size_t index = 0; index < connections_len; index++) {
        if (fake_same(connections[index].id, id, len)) {
            return &connections[index];
        }
    }
    return NULL;
}

static connection *find_open(const capabilities_string_t *id) {
    connection *found = find(id->ptr, id->len);
    return found != NULL && found->is_open ? found : NULL;
}

connection *fake_new_connection(void) {
    char id[16];
    if (connections_len == CONNECTIONS_MAX) {
        fake_failed(__FILE__, __LINE__, "connections", "64 at most", "more");
    }
    int len = snprintf(id, sizeof id, "c%zu", connections_len + 1);
    connection *fresh = &connections[connections_len++];
    fresh->id = fake_keep(id, (size_t)len);
    return fresh;
}

connection *fake_named(const char *id) {
    connection *found = find(id, strlen(id));
    if (found == NULL) {
        fake_failed(__FILE__, __LINE__, "the connection", "one that was opened", id);
    }
    return found;
}

const char *fake_next(const char *id) {
    connection *from = fake_named(id);
    return from->read == from->sent ? NULL : from->messages[from->read++].data;
}

const char *fake_closed(const char *id) {
    return fake_named(id)->closed;
}

const char *fake_attachment(const char *id) {
    return fake_named(id)->attachment.data;
}

static bool queue(connection *to, const holdfast_websocket_connections_message_t *message) {
    bool binary = message->tag == HOLDFAST_WEBSOCKET_WEBSOCKET_TYPES_MESSAGE_BINARY;
    if (to->sent == MESSAGES_MAX) {
        return false;
    }
    to->messages[to->sent++] = binary ? fake_keep(message->val.binary.ptr, message->val.binary.len)
                                      : fake_keep(message->val.text.ptr, message->val.text.len);
    return true;
}

bool holdfast_websocket_connections_send(capabilities_string_t *id,
                                         holdfast_websocket_connections_message_t *message,
                                         uint64_t *ret,
                                         holdfast_websocket_connections_send_error_t *err) {
    connection *to = find_open(id);
    if (to == NULL) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_SEND_ERROR_GONE;
        return false;
    }
    if (message->val.text.len > MESSAGE_BYTES_MAX) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_SEND_ERROR_TOO_LARGE;
        err->val.too_large = MESSAGE_BYTES_MAX;
        return false;
    }
    if (!queue(to, message)) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_SEND_ERROR_FULL;
        err->val.full = to->sent;
        return false;
    }
    *ret = message->val.text.len;
    return true;
}

bool holdfast_websocket_connections_close(capabilities_string_t *id, uint16_t code,
                                          capabilities_string_t *reason,
                                          holdfast_websocket_connections_close_error_t *err) {
    connection *to = find_open(id);
    bool allowed = code == 1000 || code == 1001 || code == 1003 || (code >= 1007 && code <= 1014) ||
                   (code >= 3000 && code <= 4999);
    if (to == NULL) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_CLOSE_ERROR_GONE;
    } else if (!allowed) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_CLOSE_ERROR_INVALID_CODE;
    } else if (reason->len > REASON_BYTES_MAX) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_CLOSE_ERROR_REASON_TOO_LONG;
    } else {
        char text[REASON_BYTES_MAX + 8];
        int len = snprintf(text, sizeof text, "%u %.*s", code, (int)reason->len, (char *)reason->ptr);
        to->closed = fake_keep(text, (size_t)len).data;
        to->is_open = false;
        return true;
    }
    return false;
}

bool holdfast_websocket_connections_get(capabilities_string_t *id,
                                        holdfast_websocket_connections_state_t *ret) {
    connection *of = find_open(id);
    if (of == NULL) {
        return false;
    }
    ret->attachment.ptr = fake_lower(of->attachment.data, of->attachment.len);
    ret->attachment.len = of->attachment.len;
    ret->attachment_version = of->version;
    ret->buffered_bytes = 0;
    return true;
}

bool holdfast_websocket_connections_set_attachment(
    capabilities_string_t *id, capabilities_list_u8_t *attachment, uint64_t *expected,
    uint64_t *ret, holdfast_websocket_connections_attachment_error_t *err) {
    connection *of = find_open(id);
    if (of == NULL) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_ATTACHMENT_ERROR_GONE;
        return false;
    }
    if (expected != NULL && *expected != of->version) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_ATTACHMENT_ERROR_CONFLICT;
        err->val.conflict = of->version;
        return false;
    }
    if (attachment->len > ATTACHMENT_BYTES_MAX) {
        err->tag = HOLDFAST_WEBSOCKET_CONNECTIONS_ATTACHMENT_ERROR_TOO_LARGE;
        err->val.too_large = ATTACHMENT_BYTES_MAX;
        return false;
    }
    of->attachment = fake_keep(attachment->ptr, attachment->len);
    *ret = ++of->version;
    return true;
}

static size_t topic_index(const connection *of, const void *name, size_t len) {
    size_t index = 0;
    while (index < of->topics_len && !fake_same(of->topics[index], name, len)) {
        index++;
    }
    return index;
}

static bool is_subscribed(const connection *of, const capabilities_string_t *topic) {
    return of->is_open && topic_index(of, topic->ptr, topic->len) < of->topics_len;
}

void fake_add_topic(connection *of, const void *name, size_t len) {
    if (topic_index(of, name, len) == of->topics_len && of->topics_len < TOPICS_MAX) {
        of->topics[of->topics_len++] = fake_keep(name, len);
    }
}

bool holdfast_websocket_topics_subscribe(capabilities_string_t *id, capabilities_string_t *topic,
                                         holdfast_websocket_topics_subscribe_error_t *err) {
    connection *of = find_open(id);
    if (of == NULL) {
        err->tag = HOLDFAST_WEBSOCKET_TOPICS_SUBSCRIBE_ERROR_GONE;
    } else if (topic->len == 0 || topic->len > TOPIC_BYTES_MAX) {
        err->tag = HOLDFAST_WEBSOCKET_TOPICS_SUBSCRIBE_ERROR_INVALID_NAME;
        err->val.invalid_name = TOPIC_BYTES_MAX;
    } else if (of->topics_len == TOPICS_MAX && !is_subscribed(of, topic)) {
        err->tag = HOLDFAST_WEBSOCKET_TOPICS_SUBSCRIBE_ERROR_TOO_MANY;
        err->val.too_many = TOPICS_MAX;
    } else {
        fake_add_topic(of, topic->ptr, topic->len);
        return true;
    }
    return false;
}

void holdfast_websocket_topics_unsubscribe(capabilities_string_t *id, capabilities_string_t *topic) {
    connection *of = find_open(id);
    if (of != NULL && is_subscribed(of, topic)) {
        of->topics[topic_index(of, topic->ptr, topic->len)] = of->topics[--of->topics_len];
    }
}

bool holdfast_websocket_topics_publish(capabilities_string_t *topic,
                                       holdfast_websocket_topics_message_t *message,
                                       capabilities_string_t *except,
                                       holdfast_websocket_topics_delivery_t *ret,
                                       holdfast_websocket_topics_publish_error_t *err) {
    *ret = (holdfast_websocket_topics_delivery_t){0};
    if (message->val.text.len > MESSAGE_BYTES_MAX) {
        err->tag = HOLDFAST_WEBSOCKET_TOPICS_PUBLISH_ERROR_TOO_LARGE;
        err->val.too_large = MESSAGE_BYTES_MAX;
        return false;
    }
    for (size_t index = 0; index < connections_len; index++) {
        connection *to = &connections[index];
        bool is_excepted = except != NULL && fake_same(to->id, except->ptr, except->len);
        if (is_subscribed(to, topic) && !is_excepted) {
            bool queued = queue(to, message);
            ret->queued += queued;
            ret->full += !queued;
        }
    }
    return true;
}

uint32_t holdfast_websocket_topics_count(capabilities_string_t *topic) {
    uint32_t count = 0;
    for (size_t index = 0; index < connections_len; index++) {
        count += is_subscribed(&connections[index], topic);
    }
    return count;
}

void holdfast_websocket_topics_subscribers(capabilities_string_t *topic, uint32_t limit,
                                           holdfast_websocket_topics_list_subscriber_t *ret) {
    ret->ptr = cabi_realloc(NULL, 0, 8, sizeof *ret->ptr * CONNECTIONS_MAX);
    ret->len = 0;
    for (size_t index = 0; index < connections_len && ret->len < limit; index++) {
        const connection *of = &connections[index];
        if (is_subscribed(of, topic)) {
            holdfast_websocket_topics_subscriber_t *one = &ret->ptr[ret->len++];
            one->connection.ptr = fake_lower(of->id.data, of->id.len);
            one->connection.len = of->id.len;
            one->attachment.ptr = fake_lower(of->attachment.data, of->attachment.len);
            one->attachment.len = of->attachment.len;
        }
    }
}
