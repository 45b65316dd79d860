// Bodies that come in.

#include "wire.h"

// At most this is read at once.
#define READ_BYTES (64 << 10)

struct holdfast_body {
    wasi_http_types_own_incoming_body_t body;
    wasi_io_streams_own_input_stream_t stream;
    bool is_open;
    bool is_at_end;
};

static void close_body(void *argument) {
    holdfast_body *body = argument;
    // The stream is a child of the body.
    if (body->is_open) {
        wasi_io_streams_input_stream_drop_own(body->stream);
    }
    wasi_http_types_incoming_body_drop_own(body->body);
    free(body);
}

holdfast_body *holdfast_incoming(wasi_http_types_own_incoming_body_t incoming) {
    holdfast_body *body = calloc(1, sizeof *body);
    if (body == NULL) {
        holdfast_panic("out of memory");
    }
    body->body = incoming;
    HOST(body->is_open = wasi_http_types_method_incoming_body_stream(
             wasi_http_types_borrow_incoming_body(incoming), &body->stream));
    holdfast_defer(close_body, body);
    return body;
}

// Why a stream has ended; NULL for its ordinary end.
static holdfast_error stream_error(const wasi_io_streams_stream_error_t *error) {
    if (error->tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) {
        return NULL;
    }
    wasi_io_error_own_error_t handle = {error->val.last_operation_failed.__handle};
    capabilities_string_t text;
    HOST(wasi_io_error_method_error_to_debug_string(wasi_io_error_borrow_error(handle), &text));
    wasi_io_error_error_drop_own(handle);
    return holdfast_fail("the body was broken off: %.*s", (int)text.len, (char *)text.ptr);
}

holdfast_error holdfast_read(holdfast_body *body, void *into, size_t size, size_t *len) {
    *len = 0;
    while (*len == 0 && body->is_open && !body->is_at_end && size > 0) {
        // What the host writes is copied, so that long bodies leave nothing behind.
        holdfast_mark mark = holdfast_memory_mark();
        capabilities_list_u8_t chunk;
        wasi_io_streams_stream_error_t error;
        bool ok;
        uint64_t most = size < READ_BYTES ? size : READ_BYTES;
        HOST(ok = wasi_io_streams_method_input_stream_blocking_read(
                 wasi_io_streams_borrow_input_stream(body->stream), most, &chunk, &error));
        if (!ok) {
            body->is_at_end = true;
            return stream_error(&error);
        }
        if (chunk.len > 0) {
            memcpy(into, chunk.ptr, chunk.len);
            *len = chunk.len;
        }
        holdfast_memory_release(mark);
    }
    return NULL;
}

holdfast_result holdfast_read_all(holdfast_body *body, size_t limit, holdfast_bytes *all) {
    holdfast_buffer buffer = {0};
    char *chunk = holdfast_alloc(READ_BYTES);
    size_t len;
    do {
        holdfast_error error = holdfast_read(body, chunk, READ_BYTES, &len);
        if (error != NULL) {
            return holdfast_failed(holdfast_text(error));
        }
        if (len > limit - buffer.len) {
            return holdfast_problem(HOLDFAST_TOO_LARGE, limit);
        }
        holdfast_append(&buffer, holdfast_slice(chunk, len));
    } while (len > 0);
    *all = holdfast_buffer_bytes(&buffer);
    return holdfast_ok(all->len);
}

holdfast_error holdfast_write_all(wasi_io_streams_borrow_output_stream_t stream,
                                  holdfast_bytes bytes) {
    while (bytes.len > 0) {
        wasi_io_streams_stream_error_t error;
        uint64_t room;
        bool ok;
        HOST(ok = wasi_io_streams_method_output_stream_check_write(stream, &room, &error));
        if (ok && room == 0) {
            wasi_io_streams_own_pollable_t ready = wasi_io_streams_method_output_stream_subscribe(stream);
            wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
            wasi_io_poll_pollable_drop_own(ready);
            continue;
        }
        if (ok) {
            size_t len = room < bytes.len ? (size_t)room : bytes.len;
            capabilities_list_u8_t part = wire_list(holdfast_slice(bytes.data, len));
            HOST(ok = wasi_io_streams_method_output_stream_write(stream, &part, &error));
            bytes = holdfast_skip(bytes, len);
        }
        if (!ok) {
            holdfast_error why = stream_error(&error);
            return why == NULL ? "the peer is gone" : why;
        }
    }
    return NULL;
}
