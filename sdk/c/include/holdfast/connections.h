// Connections of the tenant, by id, from any handler, HTTP included. Every
// function returns at once. An id of another tenant is answered like one that
// never was.

#ifndef HOLDFAST_CONNECTIONS_H
#define HOLDFAST_CONNECTIONS_H

#include "websocket.h"

#ifdef __cplusplus
extern "C" {
#endif

// Queues a message. `number`: bytes now waiting for this client. Delivery is at
// most once. GONE, FULL, TOO_LARGE.
holdfast_result holdfast_send(holdfast_bytes connection, holdfast_message message);

// Closes a connection after what is queued for it has been sent. The code is
// 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999, the reason at most 123 bytes.
// GONE, INVALID_CODE, REASON_TOO_LONG.
holdfast_result holdfast_close(holdfast_bytes connection, uint16_t code, holdfast_bytes reason);

// What the host knows of a connection.
typedef struct holdfast_state {
    holdfast_bytes attachment;
    uint64_t attachment_version;
    uint64_t buffered_bytes;
} holdfast_state;

// Reads a connection's state; false if there is no such connection.
bool holdfast_get_state(holdfast_bytes connection, holdfast_state *state);

// Replaces a connection's attachment. `number`: its new version. GONE, TOO_LARGE.
holdfast_result holdfast_attach(holdfast_bytes connection, holdfast_bytes attachment);

// The same, only if it is still at the version `expected` (compare-and-set).
// CONFLICT besides.
holdfast_result holdfast_attach_if(holdfast_bytes connection, holdfast_bytes attachment,
                                   uint64_t expected);

#ifdef __cplusplus
}
#endif

#endif
