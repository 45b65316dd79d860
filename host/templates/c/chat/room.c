// A room: see room.h.

#include "room.h"

// A nickname and a text, in characters, and the messages which are kept for those
// who come later.
#define NICK_LEN_MAX 24
#define TEXT_LEN_MAX 1000
#define HISTORY_LEN_MAX 50

static holdfast_bytes topic_of(holdfast_bytes room) {
    return holdfast_format("rooms/%.*s", HOLDFAST_ARG(room));
}

holdfast_bytes attachment_of(holdfast_bytes room, holdfast_bytes nick) {
    return nick.len == 0 ? room
                         : holdfast_format("%.*s\n%.*s", HOLDFAST_ARG(room), HOLDFAST_ARG(nick));
}

void read_attachment(holdfast_bytes attachment, holdfast_bytes *room, holdfast_bytes *nick) {
    *room = holdfast_split(&attachment, '\n');
    *nick = attachment;
}

static holdfast_list members(holdfast_bytes room) {
    holdfast_subscriber_list all = holdfast_subscribers(topic_of(room), HOLDFAST_SUBSCRIBERS_MAX);
    holdfast_list nicks = {holdfast_alloc(all.len * sizeof(holdfast_bytes)), 0};
    for (size_t index = 0; index < all.len; index++) {
        holdfast_bytes other_room;
        read_attachment(all.items[index].attachment, &other_room, &nicks.items[nicks.len++]);
    }
    holdfast_sort(nicks);
    return nicks;
}

// A message with a type and a nickname: `joined`, `left`.
static holdfast_message notice(const char *type, holdfast_bytes nick) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text(type));
    holdfast_json_write_string(&writer, "nick", nick);
    holdfast_json_end_object(&writer);
    return holdfast_text_message(holdfast_buffer_bytes(&buffer));
}

holdfast_error leave(holdfast_bytes room, holdfast_bytes nick) {
    return holdfast_check(holdfast_publish(topic_of(room), notice("left", nick), NULL));
}

// A message of the history, {"id":7,"nick":"Ada","text":"Hello"}.
typedef struct said {
    const char *type;
    int64_t id;
    holdfast_bytes nick;
    holdfast_bytes text;
} said;

static void write_said(holdfast_writer *writer, const said *said) {
    holdfast_json_begin_object(writer, NULL);
    if (said->type != NULL) {
        holdfast_json_write_string(writer, "type", holdfast_text(said->type));
    }
    holdfast_json_write_number(writer, "id", said->id);
    holdfast_json_write_string(writer, "nick", said->nick);
    holdfast_json_write_string(writer, "text", said->text);
    holdfast_json_end_object(writer);
}

static said read_said(const holdfast_json *item) {
    said said = {0};
    const holdfast_json *id = holdfast_json_member(item, "id");
    said.id = id == NULL ? 0 : (int64_t)id->number;
    holdfast_json_string(item, "nick", &said.nick);
    holdfast_json_string(item, "text", &said.text);
    return said;
}

// A history with one message more, and without the oldest if there are too many.
static holdfast_bytes add(bool found, holdfast_bytes old, void *context) {
    said *fresh = context;
    const holdfast_json *history = found ? holdfast_json_read(old) : NULL;
    const holdfast_json *first = history == NULL ? NULL : history->first;
    size_t len = 0;
    fresh->id = 1;
    for (const holdfast_json *item = first; item != NULL; item = item->next) {
        fresh->id = read_said(item).id + 1;
        len++;
    }
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_array(&writer, NULL);
    for (const holdfast_json *item = first; item != NULL; item = item->next) {
        said kept = read_said(item);
        if (len-- < HISTORY_LEN_MAX) {
            write_said(&writer, &kept);
        }
    }
    said plain = *fresh;
    plain.type = NULL;
    write_said(&writer, &plain);
    holdfast_json_end_array(&writer);
    return holdfast_buffer_bytes(&buffer);
}

holdfast_error say(holdfast_bytes room, holdfast_bytes nick, holdfast_bytes text, const char **why) {
    size_t characters = 0;
    text = holdfast_trim(text);
    if (!holdfast_utf8(text, &characters) || characters == 0 || characters > TEXT_LEN_MAX) {
        *why = "a text has 1 to 1000 characters";
        return NULL;
    }
    said said = {.type = "message", .nick = nick, .text = text};
    holdfast_store *store;
    holdfast_result result = holdfast_store_open("default", &store);
    if (result.status == HOLDFAST_OK) {
        result = holdfast_store_update(store, topic_of(room), add, &said);
    }
    if (result.status != HOLDFAST_OK) {
        return holdfast_check(result);
    }
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    write_said(&writer, &said);
    holdfast_message message = holdfast_text_message(holdfast_buffer_bytes(&buffer));
    return holdfast_check(holdfast_publish(topic_of(room), message, NULL));
}

// Who is here, and what was said, oldest first.
static holdfast_error welcome(const holdfast_connection *connection, holdfast_bytes room,
                              holdfast_bytes nick) {
    holdfast_store *store;
    bool found = false;
    holdfast_bytes value = {0};
    holdfast_result result = holdfast_store_open("default", &store);
    if (result.status == HOLDFAST_OK) {
        result = holdfast_store_get(store, topic_of(room), &found, &value);
    }
    if (result.status != HOLDFAST_OK) {
        return holdfast_check(result);
    }
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_list nicks = members(room);
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text("welcome"));
    holdfast_json_write_string(&writer, "nick", nick);
    holdfast_json_begin_array(&writer, "members");
    for (size_t index = 0; index < nicks.len; index++) {
        holdfast_json_write_string(&writer, NULL, nicks.items[index]);
    }
    holdfast_json_end_array(&writer);
    holdfast_json_begin_array(&writer, "messages");
    const holdfast_json *history = found ? holdfast_json_read(value) : NULL;
    const holdfast_json *item = history == NULL ? NULL : history->first;
    for (; item != NULL; item = item->next) {
        said said = read_said(item);
        write_said(&writer, &said);
    }
    holdfast_json_end_array(&writer);
    holdfast_json_end_object(&writer);
    holdfast_message message = holdfast_text_message(holdfast_buffer_bytes(&buffer));
    return holdfast_check(holdfast_send(connection->id, message));
}

holdfast_error join(const holdfast_connection *connection, holdfast_bytes room,
                    holdfast_bytes nick, const char **why) {
    size_t characters = 0;
    nick = holdfast_trim(nick);
    holdfast_bytes rest = nick;
    bool is_line = holdfast_split(&rest, '\n').len == nick.len;
    if (!holdfast_utf8(nick, &characters) || !is_line || characters == 0 || characters > NICK_LEN_MAX) {
        *why = "a nickname has 1 to 24 characters";
        return NULL;
    }
    holdfast_list present = members(room);
    for (size_t index = 0; index < present.len; index++) {
        if (holdfast_equal(present.items[index], nick)) {
            *why = "somebody here has this nickname";
            return NULL;
        }
    }
    holdfast_result result = holdfast_attach(connection->id, attachment_of(room, nick));
    if (result.status == HOLDFAST_OK) {
        result = holdfast_subscribe(connection->id, topic_of(room));
    }
    if (result.status != HOLDFAST_OK) {
        return holdfast_check(result);
    }
    holdfast_error error = welcome(connection, room, nick);
    if (error != NULL) {
        return error;
    }
    return holdfast_check(
        holdfast_publish_except(topic_of(room), notice("joined", nick), connection->id, NULL));
}
