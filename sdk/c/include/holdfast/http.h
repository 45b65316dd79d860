// HTTP requests, responses, and requests to other servers. Bodies stream both
// ways: nothing is read from the peer before the handler asks for it, and a
// handler that writes goes no faster than the peer reads.

#ifndef HOLDFAST_HTTP_H
#define HOLDFAST_HTTP_H

#include <stdarg.h>

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

// A header field. Names are lower case on the way in, and matched without
// regard to case on the way out.
typedef struct holdfast_header {
    holdfast_bytes name;
    holdfast_bytes value;
} holdfast_header;

typedef struct holdfast_headers {
    const holdfast_header *items;
    size_t len;
} holdfast_headers;

// The first field of a name, in lower case; false if there is none.
bool holdfast_find_header(holdfast_headers headers, const char *name, holdfast_bytes *value);

// The path of a path with query; its query, without the `?`, or empty.
holdfast_bytes holdfast_path(holdfast_bytes path_with_query);
holdfast_bytes holdfast_query(holdfast_bytes path_with_query);

// The value of a key in the query, decoded; false if it is not there.
bool holdfast_query_value(holdfast_bytes path_with_query, const char *key, holdfast_bytes *value);

// Decodes `%41` and the like.
holdfast_bytes holdfast_percent_decode(holdfast_bytes bytes);

// A body that comes in.
typedef struct holdfast_body holdfast_body;

// Reads up to `size` bytes, waiting for at least one. `len` is 0 at the end.
holdfast_error holdfast_read(holdfast_body *body, void *into, size_t size, size_t *len);

// Reads all of it, unless it has more than `limit` bytes: TOO_LARGE.
holdfast_result holdfast_read_all(holdfast_body *body, size_t limit, holdfast_bytes *all);

typedef struct holdfast_request {
    // In capitals: `GET`.
    holdfast_bytes method;
    // Path and query as the client sent them, for example `/rooms/a?x=1`.
    holdfast_bytes path_with_query;
    // `http` or `https`.
    holdfast_bytes scheme;
    // The `Host` field or the `:authority` pseudo-header field.
    holdfast_bytes authority;
    holdfast_headers headers;
    holdfast_body *body;
} holdfast_request;

// The response: 200 with nothing in it unless the handler says otherwise. The
// head leaves with the first bytes of the body that do; status and header
// fields set after that have no effect.
typedef struct holdfast_response holdfast_response;

void holdfast_respond_status(holdfast_response *response, uint16_t status);
void holdfast_respond_header(holdfast_response *response, const char *name, holdfast_bytes value);
// Status, content type and body in one.
holdfast_error holdfast_respond(holdfast_response *response, uint16_t status,
                                const char *content_type, holdfast_bytes body);

// Writes a part of the body. Parts gather up to 16 KiB, or until they are
// flushed, or the handler returns. Waits while the client takes nothing. An
// error says that the client is gone: return it, or NULL.
holdfast_error holdfast_write(holdfast_response *response, holdfast_bytes bytes);
holdfast_error holdfast_write_format(holdfast_response *response, const char *format, ...)
    HOLDFAST_PRINTF(2, 3);
// Sends what was gathered.
holdfast_error holdfast_flush(holdfast_response *response);

// The handler of HTTP requests.
typedef holdfast_error (*holdfast_http)(const holdfast_request *request,
                                        holdfast_response *response);

// Exports it: HOLDFAST_HTTP(handle) in one source file, at its end.
#define HOLDFAST_HTTP(function)                                                                    \
    const holdfast_http holdfast_http_handler = function;                                          \
    extern void holdfast_link_http(void);                                                          \
    __attribute__((used)) void (*const holdfast_linked_http)(void) = holdfast_link_http

extern const holdfast_http holdfast_http_handler;

// A request to another server. The host asks nobody but those whom the operator
// has allowed (`allow_http`, none by default).
typedef struct holdfast_outgoing {
    // `GET` unless something else is here.
    const char *method;
    // With `http://` or `https://`.
    holdfast_bytes url;
    holdfast_headers headers;
    holdfast_bytes body;
    // Milliseconds to wait for the head of the response; 0 for the host's limit.
    uint64_t timeout_ms;
} holdfast_outgoing;

typedef struct holdfast_fetched {
    uint16_t status;
    holdfast_headers headers;
    holdfast_body *body;
} holdfast_fetched;

// Sends a request and waits for the head of the response. Meanwhile this
// instance takes no other event; the host has others. DENIED, FAILED.
holdfast_result holdfast_fetch(const holdfast_outgoing *request, holdfast_fetched *response);

#ifdef __cplusplus
}
#endif

#endif
