// A response that goes on: server-sent events, one every 100 ms, or as
// `?count=N&pause=MS` says, until there are enough or the client goes.

#include <holdfast.h>
#include <inttypes.h>

static int64_t number_in(holdfast_bytes path_with_query, const char *key, int64_t otherwise) {
    holdfast_bytes value;
    int64_t number;
    bool found = holdfast_query_value(path_with_query, key, &value) &&
                 holdfast_number(value, &number) && number >= 0;
    return found ? number : otherwise;
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes path = request->path_with_query;
    if (!holdfast_is(holdfast_path(path), "/")) {
        return holdfast_respond(response, 404, "text/plain", holdfast_text("not found\n"));
    }
    int64_t count = number_in(path, "count", INT64_MAX);
    int64_t pause_ms = number_in(path, "pause", 100);
    holdfast_respond_header(response, "content-type", holdfast_text("text/event-stream"));
    holdfast_respond_header(response, "cache-control", holdfast_text("no-store"));
    for (int64_t number = 0; number < count; number++) {
        if (number > 0) {
            holdfast_sleep_ms((uint64_t)pause_ms);
        }
        // An error says that the client has gone, and that is no failure.
        if (holdfast_write_format(response, "data: %" PRId64 "\n\n", number) != NULL ||
            holdfast_flush(response) != NULL) {
            return NULL;
        }
    }
    return NULL;
}

HOLDFAST_HTTP(handle);
