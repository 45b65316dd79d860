// Requests and responses in memory. There is one request at a time, with one
// request to another server within it.

#include "../generated/capabilities.h"
#include "fake.h"

#include <stdio.h>

// Handles: what they stand for. Fields have those after LAST.
enum { INCOMING = 1, RESPONSE, BODY_IN = 5, BODY_FETCHED, BODY_OUT, BODY_SENT, LAST };

#define FIELDS_MAX 64
#define LINES_BYTES (16 << 10)
#define BODY_BYTES (4 << 20)

typedef struct {
    char text[LINES_BYTES];
    size_t len;
} lines;

typedef struct {
    char *data;
    size_t len;
    size_t read;
} stream;

static lines fields[FIELDS_MAX];
static int fields_len;
static lines next_headers;
static stream streams[LAST];
static const char *request_method;
static const char *request_path;
static int incoming_fields;
static int outgoing_fields;
static uint16_t status;
static bool is_answered;
static uint16_t answer_status;
static const char *answer_body;

void fake_reset_http(void) {
    next_headers.len = 0;
    answer_body = NULL;
}

static void put(stream *into, const void *data, size_t len) {
    if (into->data == NULL) {
        into->data = fake_keep(NULL, 0).data;
    }
    if (len > BODY_BYTES - into->len) {
        fake_failed(__FILE__, __LINE__, "a body", "4 MiB at most", "more");
    }
    char *both = malloc(into->len + len + 1);
    if (both == NULL) {
        abort();
    }
    memcpy(both, into->data, into->len);
    memcpy(both + into->len, data, len);
    into->data = fake_keep(both, into->len + len).data;
    into->len += len;
    free(both);
}

static void add_line(lines *to, const void *name, size_t name_len, const void *value, size_t len) {
    int written = snprintf(to->text + to->len, sizeof to->text - to->len, "%.*s: %.*s\n",
                           (int)name_len, (const char *)name, (int)len, (const char *)value);
    to->len += (size_t)written;
    if (to->len >= sizeof to->text) {
        fake_failed(__FILE__, __LINE__, "header fields", "16 KiB at most", "more");
    }
}

void fake_request_header(const char *name, const char *value) {
    add_line(&next_headers, name, strlen(name), value, strlen(value));
}

void fake_answer(uint16_t code, const char *body) {
    answer_status = code;
    answer_body = fake_keep(body, strlen(body)).data;
}

static int new_fields(void) {
    if (fields_len == FIELDS_MAX) {
        fake_failed(__FILE__, __LINE__, "sets of header fields", "64 at most", "more");
    }
    fields[fields_len].len = 0;
    fields[fields_len].text[0] = '\0';
    return LAST + fields_len++;
}

fake_response fake_request(const char *method, const char *path, const char *body) {
    void holdfast_export_http(int32_t request, int32_t out);
    memset(streams, 0, sizeof streams);
    fields_len = 0;
    incoming_fields = new_fields();
    fields[incoming_fields - LAST] = next_headers;
    next_headers.len = 0;
    request_method = method;
    request_path = path;
    is_answered = false;
    status = 500;
    if (body != NULL) {
        put(&streams[BODY_IN], body, strlen(body));
    }
    put(&streams[BODY_OUT], "", 0);
    holdfast_export_http(INCOMING, RESPONSE);
    bool has_fields = is_answered && outgoing_fields >= LAST;
    const lines *sent = has_fields ? &fields[outgoing_fields - LAST] : NULL;
    return (fake_response){
        .status = status,
        .body = streams[BODY_OUT].data,
        .body_len = streams[BODY_OUT].len,
        .headers = sent == NULL ? "" : fake_keep(sent->text, sent->len).data,
    };
}

bool fake_take_answer(uint16_t *code) {
    if (answer_body == NULL) {
        return false;
    }
    put(&streams[BODY_FETCHED], answer_body, strlen(answer_body));
    *code = answer_status;
    answer_body = NULL;
    return true;
}

int fake_empty_fields(void) {
    return new_fields();
}

// Fields.

wasi_http_types_own_fields_t wasi_http_types_constructor_fields(void) {
    return (wasi_http_types_own_fields_t){new_fields()};
}

bool wasi_http_types_method_fields_append(wasi_http_types_borrow_fields_t self,
                                          wasi_http_types_field_key_t *name,
                                          wasi_http_types_field_value_t *value,
                                          wasi_http_types_header_error_t *err) {
    if (name->len == 0 || memchr(name->ptr, ' ', name->len) != NULL) {
        err->tag = WASI_HTTP_TYPES_HEADER_ERROR_INVALID_SYNTAX;
        return false;
    }
    add_line(&fields[self.__handle - LAST], name->ptr, name->len, value->ptr, value->len);
    return true;
}

void wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields_t self,
                                           wasi_http_types_list_tuple2_field_key_field_value_t *ret) {
    const lines *from = &fields[self.__handle - LAST];
    ret->ptr = cabi_realloc(NULL, 0, 8, sizeof *ret->ptr * 64);
    ret->len = 0;
    for (const char *at = from->text; at < from->text + from->len && ret->len < 64;) {
        size_t name = strcspn(at, ":");
        size_t line = strcspn(at, "\n");
        ret->ptr[ret->len].f0.ptr = fake_lower(at, name);
        ret->ptr[ret->len].f0.len = name;
        ret->ptr[ret->len].f1.ptr = fake_lower(at + name + 2, line - name - 2);
        ret->ptr[ret->len].f1.len = line - name - 2;
        ret->len++;
        at += line + 1;
    }
}

