// The events of WebSockets, as the host delivers them.

#include "../generated/websocket.h"
#include "registry.h"

#include <stdio.h>

static const char *refusal;

const char *fake_refusal(void) {
    return refusal;
}

static websocket_string_t lower_text(const char *text) {
    size_t len = text == NULL ? 0 : strlen(text);
    return (websocket_string_t){fake_lower(text, len), len};
}

static holdfast_websocket_websocket_types_connection_t lower_connection(const connection *of) {
    return (holdfast_websocket_websocket_types_connection_t){
        .id = lower_text(of->id.data),
        .attachment = {fake_lower(of->attachment.data, of->attachment.len), of->attachment.len},
        .attachment_version = of->version,
    };
}

// What an export returns is the host's to free, after it has read it.
static bool done(bool ok, const holdfast_websocket_websocket_types_handler_error_t *err) {
    if (!ok) {
        fake_set_error(fake_keep(err->val.failed.ptr, err->val.failed.len).data);
        free(err->val.failed.ptr);
    }
    return ok;
}

static void free_headers(holdfast_websocket_websocket_types_list_header_t *headers) {
    for (size_t index = 0; index < headers->len; index++) {
        free(headers->ptr[index].name.ptr);
        free(headers->ptr[index].value.ptr);
    }
    free(headers->ptr);
}

static void take_acceptance(connection *of, holdfast_websocket_websocket_types_acceptance_t *taken) {
    of->is_open = true;
    of->attachment = fake_keep(taken->attachment.ptr, taken->attachment.len);
    free(taken->attachment.ptr);
    for (size_t index = 0; index < taken->topics.len; index++) {
        fake_add_topic(of, taken->topics.ptr[index].ptr, taken->topics.ptr[index].len);
        free(taken->topics.ptr[index].ptr);
    }
    free(taken->topics.ptr);
    free(taken->subprotocol.val.ptr);
    free_headers(&taken->headers);
}

static void take_rejection(holdfast_websocket_websocket_types_rejection_t *taken) {
    char status[8];
    int len = snprintf(status, sizeof status, "%u ", taken->status);
    char *both = malloc((size_t)len + taken->body.len + 1);
    if (both == NULL) {
        abort();
    }
    memcpy(both, status, (size_t)len);
    if (taken->body.len > 0) {
        memcpy(both + len, taken->body.ptr, taken->body.len);
    }
    refusal = fake_keep(both, (size_t)len + taken->body.len).data;
    free(both);
    free(taken->body.ptr);
    free_headers(&taken->headers);
}

static websocket_list_string_t lower_subprotocols(const char *names) {
    websocket_list_string_t list = {cabi_realloc(NULL, 0, 8, 8 * sizeof *list.ptr), 0};
    while (names != NULL && list.len < 8) {
        size_t len = strcspn(names, ",");
        list.ptr[list.len++] = (websocket_string_t){fake_lower(names, len), len};
        names = names[len] == ',' ? names + len + 1 : NULL;
    }
    return list;
}

const char *fake_connect(const char *path, const char *subprotocols) {
    connection *fresh = fake_new_connection();
    holdfast_websocket_websocket_types_handshake_t handshake = {
        .id = lower_text(fresh->id.data),
        .scheme = lower_text("http"),
        .authority = lower_text("localhost"),
        .path_with_query = lower_text(path),
        .subprotocols = lower_subprotocols(subprotocols),
        .remote_address = lower_text("127.0.0.1:1"),
    };
    holdfast_websocket_websocket_types_acceptance_t acceptance = {0};
    holdfast_websocket_websocket_types_rejection_t rejection = {0};
    if (!exports_holdfast_websocket_websocket_handler_sync_accept(&handshake, &acceptance,
                                                                  &rejection)) {
        take_rejection(&rejection);
        return NULL;
    }
    take_acceptance(fresh, &acceptance);
    holdfast_websocket_websocket_types_connection_t wire = lower_connection(fresh);
    holdfast_websocket_websocket_types_handler_error_t err;
    done(exports_holdfast_websocket_websocket_handler_sync_open(&wire, &err), &err);
    return fresh->id.data;
}

bool fake_receive(const char *id, holdfast_message message) {
    holdfast_bytes payload = message.payload;
    holdfast_websocket_websocket_types_message_t wire = {.tag = message.binary};
    wire.val.binary = (websocket_list_u8_t){fake_lower(payload.data, payload.len), payload.len};
    holdfast_websocket_websocket_types_connection_t from = lower_connection(fake_named(id));
    holdfast_websocket_websocket_types_handler_error_t err;
    return done(exports_holdfast_websocket_websocket_handler_sync_receive(&from, &wire, &err), &err);
}

bool fake_disconnect(const char *id, uint16_t code, const char *reason) {
    connection *of = fake_named(id);
    of->is_open = false;
    holdfast_websocket_websocket_types_closure_t closure = {
        .cause = HOLDFAST_WEBSOCKET_WEBSOCKET_TYPES_CLOSE_CAUSE_CLIENT,
        .code = code,
        .reason = lower_text(reason),
    };
    holdfast_websocket_websocket_types_connection_t from = lower_connection(of);
    holdfast_websocket_websocket_types_handler_error_t err;
    return done(exports_holdfast_websocket_websocket_handler_sync_close(&from, &closure, &err), &err);
}
