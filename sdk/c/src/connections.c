// Connections, by id.

#include "wire.h"

static holdfast_websocket_connections_message_t to_wire(holdfast_message message) {
    holdfast_websocket_connections_message_t wire = {.tag = message.binary};
    if (message.binary) {
        wire.val.binary = wire_list(message.payload);
    } else {
        wire.val.text = wire_string(message.payload);
    }
    return wire;
}

holdfast_result holdfast_send(holdfast_bytes connection, holdfast_message message) {
    capabilities_string_t id = wire_string(connection);
    holdfast_websocket_connections_message_t wire = to_wire(message);
    holdfast_websocket_connections_send_error_t error;
    uint64_t queued;
    bool ok;
    HOST(ok = holdfast_websocket_connections_send(&id, &wire, &queued, &error));
    if (ok) {
        return holdfast_ok(queued);
    }
    switch (error.tag) {
    case HOLDFAST_WEBSOCKET_CONNECTIONS_SEND_ERROR_FULL:
        return holdfast_problem(HOLDFAST_FULL, error.val.full);
    case HOLDFAST_WEBSOCKET_CONNECTIONS_SEND_ERROR_TOO_LARGE:
        return holdfast_problem(HOLDFAST_TOO_LARGE, error.val.too_large);
    default:
        return holdfast_problem(HOLDFAST_GONE, 0);
    }
}

holdfast_result holdfast_close(holdfast_bytes connection, uint16_t code, holdfast_bytes reason) {
    capabilities_string_t id = wire_string(connection);
    capabilities_string_t text = wire_string(reason);
    holdfast_websocket_connections_close_error_t error;
    bool ok;
    HOST(ok = holdfast_websocket_connections_close(&id, code, &text, &error));
    if (ok) {
        return holdfast_ok(0);
    }
    switch (error.tag) {
    case HOLDFAST_WEBSOCKET_CONNECTIONS_CLOSE_ERROR_INVALID_CODE:
        return holdfast_problem(HOLDFAST_INVALID_CODE, 0);
    case HOLDFAST_WEBSOCKET_CONNECTIONS_CLOSE_ERROR_REASON_TOO_LONG:
        return holdfast_problem(HOLDFAST_REASON_TOO_LONG, 0);
    default:
        return holdfast_problem(HOLDFAST_GONE, 0);
    }
}

bool holdfast_get_state(holdfast_bytes connection, holdfast_state *state) {
    capabilities_string_t id = wire_string(connection);
    holdfast_websocket_connections_state_t wire;
    bool found;
    HOST(found = holdfast_websocket_connections_get(&id, &wire));
    if (found) {
        *state = (holdfast_state){
            .attachment = from_list(wire.attachment),
            .attachment_version = wire.attachment_version,
            .buffered_bytes = wire.buffered_bytes,
        };
    }
    return found;
}

static holdfast_result attach(holdfast_bytes connection, holdfast_bytes attachment,
                              uint64_t *expected) {
    capabilities_string_t id = wire_string(connection);
    capabilities_list_u8_t bytes = wire_list(attachment);
    holdfast_websocket_connections_attachment_error_t error;
    uint64_t version;
    bool ok;
    HOST(ok = holdfast_websocket_connections_set_attachment(&id, &bytes, expected, &version, &error));
    if (ok) {
        return holdfast_ok(version);
    }
    switch (error.tag) {
    case HOLDFAST_WEBSOCKET_CONNECTIONS_ATTACHMENT_ERROR_CONFLICT:
        return holdfast_problem(HOLDFAST_CONFLICT, error.val.conflict);
    case HOLDFAST_WEBSOCKET_CONNECTIONS_ATTACHMENT_ERROR_TOO_LARGE:
        return holdfast_problem(HOLDFAST_TOO_LARGE, error.val.too_large);
    default:
        return holdfast_problem(HOLDFAST_GONE, 0);
    }
}

holdfast_result holdfast_attach(holdfast_bytes connection, holdfast_bytes attachment) {
    return attach(connection, attachment, NULL);
}

holdfast_result holdfast_attach_if(holdfast_bytes connection, holdfast_bytes attachment,
                                   uint64_t expected) {
    return attach(connection, attachment, &expected);
}

// Topics take the same messages.

static holdfast_result publish(holdfast_bytes topic, holdfast_message message,
                               capabilities_string_t *except, holdfast_delivery *delivery) {
    capabilities_string_t name = wire_string(topic);
    holdfast_websocket_topics_message_t wire = to_wire(message);
    holdfast_websocket_topics_delivery_t done;
    holdfast_websocket_topics_publish_error_t error;
    bool ok;
    HOST(ok = holdfast_websocket_topics_publish(&name, &wire, except, &done, &error));
    if (!ok) {
        return holdfast_problem(HOLDFAST_TOO_LARGE, error.val.too_large);
    }
    if (delivery != NULL) {
        *delivery = (holdfast_delivery){.queued = done.queued, .full = done.full};
    }
    return holdfast_ok(done.queued);
}

holdfast_result holdfast_publish(holdfast_bytes topic, holdfast_message message,
                                 holdfast_delivery *delivery) {
    return publish(topic, message, NULL, delivery);
}

holdfast_result holdfast_publish_except(holdfast_bytes topic, holdfast_message message,
                                        holdfast_bytes except, holdfast_delivery *delivery) {
    capabilities_string_t id = wire_string(except);
    return publish(topic, message, &id, delivery);
}
