// Requests to another server, which fake_answer answers, and what is done with
// handles everywhere.

#include "../generated/capabilities.h"
#include "fake.h"

enum { FETCH = 3, FETCHED, BODY_FETCHED = 6, BODY_SENT = 8 };

bool fake_take_answer(uint16_t *status);
int fake_empty_fields(void);

static uint16_t status;

wasi_http_types_own_outgoing_request_t wasi_http_types_constructor_outgoing_request(
    wasi_http_types_own_headers_t headers) {
    (void)headers;
    return (wasi_http_types_own_outgoing_request_t){FETCH};
}

bool wasi_http_types_method_outgoing_request_body(wasi_http_types_borrow_outgoing_request_t self,
                                                  wasi_http_types_own_outgoing_body_t *ret) {
    (void)self;
    ret->__handle = BODY_SENT;
    return true;
}

bool wasi_http_types_method_outgoing_request_set_method(
    wasi_http_types_borrow_outgoing_request_t self, wasi_http_types_method_t *method) {
    (void)self, (void)method;
    return true;
}

bool wasi_http_types_method_outgoing_request_set_scheme(
    wasi_http_types_borrow_outgoing_request_t self, wasi_http_types_scheme_t *scheme) {
    (void)self, (void)scheme;
    return true;
}

bool wasi_http_types_method_outgoing_request_set_authority(
    wasi_http_types_borrow_outgoing_request_t self, capabilities_string_t *authority) {
    (void)self, (void)authority;
    return true;
}

bool wasi_http_types_method_outgoing_request_set_path_with_query(
    wasi_http_types_borrow_outgoing_request_t self, capabilities_string_t *path) {
    (void)self, (void)path;
    return true;
}

wasi_http_types_own_request_options_t wasi_http_types_constructor_request_options(void) {
    return (wasi_http_types_own_request_options_t){0};
}

bool wasi_http_types_method_request_options_set_connect_timeout(
    wasi_http_types_borrow_request_options_t self, wasi_http_types_duration_t *duration) {
    (void)self, (void)duration;
    return true;
}

bool wasi_http_types_method_request_options_set_first_byte_timeout(
    wasi_http_types_borrow_request_options_t self, wasi_http_types_duration_t *duration) {
    (void)self, (void)duration;
    return true;
}

bool wasi_http_outgoing_handler_handle(wasi_http_outgoing_handler_own_outgoing_request_t request,
                                       wasi_http_outgoing_handler_own_request_options_t *options,
                                       wasi_http_outgoing_handler_own_future_incoming_response_t *ret,
                                       wasi_http_outgoing_handler_error_code_t *err) {
    (void)request, (void)options;
    if (!fake_take_answer(&status)) {
        err->tag = WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED;
        return false;
    }
    ret->__handle = FETCHED;
    return true;
}

wasi_http_types_own_pollable_t wasi_http_types_method_future_incoming_response_subscribe(
    wasi_http_types_borrow_future_incoming_response_t self) {
    (void)self;
    return (wasi_http_types_own_pollable_t){0};
}

bool wasi_http_types_method_future_incoming_response_get(
    wasi_http_types_borrow_future_incoming_response_t self,
    wasi_http_types_result_result_own_incoming_response_error_code_void_t *ret) {
    (void)self;
    ret->is_err = false;
    ret->val.ok.is_err = false;
    ret->val.ok.val.ok.__handle = FETCHED;
    return true;
}

wasi_http_types_status_code_t wasi_http_types_method_incoming_response_status(
    wasi_http_types_borrow_incoming_response_t self) {
    (void)self;
    return status;
}

wasi_http_types_own_headers_t wasi_http_types_method_incoming_response_headers(
    wasi_http_types_borrow_incoming_response_t self) {
    (void)self;
    return (wasi_http_types_own_headers_t){fake_empty_fields()};
}

bool wasi_http_types_method_incoming_response_consume(wasi_http_types_borrow_incoming_response_t self,
                                                      wasi_http_types_own_incoming_body_t *ret) {
    (void)self;
    ret->__handle = BODY_FETCHED;
    return true;
}

// Handles: nothing has to be dropped, and a borrowed one is the same number.

#define DROP(package, name)                                                                        \
    void package##_##name##_drop_own(package##_own_##name##_t handle) {                            \
        (void)handle;                                                                              \
    }
#define BORROW(package, name)                                                                      \
    package##_borrow_##name##_t package##_borrow_##name(package##_own_##name##_t handle) {         \
        return (package##_borrow_##name##_t){handle.__handle};                                     \
    }
#define RESOURCE(package, name) DROP(package, name) BORROW(package, name)

RESOURCE(wasi_http_types, fields)
RESOURCE(wasi_http_types, incoming_request)
RESOURCE(wasi_http_types, incoming_response)
RESOURCE(wasi_http_types, incoming_body)
RESOURCE(wasi_http_types, outgoing_request)
RESOURCE(wasi_http_types, outgoing_response)
RESOURCE(wasi_http_types, outgoing_body)
RESOURCE(wasi_http_types, request_options)
RESOURCE(wasi_http_types, future_incoming_response)
RESOURCE(wasi_io_streams, input_stream)
RESOURCE(wasi_io_streams, output_stream)
RESOURCE(wasi_io_poll, pollable)
RESOURCE(wasi_io_error, error)

void wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable_t self) {
    (void)self;
}

wasi_io_streams_own_pollable_t wasi_io_streams_method_output_stream_subscribe(
    wasi_io_streams_borrow_output_stream_t self) {
    (void)self;
    return (wasi_io_streams_own_pollable_t){0};
}

void wasi_io_error_method_error_to_debug_string(wasi_io_error_borrow_error_t self,
                                                capabilities_string_t *ret) {
    (void)self;
    ret->ptr = fake_lower("broken", 6);
    ret->len = 6;
}
