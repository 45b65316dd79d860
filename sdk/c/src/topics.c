// Who is subscribed to what.

#include "wire.h"

holdfast_result holdfast_subscribe(holdfast_bytes connection, holdfast_bytes topic) {
    capabilities_string_t id = wire_string(connection);
    capabilities_string_t name = wire_string(topic);
    holdfast_websocket_topics_subscribe_error_t error;
    bool ok;
    HOST(ok = holdfast_websocket_topics_subscribe(&id, &name, &error));
    if (ok) {
        return holdfast_ok(0);
    }
    switch (error.tag) {
    case HOLDFAST_WEBSOCKET_TOPICS_SUBSCRIBE_ERROR_TOO_MANY:
        return holdfast_problem(HOLDFAST_TOO_MANY, error.val.too_many);
    case HOLDFAST_WEBSOCKET_TOPICS_SUBSCRIBE_ERROR_INVALID_NAME:
        return holdfast_problem(HOLDFAST_INVALID_NAME, error.val.invalid_name);
    default:
        return holdfast_problem(HOLDFAST_GONE, 0);
    }
}

void holdfast_unsubscribe(holdfast_bytes connection, holdfast_bytes topic) {
    capabilities_string_t id = wire_string(connection);
    capabilities_string_t name = wire_string(topic);
    HOST(holdfast_websocket_topics_unsubscribe(&id, &name));
}

uint32_t holdfast_count(holdfast_bytes topic) {
    capabilities_string_t name = wire_string(topic);
    uint32_t count;
    HOST(count = holdfast_websocket_topics_count(&name));
    return count;
}

holdfast_subscriber_list holdfast_subscribers(holdfast_bytes topic, uint32_t limit) {
    capabilities_string_t name = wire_string(topic);
    holdfast_websocket_topics_list_subscriber_t wire;
    HOST(holdfast_websocket_topics_subscribers(&name, limit, &wire));
    holdfast_subscriber *items = holdfast_alloc(wire.len * sizeof *items);
    for (size_t index = 0; index < wire.len; index++) {
        items[index] = (holdfast_subscriber){
            .connection = from_string(wire.ptr[index].connection),
            .attachment = from_list(wire.ptr[index].attachment),
        };
    }
    return (holdfast_subscriber_list){items, wire.len};
}
