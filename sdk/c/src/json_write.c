// Writes JSON (RFC 8259).

#include "internal.h"

#include <inttypes.h>

// Escapes what has to be (section 7). The bytes are UTF-8.
static void append_string(holdfast_buffer *buffer, holdfast_bytes string) {
    holdfast_append_text(buffer, "\"");
    size_t begin = 0;
    for (size_t index = 0; index < string.len; index++) {
        unsigned char character = (unsigned char)string.data[index];
        if (character >= 0x20 && character != '"' && character != '\\') {
            continue;
        }
        holdfast_append(buffer, holdfast_slice(string.data + begin, index - begin));
        begin = index + 1;
        if (character == '"' || character == '\\') {
            holdfast_append_format(buffer, "\\%c", character);
        } else if (character == '\n') {
            holdfast_append_text(buffer, "\\n");
        } else {
            holdfast_append_format(buffer, "\\u%04x", character);
        }
    }
    holdfast_append(buffer, holdfast_skip(string, begin));
    holdfast_append_text(buffer, "\"");
}

// What comes before a value.
static void begin(holdfast_writer *writer, const char *name) {
    if (writer->comma) {
        holdfast_append_text(writer->buffer, ",");
    }
    if (name != NULL) {
        append_string(writer->buffer, holdfast_text(name));
        holdfast_append_text(writer->buffer, ":");
    }
    writer->comma = true;
}

static void open(holdfast_writer *writer, const char *name, const char *bracket) {
    begin(writer, name);
    holdfast_append_text(writer->buffer, bracket);
    writer->comma = false;
}

static void close(holdfast_writer *writer, const char *bracket) {
    holdfast_append_text(writer->buffer, bracket);
    writer->comma = true;
}

void holdfast_json_begin_object(holdfast_writer *writer, const char *name) {
    open(writer, name, "{");
}

void holdfast_json_end_object(holdfast_writer *writer) {
    close(writer, "}");
}

void holdfast_json_begin_array(holdfast_writer *writer, const char *name) {
    open(writer, name, "[");
}

void holdfast_json_end_array(holdfast_writer *writer) {
    close(writer, "]");
}

void holdfast_json_write_string(holdfast_writer *writer, const char *name, holdfast_bytes string) {
    begin(writer, name);
    append_string(writer->buffer, string);
}

void holdfast_json_write_number(holdfast_writer *writer, const char *name, int64_t number) {
    begin(writer, name);
    holdfast_append_format(writer->buffer, "%" PRId64, number);
}

void holdfast_json_write_bool(holdfast_writer *writer, const char *name, bool boolean) {
    begin(writer, name);
    holdfast_append_text(writer->buffer, boolean ? "true" : "false");
}

void holdfast_json_write_null(holdfast_writer *writer, const char *name) {
    begin(writer, name);
    holdfast_append_text(writer->buffer, "null");
}
