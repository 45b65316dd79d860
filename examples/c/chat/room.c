// A room: who is in it and what was said, all of it kept by the host.

#include "chat.h"

// The close code of a connection whose place its own client has taken again.
#define REPLACED 4000

static holdfast_bytes topic_of(holdfast_bytes room) {
    return holdfast_format("rooms/%.*s", HOLDFAST_ARG(room));
}

holdfast_error tell(holdfast_bytes connection, holdfast_bytes json) {
    holdfast_result result = holdfast_send(connection, holdfast_text_message(json));
    return result.status == HOLDFAST_GONE ? NULL : holdfast_check(result);
}

holdfast_list members(holdfast_bytes room) {
    holdfast_subscriber_list all = holdfast_subscribers(topic_of(room), HOLDFAST_SUBSCRIBERS_MAX);
    holdfast_list nicks = {holdfast_alloc(all.len * sizeof(holdfast_bytes)), 0};
    for (size_t index = 0; index < all.len; index++) {
        visitor member = visitor_of(all.items[index].attachment);
        if (member.has_joined) {
            nicks.items[nicks.len++] = member.nick;
        }
    }
    holdfast_sort(nicks);
    return nicks;
}

// `joined` or `left`.
static holdfast_error announce(holdfast_bytes room, const char *type, holdfast_bytes nick,
                               const holdfast_bytes *except) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text(type));
    holdfast_json_write_string(&writer, "nick", nick);
    holdfast_json_write_number(&writer, "time", (int64_t)holdfast_now_ms());
    holdfast_json_end_object(&writer);
    holdfast_message message = holdfast_text_message(holdfast_buffer_bytes(&buffer));
    return holdfast_check(except == NULL
                              ? holdfast_publish(topic_of(room), message, NULL)
                              : holdfast_publish_except(topic_of(room), message, *except, NULL));
}

holdfast_error leave(holdfast_bytes room, holdfast_bytes nick) {
    return announce(room, "left", nick, NULL);
}

// Makes a connection that of somebody who has not joined. One that is gone is as
// good.
static void forget(holdfast_bytes connection, holdfast_bytes room) {
    holdfast_unsubscribe(connection, topic_of(room));
    holdfast_attach(connection, attachment_of((visitor){.room = room}));
}

// Whether there is a place, and the connection whose place it is, if any.
static const problem *check_place(const holdfast_connection *connection, visitor member,
                                  holdfast_bytes *replaced) {
    holdfast_bytes topic = topic_of(member.room);
    holdfast_subscriber_list others = holdfast_subscribers(topic, HOLDFAST_SUBSCRIBERS_MAX);
    for (size_t index = 0; index < others.len; index++) {
        visitor other = visitor_of(others.items[index].attachment);
        if (holdfast_equal(others.items[index].connection, connection->id) || !other.has_joined ||
            !same_nick(other.nick, member.nick)) {
            continue;
        }
        if (other.key.len == 0 || !holdfast_equal(other.key, member.key)) {
            return &nick_taken;
        }
        *replaced = others.items[index].connection;
        return NULL;
    }
    return holdfast_count(topic) > MEMBERS_MAX ? &room_full : NULL;
}

static holdfast_error welcome(const holdfast_connection *connection, visitor member) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_list nicks = members(member.room);
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text("welcome"));
    holdfast_json_write_string(&writer, "room", member.room);
    holdfast_json_write_string(&writer, "nick", member.nick);
    holdfast_json_begin_array(&writer, "members");
    for (size_t index = 0; index < nicks.len; index++) {
        holdfast_json_write_string(&writer, NULL, nicks.items[index]);
    }
    holdfast_json_end_array(&writer);
    holdfast_error error = history_json(member.room, &writer, "messages");
    holdfast_json_end_object(&writer);
    return error != NULL ? error : tell(connection->id, holdfast_buffer_bytes(&buffer));
}

static outcome settle(const holdfast_connection *connection, visitor member) {
    holdfast_bytes replaced = {0};
    const problem *problem = check_place(connection, member, &replaced);
    if (problem != NULL) {
        return (outcome){.problem = problem};
    }
    if (replaced.len > 0) {
        forget(replaced, member.room);
        holdfast_close(replaced, REPLACED, holdfast_text("replaced by a newer connection"));
    }
    holdfast_error error = welcome(connection, member);
    if (error == NULL && replaced.len == 0) {
        error = announce(member.room, "joined", member.nick, &connection->id);
    }
    return (outcome){.error = error};
}

