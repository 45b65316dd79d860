// Chat rooms by path: WebSockets, an HTTP API, topics for rooms, attachments for
// who you are, the key-value store for what was said. The protocol is that of
// plugins/chat, whose page is served as files.

#include "chat.h"

#include <strings.h>

#define ROOM_RULE "the name of a room has 1 to 64 letters (a to z, A to Z), digits, `-` and `_`"

static holdfast_bytes last_part(holdfast_bytes *path) {
    size_t begin = path->len;
    while (begin > 0 && path->data[begin - 1] != '/') {
        begin--;
    }
    holdfast_bytes part = holdfast_skip(*path, begin);
    path->len = begin == 0 ? 0 : begin - 1;
    return part;
}

// The room in /rooms/ROOM, and in /rooms/ROOM/messages and /rooms/ROOM/members,
// of which `inside` is the last word. Whatever stands before is ignored.
static bool find_room(holdfast_bytes path, holdfast_bytes *room, holdfast_bytes *inside) {
    *inside = (holdfast_bytes){0};
    *room = last_part(&path);
    holdfast_bytes before = last_part(&path);
    bool is_inside = holdfast_is(*room, "messages") || holdfast_is(*room, "members");
    if (is_inside && holdfast_is(last_part(&path), "rooms")) {
        *inside = *room;
        *room = before;
        return true;
    }
    return holdfast_is(before, "rooms");
}

static holdfast_error accept(const holdfast_handshake *handshake, holdfast_answer *answer) {
    holdfast_bytes room;
    holdfast_bytes inside;
    bool found = find_room(holdfast_path(handshake->path_with_query), &room, &inside);
    if (found && inside.len == 0 && is_room(room)) {
        holdfast_answer_attachment(answer, attachment_of((visitor){.room = room}));
        return NULL;
    }
    holdfast_answer_header(answer, "content-type", holdfast_text("text/plain; charset=utf-8"));
    const char *why = found && inside.len == 0 ? ROOM_RULE : "rooms are at /rooms/{room}";
    holdfast_answer_refuse(answer, 404, holdfast_text(why));
    return NULL;
}

static outcome wrong(const problem *problem) {
    return (outcome){.problem = problem};
}

static bool text_or_empty(const holdfast_json *object, const char *name, holdfast_bytes *text) {
    const holdfast_json *member = holdfast_json_member(object, name);
    *text = (holdfast_bytes){0};
    return member == NULL || member->kind == HOLDFAST_JSON_NULL ||
           holdfast_json_string(object, name, text);
}

static outcome react(const holdfast_connection *connection, visitor visitor, holdfast_message message) {
    holdfast_bytes type, nick, key, text, said;
    const holdfast_json *json = message.binary ? NULL : holdfast_json_read(message.payload);
    if (!holdfast_json_string(json, "type", &type) || !text_or_empty(json, "nick", &nick) ||
        !text_or_empty(json, "key", &key) || !text_or_empty(json, "text", &text)) {
        return wrong(&not_json);
    }
    if (holdfast_is(type, "join")) {
        return visitor.has_joined ? wrong(&already_joined)
                                  : join(connection, visitor.room, nick, key);
    }
    if (holdfast_is(type, "say")) {
        return visitor.has_joined ? say(visitor.room, visitor.nick, text, &said)
                                  : wrong(&not_joined);
    }
    return wrong(&unknown_type);
}

static holdfast_error receive(const holdfast_connection *connection, holdfast_message message) {
    outcome outcome = react(connection, visitor_of(connection->attachment), message);
    return outcome.problem == NULL ? outcome.error
                                   : tell(connection->id, problem_json(outcome.problem));
}

static holdfast_error close(const holdfast_connection *connection, const holdfast_closure *closure) {
    (void)closure;
    visitor visitor = visitor_of(connection->attachment);
    return visitor.has_joined ? leave(visitor.room, visitor.nick) : NULL;
}

static holdfast_error answer_json(holdfast_response *response, uint16_t status, holdfast_bytes json) {
    holdfast_respond_header(response, "cache-control", holdfast_text("no-store"));
    holdfast_bytes line = holdfast_format("%.*s\n", HOLDFAST_ARG(json));
    return holdfast_respond(response, status, "application/json", line);
}

static holdfast_error refuse(holdfast_response *response, uint16_t status, const char *why) {
    return holdfast_respond(response, status, "text/plain; charset=utf-8",
                            holdfast_format("%s\n", why));
}

static bool is_json(const holdfast_request *request) {
    holdfast_bytes type = {0};
    holdfast_find_header(request->headers, "content-type", &type);
    holdfast_bytes essence = holdfast_trim(holdfast_split(&type, ';'));
    return strcasecmp(holdfast_string(essence), "application/json") == 0;
}

static outcome post(const holdfast_request *request, holdfast_bytes room, holdfast_bytes *said) {
    holdfast_bytes text;
    holdfast_bytes nick = holdfast_text("curl");
    holdfast_result result = holdfast_read_all(request->body, BODY_BYTES_MAX, &text);
    if (result.status != HOLDFAST_OK || !holdfast_utf8(text, NULL)) {
        return wrong(&bad_body);
    }
    if (is_json(request)) {
        const holdfast_json *json = holdfast_json_read(text);
        if (!holdfast_json_string(json, "text", &text) ||
            (holdfast_json_member(json, "nick") != NULL && !holdfast_json_string(json, "nick", &nick))) {
            return wrong(&bad_body);
        }
    }
    const problem *problem = check_nick(&nick);
    if (problem != NULL) {
        return wrong(problem);
    }
    holdfast_list nicks = members(room);
    for (size_t index = 0; index < nicks.len; index++) {
        if (same_nick(nicks.items[index], nick)) {
            return wrong(&nick_taken);
        }
    }
    return say(room, nick, text, said);
}

static holdfast_error list(holdfast_response *response, holdfast_bytes room, bool of_members) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_error error = NULL;
    holdfast_json_begin_object(&writer, NULL);
    if (of_members) {
        holdfast_list nicks = members(room);
        holdfast_json_begin_array(&writer, "members");
        for (size_t index = 0; index < nicks.len; index++) {
            holdfast_json_write_string(&writer, NULL, nicks.items[index]);
        }
        holdfast_json_end_array(&writer);
    } else {
        error = history_json(room, &writer, "messages");
    }
    holdfast_json_end_object(&writer);
    return error != NULL ? error : answer_json(response, 200, holdfast_buffer_bytes(&buffer));
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    holdfast_bytes room, inside, said;
    if (!find_room(holdfast_path(request->path_with_query), &room, &inside) || inside.len == 0) {
        return refuse(response, 404, "there is nothing here");
    }
    if (!is_room(room)) {
        return refuse(response, 404, ROOM_RULE);
    }
    bool of_members = holdfast_is(inside, "members");
    if (holdfast_is(request->method, "GET") || holdfast_is(request->method, "HEAD")) {
        return list(response, room, of_members);
    }
    if (of_members || !holdfast_is(request->method, "POST")) {
        holdfast_respond_header(response, "allow",
                                holdfast_text(of_members ? "GET, HEAD" : "GET, HEAD, POST"));
        return refuse(response, 405, "not this method");
    }
    outcome outcome = post(request, room, &said);
    if (outcome.problem != NULL) {
        return answer_json(response, outcome.problem->status, problem_json(outcome.problem));
    }
    return outcome.error != NULL ? outcome.error : answer_json(response, 201, said);
}

HOLDFAST_WEBSOCKET(.accept = accept, .receive = receive, .close = close);
HOLDFAST_HTTP(handle);
