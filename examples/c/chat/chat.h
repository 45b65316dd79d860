// What the files of the chat share.

#ifndef CHAT_H
#define CHAT_H

#include <holdfast.h>

// Limits: bytes of a room's name, characters of a nickname, bytes of a key,
// characters of a text, members, messages that are kept, bytes of a POST.
#define ROOM_LEN_MAX 64
#define NICK_LEN_MAX 24
#define KEY_LEN_MAX 64
#define TEXT_LEN_MAX 1000
#define MEMBERS_MAX 500
#define HISTORY_LEN_MAX 50
#define BODY_BYTES_MAX (16 << 10)

// What a client did wrong: a code for programs, a text for people, a status for
// HTTP. NULL is no problem.
typedef struct problem {
    const char *code;
    const char *text;
    uint16_t status;
} problem;

// What a step of the chat comes to: a problem of the client, or an error of
// which the host is told, or neither.
typedef struct outcome {
    const problem *problem;
    holdfast_error error;
} outcome;

// Who a connection is: what its attachment says. `nick` is empty before it has
// joined, `key` if it has none.
typedef struct visitor {
    holdfast_bytes room;
    holdfast_bytes nick;
    holdfast_bytes key;
    bool has_joined;
} visitor;

extern const problem not_json, unknown_type, not_joined, already_joined, nick_taken, bad_key,
    room_full, bad_body;

// rules.c
bool is_room(holdfast_bytes name);
const problem *check_nick(holdfast_bytes *nick);
const problem *check_key(holdfast_bytes key);
const problem *check_text(holdfast_bytes *text);
bool same_nick(holdfast_bytes one, holdfast_bytes other);
holdfast_bytes attachment_of(visitor visitor);
visitor visitor_of(holdfast_bytes attachment);
holdfast_bytes problem_json(const problem *problem);

// room.c
holdfast_list members(holdfast_bytes room);
outcome join(const holdfast_connection *connection, holdfast_bytes room, holdfast_bytes nick,
             holdfast_bytes key);
outcome say(holdfast_bytes room, holdfast_bytes nick, holdfast_bytes text, holdfast_bytes *message);
holdfast_error leave(holdfast_bytes room, holdfast_bytes nick);
// The last messages as a JSON array.
holdfast_error history_json(holdfast_bytes room, holdfast_writer *writer, const char *name);
// Sends to one client. One that is gone needs nothing.
holdfast_error tell(holdfast_bytes connection, holdfast_bytes json);

#endif
