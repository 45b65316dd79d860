// A chat. `/rooms/NAME` is a room: its page, and the WebSocket of that page. A
// text posted to it appears on every page.
//
// All state is in the host: the attachment says who a connection is, a topic says
// who is in a room, the key-value store has the last messages. So new code can
// take over at any moment, under open sockets.

#include "room.h"

// The name of a room and a posted text, in bytes.
#define ROOM_LEN_MAX 64
#define POST_BYTES_MAX 4000

static const char page_html[] = {
#embed "page.html"
};

// The room's name in `/rooms/NAME`.
static bool room_of(holdfast_bytes path_with_query, holdfast_bytes *room) {
    holdfast_bytes path = holdfast_path(path_with_query);
    *room = holdfast_skip(path, 7);
    for (size_t index = 0; index < room->len; index++) {
        char byte = room->data[index];
        char lower = (char)(byte | 0x20);
        bool allowed = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
                       byte == '-' || byte == '_';
        if (!allowed) {
            return false;
        }
    }
    return holdfast_starts_with(path, "/rooms/") && room->len >= 1 && room->len <= ROOM_LEN_MAX;
}

static holdfast_error accept(const holdfast_handshake *handshake, holdfast_answer *answer) {
    holdfast_bytes room;
    if (room_of(handshake->path_with_query, &room)) {
        holdfast_answer_attachment(answer, attachment_of(room, holdfast_text("")));
    } else {
        holdfast_answer_refuse(answer, 404, holdfast_text("rooms are at /rooms/NAME"));
    }
    return NULL;
}

static holdfast_error tell_error(const holdfast_connection *connection, const char *text) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text("error"));
    holdfast_json_write_string(&writer, "text", holdfast_text(text));
    holdfast_json_end_object(&writer);
    holdfast_message message = holdfast_text_message(holdfast_buffer_bytes(&buffer));
    return holdfast_check(holdfast_send(connection->id, message));
}

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    holdfast_bytes room, nick, type, text;
    const char *why = NULL;
    holdfast_error error = NULL;
    read_attachment(connection->attachment, &room, &nick);
    const holdfast_json *json = message.binary ? NULL : holdfast_json_read(message.payload);
    bool has_type = holdfast_json_string(json, "type", &type);
    bool is_join = has_type && holdfast_is(type, "join") && holdfast_json_string(json, "nick", &text);
    bool is_say = has_type && holdfast_is(type, "say") && holdfast_json_string(json, "text", &text);
    if (!is_join && !is_say) {
        why = "a message is JSON: a `join` or a `say`";
    } else if (is_join != (nick.len == 0)) {
        why = "join once, then say something";
    } else if (is_join) {
        error = join(connection, room, text, &why);
    } else {
        error = say(room, nick, text, &why);
    }
    return why == NULL ? error : tell_error(connection, why);
}

static holdfast_error close(const holdfast_connection *connection, const holdfast_closure *closure) {
    (void)closure;
    holdfast_bytes room, nick;
    read_attachment(connection->attachment, &room, &nick);
    return nick.len == 0 ? NULL : leave(room, nick);
}

static holdfast_error answer_text(holdfast_response *response, uint16_t status, const char *text) {
    return holdfast_respond(response, status, "text/plain; charset=utf-8", holdfast_text(text));
}

static holdfast_error post(const holdfast_request *request, holdfast_response *response,
                           holdfast_bytes room) {
    holdfast_bytes text;
    const char *why = NULL;
    holdfast_error error =
        holdfast_check(holdfast_read_all(request->body, POST_BYTES_MAX, &text));
    if (error == NULL) {
        error = say(room, holdfast_text("guest"), text, &why);
    }
    if (error != NULL) {
        return error;
    }
    return why == NULL ? answer_text(response, 201, "It was said.\n")
                       : answer_text(response, 400, why);
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes room;
    bool is_get = holdfast_is(request->method, "GET") || holdfast_is(request->method, "HEAD");
    if (is_get && holdfast_is(holdfast_path(request->path_with_query), "/")) {
        holdfast_respond_header(response, "location", holdfast_text("/rooms/lobby"));
        holdfast_respond_status(response, 303);
        return NULL;
    }
    if (!room_of(request->path_with_query, &room) ||
        (!is_get && !holdfast_is(request->method, "POST"))) {
        return answer_text(response, 404, "Rooms are at /rooms/NAME.\n");
    }
    if (is_get) {
        return holdfast_respond(response, 200, "text/html; charset=utf-8",
                                holdfast_slice(page_html, sizeof page_html));
    }
    return post(request, response, room);
}

HOLDFAST_WEBSOCKET(.accept = accept, .receive = receive, .close = close);
HOLDFAST_HTTP(handle);
