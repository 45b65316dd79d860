// A plugin for the tests of the SDK: what a message or a request asks for, it
// does.

#include <holdfast.h>

static holdfast_error accept(const holdfast_handshake *handshake, holdfast_answer *answer) {
    if (holdfast_is(handshake->path_with_query, "/refuse")) {
        holdfast_answer_refuse(answer, 403, holdfast_text("no"));
    } else if (holdfast_is(handshake->path_with_query, "/fail")) {
        return "told to fail";
    }
    holdfast_answer_header(answer, "x-test", holdfast_text("yes"));
    holdfast_answer_attachment(answer, handshake->path_with_query);
    holdfast_answer_topic(answer, holdfast_text("all"));
    for (size_t index = 0; index < handshake->subprotocols.len; index++) {
        holdfast_answer_subprotocol(answer, handshake->subprotocols.items[index]);
    }
    return NULL;
}

static holdfast_error open(const holdfast_connection *connection) {
    return holdfast_check(holdfast_send(connection->id, holdfast_say("open")));
}

static holdfast_bytes append(bool found, holdfast_bytes old, void *context) {
    return holdfast_format("%.*s%s", HOLDFAST_ARG(found ? old : holdfast_text("")),
                           (const char *)context);
}

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    holdfast_bytes rest = message.payload;
    holdfast_bytes word = holdfast_split(&rest, ' ');
    if (holdfast_is(word, "fail")) {
        return holdfast_string(rest);
    }
    if (holdfast_is(word, "stale")) {
        return holdfast_check(holdfast_attach_if(connection->id, rest, 999));
    }
    if (holdfast_is(word, "close")) {
        return holdfast_check(holdfast_close(connection->id, 4000, rest));
    }
    if (holdfast_is(word, "others")) {
        return holdfast_check(holdfast_publish_except(
            holdfast_text("all"), holdfast_text_message(rest), connection->id, NULL));
    }
    if (holdfast_is(word, "append")) {
        holdfast_store *store;
        holdfast_error error = holdfast_check(holdfast_store_open("default", &store));
        return error != NULL ? error
                             : holdfast_check(holdfast_store_update(store, holdfast_text("key"), append,
                                                                    holdfast_string(rest)));
    }
    if (holdfast_is(word, "keys")) {
        holdfast_store *store;
        holdfast_list keys = {0};
        holdfast_store_open("default", &store);
        holdfast_store_keys(store, &keys);
        holdfast_sort(keys);
        for (size_t index = 0; index < keys.len; index++) {
            holdfast_send(connection->id, holdfast_text_message(keys.items[index]));
        }
        return NULL;
    }
    holdfast_log(HOLDFAST_LOG_INFO, "%.*s", HOLDFAST_ARG(message.payload));
    return holdfast_check(holdfast_send(connection->id, message));
}

static holdfast_error close(const holdfast_connection *connection, const holdfast_closure *closure) {
    holdfast_bytes text = holdfast_format("%.*s %s %u %.*s", HOLDFAST_ARG(connection->attachment),
                                          holdfast_cause_name(closure->cause), closure->code,
                                          HOLDFAST_ARG(closure->reason));
    return holdfast_check(holdfast_publish(holdfast_text("all"), holdfast_text_message(text), NULL));
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes path = holdfast_path(request->path_with_query);
    holdfast_bytes body;
    if (holdfast_is(path, "/fail")) {
        return "told to fail";
    }
    if (holdfast_is(path, "/bad-header")) {
        holdfast_respond_header(response, "not a name", holdfast_text("x"));
        return NULL;
    }
    if (holdfast_is(path, "/long")) {
        for (int count = 0; count < 5000; count++) {
            holdfast_write_format(response, "%09d\n", count);
        }
        return NULL;
    }
    if (holdfast_is(path, "/fetch")) {
        holdfast_fetched answer;
        holdfast_outgoing outgoing = {.url = holdfast_text("http://example.org/x")};
        holdfast_error error = holdfast_check(holdfast_fetch(&outgoing, &answer));
        if (error == NULL) {
            error = holdfast_check(holdfast_read_all(answer.body, 100, &body));
        }
        return error != NULL ? error
                             : holdfast_respond(response, answer.status, "text/plain", body);
    }
    holdfast_result result = holdfast_read_all(request->body, 20, &body);
    if (result.status != HOLDFAST_OK) {
        return holdfast_respond(response, 413, "text/plain", holdfast_text(holdfast_check(result)));
    }
    holdfast_bytes name = holdfast_text("nobody");
    holdfast_query_value(request->path_with_query, "name", &name);
    return holdfast_respond(response, 200, "text/plain",
                            holdfast_format("%.*s %.*s %.*s", HOLDFAST_ARG(request->method),
                                            HOLDFAST_ARG(name), HOLDFAST_ARG(body)));
}

static holdfast_error migrate(holdfast_bytes from, holdfast_bytes attachment, holdfast_bytes *migrated) {
    *migrated = holdfast_format("%.*s%.*s", HOLDFAST_ARG(attachment), HOLDFAST_ARG(attachment));
    return from.len == 0 ? NULL : holdfast_fail("no way from %.*s", HOLDFAST_ARG(from));
}

HOLDFAST_WEBSOCKET(.accept = accept, .open = open, .receive = receive, .close = close);
HOLDFAST_ATTACHMENTS(.format = "doubled", .migrate = migrate);
HOLDFAST_HTTP(handle);
