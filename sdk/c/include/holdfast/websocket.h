// WebSocket events.
//
// For one connection the host calls `accept` once, then `open` once, then
// `receive` for each message in order, one at a time, then `close` exactly once,
// whatever happened. Different connections run concurrently, in several
// instances.

#ifndef HOLDFAST_WEBSOCKET_H
#define HOLDFAST_WEBSOCKET_H

#include "base.h"
#include "http.h"

#ifdef __cplusplus
extern "C" {
#endif

// One complete message. A text is valid UTF-8.
typedef struct holdfast_message {
    bool binary;
    holdfast_bytes payload;
} holdfast_message;

// A text message of a C string, of bytes, and a binary message.
holdfast_message holdfast_say(const char *text);
holdfast_message holdfast_text_message(holdfast_bytes text);
holdfast_message holdfast_binary_message(holdfast_bytes bytes);

// An opening handshake for which the plugin has to decide.
typedef struct holdfast_handshake {
    // The id which the connection will have. Messages sent to it from now on
    // are written after the handshake.
    holdfast_bytes id;
    // `http` or `https`.
    holdfast_bytes scheme;
    // The `Host` field or the `:authority` pseudo-header field.
    holdfast_bytes authority;
    // Path and query as the client sent them, for example `/rooms/a?x=1`.
    holdfast_bytes path_with_query;
    holdfast_headers headers;
    // The subprotocols which the client offers, best first.
    holdfast_list subprotocols;
    // `ADDRESS:PORT` of the client.
    holdfast_bytes remote_address;
} holdfast_handshake;

// The answer to a handshake. As it is given to the handler it accepts, with no
// subprotocol, no attachment and no topic.
typedef struct holdfast_answer holdfast_answer;

// Chooses one of the offered subprotocols. Any other makes the host answer 500.
void holdfast_answer_subprotocol(holdfast_answer *answer, holdfast_bytes name);
// Adds a header field to the 101 or to the refusal.
void holdfast_answer_header(holdfast_answer *answer, const char *name, holdfast_bytes value);
// The bytes which the host keeps for the connection. Limit: 4 KiB unless
// configured otherwise (`attachment_bytes_max`).
void holdfast_answer_attachment(holdfast_answer *answer, holdfast_bytes attachment);
// Subscribes the connection before its first event.
void holdfast_answer_topic(holdfast_answer *answer, holdfast_bytes topic);
// Refuses with a status from 300 to 599 and a body.
void holdfast_answer_refuse(holdfast_answer *answer, uint16_t status, holdfast_bytes body);

// The connection an event belongs to.
typedef struct holdfast_connection {
    // Opaque, unguessable, and meaningful only inside the tenant.
    holdfast_bytes id;
    // The bytes last set for it.
    holdfast_bytes attachment;
    // Counts the changes of the attachment, from 0 at `accept`.
    uint64_t attachment_version;
    // Bytes queued for this client and not yet written to its socket.
    uint64_t buffered_bytes;
} holdfast_connection;

// Why a connection ended.
typedef enum holdfast_cause {
    HOLDFAST_CLIENT,
    HOLDFAST_SERVER,
    HOLDFAST_IDLE,
    HOLDFAST_SLOW_CONSUMER,
    HOLDFAST_LIMIT,
    HOLDFAST_ERROR,
    HOLDFAST_DEPLOY,
    HOLDFAST_DRAIN,
    HOLDFAST_CONNECTION_LOST,
} holdfast_cause;

// Its name as in the WIT, for example `connection-lost`.
const char *holdfast_cause_name(holdfast_cause cause);

// How a connection ended: the cause, the status code (RFC 6455, section 7.4;
// 1005 if the client gave none, 1006 without a close frame), the reason.
typedef struct holdfast_closure {
    holdfast_cause cause;
    uint16_t code;
    holdfast_bytes reason;
} holdfast_closure;

// The handlers. Those that are NULL accept, or do nothing. An error of `accept`
// is answered with 500 and logged.
typedef struct holdfast_websocket {
    holdfast_error (*accept)(const holdfast_handshake *handshake, holdfast_answer *answer);
    // The client has been sent its 101.
    holdfast_error (*open)(const holdfast_connection *connection);
    holdfast_error (*receive)(const holdfast_connection *connection, holdfast_message message);
    // Nothing can be sent to it any more. Its attachment is given a last time.
    holdfast_error (*close)(const holdfast_connection *connection, const holdfast_closure *closure);
} holdfast_websocket;

// Exports the handlers: HOLDFAST_WEBSOCKET(.receive = receive) in one source
// file, at its end.
#define HOLDFAST_WEBSOCKET(...)                                                                    \
    const holdfast_websocket holdfast_websocket_handlers = {__VA_ARGS__};                          \
    extern void holdfast_link_websocket(void);                                                     \
    __attribute__((used)) void (*const holdfast_linked_websocket)(void) = holdfast_link_websocket

extern const holdfast_websocket holdfast_websocket_handlers;

// How attachments of another format, which other code has written, become those
// of this code. An error leaves the connection with the generation it has.
typedef struct holdfast_attachments {
    // Names the format of this code, in at most 64 bytes.
    const char *format;
    holdfast_error (*migrate)(holdfast_bytes from_format, holdfast_bytes attachment,
                              holdfast_bytes *migrated);
} holdfast_attachments;

// Exports them: HOLDFAST_ATTACHMENTS(.format = "v2", .migrate = migrate).
#define HOLDFAST_ATTACHMENTS(...)                                                                  \
    const holdfast_attachments holdfast_attachments_handlers = {__VA_ARGS__};                      \
    extern void holdfast_link_attachments(void);                                                   \
    __attribute__((used)) void (*const holdfast_linked_attachments)(void) =                        \
        holdfast_link_attachments

extern const holdfast_attachments holdfast_attachments_handlers;

#ifdef __cplusplus
}
#endif

#endif
