// A JSON API for notes, kept in the key-value store: GET and POST /notes; GET,
// PUT and DELETE /notes/ID.

#include <holdfast.h>
#include <inttypes.h>

// Bytes of a note's JSON, and the key that counts notes.
#define BODY_BYTES_MAX (64 << 10)
#define COUNTER "next"
#define PREFIX "note/"

static holdfast_error answer_json(holdfast_response *response, uint16_t status,
                                  holdfast_buffer *body) {
    holdfast_append_text(body, "\n");
    return holdfast_respond(response, status, "application/json", holdfast_buffer_bytes(body));
}

static holdfast_error refuse(holdfast_response *response, uint16_t status, const char *why) {
    holdfast_buffer body = {0};
    holdfast_writer writer = {.buffer = &body};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "error", holdfast_text(why));
    holdfast_json_end_object(&writer);
    return answer_json(response, status, &body);
}

static holdfast_error not_allowed(holdfast_response *response, const char *allowed) {
    holdfast_respond_header(response, "allow", holdfast_text(allowed));
    return refuse(response, 405, "not this method");
}

static void write_note(holdfast_writer *writer, holdfast_bytes id, holdfast_bytes text) {
    holdfast_json_begin_object(writer, NULL);
    holdfast_json_write_string(writer, "id", id);
    holdfast_json_write_string(writer, "text", text);
    holdfast_json_end_object(writer);
}

static holdfast_error answer_note(holdfast_response *response, uint16_t status, holdfast_bytes id,
                                  holdfast_bytes text) {
    holdfast_buffer body = {0};
    holdfast_writer writer = {.buffer = &body};
    write_note(&writer, id, text);
    return answer_json(response, status, &body);
}

// The text in a request's body, or what is wrong with it.
static const char *read_text(const holdfast_request *request, holdfast_bytes *text) {
    holdfast_bytes body;
    holdfast_result result = holdfast_read_all(request->body, BODY_BYTES_MAX, &body);
    if (result.status != HOLDFAST_OK) {
        return holdfast_check(result);
    }
    return holdfast_json_string(holdfast_json_read(body), "text", text)
               ? NULL
               : "the body is JSON with a text: {\"text\": \"…\"}";
}

static holdfast_bytes key_of(holdfast_bytes id) {
    return holdfast_format(PREFIX "%.*s", HOLDFAST_ARG(id));
}

// Orders keys as numbers: those with fewer digits come first.
static bool is_before(holdfast_bytes one, holdfast_bytes other) {
    holdfast_bytes pair[] = {one, other};
    holdfast_sort((holdfast_list){pair, 2});
    return one.len != other.len ? one.len < other.len : holdfast_equal(pair[0], one);
}

static void sort_by_id(holdfast_list keys) {
    for (size_t index = 1; index < keys.len; index++) {
        holdfast_bytes key = keys.items[index];
        size_t place = index;
        for (; place > 0 && is_before(key, keys.items[place - 1]); place--) {
            keys.items[place] = keys.items[place - 1];
        }
        keys.items[place] = key;
    }
}

static holdfast_error list(holdfast_store *store, holdfast_response *response) {
    holdfast_list keys;
    holdfast_error error = holdfast_check(holdfast_store_keys(store, &keys));
    if (error != NULL) {
        return error;
    }
    holdfast_buffer body = {0};
    holdfast_writer writer = {.buffer = &body};
    sort_by_id(keys);
    holdfast_json_begin_array(&writer, NULL);
    for (size_t index = 0; index < keys.len; index++) {
        bool found;
        holdfast_bytes text;
        if (!holdfast_starts_with(keys.items[index], PREFIX)) {
            continue;
        }
        error = holdfast_check(holdfast_store_get(store, keys.items[index], &found, &text));
        if (error != NULL) {
            return error;
        }
        // It may have been deleted meanwhile.
        if (found) {
            write_note(&writer, holdfast_skip(keys.items[index], sizeof PREFIX - 1), text);
        }
    }
    holdfast_json_end_array(&writer);
    return answer_json(response, 200, &body);
}

static holdfast_error add(holdfast_store *store, const holdfast_request *request,
                          holdfast_response *response) {
    holdfast_bytes text;
    const char *why = read_text(request, &text);
    if (why != NULL) {
        return refuse(response, 400, why);
    }
    int64_t number;
    holdfast_result result =
        holdfast_store_increment(store, holdfast_text(COUNTER), 1, &number);
    holdfast_bytes id = holdfast_format("%" PRId64, number);
    if (result.status == HOLDFAST_OK) {
        result = holdfast_store_set(store, key_of(id), text);
    }
    if (result.status != HOLDFAST_OK) {
        return holdfast_check(result);
    }
    holdfast_respond_header(response, "location",
                            holdfast_format("/notes/%.*s", HOLDFAST_ARG(id)));
    return answer_note(response, 201, id, text);
}

static holdfast_error change(holdfast_store *store, holdfast_bytes id,
                             const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes text;
    const char *why = read_text(request, &text);
    if (why != NULL) {
        return refuse(response, 400, why);
    }
    holdfast_error error = holdfast_check(holdfast_store_set(store, key_of(id), text));
    return error != NULL ? error : answer_note(response, 200, id, text);
}

static holdfast_error one(holdfast_store *store, holdfast_bytes id,
                          const holdfast_request *request, holdfast_response *response) {
    bool found;
    holdfast_bytes text;
    bool is_get = holdfast_is(request->method, "GET") || holdfast_is(request->method, "HEAD");
    if (!is_get && !holdfast_is(request->method, "PUT") && !holdfast_is(request->method, "DELETE")) {
        return not_allowed(response, "GET, HEAD, PUT, DELETE");
    }
    holdfast_error error = holdfast_check(holdfast_store_get(store, key_of(id), &found, &text));
    if (error != NULL) {
        return error;
    }
    if (!found) {
        return refuse(response, 404, "there is no such note");
    }
    if (is_get) {
        return answer_note(response, 200, id, text);
    }
    if (holdfast_is(request->method, "PUT")) {
        return change(store, id, request, response);
    }
    holdfast_respond_status(response, 204);
    return holdfast_check(holdfast_store_delete(store, key_of(id)));
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes rest = holdfast_path(request->path_with_query);
    if (!holdfast_starts_with(rest, "/notes")) {
        return refuse(response, 404, "notes are at /notes");
    }
    rest = holdfast_skip(rest, 6);
    bool is_one = holdfast_starts_with(rest, "/") && rest.len > 1;
    if (rest.len > 0 && !is_one) {
        return refuse(response, 404, "notes are at /notes");
    }
    holdfast_store *store;
    holdfast_error error = holdfast_check(holdfast_store_open("default", &store));
    if (error != NULL) {
        return error;
    }
    if (is_one) {
        return one(store, holdfast_skip(rest, 1), request, response);
    }
    if (holdfast_is(request->method, "POST")) {
        return add(store, request, response);
    }
    if (holdfast_is(request->method, "GET") || holdfast_is(request->method, "HEAD")) {
        return list(store, response);
    }
    return not_allowed(response, "GET, HEAD, POST");
}

HOLDFAST_HTTP(handle);
