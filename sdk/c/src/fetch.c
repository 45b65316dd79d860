// Requests to other servers.

#include "wire.h"


holdfast_bytes holdfast_describe(const wasi_http_types_error_code_t *code) {
    switch (code->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
        return holdfast_text("the name is not known");
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_UNAVAILABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_UNROUTABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TERMINATED:
        return holdfast_text("the server can't be reached");
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_READ_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_WRITE_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TIMEOUT:
        return holdfast_text("the server did not answer in time");
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED:
        return holdfast_text("it is not allowed");
    case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
        if (code->val.internal_error.is_some) {
            return from_string(code->val.internal_error.val);
        }
        return holdfast_text("internal error");
    default:
        return holdfast_format("wasi:http error %d", code->tag);
    }
}

static holdfast_result refused(const wasi_http_types_error_code_t *code, holdfast_bytes host) {
    if (code->tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED ||
        code->tag == WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED) {
        holdfast_result result = holdfast_problem(HOLDFAST_DENIED, 0);
        result.text = holdfast_format("requests to `%.*s`; the operator allows them with "
                                      "--allow-http or `allow_http` in the manifest",
                                      HOLDFAST_ARG(host));
        return result;
    }
    return holdfast_failed(holdfast_describe(code));
}

// The parts of a URL that a request has.
typedef struct {
    bool https;
    holdfast_bytes authority;
    holdfast_bytes path;
} target;

static bool parse(holdfast_bytes url, target *parts) {
    parts->https = holdfast_starts_with(url, "https://");
    if (!parts->https && !holdfast_starts_with(url, "http://")) {
        return false;
    }
    holdfast_bytes rest = holdfast_skip(url, parts->https ? 8 : 7);
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?' && rest.data[len] != '#') {
        len++;
    }
    parts->authority = holdfast_slice(rest.data, len);
    holdfast_bytes path = holdfast_skip(rest, len);
    path = holdfast_split(&path, '#');
    bool is_rooted = path.len > 0 && path.data[0] == '/';
    parts->path = is_rooted ? path : holdfast_format("/%.*s", HOLDFAST_ARG(path));
    return parts->authority.len > 0;
}

static wasi_http_types_method_t method_of(const char *name) {
    static const char *const names[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    wasi_http_types_method_t method = {.tag = WASI_HTTP_TYPES_METHOD_GET};
    if (name == NULL) {
        return method;
    }
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strcmp(name, names[index]) == 0) {
            method.tag = (uint8_t)index;
            return method;
        }
    }
    method.tag = WASI_HTTP_TYPES_METHOD_OTHER;
    method.val.other = wire_string(holdfast_text(name));
    return method;
}

static bool fill(wasi_http_types_borrow_outgoing_request_t request, const char *method,
                 const target *parts) {
    wasi_http_types_method_t wire_method = method_of(method);
    wasi_http_types_scheme_t scheme = {.tag = parts->https ? WASI_HTTP_TYPES_SCHEME_HTTPS
                                                           : WASI_HTTP_TYPES_SCHEME_HTTP};
    capabilities_string_t authority = wire_string(parts->authority);
    capabilities_string_t path = wire_string(parts->path);
    return wasi_http_types_method_outgoing_request_set_method(request, &wire_method) &&
           wasi_http_types_method_outgoing_request_set_scheme(request, &scheme) &&
           wasi_http_types_method_outgoing_request_set_authority(request, &authority) &&
           wasi_http_types_method_outgoing_request_set_path_with_query(request, &path);
}

static wasi_http_types_own_request_options_t options_of(uint64_t timeout_ms) {
    wasi_http_types_own_request_options_t options = wasi_http_types_constructor_request_options();
    wasi_http_types_borrow_request_options_t borrowed = wasi_http_types_borrow_request_options(options);
    uint64_t timeout_ns = timeout_ms * 1000000;
    if (timeout_ms > 0) {
        wasi_http_types_method_request_options_set_connect_timeout(borrowed, &timeout_ns);
        wasi_http_types_method_request_options_set_first_byte_timeout(borrowed, &timeout_ns);
    }
    return options;
}

static void send_body(wasi_http_types_own_outgoing_body_t body, holdfast_bytes bytes) {
    wasi_io_streams_own_output_stream_t stream;
    wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream);
    // A server that does not take it answers so; the response says it better.
    holdfast_write_all(wasi_io_streams_borrow_output_stream(stream), bytes);
    wasi_io_streams_output_stream_drop_own(stream);
    wasi_http_types_error_code_t code;
    HOST(wasi_http_types_static_outgoing_body_finish(body, NULL, &code));
}

static holdfast_result await(wasi_http_types_own_future_incoming_response_t future,
                             holdfast_bytes host, holdfast_fetched *response) {
    wasi_http_types_borrow_future_incoming_response_t borrowed =
        wasi_http_types_borrow_future_incoming_response(future);
    wasi_http_types_own_pollable_t ready =
        wasi_http_types_method_future_incoming_response_subscribe(borrowed);
    wasi_io_poll_own_pollable_t pollable = {ready.__handle};
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
    wasi_io_poll_pollable_drop_own(pollable);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t answer;
    bool is_there;
    HOST(is_there = wasi_http_types_method_future_incoming_response_get(borrowed, &answer));
    wasi_http_types_future_incoming_response_drop_own(future);
    if (!is_there || answer.is_err) {
        return holdfast_failed(holdfast_text("there is no response"));
    }
    if (answer.val.ok.is_err) {
        return refused(&answer.val.ok.val.err, host);
    }
    wasi_http_types_own_incoming_response_t incoming = answer.val.ok.val.ok;
    wasi_http_types_borrow_incoming_response_t head = wasi_http_types_borrow_incoming_response(incoming);
    response->status = wasi_http_types_method_incoming_response_status(head);
    response->headers = holdfast_from_fields(wasi_http_types_method_incoming_response_headers(head));
    wasi_http_types_own_incoming_body_t body;
    wasi_http_types_method_incoming_response_consume(head, &body);
    response->body = holdfast_incoming(body);
    wasi_http_types_incoming_response_drop_own(incoming);
    return holdfast_ok(response->status);
}

holdfast_result holdfast_fetch(const holdfast_outgoing *request, holdfast_fetched *response) {
    target parts;
    if (!parse(request->url, &parts)) {
        return holdfast_failed(holdfast_text("the URL has no http:// or https:// and host"));
    }
    bool valid;
    wasi_http_types_own_fields_t fields = holdfast_to_fields(request->headers, &valid);
    wasi_http_types_own_outgoing_request_t outgoing = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t borrowed = wasi_http_types_borrow_outgoing_request(outgoing);
    valid = fill(borrowed, request->method, &parts) && valid;
    if (!valid) {
        wasi_http_types_outgoing_request_drop_own(outgoing);
        return holdfast_failed(holdfast_text("the request has a part which none can have"));
    }
    wasi_http_types_own_outgoing_body_t body;
    wasi_http_types_method_outgoing_request_body(borrowed, &body);
    wasi_http_types_own_request_options_t options = options_of(request->timeout_ms);
    wasi_http_outgoing_handler_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    bool ok;
    HOST(ok = wasi_http_outgoing_handler_handle(outgoing, &options, &future, &code));
    if (!ok) {
        wasi_http_types_outgoing_body_drop_own(body);
        return refused(&code, parts.authority);
    }
    send_body(body, request->body);
    return await(future, parts.authority, response);
}
