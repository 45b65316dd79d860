// The exports of `holdfast:websocket/websocket-handler-sync`.

#include "../generated/websocket.h"
#include "internal.h"

#include <stdio.h>

typedef exports_holdfast_websocket_websocket_handler_sync_acceptance_t acceptance;
typedef exports_holdfast_websocket_websocket_handler_sync_closure_t wire_closure;
typedef exports_holdfast_websocket_websocket_handler_sync_connection_t wire_connection;
typedef exports_holdfast_websocket_websocket_handler_sync_handler_error_t handler_error;
typedef exports_holdfast_websocket_websocket_handler_sync_handshake_t wire_handshake;
typedef exports_holdfast_websocket_websocket_handler_sync_message_t wire_message;
typedef exports_holdfast_websocket_websocket_handler_sync_rejection_t rejection;
typedef holdfast_websocket_websocket_types_list_header_t wire_headers;

struct holdfast_answer {
    // 0 accepts.
    uint16_t status;
    bool has_subprotocol;
    holdfast_bytes subprotocol;
    holdfast_bytes attachment;
    holdfast_bytes body;
    holdfast_header *headers;
    size_t headers_len;
    holdfast_list topics;
};

void holdfast_answer_subprotocol(holdfast_answer *answer, holdfast_bytes name) {
    answer->has_subprotocol = true;
    answer->subprotocol = name;
}

void holdfast_answer_header(holdfast_answer *answer, const char *name, holdfast_bytes value) {
    holdfast_header *header =
        holdfast_grow((void **)&answer->headers, &answer->headers_len, sizeof *header);
    *header = (holdfast_header){holdfast_text(name), value};
}

void holdfast_answer_attachment(holdfast_answer *answer, holdfast_bytes attachment) {
    answer->attachment = attachment;
}

void holdfast_answer_topic(holdfast_answer *answer, holdfast_bytes topic) {
    holdfast_bytes *item =
        holdfast_grow((void **)&answer->topics.items, &answer->topics.len, sizeof *item);
    *item = topic;
}

void holdfast_answer_refuse(holdfast_answer *answer, uint16_t status, holdfast_bytes body) {
    answer->status = status;
    answer->body = body;
}

holdfast_message holdfast_text_message(holdfast_bytes text) {
    return (holdfast_message){.binary = false, .payload = text};
}

holdfast_message holdfast_say(const char *text) {
    return holdfast_text_message(holdfast_text(text));
}

holdfast_message holdfast_binary_message(holdfast_bytes bytes) {
    return (holdfast_message){.binary = true, .payload = bytes};
}

const char *holdfast_cause_name(holdfast_cause cause) {
    static const char *const names[] = {"client", "server", "idle",  "slow-consumer",  "limit",
                                        "error",  "deploy", "drain", "connection-lost"};
    return cause <= HOLDFAST_CONNECTION_LOST ? names[cause] : "unknown";
}

static websocket_string_t keep_string(holdfast_bytes bytes) {
    return (websocket_string_t){holdfast_keep(bytes.data, bytes.len), bytes.len};
}

static websocket_list_u8_t keep_list(holdfast_bytes bytes) {
    return (websocket_list_u8_t){holdfast_keep(bytes.data, bytes.len), bytes.len};
}

static void *keep_items(size_t len, size_t size) {
    void *items = len == 0 ? NULL : calloc(len, size);
    if (len > 0 && items == NULL) {
        holdfast_panic("out of memory");
    }
    return items;
}

static wire_headers keep_headers(const holdfast_answer *answer) {
    wire_headers wire = {keep_items(answer->headers_len, sizeof *wire.ptr), answer->headers_len};
    for (size_t index = 0; index < wire.len; index++) {
        wire.ptr[index].name = keep_string(answer->headers[index].name);
        wire.ptr[index].value = keep_list(answer->headers[index].value);
    }
    return wire;
}

static websocket_list_string_t keep_topics(const holdfast_answer *answer) {
    websocket_list_string_t wire = {keep_items(answer->topics.len, sizeof *wire.ptr),
                                    answer->topics.len};
    for (size_t index = 0; index < wire.len; index++) {
        wire.ptr[index] = keep_string(answer->topics.items[index]);
    }
    return wire;
}

static holdfast_bytes from_string(websocket_string_t string) {
    return holdfast_slice(string.ptr, string.len);
}

