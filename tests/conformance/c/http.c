// What a request asks by its path.

#include "commands.h"

#include <inttypes.h>

#define PIECE_BYTES (16 << 10)
// The most that is read of what is to be sent on.
#define TEXT_BYTES_MAX (1 << 20)

static holdfast_error plain(holdfast_response *response, holdfast_bytes text) {
    return holdfast_respond(response, 200, "text/plain", text);
}

static holdfast_error echo(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes type;
    if (holdfast_find_header(request->headers, "content-type", &type)) {
        holdfast_respond_header(response, "content-type", type);
    }
    char *piece = holdfast_alloc(PIECE_BYTES);
    size_t len;
    do {
        holdfast_error error = holdfast_read(request->body, piece, PIECE_BYTES, &len);
        if (error == NULL && len > 0) {
            error = holdfast_write(response, holdfast_slice(piece, len));
        }
        if (error != NULL) {
            return error;
        }
    } while (len > 0);
    return NULL;
}

static holdfast_error head(const holdfast_request *request, holdfast_response *response) {
    holdfast_list lines = {holdfast_alloc(request->headers.len * sizeof(holdfast_bytes)),
                           request->headers.len};
    for (size_t index = 0; index < lines.len; index++) {
        const holdfast_header *header = &request->headers.items[index];
        lines.items[index] = holdfast_format("%.*s: %.*s\n", HOLDFAST_ARG(header->name),
                                             HOLDFAST_ARG(header->value));
    }
    holdfast_sort(lines);
    holdfast_buffer text = {0};
    for (size_t index = 0; index < lines.len; index++) {
        holdfast_append(&text, lines.items[index]);
    }
    return plain(response, holdfast_buffer_bytes(&text));
}

static holdfast_error events(holdfast_response *response, int64_t count) {
    holdfast_respond_header(response, "content-type", holdfast_text("text/event-stream"));
    for (int64_t number = 0; number < count; number++) {
        holdfast_error error = holdfast_write_format(response, "data: %" PRId64 "\n\n", number);
        if (error == NULL) {
            error = holdfast_flush(response);
        }
        if (error != NULL) {
            return error;
        }
    }
    return NULL;
}

static holdfast_error increment(holdfast_response *response, holdfast_bytes key) {
    holdfast_store *store;
    int64_t sum = 0;
    holdfast_error error = holdfast_check(holdfast_store_open("default", &store));
    if (error == NULL) {
        error = holdfast_check(holdfast_store_increment(store, key, 1, &sum));
    }
    return error != NULL ? error : plain(response, holdfast_format("%" PRId64, sum));
}

static holdfast_error pass_on(const holdfast_request *request, holdfast_response *response,
                              holdfast_bytes to, bool is_topic) {
    holdfast_bytes text;
    holdfast_error error =
        holdfast_check(holdfast_read_all(request->body, TEXT_BYTES_MAX, &text));
    if (error != NULL) {
        return error;
    }
    return plain(response, is_topic ? publish(to, text, NULL) : send_to(to, text));
}

static holdfast_error with_number(holdfast_response *response, holdfast_bytes name, int64_t number) {
    if (holdfast_is(name, "status")) {
        holdfast_respond_status(response, (uint16_t)number);
        return NULL;
    }
    if (holdfast_is(name, "large")) {
        return plain(response, large(number));
    }
    if (holdfast_is(name, "events")) {
        return events(response, number);
    }
    if (holdfast_is(name, "sleep")) {
        holdfast_sleep_ms((uint64_t)number);
        return plain(response, holdfast_text("slept"));
    }
    return holdfast_respond(response, 404, "text/plain", holdfast_text("no such command"));
}

static holdfast_error with_name(const holdfast_request *request, holdfast_response *response,
                                holdfast_bytes name, holdfast_bytes rest) {
    holdfast_bytes value;
    int64_t number;
    if (holdfast_is(name, "increment")) {
        return increment(response, rest);
    }
    if (holdfast_is(name, "publish") || holdfast_is(name, "send")) {
        return pass_on(request, response, rest, holdfast_is(name, "publish"));
    }
    if (holdfast_is(name, "config")) {
        bool found = holdfast_config(holdfast_string(rest), &value);
        return plain(response, found ? value : holdfast_text("none"));
    }
    if (holdfast_number(rest, &number) && number >= 0) {
        return with_number(response, name, number);
    }
    return holdfast_respond(response, 404, "text/plain", holdfast_text("no such command"));
}

holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes rest = holdfast_skip(holdfast_path(request->path_with_query), 1);
    holdfast_bytes name = holdfast_split(&rest, '/');
    holdfast_bytes url;
    if (holdfast_is(name, "hello")) {
        return plain(response, holdfast_text("hello"));
    }
    if (holdfast_is(name, "echo")) {
        return echo(request, response);
    }
    if (holdfast_is(name, "method")) {
        return plain(response, request->method);
    }
    if (holdfast_is(name, "head")) {
        return head(request, response);
    }
    if (holdfast_is(name, "query")) {
        return plain(response, holdfast_query(request->path_with_query));
    }
    if (holdfast_is(name, "fetch") && holdfast_query_value(request->path_with_query, "url", &url)) {
        return plain(response, fetch(url));
    }
    if (holdfast_is(name, "fail")) {
        return "told to fail";
    }
    if (holdfast_is(name, "trap")) {
        trap();
    }
    return with_name(request, response, name, rest);
}
