// What the handlers share.

#ifndef COMMANDS_H
#define COMMANDS_H

#include <holdfast.h>

// Does what a text message asks, for the connection it came from.
holdfast_error command(const holdfast_connection *connection, holdfast_bytes text);

// Handles an HTTP request.
holdfast_error handle(const holdfast_request *request, holdfast_response *response);

// `N` bytes `x`.
holdfast_bytes large(int64_t count);

// The answer of another server: `STATUS BODY` or `error: …`.
holdfast_bytes fetch(holdfast_bytes url);

// `queued N full M`.
holdfast_bytes publish(holdfast_bytes topic, holdfast_bytes text, const holdfast_bytes *except);

// `queued` or `gone`.
holdfast_bytes send_to(holdfast_bytes connection, holdfast_bytes text);

// Leaves the program as an uncaught exception would.
_Noreturn void trap(void);

#endif