static holdfast_handshake from_handshake(const wire_handshake *wire) {
    holdfast_header *headers = holdfast_alloc(wire->headers.len * sizeof *headers);
    for (size_t index = 0; index < wire->headers.len; index++) {
        const holdfast_websocket_websocket_types_header_t *header = &wire->headers.ptr[index];
        headers[index].name = from_string(header->name);
        headers[index].value = holdfast_slice(header->value.ptr, header->value.len);
    }
    holdfast_bytes *subprotocols = holdfast_alloc(wire->subprotocols.len * sizeof *subprotocols);
    for (size_t index = 0; index < wire->subprotocols.len; index++) {
        subprotocols[index] = from_string(wire->subprotocols.ptr[index]);
    }
    return (holdfast_handshake){
        .id = from_string(wire->id),
        .scheme = from_string(wire->scheme),
        .authority = from_string(wire->authority),
        .path_with_query = from_string(wire->path_with_query),
        .headers = {headers, wire->headers.len},
        .subprotocols = {subprotocols, wire->subprotocols.len},
        .remote_address = from_string(wire->remote_address),
    };
}

static holdfast_connection from_connection(const wire_connection *wire) {
    return (holdfast_connection){
        .id = from_string(wire->id),
        .attachment = holdfast_slice(wire->attachment.ptr, wire->attachment.len),
        .attachment_version = wire->attachment_version,
        .buffered_bytes = wire->buffered_bytes,
    };
}

// Ends an event; what a handler said is copied out of its memory first.
static bool done(holdfast_error error, handler_error *err) {
    if (error != NULL) {
        err->tag = HOLDFAST_WEBSOCKET_WEBSOCKET_TYPES_HANDLER_ERROR_FAILED;
        err->val.failed = keep_string(holdfast_text(error));
    }
    holdfast_leave();
    return error == NULL;
}

bool exports_holdfast_websocket_websocket_handler_sync_accept(wire_handshake *request,
                                                              acceptance *ret, rejection *err) {
    holdfast_enter();
    holdfast_handshake handshake = from_handshake(request);
    holdfast_answer answer = {0};
    holdfast_error error = holdfast_websocket_handlers.accept == NULL
                               ? NULL
                               : holdfast_websocket_handlers.accept(&handshake, &answer);
    if (error != NULL) {
        fprintf(stderr, "accept failed: %s\n", error);
        fflush(stderr);
        answer = (holdfast_answer){.status = 500};
    }
    bool accepted = answer.status == 0;
    if (accepted) {
        *ret = (acceptance){
            .subprotocol = {answer.has_subprotocol, keep_string(answer.subprotocol)},
            .headers = keep_headers(&answer),
            .attachment = keep_list(answer.attachment),
            .topics = keep_topics(&answer),
        };
    } else {
        *err = (rejection){answer.status, keep_headers(&answer), keep_list(answer.body)};
    }
    holdfast_leave();
    return accepted;
}

bool exports_holdfast_websocket_websocket_handler_sync_open(wire_connection *wire,
                                                            handler_error *err) {
    holdfast_enter();
    holdfast_connection connection = from_connection(wire);
    holdfast_error error = NULL;
    if (holdfast_websocket_handlers.open != NULL) {
        error = holdfast_websocket_handlers.open(&connection);
    }
    return done(error, err);
}

bool exports_holdfast_websocket_websocket_handler_sync_receive(wire_connection *wire,
                                                               wire_message *message,
                                                               handler_error *err) {
    holdfast_enter();
    holdfast_connection connection = from_connection(wire);
    bool binary = message->tag == HOLDFAST_WEBSOCKET_WEBSOCKET_TYPES_MESSAGE_BINARY;
    holdfast_bytes payload =
        binary ? holdfast_slice(message->val.binary.ptr, message->val.binary.len)
               : from_string(message->val.text);
    holdfast_error error = NULL;
    if (holdfast_websocket_handlers.receive != NULL) {
        error = holdfast_websocket_handlers.receive(&connection, (holdfast_message){binary, payload});
    }
    return done(error, err);
}

bool exports_holdfast_websocket_websocket_handler_sync_close(wire_connection *wire,
                                                             wire_closure *closure,
                                                             handler_error *err) {
    holdfast_enter();
    holdfast_connection connection = from_connection(wire);
    holdfast_closure ended = {
        .cause = (holdfast_cause)closure->cause,
        .code = closure->code,
        .reason = from_string(closure->reason),
    };
    holdfast_error error = NULL;
    if (holdfast_websocket_handlers.close != NULL) {
        error = holdfast_websocket_handlers.close(&connection, &ended);
    }
    return done(error, err);
}

// What HOLDFAST_WEBSOCKET refers to, so that the exports are linked.
void holdfast_link_websocket(void) {
#ifdef __wasm__
    extern void __component_type_object_force_link_websocket_public_use_in_this_compilation_unit(void);
    __component_type_object_force_link_websocket_public_use_in_this_compilation_unit();
#endif
}
