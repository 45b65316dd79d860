// The rules for names and texts, and what is said when they are broken.

#include "chat.h"

#include <wctype.h>

const problem not_json = {"not-json", "a message is a JSON object with a `type`", 400};
const problem unknown_type = {"unknown-type", "the type of a message is `join` or `say`", 400};
const problem not_joined = {"not-joined", "join the room before you say something", 400};
const problem already_joined = {"already-joined", "you have joined this room already", 400};
const problem nick_taken = {"nick-taken", "somebody in this room has this nickname", 409};
const problem bad_key = {"bad-key", "a key has up to 64 printable ASCII characters", 400};
const problem room_full = {"room-full", "the room is full", 503};
const problem bad_body = {
    "bad-body", "the body is a text, or JSON with `nick` and `text`, of up to 16 KiB", 400};

static const problem nick_empty = {"bad-nick", "the nickname is empty", 400};
static const problem nick_long = {"bad-nick", "the nickname has more than 24 characters", 400};
static const problem nick_control = {"bad-nick", "the nickname has control characters", 400};
static const problem text_empty = {"bad-text", "the text is empty", 400};
static const problem text_long = {"bad-text", "the text has more than 1000 characters", 400};
static const problem text_control = {"bad-text", "the text has control characters", 400};

bool is_room(holdfast_bytes name) {
    for (size_t index = 0; index < name.len; index++) {
        char byte = name.data[index];
        char lower = (char)(byte | 0x20);
        bool allowed = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
                       byte == '-' || byte == '_';
        if (!allowed) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= ROOM_LEN_MAX;
}

static bool is_control(uint32_t character) {
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

// Characters that can't be seen but change how others are: two nicknames that
// differ in them alone look the same.
static bool is_invisible(uint32_t character) {
    return character == 0xAD || character == 0x61C || character == 0x180E ||
           (character >= 0x200B && character <= 0x200F) ||
           (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x206F) || character == 0xFEFF;
}

const problem *check_nick(holdfast_bytes *nick) {
    size_t characters = 0;
    *nick = holdfast_trim(*nick);
    if (nick->len == 0) {
        return &nick_empty;
    }
    if (!holdfast_utf8(*nick, &characters) || characters > NICK_LEN_MAX) {
        return &nick_long;
    }
    for (holdfast_bytes rest = *nick; rest.len > 0;) {
        uint32_t character = holdfast_character(&rest);
        if (is_control(character) || is_invisible(character)) {
            return &nick_control;
        }
    }
    return NULL;
}

const problem *check_key(holdfast_bytes key) {
    for (size_t index = 0; index < key.len; index++) {
        if (key.data[index] <= ' ' || key.data[index] >= 0x7F) {
            return &bad_key;
        }
    }
    return key.len <= KEY_LEN_MAX ? NULL : &bad_key;
}

const problem *check_text(holdfast_bytes *text) {
    size_t characters = 0;
    *text = holdfast_trim(*text);
    if (text->len == 0) {
        return &text_empty;
    }
    if (!holdfast_utf8(*text, &characters) || characters > TEXT_LEN_MAX) {
        return &text_long;
    }
    for (holdfast_bytes rest = *text; rest.len > 0;) {
        uint32_t character = holdfast_character(&rest);
        if (is_control(character) && character != '\n' && character != '\t') {
            return &text_control;
        }
    }
    return NULL;
}

bool same_nick(holdfast_bytes one, holdfast_bytes other) {
    while (one.len > 0 && other.len > 0) {
        if (towlower((wint_t)holdfast_character(&one)) !=
            towlower((wint_t)holdfast_character(&other))) {
            return false;
        }
    }
    return one.len == 0 && other.len == 0;
}

// The room, the nickname and the key, on a line each. None has a line break.
holdfast_bytes attachment_of(visitor visitor) {
    if (!visitor.has_joined) {
        return visitor.room;
    }
    return holdfast_format("%.*s\n%.*s\n%.*s", HOLDFAST_ARG(visitor.room),
                           HOLDFAST_ARG(visitor.nick), HOLDFAST_ARG(visitor.key));
}

visitor visitor_of(holdfast_bytes attachment) {
    visitor visitor = {0};
    visitor.room = holdfast_split(&attachment, '\n');
    visitor.has_joined = attachment.len > 0;
    visitor.nick = holdfast_split(&attachment, '\n');
    visitor.key = attachment;
    return visitor;
}

holdfast_bytes problem_json(const problem *problem) {
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "type", holdfast_text("error"));
    holdfast_json_write_string(&writer, "code", holdfast_text(problem->code));
    holdfast_json_write_string(&writer, "text", holdfast_text(problem->text));
    holdfast_json_end_object(&writer);
    return holdfast_buffer_bytes(&buffer);
}
