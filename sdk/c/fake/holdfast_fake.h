// A host in memory, for tests that run on your own machine: `make test`.
//
// It delivers events to the plugin's handlers, one after the other, and keeps
// what they do: connections with their messages and topics, keys and values, log
// lines. A test calls what is here and looks.
//
// What is returned as `const char *` has a NUL at its end and is there until the
// next call of fake_reset.

#ifndef HOLDFAST_FAKE_H
#define HOLDFAST_FAKE_H

#include <holdfast.h>

// Forgets everything.
void fake_reset(void);

// Checks: ends the program with the place if a condition does not hold, or two
// strings differ.
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : fake_failed(__FILE__, __LINE__, #condition, "true", "false"))
#define CHECK_TEXT(found, expected) fake_compare(__FILE__, __LINE__, #found, found, expected)

void fake_failed(const char *file, int line, const char *what, const char *expected,
                 const char *found);
void fake_compare(const char *file, int line, const char *what, const char *found,
                  const char *expected);

// Opens a WebSocket, with `subprotocols` separated by commas or NULL: `accept`,
// then `open`. The connection's id, or NULL if it was refused.
const char *fake_connect(const char *path, const char *subprotocols);
// How the last one was refused: `403 the body`.
const char *fake_refusal(void);
// Delivers a message; false if the handler returned an error.
bool fake_receive(const char *connection, holdfast_message message);
// Ends a connection from the client's side.
bool fake_disconnect(const char *connection, uint16_t code, const char *reason);
// The text of the last error that a handler returned, or NULL.
const char *fake_error(void);

// The oldest message which was sent to a connection and was not looked at yet;
// NULL if there is none.
const char *fake_next(const char *connection);
// How the plugin closed a connection: `4000 the reason`; NULL if it did not.
const char *fake_closed(const char *connection);
const char *fake_attachment(const char *connection);

// A response. One whose handler returned an error has the status 500.
typedef struct fake_response {
    uint16_t status;
    const char *body;
    size_t body_len;
    // `name: value` on a line each.
    const char *headers;
} fake_response;

fake_response fake_request(const char *method, const char *path, const char *body);
// A header field of the next request.
void fake_request_header(const char *name, const char *value);
// The answer to the next request to another server; without one it is denied.
void fake_answer(uint16_t status, const char *body);

void fake_set_config(const char *key, const char *value);
void fake_set_value(const char *key, const char *value);
// A value of the store; NULL if there is none.
const char *fake_value(const char *key);
// The last line that was logged; NULL if there is none.
const char *fake_logged(void);

#endif
