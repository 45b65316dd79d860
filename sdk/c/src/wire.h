// Between our types and those of the generated bindings.

#ifndef HOLDFAST_WIRE_H
#define HOLDFAST_WIRE_H

#include "../generated/capabilities.h"
#include "internal.h"

static inline capabilities_string_t wire_string(holdfast_bytes bytes) {
    return (capabilities_string_t){(uint8_t *)bytes.data, bytes.len};
}

static inline capabilities_list_u8_t wire_list(holdfast_bytes bytes) {
    return (capabilities_list_u8_t){(uint8_t *)bytes.data, bytes.len};
}

static inline holdfast_bytes from_string(capabilities_string_t string) {
    return holdfast_slice(string.ptr, string.len);
}

static inline holdfast_bytes from_list(capabilities_list_u8_t list) {
    return holdfast_slice(list.ptr, list.len);
}

// A body that comes in; `body` is its only owner until the event ends.
holdfast_body *holdfast_incoming(wasi_http_types_own_incoming_body_t body);

// Header fields in both directions.
holdfast_headers holdfast_from_fields(wasi_http_types_own_fields_t fields);
wasi_http_types_own_fields_t holdfast_to_fields(holdfast_headers headers, bool *valid);

// An error of wasi:http for people.
holdfast_bytes holdfast_describe(const wasi_http_types_error_code_t *code);

// Writes all of `bytes`, waiting for room; NULL, or an error if the peer is gone.
holdfast_error holdfast_write_all(wasi_io_streams_borrow_output_stream_t stream,
                                  holdfast_bytes bytes);

#endif
