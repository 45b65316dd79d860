// A WebSocket that sends everything back, text and binary, and a page that says
// hello: one component with both kinds of handlers.

#include <holdfast.h>

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    return holdfast_check(holdfast_send(connection->id, message));
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    if (!holdfast_is(holdfast_path(request->path_with_query), "/")) {
        return holdfast_respond(response, 404, "text/plain", holdfast_text("not found\n"));
    }
    return holdfast_respond(response, 200, "text/plain", holdfast_text("hello"));
}

HOLDFAST_WEBSOCKET(.receive = receive);
HOLDFAST_HTTP(handle);
