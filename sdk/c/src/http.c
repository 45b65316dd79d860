// The export of `wasi:http/incoming-handler`, and the response.

#include "wire.h"

#include <stdio.h>

// Parts of a body gather up to this. An instance handles one request at a time.
#define GATHERED_BYTES (16 << 10)

struct holdfast_response {
    wasi_http_types_own_response_outparam_t out;
    uint16_t status;
    holdfast_header *headers;
    size_t headers_len;
    bool is_head_request;
    bool is_head_sent;
    wasi_http_types_own_outgoing_body_t body;
    wasi_io_streams_own_output_stream_t stream;
    size_t gathered;
    char bytes[GATHERED_BYTES];
};

static holdfast_response current;

void holdfast_respond_status(holdfast_response *response, uint16_t status) {
    response->status = status;
}

void holdfast_respond_header(holdfast_response *response, const char *name, holdfast_bytes value) {
    holdfast_header *header = holdfast_grow((void **)&response->headers, &response->headers_len,
                                            sizeof *response->headers);
    *header = (holdfast_header){holdfast_text(name), value};
}

holdfast_error holdfast_respond(holdfast_response *response, uint16_t status,
                                const char *content_type, holdfast_bytes body) {
    holdfast_respond_status(response, status);
    if (content_type != NULL) {
        holdfast_respond_header(response, "content-type", holdfast_text(content_type));
    }
    return holdfast_write(response, body);
}

// Answers with an error, which the host logs.
static void give_up(holdfast_response *response, holdfast_error error) {
    response->is_head_sent = true;
    wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = true};
    result.val.err.tag = WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR;
    result.val.err.val.internal_error.is_some = true;
    result.val.err.val.internal_error.val = wire_string(holdfast_text(error));
    wasi_http_types_static_response_outparam_set(response->out, &result);
}

static holdfast_error send_head(holdfast_response *response) {
    bool valid;
    holdfast_headers headers = {response->headers, response->headers_len};
    wasi_http_types_own_fields_t fields = holdfast_to_fields(headers, &valid);
    wasi_http_types_own_outgoing_response_t outgoing = wasi_http_types_constructor_outgoing_response(fields);
    wasi_http_types_borrow_outgoing_response_t borrowed = wasi_http_types_borrow_outgoing_response(outgoing);
    valid = wasi_http_types_method_outgoing_response_set_status_code(borrowed, response->status) && valid;
    if (!valid) {
        wasi_http_types_outgoing_response_drop_own(outgoing);
        return "the response has a status or a header field which none can have";
    }
    wasi_http_types_method_outgoing_response_body(borrowed, &response->body);
    wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(response->body),
                                               &response->stream);
    response->is_head_sent = true;
    wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false};
    result.val.ok = outgoing;
    wasi_http_types_static_response_outparam_set(response->out, &result);
    return NULL;
}

static holdfast_error send_gathered(holdfast_response *response) {
    holdfast_error error = response->is_head_sent ? NULL : send_head(response);
    size_t len = response->gathered;
    response->gathered = 0;
    if (error != NULL) {
        return error;
    }
    return holdfast_write_all(wasi_io_streams_borrow_output_stream(response->stream),
                              holdfast_slice(response->bytes, len));
}

holdfast_error holdfast_write(holdfast_response *response, holdfast_bytes bytes) {
    if (bytes.len > GATHERED_BYTES - response->gathered) {
        holdfast_error error = send_gathered(response);
        if (error != NULL) {
            return error;
        }
    }
    if (bytes.len > GATHERED_BYTES) {
        return holdfast_write_all(wasi_io_streams_borrow_output_stream(response->stream), bytes);
    }
    if (bytes.len > 0) {
        memcpy(response->bytes + response->gathered, bytes.data, bytes.len);
        response->gathered += bytes.len;
    }
    return NULL;
}

holdfast_error holdfast_flush(holdfast_response *response) {
    holdfast_error error = send_gathered(response);
    if (error != NULL) {
        return error;
    }
    wasi_io_streams_stream_error_t problem;
    bool ok;
    HOST(ok = wasi_io_streams_method_output_stream_blocking_flush(
             wasi_io_streams_borrow_output_stream(response->stream), &problem));
    if (!ok && problem.tag != WASI_IO_STREAMS_STREAM_ERROR_CLOSED) {
        wasi_io_error_error_drop_own((wasi_io_error_own_error_t){problem.val.last_operation_failed.__handle});
    }
    return ok ? NULL : "the peer is gone";
}

