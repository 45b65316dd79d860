// WebSocket events, and a page to try them. Open the URL that `holdfast dev`
// prints, say something, change `answer` below, and save: the socket stays open,
// and the next message is answered by the new code.

#include <holdfast.h>
#include <inttypes.h>

static const char page_html[] = {
#embed "page.html"
};

static holdfast_bytes answer(int64_t count, holdfast_bytes text) {
    return holdfast_format("%" PRId64 ": you said %.*s", count, HOLDFAST_ARG(text));
}

static holdfast_error open(const holdfast_connection *connection) {
    return holdfast_check(holdfast_send(connection->id, holdfast_say("Hello! Say something.")));
}

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    // Whatever is to be there at the next message is in the attachment, which the
    // host keeps: this code may be another by then.
    int64_t count = 0;
    holdfast_number(connection->attachment, &count);
    count++;
    holdfast_result result =
        holdfast_attach(connection->id, holdfast_format("%" PRId64, count));
    if (result.status == HOLDFAST_OK && !message.binary) {
        message.payload = answer(count, message.payload);
    }
    if (result.status == HOLDFAST_OK) {
        result = holdfast_send(connection->id, message);
    }
    return holdfast_check(result);
}

static holdfast_error page(const holdfast_request *request, holdfast_response *response) {
    (void)request;
    return holdfast_respond(response, 200, "text/html; charset=utf-8",
                            holdfast_slice(page_html, sizeof page_html));
}

HOLDFAST_WEBSOCKET(.open = open, .receive = receive);
HOLDFAST_HTTP(page);
