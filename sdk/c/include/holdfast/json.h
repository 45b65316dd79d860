// JSON (RFC 8259), read into a tree and written piece by piece. Both are there
// until the handler returns.

#ifndef HOLDFAST_JSON_H
#define HOLDFAST_JSON_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum holdfast_json_kind {
    HOLDFAST_JSON_NULL,
    HOLDFAST_JSON_BOOL,
    HOLDFAST_JSON_NUMBER,
    HOLDFAST_JSON_STRING,
    HOLDFAST_JSON_ARRAY,
    HOLDFAST_JSON_OBJECT,
} holdfast_json_kind;

// A value. Those of an array or object are a chain from `first` over `next`.
typedef struct holdfast_json {
    holdfast_json_kind kind;
    // The member's name, in an object.
    holdfast_bytes name;
    bool boolean;
    double number;
    holdfast_bytes string;
    struct holdfast_json *first;
    struct holdfast_json *next;
} holdfast_json;

// Arrays and objects within one another.
#define HOLDFAST_JSON_DEPTH_MAX 64

// Reads a whole text; NULL if it is no JSON.
const holdfast_json *holdfast_json_read(holdfast_bytes text);

// A member of an object by its name; the last one if there are several. NULL if
// there is none, or the value is no object or NULL.
const holdfast_json *holdfast_json_member(const holdfast_json *object, const char *name);

// A member that is a string; false if it is not there or no string.
bool holdfast_json_string(const holdfast_json *object, const char *name, holdfast_bytes *string);

// Writes JSON into a buffer, with commas where they belong. Begin with
// {.buffer = &buffer}.
typedef struct holdfast_writer {
    holdfast_buffer *buffer;
    bool comma;
} holdfast_writer;

// In an object, `name` is the member's; in an array and outside it is NULL.
void holdfast_json_begin_object(holdfast_writer *writer, const char *name);
void holdfast_json_end_object(holdfast_writer *writer);
void holdfast_json_begin_array(holdfast_writer *writer, const char *name);
void holdfast_json_end_array(holdfast_writer *writer);
void holdfast_json_write_string(holdfast_writer *writer, const char *name, holdfast_bytes string);
void holdfast_json_write_number(holdfast_writer *writer, const char *name, int64_t number);
void holdfast_json_write_bool(holdfast_writer *writer, const char *name, bool boolean);
void holdfast_json_write_null(holdfast_writer *writer, const char *name);

#ifdef __cplusplus
}
#endif

#endif
