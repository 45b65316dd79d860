// The conformance program in C: its WebSocket events. What is asked of it comes
// in paths and in messages.

#include "commands.h"

static holdfast_error accept(const holdfast_handshake *handshake, holdfast_answer *answer) {
    holdfast_bytes path = holdfast_path(handshake->path_with_query);
    holdfast_answer_attachment(answer, handshake->path_with_query);
    if (holdfast_is(path, "/refuse")) {
        holdfast_answer_header(answer, "x-why", holdfast_text("refused"));
        holdfast_answer_refuse(answer, 403, holdfast_text("refused"));
    } else if (holdfast_is(path, "/protocol") && handshake->subprotocols.len > 0) {
        holdfast_list offered = handshake->subprotocols;
        holdfast_answer_subprotocol(answer, offered.items[offered.len - 1]);
    } else if (holdfast_is(path, "/headers")) {
        holdfast_answer_header(answer, "x-conformance", holdfast_text("yes"));
    } else if (holdfast_starts_with(path, "/topic/")) {
        holdfast_answer_topic(answer, holdfast_skip(path, 7));
    } else if (holdfast_is(path, "/trap")) {
        holdfast_panic("told to trap in accept");
    }
    return NULL;
}

static holdfast_error open(const holdfast_connection *connection) {
    holdfast_bytes path = holdfast_path(connection->attachment);
    if (holdfast_is(path, "/trap-open")) {
        trap();
    }
    if (holdfast_is(path, "/greet")) {
        return holdfast_check(holdfast_send(connection->id, holdfast_say("open")));
    }
    return NULL;
}

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    if (message.binary) {
        return holdfast_check(holdfast_send(connection->id, message));
    }
    return command(connection, message.payload);
}

static holdfast_error close(const holdfast_connection *connection, const holdfast_closure *closure) {
    holdfast_bytes topic;
    if (!holdfast_query_value(connection->attachment, "observer", &topic)) {
        return NULL;
    }
    holdfast_bytes text = holdfast_format("closed %s %u %.*s", holdfast_cause_name(closure->cause),
                                          closure->code, HOLDFAST_ARG(closure->reason));
    return holdfast_check(holdfast_publish(topic, holdfast_text_message(text), NULL));
}

HOLDFAST_WEBSOCKET(.accept = accept, .open = open, .receive = receive, .close = close);
HOLDFAST_HTTP(handle);
