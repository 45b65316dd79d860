// Strings, memory, errors: what everything else is made of.

#ifndef HOLDFAST_BASE_H
#define HOLDFAST_BASE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Makes the compiler check arguments as those of printf.
#define HOLDFAST_PRINTF(text, first) __attribute__((format(printf, text, first)))

// Bytes: a text (UTF-8) or anything else. No NUL at the end.
typedef struct holdfast_bytes {
    const char *data;
    size_t len;
} holdfast_bytes;

// Prints bytes: printf("%.*s", HOLDFAST_ARG(bytes)).
#define HOLDFAST_ARG(bytes) (int)(bytes).len, (bytes).data

// The bytes of a C string, without a copy. NULL is empty.
holdfast_bytes holdfast_text(const char *text);

// Bytes by address and length, without a copy.
holdfast_bytes holdfast_slice(const void *data, size_t len);

// A copy with a NUL at its end, there until the handler returns.
char *holdfast_string(holdfast_bytes bytes);

// printf into new memory, there until the handler returns. NUL at the end.
holdfast_bytes holdfast_format(const char *format, ...) HOLDFAST_PRINTF(1, 2);

bool holdfast_equal(holdfast_bytes one, holdfast_bytes other);
bool holdfast_is(holdfast_bytes bytes, const char *text);
bool holdfast_starts_with(holdfast_bytes bytes, const char *prefix);

// Without its first `count` bytes, or empty.
holdfast_bytes holdfast_skip(holdfast_bytes bytes, size_t count);

// The part before the first `separator`; what comes after it stays in `rest`.
// All of `rest` when there is none.
holdfast_bytes holdfast_split(holdfast_bytes *rest, char separator);

// Without white space (ASCII) around it.
holdfast_bytes holdfast_trim(holdfast_bytes bytes);

// A whole number in decimal digits, with `-` in front or not; false for anything
// else, and for what does not fit.
bool holdfast_number(holdfast_bytes bytes, int64_t *number);

// Whether the bytes are valid UTF-8, and how many characters they have.
bool holdfast_utf8(holdfast_bytes bytes, size_t *characters);

// The number of the first character (UTF-8), which is taken away from `rest`.
// What is no UTF-8 gives U+FFFD for each byte. `rest` is not empty.
uint32_t holdfast_character(holdfast_bytes *rest);

// Memory, zeroed, there until the handler returns. Never NULL: an instance that
// has no memory left ends with a message in the log.
void *holdfast_alloc(size_t size);

// What was allocated after a mark can be given back before the handler returns,
// in a loop that runs for long.
typedef struct holdfast_mark {
    void *chunk;
    size_t used;
} holdfast_mark;

holdfast_mark holdfast_memory_mark(void);
void holdfast_memory_release(holdfast_mark mark);

// Bytes that grow, there until the handler returns. Begin with {0}.
typedef struct holdfast_buffer {
    char *data;
    size_t len;
    size_t capacity;
} holdfast_buffer;

void holdfast_append(holdfast_buffer *buffer, holdfast_bytes bytes);
void holdfast_append_text(holdfast_buffer *buffer, const char *text);
void holdfast_append_format(holdfast_buffer *buffer, const char *format, ...) HOLDFAST_PRINTF(2, 3);
holdfast_bytes holdfast_buffer_bytes(const holdfast_buffer *buffer);

// A list of strings.
typedef struct holdfast_list {
    holdfast_bytes *items;
    size_t len;
} holdfast_list;

// Sorts by bytes, the smallest first.
void holdfast_sort(holdfast_list list);

// What a handler returns: NULL if all is well, or what went wrong.
typedef const char *holdfast_error;

// An error with a text, as printf makes it.
holdfast_error holdfast_fail(const char *format, ...) HOLDFAST_PRINTF(1, 2);

// Writes a text to the log and ends the instance, and with it this event alone.
_Noreturn void holdfast_panic(const char *format, ...) HOLDFAST_PRINTF(1, 2);

// What became of a call to the host.
typedef enum holdfast_status {
    HOLDFAST_OK = 0,
    // No such connection, or it is closing.
    HOLDFAST_GONE,
    // Its queue is full, and the policy is to wait. `number`: bytes in it.
    HOLDFAST_FULL,
    // More bytes than the limit in `number`.
    HOLDFAST_TOO_LARGE,
    // Not a close code that an endpoint may send (RFC 6455, section 7.4).
    HOLDFAST_INVALID_CODE,
    // The reason for closing is longer than 123 bytes.
    HOLDFAST_REASON_TOO_LONG,
    // The attachment has changed, to the version in `number`.
    HOLDFAST_CONFLICT,
    // The connection has reached the number of topics in `number`.
    HOLDFAST_TOO_MANY,
    // A topic's name has 1 to `number` bytes.
    HOLDFAST_INVALID_NAME,
    // There is no store of this name.
    HOLDFAST_NO_SUCH_STORE,
    // It was not granted to the plugin.
    HOLDFAST_DENIED,
    // Overtaken by other changes again and again.
    HOLDFAST_CONTENDED,
    // Anything else; `text` says more.
    HOLDFAST_FAILED,
} holdfast_status;

typedef struct holdfast_result {
    holdfast_status status;
    // What the call returns, or a limit.
    uint64_t number;
    // For HOLDFAST_FAILED, for people.
    holdfast_bytes text;
} holdfast_result;

// NULL if a call has succeeded, or the error to return.
holdfast_error holdfast_check(holdfast_result result);

#ifdef __cplusplus
}
#endif

#endif