// The request that came in.

void wasi_http_types_method_incoming_request_method(
    wasi_http_types_borrow_incoming_request_t self, wasi_http_types_method_t *ret) {
    static const char *const names[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    (void)self;
    ret->tag = WASI_HTTP_TYPES_METHOD_OTHER;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strcmp(names[index], request_method) == 0) {
            ret->tag = (uint8_t)index;
            return;
        }
    }
    ret->val.other.len = strlen(request_method);
    ret->val.other.ptr = fake_lower(request_method, ret->val.other.len);
}

static bool lower(const char *text, capabilities_string_t *ret) {
    ret->len = strlen(text);
    ret->ptr = fake_lower(text, ret->len);
    return true;
}

bool wasi_http_types_method_incoming_request_path_with_query(
    wasi_http_types_borrow_incoming_request_t self, capabilities_string_t *ret) {
    (void)self;
    return lower(request_path, ret);
}

bool wasi_http_types_method_incoming_request_scheme(wasi_http_types_borrow_incoming_request_t self,
                                                    wasi_http_types_scheme_t *ret) {
    (void)self;
    ret->tag = WASI_HTTP_TYPES_SCHEME_HTTP;
    return true;
}

bool wasi_http_types_method_incoming_request_authority(
    wasi_http_types_borrow_incoming_request_t self, capabilities_string_t *ret) {
    (void)self;
    return lower("localhost", ret);
}

wasi_http_types_own_headers_t wasi_http_types_method_incoming_request_headers(
    wasi_http_types_borrow_incoming_request_t self) {
    (void)self;
    return (wasi_http_types_own_headers_t){incoming_fields};
}

bool wasi_http_types_method_incoming_request_consume(wasi_http_types_borrow_incoming_request_t self,
                                                     wasi_http_types_own_incoming_body_t *ret) {
    (void)self;
    ret->__handle = BODY_IN;
    return true;
}

bool wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body_t self,
                                                 wasi_http_types_own_input_stream_t *ret) {
    ret->__handle = self.__handle;
    return true;
}

// Bodies come in pieces of a few bytes, so that whoever reads them has to go on.
bool wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream_t self,
                                                       uint64_t len, capabilities_list_u8_t *ret,
                                                       wasi_io_streams_stream_error_t *err) {
    stream *from = &streams[self.__handle];
    size_t left = from->len - from->read;
    if (left == 0) {
        err->tag = WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
        return false;
    }
    size_t most = len < 7 ? (size_t)len : 7;
    ret->len = left < most ? left : most;
    ret->ptr = fake_lower(from->data + from->read, ret->len);
    from->read += ret->len;
    return true;
}

// The response.

wasi_http_types_own_outgoing_response_t wasi_http_types_constructor_outgoing_response(
    wasi_http_types_own_headers_t headers) {
    outgoing_fields = headers.__handle;
    status = 200;
    return (wasi_http_types_own_outgoing_response_t){RESPONSE};
}

bool wasi_http_types_method_outgoing_response_set_status_code(
    wasi_http_types_borrow_outgoing_response_t self, wasi_http_types_status_code_t code) {
    (void)self;
    status = code;
    return code >= 100 && code <= 999;
}

bool wasi_http_types_method_outgoing_response_body(wasi_http_types_borrow_outgoing_response_t self,
                                                   wasi_http_types_own_outgoing_body_t *ret) {
    (void)self;
    ret->__handle = BODY_OUT;
    return true;
}

bool wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body_t self,
                                                wasi_http_types_own_output_stream_t *ret) {
    ret->__handle = self.__handle;
    return true;
}

void wasi_http_types_static_response_outparam_set(
    wasi_http_types_own_response_outparam_t param,
    wasi_http_types_result_own_outgoing_response_error_code_t *response) {
    (void)param;
    is_answered = !response->is_err;
    if (response->is_err) {
        capabilities_string_t text = response->val.err.val.internal_error.val;
        status = 500;
        fake_set_error(fake_keep(text.ptr, text.len).data);
    }
}

bool wasi_io_streams_method_output_stream_check_write(wasi_io_streams_borrow_output_stream_t self,
                                                      uint64_t *ret,
                                                      wasi_io_streams_stream_error_t *err) {
    (void)self, (void)err;
    *ret = 1024;
    return true;
}

bool wasi_io_streams_method_output_stream_write(wasi_io_streams_borrow_output_stream_t self,
                                                capabilities_list_u8_t *contents,
                                                wasi_io_streams_stream_error_t *err) {
    (void)err;
    put(&streams[self.__handle], contents->ptr, contents->len);
    return true;
}

bool wasi_io_streams_method_output_stream_blocking_flush(
    wasi_io_streams_borrow_output_stream_t self, wasi_io_streams_stream_error_t *err) {
    (void)self, (void)err;
    return true;
}

bool wasi_http_types_static_outgoing_body_finish(wasi_http_types_own_outgoing_body_t this_,
                                                 wasi_http_types_own_trailers_t *trailers,
                                                 wasi_http_types_error_code_t *err) {
    (void)this_, (void)trailers, (void)err;
    return true;
}
