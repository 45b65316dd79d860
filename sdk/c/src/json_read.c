// Reads JSON (RFC 8259).

#include "internal.h"

typedef struct {
    const char *at;
    const char *end;
    int depth;
} reader;

static holdfast_json *read_value(reader *reader);

static void skip_space(reader *reader) {
    while (reader->at < reader->end && memchr(" \t\n\r", *reader->at, 4) != NULL) {
        reader->at++;
    }
}

static bool take(reader *reader, char wanted) {
    bool is_there = reader->at < reader->end && *reader->at == wanted;
    reader->at += is_there;
    return is_there;
}

static bool take_word(reader *reader, const char *word) {
    holdfast_bytes rest = holdfast_slice(reader->at, (size_t)(reader->end - reader->at));
    bool is_there = holdfast_starts_with(rest, word);
    reader->at += is_there ? strlen(word) : 0;
    return is_there;
}

static bool read_hex(reader *reader, uint32_t *unit) {
    if (reader->end - reader->at < 4) {
        return false;
    }
    *unit = 0;
    for (int index = 0; index < 4; index++) {
        char character = *reader->at++;
        char lower = (char)(character | 0x20);
        if (character >= '0' && character <= '9') {
            *unit = *unit << 4 | (uint32_t)(character - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *unit = *unit << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

// A character by its number, of two units if it needs them (section 7).
static bool read_unicode(reader *reader, holdfast_buffer *text) {
    uint32_t code;
    uint32_t low;
    if (!read_hex(reader, &code) || (code >= 0xDC00 && code <= 0xDFFF)) {
        return false;
    }
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (!take_word(reader, "\\u") || !read_hex(reader, &low) || low < 0xDC00 || low > 0xDFFF) {
            return false;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    char bytes[4];
    size_t len = 0;
    if (code < 0x80) {
        bytes[len++] = (char)code;
    } else if (code < 0x800) {
        bytes[len++] = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        bytes[len++] = (char)(0xE0 | code >> 12);
        bytes[len++] = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        bytes[len++] = (char)(0xF0 | code >> 18);
        bytes[len++] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[len++] = (char)(0x80 | (code >> 6 & 0x3F));
    }
    if (code >= 0x80) {
        bytes[len++] = (char)(0x80 | (code & 0x3F));
    }
    holdfast_append(text, holdfast_slice(bytes, len));
    return true;
}

static bool read_escape(reader *reader, holdfast_buffer *text) {
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) {
        return false;
    }
    char name = *reader->at++;
    if (name == 'u') {
        return read_unicode(reader, text);
    }
    const char *found = memchr(names, name, sizeof names - 1);
    if (found == NULL) {
        return false;
    }
    holdfast_append(text, holdfast_slice(&meanings[found - names], 1));
    return true;
}

static bool read_string(reader *reader, holdfast_bytes *string) {
    holdfast_buffer text = {0};
    if (!take(reader, '"')) {
        return false;
    }
    for (;;) {
        const char *begin = reader->at;
        while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' &&
               (unsigned char)*reader->at >= 0x20) {
            reader->at++;
        }
        holdfast_append(&text, holdfast_slice(begin, (size_t)(reader->at - begin)));
        if (take(reader, '"')) {
            *string = holdfast_buffer_bytes(&text);
            return holdfast_utf8(*string, NULL);
        }
        if (!take(reader, '\\') || !read_escape(reader, &text)) {
            return false;
        }
    }
}

static size_t skip_digits(reader *reader) {
    const char *begin = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return (size_t)(reader->at - begin);
}

static bool read_number(reader *reader, double *number) {
    const char *begin = reader->at;
    take(reader, '-');
    if (!take(reader, '0') && skip_digits(reader) == 0) {
        return false;
    }
    if (take(reader, '.') && skip_digits(reader) == 0) {
        return false;
    }
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '+')) {
            take(reader, '-');
        }
        if (skip_digits(reader) == 0) {
            return false;
        }
    }
    *number = strtod(holdfast_string(holdfast_slice(begin, (size_t)(reader->at - begin))), NULL);
    return true;
}

// What is between the brackets of an array or an object.
static bool read_items(reader *reader, holdfast_json *into, char close) {
    holdfast_json **end = &into->first;
    skip_space(reader);
    if (take(reader, close)) {
        return true;
    }
    do {
        holdfast_bytes name = {0};
        skip_space(reader);
        if (into->kind == HOLDFAST_JSON_OBJECT) {
            if (!read_string(reader, &name)) {
                return false;
            }
            skip_space(reader);
            if (!take(reader, ':')) {
                return false;
            }
        }
        holdfast_json *item = read_value(reader);
        if (item == NULL) {
            return false;
        }
        item->name = name;
        *end = item;
        end = &item->next;
        skip_space(reader);
    } while (take(reader, ','));
    return take(reader, close);
}

static bool read_inside(reader *reader, holdfast_json *value, holdfast_json_kind kind, char close) {
    value->kind = kind;
    if (reader->depth == HOLDFAST_JSON_DEPTH_MAX) {
        return false;
    }
    reader->depth++;
    bool ok = read_items(reader, value, close);
    reader->depth--;
    return ok;
}

static holdfast_json *read_value(reader *reader) {
    holdfast_json *value = holdfast_alloc(sizeof *value);
    bool ok = true;
    skip_space(reader);
    if (take(reader, '{')) {
        ok = read_inside(reader, value, HOLDFAST_JSON_OBJECT, '}');
    } else if (take(reader, '[')) {
        ok = read_inside(reader, value, HOLDFAST_JSON_ARRAY, ']');
    } else if (reader->at < reader->end && *reader->at == '"') {
        value->kind = HOLDFAST_JSON_STRING;
        ok = read_string(reader, &value->string);
    } else if (take_word(reader, "true")) {
        value->kind = HOLDFAST_JSON_BOOL;
        value->boolean = true;
    } else if (take_word(reader, "false")) {
        value->kind = HOLDFAST_JSON_BOOL;
    } else if (!take_word(reader, "null")) {
        value->kind = HOLDFAST_JSON_NUMBER;
        ok = read_number(reader, &value->number);
    }
    return ok ? value : NULL;
}

const holdfast_json *holdfast_json_read(holdfast_bytes text) {
    if (text.len == 0) {
        return NULL;
    }
    reader reader = {text.data, text.data + text.len, 0};
    const holdfast_json *value = read_value(&reader);
    skip_space(&reader);
    return reader.at == reader.end ? value : NULL;
}

const holdfast_json *holdfast_json_member(const holdfast_json *object, const char *name) {
    const holdfast_json *found = NULL;
    if (object == NULL || object->kind != HOLDFAST_JSON_OBJECT) {
        return NULL;
    }
    for (const holdfast_json *member = object->first; member != NULL; member = member->next) {
        if (holdfast_is(member->name, name)) {
            found = member;
        }
    }
    return found;
}

bool holdfast_json_string(const holdfast_json *object, const char *name, holdfast_bytes *string) {
    const holdfast_json *member = holdfast_json_member(object, name);
    if (member == NULL || member->kind != HOLDFAST_JSON_STRING) {
        return false;
    }
    *string = member->string;
    return true;
}
