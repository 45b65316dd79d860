// Strings with lengths.

#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

holdfast_bytes holdfast_slice(const void *data, size_t len) {
    return (holdfast_bytes){data, len};
}

holdfast_bytes holdfast_text(const char *text) {
    return holdfast_slice(text, text == NULL ? 0 : strlen(text));
}

char *holdfast_string(holdfast_bytes bytes) {
    char *string = holdfast_alloc(bytes.len + 1);
    if (bytes.len > 0) {
        memcpy(string, bytes.data, bytes.len);
    }
    return string;
}

static holdfast_bytes format_list(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        return holdfast_text("(bad format)");
    }
    char *text = holdfast_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, arguments);
    return holdfast_slice(text, (size_t)len);
}

holdfast_bytes holdfast_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    holdfast_bytes text = format_list(format, arguments);
    va_end(arguments);
    return text;
}

holdfast_error holdfast_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    holdfast_bytes text = format_list(format, arguments);
    va_end(arguments);
    return text.data;
}

void holdfast_append_format(holdfast_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    holdfast_append(buffer, format_list(format, arguments));
    va_end(arguments);
}

holdfast_error holdfast_write_format(holdfast_response *response, const char *format, ...) {
    holdfast_mark mark = holdfast_memory_mark();
    va_list arguments;
    va_start(arguments, format);
    holdfast_error error = holdfast_write(response, format_list(format, arguments));
    va_end(arguments);
    if (error == NULL) {
        holdfast_memory_release(mark);
    }
    return error;
}

void holdfast_log(holdfast_level level, const char *format, ...) {
    void holdfast_log_bytes(holdfast_level, holdfast_bytes);
    va_list arguments;
    va_start(arguments, format);
    holdfast_log_bytes(level, format_list(format, arguments));
    va_end(arguments);
}

void holdfast_panic(const char *format, ...) {
    // Without memory of its own: there may be none.
    va_list arguments;
    va_start(arguments, format);
    fputs("panic: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    fflush(NULL);
    va_end(arguments);
    abort();
}

void holdfast_append(holdfast_buffer *buffer, holdfast_bytes bytes) {
    if (bytes.len > buffer->capacity - buffer->len) {
        size_t capacity = buffer->capacity == 0 ? 64 : buffer->capacity * 2;
        while (capacity - buffer->len < bytes.len) {
            capacity *= 2;
        }
        char *fresh = holdfast_alloc(capacity);
        if (buffer->len > 0) {
            memcpy(fresh, buffer->data, buffer->len);
        }
        buffer->data = fresh;
        buffer->capacity = capacity;
    }
    if (bytes.len > 0) {
        memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
        buffer->len += bytes.len;
    }
}

void holdfast_append_text(holdfast_buffer *buffer, const char *text) {
    holdfast_append(buffer, holdfast_text(text));
}

holdfast_bytes holdfast_buffer_bytes(const holdfast_buffer *buffer) {
    return holdfast_slice(buffer->data, buffer->len);
}

bool holdfast_equal(holdfast_bytes one, holdfast_bytes other) {
    return one.len == other.len && (one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

bool holdfast_is(holdfast_bytes bytes, const char *text) {
    return holdfast_equal(bytes, holdfast_text(text));
}

bool holdfast_starts_with(holdfast_bytes bytes, const char *prefix) {
    size_t len = strlen(prefix);
    return bytes.len >= len && (len == 0 || memcmp(bytes.data, prefix, len) == 0);
}

holdfast_bytes holdfast_skip(holdfast_bytes bytes, size_t count) {
    count = count < bytes.len ? count : bytes.len;
    return count == 0 ? bytes : holdfast_slice(bytes.data + count, bytes.len - count);
}

holdfast_bytes holdfast_split(holdfast_bytes *rest, char separator) {
    const char *found = rest->len == 0 ? NULL : memchr(rest->data, separator, rest->len);
    size_t len = found == NULL ? rest->len : (size_t)(found - rest->data);
    holdfast_bytes part = holdfast_slice(rest->data, len);
    *rest = holdfast_skip(*rest, found == NULL ? len : len + 1);
    return part;
}

static bool is_space(char character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
}

holdfast_bytes holdfast_trim(holdfast_bytes bytes) {
    while (bytes.len > 0 && is_space(bytes.data[0])) {
        bytes = holdfast_skip(bytes, 1);
    }
    while (bytes.len > 0 && is_space(bytes.data[bytes.len - 1])) {
        bytes.len--;
    }
    return bytes;
}

bool holdfast_number(holdfast_bytes bytes, int64_t *number) {
    bool negative = bytes.len > 0 && bytes.data[0] == '-';
    bytes = holdfast_skip(bytes, negative);
    // Below zero there is one number more.
    int64_t value = 0;
    for (size_t index = 0; index < bytes.len; index++) {
        int digit = bytes.data[index] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (bytes.len == 0 || (!negative && value == INT64_MIN)) {
        return false;
    }
    *number = negative ? value : -value;
    return true;
}

// The length of the character at the beginning (RFC 3629, section 4); 0 if it is
// none.
static size_t character_len(holdfast_bytes bytes) {
    const unsigned char *at = (const unsigned char *)bytes.data;
    unsigned char first = at[0];
    if (first < 0x80) {
        return 1;
    }
    size_t len = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || bytes.len < len) {
        return 0;
    }
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t index = 2; index < len; index++) {
        if (at[index] < 0x80 || at[index] > 0xBF) {
            return 0;
        }
    }
    return len;
}

bool holdfast_utf8(holdfast_bytes bytes, size_t *characters) {
    size_t count = 0;
    while (bytes.len > 0) {
        size_t len = character_len(bytes);
        if (len == 0) {
            return false;
        }
        bytes = holdfast_skip(bytes, len);
        count++;
    }
    if (characters != NULL) {
        *characters = count;
    }
    return true;
}

uint32_t holdfast_character(holdfast_bytes *rest) {
    const unsigned char *at = (const unsigned char *)rest->data;
    size_t len = character_len(*rest);
    *rest = holdfast_skip(*rest, len == 0 ? 1 : len);
    if (len == 0) {
        return 0xFFFD;
    }
    // The first byte has fewer bits of the number the longer the character is.
    uint32_t code = len == 1 ? at[0] : at[0] & (0xFFu >> (len + 1));
    for (size_t index = 1; index < len; index++) {
        code = code << 6 | (at[index] & 0x3F);
    }
    return code;
}

static int compare(const void *one, const void *other) {
    const holdfast_bytes *left = one;
    const holdfast_bytes *right = other;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = len == 0 ? 0 : memcmp(left->data, right->data, len);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

void holdfast_sort(holdfast_list list) {
    if (list.len > 1) {
        qsort(list.items, list.len, sizeof *list.items, compare);
    }
}