// Of two who come with one nickname at the same moment, both may be refused, but
// never are both let in: each first takes its place and then looks who else is
// there.
outcome join(const holdfast_connection *connection, holdfast_bytes room, holdfast_bytes nick,
             holdfast_bytes key) {
    const problem *problem = check_nick(&nick);
    problem = problem != NULL ? problem : check_key(key);
    if (problem != NULL) {
        return (outcome){.problem = problem};
    }
    visitor member = {room, nick, key, true};
    holdfast_result result = holdfast_attach(connection->id, attachment_of(member));
    if (result.status == HOLDFAST_OK) {
        result = holdfast_subscribe(connection->id, topic_of(room));
    }
    if (result.status != HOLDFAST_OK) {
        return (outcome){.error = holdfast_check(result)};
    }
    outcome outcome = settle(connection, member);
    if (outcome.problem != NULL || outcome.error != NULL) {
        forget(connection->id, room);
    }
    return outcome;
}

// A message that is added to the history, {"count":7,"messages":[…]}.
typedef struct addition {
    holdfast_bytes nick;
    holdfast_bytes text;
    int64_t time;
    int64_t id;
} addition;

static void write_message(holdfast_writer *writer, bool with_type, const addition *message) {
    holdfast_json_begin_object(writer, NULL);
    if (with_type) {
        holdfast_json_write_string(writer, "type", holdfast_text("message"));
    }
    holdfast_json_write_number(writer, "id", message->id);
    holdfast_json_write_string(writer, "nick", message->nick);
    holdfast_json_write_string(writer, "text", message->text);
    holdfast_json_write_number(writer, "time", message->time);
    holdfast_json_end_object(writer);
}

static int64_t number_in(const holdfast_json *object, const char *name) {
    const holdfast_json *member = holdfast_json_member(object, name);
    return member == NULL ? 0 : (int64_t)member->number;
}

// Writes the messages again, without the first `skipped`.
static void copy_messages(const holdfast_json *messages, size_t skipped, holdfast_writer *writer) {
    const holdfast_json *item = messages == NULL ? NULL : messages->first;
    for (; item != NULL; item = item->next) {
        addition message = {.time = number_in(item, "time"), .id = number_in(item, "id")};
        holdfast_json_string(item, "nick", &message.nick);
        holdfast_json_string(item, "text", &message.text);
        if (skipped > 0) {
            skipped--;
        } else {
            write_message(writer, false, &message);
        }
    }
}

// The new value of a history. One that can't be read counts as empty.
static holdfast_bytes add(bool found, holdfast_bytes old, void *context) {
    addition *message = context;
    const holdfast_json *history = found ? holdfast_json_read(old) : NULL;
    const holdfast_json *messages = holdfast_json_member(history, "messages");
    size_t len = 0;
    for (const holdfast_json *item = messages == NULL ? NULL : messages->first; item != NULL;
         item = item->next) {
        len++;
    }
    message->id = number_in(history, "count") + 1;
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_number(&writer, "count", message->id);
    holdfast_json_begin_array(&writer, "messages");
    copy_messages(messages, len < HISTORY_LEN_MAX ? 0 : len + 1 - HISTORY_LEN_MAX, &writer);
    write_message(&writer, false, message);
    holdfast_json_end_array(&writer);
    holdfast_json_end_object(&writer);
    return holdfast_buffer_bytes(&buffer);
}

holdfast_error history_json(holdfast_bytes room, holdfast_writer *writer, const char *name) {
    holdfast_store *store;
    bool found = false;
    holdfast_bytes value = {0};
    holdfast_result result = holdfast_store_open("default", &store);
    if (result.status == HOLDFAST_OK) {
        result = holdfast_store_get(store, topic_of(room), &found, &value);
    }
    const holdfast_json *history = found ? holdfast_json_read(value) : NULL;
    holdfast_json_begin_array(writer, name);
    copy_messages(holdfast_json_member(history, "messages"), 0, writer);
    holdfast_json_end_array(writer);
    return holdfast_check(result);
}

// It is kept before it is published, so that nobody who comes in between misses
// it.
outcome say(holdfast_bytes room, holdfast_bytes nick, holdfast_bytes text, holdfast_bytes *json) {
    const problem *problem = check_text(&text);
    if (problem != NULL) {
        return (outcome){.problem = problem};
    }
    addition message = {.nick = nick, .text = text, .time = (int64_t)holdfast_now_ms()};
    holdfast_store *store;
    holdfast_result result = holdfast_store_open("default", &store);
    if (result.status == HOLDFAST_OK) {
        result = holdfast_store_update(store, topic_of(room), add, &message);
    }
    if (result.status != HOLDFAST_OK) {
        return (outcome){.error = holdfast_check(result)};
    }
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    write_message(&writer, true, &message);
    *json = holdfast_buffer_bytes(&buffer);
    result = holdfast_publish(topic_of(room), holdfast_text_message(*json), NULL);
    return (outcome){.error = holdfast_check(result)};
}