// Says how long a body is that is complete before its head has left.
static void add_length(holdfast_response *response) {
    holdfast_bytes given;
    holdfast_headers headers = {response->headers, response->headers_len};
    bool has_body = response->status >= 200 && response->status != 204 && response->status != 304;
    if (has_body && !response->is_head_request &&
        !holdfast_find_header(headers, "content-length", &given)) {
        holdfast_respond_header(response, "content-length", holdfast_format("%zu", response->gathered));
    }
}

static holdfast_error finish(holdfast_response *response) {
    if (!response->is_head_sent) {
        add_length(response);
    }
    holdfast_error error = send_gathered(response);
    if (!response->is_head_sent) {
        return error;
    }
    wasi_io_streams_output_stream_drop_own(response->stream);
    if (error != NULL) {
        wasi_http_types_outgoing_body_drop_own(response->body);
        return error;
    }
    wasi_http_types_error_code_t code;
    bool ok;
    HOST(ok = wasi_http_types_static_outgoing_body_finish(response->body, NULL, &code));
    return ok ? NULL : holdfast_fail("the body: %.*s", HOLDFAST_ARG(holdfast_describe(&code)));
}

static holdfast_bytes method_of(wasi_http_types_borrow_incoming_request_t request) {
    static const char *const names[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    wasi_http_types_method_t method;
    HOST(wasi_http_types_method_incoming_request_method(request, &method));
    return method.tag < sizeof names / sizeof *names ? holdfast_text(names[method.tag])
                                                     : from_string(method.val.other);
}

static holdfast_bytes scheme_of(wasi_http_types_borrow_incoming_request_t request) {
    wasi_http_types_scheme_t scheme;
    bool is_some;
    HOST(is_some = wasi_http_types_method_incoming_request_scheme(request, &scheme));
    if (!is_some || scheme.tag == WASI_HTTP_TYPES_SCHEME_HTTP) {
        return holdfast_text("http");
    }
    return scheme.tag == WASI_HTTP_TYPES_SCHEME_HTTPS ? holdfast_text("https")
                                                      : from_string(scheme.val.other);
}

static holdfast_request read_request(wasi_http_types_borrow_incoming_request_t incoming) {
    capabilities_string_t path = {0};
    capabilities_string_t authority = {0};
    wasi_http_types_own_fields_t fields;
    wasi_http_types_own_incoming_body_t body;
    bool has_body;
    HOST(wasi_http_types_method_incoming_request_path_with_query(incoming, &path));
    HOST(wasi_http_types_method_incoming_request_authority(incoming, &authority));
    HOST(fields = wasi_http_types_method_incoming_request_headers(incoming));
    HOST(has_body = wasi_http_types_method_incoming_request_consume(incoming, &body));
    return (holdfast_request){
        .method = method_of(incoming),
        .path_with_query = path.len == 0 ? holdfast_text("/") : from_string(path),
        .scheme = scheme_of(incoming),
        .authority = from_string(authority),
        .headers = holdfast_from_fields(fields),
        .body = has_body ? holdfast_incoming(body) : NULL,
    };
}

static void drop_request(void *argument) {
    wasi_http_types_incoming_request_drop_own(
        (wasi_http_types_own_incoming_request_t){(int32_t)(intptr_t)argument});
}

#ifdef __wasm__
__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle")))
#endif
void holdfast_export_http(int32_t request, int32_t out) {
    holdfast_enter();
    holdfast_defer(drop_request, (void *)(intptr_t)request);
    wasi_http_types_own_incoming_request_t owned = {request};
    holdfast_request incoming = read_request(wasi_http_types_borrow_incoming_request(owned));
    holdfast_response *response = &current;
    response->out = (wasi_http_types_own_response_outparam_t){out};
    response->status = 200;
    response->headers = NULL;
    response->headers_len = 0;
    response->is_head_request = holdfast_is(incoming.method, "HEAD");
    response->is_head_sent = false;
    response->gathered = 0;
    holdfast_error error = holdfast_http_handler(&incoming, response);
    if (error == NULL) {
        error = finish(response);
    } else if (response->is_head_sent) {
        // Without its end, so that the peer sees the body as broken off.
        wasi_io_streams_output_stream_drop_own(response->stream);
        wasi_http_types_outgoing_body_drop_own(response->body);
    }
    if (error != NULL && !response->is_head_sent) {
        give_up(response, error);
    } else if (error != NULL) {
        fprintf(stderr, "http: %s\n", error);
        fflush(stderr);
    }
    holdfast_leave();
}

// Brings the type of the export along, and is what HOLDFAST_HTTP refers to.
void holdfast_link_http(void) {
#ifdef __wasm__
    extern void __component_type_object_force_link_http(void);
    __component_type_object_force_link_http();
#endif
}
